"""Gradients behind a max pool, on NumPy arrays: the readable specification.

A max pool hands each gradient to the one element that won its window; all others get zero. So the gradient
can be kept as two small arrays: `grad` (N, C, PH, PW), the gradient by the pooled picture, and `indices`, of
the same shape, which say for each of its elements the place h · W + w of the winner. The kernels here work on
that form. What they compute is what the dense kernels would, given the gradient as a full picture.
"""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from .activation import relu_backward
from .conv import conv2d_grad_input, conv2d_grad_weight
from .pool import max_pool2d_backward

Pair = tuple[int, int]


def pooled_relu_backward(grad: Array, indices: Array, y: Array, grad_x: Array) -> None:
    """`relu_backward` for the winners alone: `grad` where y[n, c] > 0 at the place indices[n, c, cell]."""
    n, c = np.ogrid[: y.shape[0], : y.shape[1]]
    rows, columns = np.divmod(indices, y.shape[3])
    relu_backward(grad, y[n[..., None, None], c[..., None, None], rows, columns], grad_x)


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
    """`conv2d_grad_weight` for the gradient of a picture of `out_size` (OH, OW) behind a max pool."""
    dense = np.empty((*grad.shape[:2], *out_size), grad.dtype)
    max_pool2d_backward(grad, indices, dense)
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
    """`conv2d_grad_input` for the gradient of a picture of `out_size` (OH, OW) behind a max pool."""
    dense = np.empty((*grad.shape[:2], *out_size), grad.dtype)
    max_pool2d_backward(grad, indices, dense)
    conv2d_grad_input(dense, weight, stride, padding, dilation, groups, grad_x)
