"""Pictures to floating point as a Numba loop; what is computed is explained in `numpy_kernels`.

A byte has 256 values, so each channel's results are computed once, by the NumPy kernel, into a table. The
loop runs on one thread and lets go of Python's lock: a data loader calls it from several threads, each with
its own picture or batch, while the network trains.
"""

from __future__ import annotations

import functools

import numpy as np

from ...dtypes import Array
from ..numpy_kernels import image as specification
from .layout import behaved, deliver, target
from .runtime import unlocked


@functools.lru_cache(maxsize=16)
def _table(mean: bytes | None, std: bytes | None, channels: int) -> Array:
    """(C, 256): the result for every byte in every channel."""
    values = np.broadcast_to(np.arange(256, dtype=np.uint8), (1, channels, 1, 256))
    out = np.empty((1, channels, 1, 256), np.float32)
    statistics = [None if s is None else np.frombuffer(s, np.float32) for s in (mean, std)]
    specification.uint8_to_float(values, statistics[0], statistics[1], out)
    return out.reshape(channels, 256)


@unlocked
def _look_up(images: Array, steps: tuple[int, int, int, int], table: Array, out: Array) -> None:
    """out[n, c, h, w] = table[c, byte at n · steps[0] + c · steps[1] + h · steps[2] + w · steps[3]]."""
    count, channels, height, width = out.shape
    for n in range(count):
        for c in range(channels):
            values = table[c]
            for h in range(height):
                row = n * steps[0] + c * steps[1] + h * steps[2]
                for w in range(width):
                    out[n, c, h, w] = values[images[row + w * steps[3]]]


def uint8_to_float(images: Array, mean: Array | None, std: Array | None, out: Array) -> None:
    channels_last = images.transpose(0, 2, 3, 1)  # (N, C, H, W) -> (N, H, W, C)
    if channels_last.flags.carray:  # as pictures are stored in files
        stored = channels_last
        n, h, w, c = stored.strides
    else:
        stored = behaved(images)
        n, c, h, w = stored.strides
    statistics = [None if s is None else s.astype(np.float32).tobytes() for s in (mean, std)]
    table = _table(statistics[0], statistics[1], images.shape[1])
    result = target(out)
    _look_up(stored.reshape(-1), (n, c, h, w), table, result)
    deliver(result, out)
