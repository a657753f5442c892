"""Arithmetic, element by element: sums, products, quotients and their remainders.

In each docstring `g` is the gradient dL/dz that arrives. Inputs broadcast; the engine sums the gradients back
to the inputs' shapes. Overflow, division by zero and the like give inf or NaN, silently.
"""

# mypy: disable-error-code="no-any-return"
# (NumPy declares what its ufuncs return as Any.)

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.operation import Elementwise
from ..dtypes import Array

Pair = tuple[Array | None, Array | None]


class Add(Elementwise):
    """z = x + alpha y.  dL/dx = g, dL/dy = alpha g."""

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array, *, alpha: Any = 1) -> Array:
        ctx.alpha = alpha
        with np.errstate(all="ignore"):
            return np.add(x, y if alpha == 1 else np.multiply(y, like(y, alpha)))

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        with np.errstate(all="ignore"):
            return grad, grad if ctx.alpha == 1 else grad * like(grad, ctx.alpha)


class Sub(Elementwise):
    """z = x - alpha y.  dL/dx = g, dL/dy = -alpha g."""

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array, *, alpha: Any = 1) -> Array:
        ctx.alpha = alpha
        with np.errstate(all="ignore"):
            return np.subtract(x, y if alpha == 1 else np.multiply(y, like(y, alpha)))

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        with np.errstate(all="ignore"):
            return grad, grad * like(grad, -ctx.alpha) if ctx.needs_input_grad[1] else None


class Rsub(Elementwise):
    """z = y - alpha x.  dL/dx = -alpha g, dL/dy = g."""

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array, *, alpha: Any = 1) -> Array:
        ctx.alpha = alpha
        with np.errstate(all="ignore"):
            return np.subtract(y, x if alpha == 1 else np.multiply(x, like(x, alpha)))

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        with np.errstate(all="ignore"):
            return grad * like(grad, -ctx.alpha) if ctx.needs_input_grad[0] else None, grad


class RsubFromNumber(Elementwise):
    """z = y - alpha x for a number y.  dL/dx = -alpha g."""

    node_name = "RsubBackward1"

    @staticmethod
    def forward(ctx: Any, x: Array, *, number: Any, alpha: Any) -> Array:
        return Rsub.forward(ctx, x, number, alpha=alpha)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        with np.errstate(all="ignore"):
            return grad * like(grad, -ctx.alpha)


class Mul(Elementwise):
    """z = x y.  dL/dx = g y, dL/dy = g x."""

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array) -> Array:
        ctx.save(x if ctx.needs_input_grad[1] else None, y if ctx.needs_input_grad[0] else None)
        with np.errstate(all="ignore"):
            return np.multiply(x, y)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        x, y = ctx.saved
        with np.errstate(all="ignore"):
            return None if y is None else grad * y, None if x is None else grad * x


class Div(Elementwise):
    """z = x / y.  dL/dx = g / y, dL/dy = -g x / y^2, computed as -g (x / y) / y, as PyTorch does."""

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array) -> Array:
        ctx.save(x if ctx.needs_input_grad[1] else None, y if any(ctx.needs_input_grad) else None)
        with np.errstate(all="ignore"):
            return np.divide(x, y)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        x, y = ctx.saved
        with np.errstate(all="ignore"):
            by_x = grad / y if ctx.needs_input_grad[0] else None
            by_y = -grad * ((x / y) / y) if ctx.needs_input_grad[1] else None
        return by_x, by_y


class RoundedDiv(Elementwise):
    """z = floor(x / y) or trunc(x / y).  The gradient is zero wherever it exists; it is zero here."""

    node_name = "DivBackward2"

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array, *, rounding_mode: str) -> Array:
        ctx.shapes = x.shape, y.shape
        return rounded_quotient(x, y, rounding_mode)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        return np.zeros(ctx.shapes[0], grad.dtype), np.zeros(ctx.shapes[1], grad.dtype)


class FloorDivide(Elementwise):
    """z = floor(x / y).  As in PyTorch, where a gradient is asked for, backward refuses."""

    node_name = "NotImplemented"

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array) -> Array:
        return rounded_quotient(x, y, "floor")

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        raise RuntimeError("derivative for aten::floor_divide is not implemented")


def rounded_quotient(x: Array, y: Array, rounding_mode: str) -> Array:
    """floor(x / y) or trunc(x / y); RuntimeError for a whole number divided by zero."""
    with np.errstate(all="ignore"):
        if x.dtype.kind != "f":
            check_divisor(y)
            quotient = np.floor_divide(x, y)
            if rounding_mode == "trunc":
                quotient = quotient + ((quotient < 0) & (quotient * y != x))
            return np.asarray(quotient, np.result_type(x, y))
        if rounding_mode == "trunc":
            return np.trunc(np.divide(x, y))
        quotient = np.floor_divide(x, y)  # as Python's //: exact, from fmod
        return np.where(np.equal(y, 0), np.divide(x, y), quotient)


def check_divisor(y: Array) -> None:
    """RuntimeError when a whole number would be divided by zero."""
    if not np.all(y):
        raise RuntimeError("ZeroDivisionError: whole numbers cannot be divided by zero")


class Remainder(Elementwise):
    """z = x - floor(x / y) y, with the sign of y.  dL/dx = g, dL/dy = -g floor(x / y)."""

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array, *, node_name: str) -> Array:
        ctx.node_name = node_name
        ctx.save(x if ctx.needs_input_grad[1] else None, y if ctx.needs_input_grad[1] else None)
        with np.errstate(all="ignore"):
            if x.dtype.kind != "f":
                check_divisor(y)
                return np.remainder(x, y)
            rest = np.fmod(x, y)  # a rest of zero keeps the sign of x, unlike in NumPy's remainder
            return np.where((rest != 0) & ((y < 0) != (rest < 0)), rest + y, rest)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        x, y = ctx.saved
        with np.errstate(all="ignore"):
            return grad, -grad * rounded_quotient(x, y, "floor") if ctx.needs_input_grad[1] else None


class NumberRemainder(Remainder):
    """The remainder of a number divided by a tensor.  As in PyTorch, backward refuses."""

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        raise RuntimeError("derivative for aten::remainder is not implemented")


class Fmod(Elementwise):
    """z = x - trunc(x / y) y, with the sign of x.  dL/dx = g, dL/dy = -g trunc(x / y)."""

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array, *, node_name: str) -> Array:
        ctx.node_name = node_name
        ctx.save(x if ctx.needs_input_grad[1] else None, y if ctx.needs_input_grad[1] else None)
        with np.errstate(all="ignore"):
            if x.dtype.kind != "f":
                check_divisor(y)
            return np.fmod(x, y)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        x, y = ctx.saved
        with np.errstate(all="ignore"):
            return grad, -grad * np.trunc(x / y) if ctx.needs_input_grad[1] else None


class Neg(Elementwise):
    """y = -x.  dL/dx = -g."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        return np.negative(x)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        return -grad


class Addcmul(Elementwise):
    """z = x + value a b.  dL/dx = g, dL/da = value g b, dL/db = value g a."""

    @staticmethod
    def forward(ctx: Any, x: Array, a: Array, b: Array, *, value: Any) -> Array:
        ctx.save(a, b)
        ctx.value = value
        with np.errstate(all="ignore"):
            return np.add(x, like(x, value) * a * b)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> tuple[Array, Array, Array]:
        a, b = ctx.saved
        value = like(grad, ctx.value)
        with np.errstate(all="ignore"):
            return grad, grad * (b * value), grad * (a * value)


class Addcdiv(Elementwise):
    """z = x + value a / b.  dL/dx = g, dL/da = value g / b, dL/db = -value g a / b^2."""

    @staticmethod
    def forward(ctx: Any, x: Array, a: Array, b: Array, *, value: Any) -> Array:
        ctx.save(a, b)
        ctx.value = value
        with np.errstate(all="ignore"):
            return np.add(x, like(x, value) * a / b)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> tuple[Array, Array, Array]:
        a, b = ctx.saved
        value = like(grad, ctx.value)
        with np.errstate(all="ignore"):
            return grad, grad * (value / b), -grad * ((value * a) / (b * b))


class Lerp(Elementwise):
    """z = x + w (y - x).  dL/dx = g (1 - w), dL/dy = g w, dL/dw = g (y - x).

    For w >= 1/2 it is computed as y - (y - x) (1 - w), so that w = 1 gives y exactly.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array, w: Array, *, node_name: str) -> Array:
        ctx.node_name = node_name
        needs = ctx.needs_input_grad[2]
        ctx.save(x if needs else None, y if needs else None, w)
        with np.errstate(all="ignore"):
            gap = y - x
            return np.where(np.abs(w) < 0.5, x + w * gap, y - gap * (like(w, 1) - w))

    @staticmethod
    def backward(ctx: Any, grad: Array) -> tuple[Array, Array, Array | None]:
        x, y, w = ctx.saved
        with np.errstate(all="ignore"):
            by_w = grad * (y - x) if ctx.needs_input_grad[2] else None
            return grad * (like(w, 1) - w), grad * w, by_w


def like(x: Array, number: Any) -> Any:
    """A number in the dtype of `x`, so that NumPy does not widen the result; whole numbers wrap."""
    if x.dtype.kind == "f":
        return x.dtype.type(number)
    return np.asarray(number).astype(x.dtype)
