"""Products of matrices, in the tiles of the convolution that has all output channels side by side.

    out[p, j] = bias[j] + Σ_t A[p, t] · B[t, j]

A tile of 8 rows by 32 columns keeps its sums in registers (`pixel_tiles.py`): a row of A is what the window
of a pixel is there, a column of B what the weights of an output channel are. Both are read where they lie.
Only what is transposed, and the last columns of B where they do not fill a tile, are copied first.

A sum is added to the result after at most 128 products: long sums in float32 lose digits. Blocks of columns
are shared among threads. No sum is divided, so no result depends on the number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from ...dtypes import Array
from .elements import fill
from .flat import compiled
from .frames import aligned
from .pixel_tiles import PIXELS, pixel_tile, transpose_tile
from .runtime import in_parallel
from .vectors import VECTOR_BYTES

_TERMS = 128
_VECTORS = 2  # of a block of columns
_ENOUGH = 1 << 20  # products that are worth the start of threads, some 30 microseconds


@compiled
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


@in_parallel(enough=_ENOUGH)
def multiply(a: Array, a_is_turned: bool, b: Array, b_is_turned: bool, bias: Array, out: Array) -> None:
    """out = bias + A B, where A is `a` or its transpose and B is `b` or its transpose; no bias is 0."""
    rows, columns = out.shape
    terms = b.shape[1] if b_is_turned else b.shape[0]
    lanes = VECTOR_BYTES // out.itemsize
    width = _VECTORS * lanes
    blocks = (columns + width - 1) // width
    left, right, result = a.reshape(-1), b.reshape(-1), out.reshape(-1)
    if a_is_turned:
        left = np.empty(rows * terms, a.dtype)
        _turn(a.reshape(-1), 0, rows, terms, rows, np.arange(rows) * terms, left, 0)
    places = np.zeros(rows + PIXELS, np.int64)  # what is behind the last row is computed as the first, and dropped
    for p in range(rows):
        places[p] = p * terms
    chunks = np.arange(0, terms, _TERMS)
    steps = np.arange(terms) * width
    # For each block: the columns of B, a tile of results, the bias.
    size = (terms + PIXELS + 1) * width
    memory, start = aligned(blocks * size, out)
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
        if b_is_turned or count < width:
            weights, corner, step = memory, packed, width
            fill(memory, packed, 0 if count == width else terms * width, 0)
            if b_is_turned:
                _turn(right, first * terms, terms, count, terms, steps, memory, packed)
            else:
                for t in range(terms):
                    for j in range(count):
                        memory[packed + t * width + j] = right[t * columns + first + j]
        for p in range(0, rows, PIXELS):
            is_whole = count == width and p + PIXELS <= rows
            target, place, pitch = memory, tile, width
            if is_whole:
                target, place, pitch = result, p * columns + first, columns
            before, from_there, of_row = memory, biases, 0  # what the first chunk is added to
            for c in range(chunks.size):
                pixel_tile(
                    weights, corner + chunks[c] * step, step, left, 0, places, p, chunks, c, c + 1,
                    min(_TERMS, terms - chunks[c]), before, from_there, of_row, target, place, pitch,
                    PIXELS, _VECTORS,
                )  # fmt: skip
                before, from_there, of_row = target, place, pitch
            if not is_whole:
                for i in range(min(PIXELS, rows - p)):
                    row = result[(p + i) * columns + first : (p + i) * columns + first + count]
                    for j in range(count):
                        row[j] = memory[tile + i * width + j]
