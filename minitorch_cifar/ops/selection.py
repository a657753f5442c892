"""Operations that choose or cut: signs, rounding, clamping, the larger of two, `where`.

Between their kinks they are flat or hand an input through, so the gradient is zero or `g` itself, the
gradient dL/dz that arrives; the docstrings say who gets it at a kink, at a tie and at NaN.
"""

# mypy: disable-error-code="no-any-return"
# (NumPy declares what its ufuncs return as Any.)

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.layout import like_operands
from ..autograd.operation import Elementwise
from ..dtypes import Array
from .arithmetic import like

Pair = tuple[Array | None, Array | None]


class Abs(Elementwise):
    """y = |x|.  dL/dx = g sign(x): zero at the kink x = 0, and where x is NaN."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save(x)
        return np.abs(x)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (x,) = ctx.saved
        with np.errstate(all="ignore"):
            return grad * sign(x)


def sign(x: Array) -> Array:
    """-1, 0 or 1; 0 for NaN, where NumPy has NaN and PyTorch has not."""
    if x.dtype.kind == "b":
        return x.copy()
    return np.subtract(x > 0, x < 0, dtype=np.int8).astype(x.dtype)


class Step(Elementwise):
    """sign, floor, ceil, round, trunc: flat between their jumps, so dL/dx = 0 everywhere."""

    @staticmethod
    def forward(ctx: Any, x: Array, *, function: Any, node_name: str) -> Array:
        ctx.node_name = node_name
        with np.errstate(all="ignore"):
            return np.asarray(function(x))

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        return np.zeros_like(grad)


class Clamp(Elementwise):
    """y = min(max(x, low), high) for numbers low, high.  dL/dx = g where low < x < high, else 0.

    It is 0 at both ends and where x is NaN.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, *, low: Any, high: Any, node_name: str) -> Array:
        ctx.node_name = node_name
        ctx.low, ctx.high = low, high
        ctx.save(x)
        result = x
        if low is not None:
            result = np.maximum(result, like(x, low))
        if high is not None:
            result = np.minimum(result, like(x, high))
        return result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (x,) = ctx.saved
        inside = ~np.isnan(x) if ctx.low is None else x > ctx.low
        if ctx.high is not None:
            inside = inside & (x < ctx.high)
        return np.where(inside, grad, like(grad, 0))


class ClampBetween(Elementwise):
    """z = min(max(x, low), high) for tensors low <= high.

    What z equals gets g: x inside, else low or high; x shares equally with an end that it is equal to. Where
    low > high all of g goes to high. Where NaN makes z NaN, x gets g unless it is known to be outside.
    """

    node_name = "ClampBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, low: Array, high: Array) -> Array:
        ctx.save(x, low, high)
        return np.minimum(np.maximum(x, low), high)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> tuple[Array, Array, Array]:
        x, low, high = ctx.saved
        room, some, zero = low < high, low <= high, like(grad, 0)
        at_low, at_high = room & (x == low), room & (x == high)
        with np.errstate(all="ignore"):
            shared = np.where(at_low | at_high, grad / 2, grad)
        by_x = np.where((x < low) | (x > high), zero, shared)
        by_low = np.where((x < low) & some | at_low, shared, zero)
        by_high = np.where((x > high) & some | at_high | (low > high), shared, zero)
        return by_x, by_low, by_high


class Maximum(Elementwise):
    """z = max(x, y), NaN if either is.  The larger gets g; where they are equal, each gets g / 2.

    Where one is NaN, both get g.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array, *, node_name: str = "MaximumBackward0") -> Array:
        ctx.node_name = node_name
        ctx.save(x, y)
        return np.maximum(x, y)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        x, y = ctx.saved
        return _split_by(grad, x < y, x > y, x == y)


class Minimum(Elementwise):
    """z = min(x, y), NaN if either is.  The smaller gets g; where they are equal, each gets g / 2.

    Where one is NaN, both get g.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array, *, node_name: str = "MinimumBackward0") -> Array:
        ctx.node_name = node_name
        ctx.save(x, y)
        return np.minimum(x, y)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        x, y = ctx.saved
        return _split_by(grad, x > y, x < y, x == y)


def _split_by(grad: Array, x_loses: Array, y_loses: Array, tie: Array) -> Pair:
    # Worded by who loses: a NaN compares false with everything, and PyTorch then gives g to both.
    with np.errstate(all="ignore"):
        shared = np.where(tie, grad / 2, grad)
    zero = like(grad, 0)
    return np.where(x_loses, zero, shared), np.where(y_loses, zero, shared)


class Where(Elementwise):
    """z = x where the condition holds, else y.  dL/dx = g where it holds, dL/dy = g where it does not."""

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array, *, condition: Array) -> Array:
        ctx.save(condition)
        return np.where(condition, x, y)

    @classmethod
    def lay_out(cls, result: Any, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
        return like_operands(result, (parameters["condition"], *inputs))

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        (condition,) = ctx.saved
        zero = like(grad, 0)
        by_x = np.where(condition, grad, zero) if ctx.needs_input_grad[0] else None
        by_y = np.where(condition, zero, grad) if ctx.needs_input_grad[1] else None
        return by_x, by_y
