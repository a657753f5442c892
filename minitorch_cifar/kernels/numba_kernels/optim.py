"""One optimiser step as one Numba loop over a parameter; the formulas are explained in `numpy_kernels`.

Each loop reads every array once and writes it once, which is what bounds its speed. Numbers are cast to the
parameter's dtype beforehand: a float32 step is float32 arithmetic, as in the NumPy kernels and in PyTorch.
Where a state array is absent, the parameter takes its place in the call and a flag keeps the loop away from
it. Arrays that are not contiguous, which parameters hardly ever are, go to the NumPy kernels.
"""

from __future__ import annotations

import math

from numba import prange

from ...dtypes import Array
from ..numpy_kernels import optim as numpy_kernels
from ..shapes import refuse_shape
from .flat import compiled
from .runtime import in_parallel

_ENOUGH = 1 << 15  # numbers of a parameter that are worth the start of threads


def _contiguous(param: Array, *others: Array | None) -> bool:
    """Whether all are; RuntimeError for one of another shape than the parameter's: no loop may touch it."""
    # A loop, as this runs for each parameter in each step, and `all(...)` takes twice the time.
    shape, contiguous = param.shape, param.flags.c_contiguous
    for array in others:
        if array is not None:
            if array.shape != shape:
                refuse_shape(param, array)
            contiguous = contiguous and array.flags.c_contiguous
    return contiguous


@in_parallel(enough=_ENOUGH)
def _sgd(
    param: Array,
    grad: Array,
    buffer: Array,
    has_buffer: bool,
    first_step: bool,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
) -> None:
    number = param.dtype.type
    lr, momentum, decay = number(lr), number(momentum), number(weight_decay)
    share = number(1 - dampening)
    for i in prange(param.size):
        d = -grad[i] if maximize else grad[i]
        if decay != 0:
            d += decay * param[i]
        if has_buffer:
            b = d if first_step else momentum * buffer[i] + share * d
            buffer[i] = b
            d = d + momentum * b if nesterov else b
        param[i] -= lr * d


def sgd_step(
    param: Array,
    grad: Array,
    momentum_buffer: Array | None,
    first_step: bool,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
) -> None:
    """Stochastic gradient descent, with momentum when there is a buffer."""
    if not _contiguous(param, grad, momentum_buffer):
        numpy_kernels.sgd_step(
            param,
            grad,
            momentum_buffer,
            first_step,
            lr,
            momentum,
            dampening,
            weight_decay,
            nesterov,
            maximize,
        )
        return
    flat = param.ravel()
    _sgd.of(flat.size)(
        flat,
        grad.ravel(),
        flat if momentum_buffer is None else momentum_buffer.ravel(),
        momentum_buffer is not None,
        first_step,
        lr,
        momentum,
        dampening,
        weight_decay,
        nesterov,
        maximize,
    )


@compiled
def _adam(
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    max_exp_avg_sq: Array,
    amsgrad: bool,
    step_size: float,
    correction: float,
    beta1: float,
    beta2: float,
    eps: float,
    shrink: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    number = param.dtype.type
    size, root, tiny = number(step_size), number(correction), number(eps)
    share1, keep2, share2 = number(1 - beta1), number(beta2), number(1 - beta2)
    keep, decay = number(shrink), number(weight_decay)
    for i in range(param.size):
        p = param[i] * keep
        g = -grad[i] if maximize else grad[i]
        if decay != 0:
            g += decay * p
        exp_avg[i] += share1 * (g - exp_avg[i])
        v = keep2 * exp_avg_sq[i] + share2 * (g * g)
        exp_avg_sq[i] = v
        if amsgrad:
            v = v if v > max_exp_avg_sq[i] or v != v else max_exp_avg_sq[i]
            max_exp_avg_sq[i] = v
        param[i] = p - size * exp_avg[i] / (math.sqrt(v) / root + tiny)


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
    if not _contiguous(param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq):
        numpy_kernels.adam_step(
            param,
            grad,
            exp_avg,
            exp_avg_sq,
            max_exp_avg_sq,
            step,
            lr,
            beta1,
            beta2,
            eps,
            weight_decay,
            decoupled,
            maximize,
        )
        return
    flat = param.ravel()
    _adam(
        flat,
        grad.ravel(),
        exp_avg.ravel(),
        exp_avg_sq.ravel(),
        flat if max_exp_avg_sq is None else max_exp_avg_sq.ravel(),
        max_exp_avg_sq is not None,
        lr / (1 - beta1**step),
        math.sqrt(1 - beta2**step),
        beta1,
        beta2,
        eps,
        1 - lr * weight_decay if decoupled else 1.0,
        0.0 if decoupled else weight_decay,
        maximize,
    )


@compiled
def _rmsprop(
    param: Array,
    grad: Array,
    square_avg: Array,
    grad_avg: Array,
    buffer: Array,
    centered: bool,
    has_buffer: bool,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    maximize: bool,
) -> None:
    number = param.dtype.type
    rate, keep, share, tiny = number(lr), number(alpha), number(1 - alpha), number(eps)
    decay, inertia = number(weight_decay), number(momentum)
    for i in range(param.size):
        g = -grad[i] if maximize else grad[i]
        if decay != 0:
            g += decay * param[i]
        v = keep * square_avg[i] + share * (g * g)
        square_avg[i] = v
        if centered:
            a = grad_avg[i] + share * (g - grad_avg[i])
            grad_avg[i] = a
            v -= a * a
        d = g / (math.sqrt(v) + tiny)
        if has_buffer:
            d += inertia * buffer[i]
            buffer[i] = d
        param[i] -= rate * d


def rmsprop_step(
    param: Array,
    grad: Array,
    square_avg: Array,
    grad_avg: Array | None,
    momentum_buffer: Array | None,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    maximize: bool,
) -> None:
    """RMSprop; centred when there is a `grad_avg`, with momentum when there is a buffer."""
    if not _contiguous(param, grad, square_avg, grad_avg, momentum_buffer):
        numpy_kernels.rmsprop_step(
            param,
            grad,
            square_avg,
            grad_avg,
            momentum_buffer,
            lr,
            alpha,
            eps,
            weight_decay,
            momentum,
            maximize,
        )
        return
    flat = param.ravel()
    _rmsprop(
        flat,
        grad.ravel(),
        square_avg.ravel(),
        flat if grad_avg is None else grad_avg.ravel(),
        flat if momentum_buffer is None else momentum_buffer.ravel(),
        grad_avg is not None,
        momentum_buffer is not None,
        lr,
        alpha,
        eps,
        weight_decay,
        momentum,
        maximize,
    )


@compiled
def _adagrad(
    param: Array, grad: Array, square_sum: Array, lr: float, eps: float, weight_decay: float, maximize: bool
) -> None:
    number = param.dtype.type
    rate, tiny, decay = number(lr), number(eps), number(weight_decay)
    for i in range(param.size):
        g = -grad[i] if maximize else grad[i]
        if decay != 0:
            g += decay * param[i]
        square_sum[i] += g * g
        param[i] -= rate * g / (math.sqrt(square_sum[i]) + tiny)


def adagrad_step(
    param: Array,
    grad: Array,
    square_sum: Array,
    lr: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """Adagrad."""
    if not _contiguous(param, grad, square_sum):
        numpy_kernels.adagrad_step(param, grad, square_sum, lr, eps, weight_decay, maximize)
        return
    _adagrad(param.ravel(), grad.ravel(), square_sum.ravel(), lr, eps, weight_decay, maximize)


@compiled
def _adadelta(
    param: Array,
    grad: Array,
    square_avg: Array,
    acc_delta: Array,
    lr: float,
    rho: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    number = param.dtype.type
    rate, keep, share, tiny = number(lr), number(rho), number(1 - rho), number(eps)
    decay = number(weight_decay)
    for i in range(param.size):
        g = -grad[i] if maximize else grad[i]
        if decay != 0:
            g += decay * param[i]
        square_avg[i] = keep * square_avg[i] + share * (g * g)
        d = math.sqrt(acc_delta[i] + tiny) / math.sqrt(square_avg[i] + tiny) * g
        acc_delta[i] = keep * acc_delta[i] + share * (d * d)
        param[i] -= rate * d


def adadelta_step(
    param: Array,
    grad: Array,
    square_avg: Array,
    acc_delta: Array,
    lr: float,
    rho: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """Adadelta."""
    if not _contiguous(param, grad, square_avg, acc_delta):
        numpy_kernels.adadelta_step(param, grad, square_avg, acc_delta, lr, rho, eps, weight_decay, maximize)
        return
    _adadelta(
        param.ravel(),
        grad.ravel(),
        square_avg.ravel(),
        acc_delta.ravel(),
        lr,
        rho,
        eps,
        weight_decay,
        maximize,
    )
