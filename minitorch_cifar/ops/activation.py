"""Activation functions: y_i = f(x_i), and softmax along one dimension. The loops are in `kernels`.

Shapes: the output and all gradients have the input's. In each docstring `g` is the gradient dL/dy that
arrives. NaN gives NaN everywhere, and its gradient is NaN too except where a docstring says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.operation import Elementwise, Operation
from ..dtypes import Array
from ..kernels import active
from .pool import PooledGradient


class Relu(Elementwise):
    """y = max(x, 0).  dL/dx = g where x > 0, else 0: zero at the kink x = 0, and g where x is NaN.

    -0.0 stays -0.0. What backward needs is one byte per element: whether its gradient passes. PyTorch keeps
    the result instead, four times as much; like there, to change the result in place is an error. Of a
    gradient behind a max pool only the winners are looked at.
    """

    takes_lazy_gradients = True
    guards_result = True

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        y = np.empty_like(x)
        if ctx.needs_input_grad[0]:
            passing = np.empty_like(x, np.bool_)
            active.relu_forward_noting(x, y, passing)
            ctx.save(passing)
        else:
            active.relu_forward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Array | PooledGradient) -> Array | PooledGradient | None:
        if not ctx.needs_input_grad[0]:
            return None
        (passing,) = ctx.saved
        if isinstance(grad, PooledGradient):
            at_winners = np.empty(grad.grad.shape, grad.dtype)
            if grad.passing is not None:
                active.relu_backward(grad.grad, grad.passing, at_winners)
            else:
                active.pooled_relu_backward(grad.grad, grad.indices, passing, at_winners)
            return PooledGradient(at_winners, grad.indices, grad.shape)
        grad_x: Array = np.empty_like(passing, grad.dtype)
        active.relu_backward(grad, passing, grad_x)
        return grad_x


class LeakyRelu(Elementwise):
    """y = x where x > 0, else s x, with s = negative_slope.  dL/dx = g where x > 0, else s g."""

    @staticmethod
    def forward(ctx: Any, x: Array, *, negative_slope: float) -> Array:
        ctx.save(x)
        ctx.negative_slope = negative_slope
        y = np.empty_like(x)
        active.leaky_relu_forward(x, negative_slope, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (x,) = ctx.saved
        grad_x: Array = np.empty_like(x)
        active.leaky_relu_backward(grad, x, ctx.negative_slope, grad_x)
        return grad_x


class LeakyReluInplace(LeakyRelu):
    """`LeakyRelu` under the name that PyTorch gives it when it works in place."""

    node_name = "LeakyReluBackward1"


class Elu(Elementwise):
    """y = x where x > 0, else alpha (e^x - 1).  dL/dx = g where x > 0, else alpha e^x g."""

    @staticmethod
    def forward(ctx: Any, x: Array, *, alpha: float) -> Array:
        ctx.save(x)
        ctx.alpha = alpha
        y = np.empty_like(x)
        active.elu_forward(x, alpha, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (x,) = ctx.saved
        grad_x: Array = np.empty_like(x)
        active.elu_backward(grad, x, ctx.alpha, grad_x)
        return grad_x


class EluInplace(Elu):
    """`Elu` under the name that PyTorch gives it when it works in place."""

    node_name = "EluBackward1"


class Gelu(Elementwise):
    """y = x P(x), P the normal distribution function.  dL/dx = g (P(x) + x p(x)), p the normal density.

    With `approximate="tanh"`, P(x) = (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, *, approximate: str) -> Array:
        ctx.save(x)
        ctx.approximate = approximate
        y = np.empty_like(x)
        (active.gelu_tanh_forward if approximate == "tanh" else active.gelu_forward)(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (x,) = ctx.saved
        grad_x: Array = np.empty_like(x)
        backward = active.gelu_tanh_backward if ctx.approximate == "tanh" else active.gelu_backward
        backward(grad, x, grad_x)
        return grad_x


class Silu(Elementwise):
    """y = x s(x), s the sigmoid.  dL/dx = g s(x) (1 + x (1 - s(x))).  Also called swish."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save(x)
        y = np.empty_like(x)
        active.silu_forward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (x,) = ctx.saved
        grad_x: Array = np.empty_like(x)
        active.silu_backward(grad, x, grad_x)
        return grad_x


class Softplus(Elementwise):
    """y = ln(1 + e^(beta x)) / beta; y = x where beta x > threshold.  dL/dx = g s(beta x), there g."""

    @staticmethod
    def forward(ctx: Any, x: Array, *, beta: float, threshold: float) -> Array:
        ctx.save(x)
        ctx.parameters = beta, threshold
        y = np.empty_like(x)
        active.softplus_forward(x, beta, threshold, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (x,) = ctx.saved
        grad_x: Array = np.empty_like(x)
        active.softplus_backward(grad, x, *ctx.parameters, grad_x)
        return grad_x


class Sigmoid(Elementwise):
    """y = 1 / (1 + e^-x): 1 and 0 for large |x|, silently.  dL/dx = g y (1 - y)."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        y = np.empty_like(x)
        active.sigmoid_forward(x, y)
        ctx.save(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (y,) = ctx.saved
        grad_x: Array = np.empty_like(y)
        active.sigmoid_backward(grad, y, grad_x)
        return grad_x


class Tanh(Elementwise):
    """y = tanh x.  dL/dx = g (1 - y^2)."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        y = np.empty_like(x)
        active.tanh_forward(x, y)
        ctx.save(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (y,) = ctx.saved
        grad_x: Array = np.empty_like(y)
        active.tanh_backward(grad, y, grad_x)
        return grad_x


class Softmax(Operation):
    """y = e^x / sum e^x along `dim`.  dL/dx = y (g - sum g y), the sum along `dim` too.

    The largest x of each row is taken off first, which changes nothing but keeps e^x from overflowing. A row
    with +inf or NaN in it, or with nothing but -inf, becomes NaN.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, *, dim: int) -> Array:
        y = along_rows(active.softmax_forward, dim, x)
        ctx.dim = dim
        ctx.save(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (y,) = ctx.saved
        return along_rows(active.softmax_backward, ctx.dim, grad, y)


class LogSoftmax(Operation):
    """y = x - ln sum e^x along `dim`, the logarithm of softmax without its loss of digits.

    dL/dx = g - e^y sum g.  Edges as for softmax; where softmax is 0, y is finite or -inf, never NaN.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, *, dim: int) -> Array:
        y = along_rows(active.log_softmax_forward, dim, x)
        ctx.dim = dim
        ctx.save(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (y,) = ctx.saved
        return along_rows(active.log_softmax_backward, ctx.dim, grad, y)


def along_rows(kernel: Callable[..., None], dim: int, *arrays: Array) -> Array:
    """Run a kernel that works on the rows of 2-D arrays along dimension `dim` of arrays of one shape."""
    if arrays[0].ndim < 2:  # one row; a number is a row of one element
        result = np.empty((1, arrays[0].size), arrays[0].dtype)
        kernel(*[array.reshape(1, -1) for array in arrays], result)
        return result.reshape(arrays[0].shape)
    if arrays[0].ndim == 2 and dim in (1, -1):
        result = np.empty(arrays[0].shape, arrays[0].dtype)
        kernel(*arrays, result)
        return result
    moved = [np.moveaxis(array, dim, -1) for array in arrays]  # (N, C, ...) -> (N, ..., C) for dim=1
    shape = moved[0].shape
    rows = math.prod(shape[:-1]), shape[-1]
    result = np.empty(rows, arrays[0].dtype)
    kernel(*[array.reshape(rows) for array in moved], result)
    return np.ascontiguousarray(np.moveaxis(result.reshape(shape), -1, dim))
