"""Sums of rows in float64, in eight partial sums whose number the source fixes and not the CPU."""

from __future__ import annotations

from ...dtypes import Array
from ..numba_kernels.flat import compiled


@compiled
def sum_of(row: Array) -> float:
    """Σ row[i]."""
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    whole = row.size - row.size % 8
    for i in range(0, whole, 8):
        s0 += row[i]
        s1 += row[i + 1]
        s2 += row[i + 2]
        s3 += row[i + 3]
        s4 += row[i + 4]
        s5 += row[i + 5]
        s6 += row[i + 6]
        s7 += row[i + 7]
    for i in range(whole, row.size):
        s0 += row[i]
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))


@compiled
def sum_of_products(a: Array, b: Array, shift_b: float) -> float:
    """Σ a[i] (b[i] - shift_b)."""
    s0 = s1 = s2 = s3 = 0.0
    whole = a.size - a.size % 4
    for i in range(0, whole, 4):
        s0 += a[i] * (b[i] - shift_b)
        s1 += a[i + 1] * (b[i + 1] - shift_b)
        s2 += a[i + 2] * (b[i + 2] - shift_b)
        s3 += a[i + 3] * (b[i + 3] - shift_b)
    for i in range(whole, a.size):
        s0 += a[i] * (b[i] - shift_b)
    return (s0 + s1) + (s2 + s3)


@compiled
def sum_of_squares(row: Array, shift: float) -> float:
    """Σ (row[i] - shift)²."""
    s0 = s1 = s2 = s3 = 0.0
    whole = row.size - row.size % 4
    for i in range(0, whole, 4):
        d0, d1, d2, d3 = row[i] - shift, row[i + 1] - shift, row[i + 2] - shift, row[i + 3] - shift
        s0 += d0 * d0
        s1 += d1 * d1
        s2 += d2 * d2
        s3 += d3 * d3
    for i in range(whole, row.size):
        d0 = row[i] - shift
        s0 += d0 * d0
    return (s0 + s1) + (s2 + s3)
