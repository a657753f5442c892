"""Normalising: `batch_norm` and `normalize`. The mathematics of the first is in `ops.norm`."""

from __future__ import annotations

import math
from typing import Any

from ...functions.arguments import check_tensor
from ...ops.norm import NativeBatchNorm
from ...tensor import Tensor

__all__ = ["batch_norm", "normalize"]


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(input - mean) / sqrt(var + eps) * weight + bias for each channel, dimension 1 of the input.

    Shapes: input and result (N, C) or (N, C, ...); the others (C,), in the input's dtype.
    `training`: mean and variance are those of this batch, and the running averages, if given, are moved
    towards them in place by `momentum` (the variance with m - 1 in the denominator). Otherwise the running
    averages are used as they are.
    ValueError when a channel has one element only in training; RuntimeError for sizes that do not fit.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.batch_norm(torch.tensor([[1.0], [3.0]]), None, None, training=True, eps=1e-12)
    tensor([[-1.],
            [ 1.]])
    """
    check_tensor(input, "batch_norm")
    shape = input._array.shape
    if training and shape and shape[0] * math.prod(shape[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {input.size()}"
        )
    if training and eps <= 0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if eps < 0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    if not isinstance(momentum, (int, float)):
        kind = type(momentum).__name__
        raise TypeError(f"batch_norm(): argument 'momentum' (position 7) must be float, not {kind}")
    if training and (running_mean is None) != (running_var is None):
        raise ValueError("running_mean and running_var must either both be None or neither be None")
    channels = shape[1] if len(shape) > 1 else 0
    statistics = (("running_mean", running_mean), ("running_var", running_var))
    for name, value in (*statistics, ("weight", weight), ("bias", bias)):
        _check_channels(name, value, input, channels, required=not training and name.startswith("running"))
    for name, value in statistics:
        if value is not None and value.requires_grad:
            raise RuntimeError(
                f"The function 'native_batch_norm' is not differentiable with respect to argument '{name}'. "
                "This input cannot have requires_grad True."
            )
    if len(shape) < 2:
        raise RuntimeError(f"batch_norm expects an input of at least 2 dimensions (N, C), got {len(shape)}")
    if not input.dtype.is_floating_point:
        raise NotImplementedError(f"\"batch_norm\" not implemented for '{input.dtype.legacy_name}'")
    return NativeBatchNorm.apply(  # type: ignore[no-any-return]
        input,
        weight,
        bias,
        running_mean=None if running_mean is None else running_mean._array,
        running_var=None if running_var is None else running_var._array,
        training=bool(training),
        momentum=float(momentum),
        eps=float(eps),
    )


def _check_channels(name: str, value: Any, input: Tensor, channels: int, required: bool) -> None:
    if value is None:
        if required:
            raise RuntimeError(f"{name} must be defined in evaluation mode")
        return
    check_tensor(value, "batch_norm", name)
    if value._array.size != channels:
        raise RuntimeError(f"{name} should contain {channels} elements not {value._array.size}")
    if value.dtype is not input.dtype and input.dtype.is_floating_point:
        if input.dtype.name == "float32":
            raise RuntimeError("mixed dtype (CPU): expect parameter to have scalar type of Float")
        raise RuntimeError("mixed dtype (CPU): all inputs must share same datatype.")


def normalize(
    input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """input divided by its p-norm along `dim`, or by `eps` where the norm is smaller.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.normalize(torch.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    from ...functions.elementwise import div

    norm = input.norm(p, dim, keepdim=True).clamp_min(eps).expand_as(input)
    return div(input, norm, out=out)
