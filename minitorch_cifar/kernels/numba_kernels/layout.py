"""Arrays as the loops over pictures want them: contiguous, aligned and writable.

Numba compiles a function anew for every kind of array it meets, so the kernels copy what is of another kind.
"""

from __future__ import annotations

import numpy as np

from ...dtypes import Array


def behaved(array: Array) -> Array:
    """The array itself if it is contiguous in C order, aligned and writable; a copy otherwise."""
    return array if array.flags.carray else array.copy(order="C")


def planes(array: Array) -> Array:
    """(N, C, H, W) -> (N · C, H, W), behaved; a view where the array already is."""
    return behaved(array).reshape(array.shape[0] * array.shape[1], *array.shape[2:])


def target(array: Array) -> Array:
    """Where a loop writes what is meant for `array`: the array itself, or a new one for `deliver`."""
    return array if array.flags.carray else np.empty(array.shape, array.dtype)


def deliver(result: Array, array: Array) -> None:
    """Copy what a loop wrote into `result` to where it is meant to be, unless it is there."""
    if result is not array:
        array[...] = result
