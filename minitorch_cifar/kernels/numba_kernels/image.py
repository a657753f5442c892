"""Pictures to floating point as Numba loops; what is computed is explained in `numpy_kernels`.

A byte has 256 values, so each channel's results are computed once, by the NumPy kernel, into a table of 1 KB,
which stays in the nearest cache. Then a pixel costs two loads and a store, about a cycle, where two divisions
would cost more even with 16 of them in one instruction. The pictures of a batch are picked from the whole
data set by the loop itself, without a copy in between.

Large batches are shared among threads, but only in the main thread: a data loader's workers call this too,
each with its own batch while the network trains, and the loop lets go of Python's lock for them.
"""

from __future__ import annotations

import functools
import threading

import numba
import numpy as np

from ...dtypes import Array
from ..numpy_kernels import image as specification
from .layout import behaved, deliver, target
from .runtime import in_parallel

ENOUGH = 1 << 18  # numbers to write, about 90 microseconds of work, from which on threads are worth it


@functools.lru_cache(maxsize=16)
def _table(mean: bytes | None, std: bytes | None, channels: int) -> Array:
    """(C, 256): the result for every byte in every channel."""
    values = np.broadcast_to(np.arange(256, dtype=np.uint8), (1, channels, 1, 256))
    out = np.empty((1, channels, 1, 256), np.float32)
    means, stds = (None if s is None else np.frombuffer(s, np.float32) for s in (mean, std))
    specification.uint8_to_float(values, np.zeros(1, np.int64), None, means, stds, out)
    return out.reshape(channels, 256)


@in_parallel(ENOUGH, nogil=True)
def _whole(images: Array, steps: tuple[int, ...], chosen: Array, table: Array, out: Array) -> None:
    """out[b, c, h, w] = table[c, byte at chosen[b] · steps[0] + c · steps[1] + h · steps[2] + w · steps[3]]

    Inside, i counts the pixels of a channel.
    """
    count, channels, height, width = out.shape
    flat = out.reshape(count, channels, height * width)
    for b in numba.prange(count):
        for c in range(channels):
            values = table[c]
            start = chosen[b] * steps[0] + c * steps[1]
            if steps[3] == 1 and steps[2] == width:  # a channel's pixels lie together
                plane = images[start : start + height * width]
                for i in range(height * width):
                    flat[b, c, i] = values[plane[i]]
            else:
                for h in range(height):
                    row = start + h * steps[2]
                    for w in range(width):
                        out[b, c, h, w] = values[images[row + w * steps[3]]]


@in_parallel(ENOUGH, nogil=True)
def _parts(
    images: Array,
    steps: tuple[int, ...],
    chosen: Array,
    rows: Array,
    columns: Array,
    fill: int,
    table: Array,
    out: Array,
) -> None:
    """The same with row rows[b, h] and column columns[b, w] of the picture, or `fill` where one is -1."""
    count, channels, height, width = out.shape
    for b in numba.prange(count):
        for c in range(channels):
            values = table[c]
            border = values[fill]
            start = chosen[b] * steps[0] + c * steps[1]
            for h in range(height):
                line = out[b, c, h]
                if rows[b, h] < 0:
                    line[:] = border
                    continue
                row = start + rows[b, h] * steps[2]
                for w in range(width):
                    column = columns[b, w]
                    if column >= 0:
                        line[w] = values[images[row + column * steps[3]]]
                    else:
                        line[w] = border


def uint8_to_float(
    images: Array,
    chosen: Array,
    places: tuple[Array, Array, int] | None,
    mean: Array | None,
    std: Array | None,
    out: Array,
) -> None:
    channels_last = images.transpose(0, 2, 3, 1)  # (N, C, H, W) -> (N, H, W, C)
    if images.flags.carray:
        stored = images
        steps = images.strides
    elif channels_last.flags.carray:  # as pictures are stored in files
        stored = channels_last
        n, h, w, c = stored.strides
        steps = (n, c, h, w)
    else:
        stored = images[chosen]  # a copy of the batch, not of all there is
        chosen = np.arange(len(chosen))
        stored = behaved(stored)
        steps = stored.strides
    statistics = [None if s is None else s.astype(np.float32).tobytes() for s in (mean, std)]
    table = _table(statistics[0], statistics[1], images.shape[1])
    result = target(out)
    work = result.size if threading.current_thread() is threading.main_thread() else 0
    if places is None:
        _whole.of(work)(stored.reshape(-1), steps, behaved(chosen), table, result)
    else:
        rows, columns, fill = places
        flat = stored.reshape(-1)
        _parts.of(work)(flat, steps, behaved(chosen), behaved(rows), behaved(columns), fill, table, result)
    deliver(result, out)
