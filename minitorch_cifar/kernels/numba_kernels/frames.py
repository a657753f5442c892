"""Pictures in frames, channels innermost: how the gradients of convolution see their input.

A frame holds one picture with the zeros of the padding around it, pixel after pixel, the channels of a pixel
side by side. So a row of a window, KW pixels of C channels, is one stretch of memory, and whole vectors of it
can be loaded wherever it starts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from ...dtypes import Array
from .runtime import in_parallel
from .vectors import VECTOR_BYTES

Pair = tuple[int, int]

ENOUGH_COPIED = 1 << 17  # elements that are worth the start of threads, a tenth of a millisecond


@in_parallel(enough=ENOUGH_COPIED)
def write_frames(
    x: Array, padding: Pair, channels: int, row: int, size: int, skew: int, frames: Array, finite: Array
) -> None:
    """(N, C, H, W) -> frames of (H + 2 padding, W + 2 padding, channels) with zeros around, `size` apart."""
    images, present, height, width = x.shape
    for n in prange(images):
        start = skew + n * size
        frames[start : start + size] = 0
        not_a_number = x.dtype.type(0)
        for h in range(height):
            corner = start + (h + padding[0]) * row + padding[1] * channels
            for c in range(present):
                for w in range(width):
                    value = x[n, c, h, w]
                    not_a_number += value * 0  # NaN from the first infinity or NaN on
                    frames[corner + w * channels + c] = value
        finite[n] = not_a_number == 0


def aligned(size: int, dtype: Any) -> tuple[Array, int]:
    """An array with room for `size` elements from the position on that is returned: a vector's boundary."""
    array = np.empty(size + VECTOR_BYTES // dtype.itemsize, dtype)
    return array, -array.ctypes.data % VECTOR_BYTES // dtype.itemsize
