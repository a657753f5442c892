"""Convolution on NumPy arrays, as matrix products over patches: the readable specification.

A picture x[C, H, W] is laid out as a matrix with one row per weight of a kernel and one column per output
pixel: patches[(c, i, j), (h, w)] = x_padded[c, h·stride + i·dilation, w·stride + j·dilation]. The
convolution is then weight[O, (c, i, j)] @ patches, and both gradients are matrix products as well. With
groups, each group of output channels sees only its own input channels: a stack of `groups` such products.
The long sums of the forward pass, over all weights of a kernel, are taken in float64.

Legend: n image, c input channel, o output channel, (h, w) output pixel, (i, j) position in the kernel.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ...dtypes import Array
from . import silently

Pair = tuple[int, int]


def _patches(image: Array, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> Array:
    """(C, H, W) -> (groups, C/groups · KH · KW, OH · OW), a copy."""
    padded = np.pad(image, ((0, 0), (padding[0],) * 2, (padding[1],) * 2))
    span = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True))
    windows = sliding_window_view(padded, span, axis=(1, 2))  # (C, H', W', span, span), no copy
    taps = windows[:, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]  # (C, OH, OW, KH, KW)
    columns = taps.transpose(0, 3, 4, 1, 2)  # (C, OH, OW, KH, KW) -> (C, KH, KW, OH, OW)
    return columns.reshape(groups, image.shape[0] // groups * kernel[0] * kernel[1], -1)


@silently
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
    """out[n, o, h, w] = bias[o] + Σ_cij weight[o, c, i, j] · x_padded[n, c, h·stride + i·dilation, w·stride
    + ...].

    x (N, C, H, W), weight (O, C/groups, KH, KW), bias (O,) or None, out (N, O, OH, OW); integers work as
    well.
    """
    out_channels, _, *kernel = weight.shape
    matrix = weight.reshape(groups, out_channels // groups, -1)  # (G, O/G, C/G·KH·KW)
    precise = np.float64 if x.dtype == np.float32 else x.dtype
    for image, result in zip(x, out, strict=True):
        patches = _patches(image, (kernel[0], kernel[1]), stride, padding, dilation, groups)
        result[...] = np.matmul(matrix, patches, dtype=precise).reshape(result.shape)
    if bias is not None:
        np.add(out, bias[:, None, None], out=out)


@silently
def conv2d_grad_input(
    grad_out: Array, weight: Array, stride: Pair, padding: Pair, dilation: Pair, groups: int, grad_x: Array
) -> None:
    """dL/dx: weightᵀ @ grad_out is the gradient of the patches; each of its elements goes back to its
    pixel."""
    _, channels, height, width = grad_x.shape
    out_channels, _, kernel_h, kernel_w = weight.shape
    _, _, out_h, out_w = grad_out.shape
    transposed = weight.reshape(groups, out_channels // groups, -1).transpose(0, 2, 1)  # (G, C/G·KH·KW, O/G)
    padded = np.empty((channels, height + 2 * padding[0], width + 2 * padding[1]), grad_x.dtype)
    for gradient, result in zip(grad_out, grad_x, strict=True):
        by_patches = transposed @ gradient.reshape(groups, out_channels // groups, -1)
        taps = by_patches.reshape(channels, kernel_h, kernel_w, out_h, out_w)
        padded[...] = 0
        for i in range(kernel_h):
            rows = slice(i * dilation[0], i * dilation[0] + out_h * stride[0], stride[0])
            for j in range(kernel_w):
                columns = slice(j * dilation[1], j * dilation[1] + out_w * stride[1], stride[1])
                # The slice may end behind the edge, but it has exactly OH rows and OW columns.
                padded[:, rows, columns] += taps[:, i, j]
        result[...] = padded[:, padding[0] : padding[0] + height, padding[1] : padding[1] + width]


@silently
def conv2d_grad_weight(
    grad_out: Array, x: Array, stride: Pair, padding: Pair, dilation: Pair, groups: int, grad_weight: Array
) -> None:
    """dL/dweight[o, (c, i, j)] = Σ_n grad_out[n, o, :] @ patches[n]ᵀ."""
    out_channels, _, kernel_h, kernel_w = grad_weight.shape
    total = np.zeros((groups, out_channels // groups, grad_weight[0].size), grad_weight.dtype)
    for image, gradient in zip(x, grad_out, strict=True):
        patches = _patches(image, (kernel_h, kernel_w), stride, padding, dilation, groups)
        total += gradient.reshape(groups, out_channels // groups, -1) @ patches.transpose(0, 2, 1)
    grad_weight[...] = total.reshape(grad_weight.shape)


@silently
def conv2d_grad_bias(grad_out: Array, grad_bias: Array) -> None:
    """dL/dbias[o] = Σ_nhw grad_out[n, o, h, w]."""
    np.sum(grad_out, axis=(0, 2, 3), dtype=np.float64, out=grad_bias)


def conv2d_grad_parameters(
    grad_out: Array, x: Array, stride: Pair, padding: Pair, dilation: Pair, groups: int, grad_weight: Array,
    grad_bias: Array,
) -> None:  # fmt: skip
    """Both of these: they are sums over the same numbers, which a kernel may read once for both."""
    conv2d_grad_weight(grad_out, x, stride, padding, dilation, groups, grad_weight)
    conv2d_grad_bias(grad_out, grad_bias)
