"""Pictures in frames, channels innermost: how convolution and its gradients see their input.

A frame holds one picture with the zeros of the padding around it, pixel after pixel, the channels of a pixel
side by side. So a row of a window, KW pixels of C channels, is one stretch of memory, and whole vectors of it
can be loaded wherever it starts.
"""

from __future__ import annotations

import functools

import numpy as np

from ...dtypes import Array
from .flat import compiled, part
from .pixel_tiles import transpose_tile
from .vectors import VECTOR_BYTES, address_of

Pair = tuple[int, int]


@functools.lru_cache(maxsize=256)
def places_inside(size: Pair, padding: Pair, channels: int) -> Array:
    """Where in its frame each pixel of a picture begins."""
    rows = (np.arange(size[0]) + padding[0]) * (size[1] + 2 * padding[1])
    return ((rows[:, None] + np.arange(size[1]) + padding[1]) * channels).ravel()


@part
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
                target[np.uintp(inside[p])] = source[p]  # no index from the end
        else:
            for p in range(source.size):
                if inside[p] >= 0:
                    target[inside[p]] = source[p]


@compiled
def aligned(size: int, like: Array) -> tuple[Array, int]:
    """An array of the dtype of `like` with room for `size` elements from the position on that is returned: a
    vector's boundary."""
    memory = np.empty(size + VECTOR_BYTES // like.itemsize, like.dtype)
    return memory, -address_of(memory) % VECTOR_BYTES // like.itemsize
