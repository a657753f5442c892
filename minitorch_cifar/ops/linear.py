"""The linear layer on rows: y = x W^T + b. The products are in `kernels`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.operation import Operation
from ..dtypes import Array
from ..kernels import active

Triple = tuple[Array | None, Array | None, Array | None]


class LinearRows(Operation):
    """y[m, o] = b[o] + sum over k of x[m, k] w[k, o].

    Shapes: bias b (O,), x (M, K), transposed weight w (K, O), y (M, O). It is `Addmm` for the case of the
    layer, and has its name and the order of its inputs.
    dL/db = sum over m of g, dL/dx = g w^T, dL/dw = x^T g.
    """

    node_name = "AddmmBackward0"

    @staticmethod
    def forward(ctx: Any, bias: Array, x: Array, transposed: Array) -> Array:
        ctx.save(x if ctx.needs_input_grad[2] else None, transposed if ctx.needs_input_grad[1] else None)
        y = np.empty((x.shape[0], transposed.shape[1]), x.dtype)
        active.linear_forward(x, transposed.T, bias, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Triple:
        x, transposed = ctx.saved
        grad_bias = grad_x = grad_transposed = None
        if ctx.needs_input_grad[0]:
            grad_bias = np.empty(grad.shape[1:], grad.dtype)
            active.linear_grad_bias(grad, grad_bias)
        if transposed is not None:
            grad_x = np.empty((grad.shape[0], transposed.shape[0]), grad.dtype)
            active.linear_grad_input(grad, transposed.T, grad_x)
        if x is not None:
            grad_weight = np.empty((grad.shape[1], x.shape[1]), grad.dtype)
            active.linear_grad_weight(grad, x, grad_weight)
            grad_transposed = grad_weight.T
        return grad_bias, grad_x, grad_transposed
