"""exp, log, tanh and erf of additions, multiplications and divisions only, in float64: the same on every CPU.

Each brings its argument near 0 by steps that lose no digits, and adds up a short series there. The errors are
below 4 units of the 53rd bit, so results in float32 are rounded correctly but for one in millions.
"""

from __future__ import annotations

import math

from ..numba_kernels.flat import compiled

# ln 2 in two parts: k times the first is exact for every k that can occur.
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_LOG2_E = 1.4426950408889634
_SQRT_HALF = 0.7071067811865476
_TWO_BY_SQRT_PI = 1.1283791670955126


@compiled
def _expm1_near_zero(r: float) -> float:
    """e^r - 1 for |r| < 0.36: r + r²/2! + ... + r^14/14!, from the smallest term on."""
    total = 1.0
    for n in range(14, 1, -1):
        total = 1.0 + r * total / n
    return r * total


@compiled
def exp(x: float) -> float:
    """e^x = 2^k · e^r with r = x - k ln 2."""
    if x != x:
        return x
    if x > 709.782712893384:
        return math.inf
    if x < -745.2:
        return 0.0
    k = math.floor(x * _LOG2_E + 0.5)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    value = 1.0 + _expm1_near_zero(r)
    half = int(k) // 2  # in two steps, because 2^k itself may be too large or too small
    return math.ldexp(math.ldexp(value, half), int(k) - half)


@compiled
def expm1(x: float) -> float:
    """e^x - 1, without loss of digits near 0."""
    if -0.35 < x < 0.35:
        return _expm1_near_zero(x)
    return exp(x) - 1.0


@compiled
def _twice_artanh(s: float) -> float:
    """2 (s + s³/3 + s⁵/5 + ...) for |s| < 0.2: ln((1 + s) / (1 - s))."""
    square = s * s
    total = 0.0
    for n in range(25, 1, -2):
        total = (total + 1.0 / n) * square
    return 2.0 * (s + s * total)


@compiled
def log(x: float) -> float:
    """ln x = k ln 2 + ln m with x = 2^k m and m between sqrt(1/2) and sqrt(2)."""
    if x != x or x == math.inf:
        return x
    if x < 0.0:
        return math.nan
    if x == 0.0:
        return -math.inf
    m, k = math.frexp(x)
    if m < _SQRT_HALF:
        m, k = 2.0 * m, k - 1
    part = _twice_artanh((m - 1.0) / (m + 1.0))
    return k * _LN2_HIGH + (part + k * _LN2_LOW)


@compiled
def log1p(x: float) -> float:
    """ln(1 + x), without loss of digits near 0."""
    if -0.25 < x < 0.35:
        return _twice_artanh(x / (2.0 + x)) if x != 0.0 else x
    return log(1.0 + x)


@compiled
def tanh(x: float) -> float:
    """(e^2x - 1) / (e^2x + 1)."""
    if x != x:
        return x
    if abs(x) > 20.0:
        return 1.0 if x > 0.0 else -1.0
    if x == 0.0:
        return x
    t = expm1(2.0 * abs(x))
    value = t / (t + 2.0)
    return value if x > 0.0 else -value


@compiled
def erf(x: float) -> float:
    """The error function: near 0 a series of positive terms, farther out a continued fraction."""
    if x != x:
        return x
    size = abs(x)
    if size > 6.0:
        return 1.0 if x > 0.0 else -1.0
    square = x * x
    if size < 2.5:  # 2/√π e^(-x²) (x + 2x³/3 + 4x⁵/15 + ...), each term 2x²/(2n + 1) times the one before
        term = total = size
        n = 1
        while term > total * 1e-17:
            term *= 2.0 * square / (2 * n + 1)
            total += term
            n += 1
        value = _TWO_BY_SQRT_PI * exp(-square) * total
    else:  # 1 - e^(-x²)/√π · 1/(x + (1/2)/(x + (2/2)/(x + (3/2)/(x + ...))))
        fraction = size
        for n in range(60, 0, -1):
            fraction = size + 0.5 * n / fraction
        value = 1.0 - 0.5 * _TWO_BY_SQRT_PI * exp(-square) / fraction
    return value if x >= 0.0 else -value
