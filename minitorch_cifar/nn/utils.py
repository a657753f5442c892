"""Helpers that work on the parameters of a network: clipping gradients, and parameters as one long vector.

`clip_grad_norm_` and `clip_grad_value_` change gradients in place, between `backward()` and `step()`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from minitorch_cifar.autograd import no_grad, wrap
from minitorch_cifar.functions.shape import cat
from minitorch_cifar.missing import explain_missing_in
from minitorch_cifar.tensor import Tensor

__all__ = ["clip_grad_norm_", "clip_grad_value_", "parameters_to_vector", "vector_to_parameters"]


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    tensors = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [tensor.grad for tensor in tensors if tensor.grad is not None]


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scales all gradients by one factor so that their joint norm is at most `max_norm`; returns the norm
    before.

    Args:
        parameters: tensors whose `.grad` is changed in place; those without one are left out.
        max_norm: the largest norm allowed.
        norm_type: which norm; `float("inf")` for the largest absolute value.
        error_if_nonfinite: RuntimeError when the norm is NaN or infinite.
        foreach: a speed option of PyTorch; None only.

    >>> import minitorch_cifar as torch
    >>> w = torch.zeros(2, requires_grad=True)
    >>> w.grad = torch.tensor([3.0, 4.0])
    >>> torch.nn.utils.clip_grad_norm_([w], max_norm=1.0)
    tensor(5.)
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    if foreach:
        raise NotImplementedError("clip_grad_norm_(foreach=True) is not part of minitorch_cifar")
    gradients = _gradients(parameters)
    if not gradients:
        return wrap(np.zeros((), np.float32))
    norms = np.array([_norm(gradient, float(norm_type)) for gradient in gradients])
    total = norms.max() if math.isinf(norm_type) else np.linalg.norm(norms, norm_type)
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {float(norm_type)} for gradients from `parameters` is non-finite, so "
            "it cannot "
            "be clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    total = total.astype(norms.dtype)
    factor = min(max_norm / (total + 1e-6), 1.0) if total == total else total
    for gradient in gradients:
        gradient.mul_(float(factor))
    return wrap(np.asarray(total))


def _norm(gradient: Tensor, order: float) -> Any:
    return np.linalg.norm(gradient.detach().numpy().ravel(), order)


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Limits every element of every gradient to the range from −clip_value to clip_value, in place.

    >>> import minitorch_cifar as torch
    >>> w = torch.zeros(2, requires_grad=True)
    >>> w.grad = torch.tensor([0.3, -4.0])
    >>> torch.nn.utils.clip_grad_value_(w, 1.0)
    >>> w.grad
    tensor([ 0.3000, -1.0000])
    """
    if foreach:
        raise NotImplementedError("clip_grad_value_(foreach=True) is not part of minitorch_cifar")
    for gradient in _gradients(parameters):
        gradient.clamp_(-float(clip_value), float(clip_value))


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters, flattened and joined; gradients flow back through it.

    >>> import minitorch_cifar as torch
    >>> torch.nn.utils.parameters_to_vector([torch.zeros(2, 2), torch.ones(1)])
    tensor([0., 0., 0., 0., 1.])
    """
    return cat([parameter.view(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """The opposite of `parameters_to_vector`: the parameters take their values from slices of `vec`, sharing
    memory.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec)}")
    start = 0
    with no_grad():
        for parameter in parameters:
            stop = start + parameter.numel()
            parameter.data = vec[start:stop].view_as(parameter).data
            start = stop


explain_missing_in(__name__, __all__)
