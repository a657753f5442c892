"""Batch normalisation. The loops are in `kernels`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.layout import like_pictures
from ..autograd.operation import Operation
from ..dtypes import Array
from ..kernels import active
from .pool import PooledGradient


class NativeBatchNorm(Operation):
    """y = weight (x - mean) / sqrt(var + eps) + bias for each channel; weight and bias may be None (1 and 0).

    Shapes: x and y (N, C) or (N, C, ...); everything else (C,).

    `training`: mean and (biased) var are those of this batch, over all of x but its channel dimension, and
    the running averages, if there are any, move towards them in place:

        running_mean <- (1 - momentum) running_mean + momentum mean
        running_var  <- (1 - momentum) running_var + momentum var m / (m - 1),  m elements per channel.

    Otherwise the running averages are the mean and the var. With h = (x - mean) / sqrt(var + eps), g = dL/dy:
    dL/dbias = sum g, dL/dweight = sum g h, and

        training:   dL/dx = weight / sqrt(var + eps) (g - sum g / m - h sum(g h) / m)
        otherwise:  dL/dx = weight / sqrt(var + eps) g

    A constant channel has var = 0: h = 0, and eps keeps everything finite.
    Source: https://arxiv.org/abs/1502.03167
    """

    takes_lazy_gradients = True

    @staticmethod
    def forward(
        ctx: Any,
        x: Array,
        weight: Array | None,
        bias: Array | None,
        *,
        running_mean: Array | None,
        running_var: Array | None,
        training: bool,
        momentum: float,
        eps: float,
    ) -> Array:
        channels = x.shape[1]
        wide = x.reshape(_as_three_dimensional(x))
        out = np.empty(wide.shape, x.dtype)
        ctx.training, ctx.eps = training, eps
        if training:
            mean, var, invstd = np.empty((3, channels))
            active.batch_norm_train_forward(wide, weight, bias, eps, out, mean, var, invstd)
            ctx.save(x, weight)
            ctx.statistics = mean, invstd
            count = wide.shape[0] * wide.shape[2]
            if count:
                if running_mean is not None:
                    active.move_average(running_mean, mean, 1.0, momentum)
                if running_var is not None:
                    active.move_average(running_var, var, count / max(count - 1, 1), momentum)
        else:
            if running_mean is None or running_var is None:
                raise RuntimeError("running_mean and running_var must be defined in evaluation mode")
            # Copies: a training step between this forward and its backward moves the originals.
            mean, var = running_mean.copy(), running_var.copy()
            active.batch_norm_eval_forward(wide, weight, bias, mean, var, eps, out)
            ctx.save(x, weight)
            ctx.statistics = mean, var
        return out.reshape(x.shape)

    @classmethod
    def lay_out(cls, result: Any, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
        return like_pictures(result, inputs[0])

    @staticmethod
    def backward(ctx: Any, grad: Array | PooledGradient) -> tuple[Array, Array | None, Array | None]:
        x, weight = ctx.saved
        shape = _as_three_dimensional(x)
        grad_x = np.empty(shape, x.dtype)
        grad_weight, grad_bias = np.empty((2, shape[1]), x.dtype)
        results = grad_x, grad_weight, grad_bias
        if isinstance(grad, PooledGradient) and not ctx.training:
            grad = grad.dense()
        if isinstance(grad, PooledGradient):
            cells = (*shape[:2], grad.grad.shape[2] * grad.grad.shape[3])
            winners = grad.grad.reshape(cells), grad.indices.reshape(cells)
            mean, invstd = ctx.statistics
            active.pooled_batch_norm_train_backward(
                *winners, x.reshape(shape), weight, mean, invstd, *results
            )
        elif ctx.training:
            mean, invstd = ctx.statistics
            active.batch_norm_train_backward(
                grad.reshape(shape), x.reshape(shape), weight, mean, invstd, *results
            )
        else:
            mean, var = ctx.statistics
            active.batch_norm_eval_backward(
                grad.reshape(shape), x.reshape(shape), weight, mean, var, ctx.eps, *results
            )
        needs = ctx.needs_input_grad
        return grad_x.reshape(x.shape), grad_weight if needs[1] else None, grad_bias if needs[2] else None


def _as_three_dimensional(x: Array) -> tuple[int, int, int]:
    """(N, C, ...) -> (N, C, L): all positions in one axis."""
    return x.shape[0], x.shape[1], math.prod(x.shape[2:])
