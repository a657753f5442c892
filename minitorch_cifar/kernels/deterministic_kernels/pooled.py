"""Gradients behind a max pool, written out and handed to the kernels for full pictures."""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from ..numba_kernels.pooled import pooled_relu_backward as pooled_relu_backward
from .conv import conv2d_grad_input, conv2d_grad_weight
from .pool import max_pool2d_backward

Pair = tuple[int, int]


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
    dense = np.empty((*grad.shape[:2], *out_size), grad.dtype)
    max_pool2d_backward(grad, indices, dense)
    conv2d_grad_input(dense, weight, stride, padding, dilation, groups, grad_x)
