"""The weight gradient of convolution as sums of outer products, for kernels without gaps (dilation 1).

For a pixel (h, w) of the output, the gradient by it is a column of O numbers and the window under it a row of
C · KH · KW; the weight gradient is the sum over all pixels of column times row. With the input in a frame
(`frames.py`), rows of the window are stretches of memory. So a tile of some output channels by some vectors
of the window stays in registers, and each pixel adds to it: a load for each output channel, broadcast, and a
load for each vector of the window, in order through memory; nothing has to be transposed, and no lanes added
up.

A tile's sum goes through a few lines of pixels of one picture, then it is added to the result: long sums in
float32 lose digits. The tiles are shared among threads, and every tile takes the pictures in order.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numba import prange

from ...dtypes import Array
from .frames import aligned, write_frames
from .layout import behaved
from .runtime import Shared, in_parallel
from .tiles import outer_tile
from .vectors import VECTOR_BYTES

Pair = tuple[int, int]

# Of the tile: with AVX-512, 24 of 32 registers are sums; elsewhere 12 of 16.
_ROWS, _VECTORS = (8, 3) if VECTOR_BYTES == 64 else (4, 3)
_PIXELS = 128  # summed up in a register
_ENOUGH = 1 << 22  # products that are worth the start of threads, a tenth of a millisecond


def _tile(kernel_rows: int, outputs: int, vectors: int) -> tuple[int, int, int]:
    """How many output channels, rows of the window, and vectors of each row make up a tile."""
    rows = next((r for r in range(_ROWS, 3, -1) if outputs % r == 0), min(_ROWS, outputs))

    def cost(v: int) -> int:
        """Of a row of the window: a step of the loop takes as long as its multiply-adds or its loads."""
        return -(-vectors // v) * max(rows * v, rows + v)

    width = min(range(min(vectors, _VECTORS), 0, -1), key=cost)
    together = next(k for k in range(_VECTORS // width, 0, -1) if kernel_rows % k == 0)
    return rows, together, width


@functools.cache
def _loop(rows: int, together: int, width: int, vector_bytes: int) -> Shared[Any]:
    @in_parallel(enough=_ENOUGH)
    def loop(
        grad_out: Array, frames: Array, skew: int, size: int, line_step: int, pixel_step: int,
        window_row: int, totals: Array,
    ) -> None:  # fmt: skip
        """totals[o, i, :] = Σ_nhw grad_out[n, o, h, w] · row i of the window under the pixel."""
        images, outputs, lines, pixels = grad_out.shape
        _, kernel_rows, stretch = totals.shape
        gradient, sums = grad_out.reshape(-1), totals.reshape(-1)
        step = width * (vector_bytes // frames.itemsize)
        at_once = max(1, _PIXELS // pixels)
        blocks = outputs // rows + outputs % rows  # what is left over goes one channel at a time
        groups = kernel_rows // together
        for task in prange(blocks * groups):
            block, first_row = task // groups, task % groups * together
            whole = block < outputs // rows
            o = block * rows if whole else outputs - outputs % rows + block - outputs // rows
            totals[o : o + (rows if whole else 1), first_row : first_row + together] = 0
            for n in range(images):
                for h in range(0, lines, at_once):
                    for t in range(0, stretch, step):
                        corner = skew + n * size + h * line_step + first_row * window_row + t
                        start = ((n * outputs + o) * lines + h) * pixels
                        count = min(at_once, lines - h)
                        out = (o * kernel_rows + first_row) * stretch + t
                        if whole:
                            outer_tile(
                                gradient, start, lines * pixels, frames, corner, count, pixels, line_step,
                                pixel_step, window_row, sums, out, kernel_rows * stretch, stretch,
                                rows, together, width,
                            )  # fmt: skip
                        else:
                            outer_tile(
                                gradient, start, lines * pixels, frames, corner, count, pixels, line_step,
                                pixel_step, window_row, sums, out, kernel_rows * stretch, stretch,
                                1, together, width,
                            )  # fmt: skip

    return loop


def outer_grad_weight(grad_out: Array, x: Array, stride: Pair, padding: Pair, grad_weight: Array) -> bool:
    """`conv2d_grad_weight` with dilation 1 and one group. False, and nothing done, if a number is not finite
    where it could meet a zero of the padding.
    """
    outputs, channels, kernel_h, kernel_w = grad_weight.shape
    images, _, height, width = x.shape
    lanes = VECTOR_BYTES // x.itemsize
    rows, together, vectors = _tile(kernel_h, outputs, -(-kernel_w * channels // lanes))
    step = vectors * lanes
    stretch = -(-kernel_w * channels // step) * step
    row = (width + 2 * padding[1]) * channels
    size = -(-(height + 2 * padding[0]) * row // lanes) * lanes
    frames, skew = aligned(images * size + stretch, x.dtype)
    frames[skew + images * size :] = 0  # a vector may reach behind the last frame
    finite = np.empty(images, np.bool_)
    write_frames.of(x.size)(behaved(x), padding, channels, row, size, skew, frames, finite)
    totals = np.empty((outputs, kernel_h, stretch), x.dtype)
    _loop(rows, together, vectors, VECTOR_BYTES).of(grad_out.size * kernel_h * stretch)(
        behaved(grad_out), frames, skew, size, stride[0] * row, stride[1] * channels, row, totals
    )
    used = totals[:, :, : kernel_w * channels].reshape(outputs, kernel_h, kernel_w, channels)
    if not finite.all() or not np.isfinite(used).all():
        return False
    np.copyto(grad_weight, used.transpose(0, 3, 1, 2))  # (O, KH, KW, C) -> (O, C, KH, KW)
    return True
