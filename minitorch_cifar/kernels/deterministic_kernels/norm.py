"""Batch normalisation: the loops of `numba_kernels` with sums whose order the source fixes (`sums.py`)."""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from ...dtypes import Array
from ..numba_kernels.norm import batch_norm_eval_forward as batch_norm_eval_forward
from ..numba_kernels.norm import eval_backward, train_backward, train_forward
from ..numba_kernels.norm import move_average as move_average
from ..numba_kernels.pool import max_pool2d_backward
from ..numba_kernels.runtime import in_parallel
from .sums import sum_of, sum_of_products, sum_of_squares

# Elements that are worth the start of threads, a tenth of a millisecond.
_ENOUGH = 1 << 16


@in_parallel(enough=_ENOUGH)
def _train_forward(
    x: Array, weight: Array, bias: Array, eps: float, out: Array, mean: Array, var: Array, invstd: Array
) -> None:
    samples, channels, positions = x.shape
    count = samples * positions
    for c in prange(channels):
        total = 0.0
        for n in range(samples):
            total += sum_of(x[n, c])
        m = total / count
        squares = 0.0
        for n in range(samples):
            squares += sum_of_squares(x[n, c], m)
        mean[c] = m
        var[c] = squares / count
        invstd[c] = 1 / math.sqrt(var[c] + eps)
        scale = invstd[c] * weight[c]
        for n in range(samples):
            for i in range(positions):
                out[n, c, i] = (x[n, c, i] - m) * scale + bias[c]


@in_parallel(enough=_ENOUGH)
def _train_backward(
    grad_out: Array,
    x: Array,
    weight: Array,
    mean: Array,
    invstd: Array,
    grad_x: Array,
    grad_weight: Array,
    grad_bias: Array,
) -> None:
    samples, channels, positions = x.shape
    count = samples * positions
    for c in prange(channels):
        m = mean[c]
        sum_g = 0.0
        sum_gd = 0.0
        for n in range(samples):
            sum_g += sum_of(grad_out[n, c])
            sum_gd += sum_of_products(grad_out[n, c], x[n, c], m)
        grad_bias[c] = sum_g
        grad_weight[c] = sum_gd * invstd[c]
        mean_g = sum_g / count
        slope = sum_gd * invstd[c] * invstd[c] / count
        scale = invstd[c] * weight[c]
        for n in range(samples):
            for i in range(positions):
                grad_x[n, c, i] = scale * (grad_out[n, c, i] - mean_g - (x[n, c, i] - m) * slope)


@in_parallel(enough=_ENOUGH)
def _eval_backward(
    grad_out: Array,
    x: Array,
    weight: Array,
    mean: Array,
    invstd: Array,
    grad_x: Array,
    grad_weight: Array,
    grad_bias: Array,
) -> None:
    for c in prange(x.shape[1]):
        scale = invstd[c] * weight[c]
        sum_g = 0.0
        sum_gd = 0.0
        for n in range(x.shape[0]):
            sum_g += sum_of(grad_out[n, c])
            sum_gd += sum_of_products(grad_out[n, c], x[n, c], mean[c])
            for i in range(x.shape[2]):
                grad_x[n, c, i] = grad_out[n, c, i] * scale
        grad_bias[c] = sum_g
        grad_weight[c] = sum_gd * invstd[c]


batch_norm_train_forward = train_forward(_train_forward)
batch_norm_train_backward = train_backward(_train_backward)
batch_norm_eval_backward = eval_backward(_eval_backward)


def pooled_batch_norm_train_backward(
    grad: Array,
    indices: Array,
    x: Array,
    weight: Array | None,
    mean: Array,
    invstd: Array,
    grad_x: Array,
    grad_weight: Array,
    grad_bias: Array,
) -> None:
    """Gradients of training mode, from a gradient behind a max pool."""
    dense = np.empty((*x.shape[:2], 1, x.shape[2]), x.dtype)
    max_pool2d_backward(grad[:, :, None], indices[:, :, None], dense)
    batch_norm_train_backward(dense[:, :, 0], x, weight, mean, invstd, grad_x, grad_weight, grad_bias)
