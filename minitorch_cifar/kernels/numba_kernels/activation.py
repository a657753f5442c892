"""Activation functions as Numba loops; the formulas and their edges are explained in `numpy_kernels`.

Literals are 64 bits wide to Numba, so a float32 element is widened, computed on, and rounded once at the end.
No fastmath: NaN and infinity matter here. A compiled loop calls the C library's `exp` once per element, where
NumPy's own `exp` and `tanh` work on 8 or 16 at once, so the functions that consist of little else come from
NumPy in both backends.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from ...dtypes import Array
from ..numpy_kernels.activation import sigmoid_forward as sigmoid_forward
from ..numpy_kernels.activation import silu_backward as silu_backward
from ..numpy_kernels.activation import silu_forward as silu_forward
from ..numpy_kernels.activation import softplus_forward as softplus_forward
from ..numpy_kernels.activation import tanh_forward as tanh_forward
from .flat import compiled, contiguous, elementwise
from .runtime import in_parallel

_ENOUGH = 1 << 15  # elements that are worth the start of threads


@elementwise
@in_parallel(enough=_ENOUGH)
def relu_forward(x: Array, out: Array) -> None:
    for i in prange(out.size):
        out[i] = 0 if x[i] < 0 else x[i]


@elementwise
@in_parallel(enough=_ENOUGH)
def relu_forward_noting(x: Array, out: Array, passing: Array) -> None:
    for i in prange(out.size):
        out[i] = 0 if x[i] < 0 else x[i]
        passing[i] = not x[i] <= 0


@elementwise
@in_parallel(enough=_ENOUGH)
def relu_backward(grad_out: Array, y: Array, grad_x: Array) -> None:
    for i in prange(grad_x.size):
        grad_x[i] = 0 if y[i] <= 0 else grad_out[i]


@elementwise
@compiled
def leaky_relu_forward(x: Array, negative_slope: float, out: Array) -> None:
    for i in range(out.size):
        out[i] = x[i] if x[i] > 0 else negative_slope * x[i]


@elementwise
@compiled
def leaky_relu_backward(grad_out: Array, x: Array, negative_slope: float, grad_x: Array) -> None:
    for i in range(grad_x.size):
        grad_x[i] = grad_out[i] if x[i] > 0 else negative_slope * grad_out[i]


@elementwise
@compiled
def elu_forward(x: Array, alpha: float, out: Array) -> None:
    for i in range(out.size):
        out[i] = x[i] if x[i] > 0 else alpha * math.expm1(x[i])


@elementwise
@compiled
def elu_backward(grad_out: Array, x: Array, alpha: float, grad_x: Array) -> None:
    for i in range(grad_x.size):
        grad_x[i] = grad_out[i] if x[i] > 0 else grad_out[i] * alpha * math.exp(x[i])


_SQRT_HALF = math.sqrt(0.5)
_DENSITY_AT_ZERO = 1 / math.sqrt(2 * math.pi)


@elementwise
@compiled
def gelu_forward(x: Array, out: Array) -> None:
    for i in range(out.size):
        v = np.float64(x[i])
        out[i] = v * 0.5 * (1 + math.erf(v * _SQRT_HALF))


@elementwise
@compiled
def gelu_backward(grad_out: Array, x: Array, grad_x: Array) -> None:
    for i in range(grad_x.size):
        v = np.float64(x[i])
        cumulative = 0.5 * (1 + math.erf(v * _SQRT_HALF))
        grad_x[i] = grad_out[i] * (cumulative + v * _DENSITY_AT_ZERO * math.exp(-0.5 * v * v))


_GELU_SCALE = math.sqrt(2 / math.pi)
_GELU_CUBE = 0.044715


@elementwise
@compiled
def gelu_tanh_forward(x: Array, out: Array) -> None:
    for i in range(out.size):
        v = np.float64(x[i])
        out[i] = 0.5 * v * (1 + math.tanh(_GELU_SCALE * (v + _GELU_CUBE * v * v * v)))


@elementwise
@compiled
def gelu_tanh_backward(grad_out: Array, x: Array, grad_x: Array) -> None:
    for i in range(grad_x.size):
        v = np.float64(x[i])
        t = math.tanh(_GELU_SCALE * (v + _GELU_CUBE * v * v * v))
        slope = _GELU_SCALE * (1 + 3 * _GELU_CUBE * v * v)
        grad_x[i] = grad_out[i] * (0.5 * (1 + t) + 0.5 * v * (1 - t * t) * slope)


@elementwise
@compiled
def sigmoid_backward(grad_out: Array, y: Array, grad_x: Array) -> None:
    for i in range(grad_x.size):
        grad_x[i] = grad_out[i] * ((1 - y[i]) * y[i])


@elementwise
@compiled
def softplus_backward(grad_out: Array, x: Array, beta: float, threshold: float, grad_x: Array) -> None:
    for i in range(grad_x.size):
        scaled = beta * x[i]
        z = math.exp(scaled)
        grad_x[i] = grad_out[i] if scaled > threshold else grad_out[i] * (z / (1 + z))


@elementwise
@compiled
def tanh_backward(grad_out: Array, y: Array, grad_x: Array) -> None:
    for i in range(grad_x.size):
        grad_x[i] = grad_out[i] * (1 - y[i] * y[i])


@contiguous
@compiled
def softmax_forward(x: Array, out: Array) -> None:
    for r in range(x.shape[0]):
        peak = -np.inf
        for c in range(x.shape[1]):
            peak = max(peak, x[r, c])
        total = 0.0
        for c in range(x.shape[1]):
            out[r, c] = math.exp(x[r, c] - peak)
            total += out[r, c]
        for c in range(x.shape[1]):
            out[r, c] = out[r, c] / total


@contiguous
@compiled
def softmax_backward(grad_out: Array, y: Array, grad_x: Array) -> None:
    for r in range(y.shape[0]):
        mean = 0.0
        for c in range(y.shape[1]):
            mean += np.float64(grad_out[r, c]) * y[r, c]
        for c in range(y.shape[1]):
            grad_x[r, c] = y[r, c] * (grad_out[r, c] - mean)


@contiguous
@compiled
def log_softmax_forward(x: Array, out: Array) -> None:
    for r in range(x.shape[0]):
        peak = -np.inf
        for c in range(x.shape[1]):
            peak = max(peak, x[r, c])
        total = 0.0
        for c in range(x.shape[1]):
            total += math.exp(x[r, c] - peak)
        shift = math.log(total)
        for c in range(x.shape[1]):
            out[r, c] = x[r, c] - peak - shift


@contiguous
@compiled
def log_softmax_backward(grad_out: Array, y: Array, grad_x: Array) -> None:
    for r in range(y.shape[0]):
        total = 0.0
        for c in range(y.shape[1]):
            total += grad_out[r, c]
        for c in range(y.shape[1]):
            grad_x[r, c] = grad_out[r, c] - math.exp(y[r, c]) * total
