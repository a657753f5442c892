"""The linear layer on rows: y = x W^T + b. The products are in `kernels`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.node import NO_EDGE, Edge
from ..autograd.operation import Operation
from ..autograd.variable import TensorBase
from ..dtypes import Array
from ..kernels import active
from .shape import T

Triple = tuple[Array | None, Array | None, Array | None]


class LinearRows(Operation):
    """y[m, o] = b[o] + sum over k of x[m, k] weight[o, k].

    Shapes: bias b (O,), x (M, K), weight (O, K), y (M, O). It is `Addmm` of b, x and the transposed weight w:
    it has its name and the order of its inputs, and between it and the weight the graph has a `T`, though no
    tensor is made for w.
    dL/db = sum over m of g, dL/dx = g w^T, dL/dw = x^T g.
    """

    node_name = "AddmmBackward0"

    @staticmethod
    def forward(ctx: Any, bias: Array, x: Array, weight: Array) -> Array:
        ctx.save(x if ctx.needs_input_grad[2] else None, weight.T if ctx.needs_input_grad[1] else None)
        y = np.empty((x.shape[0], weight.shape[0]), x.dtype)
        active.linear_forward(x, weight, bias, y)
        return y

    def record(self, edges: Sequence[Edge], outputs: Sequence[TensorBase]) -> None:
        """Put a `T` between this node and the weight."""
        bias, x, weight = edges
        if weight is not NO_EDGE:
            transpose = T()
            transpose.connect((weight,))
            columns, rows = self.saved[0].shape[1], outputs[0]._array.shape[1]
            transpose.output_metadata = [((columns, rows), outputs[0]._array.dtype)]
            weight = (transpose, 0)
        super().record((bias, x, weight), outputs)

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
