"""Loss functions: the loops of `numba_kernels`, and binary cross-entropy with a logarithm of its own."""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from ..numba_kernels.flat import compiled, elementwise
from ..numba_kernels.loss import bce_backward as bce_backward
from ..numba_kernels.loss import huber_backward as huber_backward
from ..numba_kernels.loss import huber_forward as huber_forward
from ..numba_kernels.loss import mse_backward as mse_backward
from ..numba_kernels.loss import mse_forward as mse_forward
from ..numba_kernels.loss import nll_backward as nll_backward
from ..numba_kernels.loss import nll_forward as nll_forward
from ..numba_kernels.loss import smooth_l1_backward as smooth_l1_backward
from ..numba_kernels.loss import smooth_l1_forward as smooth_l1_forward
from .functions import exp, log, log1p


@elementwise
@compiled
def bce_forward(x: Array, y: Array, losses: Array) -> None:
    for i in range(losses.size):
        p, t = np.float64(x[i]), np.float64(y[i])
        log_x, log_rest = log(p), log1p(-p)
        # A comparison with NaN is false, so NaN stays.
        log_x = -100.0 if log_x < -100.0 else log_x
        log_rest = -100.0 if log_rest < -100.0 else log_rest
        losses[i] = (t - 1) * log_rest - t * log_x


@elementwise
@compiled
def _bce_with_logits_forward(x: Array, y: Array, positive_weight: Array, losses: Array) -> None:
    for i in range(losses.size):
        v, t = np.float64(x[i]), np.float64(y[i])
        softplus = log1p(exp(-abs(v))) + (-v if v < 0 or v != v else 0.0)
        losses[i] = (1 - t) * v + (1 + (positive_weight[i] - 1) * t) * softplus


@elementwise
@compiled
def _bce_with_logits_backward(
    grad_losses: Array, x: Array, y: Array, positive_weight: Array, grad_x: Array
) -> None:
    for i in range(grad_x.size):
        positive = positive_weight[i] * np.float64(y[i])
        sigmoid = 1 / (1 + exp(-np.float64(x[i])))
        grad_x[i] = grad_losses[i] * ((1 - y[i] + positive) * sigmoid - positive)


def bce_with_logits_forward(x: Array, y: Array, positive_weight: Array, losses: Array) -> None:
    _bce_with_logits_forward(x, y, np.broadcast_to(positive_weight, x.shape), losses)


def bce_with_logits_backward(
    grad_losses: Array, x: Array, y: Array, positive_weight: Array, grad_x: Array
) -> None:
    _bce_with_logits_backward(grad_losses, x, y, np.broadcast_to(positive_weight, x.shape), grad_x)
