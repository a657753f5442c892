"""Convolution as matrix products over patches, as in `numpy_kernels`, with additions in a fixed order.

The pictures are dealt out in a fixed number of shares, each with memory of its own for the patches of one
picture. The weight gradient is added up within each share and then over the shares, both in order.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from ...dtypes import Array
from ..numba_kernels.flat import compiled
from ..numba_kernels.layout import behaved, deliver, target
from ..numba_kernels.runtime import in_parallel
from ..numpy_kernels import conv as specification
from .product import COLUMNS, multiply_rows
from .sums import sum_of

Pair = tuple[int, int]

_SHARES = 8
_ENOUGH = 1 << 22  # products that are worth the start of threads, a tenth of a millisecond
_ENOUGH_SUMS = 1 << 18


@compiled
def _tap(size: int, out_size: int, stride: int, shift: int) -> Pair:
    """The first and one after the last h of the output for which h · stride + shift lies in the picture."""
    first = max(0, -((shift) // stride)) if shift < 0 else 0
    last = min(out_size, (size - 1 - shift) // stride + 1) if size > shift else 0
    return min(first, out_size), max(last, 0)


@compiled
def _write_patches(
    x: Array, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, out_size: Pair, patches: Array
) -> None:
    """patches[(c, i, j), (h, w)] = x[c, h·stride + i·dilation - padding, ...], 0 outside the picture."""
    channels, height, width = x.shape
    for c in range(channels):
        for i in range(kernel[0]):
            shift_h = i * dilation[0] - padding[0]
            top, bottom = _tap(height, out_size[0], stride[0], shift_h)
            for j in range(kernel[1]):
                shift_w = j * dilation[1] - padding[1]
                left, right = _tap(width, out_size[1], stride[1], shift_w)
                row = patches[(c * kernel[0] + i) * kernel[1] + j]
                row[:] = 0
                for h in range(top, bottom):
                    line = x[c, h * stride[0] + shift_h]
                    for w in range(left, right):
                        row[h * out_size[1] + w] = line[w * stride[1] + shift_w]


@compiled
def _add_patches(
    patches: Array, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, out_size: Pair, x: Array
) -> None:
    """The transpose of `_write_patches`: every element of a patch is added to the pixel it came from."""
    channels, height, width = x.shape
    x[:] = 0
    for c in range(channels):
        for i in range(kernel[0]):
            shift_h = i * dilation[0] - padding[0]
            top, bottom = _tap(height, out_size[0], stride[0], shift_h)
            for j in range(kernel[1]):
                shift_w = j * dilation[1] - padding[1]
                left, right = _tap(width, out_size[1], stride[1], shift_w)
                row = patches[(c * kernel[0] + i) * kernel[1] + j]
                for h in range(top, bottom):
                    line = x[c, h * stride[0] + shift_h]
                    for w in range(left, right):
                        line[w * stride[1] + shift_w] += row[h * out_size[1] + w]


@in_parallel(enough=_ENOUGH)
def _forward(
    x: Array, weight: Array, bias: Array, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair,
    out_size: Pair, out: Array,
) -> None:  # fmt: skip
    """weight (G, O/G, C/G·KH·KW), bias (O,) or empty, out (N, O, OH·OW)."""
    groups, rows, terms = weight.shape
    channels = x.shape[1] // groups
    for share in prange(_SHARES):
        patches = np.empty((terms, out.shape[2]), x.dtype)
        partial = np.empty(COLUMNS, x.dtype)
        for n in range(share * x.shape[0] // _SHARES, (share + 1) * x.shape[0] // _SHARES):
            for g in range(groups):
                planes = x[n, g * channels : (g + 1) * channels]
                _write_patches(planes, kernel, stride, padding, dilation, out_size, patches)
                multiply_rows(weight[g], patches, 0, rows, partial, out[n, g * rows : (g + 1) * rows])
            if bias.size:
                for o in range(out.shape[1]):
                    for p in range(out.shape[2]):
                        out[n, o, p] += bias[o]


@in_parallel(enough=_ENOUGH)
def _grad_input(
    grad_out: Array, transposed: Array, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair,
    out_size: Pair, grad_x: Array,
) -> None:  # fmt: skip
    """transposed (G, C/G·KH·KW, O/G), grad_out (N, O, OH·OW)."""
    groups, terms, rows = transposed.shape
    channels = grad_x.shape[1] // groups
    for share in prange(_SHARES):
        patches = np.empty((terms, grad_out.shape[2]), grad_x.dtype)
        partial = np.empty(COLUMNS, grad_x.dtype)
        for n in range(share * len(grad_x) // _SHARES, (share + 1) * len(grad_x) // _SHARES):
            for g in range(groups):
                gradient = grad_out[n, g * rows : (g + 1) * rows]
                multiply_rows(transposed[g], gradient, 0, terms, partial, patches)
                planes = grad_x[n, g * channels : (g + 1) * channels]
                _add_patches(patches, kernel, stride, padding, dilation, out_size, planes)


@in_parallel(enough=_ENOUGH)
def _grad_weight(
    grad_out: Array, x: Array, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, out_size: Pair,
    totals: Array,
) -> None:  # fmt: skip
    """totals (shares, G, O/G, C/G·KH·KW), float64: the sums over each share's pictures."""
    _, groups, rows, terms = totals.shape
    channels = x.shape[1] // groups
    for share in prange(_SHARES):
        patches = np.empty((terms, grad_out.shape[2]), x.dtype)
        turned = np.empty((grad_out.shape[2], terms), x.dtype)
        product = np.empty((rows, terms), x.dtype)
        partial = np.empty(COLUMNS, x.dtype)
        totals[share] = 0
        for n in range(share * x.shape[0] // _SHARES, (share + 1) * x.shape[0] // _SHARES):
            for g in range(groups):
                planes = x[n, g * channels : (g + 1) * channels]
                _write_patches(planes, kernel, stride, padding, dilation, out_size, patches)
                turned[:] = patches.T
                gradient = grad_out[n, g * rows : (g + 1) * rows]
                multiply_rows(gradient, turned, 0, rows, partial, product)
                for o in range(rows):
                    for k in range(terms):
                        totals[share, g, o, k] += product[o, k]


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
    outputs, channels, kernel_h, kernel_w = weight.shape
    result = target(out)
    _forward.of(out.size * weight[0].size)(
        behaved(x), behaved(weight).reshape(groups, outputs // groups, channels * kernel_h * kernel_w),
        np.empty(0, x.dtype) if bias is None else behaved(bias), (kernel_h, kernel_w), stride, padding,
        dilation, (out.shape[2], out.shape[3]), result.reshape(*out.shape[:2], -1),
    )  # fmt: skip
    deliver(result, out)


def conv2d_grad_input(
    grad_out: Array, weight: Array, stride: Pair, padding: Pair, dilation: Pair, groups: int, grad_x: Array
) -> None:
    if not grad_out.size or not weight.size or not grad_x.size:
        specification.conv2d_grad_input(grad_out, weight, stride, padding, dilation, groups, grad_x)
        return
    outputs, channels, kernel_h, kernel_w = weight.shape
    matrices = weight.reshape(groups, outputs // groups, channels * kernel_h * kernel_w)
    result = target(grad_x)
    _grad_input.of(grad_out.size * weight[0].size)(
        behaved(grad_out).reshape(*grad_out.shape[:2], -1), behaved(matrices.transpose(0, 2, 1)),
        (kernel_h, kernel_w), stride, padding, dilation, (grad_out.shape[2], grad_out.shape[3]), result,
    )  # fmt: skip
    deliver(result, grad_x)


def conv2d_grad_weight(
    grad_out: Array, x: Array, stride: Pair, padding: Pair, dilation: Pair, groups: int, grad_weight: Array
) -> None:
    if not grad_out.size or not x.size or not grad_weight.size:
        specification.conv2d_grad_weight(grad_out, x, stride, padding, dilation, groups, grad_weight)
        return
    outputs, channels, kernel_h, kernel_w = grad_weight.shape
    totals = np.empty((_SHARES, groups, outputs // groups, channels * kernel_h * kernel_w))
    _grad_weight.of(grad_out.size * grad_weight[0].size)(
        behaved(grad_out).reshape(*grad_out.shape[:2], -1), behaved(x), (kernel_h, kernel_w), stride, padding,
        dilation, (grad_out.shape[2], grad_out.shape[3]), totals,
    )  # fmt: skip
    with np.errstate(all="ignore"):
        total = totals[0]
        for share in totals[1:]:
            total += share
        grad_weight[...] = total.reshape(grad_weight.shape)


@in_parallel(enough=_ENOUGH_SUMS)
def _sum_planes(grad_out: Array, grad_bias: Array) -> None:
    for o in prange(grad_out.shape[1]):
        total = 0.0
        for n in range(grad_out.shape[0]):
            total += sum_of(grad_out[n, o])
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
    conv2d_grad_weight(grad_out, x, stride, padding, dilation, groups, grad_weight)
    conv2d_grad_bias(grad_out, grad_bias)
