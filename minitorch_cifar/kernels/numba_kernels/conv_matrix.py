"""Convolution on the matrix unit of recent Intel CPUs: forward, and the gradient by the input.

Where `conv_pixels.py` multiplies vectors, this multiplies tiles (`matrix_tiles.py`): 16 neighbouring pixels
of the output by 16 of its channels, 32 terms of their sums at a time, and four such tiles together, so that
each tile that is loaded serves twice. The windows under 16 neighbouring pixels lie a pixel of the frame
apart, so a tile of them is loaded straight from the frame; nothing is copied to make a matrix.

A *step* is 32 terms, which are 32 input channels of one pixel of the window: 16 words, channel c with channel
c + 16. With few input channels most of a step would be zeros, and `conv_pixels.py` is faster.

A tile of pixels must not go round a corner. In rows of 16 pixels and more the last tile begins so that it
ends with the row. Where rows are shorter, several pictures lie in one frame, the same pixel of each side by
side: two pictures of 8 x 8 make rows of 16.

The order of the loops: for a strip of some tiles, for each block of 32 output channels, for each chunk of
steps, for each two tiles of the strip; so a chunk of weights (30 KB) stays in the first-level cache. A
chunk's sums are added to those before it, the first chunk's to the bias. A finished strip is transposed in
registers into the planes of the output.

Groups of pictures, and where there are fewer of them than threads also their strips, are shared among
threads. No sum is divided, so no result depends on the number of threads; which kernel computes it depends on
the shapes, the number of pictures among them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import prange

from ...dtypes import Array
from .conv_pixels import Axis, backward_axis, pack_weights
from .elements import fill, sum_of
from .flat import part
from .frames import aligned, write_frame
from .layout import behaved, deliver, target
from .matrix_tiles import PARTS, ROWS, TILES, WORDS, configure, matrix_tile, release, split_words
from .pixel_tiles import transpose_tile
from .runtime import in_parallel
from .vectors import VECTOR_BYTES

Shape = tuple[int, ...]

_TERMS = 2 * WORDS  # of a step
_TILE = ROWS * WORDS
_BLOCK = 2 * WORDS  # output channels
_CHUNK = 5  # steps, whose weights for a block are 30 KB
_STRIP = 8  # tiles of pixels
_SHARES = 8  # of the pictures, however many threads there are
_ENOUGH = 1 << 21  # products that are worth the start of threads
_USEFUL = 0.4  # so many of the products must be wanted: the others go with zeros, or are dropped


class _Layout(NamedTuple):
    """Where things lie, in elements of four bytes."""

    together: int  # pictures in a frame
    channels: int  # of a pixel, some of them without numbers
    words: int  # size of a frame, of each part; of numbers there are twice as many
    inside: Array  # (H · W,): each pixel of the picture in its frame, in numbers, or -1
    is_whole: bool  # the frame needs every pixel
    pixel: int  # words from one pixel of the output to the next
    places: Array  # (tiles,): where the windows of a tile begin
    steps: Array  # from there to the words of each step
    weight_steps: Array  # the same for weights
    terms: Array  # (C · KH · KW,): where in a block each weight of an output channel goes
    strips: Array  # (strips, 4): first and last tile, first and last of `pieces`
    pieces: Array  # (pieces, 5): row of the strip, step from row to row; picture, pixel of the output, pixels
    planes: Array  # (lanes,): channels of the output
    blocks: int
    useful: float  # share of the products that are wanted


def _pictures_together(pixels: int) -> int:
    """How many rows of so many pixels make up whole tiles."""
    return 1 if pixels >= ROWS else ROWS // math.gcd(pixels, ROWS)


def _tiles_of_rows(rows: int, pixels: int) -> Array:
    """(tiles, 2): row and first pixel. The last tile of a row ends with it, if the row is long enough."""
    starts = [max(0, min(p, pixels - ROWS)) for p in range(0, pixels, ROWS)]
    return np.array([(row, start) for row in range(rows) for start in starts])


def _strips(tiles: Array, pixels: int, together: int, all_pixels: int) -> tuple[Array, Array]:
    """The tables `strips` and `pieces` for the tiles of a row of `pixels`; an odd last tile has a partner."""
    count = len(tiles)
    if together > 1:
        pieces = [
            (p * together + n, together, n, p, min(ROWS, all_pixels - p))
            for n in range(together)
            for p in range(0, all_pixels, ROWS)
        ]
        return np.array([(0, count, 0, len(pieces))]), np.array(pieces)
    pieces = [
        (t % _STRIP * ROWS, 1, 0, row * pixels + start, min(ROWS, pixels))
        for t, (row, start) in enumerate(tiles)
    ]
    strips = [(t, min(t + _STRIP, count), t, min(t + _STRIP, count)) for t in range(0, count, _STRIP)]
    return np.array(strips), np.array(pieces)


@functools.lru_cache(maxsize=256)
def _layout(
    make_axis: Callable[..., Axis], sides: tuple[tuple[int, ...], tuple[int, ...]], channels: int,
    outputs: int, lanes: int,
) -> _Layout:  # fmt: skip
    """The tables for pictures of `channels` channels."""
    rows, columns = (make_axis(*side) for side in sides)
    height, width = rows.corners.size, columns.corners.size
    taps = (rows.taps.size, columns.taps.size)
    stride = int(columns.corners[1]) if width > 1 else 1
    padded = -(-channels // _TERMS) * _TERMS
    together = _pictures_together(width) if stride == 1 else 1
    pixel = together * padded
    inside = rows.inside[:, None] * columns.length + columns.inside
    needed = [(axis.inside >= 0) & (axis.inside < axis.length) for axis in (rows, columns)]
    inside = np.where(needed[0][:, None] & needed[1], inside * pixel, -1).ravel()
    starts = (rows.taps[:, None] * columns.length + columns.taps).reshape(-1, 1)
    steps = (starts * pixel // 2 + np.arange(0, padded // 2, WORDS)).ravel()
    i, j, c = np.ogrid[: taps[0], : taps[1], :channels]
    terms = (i * taps[1] + j) * padded + c
    words = rows.length * columns.length * pixel // 2
    if together == 1 and width < ROWS:  # a tile reaches behind the row, and in the end behind the picture
        words += ROWS * stride * padded // 2
    if make_axis is backward_axis:
        terms = terms[::-1, ::-1]
    blocks = -(-outputs // _BLOCK)
    if together > 1:
        tiles = np.array([(h, p) for h in range(height) for p in range(0, width * together, ROWS)])
    else:
        tiles = _tiles_of_rows(height, width)
    corners = rows.corners[tiles[:, 0]] * columns.length * together + tiles[:, 1] * stride
    places = corners * padded // 2
    strips, pieces_of_strips = _strips(tiles, width, together, height * width)
    useful = (
        channels * math.prod(taps) / (steps.size * _TERMS)
        * outputs / (blocks * _BLOCK)
        * height * width * together / (len(tiles) * ROWS)
    )  # fmt: skip
    return _Layout(
        together=together,
        channels=padded,
        words=words,
        inside=inside,
        is_whole=bool((inside >= 0).all()),
        pixel=stride * padded // 2,
        places=np.concatenate([places, places[-1:]]),
        steps=steps,
        weight_steps=np.arange(steps.size) * PARTS * 2 * _TILE,
        terms=np.ascontiguousarray(terms.transpose(2, 0, 1)).ravel() * _BLOCK,
        strips=strips,
        pieces=pieces_of_strips,
        planes=np.arange(lanes) * (height * width),
        blocks=blocks,
        useful=useful,
    )


@part
def _split_weights(memory: Array, packed: int, count: int, words: int) -> None:
    """[term][channel] -> [step][part][tile of channels][pair of terms][channel], as words."""
    for step in range(count):
        for k in range(ROWS):
            for tile in range(2):
                lower = packed + (step * _TERMS + k) * _BLOCK + tile * WORDS
                place = words + (step * PARTS * 2 + tile) * _TILE + k * WORDS
                split_words(memory, lower, memory, lower + ROWS * _BLOCK, memory, place, 2 * _TILE)


@part
def _write_piece(
    memory: Array, source: int, row: int, lanes: int, count: int, channels: int, planes: Array, out: Array,
    start: int,
) -> None:  # fmt: skip
    """Copy `count` pixels of `channels` channels, one `row` apart, into planes."""
    whole = channels // lanes * lanes if count == lanes else 0
    for c in range(0, whole, lanes):
        transpose_tile(memory, source + c, row, out, start + c * planes[1], planes, 0)
    for c in range(whole, channels):
        for i in range(count):
            out[start + c * planes[1] + i] = memory[source + i * row + c]


# The parts of the loop are functions, which Numba compiles once; what stands in a `prange` it compiles twice.


@part
def _write_pictures(
    picture: Array, start: int, together: int, plane: int, channels: int, inside: Array,
    is_whole: bool, pixel_channels: int, memory: Array, frame: int, words: int,
) -> bool:  # fmt: skip
    """A group of pictures into a frame of numbers, and from there into the frame of words behind it. False if
    a number is not finite.
    """
    all_finite = True
    for n in range(together):
        place = start + n * channels * plane
        all_finite &= np.isfinite(sum_of(picture, place, channels * plane))
        write_frame(
            picture, place, plane, channels, int(np.intp(WORDS)), inside, is_whole, memory,
            frame + n * pixel_channels,
        )  # fmt: skip
    for w in range(0, words, WORDS):
        lower = frame + 2 * w
        split_words(memory, lower, memory, lower + WORDS, memory, frame + 2 * words + w, words)
    return all_finite


@part
def _multiply_strip(
    memory: Array, word: int, words: int, pixel: int, places: Array, tile: int, end: int, steps: Array,
    weights: int, weight_steps: Array, blocks: int, biases: int, strip: int,
    scratch: int,
) -> None:  # fmt: skip
    """The sums of the tiles from `tile` to `end`, into the strip: [pixel][output channel]."""
    width = blocks * _BLOCK
    for b in range(blocks):
        column = b * _BLOCK
        start = weights + b * steps.size * PARTS * 2 * _TILE
        before, row = biases + column, 0  # what the first chunk is added to, for every pixel
        for first in range(0, steps.size, _CHUNK):
            last = min(first + _CHUNK, steps.size)
            for t in range(tile, end, 2):
                rows = (t - tile) * ROWS * width
                a, a_next, out = word + places[t], word + places[t + 1], strip + rows + column
                earlier = before + (rows if row else 0)
                matrix_tile(
                    memory, a, a_next, pixel, words, steps, start, start + _TILE, WORDS, 2 * _TILE,
                    weight_steps, first, last, earlier, row, ROWS * row, out, width, ROWS * width,
                    scratch,
                )  # fmt: skip
            before, row = strip + column, width


@in_parallel(enough=_ENOUGH)
def _loop(
    x: Array, weight: Array, turned: bool, terms: Array, inside: Array,
    is_whole: bool, pixel_channels: int, words: int, together: int, pixel: int, places: Array, steps: Array,
    weight_steps: Array, strips: Array, pieces: Array, bias: Array, blocks: int,
    planes: Array, splits: int, out: Array,
) -> bool:  # fmt: skip
    """False if a number of x or a weight is not finite."""
    images, channels, height, line = x.shape
    outputs, plane = out.shape[1], height * line
    lanes = int(np.intp(WORDS))
    width = blocks * _BLOCK
    groups = (images + together - 1) // together
    shares = min(groups, _SHARES)
    tasks = shares * splits
    block_size = steps.size * _TERMS * _BLOCK
    word_size = steps.size * PARTS * 2 * _TILE
    most = 0
    for s in range(strips.shape[0]):
        most = max(most, strips[s, 1] - strips[s, 0])
    strip_size = (most + 1) // 2 * 2 * ROWS * width
    own_size = strip_size + 4 * _TILE + (2 + PARTS) * words
    memory, packed = aligned(blocks * (block_size + word_size) + width + tasks * own_size, x)
    weights = packed + blocks * block_size
    biases = weights + blocks * word_size
    owns = biases + width
    fill(memory, biases, width, 0)
    for o in range(outputs):
        memory[biases + o] = bias[o]
    # For a literal, Numba would compile these functions anew.
    if not np.isfinite(sum_of(weight.reshape(-1), int(np.intp(0)), weight.size)):
        return False
    pack_weights(
        weight, int(np.intp(1)), turned, terms, steps.size * _TERMS, int(np.intp(_BLOCK)), lanes, blocks,
        memory, packed,
    )  # fmt: skip
    for b in range(blocks):
        _split_weights(memory, packed + b * block_size, steps.size, weights + b * word_size)
    picture, result = x.reshape(-1), out.reshape(-1)
    pixels = out.shape[2] * out.shape[3]
    finite = np.empty(tasks, np.bool_)
    for task in prange(tasks):
        configure(TILES)
        share, split = task // splits, task % splits
        strip = owns + task * own_size
        frame = strip + strip_size + 4 * _TILE
        fill(memory, frame, 2 * words, 0)
        all_finite = True
        for group in range(share * groups // shares, (share + 1) * groups // shares):
            first = min(group * together, images - together)
            all_finite &= _write_pictures(
                picture, first * channels * plane, together, plane, channels, inside, is_whole,
                pixel_channels, memory, frame, words,
            )  # fmt: skip
            for s in range(split * strips.shape[0] // splits, (split + 1) * strips.shape[0] // splits):
                _multiply_strip(
                    memory, frame + 2 * words, words, pixel, places, strips[s, 0], strips[s, 1], steps,
                    weights, weight_steps, blocks, biases, strip,
                    strip + strip_size,
                )  # fmt: skip
                for k in range(strips[s, 2], strips[s, 3]):
                    row, step, n, place, count = pieces[k]
                    _write_piece(
                        memory, strip + row * width, step * width, lanes, count, outputs, planes, result,
                        (first + n) * outputs * pixels + place,
                    )  # fmt: skip
        finite[task] = all_finite
        release()
    for task in range(tasks):  # noqa: SIM110 - `all` takes no generator here
        if not finite[task]:
            return False
    return True


class Plan(NamedTuple):
    """All that is known of a convolution from the shapes of its arrays."""

    layout: _Layout
    turned: bool
    work: int
    shares: int

    def correlate(self, x: Array, weight: Array, bias: Array, out: Array) -> bool:
        """Pack the weights and convolve. False if a number is not finite: then `out` is to be filled anew."""
        layout = self.layout
        x, weight, result = behaved(x), behaved(weight), target(out)
        if not _loop.of(self.work)(
            x, weight, self.turned, layout.terms, layout.inside,
            layout.is_whole, layout.channels, layout.words, layout.together, layout.pixel, layout.places,
            layout.steps, layout.weight_steps, layout.strips, layout.pieces, bias,
            layout.blocks, layout.planes,
            _loop.splits(self.work, self.shares, len(layout.strips)), result,
        ):  # fmt: skip
            return False
        deliver(result, out)
        return True


def plan(
    make_axis: Callable[..., Axis], sides: tuple[tuple[int, ...], tuple[int, ...]], x: Shape, out: Shape
) -> Plan | None:
    """The plan for arrays of float32 of these shapes; None where too much work would be for nothing."""
    layout = _layout(make_axis, sides, x[1], out[1], VECTOR_BYTES // 4)
    if layout.useful < _USEFUL or layout.together > x[0]:
        return None
    return Plan(
        layout,
        make_axis is backward_axis,
        work=math.prod(out) * layout.terms.size,
        shares=min(-(-x[0] // layout.together), _SHARES),
    )
