"""Uniform numbers become normal ones: the Box-Muller transform, in the three forms PyTorch uses.

Two independent uniforms u, v give two independent normals: sqrt(-2 log(1 - u)) times cos(2 pi v) and times
sin(2 pi v). Large contiguous tensors are made in blocks of 16 (the first 8 uniforms give the radii, the
last 8 the angles), everything else pair by pair in float64, the second value of a pair being kept for the
next draw.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .fused import fused_multiply_add
from .mersenne_twister import MersenneTwister

Array = npt.NDArray[Any]

__all__ = ["BLOCK", "normal_blocks", "paired_normals"]

BLOCK = 16


def normal_blocks(uniforms: Array, mean: float, std: float) -> Array:
    """Normals from uniforms, block by block of 16; float32 in, float32 out, and the same for float64.

    The length of `uniforms` is a multiple of 16. Element j of a block's first half pairs with element j + 8.
    """
    pairs = uniforms.reshape(-1, 2, BLOCK // 2)
    kept, angle = 1 - pairs[:, 0], pairs[:, 1]  # kept lies in (0, 1], where the logarithm is finite
    if uniforms.dtype == np.float32:
        radius = np.sqrt(np.float32(-2) * _log_float32(kept))
        sine, cosine = _sincos_float32(np.float32(2 * math.pi) * angle)
    else:
        radius = np.sqrt(-2 * np.log(kept))
        theta = 2 * math.pi * angle
        sine, cosine = np.sin(theta), np.cos(theta)
    normals: Array = np.stack((radius * cosine, radius * sine), axis=1).reshape(-1)
    kind = uniforms.dtype.type
    if mean == 0:
        scaled: Array = normals * kind(std) + kind(0)  # adding 0 rounds nothing, and makes -0 a 0
        return scaled
    return fused_multiply_add(normals, kind(std), kind(mean))


def paired_normals(twister: MersenneTwister, count: int, mean: float, std: float) -> Array:
    """`count` normals in float64, drawn two at a time; a spare one is used first and left behind last.

    Python's `math` and PyTorch call the same functions of the C library, so that even the spare is equal.
    """
    values: list[float] = []
    if count and twister.spare_normal is not None:
        values.append(twister.spare_normal)
        twister.spare_normal = None
    pair_count = (count - len(values) + 1) // 2
    for v, u in twister.uniforms(2 * pair_count, np.float64).reshape(-1, 2).tolist():
        radius = math.sqrt(-2.0 * math.log1p(-u))
        theta = 2.0 * math.pi * v
        values.append(radius * math.cos(theta))
        values.append(radius * math.sin(theta))
    if len(values) > count:
        twister.spare_normal = values.pop()
    return fused_multiply_add(np.array(values), np.float64(std), np.float64(mean))


# PyTorch's float32 blocks come from vector instructions: single-precision polynomials (those of the Cephes
# library) with fused steps. They follow below, step for step, because the nearest float32 is up to 3 units in
# the last place away from them.


def _fma(x: Array, y: Any, z: Any) -> Array:
    """x * y + z in float32 through float64; rounding twice shows once in 5e8 steps, in the last bit."""
    exact: Array = x.astype(np.float64)
    exact *= y
    exact += z
    return exact.astype(np.float32)


def _polynomial(x: Array, *coefficients: float) -> Array:
    """The polynomial with these coefficients, highest power first, by fused Horner steps."""
    result: Array = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        result = _fma(result, x, np.float32(coefficient))
    return result


def _log_float32(x: Array) -> Array:
    """log(x) for normal x > 0: with x = m * 2**e and m in [sqrt(1/2), sqrt(2)), log(m) + e log(2)."""
    mantissa, exponent = np.frexp(x)  # mantissa in [1/2, 1)
    small = mantissa < np.float32(math.sqrt(0.5))
    e = (exponent - small).astype(np.float32)
    m = np.where(small, mantissa + mantissa, mantissa) - np.float32(1)
    square: Array = m * m
    cubic = m * _polynomial(
        m,
        *(7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1),
        *(-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1),
    )
    # log(2) in two parts, the larger of which has few bits, so that e times it is exact.
    tail = _fma(cubic, square, e * np.float32(-2.12194440e-4)) - square * np.float32(0.5)
    return _fma(e, np.float32(0.693359375), m + tail)


def _sincos_float32(x: Array) -> tuple[Array, Array]:
    """(sin(x), cos(x)) for 0 <= x < 8192, from the distance to the nearest multiple of pi/2."""
    octant = (x * np.float32(4 / math.pi)).astype(np.int32)
    octant = (octant + 1) & ~1
    turns = octant.astype(np.float32)
    # pi/4 in three parts, the first two of which have few bits: products with them are exact.
    for part in (-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8):
        x = _fma(turns, np.float32(part), x)
    square = x * x
    half = square * np.float32(0.5)
    quartic = square * _polynomial(square, 2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
    near_cosine = _fma(quartic, square, -half) + np.float32(1)
    cubic = square * _polynomial(square, -1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
    near_sine = _fma(cubic, x, x)
    swapped = (octant & 2) != 0
    sine = np.where(swapped, near_cosine, near_sine)
    cosine = np.where(swapped, near_sine, near_cosine)
    return np.where(octant & 4, -sine, sine), np.where((octant - 2) & 4, cosine, -cosine)
