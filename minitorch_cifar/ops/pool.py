"""Pooling over pictures: each output pixel is the maximum or the mean of a window of the input.

The loops are in `kernels`; `nn.functional` checks the arguments and works out how many windows there are,
which is `out_size` here. Shapes: x (N, C, H, W), y (N, C, *out_size), or both without N. In each docstring
`g` is the gradient dL/dy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.layout import like_pictures
from ..autograd.lazy import LazyGradient
from ..autograd.operation import Operation
from ..dtypes import Array
from ..kernels import active

Pair = tuple[int, int]


def _batch(array: Array) -> Array:
    """(C, H, W) -> (1, C, H, W), sharing memory: kernels take batches."""
    return array if array.ndim == 4 else array[None]


def _place_type(x: Array, is_asked_for: bool) -> Any:
    """The dtype of the places of winners: half the memory to go through where nobody sees them."""
    return np.int64 if is_asked_for or x.shape[-2] * x.shape[-1] >= 2**31 else np.int32


class PooledGradient(LazyGradient):
    """The gradient of a picture (N, C, H, W) behind a max pool: zero but at the winners' places.

    `grad` is the gradient by the pooled picture, `indices` the places h · W + w of the winners, both
    (N, C, PH, PW). A place that won several windows gets the sum of their gradients. `passing` says, if it
    is known, of which winners a ReLU before the pool lets the gradient pass: that saves to look them up.
    """

    def __init__(
        self, grad: Array, indices: Array, shape: tuple[int, ...], passing: Array | None = None
    ) -> None:
        self.grad, self.indices, self.passing = grad, indices, passing
        self.shape, self.dtype = shape, grad.dtype

    def dense(self) -> Array:
        """The gradient as a picture."""
        by_x = np.empty(self.shape, self.dtype)
        active.max_pool2d_backward(self.grad, self.indices, by_x)
        return by_x


class _Pool(Operation):
    """What all pools have in common: pictures with channels last stay so."""

    @classmethod
    def lay_out(cls, result: Any, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
        """The result with its dimensions in the order of the picture's."""
        return like_pictures(result, inputs[0])


class _MaxPool(_Pool):
    """What both maxima have in common: the gradient goes to the element that won.

    Saved are the places of the winners, h · W + w in the plane of the input: the input itself is not needed.
    Where few elements win, the gradient is handed on as a `PooledGradient`; not from windows with gaps, which
    may miss the picture altogether and have no winner (the place is -1 then).
    """

    has_gaps = False

    @staticmethod
    def backward(ctx: Any, grad: Array, grad_indices: Array | None = None) -> Array | PooledGradient:
        indices, passing = ctx.saved
        is_sparse = len(ctx.x_shape) == 4 and not ctx.has_gaps
        if is_sparse and 2 * grad.shape[2] * grad.shape[3] <= ctx.x_shape[2] * ctx.x_shape[3]:
            return PooledGradient(grad, indices, ctx.x_shape, passing)
        by_x = np.empty(ctx.x_shape, grad.dtype)
        active.max_pool2d_backward(_batch(grad), _batch(indices), _batch(by_x))
        return by_x

    @staticmethod
    def keep(
        ctx: Any, x: Array, out: Array, indices: Array, return_indices: bool, passing: Array | None = None
    ) -> Any:
        ctx.save(indices, passing)
        ctx.x_shape = x.shape
        return (out, indices) if return_indices else out


class MaxPool2d(_MaxPool):
    """y = the largest element of each window, which may stick out of the input by `padding`.

    dL/dx: g is added to the first largest element of its window, or, where there are NaNs, to the last NaN
    (the maximum is NaN then). With `return_indices` also the places of the winners, int64, are returned.
    """

    node_name = "MaxPool2DWithIndicesBackward0"

    @staticmethod
    def forward(
        ctx: Any,
        x: Array,
        *,
        kernel_size: Pair,
        stride: Pair,
        padding: Pair,
        dilation: Pair,
        out_size: Pair,
        return_indices: bool,
    ) -> Any:
        ctx.has_gaps = dilation != (1, 1)
        out = np.empty((*x.shape[:-2], *out_size), x.dtype)
        indices = np.empty(out.shape, _place_type(x, return_indices))
        passing = np.empty(out.shape, np.bool_) if x.ndim == 4 and ctx.needs_input_grad[0] else None
        active.max_pool2d_forward(
            _batch(x), kernel_size, stride, padding, dilation, _batch(out), _batch(indices), passing
        )
        return _MaxPool.keep(ctx, x, out, indices, return_indices, passing)


class AdaptiveMaxPool2d(_MaxPool):
    """y[h, w] = the largest element of rows ⌊h·H/OH⌋ to ⌈(h+1)·H/OH⌉ and the like columns; gradient as
    above."""

    node_name = "AdaptiveMaxPool2DBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, *, out_size: Pair, return_indices: bool) -> Any:
        out = np.empty((*x.shape[:-2], *out_size), x.dtype)
        indices = np.empty(out.shape, _place_type(x, return_indices))
        if out.size:  # loops would count through 2**31 rows of no columns
            active.adaptive_max_pool2d_forward(_batch(x), _batch(out), _batch(indices))
        return _MaxPool.keep(ctx, x, out, indices, return_indices)


class AvgPool2d(_Pool):
    """y = (sum of the elements of a window) / divisor; outside the input there are zeros.

    The divisor is `divisor_override` or else the number of elements, of which those in the padding count if
    `count_include_pad`. dL/dx = g / divisor to every element of the window.
    """

    node_name = "AvgPool2DBackward0"

    @staticmethod
    def forward(
        ctx: Any,
        x: Array,
        *,
        kernel_size: Pair,
        stride: Pair,
        padding: Pair,
        count_include_pad: bool,
        divisor_override: int | None,
        out_size: Pair,
    ) -> Array:
        ctx.parameters = (kernel_size, stride, padding, count_include_pad, divisor_override)
        ctx.x_shape = x.shape
        out = np.empty((*x.shape[:-2], *out_size), x.dtype)
        active.avg_pool2d_forward(_batch(x), *ctx.parameters, _batch(out))
        return out

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        by_x = np.empty(ctx.x_shape, grad.dtype)
        active.avg_pool2d_backward(_batch(grad), *ctx.parameters, _batch(by_x))
        return by_x


class AdaptiveAvgPool2d(_Pool):
    """y[h, w] = mean of rows ⌊h·H/OH⌋ to ⌈(h+1)·H/OH⌉ and the like columns. dL/dx = g / (number of
    elements)."""

    node_name = "AdaptiveAvgPool2DBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, *, out_size: Pair) -> Array:
        ctx.x_shape = x.shape
        out = np.empty((*x.shape[:-2], *out_size), x.dtype)
        if out.size:
            active.adaptive_avg_pool2d_forward(_batch(x), _batch(out))
        return out

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        if not grad.size:
            return np.zeros(ctx.x_shape, grad.dtype)
        by_x = np.empty(ctx.x_shape, grad.dtype)
        active.adaptive_avg_pool2d_backward(_batch(grad), _batch(by_x))
        return by_x
