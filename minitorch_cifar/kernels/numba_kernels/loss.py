"""Loss functions as Numba loops; the formulas and their edges are explained in `numpy_kernels`.

The two forms of binary cross-entropy, which are little else than logarithms, come from NumPy in both
backends: its `log1p` and `exp` work on several numbers at once.
"""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from ..numpy_kernels.loss import bce_backward as bce_backward
from ..numpy_kernels.loss import bce_forward as bce_forward
from ..numpy_kernels.loss import bce_with_logits_backward as bce_with_logits_backward
from ..numpy_kernels.loss import bce_with_logits_forward as bce_with_logits_forward
from .flat import compiled, contiguous, elementwise


@compiled
def _nll_forward(
    log_probabilities: Array,
    target: Array,
    weight: Array,
    ignore_index: int,
    losses: Array,
    weights: Array,
    sums: Array,
) -> int:
    rows, classes = log_probabilities.shape
    total, weight_sum = 0.0, 0.0
    for n in range(rows):
        label = target[n]
        if label == ignore_index:
            losses[n] = 0
            weights[n] = 0
            continue
        if label < 0 or label >= classes:
            return n
        weights[n] = weight[label] if weight.size else 1
        losses[n] = -weights[n] * log_probabilities[n, label]
        total += losses[n]
        weight_sum += weights[n]
    sums[0], sums[1] = total, weight_sum
    return -1


def nll_forward(
    log_probabilities: Array,
    target: Array,
    weight: Array | None,
    ignore_index: int,
    losses: Array,
    weights: Array,
    sums: Array,
) -> int:
    """Losses and weights of the rows and their sums; the first row whose target is no class, or -1."""
    if weight is None:
        weight = np.empty(0, log_probabilities.dtype)
    return int(
        _nll_forward(
            np.ascontiguousarray(log_probabilities),
            np.ascontiguousarray(target),
            weight,
            ignore_index,
            losses,
            weights,
            sums,
        )
    )


@contiguous
@compiled
def nll_backward(grad_losses: Array, target: Array, weights: Array, ignore_index: int, grad: Array) -> None:
    grad[:] = 0
    for n in range(target.size):
        if target[n] != ignore_index:
            grad[n, target[n]] = -weights[n] * grad_losses[n if grad_losses.size > 1 else 0]


@elementwise
@compiled
def mse_forward(x: Array, y: Array, losses: Array) -> None:
    for i in range(losses.size):
        difference = x[i] - y[i]
        losses[i] = difference * difference


@elementwise
@compiled
def mse_backward(grad_losses: Array, x: Array, y: Array, grad_x: Array) -> None:
    for i in range(grad_x.size):
        grad_x[i] = 2 * grad_losses[i] * (x[i] - y[i])


@elementwise
@compiled
def smooth_l1_forward(x: Array, y: Array, beta: float, losses: Array) -> None:
    for i in range(losses.size):
        distance = abs(x[i] - y[i])
        losses[i] = 0.5 * distance * distance / beta if distance < beta else distance - 0.5 * beta


@elementwise
@compiled
def smooth_l1_backward(grad_losses: Array, x: Array, y: Array, beta: float, grad_x: Array) -> None:
    for i in range(grad_x.size):
        grad_x[i] = grad_losses[i] * min(max((x[i] - y[i]) / beta, -1.0), 1.0)


@elementwise
@compiled
def huber_forward(x: Array, y: Array, delta: float, losses: Array) -> None:
    for i in range(losses.size):
        distance = abs(x[i] - y[i])
        losses[i] = 0.5 * distance * distance if distance <= delta else delta * (distance - 0.5 * delta)


@elementwise
@compiled
def huber_backward(grad_losses: Array, x: Array, y: Array, delta: float, grad_x: Array) -> None:
    for i in range(grad_x.size):
        difference = np.float64(x[i]) - y[i]
        grad_x[i] = grad_losses[i] * min(max(difference, -delta), delta)
