"""Loss functions on NumPy arrays: the readable specification.

Each `f_forward` writes one loss per element (or per row, for `nll`) and each `f_backward` the gradient by the
prediction x, given the gradient of each loss. Taking the mean or the sum is the caller's business. In the
element-wise losses x, y (the target), the losses and the gradients all have the same shape.
"""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from . import silently


@silently
def nll_forward(
    log_probabilities: Array,
    target: Array,
    weight: Array | None,
    ignore_index: int,
    losses: Array,
    weights: Array,
    sums: Array,
) -> int:
    """losses[n] = -w[n] · log_probabilities[n, target[n]], weights[n] = w[n] = weight[target[n]], and the
    sums of both, in float64.

    w[n] is 1 without `weight`, and loss and w are 0 where target[n] == ignore_index. Returns the number of
    the first row whose target is neither a class nor `ignore_index`, -1 when there is none; after such a row
    the outputs mean nothing.
    """
    classes = log_probabilities.shape[1]
    kept = target != ignore_index
    outside = kept & ((target < 0) | (target >= classes))
    if outside.any():
        return int(outside.argmax())
    rows = np.flatnonzero(kept)
    chosen = target[rows]
    losses.fill(0)
    weights.fill(0)
    weights[rows] = 1 if weight is None else weight[chosen]
    losses[rows] = -weights[rows] * log_probabilities[rows, chosen]
    sums[:] = losses.sum(dtype=np.float64), weights.sum(dtype=np.float64)
    return -1


@silently
def nll_backward(grad_losses: Array, target: Array, weights: Array, ignore_index: int, grad: Array) -> None:
    """dL/dlog_probabilities[n, c] = -weights[n] · grad_losses[n] where c = target[n], else 0.

    A `grad_losses` of one element is that of all rows.
    """
    grad.fill(0)
    rows = np.flatnonzero(target != ignore_index)
    grad[rows, target[rows]] = -weights[rows] * np.broadcast_to(grad_losses, target.shape)[rows]


@silently
def mse_forward(x: Array, y: Array, losses: Array) -> None:
    """loss = (x - y)²."""
    np.subtract(x, y, out=losses)
    np.square(losses, out=losses)


@silently
def mse_backward(grad_losses: Array, x: Array, y: Array, grad_x: Array) -> None:
    """dL/dx = 2 (x - y) g."""
    np.subtract(x, y, out=grad_x)
    np.multiply(grad_x, 2 * grad_losses, out=grad_x)


@silently
def smooth_l1_forward(x: Array, y: Array, beta: float, losses: Array) -> None:
    """loss = d² / (2 beta) where |d| < beta, else |d| - beta / 2; d = x - y."""
    distance = np.abs(x - y)
    square = 0.5 * distance * distance / beta
    np.copyto(losses, np.where(distance < beta, square, distance - 0.5 * beta))


@silently
def smooth_l1_backward(grad_losses: Array, x: Array, y: Array, beta: float, grad_x: Array) -> None:
    """dL/dx = g · d / beta where |d| < beta, else g · sign(d); d = x - y."""
    np.multiply(grad_losses, np.clip((x - y) / beta, -1, 1), out=grad_x)


@silently
def huber_forward(x: Array, y: Array, delta: float, losses: Array) -> None:
    """loss = d² / 2 where |d| <= delta, else delta · (|d| - delta / 2); d = x - y."""
    distance = np.abs(x - y)
    square = 0.5 * distance * distance
    np.copyto(losses, np.where(distance <= delta, square, delta * (distance - 0.5 * delta)))


@silently
def huber_backward(grad_losses: Array, x: Array, y: Array, delta: float, grad_x: Array) -> None:
    """dL/dx = g · d where |d| <= delta, else g · delta · sign(d); d = x - y."""
    np.multiply(grad_losses, np.clip(x - y, -delta, delta), out=grad_x)


_SMALLEST_DENOMINATOR = float(np.float32(1e-12))  # a float32 constant in PyTorch, for float64 too


@silently
def bce_forward(x: Array, y: Array, losses: Array) -> None:
    """loss = -(y log x + (1 - y) log(1 - x)), both logarithms held above -100 so that log 0 stays finite."""
    log_x = np.maximum(np.log(x), -100)
    log_rest = np.maximum(np.log1p(-x), -100)
    np.subtract((y - 1) * log_rest, y * log_x, out=losses)


@silently
def bce_backward(grad_losses: Array, x: Array, y: Array, grad_x: Array) -> None:
    """dL/dx = g · (x - y) / (x (1 - x)), the denominator held above 1e-12."""
    np.divide(grad_losses * (x - y), np.maximum((1 - x) * x, _SMALLEST_DENOMINATOR), out=grad_x)


@silently
def bce_with_logits_forward(x: Array, y: Array, positive_weight: Array, losses: Array) -> None:
    """loss = (1 - y) x + (1 + (positive_weight - 1) y) · log(1 + exp(-x)).

    This is binary cross-entropy of sigmoid(x), with the positive class weighted. log(1 + exp(-x)) is computed
    as log(1 + exp(-|x|)) + max(-x, 0), in which exp cannot overflow.
    """
    softplus = np.log1p(np.exp(-np.abs(x))) + np.maximum(-x, 0)
    np.add((1 - y) * x, (1 + (positive_weight - 1) * y) * softplus, out=losses)


@silently
def bce_with_logits_backward(
    grad_losses: Array, x: Array, y: Array, positive_weight: Array, grad_x: Array
) -> None:
    """dL/dx = g · ((1 - y + t) · sigmoid(x) - t), t = positive_weight · y."""
    sigmoid = 1 / (1 + np.exp(-x))
    positive = positive_weight * y
    np.multiply(grad_losses, (1 - y + positive) * sigmoid - positive, out=grad_x)
