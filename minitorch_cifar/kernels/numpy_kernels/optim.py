"""One optimiser step on NumPy arrays: the readable specification.

Each kernel updates one parameter and its state arrays in place, given the parameter's gradient, which it
leaves alone. p, g and the state arrays have one shape and one dtype. `maximize` climbs instead of descending:
g becomes -g before anything else.
"""

from __future__ import annotations

import math

import numpy as np

from ...dtypes import Array
from . import silently


def _direction(param: Array, grad: Array, weight_decay: float, maximize: bool) -> Array:
    """g, or -g, plus weight_decay · p: the gradient of the loss with the penalty weight_decay / 2 · |p|²."""
    if maximize:
        grad = -grad
    return grad + weight_decay * param if weight_decay else grad


@silently
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
    """Stochastic gradient descent, with momentum when there is a buffer b.

    b ← momentum · b + (1 - dampening) · g, on the first step b ← g;
    p ← p - lr · b, or with nesterov p ← p - lr · (g + momentum · b); without a buffer p ← p - lr · g.
    """
    direction = _direction(param, grad, weight_decay, maximize)
    if momentum_buffer is not None:
        if first_step:
            np.copyto(momentum_buffer, direction)
        else:
            np.multiply(momentum_buffer, momentum, out=momentum_buffer)
            np.add(momentum_buffer, (1 - dampening) * direction, out=momentum_buffer)
        direction = direction + momentum * momentum_buffer if nesterov else momentum_buffer
    np.subtract(param, lr * direction, out=param)


@silently
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
    """Adam (Kingma and Ba, 2015), or AdamW (Loshchilov and Hutter, 2019) when `decoupled`; `step` counts from
    1.

    m ← beta1 · m + (1 - beta1) · g          the running mean of the gradient (`exp_avg`)
    v ← beta2 · v + (1 - beta2) · g²         and of its square (`exp_avg_sq`)
    p ← p - lr · m' / (sqrt(v') + eps),      m' = m / (1 - beta1^step), v' = v / (1 - beta2^step)

    Both averages start at 0; the division undoes that bias. AMSGrad (`max_exp_avg_sq`) uses the largest v so
    far. Weight decay is part of g for Adam; AdamW shrinks p by lr · weight_decay instead.
    """
    if decoupled:
        np.multiply(param, 1 - lr * weight_decay, out=param)
        weight_decay = 0.0
    direction = _direction(param, grad, weight_decay, maximize)
    np.add(exp_avg, (1 - beta1) * (direction - exp_avg), out=exp_avg)
    np.multiply(exp_avg_sq, beta2, out=exp_avg_sq)
    np.add(exp_avg_sq, (1 - beta2) * np.square(direction), out=exp_avg_sq)
    second = exp_avg_sq
    if max_exp_avg_sq is not None:
        np.maximum(max_exp_avg_sq, exp_avg_sq, out=max_exp_avg_sq)
        second = max_exp_avg_sq
    denominator = np.sqrt(second) / math.sqrt(1 - beta2**step) + eps
    np.subtract(param, lr / (1 - beta1**step) * exp_avg / denominator, out=param)


@silently
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
    """RMSprop (Hinton, 2012).

    v ← alpha · v + (1 - alpha) · g²                        (`square_avg`)
    a ← alpha · a + (1 - alpha) · g                         (`grad_avg`, when centred)
    p ← p - lr · g / (sqrt(v - a²) + eps), or, with momentum,
    b ← momentum · b + g / (sqrt(v - a²) + eps), p ← p - lr · b
    """
    direction = _direction(param, grad, weight_decay, maximize)
    np.multiply(square_avg, alpha, out=square_avg)
    np.add(square_avg, (1 - alpha) * np.square(direction), out=square_avg)
    variance = square_avg
    if grad_avg is not None:
        np.add(grad_avg, (1 - alpha) * (direction - grad_avg), out=grad_avg)
        variance = square_avg - np.square(grad_avg)
    scaled = direction / (np.sqrt(variance) + eps)
    if momentum_buffer is not None:
        np.multiply(momentum_buffer, momentum, out=momentum_buffer)
        np.add(momentum_buffer, scaled, out=momentum_buffer)
        scaled = momentum_buffer
    np.subtract(param, lr * scaled, out=param)


@silently
def adagrad_step(
    param: Array,
    grad: Array,
    square_sum: Array,
    lr: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """Adagrad (Duchi, Hazan and Singer, 2011): s ← s + g², p ← p - lr · g / (sqrt(s) + eps)."""
    direction = _direction(param, grad, weight_decay, maximize)
    np.add(square_sum, np.square(direction), out=square_sum)
    np.subtract(param, lr * direction / (np.sqrt(square_sum) + eps), out=param)


@silently
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
    """Adadelta (Zeiler, 2012).

    v ← rho · v + (1 - rho) · g²                     (`square_avg`)
    d = g · sqrt(u + eps) / sqrt(v + eps)
    u ← rho · u + (1 - rho) · d²                     (`acc_delta`)
    p ← p - lr · d
    """
    direction = _direction(param, grad, weight_decay, maximize)
    np.multiply(square_avg, rho, out=square_avg)
    np.add(square_avg, (1 - rho) * np.square(direction), out=square_avg)
    delta = np.sqrt(acc_delta + eps) / np.sqrt(square_avg + eps) * direction
    np.multiply(acc_delta, rho, out=acc_delta)
    np.add(acc_delta, (1 - rho) * np.square(delta), out=acc_delta)
    np.subtract(param, lr * delta, out=param)
