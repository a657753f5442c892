"""Operations that reduce dimensions: sums, means, extremes, spread, products, norms.

`dims` is a tuple of non-negative dimensions; () never occurs (the functions fill it in). `g` is the gradient
that arrives; "spread" means repeated along the reduced dimensions. float32 sums are added up in float64: it
costs little and makes the result exact to the last digit.
"""

# mypy: disable-error-code="no-any-return, call-overload"
# (NumPy declares what its ufuncs return as Any, and `reduce` for fewer arguments than it takes.)

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.operation import Operation
from ..dtypes import Array
from .selection import sign

Dims = tuple[int, ...]


def spread(grad: Array, dims: Dims, keepdim: bool, shape: tuple[int, ...]) -> Array:
    """Repeat a reduced array along the dimensions it was reduced over. Returns a read-only view."""
    if not keepdim:
        grad = np.expand_dims(grad, dims)
    return np.broadcast_to(grad, shape)


def accurate_sum(x: Array, dims: Dims, keepdim: bool) -> Array:
    """The sum, added up in float64 for floats, in the dtype of `x`."""
    if x.dtype.kind != "f":
        return np.asarray(np.add.reduce(x, axis=dims, keepdims=keepdim))
    with np.errstate(all="ignore"):
        total = np.add.reduce(x, axis=dims, keepdims=keepdim, dtype=np.float64)
        return np.asarray(total, dtype=x.dtype)


def count(shape: tuple[int, ...], dims: Dims) -> int:
    """How many elements go into each result."""
    return math.prod(shape[d] for d in dims)


class Sum(Operation):
    """y = sum of x over dims; 0 for none.  dL/dx = g, spread."""

    @staticmethod
    def forward(ctx: Any, x: Array, *, dims: Dims, keepdim: bool, whole: bool) -> Array:
        ctx.reduced = dims, keepdim, x.shape
        if not whole:
            ctx.node_name = "SumBackward1"
        return accurate_sum(x, dims, keepdim)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        return spread(grad, *ctx.reduced)


class Mean(Operation):
    """y = sum of x over dims / n; NaN for none.  dL/dx = g / n, spread."""

    @staticmethod
    def forward(ctx: Any, x: Array, *, dims: Dims, keepdim: bool, whole: bool) -> Array:
        ctx.reduced = dims, keepdim, x.shape
        if not whole:
            ctx.node_name = "MeanBackward1"
        ctx.n = count(x.shape, dims)
        with np.errstate(all="ignore"):
            total = np.add.reduce(x, axis=dims, keepdims=keepdim, dtype=np.float64)
            return np.asarray(np.true_divide(total, ctx.n), dtype=x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        return spread(grad / grad.dtype.type(max(ctx.n, 1)), *ctx.reduced)


class Var(Operation):
    """y = sum (x - mean)^2 / (n - c), the variance with correction c.  dL/dx = g 2 (x - mean) / (n - c).

    Of the whole tensor (`whole`) and n <= c, dL/dx is g times infinity, or NaN where x is the mean.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, *, dims: Dims, keepdim: bool, correction: float, whole: bool) -> Array:
        ctx.save(x)
        ctx.whole = whole
        ctx.reduced = dims, keepdim, x.shape
        ctx.denominator = count(x.shape, dims) - correction
        return _variance(x, dims, keepdim, ctx.denominator)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (x,) = ctx.saved
        return _by_variance(x, grad, ctx.reduced, ctx.denominator, ctx.whole)


class Std(Operation):
    """y = sqrt of the variance.  dL/dx = g / (2 y) times the variance's gradient; 0 where y = 0."""

    @staticmethod
    def forward(ctx: Any, x: Array, *, dims: Dims, keepdim: bool, correction: float, whole: bool) -> Array:
        ctx.whole = whole
        ctx.reduced = dims, keepdim, x.shape
        ctx.denominator = count(x.shape, dims) - correction
        with np.errstate(all="ignore"):
            result = np.sqrt(_variance(x, dims, keepdim, ctx.denominator, np.float64)).astype(x.dtype)
        ctx.save(x, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        x, result = ctx.saved
        with np.errstate(all="ignore"):
            inner = np.where(result == 0, 0, grad / (result * 2)).astype(grad.dtype)
        return _by_variance(x, inner, ctx.reduced, ctx.denominator, ctx.whole)


def _variance(x: Array, dims: Dims, keepdim: bool, denominator: float, dtype: Any = None) -> Array:
    with np.errstate(all="ignore"):
        mean = np.true_divide(
            np.add.reduce(x, axis=dims, keepdims=True, dtype=np.float64), count(x.shape, dims)
        )
        squares = np.add.reduce(np.square(x - mean), axis=dims, keepdims=keepdim)
        return np.asarray(np.true_divide(squares, max(denominator, 0)), dtype=dtype or x.dtype)


def _by_variance(
    x: Array, grad: Array, reduced: tuple[Dims, bool, Any], denominator: float, whole: bool
) -> Array:
    dims, keepdim, shape = reduced
    with np.errstate(all="ignore"):
        mean = np.true_divide(
            np.add.reduce(x, axis=dims, keepdims=True, dtype=np.float64), count(x.shape, dims)
        )
        if whole and denominator <= 0:
            factor = np.where(x == mean, np.nan, np.inf)
        else:  # along dimensions also for a correction above n, as PyTorch does
            factor = np.true_divide(2, denominator) * (x - mean)
        return np.asarray(spread(grad, dims, keepdim, shape) * factor, dtype=x.dtype)


class Prod(Operation):
    """y = product of x over dims; 1 for none.  dL/dx_i = g y / x_i, g times the product of all others.

    Where x has a zero, the products of what stands before and after i are multiplied instead; over the whole
    tensor and with several zeros the gradient is 0. With infinities and NaN this is what PyTorch gives.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, *, dims: Dims, keepdim: bool, node_name: str) -> Array:
        ctx.node_name = node_name
        ctx.reduced = dims, keepdim, x.shape
        ctx.save(x)
        with np.errstate(all="ignore"):
            return np.asarray(np.multiply.reduce(x, axis=dims, keepdims=keepdim))

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (x,) = ctx.saved
        dims, spread_grad = ctx.reduced[0], spread(grad, *ctx.reduced)
        zeros = x.size - np.count_nonzero(x)
        with np.errstate(all="ignore"):
            if not zeros and x.ndim:
                wide = x.astype(np.float64)
                product = np.multiply.reduce(wide, axis=dims, keepdims=True)
                return np.asarray(spread_grad * product / wide)
            if zeros > 1 and ctx.node_name == "ProdBackward0":
                return np.zeros_like(x)
            moved = np.moveaxis(x, dims, range(-len(dims), 0))  # reduced dimensions last
            kept = moved.shape[: moved.ndim - len(dims)]
            rows = moved.reshape(*kept, count(x.shape, dims))
            before, after = np.ones_like(rows), np.ones_like(rows)
            np.multiply.accumulate(rows[..., :-1], axis=-1, out=before[..., 1:])
            np.multiply.accumulate(rows[..., :0:-1], axis=-1, out=after[..., -2::-1])
            others = (before * after).reshape(moved.shape)
            others = np.moveaxis(others, range(-len(dims), 0), dims)
            return np.asarray(spread_grad * others)


class Extreme(Operation):
    """amax, amin, and max() and min() over everything: equal extremes share the gradient equally.

    Where the result is NaN, the NaNs share it in max() and min() (`nan_shares`); in amax and amin it becomes
    NaN.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Array, *, dims: Dims, keepdim: bool, largest: bool, nan_shares: bool, node_name: str
    ) -> Array:
        ctx.node_name = node_name
        ctx.reduced = dims, keepdim, x.shape
        ctx.nan_shares = nan_shares
        reduce = np.maximum if largest else np.minimum
        result = np.asarray(reduce.reduce(x, axis=dims, keepdims=keepdim))
        ctx.save(x, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        x, result = ctx.saved
        return share_equally(grad, x, result, ctx.reduced, ctx.nan_shares)


def share_equally(grad: Array, x: Array, result: Array, reduced: Any, nan_shares: bool) -> Array:
    """The gradient of a result that equals some of the elements: those get equal parts of it."""
    peak = spread(result, *reduced)
    hit = x == peak
    if nan_shares:
        hit |= np.isnan(x) & np.isnan(peak)
    ties = hit.sum(axis=reduced[0], keepdims=True)
    with np.errstate(all="ignore"):
        return np.asarray(spread(grad, *reduced) / ties * hit, dtype=x.dtype)


class ExtremeAlong(Operation):
    """(values, indices) = max or min along one dimension.  The first extreme (or NaN) gets all of g."""

    @staticmethod
    def forward(
        ctx: Any, x: Array, *, dim: int, keepdim: bool, largest: bool, node_name: str
    ) -> tuple[Array, Array]:
        ctx.node_name = node_name
        pick = np.argmax if largest else np.argmin  # both stop at the first NaN, as PyTorch does
        indices = np.asarray(np.expand_dims(pick(x, axis=dim), dim)) if x.ndim else np.zeros((), np.int64)
        return _picked(ctx, x, dim, keepdim, indices)

    @staticmethod
    def backward(ctx: Any, grad: Array, _: Any = None) -> Array:
        return _put_picked(ctx, grad)


class Median(Operation):
    """The lower median of everything, NaN if there is one.  Elements equal to it share g equally."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        order = np.sort(x, axis=None)  # NaN last
        middle = order[-1] if x.dtype.kind == "f" and np.isnan(order[-1]) else order[(x.size - 1) // 2]
        result = np.asarray(middle, x.dtype)
        ctx.save(x, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        x, result = ctx.saved
        return share_equally(grad, x, result, (tuple(range(x.ndim)), False, x.shape), nan_shares=True)


class MedianAlong(Operation):
    """(values, indices) of the lower median along one dimension.  The element picked gets all of g."""

    node_name = "MedianBackward1"

    @staticmethod
    def forward(ctx: Any, x: Array, *, dim: int, keepdim: bool) -> tuple[Array, Array]:
        if not x.ndim:
            return _picked(ctx, x, dim, keepdim, np.zeros((), np.int64))
        order = np.argsort(x, axis=dim, kind="stable")  # NaN last
        has_nan = np.isnan(x).any(axis=dim, keepdims=True) if x.dtype.kind == "f" else False
        middle = np.take(order, [(x.shape[dim] - 1) // 2], axis=dim)
        first_nan = np.argmax(x != x, axis=dim, keepdims=True)
        return _picked(ctx, x, dim, keepdim, np.where(has_nan, first_nan, middle))

    @staticmethod
    def backward(ctx: Any, grad: Array, _: Any = None) -> Array:
        return _put_picked(ctx, grad)


def _picked(ctx: Any, x: Array, dim: int, keepdim: bool, indices: Array) -> tuple[Array, Array]:
    ctx.picked = dim, keepdim, x.shape, indices
    if not x.ndim:
        return x.copy(), indices
    values = np.take_along_axis(x, indices, dim)
    if keepdim:
        return values, indices
    return values.squeeze(dim), indices.squeeze(dim)


def _put_picked(ctx: Any, grad: Array) -> Array:
    dim, keepdim, shape, indices = ctx.picked
    result = np.zeros(shape, grad.dtype)
    if not shape:
        result[...] = grad
    else:
        np.put_along_axis(result, indices, grad if keepdim else np.expand_dims(grad, dim), dim)
    return result


class LogSumExp(Operation):
    """y = ln sum e^x over dims, with the largest x taken out first.  dL/dx = g e^(x - y)."""

    node_name = "LogsumexpBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, *, dims: Dims, keepdim: bool) -> Array:
        ctx.reduced = dims, keepdim, x.shape
        with np.errstate(all="ignore"):
            peak = np.maximum.reduce(x, axis=dims, keepdims=True, initial=-np.inf)
            peak = np.where(np.isinf(peak), 0, peak).astype(x.dtype)
            total = np.add.reduce(np.exp(x - peak), axis=dims, keepdims=True, dtype=np.float64)
            result = np.asarray(np.log(total) + peak, dtype=x.dtype)
        if not keepdim:
            result = result.squeeze(dims)
        ctx.save(x, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        x, result = ctx.saved
        with np.errstate(all="ignore"):
            return np.asarray(spread(grad, *ctx.reduced) * np.exp(x - spread(result, *ctx.reduced)))


class Norm(Operation):
    """y = (sum |x|^p)^(1/p) over dims.  dL/dx = g sign(x) |x|^(p-1) / y^(p-1); 0 where x = 0 or y = 0.

    p = inf: the largest |x|, equal ones share g equally (-inf: the smallest). p = 0: how many are not zero,
    no gradient.
    """

    node_name = "LinalgVectorNormBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, *, p: float, dims: Dims, keepdim: bool) -> Array:
        ctx.reduced = dims, keepdim, x.shape
        ctx.p = p
        size = np.abs(x)
        with np.errstate(all="ignore"):
            if math.isinf(p):
                reduce = np.maximum if p > 0 else np.minimum
                result = np.asarray(
                    reduce.reduce(size, axis=dims, keepdims=keepdim, initial=0 if p > 0 else None)
                )
            elif p == 0:
                result = np.asarray(np.count_nonzero(x, axis=dims, keepdims=keepdim), dtype=x.dtype)
            else:
                powers = np.power(size.astype(np.float64), p) if p != 2 else np.square(x, dtype=np.float64)
                total = np.add.reduce(powers, axis=dims, keepdims=keepdim)
                result = np.asarray(np.power(total, 1 / p) if p != 2 else np.sqrt(total), dtype=x.dtype)
        ctx.save(x, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array | None:
        x, result = ctx.saved
        g, y, p = spread(grad, *ctx.reduced), spread(result, *ctx.reduced), ctx.p
        if p == 0:
            return None
        with np.errstate(all="ignore"):
            if math.isinf(p):
                hit = (np.abs(x) == y) | np.isnan(x)
                share = hit / hit.sum(axis=ctx.reduced[0], keepdims=True)
                return np.asarray(g * sign(x) * share, dtype=x.dtype)
            if p == 1:
                return np.asarray(g * sign(x))
            if p < 1:  # |x|^(p-1) is infinite at 0
                slope = np.where(x == 0, 0, sign(x) * np.power(np.abs(x), p - 1)) * np.power(y, 1 - p)
                return np.asarray(g * slope, dtype=x.dtype)
            if p == 2:
                return np.asarray(g * np.where(y == 0, 0, x / y), dtype=x.dtype)
            scale = np.where(y == 0, 0, g / np.power(y, p - 1))
            steep = sign(x) * np.power(np.abs(x), p - 1) if p < 2 else x * np.power(np.abs(x), p - 2)
            return np.asarray(steep * scale, dtype=x.dtype)


class Cumsum(Operation):
    """y_i = x_0 + ... + x_i along dim.  dL/dx_i = g_i + ... + g_n."""

    @staticmethod
    def forward(ctx: Any, x: Array, *, dim: int) -> Array:
        ctx.dim = dim
        return running_sum(x, dim) if x.ndim else x.copy()

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        if not grad.ndim:
            return grad
        return np.flip(running_sum(np.flip(grad, ctx.dim), ctx.dim), ctx.dim)


def running_sum(x: Array, dim: int) -> Array:
    """Sums of everything up to each element, added up in float64 for floats."""
    with np.errstate(all="ignore"):
        wide = np.float64 if x.dtype.kind == "f" else x.dtype
        return np.add.accumulate(x, axis=dim, dtype=wide).astype(x.dtype)


class Cumprod(Operation):
    """y_i = x_0 ... x_i along dim.  dL/dx_k = sum over i >= k of g_i times y_i without its factor x_k.

    Before the first zero that is (sum over i >= k of g_i y_i) / x_k; at the first zero the product before it
    times the sum of g_i times the products after it, up to the second zero; further on 0. With infinities
    and NaN the results are those of these formulas, as PyTorch's are.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, *, dim: int) -> Array:
        ctx.dim = dim
        ctx.save(x)
        if not x.ndim:
            return x.copy()
        wide = np.float64 if x.dtype.kind == "f" else x.dtype
        with np.errstate(all="ignore"):
            return np.multiply.accumulate(x, axis=dim, dtype=wide).astype(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (x,) = ctx.saved
        if not x.ndim:
            return grad
        x, g = (np.moveaxis(a, ctx.dim, 0).astype(np.float64) for a in (x, grad))
        zeros = np.cumsum(x == 0, axis=0)  # how many up to here
        start, middle = zeros == 0, zeros == 1
        first = middle & (x == 0)
        with np.errstate(all="ignore"):
            y = np.multiply.accumulate(x, axis=0)
            terms = np.where(start, y * g, 0)
            result = np.where(start, np.add.accumulate(terms[::-1], axis=0)[::-1] / x, 0)
            if first.any():
                after = np.multiply.accumulate(np.where(middle & ~first, x, 1), axis=0)
                sums = (after * np.where(middle, g, 0)).sum(axis=0)
                before = np.concatenate([np.ones_like(y[:1]), y[:-1]])
                result = np.where(first, before * sums, result)
        return np.moveaxis(result, 0, ctx.dim)


class Trace(Operation):
    """y = sum of x_ii.  dL/dx = g on the diagonal, else 0."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.shape = x.shape
        return accurate_sum(np.diagonal(x), (0,), False)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        result = np.zeros(ctx.shape, grad.dtype)
        np.fill_diagonal(result, grad)
        return result


class Unique(Operation):
    """The different elements in rising order, where each element went, how often each occurs.

    As in PyTorch, where a gradient is asked for, backward refuses.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, *, dim: int | None) -> tuple[Array, Array, Array]:
        ctx.node_name = "Unique2Backward0" if dim is None else "UniqueDimBackward0"
        values, inverse, counts = np.unique(
            x, return_inverse=True, return_counts=True, axis=dim, equal_nan=False
        )
        return values, inverse.reshape(x.shape if dim is None else -1), counts

    @staticmethod
    def backward(ctx: Any, *grads: Array) -> Array:
        function = "_unique2" if ctx.node_name == "Unique2Backward0" else "unique_dim"
        raise NotImplementedError(f"the derivative for '{function}' is not implemented.")
