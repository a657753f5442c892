"""Convolution as Numba loops; the formulas are explained in `numpy_kernels`.

Forward and the gradient by the input are one convolution, seen from two sides, and there are two ways to
compute it: with the channels of a pixel side by side (`conv_pixels.py`), and with one channel after the other
(`conv_planes.py`), which is faster for few outputs. The gradient by the weights is in
`conv_weight.py`; for kernels with gaps or channels in groups it is here.

No sum is divided in a way that depends on the number of threads, so neither does any result.
"""

from __future__ import annotations

import functools

import numpy as np
from numba import prange

from ...dtypes import Array
from ..numpy_kernels import conv as specification
from . import conv_matrix, conv_pixels, conv_planes
from .conv_planes import forward_geometry, write_planes
from .conv_weight import outer_grad_parameters
from .conv_weight_matrix import matrix_grad_parameters
from .elements import fill
from .layout import behaved, deliver, target
from .matrix_tiles import HAS_MATRIX_UNIT
from .runtime import in_parallel
from .tiles import DOT_COLUMNS, DOT_ROWS, dot_tile
from .vectors import VECTOR_BYTES

Pair = tuple[int, int]
Side = tuple[int, int, int, int, int, int]
Shape = tuple[int, ...]
Plan = conv_matrix.Plan | conv_pixels.Plan | conv_planes.Plan

# The channels of a pixel go side by side where the outputs fill whole vectors, or where so many numbers
# follow one another, for so many outputs.
_LENGTH, _ROWS = 64, 16
# The matrix unit, where there is one, takes finite numbers only; what it leaves is for the vectors.
_UNITS = (True, False) if HAS_MATRIX_UNIT else (False,)
# The pictures of a batch are dealt out in so many shares, each worked through by one thread, however many
# threads there are. The weight gradient is summed over each share in order, then over the shares.
_SHARES = 8
# Elements that a block of pictures may take up in the weight gradient: part of a core's second-level cache.
_BLOCK = 1 << 17

# Work that is worth the start of threads, some 30 microseconds: multiplications, and terms of sums.
_ENOUGH = 1 << 20
_ENOUGH_SUMS = 1 << 17


@in_parallel(enough=_ENOUGH)
def _correlate_gradients(
    grad_out: Array,
    x: Array,
    rows: Array,
    columns: Array,
    plane: int,
    offsets: Array,
    reach: int,
    pitch: int,
    totals: Array,
) -> None:
    """totals[share, g, o, k] = Σ_n Σ_p grid(grad_out[n, g])[o, p] · frame(x[n, g])[p + offsets[k]].

    The grid holds the gradient with its rows `pitch` apart and zeros between them.
    """
    shares, groups, out_rows, terms = totals.shape
    images, all_rows, out_h, out_w = grad_out.shape
    channels = x.shape[1] // groups
    group_rows = all_rows // groups
    lanes = VECTOR_BYTES // x.itemsize
    pixels = ((out_h - 1) * pitch + out_w + lanes - 1) // lanes * lanes
    frame_size = max(channels * plane, pixels + reach)
    grid_size = out_rows * pixels
    block = max(1, min(_BLOCK // (frame_size + grid_size), (images + shares - 1) // shares))
    frames = np.empty((shares, block * frame_size), x.dtype)
    grids = np.empty((shares, block * grid_size), x.dtype)
    grid_rows = np.arange(out_h) * pitch
    grid_columns = np.arange(out_w)
    sums = totals.reshape(-1)
    for share in prange(shares):
        frame = frames[share]
        grid = grids[share]
        fill(frame, 0, frame.size, 0)
        fill(grid, 0, grid.size, 0)
        fill(sums, share * (sums.size // shares), sums.size // shares, 0)
        end = (share + 1) * images // shares
        for first in range(share * images // shares, end, block):
            count = min(block, end - first)
            for g in range(groups):
                for n in range(count):
                    planes = x[first + n, g * channels : (g + 1) * channels]
                    write_planes(planes, rows, columns, plane, frame, n * frame_size)
                    gradient = grad_out[first + n, g * group_rows : (g + 1) * group_rows]
                    write_planes(gradient, grid_rows, grid_columns, pixels, grid, n * grid_size)
                total = totals[share, g].reshape(-1)
                # The few rows of gradients stay in the first-level cache while the whole frame passes by.
                for o in range(0, out_rows, DOT_ROWS):
                    for k in range(0, terms, DOT_COLUMNS):
                        dot_tile(
                            grid, o * pixels, pixels, grid_size, frame, 0, frame_size,
                            offsets, k, count, pixels, total, o * terms + k, terms,
                        )  # fmt: skip


def _sides(
    x: Shape, weight: Shape, stride: Pair, padding: Pair, dilation: Pair, out: Shape
) -> tuple[Side, Side]:
    """For height and width: sizes of picture and kernel, stride, padding, dilation, size of the result."""
    return (
        (x[2], weight[2], stride[0], padding[0], dilation[0], out[2]),
        (x[3], weight[3], stride[1], padding[1], dilation[1], out[3]),
    )


def _suits_pixels(
    channels: int, out_rows: int, kernel_width: int, dilation: Pair, groups: int, lanes: int
) -> bool:
    """Whether the channels of a pixel should go side by side."""
    length = channels // groups * (kernel_width if groups == 1 and dilation[1] == 1 else 1)
    rows = out_rows // groups
    return rows % lanes == 0 or (length >= _LENGTH and rows >= _ROWS)


@functools.lru_cache(maxsize=256)
def _forward_plan(
    x: Shape, weight: Shape, stride: Pair, padding: Pair, dilation: Pair, groups: int, out: Shape,
    itemsize: int, on_matrix_unit: bool,
) -> Plan:  # fmt: skip
    sides, lanes = _sides(x, weight, stride, padding, dilation, out), VECTOR_BYTES // itemsize
    if on_matrix_unit and itemsize == 4 and groups == 1:
        plan = conv_matrix.plan(conv_pixels.forward_axis, sides, x, out)
        if plan is not None:
            return plan
    if _suits_pixels(x[1], weight[0], weight[3], dilation, groups, lanes):
        return conv_pixels.plan(conv_pixels.forward_axis, sides, groups, x, out, lanes)
    geometry = forward_geometry(weight[1], *zip(*sides, strict=True))
    return conv_planes.plan(geometry, False, groups, x, out, lanes)


@functools.lru_cache(maxsize=256)
def _backward_plan(
    grad_out: Shape, weight: Shape, stride: Pair, padding: Pair, dilation: Pair, groups: int, grad_x: Shape,
    itemsize: int, on_matrix_unit: bool,
) -> Plan:  # fmt: skip
    sides, lanes = _sides(grad_out, weight, stride, padding, dilation, grad_x), VECTOR_BYTES // itemsize
    if on_matrix_unit and itemsize == 4 and groups == 1:
        plan = conv_matrix.plan(conv_pixels.backward_axis, sides, grad_out, grad_x)
        if plan is not None:
            return plan
    if _suits_pixels(weight[0], grad_x[1], weight[3], dilation, groups, lanes):
        return conv_pixels.plan(conv_pixels.backward_axis, sides, groups, grad_out, grad_x, lanes)
    geometry = conv_planes.backward_geometry(weight[0] // groups, *zip(*sides, strict=True))
    return conv_planes.plan(geometry, True, groups, grad_out, grad_x, lanes)


def conv2d_forward(
    x: Array,
    weight: Array,
    bias: Array | None,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    out: Array,
) -> None:
    if out.dtype.kind != "f" or not out.size or not weight.size:
        specification.conv2d_forward(x, weight, bias, stride, padding, dilation, groups, out)
        return
    start = np.zeros(weight.shape[0], x.dtype) if bias is None else behaved(bias)
    for on_matrix_unit in _UNITS:
        plan = _forward_plan(
            x.shape, weight.shape, stride, padding, dilation, groups, out.shape, x.itemsize, on_matrix_unit
        )
        if plan.correlate(x, weight, start, out):
            return


def conv2d_grad_input(
    grad_out: Array, weight: Array, stride: Pair, padding: Pair, dilation: Pair, groups: int, grad_x: Array
) -> None:
    finished = False
    if grad_out.size and weight.size and grad_x.size:
        start = np.zeros(grad_x.shape[1], grad_x.dtype)
        for on_matrix_unit in _UNITS:
            plan = _backward_plan(
                grad_out.shape, weight.shape, stride, padding, dilation, groups, grad_x.shape,
                weight.itemsize, on_matrix_unit,
            )  # fmt: skip
            finished = finished or plan.correlate(grad_out, weight, start, grad_x)
    if not finished:  # an infinite weight would meet zeros of the frame that stand for no gradient
        specification.conv2d_grad_input(grad_out, weight, stride, padding, dilation, groups, grad_x)


def _grad_parameters(
    grad_out: Array, x: Array, stride: Pair, padding: Pair, dilation: Pair, groups: int, grad_weight: Array,
    grad_bias: Array,
) -> bool:  # fmt: skip
    """`conv2d_grad_parameters` in one loop, which an empty `grad_bias` spares its part. False if there is no
    such loop for these arrays: then all is to be computed anew.
    """
    if groups != 1 or not (grad_out.size and x.size and grad_weight.size):
        return False
    if (
        HAS_MATRIX_UNIT
        and x.itemsize == 4
        and matrix_grad_parameters(grad_out, x, stride, padding, dilation, grad_weight, grad_bias)
    ):
        return True
    return dilation == (1, 1) and outer_grad_parameters(grad_out, x, stride, padding, grad_weight, grad_bias)


def conv2d_grad_weight(
    grad_out: Array, x: Array, stride: Pair, padding: Pair, dilation: Pair, groups: int, grad_weight: Array
) -> None:
    no_bias = np.empty(0, x.dtype)
    if _grad_parameters(grad_out, x, stride, padding, dilation, groups, grad_weight, no_bias):
        return
    finished = False
    if grad_out.size and x.size and grad_weight.size and (groups > 1 or dilation != (1, 1)):
        out_channels, in_channels, *kernel = grad_weight.shape
        size = (x.shape[2], x.shape[3])
        out_size = (grad_out.shape[2], grad_out.shape[3])
        taps = (kernel[0], kernel[1])
        geometry = forward_geometry(in_channels, size, taps, stride, padding, dilation, out_size)
        terms = len(geometry.offsets)
        group_rows = out_channels // groups
        padded_terms = -(-terms // DOT_COLUMNS) * DOT_COLUMNS
        padded_rows = -(-group_rows // DOT_ROWS) * DOT_ROWS
        offsets = np.zeros(padded_terms, np.int64)
        offsets[:terms] = geometry.offsets
        totals = np.empty((min(len(x), _SHARES), groups, padded_rows, padded_terms), x.dtype)
        _correlate_gradients.of(grad_out.size // groups * terms)(
            behaved(grad_out), behaved(x), geometry.rows, geometry.columns, geometry.plane, offsets,
            geometry.reach, geometry.pitch, totals,
        )  # fmt: skip
        with np.errstate(all="ignore"):
            total = totals.sum(axis=0)[:, :group_rows, :terms]
        grad_weight[...] = total.reshape(grad_weight.shape)
        finished = bool(np.isfinite(total).all())
    if not finished:  # an infinity or NaN of x may have met the zeros between the rows of the grid
        specification.conv2d_grad_weight(grad_out, x, stride, padding, dilation, groups, grad_weight)


@in_parallel(enough=_ENOUGH_SUMS, fastmath={"reassoc"})
def _sum_planes(grad_out: Array, grad_bias: Array) -> None:
    """Sums in float64, whatever the dtype: what is left when large numbers cancel would show float32's."""
    images, channels, pixels = grad_out.shape
    for o in prange(channels):
        total = 0.0
        for n in range(images):
            for p in range(pixels):
                total += grad_out[n, o, p]
        grad_bias[o] = total


def conv2d_grad_bias(grad_out: Array, grad_bias: Array) -> None:
    images, channels, height, width = grad_out.shape
    result = target(grad_bias)
    _sum_planes.of(grad_out.size)(behaved(grad_out).reshape(images, channels, height * width), result)
    deliver(result, grad_bias)


def conv2d_grad_parameters(
    grad_out: Array, x: Array, stride: Pair, padding: Pair, dilation: Pair, groups: int, grad_weight: Array,
    grad_bias: Array,
) -> None:  # fmt: skip
    if not _grad_parameters(grad_out, x, stride, padding, dilation, groups, grad_weight, grad_bias):
        conv2d_grad_weight(grad_out, x, stride, padding, dilation, groups, grad_weight)
        conv2d_grad_bias(grad_out, grad_bias)
