"""Loss functions that are one operation.

The loops are in `kernels`; what is made of several operations (cross-entropy, L1, Kullback-Leibler) is put
together in `nn.functional`.

Shapes: unless said otherwise x (the prediction), y (the target) and the losses have one shape. `reduction`
"none" gives the losses l, "sum" their sum, "mean" their mean; of no elements those are 0 and NaN. In each
docstring `g` is the gradient that reaches one loss: dL/dl.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.operation import Elementwise, Operation
from ..dtypes import Array
from ..kernels import active

Pair = tuple[Array | None, Array | None]


def reduce(losses: Array, reduction: str) -> Array:
    """The losses themselves, their sum or their mean; added up in float64."""
    if reduction == "none":
        return losses
    total = losses.sum(dtype=np.float64)
    if reduction == "mean":
        with np.errstate(all="ignore"):
            total = np.divide(total, losses.size)
    return np.asarray(total, losses.dtype)


def spread(grad: Array, reduction: str, shape: tuple[int, ...]) -> Array:
    """The gradient that reaches each loss, given the gradient of the reduced loss."""
    if reduction == "none":
        return grad
    size = int(np.prod(shape))
    return np.full(shape, grad / size if reduction == "mean" and size else grad, grad.dtype)


def divide(a: float, b: float) -> float:
    """a / b as NumPy divides, without its warnings: where b is 0, infinity, or NaN if a is 0 too."""
    if b:
        return a / b  # NumPy takes much longer
    with np.errstate(all="ignore"):
        return float(np.divide(a, b))


class NllLoss(Operation):
    """l = -w[t] x[t] for each row x of log-probabilities with target class t.

    Shapes: x (N, C), target and losses (N,), weight (C,) or None (all 1); or a single row: x (C,), target ()
    or (1,), loss (). target is int64. Rows with the target `ignore_index` have loss and weight 0. "mean"
    divides by the sum of the weights w[t], so it is NaN when every row is ignored.
    dL/dx[n, t_n] = -w[t_n] g_n, all others 0.  IndexError for a target that is no class.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Array, *, target: Array, weight: Array | None, ignore_index: int, reduction: str
    ) -> Array:
        rows = x.reshape(-1, x.shape[-1]) if x.ndim == 1 else x
        ctx.save(target)
        labels = target.reshape(-1)
        ctx.ignore_index, ctx.reduction, ctx.shape = ignore_index, reduction, x.shape
        losses, ctx.weights = np.empty((2, rows.shape[0]), x.dtype)
        sums = np.empty(2)
        bad_row = active.nll_forward(rows, labels, weight, ignore_index, losses, ctx.weights, sums)
        if bad_row >= 0:
            raise IndexError(f"Target {labels[bad_row]} is out of bounds.")
        if reduction == "none":
            return losses.reshape(x.shape[:-1])
        total, ctx.total_weight = sums.tolist()
        if reduction == "mean":
            total = divide(total, ctx.total_weight)
        return np.asarray(total, x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        labels = ctx.saved[0].reshape(-1)
        if ctx.reduction == "none":
            grad_losses = grad.reshape(-1)
        else:
            share = divide(float(grad), ctx.total_weight) if ctx.reduction == "mean" else float(grad)
            grad_losses = np.array([share], grad.dtype)
        grad_x = np.empty((labels.size, ctx.shape[-1]), grad.dtype)
        active.nll_backward(grad_losses, labels, ctx.weights, ctx.ignore_index, grad_x)
        return grad_x.reshape(ctx.shape)


class NllLoss2D(Operation):
    """`NllLoss` for pictures: x (N, C, H, W), target and losses (N, H, W); each pixel is a row."""

    @staticmethod
    def forward(ctx: Any, x: Array, *, target: Array, **parameters: Any) -> Array:
        channels_last = np.moveaxis(x, 1, -1)  # (N, C, H, W) -> (N, H, W, C)
        ctx.layout = channels_last.shape
        rows = channels_last.reshape(target.size, x.shape[1])
        result = NllLoss.forward(ctx, rows, target=target, **parameters)
        return result.reshape(target.shape) if parameters["reduction"] == "none" else result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        rows = NllLoss.backward(ctx, grad)
        return np.ascontiguousarray(np.moveaxis(rows.reshape(ctx.layout), -1, 1))  # back to (N, C, H, W)


class MseLoss(Elementwise):
    """l = (x - y)^2.  dL/dx = 2 (x - y) g, dL/dy the opposite."""

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array, *, reduction: str) -> Array:
        ctx.save(x, y)
        ctx.reduction = reduction
        losses = np.empty(x.shape, x.dtype)
        active.mse_forward(x, y, losses)
        return reduce(losses, reduction)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        x, y = ctx.saved
        grad_x = np.empty(x.shape, x.dtype)
        active.mse_backward(spread(grad, ctx.reduction, x.shape), x, y, grad_x)
        return _opposites(ctx, grad_x)


class SmoothL1Loss(Elementwise):
    """l = d^2 / (2 beta) where |d| < beta, else |d| - beta / 2, with d = x - y.

    dL/dx = g d / beta where |d| < beta, else g sign(d); dL/dy the opposite.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array, *, beta: float, reduction: str) -> Array:
        ctx.save(x, y)
        ctx.beta, ctx.reduction = beta, reduction
        losses = np.empty(x.shape, x.dtype)
        active.smooth_l1_forward(x, y, beta, losses)
        return reduce(losses, reduction)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        x, y = ctx.saved
        grad_x = np.empty(x.shape, x.dtype)
        active.smooth_l1_backward(spread(grad, ctx.reduction, x.shape), x, y, ctx.beta, grad_x)
        return _opposites(ctx, grad_x)


class HuberLoss(Elementwise):
    """l = d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), with d = x - y.

    dL/dx = g d where |d| <= delta, else g delta sign(d); dL/dy the opposite.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array, *, delta: float, reduction: str) -> Array:
        ctx.save(x, y)
        ctx.delta, ctx.reduction = delta, reduction
        losses = np.empty(x.shape, x.dtype)
        active.huber_forward(x, y, delta, losses)
        return reduce(losses, reduction)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        x, y = ctx.saved
        grad_x = np.empty(x.shape, x.dtype)
        active.huber_backward(spread(grad, ctx.reduction, x.shape), x, y, ctx.delta, grad_x)
        return _opposites(ctx, grad_x)


def _opposites(ctx: Any, grad_x: Array) -> Pair:
    """dL/dx and dL/dy of a loss that depends on x - y alone."""
    return grad_x if ctx.needs_input_grad[0] else None, -grad_x if ctx.needs_input_grad[1] else None


class BinaryCrossEntropy(Elementwise):
    """l = -w (y ln x + (1 - y) ln(1 - x)) for probabilities x, with the logarithms held above -100.

    w is `weight`, broadcast to x, or 1. dL/dx = w g (x - y) / (x (1 - x)), the denominator held above 1e-12;
    dL/dy = w g (ln(1 - x) - ln x), infinite at x = 0 and 1.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array, *, weight: Array | None, reduction: str) -> Array:
        ctx.save(x, y, weight)
        ctx.reduction = reduction
        losses = np.empty(x.shape, x.dtype)
        active.bce_forward(x, y, losses)
        return reduce(losses if weight is None else losses * weight, reduction)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        x, y, weight = ctx.saved
        grad_losses = _weighted(spread(grad, ctx.reduction, x.shape), weight)
        grad_x = grad_y = None
        if ctx.needs_input_grad[0]:
            grad_x = np.empty(x.shape, x.dtype)
            active.bce_backward(grad_losses, x, y, grad_x)
        if ctx.needs_input_grad[1]:
            with np.errstate(all="ignore"):
                grad_y = grad_losses * (np.log1p(-x) - np.log(x))
        return grad_x, grad_y


class BinaryCrossEntropyWithLogits(Elementwise):
    """Binary cross-entropy of sigmoid(x), exact for large |x|.

    l = w ((1 - y) x + (1 + (p - 1) y) ln(1 + e^-x)).

    w is `weight` and p is `pos_weight`, which scales the loss of positive targets; both broadcast to x and
    are 1 when absent. dL/dx = w g ((1 - y + p y) s(x) - p y) with s the sigmoid;
    dL/dy = w g ((p - 1) ln(1 + e^-x) - x).
    """

    @staticmethod
    def forward(
        ctx: Any, x: Array, y: Array, *, weight: Array | None, pos_weight: Array | None, reduction: str
    ) -> Array:
        pos_weight = np.ones((), x.dtype) if pos_weight is None else pos_weight
        ctx.save(x, y, weight, pos_weight)
        ctx.reduction = reduction
        losses = np.empty(x.shape, x.dtype)
        active.bce_with_logits_forward(x, y, pos_weight, losses)
        return reduce(losses if weight is None else losses * weight, reduction)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        x, y, weight, pos_weight = ctx.saved
        grad_losses = _weighted(spread(grad, ctx.reduction, x.shape), weight)
        grad_x = grad_y = None
        if ctx.needs_input_grad[0]:
            grad_x = np.empty(x.shape, x.dtype)
            active.bce_with_logits_backward(grad_losses, x, y, pos_weight, grad_x)
        if ctx.needs_input_grad[1]:
            softplus = np.empty(x.shape, x.dtype)
            active.softplus_forward(-x, 1.0, np.inf, softplus)
            grad_y = grad_losses * ((pos_weight - 1) * softplus - x)
        return grad_x, grad_y


def _weighted(grad_losses: Array, weight: Array | None) -> Array:
    return grad_losses if weight is None else grad_losses * weight


class Xlogy(Elementwise):
    """z = x ln y, 0 where x = 0 whatever y.  dL/dx = g ln y (0 where x = 0 and y <= 0), dL/dy = g x / y."""

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array) -> Array:
        ctx.save(x, y)
        return _xlogy(x, y)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        x, y = ctx.saved
        grad_x = grad_y = None
        with np.errstate(all="ignore"):
            if ctx.needs_input_grad[0]:
                grad_x = grad * np.where((x == 0) & (y <= 0), 0, np.log(y)).astype(x.dtype, copy=False)
            if ctx.needs_input_grad[1]:
                grad_y = grad * x / y
        return grad_x, grad_y


def _xlogy(x: Array, y: Array) -> Array:
    with np.errstate(all="ignore"):
        product = x * np.log(y)
    return np.where((x == 0) & ~np.isnan(y), 0, product).astype(product.dtype, copy=False)
