"""Powers, exponentials, logarithms, roots, trigonometry: y_i = f(x_i).

In each docstring `g` is the gradient dL/dy that arrives. Outside its domain a function gives NaN or inf,
silently. Activations are in `activation.py`.
"""

# mypy: disable-error-code="no-any-return"
# (NumPy declares what its ufuncs return as Any.)

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.operation import Elementwise
from ..dtypes import Array
from .arithmetic import like

Pair = tuple[Array | None, Array | None]


class Pow(Elementwise):
    """z = x^y.  dL/dx = g y x^(y-1), zero where y = 0;  dL/dy = g z ln x, zero where x = 0 and y >= 0."""

    node_name = "PowBackward1"

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array) -> Array:
        with np.errstate(all="ignore"):
            result = np.power(x, y) if x.dtype.kind == "f" else whole_power(x, y)
        ctx.save(
            x if any(ctx.needs_input_grad) else None,
            y if any(ctx.needs_input_grad) else None,
            result if ctx.needs_input_grad[1] else None,
        )
        return result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        x, y, result = ctx.saved
        by_x = by_y = None
        with np.errstate(all="ignore"):
            if ctx.needs_input_grad[0]:
                by_x = np.where(np.equal(y, 0), 0, grad * (y * np.power(x, y - 1)))
            if ctx.needs_input_grad[1]:
                flat = np.equal(x, 0) & np.greater_equal(y, 0)
                by_y = np.where(flat, 0, grad * (result * np.log(x)))
        return by_x, by_y


def whole_power(x: Array, y: Array) -> Array:
    """x^y for whole numbers; what is no whole number (2^-1) becomes 0. NotImplementedError for booleans."""
    if x.dtype.kind == "b":
        raise NotImplementedError("\"pow\" not implemented for 'Bool'")
    result = np.power(x, np.maximum(y, 0)).astype(x.dtype)
    inverse = np.where(x == 1, 1, np.where(x == -1, np.where(y % 2, -1, 1), 0)).astype(x.dtype)
    return np.where(y < 0, inverse, result)


class ScalarPow(Pow):
    """z = x^y for a number x and a tensor y: as `Pow`, under PyTorch's name for it."""

    node_name = "PowBackward2"


class PowScalar(Elementwise):
    """y = x^p for a number p.  dL/dx = g p x^(p-1); for p = 0 zero, also where x = 0.

    For p = ±0.5, of y as of dL/dx, the root of -0 is -0, and that of minus infinity NaN.
    """

    node_name = "PowBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, *, exponent: float) -> Array:
        ctx.save(x)
        ctx.exponent = exponent
        with np.errstate(all="ignore"):
            if x.dtype.kind == "b":
                return np.multiply(x, x) if exponent == 2 else np.logical_or(x, not exponent)
            return _power(x, exponent)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (x,) = ctx.saved
        p = ctx.exponent
        if p == 0:
            return np.zeros_like(grad)
        with np.errstate(all="ignore"):
            return grad * (like(x, p) * (x if p == 2 else _power(x, p - 1)))


def _power(x: Array, exponent: float) -> Array:
    """x^p; the roots are those of `sqrt`, which differ from powers at -0 and at minus infinity."""
    if exponent == 2:
        return np.multiply(x, x)
    if exponent == 0.5:
        return np.sqrt(x)
    if exponent == -0.5:
        return np.reciprocal(np.sqrt(x))
    if x.dtype == np.float32 and abs(exponent) > 2**24:  # float32 no longer tells odd from even
        return np.power(x.astype(np.float64), exponent).astype(np.float32)
    return np.power(x, like(x, exponent))


class Exp(Elementwise):
    """y = e^x.  dL/dx = g y."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        with np.errstate(all="ignore"):
            result = np.exp(x)
        ctx.save(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (result,) = ctx.saved
        with np.errstate(all="ignore"):
            return grad * result


class Expm1(Elementwise):
    """y = e^x - 1, exact for small x.  dL/dx = g (y + 1)."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        with np.errstate(all="ignore"):
            result = np.expm1(x)
        ctx.save(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (result,) = ctx.saved
        with np.errstate(all="ignore"):
            return grad * (result + like(result, 1))


class Log(Elementwise):
    """y = ln x: -inf at 0, NaN below.  dL/dx = g / x."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save(x)
        with np.errstate(all="ignore"):
            return np.log(x)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (x,) = ctx.saved
        with np.errstate(all="ignore"):
            return grad / x


class Log2(Elementwise):
    """y = log2 x.  dL/dx = g / (x ln 2)."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save(x)
        with np.errstate(all="ignore"):
            return np.log2(x)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (x,) = ctx.saved
        with np.errstate(all="ignore"):
            return grad / (x * like(x, math.log(2)))


class Log10(Elementwise):
    """y = log10 x.  dL/dx = g / (x ln 10)."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save(x)
        with np.errstate(all="ignore"):
            return np.log10(x)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (x,) = ctx.saved
        with np.errstate(all="ignore"):
            return grad / (x * like(x, math.log(10)))


class Log1p(Elementwise):
    """y = ln(1 + x), exact for small x.  dL/dx = g / (1 + x)."""

    node_name = "Log1PBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save(x)
        with np.errstate(all="ignore"):
            return np.log1p(x)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (x,) = ctx.saved
        with np.errstate(all="ignore"):
            return grad / (x + like(x, 1))


class Sqrt(Elementwise):
    """y = sqrt x.  dL/dx = g / (2 y): inf at 0."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        with np.errstate(all="ignore"):
            result = np.sqrt(x)
        ctx.save(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (result,) = ctx.saved
        with np.errstate(all="ignore"):
            return grad / (2 * result)


class Rsqrt(Elementwise):
    """y = 1 / sqrt x.  dL/dx = -g y^3 / 2."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        with np.errstate(all="ignore"):
            result = like(x, 1) / np.sqrt(x)
        ctx.save(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (result,) = ctx.saved
        with np.errstate(all="ignore"):
            return like(result, -0.5) * grad * (result * result * result)


class Reciprocal(Elementwise):
    """y = 1 / x.  dL/dx = -g y^2."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        with np.errstate(all="ignore"):
            result = like(x, 1) / x
        ctx.save(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (result,) = ctx.saved
        with np.errstate(all="ignore"):
            return -grad * (result * result)


class Sin(Elementwise):
    """y = sin x.  dL/dx = g cos x."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save(x)
        with np.errstate(all="ignore"):
            return np.sin(x)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (x,) = ctx.saved
        with np.errstate(all="ignore"):
            return grad * np.cos(x)


class Cos(Elementwise):
    """y = cos x.  dL/dx = -g sin x."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save(x)
        with np.errstate(all="ignore"):
            return np.cos(x)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (x,) = ctx.saved
        with np.errstate(all="ignore"):
            return grad * -np.sin(x)


class Tan(Elementwise):
    """y = tan x.  dL/dx = g (1 + y^2)."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        with np.errstate(all="ignore"):
            result = np.tan(x)
        ctx.save(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (result,) = ctx.saved
        with np.errstate(all="ignore"):
            return grad * (like(result, 1) + result * result)


class Erf(Elementwise):
    """y = 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x.  dL/dx = g 2/sqrt(pi) exp(-x^2)."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save(x)
        return np.vectorize(math.erf, otypes=[x.dtype])(x)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (x,) = ctx.saved
        with np.errstate(all="ignore"):
            return grad * (like(x, 2 / math.sqrt(math.pi)) * np.exp(-(x * x)))
