"""Small loops over the elements of flat arrays, which larger loops call.

They stand in for NumPy's expressions on slices: these compute the same, but inside a loop that shares work
among threads Numba takes many seconds longer to compile them.
"""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from .flat import compiled_sums, part


@part
def fill(array: Array, start: int, count: int, value: float) -> None:
    """Write `value` into `count` elements of a flat array."""
    part = array[start : start + count]  # an index that may be negative would keep vectors away
    for i in range(part.size):
        part[i] = value


@part
def add_up(totals: Array) -> None:
    """totals[0] += totals[1] + ..., one after the other, for a flat array of each."""
    for share in range(1, totals.shape[0]):
        for i in range(totals.shape[1]):
            totals[0, i] += totals[share, i]


@compiled_sums
def sum_of(array: Array, start: int, count: int) -> float:
    """The sum of `count` elements in float64, where no numbers of float32 add up to infinity."""
    part = array[start : start + count]
    total = 0.0
    for i in range(part.size):
        total += part[i]
    return total


def bits_of(array: Array) -> Array:
    """The elements of a float32 or float64 array as whole numbers, flat."""
    return array.reshape(-1).view(np.int32 if array.itemsize == 4 else np.int64)


@part
def are_finite(bits: Array, start: int, count: int) -> bool:
    """Whether `count` elements, given by their bits, are neither infinite nor NaN.

    In these all bits of the exponent are set; without its sign, a larger number has larger bits.
    """
    part = bits[start : start + count]
    largest = part[0] & 0
    if bits.itemsize == 4:
        for i in range(part.size):
            largest = max(largest, part[i] & 0x7FFFFFFF)
        return bool(largest < 0x7F800000)
    for i in range(part.size):
        largest = max(largest, part[i] & 0x7FFFFFFFFFFFFFFF)
    return bool(largest < 0x7FF0000000000000)
