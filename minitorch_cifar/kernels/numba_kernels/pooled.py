"""Convolution's gradients behind a max pool as Numba loops: only the products that are not zero.

Behind a pool of 2 x 2 windows at most one element in four of the gradient is not zero, and which one is
known. Each plane of the gradient becomes a list of cells: where the window of the winner starts in a frame,
and the gradient there; cells whose gradient is zero (a ReLU made it so) are left out.

With a picture in a frame (`frames.py`) each row of a window is one stretch of memory. For every cell

    weight gradient:  gradient[o, i, :] += g · frame[start + i rows : ... + KW · C]
    input gradient:   frame[start + i rows : ... + KW · C] += g · weight[o, i, :]

Stretches are worked on in whole vectors. What a vector holds beyond the end of a stretch is multiplied as
well, and dropped (weight gradient), or multiplied by weights that are zero (input gradient).

Weight gradients are shared among threads by output channel, input gradients by picture, so no sum is divided
in a way that depends on the number of threads. Where an infinity or a NaN could meet one of the products that
are left out, the dense kernels compute instead.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numba import prange

from ...dtypes import Array
from .conv import conv2d_grad_input, conv2d_grad_weight
from .flat import compiled
from .frames import ENOUGH_COPIED, aligned, write_frames
from .layout import behaved, deliver, target
from .pool import max_pool2d_backward
from .pooled_tiles import TILE_VECTORS, gather_tile, scatter_tile
from .runtime import Shared, in_parallel
from .vectors import VECTOR_BYTES

Pair = tuple[int, int]

_SHARES = 8  # of the pictures or channels, however many threads there are
_MOST_ROWS = 12  # of a kernel; a larger one goes to the dense kernels

# Products that are worth the start of threads, a tenth of a millisecond.
_ENOUGH = 1 << 20


def _row_of_vectors(kernel: Pair, channels: int, lanes: int) -> Pair:
    """How a row of a window is cut up: into so many blocks of so many vectors."""
    vectors = -(-kernel[1] * channels // lanes)
    blocks = -(-vectors // max(1, TILE_VECTORS // kernel[0]))
    return blocks, -(-vectors // blocks)


@functools.lru_cache(maxsize=256)
def _starts(out_size: Pair, stride: Pair, row: int, channels: int) -> Array:
    """Where in a frame the window of each output pixel starts."""
    rows = np.arange(out_size[0]) * stride[0] * row
    columns = np.arange(out_size[1]) * stride[1] * channels
    return (rows[:, None] + columns).ravel().astype(np.int32)


@in_parallel(enough=ENOUGH_COPIED)
def _list_cells(
    grad: Array, indices: Array, starts: Array, offsets: Array, values: Array, counts: Array, finite: Array
) -> None:
    """The cells of plane p whose gradient is not zero: counts[p] of them, from p · cells on."""
    count, cells = grad.shape
    for share in prange(_SHARES):
        all_finite = True
        for p in range(share * count // _SHARES, (share + 1) * count // _SHARES):
            k = p * cells
            for cell in range(cells):
                value = grad[p, cell]
                index = indices[p, cell]
                all_finite &= np.isfinite(value)
                offsets[k] = starts[max(index, 0)]
                values[k] = value
                k += (value != 0) & (index >= 0)
            counts[p] = k - p * cells
        finite[share] = all_finite


class _Cells:
    """The gradient as lists of cells."""

    def __init__(self, grad: Array, indices: Array, starts: Array) -> None:
        count, cells = grad.shape[0] * grad.shape[1], grad.shape[2] * grad.shape[3]
        self.offsets = np.empty(count * cells + 1, np.int32)  # the loop writes one behind the last
        self.values = np.empty(count * cells + 1, grad.dtype)
        self.counts = np.empty(grad.shape[:2], np.int64)
        self.cells = cells
        finite = np.empty(_SHARES, np.bool_)
        _list_cells.of(count * cells)(
            behaved(grad).reshape(count, cells), behaved(indices).reshape(count, cells), starts,
            self.offsets, self.values, self.counts.reshape(-1), finite,
        )  # fmt: skip
        self.are_finite = bool(finite.all())


@functools.cache
def _weight_loop(rows: int, vectors: int, vector_bytes: int) -> Shared[Any]:
    @in_parallel(enough=_ENOUGH)
    def loop(
        frames: Array, skew: int, size: int, row: int, offsets: Array, values: Array, cells: int,
        counts: Array, blocks: int, totals: Array,
    ) -> None:  # fmt: skip
        """totals[o, i, :] = the sum over all pictures and cells of g · row i of the window."""
        images, outputs = counts.shape
        width = vectors * (vector_bytes // frames.itemsize)
        stretch = blocks * width
        totals[:] = 0
        for share in prange(_SHARES):
            for n in range(images):
                for o in range(share * outputs // _SHARES, (share + 1) * outputs // _SHARES):
                    for block in range(blocks):
                        gather_tile(
                            frames, skew + n * size + block * width, row, offsets, values,
                            (n * outputs + o) * cells, counts[n, o],
                            totals, o * rows * stretch + block * width, stretch,
                            rows, vectors, vector_bytes,
                        )  # fmt: skip

    return loop


@functools.cache
def _input_loop(rows: int, vectors: int, vector_bytes: int) -> Shared[Any]:
    @in_parallel(enough=_ENOUGH)
    def loop(
        packed: Array, packed_skew: int, size: int, row: int, offsets: Array, values: Array, cells: int,
        counts: Array, blocks: int, padding: Pair, channels: int, frames: Array, skew: int, grad_x: Array,
    ) -> None:  # fmt: skip
        """grad_x[n] = the frame to which, for every cell, g · weight[o] was added at the cell's window."""
        images, outputs = counts.shape
        width = vectors * (vector_bytes // packed.itemsize)
        stretch = blocks * width
        _, present, height, pixels = grad_x.shape
        shares = min(_SHARES, images)
        for share in prange(shares):
            start = skew + share * size
            for n in range(share * images // shares, (share + 1) * images // shares):
                frames[start : start + size] = 0
                for o in range(outputs):
                    for block in range(blocks):
                        scatter_tile(
                            frames, start + block * width, row, offsets, values,
                            (n * outputs + o) * cells, counts[n, o],
                            packed, packed_skew + o * rows * stretch + block * width, stretch,
                            rows, vectors, vector_bytes,
                        )  # fmt: skip
                for c in range(present):
                    for h in range(height):
                        corner = start + (h + padding[0]) * row + padding[1] * channels + c
                        for w in range(pixels):
                            grad_x[n, c, h, w] = frames[corner + w * channels]

    return loop


@compiled
def _pack(weight: Array, channels: int, stretch: int, skew: int, packed: Array) -> bool:
    """weight (O, C, KH, KW) -> packed (O, KH, stretch), a row being KW pixels of `channels` channels, zeros
    behind. False if a weight is not finite.
    """
    outputs, present, kernel_h, kernel_w = weight.shape
    packed[:] = 0
    finite = True
    for o in range(outputs):
        for c in range(present):
            for i in range(kernel_h):
                for j in range(kernel_w):
                    value = weight[o, c, i, j]
                    finite &= np.isfinite(value)
                    packed[skew + (o * kernel_h + i) * stretch + j * channels + c] = value
    return finite


def _fits(kernel: Pair, dilation: Pair, groups: int, *arrays: Array) -> bool:
    return (
        groups == 1
        and dilation == (1, 1)
        and kernel[0] <= _MOST_ROWS
        and all(array.size and array.dtype.kind == "f" for array in arrays)
    )


def _dense(grad: Array, indices: Array, out_size: Pair) -> Array:
    dense = np.empty((*grad.shape[:2], *out_size), grad.dtype)
    max_pool2d_backward(grad, indices, dense)
    return dense


@in_parallel(enough=ENOUGH_COPIED)
def _gather(x: Array, indices: Array, out: Array) -> None:
    count, cells = out.shape
    for p in prange(count):
        for cell in range(cells):
            out[p, cell] = x[p, indices[p, cell]]


def max_pool2d_gather(x: Array, indices: Array, out: Array) -> None:
    result = target(out)
    count = out.shape[0] * out.shape[1]
    if out.size:
        _gather.of(out.size)(
            behaved(x).reshape(count, -1), behaved(indices).reshape(count, -1), result.reshape(count, -1)
        )
    deliver(result, out)


def pooled_conv2d_grad_weight(
    grad: Array,
    indices: Array,
    out_size: Pair,
    x: Array,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    grad_weight: Array,
) -> None:
    outputs, channels, *sides = grad_weight.shape
    kernel = (sides[0], sides[1])
    if _fits(kernel, dilation, groups, grad, x, grad_weight):
        images, _, height, width = x.shape
        lanes = VECTOR_BYTES // x.itemsize
        blocks, vectors = _row_of_vectors(kernel, channels, lanes)
        stretch = blocks * vectors * lanes
        row = (width + 2 * padding[1]) * channels
        size = -(-(height + 2 * padding[0]) * row // lanes) * lanes
        cells = _Cells(grad, indices, _starts(out_size, stride, row, channels))
        frames, skew = aligned(images * size + stretch, x.dtype)
        frames[skew + images * size :] = 0  # a vector may reach behind the last frame
        finite = np.empty(images, np.bool_)
        write_frames.of(x.size)(behaved(x), padding, channels, row, size, skew, frames, finite)
        if finite.all() and cells.are_finite:
            totals = np.empty((outputs, kernel[0], stretch), x.dtype)
            _weight_loop(kernel[0], vectors, VECTOR_BYTES).of(grad.size * kernel[0] * stretch)(
                frames, skew, size, row, cells.offsets, cells.values, cells.cells, cells.counts, blocks,
                totals,
            )  # fmt: skip
            used = totals[:, :, : kernel[1] * channels].reshape(outputs, *kernel, channels)
            np.copyto(grad_weight, used.transpose(0, 3, 1, 2))  # (O, KH, KW, C) -> (O, C, KH, KW)
            return
    dense = _dense(grad, indices, out_size)
    conv2d_grad_weight(dense, x, stride, padding, dilation, groups, grad_weight)


def pooled_conv2d_grad_input(
    grad: Array,
    indices: Array,
    out_size: Pair,
    weight: Array,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    grad_x: Array,
) -> None:
    outputs, present, *sides = weight.shape
    kernel = (sides[0], sides[1])
    if _fits(kernel, dilation, groups, grad, weight, grad_x):
        height, width = grad_x.shape[2:]
        # A load of what was just stored is fast only if both cover the same bytes, so pixels are padded to
        # whole vectors; to shorter ones where there are few channels.
        vector_bytes = 32 if present * weight.itemsize <= 32 else VECTOR_BYTES
        lanes = vector_bytes // weight.itemsize
        channels = -(-present // lanes) * lanes
        blocks, vectors = _row_of_vectors(kernel, channels, lanes)
        stretch = blocks * vectors * lanes
        row = (width + 2 * padding[1]) * channels
        size = (height + 2 * padding[0]) * row + stretch
        packed, packed_skew = aligned(outputs * kernel[0] * stretch, weight.dtype)
        cells = _Cells(grad, indices, _starts(out_size, stride, row, channels))
        if _pack(behaved(weight), channels, stretch, packed_skew, packed) and cells.are_finite:
            result = target(grad_x)
            shares = min(_SHARES, len(grad_x))
            size = -(-size * weight.itemsize // VECTOR_BYTES) * VECTOR_BYTES // weight.itemsize
            frames, skew = aligned(shares * size, weight.dtype)
            _input_loop(kernel[0], vectors, vector_bytes).of(grad.size * kernel[0] * stretch)(
                packed, packed_skew, size, row, cells.offsets, cells.values, cells.cells, cells.counts,
                blocks, padding, channels, frames, skew, result,
            )  # fmt: skip
            deliver(result, grad_x)
            return
    dense = _dense(grad, indices, out_size)
    conv2d_grad_input(dense, weight, stride, padding, dilation, groups, grad_x)
