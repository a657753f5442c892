"""`Size`: the shape of a tensor, a tuple of integers that prints as `torch.Size([2, 3])`.

Slices and sums of sizes are sizes again. It knows nothing of tensors or arrays.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import Any, SupportsIndex, overload

from .class_names import PrintsItsName
from .missing import ExplainsMissing

__all__ = ["Size"]


class Size(ExplainsMissing, tuple[int, ...], metaclass=PrintsItsName):
    """The shape of a tensor.

    TypeError when an element is no integer.

    >>> import minitorch_cifar as torch
    >>> size = torch.Size([2, 3, 4])
    >>> size, size.numel(), size[1:]
    (torch.Size([2, 3, 4]), 24, torch.Size([3, 4]))
    """

    __slots__ = ()

    def __new__(cls, sizes: Iterable[Any] = (), /) -> Size:
        size = super().__new__(cls, sizes)
        for item in size:
            if type(item) is not int:  # NumPy integers and booleans become plain integers
                return super().__new__(cls, [_as_int(position, entry) for position, entry in enumerate(size)])
        return size

    def numel(self) -> int:
        """The number of elements of a tensor of this shape: the product of the sizes."""
        return math.prod(self)

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, index: slice, /) -> Size: ...
    def __getitem__(self, index: Any, /) -> Any:
        found = super().__getitem__(index)
        return Size(found) if isinstance(index, slice) else found

    def __add__(self, other: Any, /) -> Size:
        if not isinstance(other, tuple):
            raise TypeError(f"can only concatenate tuple (not {type(other).__name__}) to torch.Size")
        return Size(super().__add__(other))

    def __radd__(self, other: Any, /) -> Size:
        if not isinstance(other, tuple):
            return NotImplemented
        return Size(other + tuple(self))

    def __mul__(self, times: SupportsIndex, /) -> Size:
        return Size(super().__mul__(times))

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def __reduce__(self) -> tuple[type[Size], tuple[tuple[int, ...]]]:
        return Size, (tuple(self),)


def _as_int(position: int, item: Any) -> int:
    try:
        return operator.index(item)
    except TypeError:
        raise TypeError(
            f"torch.Size() takes an iterable of 'int' (item {position} is '{type(item).__name__}')"
        ) from None
