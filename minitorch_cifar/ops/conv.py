"""Convolution over pictures. The loops are in `kernels`; `nn.functional.conv2d` checks the arguments.

Legend: n picture, o output channel, c input channel, (h, w) pixel of the output, (i, j) position in the
kernel, s stride, p padding, d dilation.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.layout import like_pictures
from ..autograd.operation import Operation
from ..dtypes import Array
from ..kernels import active
from .pool import PooledGradient

Pair = tuple[int, int]
Shape = tuple[int, ...]


def window_count(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """How many windows fit: ⌊(size + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1."""
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


@functools.lru_cache(maxsize=256)
def _out_shape(x: Shape, weight: Shape, stride: Pair, padding: Pair, dilation: Pair) -> Shape:
    sizes = zip(x[2:], weight[2:], stride, padding, dilation, strict=True)
    return (x[0], weight[0], *(window_count(*size) for size in sizes))


class Convolution(Operation):
    """y[n, o, h, w] = b[o] + Σ_cij weight[o, c, i, j] · x[n, c, h·s + i·d − p, w·s + j·d − p], x being 0
    outside.

    Shapes: x (N, C, H, W), weight (O, C/groups, KH, KW), b (O,) or None, y (N, O, OH, OW), where OH and OW
    are the `window_count`s. Output channel o sees the input channels of its group only, C/groups of them.
    dL/dx[n, c, y, x] = Σ of weight[o, c, i, j] · g[n, o, h, w] over all (o, i, j, h, w) that met that
    pixel. dL/dweight[o, c, i, j] = Σ_nhw g[n, o, h, w] · x[n, c, h·s + i·d − p, w·s + j·d − p]. dL/db[o] =
    Σ_nhw g[n, o, h, w]. A gradient behind a max pool stays as it is: only its winners are in the sums.
    """

    takes_lazy_gradients = True

    @staticmethod
    def forward(
        ctx: Any,
        x: Array,
        weight: Array,
        bias: Array | None,
        *,
        stride: Pair,
        padding: Pair,
        dilation: Pair,
        groups: int,
    ) -> Array:
        ctx.save(x if ctx.needs_input_grad[1] else None, weight if ctx.needs_input_grad[0] else None)
        ctx.x_shape, ctx.weight_shape = x.shape, weight.shape
        ctx.parameters = (stride, padding, dilation, groups)
        out = np.empty(_out_shape(x.shape, weight.shape, stride, padding, dilation), x.dtype)
        active.conv2d_forward(x, weight, bias, stride, padding, dilation, groups, out)
        return out

    @classmethod
    def lay_out(cls, result: Any, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
        return like_pictures(result, *inputs[:2])

    @staticmethod
    def backward(ctx: Any, grad: Array | PooledGradient) -> tuple[Array | None, Array | None, Array | None]:
        x, weight = ctx.saved
        by_input, by_kernel = active.conv2d_grad_input, active.conv2d_grad_weight
        if isinstance(grad, PooledGradient):
            size = (grad.shape[2], grad.shape[3])
            gradient: tuple[Any, ...] = (grad.grad, grad.indices, size)
            by_input, by_kernel = active.pooled_conv2d_grad_input, active.pooled_conv2d_grad_weight
        else:
            gradient = (np.ascontiguousarray(grad),)  # once, not in each kernel
        by_x = by_weight = by_bias = None
        if ctx.needs_input_grad[0]:
            by_x = np.empty(ctx.x_shape, grad.dtype)
            by_input(*gradient, weight, *ctx.parameters, by_x)
        if ctx.needs_input_grad[1]:
            by_weight = np.empty(ctx.weight_shape, grad.dtype)
        if ctx.needs_input_grad[2]:
            by_bias = np.empty(ctx.weight_shape[0], grad.dtype)
        if by_weight is not None and by_bias is not None and len(gradient) == 1:
            active.conv2d_grad_parameters(*gradient, x, *ctx.parameters, by_weight, by_bias)
            return by_x, by_weight, by_bias
        if by_weight is not None:
            by_kernel(*gradient, x, *ctx.parameters, by_weight)
        if by_bias is not None:
            active.conv2d_grad_bias(gradient[0], by_bias)
        return by_x, by_weight, by_bias
