"""Activation functions on NumPy arrays: the readable specification.

Each `f_forward` writes y = f(x) into `out`; each `f_backward` writes dL/dx = dL/dy · f'(x) into `grad_x`. All
arrays of one call have the same shape and may have any strides. Where f' is cheaper to write with the result
y than with x (ReLU, sigmoid, tanh, softmax), backward is given y. Softmax and log-softmax work along the last
axis of a 2-D array; their callers bring other axes there.
"""

from __future__ import annotations

import math

import numpy as np

from ...dtypes import Array
from . import silently


def relu_forward(x: Array, out: Array) -> None:
    """y = max(x, 0). NaN stays NaN and -0.0 stays -0.0: only what is below zero is replaced."""
    np.copyto(out, x)
    np.copyto(out, 0, where=out < 0)


def relu_forward_noting(x: Array, out: Array, passing: Array) -> None:
    """`relu_forward`, which notes of each element whether its gradient passes: `passing` may stand for y in
    `relu_backward`.
    """
    np.logical_not(x <= 0, out=passing)
    relu_forward(x, out)


def relu_backward(grad_out: Array, y: Array, grad_x: Array) -> None:
    """dL/dx = dL/dy where y > 0, else 0; 0 at the kink. Where y is NaN, the gradient passes."""
    np.copyto(grad_x, grad_out)
    np.copyto(grad_x, 0, where=y <= 0)


@silently
def leaky_relu_forward(x: Array, negative_slope: float, out: Array) -> None:
    """y = x where x > 0, else negative_slope · x."""
    np.multiply(x, negative_slope, out=out)
    np.copyto(out, x, where=x > 0)


@silently
def leaky_relu_backward(grad_out: Array, x: Array, negative_slope: float, grad_x: Array) -> None:
    """dL/dx = dL/dy · (1 where x > 0, else negative_slope)."""
    np.multiply(grad_out, negative_slope, out=grad_x)
    np.copyto(grad_x, grad_out, where=x > 0)


@silently
def elu_forward(x: Array, alpha: float, out: Array) -> None:
    """y = x where x > 0, else alpha · (exp(x) - 1)."""
    np.expm1(np.minimum(x, 0), out=out)  # the minimum keeps exp from overflowing where it is not used
    np.multiply(out, alpha, out=out)
    np.copyto(out, x, where=x > 0)


@silently
def elu_backward(grad_out: Array, x: Array, alpha: float, grad_x: Array) -> None:
    """dL/dx = dL/dy · (1 where x > 0, else alpha · exp(x)); the left derivative at 0."""
    np.multiply(grad_out, alpha * np.exp(np.minimum(x, 0)), out=grad_x)
    np.copyto(grad_x, grad_out, where=x > 0)


_erf = np.vectorize(math.erf, otypes=[np.float64])  # NumPy has no error function of its own


@silently
def gelu_forward(x: Array, out: Array) -> None:
    """y = x · Phi(x), Phi(x) = (1 + erf(x / sqrt 2)) / 2 being the normal distribution function."""
    if x.size:  # np.vectorize cannot map an empty array
        np.copyto(out, x * (0.5 * (1 + _erf(x.astype(np.float64) * math.sqrt(0.5)))))


@silently
def gelu_backward(grad_out: Array, x: Array, grad_x: Array) -> None:
    """dL/dx = dL/dy · (Phi(x) + x · phi(x)), phi(x) = exp(-x²/2) / sqrt(2 pi)."""
    if x.size:
        wide = x.astype(np.float64)
        cumulative = 0.5 * (1 + _erf(wide * math.sqrt(0.5)))
        density = np.exp(-0.5 * wide * wide) / math.sqrt(2 * math.pi)
        np.copyto(grad_x, grad_out * (cumulative + wide * density))


_GELU_SCALE = math.sqrt(2 / math.pi)
_GELU_CUBE = 0.044715


@silently
def gelu_tanh_forward(x: Array, out: Array) -> None:
    """y = x/2 · (1 + tanh u), u = sqrt(2/pi) · (x + 0.044715 x³), an approximation of GELU."""
    wide = x.astype(np.float64)
    np.copyto(out, 0.5 * wide * (1 + np.tanh(_GELU_SCALE * (wide + _GELU_CUBE * wide**3))))


@silently
def gelu_tanh_backward(grad_out: Array, x: Array, grad_x: Array) -> None:
    """dL/dx = dL/dy · ((1 + t)/2 + x/2 · (1 - t²) · u'), t = tanh u, u' = du/dx."""
    wide = x.astype(np.float64)
    t = np.tanh(_GELU_SCALE * (wide + _GELU_CUBE * wide**3))
    slope = _GELU_SCALE * (1 + 3 * _GELU_CUBE * wide * wide)
    np.copyto(grad_x, grad_out * (0.5 * (1 + t) + 0.5 * wide * (1 - t * t) * slope))


@silently
def sigmoid_forward(x: Array, out: Array) -> None:
    """y = 1 / (1 + exp(-x)). For a large negative x the exponential overflows to inf, and 1/inf is the
    answer.
    """
    np.exp(np.negative(x), out=out)
    np.add(out, 1, out=out)
    np.reciprocal(out, out=out)


@silently
def sigmoid_backward(grad_out: Array, y: Array, grad_x: Array) -> None:
    """dL/dx = dL/dy · y · (1 - y)."""
    np.multiply(grad_out, (1 - y) * y, out=grad_x)


@silently
def silu_forward(x: Array, out: Array) -> None:
    """y = x · s, s = sigmoid(x)."""
    sigmoid = np.empty(x.shape, x.dtype)
    sigmoid_forward(x, sigmoid)
    np.multiply(x, sigmoid, out=out)


@silently
def silu_backward(grad_out: Array, x: Array, grad_x: Array) -> None:
    """dL/dx = dL/dy · s · (1 + x · (1 - s)), s = sigmoid(x)."""
    sigmoid = np.empty(x.shape, x.dtype)
    sigmoid_forward(x, sigmoid)
    np.multiply(grad_out, sigmoid * (1 + x * (1 - sigmoid)), out=grad_x)


@silently
def softplus_forward(x: Array, beta: float, threshold: float, out: Array) -> None:
    """y = log(1 + exp(beta · x)) / beta, and y = x where beta · x > threshold, where the two agree."""
    scaled = x * beta
    linear = scaled > threshold
    np.log1p(np.exp(np.where(linear, 0, scaled)), out=out)
    np.divide(out, beta, out=out)
    np.copyto(out, x, where=linear)


@silently
def softplus_backward(grad_out: Array, x: Array, beta: float, threshold: float, grad_x: Array) -> None:
    """dL/dx = dL/dy · z / (1 + z), z = exp(beta · x); dL/dy where beta · x > threshold."""
    scaled = x * beta
    linear = scaled > threshold
    z = np.exp(np.where(linear, 0, scaled))
    np.multiply(grad_out, z / (1 + z), out=grad_x)
    np.copyto(grad_x, grad_out, where=linear)


@silently
def tanh_forward(x: Array, out: Array) -> None:
    """y = tanh(x)."""
    np.tanh(x, out=out)


@silently
def tanh_backward(grad_out: Array, y: Array, grad_x: Array) -> None:
    """dL/dx = dL/dy · (1 - y²)."""
    np.multiply(grad_out, 1 - y * y, out=grad_x)


@silently
def softmax_forward(x: Array, out: Array) -> None:
    """y[r, c] = exp(x[r, c] - m[r]) / sum over k of exp(x[r, k] - m[r]), m[r] = max over k of x[r, k].

    The maximum cancels out of the fraction; without it exp would overflow for logits above 88.
    """
    if x.size:  # a row without elements has no maximum
        np.subtract(x, x.max(axis=1, keepdims=True), out=out)
        np.exp(out, out=out)
        total = out.sum(axis=1, keepdims=True, dtype=np.float64)
        np.divide(out, total, out=out, casting="same_kind")


@silently
def softmax_backward(grad_out: Array, y: Array, grad_x: Array) -> None:
    """dL/dx[r, c] = y[r, c] · (g[r, c] - sum over k of g[r, k] y[r, k]), g = dL/dy."""
    mean = np.sum(grad_out * y, axis=1, keepdims=True, dtype=np.float64)
    np.multiply(y, grad_out - mean, out=grad_x, casting="same_kind")


@silently
def log_softmax_forward(x: Array, out: Array) -> None:
    """y[r, c] = x[r, c] - m[r] - log(sum over k of exp(x[r, k] - m[r])), m[r] = max over k of x[r, k]."""
    if x.size:
        np.subtract(x, x.max(axis=1, keepdims=True), out=out)
        total = np.exp(out).sum(axis=1, keepdims=True, dtype=np.float64)
        np.subtract(out, np.log(total), out=out, casting="same_kind")


@silently
def log_softmax_backward(grad_out: Array, y: Array, grad_x: Array) -> None:
    """dL/dx[r, c] = g[r, c] - exp(y[r, c]) · sum over k of g[r, k], g = dL/dy."""
    total = grad_out.sum(axis=1, keepdims=True, dtype=np.float64)
    np.subtract(grad_out, np.exp(y) * total, out=grad_x, casting="same_kind")
