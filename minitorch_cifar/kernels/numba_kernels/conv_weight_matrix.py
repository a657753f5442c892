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
from typing import Any, NamedTuple

import numpy as np
from numba import prange

from ...dtypes import Array
from .elements import add_up, are_finite, bits_of, fill, sum_of
from .frames import aligned, write_frame
from .layout import behaved, deliver, target
from .matrix_tiles import PARTS, ROWS, TILES, WORDS, configure, copy_row, matrix_tile, release, split_words
from .runtime import Shared, in_parallel
from .vectors import VECTOR_BYTES

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
        is_contiguous=pitch == line,
        pixel=stride[1] * padded,
        gradient_steps=np.arange(tiles) * PARTS * _TILE,
        frame_steps=starts.ravel() * padded,
        taps=np.concatenate([places, places[-1:]]),
        outputs=blocks,
        useful=channels / padded * outputs / (blocks * 2 * ROWS) * height * line / (tiles * WORDS),
    )


@functools.cache
def _loop(vector_bytes: int) -> Shared[Any]:
    @in_parallel(enough=_ENOUGH)
    def loop(
        grad_out: Array, x: Array, bits: Array, inside: Array, pixel_channels: int,
        words: int, pitch: int, is_contiguous: bool, pixel: int, gradient_steps: Array, frame_steps: Array,
        taps: Array, blocks: int, shapes: Array, splits: int, grad_weight: Array, grad_bias: Array,
    ) -> bool:  # fmt: skip
        """False, and nothing done, if a number is not finite.

        Every share of the pictures has sums of its own, and works on `splits` parts of the window.
        """
        images, outputs, lines, line = grad_out.shape
        channels, plane = x.shape[1], x.shape[2] * x.shape[3]
        kernel_h, kernel_w = grad_weight.shape[2:]
        pixels = lines * line
        pairs = (images + 1) // 2
        shares = min(pairs, _SHARES)
        lanes = vector_bytes // x.itemsize
        tiles = gradient_steps.size
        tap_pairs = taps.size // 2
        sums_size = tap_pairs * blocks * 4 * _TILE
        row_size = tiles * WORDS
        gradient_size = 2 * blocks * tiles * PARTS * _TILE
        numbers = 2 * row_size + 2 * words
        own_size = numbers + gradient_size + PARTS * words
        memory, zeros = aligned(2 * WORDS + shares * sums_size + shares * splits * own_size, x)
        fill(memory, zeros, 2 * WORDS, 0)
        totals = zeros + 2 * WORDS
        owns = totals + shares * sums_size
        sums_bits = memory.view(np.int32)
        gradient, picture = grad_out.reshape(-1), x.reshape(-1)
        finite = np.empty(shares * splits, np.bool_)
        biases = np.zeros((shares, outputs))
        for task in prange(shares * splits):
            configure(shapes)
            share, split = task // splits, task % splits
            rows = owns + task * own_size  # of the gradient, one for each picture
            frame = rows + 2 * row_size  # of numbers, one for each picture
            word = frame + 2 * words
            gradients = word + PARTS * words
            fill(memory, rows, numbers, 0)
            if outputs % (2 * ROWS):
                fill(memory, gradients, gradient_size, 0)
            first_taps, last_taps = split * tap_pairs // splits, (split + 1) * tap_pairs // splits
            sums = totals + share * sums_size
            all_finite = True
            first_pair = share * pairs // shares
            for pair in range(first_pair, (share + 1) * pairs // shares):
                count = min(2, images - 2 * pair)
                if count == 1:
                    fill(memory, frame + words, words, 0)
                    fill(memory, rows + row_size, row_size, 0)
                for n in range(count):
                    start = (2 * pair + n) * channels * plane
                    all_finite &= are_finite(bits, start, channels * plane)
                    write_frame(
                        picture, start, plane, channels, lanes, inside, True, memory, frame + n * words
                    )
                for w in range(0, words, WORDS):
                    split_words(memory, frame + w, memory, frame + words + w, memory, word + w, words)
                for o in range(outputs):
                    start = (2 * pair * outputs + o) * pixels
                    for n in range(count):
                        total = sum_of(gradient, start + n * outputs * pixels, pixels)
                        all_finite &= np.isfinite(total)
                        if split == 0:
                            biases[share, o] += total
                    place = gradients + (o // ROWS * tiles * PARTS * ROWS + o % ROWS) * WORDS
                    if is_contiguous and count == 2:
                        for t in range(tiles):
                            split_words(
                                gradient, start + t * WORDS, gradient, start + outputs * pixels + t * WORDS,
                                memory, place + t * PARTS * _TILE, _TILE,
                            )  # fmt: skip
                        continue
                    for n in range(count):
                        for h in range(lines):
                            source = start + n * outputs * pixels + h * line
                            row = rows + n * row_size + h * pitch
                            for w in range(0, line, WORDS):
                                copy_row(gradient, source + w, min(WORDS, line - w), memory, row + w)
                    for t in range(tiles):
                        lower = rows + t * WORDS
                        split_words(
                            memory, lower, memory, lower + row_size, memory, place + t * PARTS * _TILE, _TILE
                        )
                for first in range(0, tiles, _CHUNK):
                    last = min(first + _CHUNK, tiles)
                    is_new = pair == first_pair and first == 0
                    for k in range(first_taps, last_taps):
                        for b in range(blocks):
                            a = gradients + 2 * b * tiles * PARTS * _TILE
                            out = sums + (k * blocks + b) * 4 * _TILE
                            matrix_tile(
                                memory, a, a + tiles * PARTS * _TILE, WORDS, _TILE, gradient_steps,
                                word + taps[2 * k], word + taps[2 * k + 1], pixel, words, frame_steps,
                                first, last, zeros if is_new else out, 0 if is_new else 2 * WORDS,
                                0 if is_new else 2 * _TILE, out, 2 * WORDS, 2 * _TILE, 2,
                            )  # fmt: skip
            finite[task] = all_finite
            release()
        for task in range(shares * splits):
            if not finite[task]:
                return False
        across, taps_of_channel = pixel_channels // WORDS, kernel_h * kernel_w
        result = grad_weight.reshape(-1)
        blocks_are_finite = np.empty(tap_pairs * blocks, np.bool_)
        for block in prange(tap_pairs * blocks):
            place = totals + block * 4 * _TILE
            sum_of_shares = memory[place : place + 4 * _TILE]
            for share in range(1, shares):
                part = memory[place + share * sums_size :]
                for i in range(4 * _TILE):
                    sum_of_shares[i] += part[i]
            all_finite = are_finite(sums_bits, place, 4 * _TILE)
            first_output = block % blocks * 2 * ROWS
            for half in range(2):
                tile = block // blocks * 2 + half
                tap, c = tile // across, tile % across * WORDS
                if tap < taps_of_channel:
                    for o in range(first_output, min(first_output + 2 * ROWS, outputs)):
                        row = place + (o - first_output) * 2 * WORDS + half * WORDS
                        for k in range(min(WORDS, channels - c)):
                            result[(o * channels + c + k) * taps_of_channel + tap] = memory[row + k]
            blocks_are_finite[block] = all_finite
        for block in range(tap_pairs * blocks):
            if not blocks_are_finite[block]:
                return False
        add_up(biases)
        for o in range(grad_bias.size):
            grad_bias[o] = biases[0, o]
        return True

    return loop


def matrix_grad_parameters(
    grad_out: Array, x: Array, stride: Pair, padding: Pair, dilation: Pair, grad_weight: Array,
    grad_bias: Array,
) -> bool:  # fmt: skip
    """`conv2d_grad_parameters` in float32 with one group; an empty `grad_bias` is not asked for. False, and
    nothing done, if a number is not finite, or if too much of the work would be for nothing.
    """
    if len(x) == 1:
        return False
    layout = _layout(
        x.shape[2:], grad_weight.shape[2:], stride, padding, dilation, grad_out.shape[2:], x.shape[1],
        len(grad_weight),
    )  # fmt: skip
    if layout.useful < _USEFUL:
        return False
    loop, work = _loop(VECTOR_BYTES), grad_out.size * grad_weight[0].size
    splits = loop.splits(work, min(_SHARES, (len(x) + 1) // 2), layout.taps.size // 2)
    grad_out, x = behaved(grad_out), behaved(x)
    result, biases = target(grad_weight), target(grad_bias)
    if not loop.of(work)(
        grad_out,  x, bits_of(x), layout.inside, layout.channels, layout.words,
        layout.pitch, layout.is_contiguous, layout.pixel, layout.gradient_steps, layout.frame_steps,
        layout.taps, layout.outputs, TILES, splits, result, biases,
    ):  # fmt: skip
        return False
    deliver(result, grad_weight)
    deliver(biases, grad_bias)
    return True
