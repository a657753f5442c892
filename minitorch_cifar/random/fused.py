"""x * y + z with one rounding instead of two.

PyTorch's kernels are compiled to use the processor's fused multiply-add, and a uniform in [low, high) is
`u * (high - low) + low` by one such instruction. NumPy has none, so the single rounding is put together here
from error-free transformations: that makes uniforms equal PyTorch's to the last bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

__all__ = ["fused_multiply_add"]


def fused_multiply_add(x: Array, y: Array | np.generic, z: Array | np.generic) -> Array:
    """round(x * y + z), all three float32 or all three float64.

    In float64 the last bit is right as long as |x * y| exceeds about 1e-290, where error terms underflow.

    Source: Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms using
    rounding to odd", IEEE Transactions on Computers 57(4), 2008.
    """
    if x.dtype == np.float32:
        # 24 + 24 bits: the product is exact in float64. Rounding the sum to odd there keeps enough of what
        # is lost that the second rounding, to float32, comes out as if it were the only one.
        product = x.astype(np.float64) * np.float64(y)
        rounded: Array = _add_to_odd(product, np.float64(z)).astype(np.float32)
        return rounded
    product, product_error = _two_product(x, y)
    low, low_error = _two_sum(product_error, z)
    high, high_error = _two_sum(product, low)
    result: Array = high + _add_to_odd(low_error, high_error)
    # Splitting overflows beyond 2**996 (and inf gives nan); the plain expression has no such limit.
    return np.where(np.isfinite(result), result, x * y + z)


def _two_sum(a: Array, b: Array | np.generic) -> tuple[Array, Array]:
    """The rounded sum and its exact error."""
    total = a + b
    b_part = total - a
    return total, (a - (total - b_part)) + (b - b_part)


def _two_product(a: Array, b: Array | np.generic) -> tuple[Array, Array]:
    """The rounded product and its exact error, by splitting both factors into halves of 26 bits."""
    product: Array = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(np.asarray(b))
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


def _split(a: Array) -> tuple[Array, Array]:
    shifted = a * 134217729.0  # 2**27 + 1
    high = shifted - (shifted - a)
    return high, a - high


def _add_to_odd(a: Array, b: Array | np.generic) -> Array:
    """a + b rounded to odd: an inexact sum takes whichever neighbour has an odd last bit."""
    total, error = _two_sum(a, b)
    bits = total.view(np.int64)
    inexact_and_even = ((error > 0) | (error < 0)) & (bits & 1 == 0)
    outward = (error > 0) == (total > 0)  # does the exact sum lie farther from zero?
    bits += inexact_and_even * np.where(outward, 1, -1)
    return total
