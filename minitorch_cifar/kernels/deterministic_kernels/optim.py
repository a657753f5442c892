"""Optimiser steps: the loops of `numba_kernels`. They are arithmetic and square roots, element by element;
only Adam's powers of its betas, which come from the C library there, are multiplied out here.
"""

from __future__ import annotations

import math

from ...dtypes import Array
from ..numba_kernels.layout import behaved, deliver
from ..numba_kernels.optim import _adam
from ..numba_kernels.optim import adadelta_step as adadelta_step
from ..numba_kernels.optim import adagrad_step as adagrad_step
from ..numba_kernels.optim import rmsprop_step as rmsprop_step
from ..numba_kernels.optim import sgd_step as sgd_step
from ..shapes import refuse_shape


def _power(base: float, exponent: int) -> float:
    """base ** exponent by squaring."""
    result = 1.0
    while exponent:
        if exponent & 1:
            result *= base
        base *= base
        exponent >>= 1
    return result


def adam_step(
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    max_exp_avg_sq: Array | None,
    step: int,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    maximize: bool,
) -> None:
    """Adam, or AdamW when `decoupled`; with AMSGrad when there is a running maximum."""
    given = [param, exp_avg, exp_avg_sq]
    if max_exp_avg_sq is not None:
        given.append(max_exp_avg_sq)
    for array in (grad, *given):
        if array.shape != param.shape:
            refuse_shape(param, array)
    results = [behaved(array) for array in given]
    flat = [array.reshape(-1) for array in results]
    _adam(
        flat[0],
        behaved(grad).reshape(-1),
        flat[1],
        flat[2],
        flat[-1],
        max_exp_avg_sq is not None,
        lr / (1 - _power(beta1, step)),
        math.sqrt(1 - _power(beta2, step)),
        beta1,
        beta2,
        eps,
        1 - lr * weight_decay if decoupled else 1.0,
        0.0 if decoupled else weight_decay,
        maximize,
    )
    for result, array in zip(results, given, strict=True):
        deliver(result, array)
