"""Gradients behind a max pool, on NumPy arrays: the readable specification.

A max pool hands each gradient to the one element that won its window; all others get zero. So the gradient
can be kept as two small arrays: `grad` (N, C, PH, PW), the gradient by the pooled picture, and `indices`, of
the same shape, which say for each of its elements the place h · W + w of the winner. The kernels here work on
that form. What they compute is what the dense kernels would, given the gradient as a full picture.
"""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from .conv import conv2d_grad_input, conv2d_grad_weight
from .pool import max_pool2d_backward

Pair = tuple[int, int]


def max_pool2d_gather(x: Array, indices: Array, out: Array) -> None:
    """out[n, c, cell] = x[n, c] at the place indices[n, c, cell]."""
    n, c = np.ogrid[: x.shape[0], : x.shape[1]]
    rows, columns = np.divmod(indices, x.shape[3])
    out[...] = x[n[..., None, None], c[..., None, None], rows, columns]


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
