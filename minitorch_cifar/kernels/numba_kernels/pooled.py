"""Convolution's gradients behind a max pool as Numba loops: only the products that are not zero.

Behind a pool of 2 x 2 windows at most one element in four of the gradient is not zero, and which one is
known. Each plane of the gradient becomes a list of cells: where the window of the winner starts in a frame,
and the gradient there; cells whose gradient is zero (a ReLU made it so) are left out.

With a picture in a frame (`frames.py`) each row of a window is one stretch of memory. For every cell

    weight gradient:  gradient[o, i, :] += g · frame[start + i rows : ... + KW · C]
    input gradient:   frame[start + i rows : ... + KW · C] += g · weight[o, i, :]

Stretches are worked on in whole vectors. What a vector holds beyond the end of a stretch is multiplied as
well, and dropped (weight gradient), or multiplied by weights that are zero (input gradient).

Pictures are dealt out among threads in a fixed number of shares, so no sum is divided in a way that depends
on the number of threads. A thread does all of a picture's work, listing its cells included, while the
picture is in its cache. Where an infinity or a NaN could meet one of the products that are left out, the
dense kernels compute instead.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numba import prange

from ...dtypes import Array
from .conv import conv2d_grad_input, conv2d_grad_weight
from .elements import add_up, are_finite, bits_of, fill
from .flat import compiled
from .frames import aligned, places_inside, write_frame
from .layout import behaved, deliver, target
from .pool import max_pool2d_backward
from .pooled_tiles import TILE_VECTORS, gather_tile, scatter_tile
from .runtime import Shared, in_parallel
from .vectors import VECTOR_BYTES

Pair = tuple[int, int]

_SHARES = 8  # of the pictures, however many threads there are
_MOST_ROWS = 12  # of a kernel; a larger one goes to the dense kernels

# Products that are worth the start of threads, a tenth of a millisecond.
_ENOUGH = 1 << 20
_ENOUGH_COPIED = 1 << 17  # elements, likewise


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


@compiled
def _list_cells(
    grad: Array, indices: Array, first: int, count: int, starts: Array, offsets: Array, values: Array
) -> int:
    """The cells of a plane whose gradient is not zero, and how many; -1 if one is not finite."""
    finite = True
    k = 0
    for cell in range(first, first + count):
        value = grad[cell]
        index = indices[cell]
        finite &= np.isfinite(value)
        offsets[k] = starts[max(index, 0)]
        values[k] = value
        k += (value != 0) & (index >= 0)
    return k if finite else -1


@functools.cache
def _weight_loop(rows: int, vectors: int, vector_bytes: int) -> Shared[Any]:
    @in_parallel(enough=_ENOUGH)
    def loop(
        x: Array, bits: Array, inside: Array, memory: Array, frames: int, size: int, row: int, grad: Array,
        indices: Array, starts: Array, splits: int, blocks: int, totals: Array, finite: Array,
    ) -> None:  # fmt: skip
        """totals[0, o, i, :] = the sum over all pictures and cells of g · row i of the window.

        Every share of the pictures has a sum of its own, and works on `splits` parts of the outputs.
        `finite` says of each such task whether all numbers are.
        """
        images, channels, height, columns = x.shape
        shares, outputs = totals.shape[:2]
        cells = grad.size // (images * outputs)
        lanes = vector_bytes // x.itemsize
        width = vectors * lanes
        stretch = blocks * width
        plane = height * columns
        picture, gradient, places, sums = (
            x.reshape(-1),
            grad.reshape(-1),
            indices.reshape(-1),
            totals.reshape(-1),
        )
        offsets = np.empty((shares * splits, cells + 1), np.int32)  # listing writes one behind the last
        values = np.empty((shares * splits, cells + 1), x.dtype)
        for task in prange(shares * splits):
            share, split = task // splits, task % splits
            frame = frames + task * size
            fill(memory, frame, size, 0)
            own_offsets, own_values = offsets[task], values[task]
            first, end = split * outputs // splits, (split + 1) * outputs // splits
            channel = rows * stretch
            fill(sums, (share * outputs + first) * channel, (end - first) * channel, 0)
            all_finite = True
            for n in range(share * images // shares, (share + 1) * images // shares):
                start = n * channels * plane
                all_finite &= are_finite(bits, start, channels * plane)
                write_frame(picture, start, plane, channels, lanes, inside, True, memory, frame)
                for o in range(first, end):
                    count = _list_cells(
                        gradient, places, (n * outputs + o) * cells, cells, starts, own_offsets, own_values
                    )
                    all_finite &= count >= 0
                    for block in range(blocks):
                        gather_tile(
                            memory, frame + block * width, row, own_offsets, own_values, 0, count, totals,
                            (share * outputs + o) * rows * stretch + block * width, stretch,
                            rows, vectors, vector_bytes,
                        )  # fmt: skip
            finite[task] = all_finite

    return loop


@functools.cache
def _input_loop(rows: int, vectors: int, vector_bytes: int) -> Shared[Any]:
    @in_parallel(enough=_ENOUGH)
    def loop(
        packed: Array, packed_skew: int, size: int, row: int, grad: Array, indices: Array, starts: Array,
        blocks: int, padding: Pair, channels: int, frames: Array, skew: int, finite: Array, grad_x: Array,
    ) -> None:  # fmt: skip
        """grad_x[n] = the frame to which, for every cell, g · weight[o] was added at the cell's window.

        `finite` says of each share of the pictures whether the gradients are.
        """
        images, outputs = grad.shape[:2]
        cells = grad.size // (images * outputs)
        width = vectors * (vector_bytes // packed.itemsize)
        stretch = blocks * width
        _, present, height, pixels = grad_x.shape
        gradient, places = grad.reshape(-1), indices.reshape(-1)
        shares = min(_SHARES, images)
        offsets = np.empty((shares, cells + 1), np.int32)
        values = np.empty((shares, cells + 1), grad.dtype)
        for share in prange(shares):
            start = skew + share * size
            own_offsets, own_values = offsets[share], values[share]
            all_finite = True
            for n in range(share * images // shares, (share + 1) * images // shares):
                fill(frames, start, size, 0)
                for o in range(outputs):
                    count = _list_cells(
                        gradient, places, (n * outputs + o) * cells, cells, starts, own_offsets, own_values
                    )
                    all_finite &= count >= 0
                    for block in range(blocks):
                        scatter_tile(
                            frames, start + block * width, row, own_offsets, own_values, 0, count,
                            packed, packed_skew + o * rows * stretch + block * width, stretch,
                            rows, vectors, vector_bytes,
                        )  # fmt: skip
                for c in range(present):
                    for h in range(height):
                        corner = start + (h + padding[0]) * row + padding[1] * channels + c
                        for w in range(pixels):
                            grad_x[n, c, h, w] = frames[corner + w * channels]
            finite[share] = all_finite

    return loop


@compiled
def _pack(weight: Array, channels: int, stretch: int, skew: int, packed: Array) -> bool:
    """weight (O, C, KH, KW) -> packed (O, KH, stretch), a row being KW pixels of `channels` channels, zeros
    behind. False if a weight is not finite.
    """
    outputs, present, kernel_h, kernel_w = weight.shape
    fill(packed, 0, packed.size, 0)
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


@in_parallel(enough=_ENOUGH_COPIED)
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
        size += -(-stretch // lanes) * lanes  # a vector may reach behind the picture
        shares = min(_SHARES, images)
        loop, work = _weight_loop(kernel[0], vectors, VECTOR_BYTES), grad.size * kernel[0] * stretch
        splits = loop.splits(work, shares, outputs)
        memory, frames = aligned(shares * splits * size, x.dtype)
        totals = np.empty((shares, outputs, kernel[0], stretch), x.dtype)
        x = behaved(x)
        finite = np.empty(shares * splits, np.bool_)
        loop.of(work)(
            x, bits_of(x), places_inside((height, width), padding, channels), memory, frames, size, row,
            behaved(grad), behaved(indices), _starts(out_size, stride, row, channels), splits, blocks, totals,
            finite,
        )  # fmt: skip
        if finite.all():
            add_up(totals.reshape(shares, -1))
            used = totals[0, :, :, : kernel[1] * channels].reshape(outputs, *kernel, channels)
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
        if _pack(behaved(weight), channels, stretch, packed_skew, packed):
            result = target(grad_x)
            shares = min(_SHARES, len(grad_x))
            size = -(-size * weight.itemsize // VECTOR_BYTES) * VECTOR_BYTES // weight.itemsize
            frames, skew = aligned(shares * size, weight.dtype)
            finite = np.empty(shares, np.bool_)
            _input_loop(kernel[0], vectors, vector_bytes).of(grad.size * kernel[0] * stretch)(
                packed, packed_skew, size, row, behaved(grad), behaved(indices),
                _starts(out_size, stride, row, channels), blocks, padding, channels, frames, skew, finite,
                result,
            )  # fmt: skip
            if finite.all():
                deliver(result, grad_x)
                return
    dense = _dense(grad, indices, out_size)
    conv2d_grad_input(dense, weight, stride, padding, dilation, groups, grad_x)
