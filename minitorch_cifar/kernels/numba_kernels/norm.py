"""Batch normalisation as Numba loops; the formulas are explained in `numpy_kernels`.

Channels are independent of each other and are shared among threads. A thread takes one at a time: its
elements of the whole batch fit the second-level cache, so that only the first of the three passes over them
(mean, variance, result) reads memory. The sums are float64, and `reassoc` lets the
compiler split each into several that run side by side; it leaves NaN and infinity alone.

The kernels are made by functions of a loop, since `deterministic_kernels` has other loops for the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import prange

from ...dtypes import Array
from ..numpy_kernels import norm as specification
from .flat import compiled
from .layout import behaved, deliver, target
from .runtime import Shared, in_parallel, inlined

Kernel = Callable[..., None]

# Elements that are worth the start of threads, a tenth of a millisecond.
_ENOUGH = 1 << 16


def _ones(weight: Array | None, channels: int) -> Array:
    return np.ones(channels) if weight is None else weight.astype(np.float64)


def _zeros(bias: Array | None, channels: int) -> Array:
    return np.zeros(channels) if bias is None else bias.astype(np.float64)


@in_parallel(enough=_ENOUGH, fastmath={"reassoc"})
def _train_forward(
    x: Array, weight: Array, bias: Array, eps: float, out: Array, mean: Array, var: Array, invstd: Array
) -> None:
    samples, channels, positions = x.shape
    count = samples * positions
    for c in prange(channels):
        total = 0.0
        for n in range(samples):
            for i in range(positions):
                total += x[n, c, i]
        m = total / count
        squares = 0.0
        for n in range(samples):
            for i in range(positions):
                deviation = x[n, c, i] - m
                squares += deviation * deviation
        mean[c] = m
        var[c] = squares / count
        invstd[c] = 1 / math.sqrt(var[c] + eps)
        scale = invstd[c] * weight[c]
        for n in range(samples):
            for i in range(positions):
                out[n, c, i] = (x[n, c, i] - m) * scale + bias[c]


@in_parallel(enough=_ENOUGH)
def _scale_and_shift(x: Array, mean: Array, scale: Array, bias: Array, out: Array) -> None:
    for c in prange(x.shape[1]):
        for n in range(x.shape[0]):
            for i in range(x.shape[2]):
                out[n, c, i] = (x[n, c, i] - mean[c]) * scale[c] + bias[c]


@inlined
def _line(mean: float, mean_g: float, slope: float, scale: float) -> tuple[float, float]:
    """scale · (g - mean_g - (x - mean) · slope) = scale · g + (by_x · x + constant).

    In this form, in float64, the compiler works on several x at once.
    """
    by_x = -scale * slope
    return by_x, -scale * mean_g - mean * by_x


@in_parallel(enough=_ENOUGH, fastmath={"reassoc"})
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
            for i in range(positions):
                sum_g += grad_out[n, c, i]
                sum_gd += grad_out[n, c, i] * (x[n, c, i] - m)
        grad_bias[c] = sum_g
        grad_weight[c] = sum_gd * invstd[c]
        mean_g = sum_g / count
        slope = sum_gd * invstd[c] * invstd[c] / count
        scale = invstd[c] * weight[c]
        if x.itemsize == 8:  # a line in float64 would lose digits of float64 where a channel hardly varies
            for n in range(samples):
                for i in range(positions):
                    grad_x[n, c, i] = scale * (grad_out[n, c, i] - mean_g - (x[n, c, i] - m) * slope)
        else:
            by_x, constant = _line(m, mean_g, slope, scale)
            for n in range(samples):
                for i in range(positions):
                    grad_x[n, c, i] = scale * grad_out[n, c, i] + (by_x * x[n, c, i] + constant)


@in_parallel(enough=_ENOUGH, fastmath={"reassoc"})
def _pooled_train_backward(
    grad: Array,
    indices: Array,
    x: Array,
    weight: Array,
    mean: Array,
    invstd: Array,
    grad_x: Array,
    grad_weight: Array,
    grad_bias: Array,
) -> None:
    """`_train_backward` where the gradient is `grad` at the places `indices`, zero elsewhere: the sums have
    few terms, and what is left of dL/dx is a straight line of x. Every window must have a winner: no place
    is -1, as behind a pool with gaps (`ops.pool` hands those gradients on written out).
    """
    samples, channels, positions = x.shape
    count = samples * positions
    for c in prange(channels):
        m = mean[c]
        sum_g = 0.0
        sum_gd = 0.0
        for n in range(samples):
            for cell in range(grad.shape[2]):
                sum_g += grad[n, c, cell]
                sum_gd += grad[n, c, cell] * (x[n, c, np.uint64(indices[n, c, cell])] - m)
        grad_bias[c] = sum_g
        grad_weight[c] = sum_gd * invstd[c]
        mean_g = sum_g / count
        slope = sum_gd * invstd[c] * invstd[c] / count
        scale = invstd[c] * weight[c]
        by_x, constant = _line(m, mean_g, slope, scale)
        for n in range(samples):
            for i in range(positions):
                if x.itemsize == 8:
                    grad_x[n, c, i] = -scale * (mean_g + (x[n, c, i] - m) * slope)
                else:
                    grad_x[n, c, i] = by_x * x[n, c, i] + constant
            for cell in range(grad.shape[2]):
                # Unsigned, or Numba would ask of each place whether it counts from the end.
                grad_x[n, c, np.uint64(indices[n, c, cell])] += scale * grad[n, c, cell]


@in_parallel(enough=_ENOUGH, fastmath={"reassoc"})
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
            for i in range(x.shape[2]):
                sum_g += grad_out[n, c, i]
                sum_gd += grad_out[n, c, i] * (x[n, c, i] - mean[c])
                grad_x[n, c, i] = grad_out[n, c, i] * scale
        grad_bias[c] = sum_g
        grad_weight[c] = sum_gd * invstd[c]


def train_forward(loop: Shared[Any]) -> Kernel:
    """The kernel `batch_norm_train_forward` round a loop."""

    def batch_norm_train_forward(
        x: Array,
        weight: Array | None,
        bias: Array | None,
        eps: float,
        out: Array,
        mean: Array,
        var: Array,
        invstd: Array,
    ) -> None:
        """y = weight · (x - mean) · invstd + bias with the mean and variance of this batch."""
        channels = x.shape[1]
        result = target(out)
        loop.of(x.size)(
            behaved(x),
            _ones(weight, channels),
            _zeros(bias, channels),
            eps,
            result,
            mean,
            var,
            invstd,
        )
        deliver(result, out)

    return batch_norm_train_forward


batch_norm_train_forward = train_forward(_train_forward)


@compiled
def _move_average(average: Array, value: Array, factor: float, momentum: float) -> None:
    for c in range(average.size):
        average[c] = (1 - momentum) * np.float64(average[c]) + momentum * (value[c] * factor)


def move_average(average: Array, value: Array, factor: float, momentum: float) -> None:
    if average.shape != value.shape:  # one element per channel, but in other dimensions
        specification.move_average(average, value, factor, momentum)
        return
    result = behaved(average)
    _move_average(result, behaved(value), factor, momentum)
    deliver(result, average)


def batch_norm_eval_forward(
    x: Array,
    weight: Array | None,
    bias: Array | None,
    running_mean: Array,
    running_var: Array,
    eps: float,
    out: Array,
) -> None:
    """y = weight · (x - running_mean) / sqrt(running_var + eps) + bias."""
    channels = x.shape[1]
    mean = running_mean.astype(np.float64)
    scale = _ones(weight, channels) / np.sqrt(running_var.astype(np.float64) + eps)
    result = target(out)
    _scale_and_shift.of(x.size)(behaved(x), mean, scale, _zeros(bias, channels), result)
    deliver(result, out)


def train_backward(loop: Shared[Any]) -> Kernel:
    """The kernel `batch_norm_train_backward` round a loop."""

    def batch_norm_train_backward(
        grad_out: Array,
        x: Array,
        weight: Array | None,
        mean: Array,
        invstd: Array,
        grad_x: Array,
        grad_weight: Array,
        grad_bias: Array,
    ) -> None:
        """Gradients of training mode."""
        result = target(grad_x)
        loop.of(x.size)(
            behaved(grad_out),
            behaved(x),
            _ones(weight, x.shape[1]),
            mean,
            invstd,
            result,
            grad_weight,
            grad_bias,
        )
        deliver(result, grad_x)

    return batch_norm_train_backward


batch_norm_train_backward = train_backward(_train_backward)


def eval_backward(loop: Shared[Any]) -> Kernel:
    """The kernel `batch_norm_eval_backward` round a loop."""

    def batch_norm_eval_backward(
        grad_out: Array,
        x: Array,
        weight: Array | None,
        running_mean: Array,
        running_var: Array,
        eps: float,
        grad_x: Array,
        grad_weight: Array,
        grad_bias: Array,
    ) -> None:
        """Gradients of evaluation mode."""
        result = target(grad_x)
        loop.of(x.size)(
            behaved(grad_out),
            behaved(x),
            _ones(weight, x.shape[1]),
            running_mean.astype(np.float64),
            1 / np.sqrt(running_var.astype(np.float64) + eps),
            result,
            grad_weight,
            grad_bias,
        )
        deliver(result, grad_x)

    return batch_norm_eval_backward


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
    result = target(grad_x)
    _pooled_train_backward.of(x.size)(
        behaved(grad),
        behaved(indices),
        behaved(x),
        _ones(weight, x.shape[1]),
        mean,
        invstd,
        result,
        grad_weight,
        grad_bias,
    )
    deliver(result, grad_x)
