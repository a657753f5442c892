"""Python data as arrays: nested sequences of numbers, NumPy values and tensors, in the dtype PyTorch infers.

Numbers are converted once, straight to the dtype wanted, and a number that does not fit is an error. Whole
arrays and tensors are converted as they are, as by a cast in C.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.variable import TensorBase
from ..dtypes import Array, dtype, from_numpy_dtype, get_default_dtype, promote
from ..ops.shape import cast

_INT64 = np.iinfo(np.int64)


def as_new_array(data: Any, wanted: dtype | None = None) -> Array:
    """A new array with the numbers in `data`, in the dtype `wanted` or in the one that they suggest.

    bool, int and float suggest bool, int64 and the default dtype, NumPy's scalars and tensors their own; the
    highest wins. Raises TypeError for what is no number, ValueError for ragged sequences and integers beyond
    int64, RuntimeError for numbers beyond the dtype wanted.
    """
    if isinstance(data, TensorBase):
        return cast(data._array, (wanted or from_numpy_dtype(data._array.dtype)).numpy_dtype)
    if isinstance(data, np.ndarray) or (isinstance(data, np.generic) and wanted is None):
        if data.dtype.kind not in "biufc":
            from_numpy_dtype(data.dtype)  # objects and text are refused, where a dtype is wanted too
        return cast(np.asarray(data), (wanted or from_numpy_dtype(data.dtype)).numpy_dtype)
    _refuse_strings(data)
    numbers: list[Any] = []
    shape = _collect(data, numbers)
    if wanted is None:
        wanted = get_default_dtype() if not numbers else _suggested(numbers[0])
        for number in numbers[1:]:
            wanted = promote(wanted, _suggested(number))
    if wanted.category == 1:
        numbers = [_checked(number, wanted) for number in numbers]
    elif wanted.category == 2:
        numbers = [float(number) for number in numbers]
    with np.errstate(all="ignore"):  # 1e300 becomes inf in float32, as it does in PyTorch
        return np.array(numbers, wanted.numpy_dtype).reshape(shape)


def _suggested(number: Any) -> dtype:
    if isinstance(number, np.generic):
        return from_numpy_dtype(number.dtype)
    if isinstance(number, bool):
        return dtypes.bool
    if isinstance(number, int):
        if not _INT64.min <= number <= _INT64.max:
            raise ValueError("Overflow when unpacking long long")
        return dtypes.int64
    return get_default_dtype()


def _checked(number: Any, wanted: dtype) -> int:
    """A number as an integer that fits `wanted`; negative ones wrap in uint8, as in PyTorch."""
    bounds = np.iinfo(wanted.numpy_dtype)
    low = -bounds.max if wanted is dtypes.uint8 else bounds.min
    finite = isinstance(number, (int, np.integer)) or np.isfinite(number)
    if not finite or not low <= int(number) <= bounds.max:
        raise RuntimeError(f"value cannot be converted to type {wanted.name} without overflow")
    return int(number) % 256 if wanted is dtypes.uint8 else int(number)


def _refuse_strings(data: Any) -> None:
    """ValueError where the first items lead to a string: its first letter is a string, and so on for ever."""
    first = data
    while isinstance(first, Sequence) and not isinstance(first, (str, bytes)) and len(first):
        first = first[0]
    if isinstance(first, str) and first and first is not data:
        raise ValueError("too many dimensions 'str'")


def _collect(data: Any, numbers: list[Any]) -> tuple[int, ...]:
    """Append the numbers in `data` to `numbers` and return the shape of their nesting."""
    if isinstance(data, TensorBase):  # among others in a sequence it stands for a number
        if data._array.size != 1:
            raise ValueError(
                "only one element tensors can be converted to Python scalars: an item of the sequence is a "
                f"tensor with sizes {list(data._array.shape)}; torch.stack puts such tensors together"
            )
        data = data._array.reshape(())[()]
    if isinstance(data, np.ndarray):
        from_numpy_dtype(data.dtype)
        numbers.extend(data.ravel())
        return tuple(data.shape)
    if isinstance(data, (bool, int, float, np.generic)):
        numbers.append(data)
        return ()
    if isinstance(data, complex):
        raise NotImplementedError(
            "complex numbers are not part of minitorch_cifar: keep real and imaginary parts as two tensors"
        )
    if isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
    if not isinstance(data, Sequence):
        raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")
    if not len(data):
        return (0,)
    shapes = [_collect(item, numbers) for item in data]
    for item, shape in zip(data, shapes, strict=True):
        if shape != shapes[0]:
            _refuse_ragged(item, shape, shapes[0])
    return (len(data), *shapes[0])


def _refuse_ragged(item: Any, shape: tuple[int, ...], first: tuple[int, ...]) -> None:
    if not first:
        raise ValueError(
            "only one element tensors can be converted to Python scalars: expected a number as its "
            f"neighbours are, got an item of type {type(item).__name__} with sizes {list(shape)}"
        )
    if not shape:
        raise TypeError(f"expected a sequence of length {first[0]} as its neighbours are, got {item!r}")
    both = min(len(first), len(shape))
    dim = next((i for i in range(both) if first[i] != shape[i]), both)
    raise ValueError(
        f"expected sequence of length {(*first, 0)[dim]} at dim {dim + 1} (got {(*shape, 0)[dim]})"
    )
