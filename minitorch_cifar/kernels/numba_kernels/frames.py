"""Pictures in frames, channels innermost: how the gradients of convolution see their input.

A frame holds one picture with the zeros of the padding around it, pixel after pixel, the channels of a pixel
side by side. So a row of a window, KW pixels of C channels, is one stretch of memory, and whole vectors of it
can be loaded wherever it starts.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ...dtypes import Array
from .flat import compiled
from .pixel_tiles import transpose_tile
from .vectors import VECTOR_BYTES

Pair = tuple[int, int]


@functools.lru_cache(maxsize=256)
def places_inside(size: Pair, padding: Pair, channels: int) -> Array:
    """Where in its frame each pixel of a picture begins."""
    rows = (np.arange(size[0]) + padding[0]) * (size[1] + 2 * padding[1])
    return ((rows[:, None] + np.arange(size[1]) + padding[1]) * channels).ravel()


@compiled
def write_frame(
    x: Array, start: int, plane: int, channels: int, lanes: int, inside: Array, is_whole: bool, memory: Array,
    frame: int,
) -> None:  # fmt: skip
    """Copy a picture, (C, H, W) from `start` on, into the frame; the zeros around are there already."""
    pixels = plane // lanes * lanes if is_whole else 0
    whole = channels // lanes * lanes if is_whole else 0
    for c in range(0, whole, lanes):
        for p in range(0, pixels, lanes):
            transpose_tile(x, start + c * plane + p, plane, memory, frame + c, inside, p)
        for p in range(pixels, plane):
            for i in range(c, c + lanes):
                memory[frame + inside[p] + i] = x[start + i * plane + p]
    for c in range(whole, channels):
        source = x[start + c * plane : start + (c + 1) * plane]
        target = memory[frame + c :]
        if is_whole:
            for p in range(source.size):
                target[inside[p]] = source[p]
        else:
            for p in range(source.size):
                if inside[p] >= 0:
                    target[inside[p]] = source[p]


@compiled
def fill(array: Array, start: int, count: int, value: float) -> None:
    """Write `value` into `count` elements of a flat array. (Numba compiles slices for seconds longer.)"""
    for i in range(start, start + count):
        array[i] = value


@compiled
def add_up(totals: Array) -> None:
    """totals[0] += totals[1] + ..., one after the other, for a flat array of each."""
    for share in range(1, totals.shape[0]):
        for i in range(totals.shape[1]):
            totals[0, i] += totals[share, i]


def bits_of(array: Array) -> Array:
    """The elements of a float32 or float64 array as whole numbers, flat."""
    return array.reshape(-1).view(np.int32 if array.itemsize == 4 else np.int64)


@compiled
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


def aligned(size: int, dtype: Any) -> tuple[Array, int]:
    """An array with room for `size` elements from the position on that is returned: a vector's boundary."""
    array = np.empty(size + VECTOR_BYTES // dtype.itemsize, dtype)
    return array, -array.ctypes.data % VECTOR_BYTES // dtype.itemsize
