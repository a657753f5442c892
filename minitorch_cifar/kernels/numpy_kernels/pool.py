"""Pooling on NumPy arrays: the readable specification.

A window starts at row h·stride − padding and column w·stride − padding of the input, and may reach beyond
it on every side (on the right and at the bottom further than the padding, with PyTorch's `ceil_mode`). How
many windows there are, the shape of `out` says. Max pooling leaves what is outside the input out; average
pooling takes it as zeros. The kernels loop over the positions inside a window and treat all windows at
once.
"""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from . import silently

Pair = tuple[int, int]


def _surrounded(
    x: Array, value: float, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, out: Pair
) -> Array:
    """x with `value` put around its last two axes, so that every window lies inside."""
    margins = [(0, 0)] * (x.ndim - 2)
    for axis in (0, 1):
        last_end = (out[axis] - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1 - padding[axis]
        margins.append((padding[axis], max(last_end - x.shape[axis - 2], 0)))
    return np.pad(x, margins, constant_values=value)


def _tap(surrounded: Array, i: int, j: int, stride: Pair, dilation: Pair, out: Pair) -> Array:
    """Element (i, j) of every window: a view (..., OH, OW)."""
    top, left = i * dilation[0], j * dilation[1]
    rows = slice(top, top + (out[0] - 1) * stride[0] + 1, stride[0])
    columns = slice(left, left + (out[1] - 1) * stride[1] + 1, stride[1])
    return surrounded[..., rows, columns]


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
    """out = the largest element of each window, indices = its place h·W + w in the plane of the input.

    `passing`, unless it is None, says of each whether a ReLU before the pool lets its gradient pass: not
    where it is 0 or less.

    Among equals the first wins. NaN is larger than everything, and the last NaN of a window wins. x (N, C,
    H, W), out and indices (N, C, OH, OW). A window that misses the input altogether gives the lowest number
    and index −1.
    """
    height, width = x.shape[2:]
    size = (out.shape[2], out.shape[3])
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    places = np.arange(height * width).reshape(height, width)
    values = _surrounded(x, lowest, kernel_size, stride, padding, dilation, size)
    places = _surrounded(places, -1, kernel_size, stride, padding, dilation, size)
    out[...] = lowest
    indices[...] = -1
    for i in range(kernel_size[0]):
        for j in range(kernel_size[1]):
            value = _tap(values, i, j, stride, dilation, size)
            place = _tap(places, i, j, stride, dilation, size)
            better = (place >= 0) & ((value > out) | np.isnan(value) | (indices < 0))
            np.copyto(out, value, where=better)
            np.copyto(indices, place, where=better)
    if passing is not None:
        np.logical_not(out <= 0, out=passing)


def max_pool2d_backward(grad_out: Array, indices: Array, grad_x: Array) -> None:
    """Each window's gradient is added to the element that won it; all others get none."""
    plane_size = grad_x.shape[2] * grad_x.shape[3]
    planes = np.arange(grad_x.shape[0] * grad_x.shape[1]).reshape(*grad_x.shape[:2], 1, 1)
    places = planes * plane_size + indices  # in the flattened batch
    inside = indices >= 0
    total = np.zeros(grad_x.size, grad_x.dtype)
    np.add.at(total, places[inside], grad_out[inside])
    grad_x[...] = total.reshape(grad_x.shape)


def _divisors(
    x_size: Pair,
    out: Pair,
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    include_pad: bool,
    override: int | None,
) -> Array:
    """(OH, OW): by what each window's sum is divided."""
    if override is not None:
        return np.full(out, override)
    counts = []
    for axis in (0, 1):
        start = np.arange(out[axis]) * stride[axis] - padding[axis]
        # Behind the padding there is nothing to count, also where a window reaches there.
        end = np.minimum(start + kernel[axis], x_size[axis] + padding[axis])
        if not include_pad:
            start, end = np.maximum(start, 0), np.minimum(end, x_size[axis])
        counts.append(end - start)
    return np.maximum(np.outer(counts[0], counts[1]), 1)


@silently
def avg_pool2d_forward(
    x: Array,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    count_include_pad: bool,
    divisor_override: int | None,
    out: Array,
) -> None:
    """out = (sum of the window's elements) / divisor.

    The divisor is `divisor_override`, or else the number of elements: those of the input, and with
    `count_include_pad` also those of the padding. x (N, C, H, W), out (N, C, OH, OW).
    """
    size = (out.shape[2], out.shape[3])
    values = _surrounded(x, 0, kernel_size, stride, padding, (1, 1), size)
    total = np.zeros(out.shape, out.dtype)
    for i in range(kernel_size[0]):
        for j in range(kernel_size[1]):
            total += _tap(values, i, j, stride, (1, 1), size)
    x_size = (x.shape[2], x.shape[3])
    divisors = _divisors(x_size, size, kernel_size, stride, padding, count_include_pad, divisor_override)
    if out.dtype.kind == "f":
        np.divide(total, divisors.astype(out.dtype), out=out)
    else:
        out[...] = np.trunc(total / divisors)


@silently
def avg_pool2d_backward(
    grad_out: Array,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    count_include_pad: bool,
    divisor_override: int | None,
    grad_x: Array,
) -> None:
    """Every element of a window gets that window's grad / divisor; overlapping windows add up."""
    size = (grad_out.shape[2], grad_out.shape[3])
    height, width = grad_x.shape[2:]
    divisors = _divisors(
        (height, width), size, kernel_size, stride, padding, count_include_pad, divisor_override
    )
    share = grad_out / divisors.astype(grad_out.dtype)
    total = _surrounded(np.zeros_like(grad_x), 0, kernel_size, stride, padding, (1, 1), size)
    for i in range(kernel_size[0]):
        for j in range(kernel_size[1]):
            tap = _tap(total, i, j, stride, (1, 1), size)
            np.add(tap, share, out=tap)
    grad_x[...] = total[..., padding[0] : padding[0] + height, padding[1] : padding[1] + width]


def _adaptive_bounds(size: int, windows: int) -> list[slice]:
    """Window k covers the elements from ⌊k·size/windows⌋ up to, not including, ⌈(k + 1)·size/windows⌉."""
    return [slice(k * size // windows, -(-(k + 1) * size // windows)) for k in range(windows)]


def adaptive_max_pool2d_forward(x: Array, out: Array, indices: Array) -> None:
    """As `max_pool2d_forward`, over windows of which there are as many as `out` has pixels."""
    height, width = x.shape[2:]
    places = np.arange(height * width).reshape(height, width)
    for h, rows in enumerate(_adaptive_bounds(height, out.shape[2])):
        for w, columns in enumerate(_adaptive_bounds(width, out.shape[3])):
            here = places[rows, columns].ravel()
            window = x[:, :, rows, columns].reshape(*x.shape[:2], here.size)
            nan = np.isnan(window)
            last_nan = window.shape[2] - 1 - nan[:, :, ::-1].argmax(axis=2)
            winner = np.where(nan.any(axis=2), last_nan, window.argmax(axis=2))
            indices[:, :, h, w] = here[winner]
            out[:, :, h, w] = np.take_along_axis(window, winner[:, :, None], axis=2)[:, :, 0]


@silently
def adaptive_avg_pool2d_forward(x: Array, out: Array) -> None:
    """out[n, c, h, w] = mean of window (h, w), of which there are as many as `out` has pixels."""
    for h, rows in enumerate(_adaptive_bounds(x.shape[2], out.shape[2])):
        for w, columns in enumerate(_adaptive_bounds(x.shape[3], out.shape[3])):
            np.mean(x[:, :, rows, columns], axis=(2, 3), out=out[:, :, h, w])


@silently
def adaptive_avg_pool2d_backward(grad_out: Array, grad_x: Array) -> None:
    """Every element of a window gets grad / (number of elements); overlapping windows add up."""
    grad_x[...] = 0
    for h, rows in enumerate(_adaptive_bounds(grad_x.shape[2], grad_out.shape[2])):
        for w, columns in enumerate(_adaptive_bounds(grad_x.shape[3], grad_out.shape[3])):
            count = (rows.stop - rows.start) * (columns.stop - columns.start)
            grad_x[:, :, rows, columns] += (grad_out[:, :, h, w] / count)[:, :, None, None]
