"""The weight gradient of convolution on the matrix unit of recent Intel CPUs.

As in `conv_weight.py` every pixel of the output adds the product of its column (the gradients by all output
channels) and its row (the window under it). Here the sum over pixels is the matrix product itself: a tile of
16 output channels by 16 pixels, times a tile of 16 pixels by 16 numbers of the window, and four such tiles
together (`matrix_tiles.py`).

Two numbers that are summed up one after the other must lie in one word: the same pixel of two pictures. So
pictures go in pairs, each pair into one frame of words; an odd last one meets zeros.

Pixels follow one another in the gradient as in the frame. In rows of a whole number of tiles they do so
anyway; other rows are filled up with zeros, either to whole tiles, or to the frame's rows, whichever takes
fewer.

The order of the loops: for a pair of pictures, for each chunk of pixels, for each two tiles of the window,
for each two tiles of output channels. A chunk's gradients and the part of the frame below them stay in the
caches of the core; the sums go there and back. Pairs are dealt out among threads in a fixed number of
shares, each with sums of its own, so no sum depends on the number of threads.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numba import prange

from ...dtypes import Array
from .elements import add_up, fill, sum_of
from .flat import part
from .frames import aligned, write_frame
from .layout import behaved, deliver, target
from .matrix_tiles import PARTS, ROWS, TILES, WORDS, configure, copy_row, matrix_tile, release, split_words
from .runtime import in_parallel

Pair = tuple[int, int]
Shape = tuple[int, ...]

_TILE = ROWS * WORDS
_CHUNK = 8  # tiles of pixels
_SHARES = 4  # of the pictures, however many threads there are
_ENOUGH = 1 << 21  # products that are worth the start of threads
_USEFUL = 0.5  # so many of the products must be wanted: the others go with zeros


class _Layout(NamedTuple):
    """Where things lie, in elements of four bytes."""

    channels: int  # of a pixel of the frame, some of them without numbers
    words: int  # size of a frame, of each part; a frame of numbers is as large
    inside: Array  # (H · W,): each pixel of the picture in the frame
    pitch: int  # from row to row of the gradient
    is_contiguous: bool  # the rows of the gradient follow one another without gaps
    pixel: int  # words from the window of one pixel to that of the next
    gradient_steps: Array  # where each tile of pixels lies in the gradient
    frame_steps: Array  # and the windows under it in the frame
    taps: Array  # (tiles,): from there to each tile of the window; an odd last one has a partner
    outputs: int  # blocks of 32 output channels
    useful: float  # share of the products that are wanted


@functools.lru_cache(maxsize=256)
def _layout(
    size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, out_size: Pair, channels: int,
    outputs: int,
) -> _Layout:  # fmt: skip
    padded = -(-channels // WORDS) * WORDS
    width = size[1] + 2 * padding[1]
    height, line = out_size
    row_tiles = -(-line // WORDS)
    pitch, tiles = row_tiles * WORDS, height * row_tiles
    starts = np.arange(height)[:, None] * stride[0] * width + np.arange(row_tiles) * WORDS * stride[1]
    if stride == (1, 1) and -(-((height - 1) * width + line) // WORDS) < tiles:
        pitch, tiles = width, -(-((height - 1) * width + line) // WORDS)
        starts = np.arange(tiles) * WORDS
    taps = np.arange(kernel[0])[:, None] * dilation[0] * width + np.arange(kernel[1]) * dilation[1]
    places = (taps.reshape(-1, 1) * padded + np.arange(0, padded, WORDS)).ravel()
    blocks = -(-outputs // (2 * ROWS))
    slack = WORDS * stride[1]  # pixels: a tile may reach behind the picture
    inside = (np.arange(size[0]) + padding[0])[:, None] * width + np.arange(size[1]) + padding[1]
    return _Layout(
        channels=padded,
        words=((size[0] + 2 * padding[0]) * width + slack) * padded,
        inside=inside.ravel() * padded,
        pitch=pitch,
        # Otherwise the last tile of a channel would go on with the next one's numbers.
        is_contiguous=pitch == line and height * line == tiles * WORDS,
        pixel=stride[1] * padded,
        gradient_steps=np.arange(tiles) * PARTS * _TILE,
        frame_steps=starts.ravel() * padded,
        taps=np.concatenate([places, places[-1:]]),
        outputs=blocks,
        useful=channels / padded * outputs / (blocks * 2 * ROWS) * height * line / (tiles * WORDS),
    )


# The parts of the loop are functions, which Numba compiles once; what stands in a `prange` it compiles twice.


@part
def _write_pictures(
    picture: Array, start: int, count: int, plane: int, channels: int, inside: Array,
    memory: Array, frame: int, words: int,
) -> bool:  # fmt: skip
    """Two pictures, or one and zeros, into two frames of numbers and the frame of words behind them. False if
    a number is not finite.
    """
    all_finite = True
    if count == 1:
        fill(memory, frame + words, words, 0)
    for n in range(count):
        place = start + n * channels * plane
        all_finite &= np.isfinite(sum_of(picture, place, channels * plane))
        write_frame(
            picture,
            place,
            plane,
            channels,
            int(np.intp(WORDS)),
            inside,
            bool(np.bool_(True)),
            memory,
            frame + n * words,
        )
    for w in range(0, words, WORDS):
        split_words(memory, frame + w, memory, frame + words + w, memory, frame + 2 * words + w, words)
    return all_finite


@part
def _write_gradients(
    gradient: Array, start: int, step: int, count: int, outputs: int, lines: int, line: int, pitch: int,
    is_contiguous: bool, tiles: int, memory: Array, rows: int, words: int, biases: Array, adds_up: bool,
) -> bool:  # fmt: skip
    """The gradients of two pictures, `step` apart, or of one, as tiles of words: [tile of channels][tile of
    pixels][part][channel][pixel]. Their sums go to `biases` if it `adds_up`. False if a number is not finite.
    """
    all_finite = True
    size = tiles * WORDS  # of a row of numbers, in which the pixels lie as in the frame
    if count == 1:
        fill(memory, rows + size, size, 0)
    for o in range(outputs):
        first = start + o * lines * line
        for n in range(count):
            total = sum_of(gradient, first + n * step, lines * line)
            all_finite &= np.isfinite(total)
            if adds_up:
                biases[o] += total
        place = words + (o // ROWS * tiles * PARTS * ROWS + o % ROWS) * WORDS
        if is_contiguous and count == 2:
            for t in range(tiles):
                lower = first + t * WORDS
                split_words(gradient, lower, gradient, lower + step, memory, place + t * PARTS * _TILE, _TILE)
            continue
        for n in range(count):
            for h in range(lines):
                source, row = first + n * step + h * line, rows + n * size + h * pitch
                for w in range(0, line, WORDS):
                    copy_row(gradient, source + w, min(WORDS, line - w), memory, row + w)
        for t in range(tiles):
            lower = rows + t * WORDS
            split_words(memory, lower, memory, lower + size, memory, place + t * PARTS * _TILE, _TILE)
    return all_finite


@part
def _multiply(
    memory: Array, gradients: int, gradient_steps: Array, word: int, words: int, pixel: int,
    frame_steps: Array, taps: Array, first_taps: int, last_taps: int, blocks: int, zeros: int, sums: int,
    scratch: int, is_first: bool,
) -> None:  # fmt: skip
    """Add the products of a pair of pictures to the sums: [two tiles of the window][32 channels][32 words of
    the tiles].
    """
    tiles = gradient_steps.size
    for first in range(0, tiles, _CHUNK):
        is_new = is_first and first == 0
        row = 0 if is_new else 2 * WORDS
        for k in range(first_taps, last_taps):
            for b in range(blocks):
                a = gradients + 2 * b * tiles * PARTS * _TILE
                out = sums + (k * blocks + b) * 4 * _TILE
                matrix_tile(
                    memory, a, a + tiles * PARTS * _TILE, WORDS, _TILE, gradient_steps,
                    word + taps[2 * k], word + taps[2 * k + 1], pixel, words, frame_steps,
                    first, min(first + _CHUNK, tiles), zeros if is_new else out, row, ROWS * row,
                    out, 2 * WORDS, 2 * _TILE, scratch,
                )  # fmt: skip


@part
def _finish(
    memory: Array, totals: int, shares: int, size: int, block: int, blocks: int, across: int,
    grad_weight: Array,
) -> bool:  # fmt: skip
    """Add up the sums of all shares for a block of 32 x 32 weights, and write these. False if one is not
    finite. A pixel of the window is `across` tiles.
    """
    place = totals + block * 4 * _TILE
    total = memory[place : place + 4 * _TILE]
    for share in range(1, shares):
        part = memory[place + share * size :]
        for i in range(4 * _TILE):
            total[i] += part[i]
    outputs, channels, kernel_h, kernel_w = grad_weight.shape
    taps, result = kernel_h * kernel_w, grad_weight.reshape(-1)
    first = block % blocks * 2 * ROWS
    for half in range(2):
        tile = block // blocks * 2 + half
        tap, c = tile // across, tile % across * WORDS
        if tap < taps:
            for o in range(first, min(first + 2 * ROWS, outputs)):
                row = total[(o - first) * 2 * WORDS + half * WORDS :]
                for k in range(min(WORDS, channels - c)):
                    result[(o * channels + c + k) * taps + tap] = row[k]
    return bool(np.isfinite(sum_of(total, int(np.intp(0)), 4 * _TILE)))


@in_parallel(enough=_ENOUGH)
def _loop(
    grad_out: Array, x: Array, inside: Array, pixel_channels: int, words: int, pitch: int,
    is_contiguous: bool, pixel: int, gradient_steps: Array, frame_steps: Array, taps: Array, blocks: int,
    splits: int, grad_weight: Array, grad_bias: Array,
) -> bool:  # fmt: skip
    """False if a number is not finite: then all is to be computed anew.

    Every share of the pictures has sums of its own, and works on `splits` parts of the window.
    """
    images, outputs, lines, line = grad_out.shape
    channels, plane = x.shape[1], x.shape[2] * x.shape[3]
    pixels = lines * line
    pairs = (images + 1) // 2
    shares = min(pairs, _SHARES)
    tasks = shares * splits
    tiles = gradient_steps.size
    tap_pairs = taps.size // 2
    sums_size = tap_pairs * blocks * 4 * _TILE
    numbers = 2 * tiles * WORDS + 2 * words  # rows of the gradient, frames of pictures
    gradient_size = 2 * blocks * tiles * PARTS * _TILE
    own_size = 4 * _TILE + numbers + PARTS * words + gradient_size
    memory, zeros = aligned(2 * WORDS + shares * sums_size + tasks * own_size, x)
    fill(memory, zeros, 2 * WORDS, 0)
    totals = zeros + 2 * WORDS
    owns = totals + shares * sums_size
    gradient, picture = grad_out.reshape(-1), x.reshape(-1)
    finite = np.empty(tasks, np.bool_)
    biases = np.zeros((shares, outputs))
    for task in prange(tasks):
        configure(TILES)
        share, split = task // splits, task % splits
        rows = owns + task * own_size + 4 * _TILE
        frame = rows + 2 * tiles * WORDS
        gradients = frame + (2 + PARTS) * words
        fill(memory, rows, numbers, 0)
        if outputs % (2 * ROWS):
            fill(memory, gradients, gradient_size, 0)
        all_finite = True
        first_pair = share * pairs // shares
        for pair in range(first_pair, (share + 1) * pairs // shares):
            count = min(2, images - 2 * pair)
            all_finite &= _write_pictures(
                picture, 2 * pair * channels * plane, count, plane, channels, inside, memory, frame,
                words,
            )  # fmt: skip
            all_finite &= _write_gradients(
                gradient, 2 * pair * outputs * pixels, outputs * pixels, count, outputs, lines, line, pitch,
                is_contiguous, tiles, memory, rows, gradients, biases[share], split == 0,
            )  # fmt: skip
            _multiply(
                memory, gradients, gradient_steps, frame + 2 * words, words, pixel, frame_steps, taps,
                split * tap_pairs // splits, (split + 1) * tap_pairs // splits, blocks, zeros,
                totals + share * sums_size, rows - 4 * _TILE, pair == first_pair,
            )  # fmt: skip
        finite[task] = all_finite
        release()
    for task in range(tasks):
        if not finite[task]:
            return False
    across = pixel_channels // WORDS
    all_finite = True
    for block in range(tap_pairs * blocks):
        all_finite &= _finish(memory, totals, shares, sums_size, block, blocks, across, grad_weight)
    if not all_finite:
        return False
    add_up(biases)
    for o in range(grad_bias.size):
        grad_bias[o] = biases[0, o]
    return True


def matrix_grad_parameters(
    grad_out: Array, x: Array, stride: Pair, padding: Pair, dilation: Pair, grad_weight: Array,
    grad_bias: Array,
) -> bool:  # fmt: skip
    """`conv2d_grad_parameters` in float32 with one group; an empty `grad_bias` is not asked for. False if
    a number is not finite, or if too much of the work would be for nothing: then all is to be computed anew.
    """
    if len(x) == 1:
        return False
    layout = _layout(
        x.shape[2:], grad_weight.shape[2:], stride, padding, dilation, grad_out.shape[2:], x.shape[1],
        len(grad_weight),
    )  # fmt: skip
    if layout.useful < _USEFUL:
        return False
    work = grad_out.size * grad_weight[0].size
    splits = _loop.splits(work, min(_SHARES, (len(x) + 1) // 2), layout.taps.size // 2)
    grad_out, x = behaved(grad_out), behaved(x)
    result, biases = target(grad_weight), target(grad_bias)
    if not _loop.of(work)(
        grad_out,  x, layout.inside, layout.channels, layout.words,
        layout.pitch, layout.is_contiguous, layout.pixel, layout.gradient_steps, layout.frame_steps,
        layout.taps, layout.outputs, splits, result, biases,
    ):  # fmt: skip
        return False
    deliver(result, grad_weight)
    deliver(biases, grad_bias)
    return True
