"""Dropout: `dropout` of single elements, `dropout1d` and `dropout2d` of whole channels.

In the graph it is a product with the mask, which is drawn from the default generator in PyTorch's order: the
same seed drops the same elements.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ...autograd import wrap
from ...functions.arguments import check_flag, check_tensor
from ...ops.shape import empty_in_order
from ...random import default_generator
from ...tensor import Tensor

__all__ = ["dropout", "dropout1d", "dropout2d"]


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each element with probability `p` and multiply the others by 1 / (1 - p), so that the mean stays.

    Without `training` the input comes back as it is. An element that is dropped is multiplied by 0, so inf
    becomes NaN. `inplace`: store the result in the input. ValueError unless 0 <= p <= 1.

    >>> import minitorch_cifar as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.functional.dropout(torch.ones(6), 0.5)
    tensor([0., 0., 2., 0., 0., 0.])
    """
    _check_probability(p)
    return _dropout(input, p, training, inplace, "dropout", per_channel=False)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of a (N, C, L) or (C, L) input.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.dropout1d(torch.ones(1, 2, 3), 1.0)
    tensor([[[0., 0., 0.],
             [0., 0., 0.]]])
    """
    _check_probability(p)
    ndim = input.dim()
    if ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input. Note that dropout1d exists "
            "to provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and "
            "an optional batch dimension (i.e. 2D or 3D inputs)."
        )
    if ndim == 3:
        return _dropout(input, p, training, inplace, "dropout1d", per_channel=True)
    batch = input.unsqueeze_(0) if inplace else input.unsqueeze(0)
    result = _dropout(batch, p, training, inplace, "dropout1d", per_channel=True)
    return result.squeeze_(0) if inplace else result.squeeze(0)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of a (N, C, H, W) input.

    An input of 3 dimensions is taken as (N, C, L), with a warning, as in PyTorch.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.dropout2d(torch.ones(1, 1, 2, 2), training=False)
    tensor([[[[1., 1.],
              [1., 1.]]]])
    """
    _check_probability(p)
    ndim = input.dim()
    if ndim not in (3, 4):
        warnings.warn(
            f"dropout2d: Received a {ndim}-D input to dropout2d, which is deprecated and will result in an "
            "error in a future release. To retain the behavior and silence this warning, please use "
            "dropout instead. Note that dropout2d exists to provide channel-wise dropout on inputs with 2 "
            "spatial dimensions, a channel dimension, and an optional batch dimension (i.e. 3D or 4D "
            "inputs).",
            stacklevel=2,
        )
    if ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout "
            "behavior is desired - input is interpreted as shape (N, C, L), where C is the channel dim. "
            "This behavior will change in a future release to interpret the input as one without a batch "
            "dimension, i.e. shape (C, H, W). To maintain the 1D channel-wise dropout behavior, please "
            "switch to using dropout1d instead.",
            stacklevel=2,
        )
    return _dropout(input, p, training, inplace, "dropout2d", per_channel=True)


def _check_probability(p: float) -> None:
    if p < 0 or p > 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _dropout(input: Any, p: float, training: bool, inplace: bool, name: str, per_channel: bool) -> Tensor:
    check_tensor(input, name)
    check_flag(training, name, "training")
    check_flag(inplace, name, "inplace")
    x = input._array
    if per_channel and x.ndim < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    if p != p:
        raise RuntimeError("dropout probability has to be between 0 and 1, but got nan")
    if p == 0 or not training or not x.size:
        return input  # type: ignore[no-any-return]
    if p == 1:
        mask = np.zeros((), x.dtype)
    else:
        if x.dtype.kind != "f":
            kind = input.dtype.legacy_name
            raise RuntimeError(f"result type Float can't be cast to the desired output type {kind}")
        # (N, C) -> (N, C, 1, ...): one number for each channel.
        shape = (*x.shape[:2], *(1,) * (x.ndim - 2))
        mask = np.empty(shape, x.dtype) if per_channel else empty_in_order(x, x.dtype)
        default_generator.bernoulli_(mask, 1 - p)
        mask /= 1 - p
    return input.mul_(wrap(mask)) if inplace else input * wrap(mask)  # type: ignore[no-any-return]
