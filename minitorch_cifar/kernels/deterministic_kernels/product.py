"""The matrix product with additions in a fixed order; convolution and the linear layer are made of it.

out[m, j] = Σ_k a[m, k] b[k, j]: the sum goes through k in order, in stretches of 32 whose sums are then added
up in order (long sums in float32 lose digits). Several j stand in one vector, which mixes none of their sums,
so it does not matter how many a CPU's vector holds.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from ...dtypes import Array
from ..numba_kernels.flat import compiled
from ..numba_kernels.layout import behaved, deliver, target
from ..numba_kernels.runtime import in_parallel

TERMS = 32  # of a stretch of the sum
COLUMNS = 256  # at a time: their part of 32 rows of b, and the partial sums, stay in the first-level cache
_ROWS = 8  # of a task for a thread
_ENOUGH = 1 << 22  # products that are worth the start of threads, a tenth of a millisecond


@compiled
def multiply_rows(a: Array, b: Array, first: int, last: int, partial: Array, out: Array) -> None:
    """out[m] = a[m] @ b for first ≤ m < last; `partial` (COLUMNS,) is scratch memory."""
    terms, columns = b.shape
    for start in range(0, columns, COLUMNS):
        end = min(start + COLUMNS, columns)
        sums = partial[: end - start]
        for m in range(first, last):
            row = out[m, start:end]
            row[:] = 0
            for begin in range(0, terms, TERMS):
                stop = min(begin + TERMS, terms)
                sums[:] = 0
                k = begin
                while k + 4 <= stop:  # four at a time: the sums are loaded and stored once for them
                    a0, a1, a2, a3 = a[m, k], a[m, k + 1], a[m, k + 2], a[m, k + 3]
                    b0, b1 = b[k, start:end], b[k + 1, start:end]
                    b2, b3 = b[k + 2, start:end], b[k + 3, start:end]
                    for j in range(sums.size):
                        sums[j] = (((sums[j] + a0 * b0[j]) + a1 * b1[j]) + a2 * b2[j]) + a3 * b3[j]
                    k += 4
                while k < stop:
                    factor, b0 = a[m, k], b[k, start:end]
                    for j in range(sums.size):
                        sums[j] += factor * b0[j]
                    k += 1
                for j in range(sums.size):
                    row[j] += sums[j]


@in_parallel(enough=_ENOUGH)
def _multiply(a: Array, b: Array, out: Array) -> None:
    for task in prange((a.shape[0] + _ROWS - 1) // _ROWS):
        partial = np.empty(COLUMNS, out.dtype)
        multiply_rows(a, b, task * _ROWS, min((task + 1) * _ROWS, a.shape[0]), partial, out)


def multiply(a: Array, b: Array, out: Array) -> None:
    """out = a @ b for matrices of floats of one dtype."""
    if not out.size:
        return
    result = target(out)
    _multiply.of(out.size * a.shape[1])(behaved(a), behaved(b), result)
    deliver(result, out)
