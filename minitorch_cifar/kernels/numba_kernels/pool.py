"""Pooling as Numba loops; what the kernels compute is explained in `numpy_kernels`.

The planes (n, c) of a batch are independent of each other and are shared among threads. Within a plane the
loops follow the output, row by row, and cut each window down to the part that lies inside the input.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from ...dtypes import Array
from ..numpy_kernels import pool as specification
from .flat import compiled
from .layout import behaved, deliver, planes, target
from .pool_tiles import pool_tile
from .runtime import in_parallel, inlined

Pair = tuple[int, int]

# Input elements that are worth the start of threads, some 30 microseconds.
_ENOUGH = 1 << 16
_WINDOWS = 4  # that are computed at once; more are no faster


@inlined
def _challenge(best: float, place: int, value: float, other: int) -> tuple[float, int]:
    """The larger of two elements, NaN being the largest, and its place; a choice without a branch."""
    better = (value > best) | (value != value)
    return (value if better else best), (other if better else place)


@in_parallel(enough=_ENOUGH)
def _max_forward(
    x: Array,
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    out: Array,
    indices: Array,
) -> None:
    planes, out_h, out_w = out.shape
    height, width = x.shape[1:]
    for p in prange(planes):
        plane = x[p]
        for h in range(out_h):
            first_row = h * stride[0] - padding[0]
            for w in range(out_w):
                first_column = w * stride[1] - padding[1]
                best, index = plane.dtype.type(-np.inf), -1
                for i in range(kernel[0]):
                    row = first_row + i * dilation[0]
                    if 0 <= row < height:
                        for j in range(kernel[1]):
                            column = first_column + j * dilation[1]
                            if 0 <= column < width:
                                value = plane[row, column]
                                better = (value > best) | (value != value) | (index < 0)
                                best = value if better else best
                                index = row * width + column if better else index
                out[p, h, w] = best
                indices[p, h, w] = index


@in_parallel(enough=_ENOUGH)
def _halve(x: Array, out: Array, indices: Array, passing: Array) -> None:
    """Windows of 2 x 2 next to each other, _WINDOWS of them at once; the last of a row may be computed twice.

    An empty `passing` is not asked for.
    """
    images, channels, out_h, out_w = out.shape
    height, width = x.shape[2:]
    flat, values, places = x.reshape(-1), out.reshape(-1), indices.reshape(-1)
    cells, passes = out_h * out_w, passing.reshape(-1)
    for p in prange(images * channels):
        for h in range(out_h):
            for step in range(0, out_w, _WINDOWS):
                w = min(step, out_w - _WINDOWS)
                place = 2 * h * width + 2 * w
                start = p * height * width + place
                target = (p * out_h + h) * out_w + w
                pool_tile(flat, start, start + width, place, width, values, places, target, _WINDOWS)
        if passes.size:
            plane, passing_plane = (
                values[p * cells : (p + 1) * cells],
                passes[p * cells : (p + 1) * cells],
            )
            for cell in range(plane.size):
                passing_plane[cell] = not plane[cell] <= 0


@in_parallel(enough=_ENOUGH)
def _max_backward(grad_out: Array, indices: Array, grad_x: Array) -> None:
    planes, cells = grad_out.shape
    for p in prange(planes):
        grad_x[p] = 0
        for cell in range(cells):
            index = indices[p, cell]
            if index >= 0:
                grad_x[p, index] += grad_out[p, cell]


@inlined
def _window(h: int, stride: int, padding: int, kernel: int, size: int) -> tuple[int, int, int]:
    """Where a window of an average starts and ends inside the input, and its length with the padding."""
    start = h * stride - padding
    end = min(start + kernel, size + padding)
    return max(start, 0), min(end, size), end - start


@in_parallel(enough=_ENOUGH)
def _avg_forward(
    x: Array, kernel: Pair, stride: Pair, padding: Pair, include_pad: bool, override: int, out: Array
) -> None:
    planes, out_h, out_w = out.shape
    height, width = x.shape[1:]
    for p in prange(planes):
        for h in range(out_h):
            top, bottom, rows = _window(h, stride[0], padding[0], kernel[0], height)
            for w in range(out_w):
                left, right, columns = _window(w, stride[1], padding[1], kernel[1], width)
                total = x.dtype.type(0)
                for i in range(top, bottom):
                    for j in range(left, right):
                        total += x[p, i, j]
                count = rows * columns if include_pad else max(bottom - top, 0) * max(right - left, 0)
                divisor = override if override != 0 else max(count, 1)
                out[p, h, w] = total / x.dtype.type(divisor)


@in_parallel(enough=_ENOUGH)
def _avg_backward(
    grad_out: Array,
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    include_pad: bool,
    override: int,
    grad_x: Array,
) -> None:
    planes, out_h, out_w = grad_out.shape
    height, width = grad_x.shape[1:]
    for p in prange(planes):
        grad_x[p] = 0
        for h in range(out_h):
            top, bottom, rows = _window(h, stride[0], padding[0], kernel[0], height)
            for w in range(out_w):
                left, right, columns = _window(w, stride[1], padding[1], kernel[1], width)
                count = rows * columns if include_pad else max(bottom - top, 0) * max(right - left, 0)
                divisor = override if override != 0 else max(count, 1)
                share = grad_out[p, h, w] / grad_x.dtype.type(divisor)
                for i in range(top, bottom):
                    for j in range(left, right):
                        grad_x[p, i, j] += share


@compiled
def _adaptive_max(x: Array, out: Array, indices: Array) -> None:
    planes, out_h, out_w = out.shape
    height, width = x.shape[1:]
    for p in range(planes):
        for h in range(out_h):
            top, bottom = h * height // out_h, ((h + 1) * height + out_h - 1) // out_h
            for w in range(out_w):
                left, right = w * width // out_w, ((w + 1) * width + out_w - 1) // out_w
                best, place = x[p, top, left], top * width + left
                for i in range(top, bottom):
                    for j in range(left, right):
                        best, place = _challenge(best, place, x[p, i, j], i * width + j)
                out[p, h, w] = best
                indices[p, h, w] = place


@compiled
def _adaptive_forward(x: Array, out: Array) -> None:
    planes, out_h, out_w = out.shape
    height, width = x.shape[1:]
    for p in range(planes):
        for h in range(out_h):
            top, bottom = h * height // out_h, ((h + 1) * height + out_h - 1) // out_h
            for w in range(out_w):
                left, right = w * width // out_w, ((w + 1) * width + out_w - 1) // out_w
                total = 0.0
                for i in range(top, bottom):
                    for j in range(left, right):
                        total += x[p, i, j]
                out[p, h, w] = total / ((bottom - top) * (right - left))


@compiled
def _adaptive_backward(grad_out: Array, grad_x: Array) -> None:
    planes, out_h, out_w = grad_out.shape
    height, width = grad_x.shape[1:]
    grad_x[:] = 0
    for p in range(planes):
        for h in range(out_h):
            top, bottom = h * height // out_h, ((h + 1) * height + out_h - 1) // out_h
            for w in range(out_w):
                left, right = w * width // out_w, ((w + 1) * width + out_w - 1) // out_w
                share = grad_out[p, h, w] / grad_x.dtype.type((bottom - top) * (right - left))
                for i in range(top, bottom):
                    for j in range(left, right):
                        grad_x[p, i, j] += share


def max_pool2d_forward(
    x: Array,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    out: Array,
    indices: Array,
    passing: Array | None,
) -> None:
    if x.dtype.kind != "f":
        specification.max_pool2d_forward(x, kernel_size, stride, padding, dilation, out, indices, passing)
        return
    values, places = target(out), target(indices)
    halving = kernel_size == stride == (2, 2) and padding == (0, 0) and dilation == (1, 1)
    halving = halving and 2 * out.shape[2] <= x.shape[2] and 2 * out.shape[3] <= x.shape[3]
    if halving and indices.dtype == np.int32 and out.shape[3] >= _WINDOWS:
        passes = np.empty((0, 0, 0, 0), np.bool_) if passing is None else target(passing)
        _halve.of(x.size)(behaved(x), values, places, passes)
        if passing is not None:
            deliver(passes, passing)
    else:
        _max_forward.of(x.size)(
            planes(x), kernel_size, stride, padding, dilation, planes(values), planes(places)
        )
        if passing is not None:
            np.logical_not(values <= 0, out=passing)
    deliver(values, out)
    deliver(places, indices)


def max_pool2d_backward(grad_out: Array, indices: Array, grad_x: Array) -> None:
    result = target(grad_x)
    planes = grad_x.shape[0] * grad_x.shape[1]
    if planes:
        _max_backward.of(grad_x.size)(
            behaved(grad_out).reshape(planes, -1),
            behaved(indices).reshape(planes, -1),
            result.reshape(planes, -1),
        )
    deliver(result, grad_x)


def avg_pool2d_forward(
    x: Array,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    count_include_pad: bool,
    divisor_override: int | None,
    out: Array,
) -> None:
    if x.dtype.kind != "f":
        specification.avg_pool2d_forward(
            x, kernel_size, stride, padding, count_include_pad, divisor_override, out
        )
        return
    result = target(out)
    override = divisor_override or 0  # 0 is no divisor, so it can say that there is none
    _avg_forward.of(x.size)(
        planes(x), kernel_size, stride, padding, count_include_pad, override, planes(result)
    )
    deliver(result, out)


def avg_pool2d_backward(
    grad_out: Array,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    count_include_pad: bool,
    divisor_override: int | None,
    grad_x: Array,
) -> None:
    result = target(grad_x)
    override = divisor_override or 0
    _avg_backward.of(grad_x.size)(
        planes(grad_out), kernel_size, stride, padding, count_include_pad, override, planes(result)
    )
    deliver(result, grad_x)


def adaptive_max_pool2d_forward(x: Array, out: Array, indices: Array) -> None:
    values, places = target(out), target(indices)
    _adaptive_max(planes(x), planes(values), planes(places))
    deliver(values, out)
    deliver(places, indices)


def adaptive_avg_pool2d_forward(x: Array, out: Array) -> None:
    result = target(out)
    _adaptive_forward(planes(x), planes(result))
    deliver(result, out)


def adaptive_avg_pool2d_backward(grad_out: Array, grad_x: Array) -> None:
    result = target(grad_x)
    _adaptive_backward(planes(grad_out), planes(result))
    deliver(result, grad_x)
