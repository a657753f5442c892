"""Activation functions: the loops of `numba_kernels` where they are arithmetic alone, and loops with the
functions of `functions.py` where they need exp, log, tanh or erf. The formulas are explained in
`numpy_kernels`; they are computed in float64 and rounded once.
"""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from ..numba_kernels.activation import _DENSITY_AT_ZERO, _GELU_CUBE, _GELU_SCALE, _SQRT_HALF
from ..numba_kernels.activation import leaky_relu_backward as leaky_relu_backward
from ..numba_kernels.activation import leaky_relu_forward as leaky_relu_forward
from ..numba_kernels.activation import relu_backward as relu_backward
from ..numba_kernels.activation import relu_forward as relu_forward
from ..numba_kernels.activation import relu_forward_noting as relu_forward_noting
from ..numba_kernels.activation import sigmoid_backward as sigmoid_backward
from ..numba_kernels.activation import softmax_backward as softmax_backward
from ..numba_kernels.activation import tanh_backward as tanh_backward
from ..numba_kernels.flat import compiled, contiguous, elementwise
from . import functions
from .functions import erf, exp, expm1, log, log1p


@elementwise
@compiled
def elu_forward(x: Array, alpha: float, out: Array) -> None:
    for i in range(out.size):
        out[i] = x[i] if x[i] > 0 else alpha * expm1(np.float64(x[i]))


@elementwise
@compiled
def elu_backward(grad_out: Array, x: Array, alpha: float, grad_x: Array) -> None:
    for i in range(grad_x.size):
        grad_x[i] = grad_out[i] if x[i] > 0 else grad_out[i] * alpha * exp(np.float64(x[i]))


@elementwise
@compiled
def gelu_forward(x: Array, out: Array) -> None:
    for i in range(out.size):
        v = np.float64(x[i])
        out[i] = v * 0.5 * (1 + erf(v * _SQRT_HALF))


@elementwise
@compiled
def gelu_backward(grad_out: Array, x: Array, grad_x: Array) -> None:
    for i in range(grad_x.size):
        v = np.float64(x[i])
        cumulative = 0.5 * (1 + erf(v * _SQRT_HALF))
        grad_x[i] = grad_out[i] * (cumulative + v * _DENSITY_AT_ZERO * exp(-0.5 * v * v))


@elementwise
@compiled
def gelu_tanh_forward(x: Array, out: Array) -> None:
    for i in range(out.size):
        v = np.float64(x[i])
        out[i] = 0.5 * v * (1 + functions.tanh(_GELU_SCALE * (v + _GELU_CUBE * v * v * v)))


@elementwise
@compiled
def gelu_tanh_backward(grad_out: Array, x: Array, grad_x: Array) -> None:
    for i in range(grad_x.size):
        v = np.float64(x[i])
        t = functions.tanh(_GELU_SCALE * (v + _GELU_CUBE * v * v * v))
        slope = _GELU_SCALE * (1 + 3 * _GELU_CUBE * v * v)
        grad_x[i] = grad_out[i] * (0.5 * (1 + t) + 0.5 * v * (1 - t * t) * slope)


@elementwise
@compiled
def sigmoid_forward(x: Array, out: Array) -> None:
    for i in range(out.size):
        out[i] = 1 / (1 + exp(-np.float64(x[i])))


@elementwise
@compiled
def silu_forward(x: Array, out: Array) -> None:
    for i in range(out.size):
        v = np.float64(x[i])
        out[i] = v * (1 / (1 + exp(-v)))


@elementwise
@compiled
def silu_backward(grad_out: Array, x: Array, grad_x: Array) -> None:
    for i in range(grad_x.size):
        v = np.float64(x[i])
        s = 1 / (1 + exp(-v))
        grad_x[i] = grad_out[i] * (s * (1 + v * (1 - s)))


@elementwise
@compiled
def softplus_forward(x: Array, beta: float, threshold: float, out: Array) -> None:
    for i in range(out.size):
        scaled = beta * x[i]
        out[i] = x[i] if scaled > threshold else log1p(exp(scaled)) / beta


@elementwise
@compiled
def softplus_backward(grad_out: Array, x: Array, beta: float, threshold: float, grad_x: Array) -> None:
    for i in range(grad_x.size):
        scaled = beta * x[i]
        z = exp(scaled)
        grad_x[i] = grad_out[i] if scaled > threshold else grad_out[i] * (z / (1 + z))


@elementwise
@compiled
def tanh_forward(x: Array, out: Array) -> None:
    for i in range(out.size):
        out[i] = functions.tanh(np.float64(x[i]))


@contiguous
@compiled
def softmax_forward(x: Array, out: Array) -> None:
    for r in range(x.shape[0]):
        peak = -np.inf
        for c in range(x.shape[1]):
            peak = max(peak, x[r, c])
        total = 0.0
        for c in range(x.shape[1]):
            out[r, c] = exp(x[r, c] - peak)
            total += out[r, c]
        for c in range(x.shape[1]):
            out[r, c] = out[r, c] / total


@contiguous
@compiled
def log_softmax_forward(x: Array, out: Array) -> None:
    for r in range(x.shape[0]):
        peak = -np.inf
        for c in range(x.shape[1]):
            peak = max(peak, x[r, c])
        total = 0.0
        for c in range(x.shape[1]):
            total += exp(x[r, c] - peak)
        shift = log(total)
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
            grad_x[r, c] = grad_out[r, c] - exp(np.float64(y[r, c])) * total
