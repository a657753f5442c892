"""The weight gradient of convolution as sums of outer products, for kernels without gaps (dilation 1).

For a pixel (h, w) of the output, the gradient by it is a column of O numbers and the window under it a row of
C · KH · KW; the weight gradient is the sum over all pixels of column times row. With the input in a frame
(`frames.py`), rows of the window are stretches of memory. So a tile of some output channels by some vectors
of the window stays in registers, and each pixel adds to it: a load for each output channel, broadcast, and a
load for each vector of the window, in order through memory; nothing has to be transposed, and no lanes added
up.

Where a row of the window is much shorter than a vector (one channel), a pixel of the frame holds the numbers
of all KH rows below it, so that the whole window is one stretch.

A tile's sum goes through a few lines of pixels of one picture, then it is added to the result: long sums in
float32 lose digits. The pictures are dealt out among threads in a fixed number of shares, each with a sum of
its own, so no sum depends on the number of threads.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numba import prange

from ...dtypes import Array
from .elements import add_up, are_finite, bits_of, fill, sum_of
from .frames import aligned, places_inside, write_frame
from .layout import behaved, deliver, target
from .runtime import Shared, in_parallel, inlined
from .tiles import outer_tile
from .vectors import VECTOR_BYTES

Pair = tuple[int, int]

# Of the tile: with AVX-512, 24 of 32 registers are sums; elsewhere 12 of 16.
_ROWS, _VECTORS = (8, 3) if VECTOR_BYTES == 64 else (4, 3)
_PIXELS = 128  # summed up in a register
_SHARES = 8  # of the pictures, however many threads there are
_ENOUGH = 1 << 20  # products that are worth the start of threads, some 30 microseconds


def _tile(kernel_rows: int, outputs: int, vectors: int) -> tuple[int, int, int]:
    """How many output channels, rows of the window, and vectors of each row make up a tile."""
    choices = [r for r in (8, 6, 4, 1) if r <= min(_ROWS, outputs)]
    rows = next((r for r in choices[:-1] if outputs % r == 0), choices[0])

    def cost(v: int) -> int:
        """Of a row of the window: a step of the loop takes as long as its multiply-adds or its loads."""
        return -(-vectors // v) * max(rows * v, rows + v)

    width = min(range(min(vectors, _VECTORS), 0, -1), key=cost)
    together = 3 if width == 1 and kernel_rows % 3 == 0 else 1  # few choices: each takes seconds to compile
    return rows, together, width


@functools.lru_cache(maxsize=256)
def _places(size: Pair, kernel: Pair, padding: Pair, channels: int, parts: int) -> Array:
    """(parts, H · W): where in the frame each pixel of the picture lies, for each row of the window if a
    pixel of the frame holds them all (`parts` is KH), and -1 where no window has it in this row.
    """
    if parts == 1:
        return places_inside(size, padding, channels)[None]
    rows = np.arange(size[0]) + padding[0] - np.arange(parts)[:, None]
    rows = np.where((rows >= 0) & (rows <= size[0] + 2 * padding[0] - kernel[0]), rows, -1)
    places = rows[:, :, None] * (size[1] + 2 * padding[1]) + np.arange(size[1]) + padding[1]
    return np.where(rows[:, :, None] >= 0, places * channels * parts, -1).reshape(parts, -1)


@inlined
def _start(block: int, outputs: int, rows: int) -> int:
    """The first output channel of a block: of `rows` channels, or of one that is left over."""
    return min(block, outputs // rows) * rows + max(0, block - outputs // rows)


@functools.cache
def _loop(rows: int, together: int, width: int, leaves_a_rest: bool, vector_bytes: int) -> Shared[Any]:
    @in_parallel(enough=_ENOUGH)
    def loop(
        grad_out: Array, x: Array, bits: Array, inside: Array, size: int, line_step: int, pixel_step: int,
        window_row: int, stretch: int, splits: int, grad_weight: Array, grad_bias: Array,
    ) -> bool:  # fmt: skip
        """grad_weight[o, :, i, :] = Σ_nhw grad_out[n, o, h, w] · row i of the window under the pixel.

        Every share of the pictures has a sum of its own, and works on `splits` parts of the outputs. False
        if a number of x or of the result is not finite.
        """
        images, outputs, lines, pixels = grad_out.shape
        _, _, kernel_h, kernel_w = grad_weight.shape
        parts = inside.shape[0]
        kernel_rows = kernel_h // parts  # stretches of a window
        shares = min(_SHARES, images)
        channels, plane = x.shape[1], x.shape[2] * x.shape[3]
        lanes = vector_bytes // x.itemsize
        memory, frames = aligned(shares * splits * size, x)
        totals = np.empty((shares, outputs * kernel_rows * stretch), x.dtype)
        gradient, picture, sums = grad_out.reshape(-1), x.reshape(-1), totals.reshape(-1)
        finite = np.empty(shares * splits, np.bool_)
        biases = np.zeros((shares, outputs))
        step = width * lanes
        at_once = max(1, _PIXELS // pixels)
        blocks = outputs // rows + outputs % rows  # what is left over goes one channel at a time
        for task in prange(shares * splits):
            share, split = task // splits, task % splits
            frame = frames + task * size
            fill(memory, frame, size, 0)
            first, end = split * blocks // splits, (split + 1) * blocks // splits
            channel = kernel_rows * stretch
            first_output, last_output = _start(first, outputs, rows), _start(end, outputs, rows)
            count = last_output - first_output
            fill(sums, (share * outputs + first_output) * channel, count * channel, 0)
            all_finite = True
            for n in range(share * images // shares, (share + 1) * images // shares):
                start = n * channels * plane
                all_finite &= are_finite(bits, start, channels * plane)
                for o in range(first_output, last_output if grad_bias.size else first_output):
                    biases[share, o] += sum_of(gradient, (n * outputs + o) * lines * pixels, lines * pixels)
                for part in range(parts):
                    write_frame(
                        picture, start, plane, channels, lanes, inside[part], parts == 1, memory,
                        frame + part * channels,
                    )  # fmt: skip
                for block in range(first, end):
                    o = _start(block, outputs, rows)
                    for row in range(0, kernel_rows, together):
                        for h in range(0, lines, at_once):
                            for t in range(0, stretch, step):
                                corner = frame + h * line_step + row * window_row + t
                                place = ((n * outputs + o) * lines + h) * pixels
                                out = ((share * outputs + o) * kernel_rows + row) * stretch + t
                                if leaves_a_rest and block >= outputs // rows:
                                    outer_tile(
                                        gradient, place, lines * pixels, memory, corner,
                                        min(at_once, lines - h), pixels, line_step, pixel_step, window_row,
                                        sums, out, kernel_rows * stretch, stretch, 1, together, width,
                                    )  # fmt: skip
                                else:
                                    outer_tile(
                                        gradient, place, lines * pixels, memory, corner,
                                        min(at_once, lines - h), pixels, line_step, pixel_step, window_row,
                                        sums, out, kernel_rows * stretch, stretch, rows, together, width,
                                    )  # fmt: skip
            finite[task] = all_finite
        for task in range(shares * splits):
            if not finite[task]:
                return False
        add_up(totals)
        add_up(biases)
        for o in range(grad_bias.size):
            grad_bias[o] = biases[0, o]
        result_is_finite = True
        for o in range(outputs):
            for c in range(channels):
                for i in range(kernel_h):
                    for j in range(kernel_w):
                        place = (o * kernel_rows + i // parts) * stretch
                        value = sums[place + (j * parts + i % parts) * channels + c]
                        result_is_finite &= np.isfinite(value)
                        grad_weight[o, c, i, j] = value
        return result_is_finite

    return loop


def outer_grad_parameters(
    grad_out: Array, x: Array, stride: Pair, padding: Pair, grad_weight: Array, grad_bias: Array
) -> bool:
    """`conv2d_grad_parameters` with dilation 1 and one group; an empty `grad_bias` is not asked for. False if
    a number is not finite where it could meet a zero of the padding: then both are to be computed anew.
    """
    outputs, channels, kernel_h, kernel_w = grad_weight.shape
    height, width = x.shape[2:]
    lanes = VECTOR_BYTES // x.itemsize
    parts, length = 1, kernel_w * channels
    if 2 * -(-kernel_h * length // lanes) <= kernel_h * -(-length // lanes):
        parts, length = kernel_h, kernel_h * length
    rows, together, vectors = _tile(kernel_h // parts, outputs, -(-length // lanes))
    step = vectors * lanes
    stretch = -(-length // step) * step
    row = (width + 2 * padding[1]) * channels * parts
    lines = height + 2 * padding[0] - (kernel_h - 1 if parts > 1 else 0)
    size = -(-lines * row // lanes) * lanes
    size += -(-stretch // lanes) * lanes  # a vector may reach behind the picture
    loop, work = (
        _loop(rows, together, vectors, outputs % rows > 0, VECTOR_BYTES),
        grad_out.size * kernel_h // parts * stretch,
    )
    splits = loop.splits(work, min(_SHARES, len(x)), outputs // rows + outputs % rows)
    x, result, biases = behaved(x), target(grad_weight), target(grad_bias)
    if not loop.of(work)(
        behaved(grad_out), x, bits_of(x),
        _places((height, width), (kernel_h, kernel_w), padding, channels, parts), size,
        stride[0] * row, stride[1] * channels * parts, row, stretch, splits, result, biases,
    ):  # fmt: skip
        return False
    deliver(result, grad_weight)
    deliver(biases, grad_bias)
    return True
