"""`torch.FloatTensor`, `torch.LongTensor`, ...: tensors of one dtype, as older programs make them."""

from __future__ import annotations

from typing import Any

from . import dtypes
from .device import require_cpu
from .functions.old_style import old_style
from .tensor import Tensor


class _TypedTensor(type):
    """Calling `torch.LongTensor(...)` makes a plain tensor; `isinstance` asks for its dtype."""

    dtype: dtypes.dtype

    def __call__(cls, *data: Any, device: Any = None) -> Tensor:
        require_cpu(device)
        return old_style(data, cls.dtype)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype

    def __repr__(cls) -> str:
        return f"<class 'torch.{cls.__name__}'>"


class FloatTensor(metaclass=_TypedTensor):
    """A float32 tensor from sizes or from a sequence.

    >>> import minitorch_cifar as torch
    >>> torch.FloatTensor([1, 2])
    tensor([1., 2.])
    """

    dtype = dtypes.float32


class DoubleTensor(metaclass=_TypedTensor):
    """A float64 tensor from sizes or from a sequence."""

    dtype = dtypes.float64


class LongTensor(metaclass=_TypedTensor):
    """An int64 tensor from sizes or from a sequence."""

    dtype = dtypes.int64


class IntTensor(metaclass=_TypedTensor):
    """An int32 tensor from sizes or from a sequence."""

    dtype = dtypes.int32


class ByteTensor(metaclass=_TypedTensor):
    """A uint8 tensor from sizes or from a sequence."""

    dtype = dtypes.uint8


class BoolTensor(metaclass=_TypedTensor):
    """A bool tensor from sizes or from a sequence."""

    dtype = dtypes.bool
