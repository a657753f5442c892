"""Inputs of a comparison as NumPy arrays, so that both sides can be given tensors of their own.

An input may be an array, a tensor of the engine, a plain value, or a list, tuple or dict of those. Arrays
keep their strides: a transposed input is transposed on both sides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autograd.variable import TensorBase
from ..dtypes import Array


@dataclass(frozen=True)
class Leaf:
    """An input tensor: its values and whether a gradient by it is compared."""

    array: Array
    requires_grad: bool


def copy_with_strides(array: Array, numpy_dtype: Any = None) -> Array:
    """A copy with memory of its own whose elements lie as in `array`: same strides, counted in elements.

    >>> import numpy as np
    >>> copy_with_strides(np.zeros((2, 3)).T, np.float32).strides
    (4, 12)
    """
    kind = np.dtype(numpy_dtype or array.dtype)
    steps = [stride // array.itemsize for stride in array.strides]
    if array.size == 0 or any(stride % array.itemsize for stride in array.strides):
        return array.astype(kind)
    reach = [(size - 1) * step for size, step in zip(array.shape, steps, strict=True)]
    first = -sum(r for r in reach if r < 0)
    memory = np.zeros(first + sum(r for r in reach if r > 0) + 1, kind)
    copy = np.lib.stride_tricks.as_strided(memory[first:], array.shape, [s * kind.itemsize for s in steps])
    copy[...] = array
    return copy


def as_leaves(value: Any) -> Any:
    """`value` with every array and tensor in it as a `Leaf`; arrays of floats ask for a gradient."""
    if isinstance(value, TensorBase):
        return Leaf(value._array, value.requires_grad)
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        return Leaf(array, array.dtype.kind == "f")
    if isinstance(value, Leaf):
        return value
    if type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "detach"):
        return Leaf(value.detach().cpu().numpy(), bool(value.requires_grad))
    return map_tree(value, as_leaves)


def map_tree(value: Any, function: Callable[[Any], Any]) -> Any:
    """`function` applied to the members of a list, tuple or dict; other values as they are."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(function(item) for item in value))
    if isinstance(value, (list, tuple)):
        return type(value)(function(item) for item in value)
    if isinstance(value, dict):
        return {key: function(item) for key, item in value.items()}
    return value


def flatten(value: Any, name: str) -> list[tuple[str, Any]]:
    """The members of nested lists, tuples and dicts with their names, as `("output[0]", ...)`."""
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in flatten(item, f"{name}[{key!r}]")]
    if isinstance(value, (list, tuple)) and type(value).__name__ != "Size":
        return [pair for i, item in enumerate(value) for pair in flatten(item, f"{name}[{i}]")]
    return [(name, value)]
