"""How convolution and pooling take sizes: a number for both directions, or a sequence of one or two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autograd import TensorBase
from ...functions.arguments import as_int

Size2d = int | Sequence[int]
Pair = tuple[int, int]


def integers(value: Any, function: str, argument: str) -> tuple[int, ...]:
    """`3` becomes `(3,)`, a sequence a tuple. TypeError for what is not made of whole numbers."""
    if type(value) is int:
        return (value,)
    if type(value) is tuple and set(map(type, value)) <= {int}:
        return value
    if isinstance(value, TensorBase):
        return (as_int(value, function, argument),)
    if isinstance(value, (list, tuple)):
        for position, element in enumerate(value):
            if isinstance(element, bool) or not hasattr(element, "__index__"):
                raise TypeError(
                    f"{function}(): argument '{argument}' must be tuple of ints, "
                    f"but found element of type {type(element).__name__} at pos {position}"
                )
        return tuple(int(element) for element in value)
    if hasattr(value, "__index__") and not isinstance(value, bool):  # NumPy's integers
        return (int(value),)
    raise TypeError(f"{function}(): argument '{argument}' must be tuple of ints, not {type(value).__name__}")
