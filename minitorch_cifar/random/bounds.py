"""What PyTorch demands of the arguments of a draw, and the sentences it says when they do not fit."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from ..dtypes import FROM_NUMPY

Array = npt.NDArray[Any]

__all__ = ["check_floating", "check_memory", "check_uniform", "integer_range"]

_C_NAMES = {
    "bool": "bool",
    "uint8": "unsigned char",
    "int32": "int",
    "int64": "long",
    "float32": "float",
    "float64": "double",
}


def check_memory(array: Array) -> None:
    """RuntimeError when several elements of the array share their memory (an expanded tensor)."""
    shared = any(step == 0 and size > 1 for step, size in zip(array.strides, array.shape, strict=True))
    if array.size and shared:
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory "
            "location. Please clone() the tensor before performing the operation."
        )


def check_floating(array: Array, kernel: str) -> None:
    """NotImplementedError unless the array is float32 or float64."""
    if array.dtype.kind != "f":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{FROM_NUMPY[array.dtype].legacy_name}'")


def check_uniform(array: Array, low: float, high: float) -> None:
    """RuntimeError unless low <= high, and both and their difference are finite in the array's dtype."""
    check_floating(array, "check_uniform_bounds")
    limit = float(np.finfo(array.dtype).max)
    for name, value in (("from", low), ("to", high)):
        if not -limit <= value <= limit:
            raise RuntimeError(f"{name} is out of bounds for {_C_NAMES[array.dtype.name]}")
    if not low <= high:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}"
        )
    if not high - low <= limit:
        name = FROM_NUMPY[array.dtype].legacy_name
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{name}>::max(), but found to={high:g} and "
            f"from={low:g} which result in to-from to exceed the limit"
        )


def integer_range(dtype: np.dtype[Any], low: int, high: int | None) -> tuple[int, int]:
    """The integers [low, high) of a draw into `dtype`; `high=None` stands for all that the dtype reaches.

    Floating dtypes skip large integers: a bound that they cannot hold is moved inwards to one they can.
    """
    name = _C_NAMES[dtype.name]
    if dtype.kind == "f":
        digits = np.finfo(dtype).nmant + 1
        smallest, largest = -int(np.finfo(dtype).max), int(np.finfo(dtype).max)
        reach = 2**digits
    else:
        smallest, largest = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        reach = largest
    if high is not None and low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    if dtype.kind == "f":
        low = _raised(dtype, low, digits)
        if high is None and low >= reach:
            raise RuntimeError(
                "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to "
                f"dtype, but got from={low} > to_inc={reach}"
            )
        if high is not None:
            high = _lowered(dtype, high, digits)
            if low >= high:
                raise RuntimeError(
                    "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, "
                    f"but got from={low} >= to={high}"
                )
    last = reach if high is None else high - 1
    for label, value in (("from", low), ("to - 1", last)):
        if not smallest <= value <= largest:
            raise RuntimeError(f"{label} is out of bounds for {name}")
        if dtype.kind == "f" and abs(value) > reach:
            warnings.warn(
                f"{label} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision limitations "
                f"{name} can support discrete uniform distribution only within this range.",
                UserWarning,
                stacklevel=4,
            )
    return low, last + 1


def _raised(dtype: np.dtype[Any], low: int, digits: int) -> int:
    """`low`, or a larger integer of `dtype` when low + 1 would be rounded below low."""
    rounded = int(dtype.type(low + 1))
    return low if rounded >= low else rounded + (1 << (abs(low + 1).bit_length() - digits))


def _lowered(dtype: np.dtype[Any], high: int, digits: int) -> int:
    """`high`, or a smaller integer of `dtype` when high - 1 would be rounded up to high or beyond."""
    rounded = int(dtype.type(high - 1))
    return high if rounded < high else rounded - (1 << (abs(high - 1).bit_length() - digits))
