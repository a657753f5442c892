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
from typing import Any, NamedTuple

import numpy as np
from numba import prange

from ...dtypes import Array
from .conv import conv2d_grad_input, conv2d_grad_weight
from .elements import add_up, are_finite, bits_of, fill
from .flat import part
from .frames import aligned, places_inside, write_frame
from .layout import behaved, deliver, target
from .pool import max_pool2d_backward
from .pooled_tiles import TILE_VECTORS, gather_tile, scatter_tile
from .runtime import Shared, in_parallel
from .vectors import VECTOR_BYTES

Pair = tuple[int, int]

_SHARES = 8  # of the pictures, however many threads there are
_FRAMES = 4  # among which the threads can choose, where there are fewer pictures
_MOST_ROWS = 12  # of a kernel; a larger one goes to the dense kernels

# Products that are worth the start of threads, some 30 microseconds.
_ENOUGH = 1 << 18
_ENOUGH_COPIED = 1 << 15  # elements, likewise


def _row_of_vectors(kernel: Pair, channels: int, lanes: int) -> Pair:
    """How a row of a window is cut up: into so many blocks of so many vectors."""
    vectors = -(-kernel[1] * channels // lanes)
    blocks = -(-vectors // max(1, TILE_VECTORS // kernel[0]))
    return blocks, -(-vectors // blocks)


@part
def _list_cells(
    grad: Array, indices: Array, first: int, count: int, starts: Array, offsets: Array, values: Array
) -> int:
    """The cells of a plane whose gradient is not zero, and how many; -1 if one is not finite."""
    gradients, winners = grad[first : first + count], indices[first : first + count]
    finite = True
    k = np.uintp(0)  # an index that may be negative costs two instructions more
    for cell in range(count):
        value, index = gradients[cell], winners[cell]
        finite &= np.isfinite(value)
        offsets[k] = starts[np.uintp(max(index, 0))]
        values[k] = value
        k += np.uintp((value != 0) & (index >= 0))
    return np.intp(k) if finite else -1  # type: ignore[return-value]  # to Numba it is an int


class _Frame(NamedTuple):
    """How one picture lies in memory, and how a tile goes through the rows of a window, in elements."""

    size: int
    row: int  # from row to row
    channels: int  # from pixel to pixel
    blocks: int  # that a row of a window is cut into, each of so many vectors
    vectors: int
    products: int  # of a cell
    starts: Array  # where the window of each output pixel starts
    inside: Array  # where each pixel of the picture begins
    taps: Array  # where each pixel of the kernel begins in its packed form, (KH, blocks · vectors)


@functools.lru_cache(maxsize=256)
def _frame(
    size: Pair, kernel: Pair, stride: Pair, padding: Pair, out_size: Pair, channels: int, vector_bytes: int,
    itemsize: int,
) -> _Frame:  # fmt: skip
    lanes = vector_bytes // itemsize
    blocks, vectors = _row_of_vectors(kernel, channels, lanes)
    stretch = blocks * vectors * lanes
    row = (size[1] + 2 * padding[1]) * channels
    corners = np.arange(out_size[0]) * stride[0] * row
    starts = corners[:, None] + np.arange(out_size[1]) * stride[1] * channels
    taps = (np.arange(kernel[0]) * stretch)[:, None] + np.arange(kernel[1]) * channels
    end = (size[0] + 2 * padding[0]) * row + stretch  # a vector may reach behind the picture
    whole = VECTOR_BYTES // itemsize
    return _Frame(
        size=-(-end // whole) * whole,
        row=row,
        channels=channels,
        blocks=blocks,
        vectors=vectors,
        products=kernel[0] * stretch,
        starts=starts.ravel().astype(np.int32),
        inside=places_inside(size, padding, channels),
        taps=taps.ravel(),
    )


@functools.cache
def _weight_loop(rows: int, vectors: int, vector_bytes: int) -> Shared[Any]:
    @in_parallel(enough=_ENOUGH)
    def loop(
        x: Array, bits: Array, inside: Array, size: int, row: int, grad: Array, indices: Array,
        starts: Array, splits: int, blocks: int, grad_weight: Array,
    ) -> bool:  # fmt: skip
        """grad_weight[o, :, i, :] = the sum over all pictures and cells of g · row i of the window.

        Every share of the pictures has a sum of its own, and works on `splits` parts of the outputs. False if
        a number is not finite.
        """
        images, channels, height, columns = x.shape
        outputs, _, _, kernel_w = grad_weight.shape
        shares = min(_SHARES, images)
        cells = grad.size // (images * outputs)
        lanes = vector_bytes // x.itemsize
        width = vectors * lanes
        stretch = blocks * width
        plane = height * columns
        picture, gradient, places = x.reshape(-1), grad.reshape(-1), indices.reshape(-1)
        memory, frames = aligned(shares * splits * size, x)
        totals = np.empty((shares, outputs * rows * stretch), x.dtype)
        sums = totals.reshape(-1)
        finite = np.empty(shares * splits, np.bool_)
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
                write_frame(
                    picture, start, plane, channels, lanes, inside, bool(np.bool_(True)), memory, frame
                )
                for o in range(first, end):
                    count = _list_cells(
                        gradient, places, (n * outputs + o) * cells, cells, starts, own_offsets, own_values
                    )
                    all_finite &= count >= 0
                    for block in range(blocks):
                        gather_tile(
                            memory, frame + block * width, row, own_offsets, own_values, 0, count, sums,
                            (share * outputs + o) * rows * stretch + block * width, stretch,
                            rows, vectors, vector_bytes,
                        )  # fmt: skip
            finite[task] = all_finite
        for task in range(shares * splits):
            if not finite[task]:
                return False
        add_up(totals)
        for o in range(outputs):
            for c in range(channels):
                for i in range(rows):
                    for j in range(kernel_w):
                        grad_weight[o, c, i, j] = sums[(o * rows + i) * stretch + j * channels + c]
        return True

    return loop


@part
def _write_picture(memory: Array, frame: int, row: int, padding: Pair, channels: int, picture: Array) -> None:
    """The inside of a frame as a picture, (C, H, W)."""
    present, height, width = picture.shape
    for c in range(present):
        for h in range(height):
            pixels = memory[frame + (h + padding[0]) * row + padding[1] * channels + c :]
            line = picture[c, h]
            for w in range(width):
                line[w] = pixels[w * channels]


@functools.cache
def _input_loop(rows: int, vectors: int, vector_bytes: int) -> Shared[Any]:
    @in_parallel(enough=_ENOUGH)
    def loop(
        weight: Array, bits: Array, taps: Array, size: int, row: int, grad: Array, indices: Array,
        starts: Array, blocks: int, padding: Pair, channels: int, parts: int, grad_x: Array,
    ) -> bool:  # fmt: skip
        """grad_x[n] = the frame to which, for every cell, g · weight[o] was added at the cell's window.

        Of few pictures each has `parts` frames, for some of the outputs each. False if a number is not
        finite.
        """
        images, outputs = grad.shape[:2]
        cells = grad.size // (images * outputs)
        lanes = vector_bytes // weight.itemsize
        width = vectors * lanes
        stretch = blocks * width
        present = grad_x.shape[1]
        gradient, places, kernels = grad.reshape(-1), indices.reshape(-1), weight.reshape(-1)
        if not are_finite(bits, int(np.intp(0)), bits.size):
            return False
        shares = min(_SHARES, images)
        packed_size = outputs * rows * stretch
        memory, packed = aligned(packed_size + shares * parts * size, weight)
        frames = packed + packed_size
        # Of each output channel the kernel, (KH, KW, channels), a row of it with zeros behind.
        fill(memory, packed, packed_size, 0)
        for o in range(outputs):
            write_frame(
                kernels, o * present * taps.size, taps.size, present, VECTOR_BYTES // weight.itemsize, taps,
                bool(np.bool_(True)), memory, packed + o * rows * stretch,
            )  # fmt: skip
        finite = np.empty(shares * parts, np.bool_)
        offsets = np.empty((shares * parts, cells + 1), np.int32)
        values = np.empty((shares * parts, cells + 1), grad.dtype)
        for task in prange(shares * parts):
            share, part = task // parts, task % parts
            start = frames + task * size
            own_offsets, own_values = offsets[task], values[task]
            all_finite = True
            for n in range(share * images // shares, (share + 1) * images // shares):
                fill(memory, start, size, 0)
                for o in range(part * outputs // parts, (part + 1) * outputs // parts):
                    count = _list_cells(
                        gradient, places, (n * outputs + o) * cells, cells, starts, own_offsets, own_values
                    )
                    all_finite &= count >= 0
                    for block in range(blocks):
                        scatter_tile(
                            memory, start + block * width, row, own_offsets, own_values, 0, count,
                            memory, packed + o * rows * stretch + block * width, stretch,
                            rows, vectors, vector_bytes,
                        )  # fmt: skip
                if parts == 1:
                    _write_picture(memory, start, row, padding, channels, grad_x[n])
            finite[task] = all_finite
        for task in range(shares * parts):
            if not finite[task]:
                return False
        if parts > 1:
            for n in range(images):
                start = frames + n * parts * size
                total = memory[start : start + size]
                for part in range(1, parts):
                    addend = memory[start + part * size : start + (part + 1) * size]
                    for i in range(size):
                        total[i] += addend[i]
                _write_picture(memory, start, row, padding, channels, grad_x[n])
        return True

    return loop


def _parts(images: int, outputs: int) -> int:
    """How many frames each picture gets, whose sums are added up: more than one where pictures are few.

    It does not depend on the number of threads, so neither does any sum.
    """
    return max(1, min(_FRAMES // images, outputs // 8))


def _fits(kernel: list[int], dilation: Pair, groups: int, x: Array, grad: Array, result: Array) -> bool:
    return bool(
        groups == 1
        and dilation == (1, 1)
        and kernel[0] <= _MOST_ROWS
        and x.size
        and grad.size
        and result.size
        and grad.dtype.kind == "f"
    )


def _dense(grad: Array, indices: Array, out_size: Pair) -> Array:
    dense = np.empty((*grad.shape[:2], *out_size), grad.dtype)
    max_pool2d_backward(grad, indices, dense)
    return dense


@in_parallel(enough=_ENOUGH_COPIED)
def _relu_backward(grad: Array, indices: Array, y: Array, grad_x: Array) -> None:
    images, channels, height, width = y.shape
    gradient, places, values, result = (
        grad.reshape(-1),
        indices.reshape(-1),
        y.reshape(-1),
        grad_x.reshape(-1),
    )
    cells = grad.shape[2] * grad.shape[3]
    zero = grad.dtype.type(0)
    for p in prange(images * channels):
        for cell in range(p * cells, (p + 1) * cells):
            winner, value = values[p * height * width + places[cell]], gradient[cell]
            result[cell] = zero if winner <= 0 else value  # both at hand: a choice without a branch


def pooled_relu_backward(grad: Array, indices: Array, y: Array, grad_x: Array) -> None:
    result = target(grad_x)
    _relu_backward.of(grad.size)(behaved(grad), behaved(indices), behaved(y), result)
    deliver(result, grad_x)


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
    outputs, channels, *kernel = grad_weight.shape
    if _fits(kernel, dilation, groups, x, grad, grad_weight):
        size = (x.shape[2], x.shape[3])
        frame = _frame(size, tuple(kernel), stride, padding, out_size, channels, VECTOR_BYTES, x.itemsize)
        loop, work = _weight_loop(kernel[0], frame.vectors, VECTOR_BYTES), grad.size * frame.products
        x, result = behaved(x), target(grad_weight)
        splits = loop.splits(work, min(_SHARES, len(x)), outputs)
        if loop.of(work)(
            x, bits_of(x), frame.inside, frame.size, frame.row, behaved(grad), behaved(indices),
            frame.starts, splits, frame.blocks, result,
        ):  # fmt: skip
            deliver(result, grad_weight)
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
    _, present, *kernel = weight.shape
    if _fits(kernel, dilation, groups, weight, grad, grad_x):
        # A load of what was just stored is fast only if both cover the same bytes, so pixels are padded to
        # whole vectors; to shorter ones where there are few channels.
        vector_bytes = 32 if present * weight.itemsize <= 32 else VECTOR_BYTES
        lanes = vector_bytes // weight.itemsize
        channels = -(-present // lanes) * lanes
        size = (grad_x.shape[2], grad_x.shape[3])
        frame = _frame(
            size, tuple(kernel), stride, padding, out_size, channels, vector_bytes, weight.itemsize
        )
        loop, work = _input_loop(kernel[0], frame.vectors, vector_bytes), grad.size * frame.products
        weight, result = behaved(weight), target(grad_x)
        if loop.of(work)(
            weight, bits_of(weight), frame.taps, frame.size, frame.row, behaved(grad), behaved(indices),
            frame.starts, frame.blocks, padding, channels, _parts(len(grad), grad.shape[1]), result,
        ):  # fmt: skip
            deliver(result, grad_x)
            return
    dense = _dense(grad, indices, out_size)
    conv2d_grad_input(dense, weight, stride, padding, dilation, groups, grad_x)
