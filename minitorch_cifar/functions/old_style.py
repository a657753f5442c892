"""`torch.Tensor(...)`, `torch.FloatTensor(...)` and `x.new(...)`: how older programs make tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import TensorBase, wrap
from ..dtypes import FROM_NUMPY, dtype
from ..size import Size
from . import creation
from .from_data import as_new_array

if TYPE_CHECKING:
    from ..tensor import Tensor


def old_style(data: tuple[Any, ...], kind: dtype) -> Tensor:
    """A tensor of the dtype `kind`: of these sizes, uninitialised, or with the numbers of one sequence.

    A tuple is a sequence of numbers, a `Size` is sizes, a tensor gives another one with the same memory.
    """
    if not data:
        return creation.empty(0, dtype=kind)
    if all(isinstance(size, (int, np.integer)) and not isinstance(size, bool) for size in data):
        return creation.empty(*data, dtype=kind)
    content = data[0]
    if len(data) > 1:
        place, wrong = next(
            (i, item)
            for i, item in enumerate(data)
            if isinstance(item, bool) or not isinstance(item, (int, np.integer))
        )
        raise TypeError(
            f"new(): argument 'size' must be tuple of ints, but found {type(wrong).__name__} at pos {place}"
        )
    if isinstance(content, (int, float)) or content is None:
        raise TypeError(f"new(): data must be a sequence (got {type(content).__name__})")
    if isinstance(content, Size):
        return creation.empty(content, dtype=kind)
    if isinstance(content, TensorBase):
        own = FROM_NUMPY[content._array.dtype]
        if own is not kind:
            raise TypeError(
                f"expected {kind.legacy_name}Tensor, got {own.legacy_name}Tensor; use .to() to convert"
            )
        return content.detach()
    return wrap(as_new_array(content, kind))
