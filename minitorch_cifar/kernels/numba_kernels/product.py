"""Products of matrices, in the tiles of the convolution that has all output channels side by side.

    out[p, j] = bias[j] + Σ_t A[p, t] · B[t, j]

A tile of 8 rows by 32 columns keeps its sums in registers (`pixel_tiles.py`): a row of A is what the window
of a pixel is there, a column of B what the weights of an output channel are. Both are read where they lie.
Only a transposed B, and the last columns of B where they do not fill a tile, are copied first.

A sum is added to the result after at most 128 products: long sums in float32 lose digits. Blocks of columns
are shared among threads. No sum is divided, so no result depends on the number of threads.
"""

from __future__ import annotations

import functools

import numpy as np
from numba import prange

from ...dtypes import Array
from .elements import fill
from .flat import part
from .frames import aligned
from .layout import behaved, deliver, target
from .pixel_tiles import PIXELS, pixel_tile, transpose_tile
from .runtime import in_parallel
from .vectors import VECTOR_BYTES

_TERMS = 128
_VECTORS = 2  # of a block of columns
_ENOUGH = 1 << 20  # products that are worth the start of threads, some 30 microseconds


@part
def _turn(
    source: Array, start: int, row: int, rows: int, columns: int, steps: Array, target: Array, corner: int
) -> None:
    """target[corner + steps[i] + j] = source[start + j · row + i] for j < rows and i < columns."""
    lanes = VECTOR_BYTES // source.itemsize
    down, across = rows // lanes * lanes, columns // lanes * lanes
    for j in range(0, down, lanes):
        for i in range(0, across, lanes):
            transpose_tile(source, start + j * row + i, row, target, corner + j, steps, i)
    for j in range(rows):
        for i in range(across if j < down else 0, columns):
            target[corner + steps[i] + j] = source[start + j * row + i]


@functools.lru_cache(maxsize=256)
def _tables(rows: int, terms: int, lanes: int) -> tuple[Array, Array, Array]:
    """Where the rows of A, the chunks of a sum, and the packed rows of B begin."""
    places = np.zeros(rows + PIXELS, np.int64)  # those behind the last are computed as the first, and dropped
    places[:rows] = np.arange(rows) * terms
    return places, np.arange(0, terms, _TERMS), np.arange(terms) * _VECTORS * lanes


@in_parallel(enough=_ENOUGH)
def _multiply(
    left: Array, right: Array, is_turned: bool, bias: Array, places: Array, chunks: Array, steps: Array,
    rows: int, columns: int, result: Array,
) -> None:  # fmt: skip
    terms = steps.size
    lanes = VECTOR_BYTES // result.itemsize
    width = _VECTORS * lanes
    blocks = (columns + width - 1) // width
    # For each block: the columns of B, a tile of results, the bias.
    size = (terms + PIXELS + 1) * width
    memory, start = aligned(blocks * size, result)
    for block in prange(blocks):
        packed = start + block * size
        tile = packed + terms * width
        biases = tile + PIXELS * width
        first = block * width
        count = min(width, columns - first)
        fill(memory, biases, width, 0)
        for j in range(count if bias.size else 0):
            memory[biases + j] = bias[first + j]
        weights, corner, step = right, first, columns
        if is_turned or count < width:
            weights, corner, step = memory, packed, width
            fill(memory, packed, 0 if count == width else terms * width, 0)
            if is_turned:
                _turn(right, first * terms, terms, count, terms, steps, memory, packed)
            else:
                for t in range(terms):
                    for j in range(count):
                        memory[packed + t * width + j] = right[t * columns + first + j]
        for p in range(0, rows, PIXELS):
            is_whole = count == width and p + PIXELS <= rows
            home, place, pitch = memory, tile, width
            if is_whole:
                home, place, pitch = result, p * columns + first, columns
            before, from_there, of_row = memory, biases, 0  # what the first chunk is added to
            for c in range(chunks.size):
                pixel_tile(
                    weights, corner + chunks[c] * step, step, left, 0, places, p, chunks, c, c + 1,
                    min(_TERMS, terms - chunks[c]), before, from_there, of_row, home, place, pitch,
                    PIXELS, _VECTORS,
                )  # fmt: skip
                before, from_there, of_row = home, place, pitch
            if not is_whole:
                for i in range(min(PIXELS, rows - p)):
                    row = result[(p + i) * columns + first : (p + i) * columns + first + count]
                    for j in range(count):
                        row[j] = memory[tile + i * width + j]


def is_large(a: Array, b: Array, out: Array) -> bool:
    """Whether the product is worth the start of threads, and all are of one floating-point dtype.

    It does not matter whether there are threads to start: in a forked process there are none, and the results
    have the same bits.
    """
    return bool(
        out.dtype.kind == "f" and a.dtype == b.dtype == out.dtype and a.size * out.shape[1] >= _ENOUGH
    )


def multiply(a: Array, b: Array, is_turned: bool, bias: Array | None, out: Array) -> None:
    """out = bias + A B, where B is `b` or, if `is_turned`, its transpose."""
    rows, columns = out.shape
    lanes = VECTOR_BYTES // out.itemsize
    start = np.empty(0, out.dtype) if bias is None else behaved(bias)
    result = target(out)
    _multiply.of(a.size * columns)(
        behaved(a).reshape(-1), behaved(b).reshape(-1), is_turned, start,
        *_tables(rows, b.shape[1 if is_turned else 0], lanes), rows, columns, result.reshape(-1),
    )  # fmt: skip
    deliver(result, out)
