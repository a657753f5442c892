"""Products of vectors and matrices. NumPy hands them to its BLAS library; where the same bits are wanted on
every CPU, a kernel computes them.

For matrices Z = X Y:  dL/dX = G Y^T,  dL/dY = X^T G.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.operation import Operation
from ..dtypes import Array
from ..kernels import active
from ..threads import leave_blas_one_thread
from .arithmetic import like

Pair = tuple[Array | None, Array | None]


class Mm(Operation):
    """Z[m, n] = sum_k X[m, k] Y[k, n].  dL/dX = G Y^T, dL/dY = X^T G."""

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array) -> Array:
        ctx.save(x if ctx.needs_input_grad[1] else None, y if ctx.needs_input_grad[0] else None)
        return product(x, y)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        x, y = ctx.saved
        return None if y is None else product(grad, y.T), None if x is None else product(x.T, grad)


class Bmm(Operation):
    """Z[b] = X[b] Y[b] for each b.  dL/dX[b] = G[b] Y[b]^T, dL/dY[b] = X[b]^T G[b]."""

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array) -> Array:
        ctx.save(x if ctx.needs_input_grad[1] else None, y if ctx.needs_input_grad[0] else None)
        return product(x, y)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        x, y = ctx.saved
        by_x = None if y is None else product(grad, y.swapaxes(1, 2))
        by_y = None if x is None else product(x.swapaxes(1, 2), grad)
        return by_x, by_y


class Mv(Operation):
    """z[m] = sum_k X[m, k] y[k].  dL/dX = g y^T, dL/dy = X^T g."""

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array) -> Array:
        ctx.save(x if ctx.needs_input_grad[1] else None, y if ctx.needs_input_grad[0] else None)
        return product(x, y)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        x, y = ctx.saved
        by_x = None if y is None else product(grad[:, None], y[None])
        return by_x, None if x is None else product(x.T, grad)


class Dot(Operation):
    """z = sum_k x[k] y[k].  dL/dx = g y, dL/dy = g x."""

    @staticmethod
    def forward(ctx: Any, x: Array, y: Array) -> Array:
        ctx.save(x if ctx.needs_input_grad[1] else None, y if ctx.needs_input_grad[0] else None)
        return np.asarray(product(x, y))

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Pair:
        x, y = ctx.saved
        with np.errstate(all="ignore"):
            return None if y is None else grad * y, None if x is None else grad * x


class Addmm(Operation):
    """Z[m, n] = beta B[m, n] + alpha sum_k X[m, k] Y[k, n], with B broadcast; beta = 0 leaves B out
    altogether.

    dL/dB = beta G (summed to B's shape by the engine), dL/dX = alpha G Y^T, dL/dY = alpha X^T G.
    """

    @staticmethod
    def forward(ctx: Any, b: Array, x: Array, y: Array, *, beta: float = 1, alpha: float = 1) -> Array:
        ctx.save(x if ctx.needs_input_grad[2] else None, y if ctx.needs_input_grad[1] else None)
        ctx.factors = beta, alpha
        result = product(x, y)
        with np.errstate(all="ignore"):
            if alpha != 1:
                result *= like(result, alpha)
            if beta == 1:
                result += b
            elif beta != 0:  # beta B in float64: it may overflow only together with the product
                wide = b.astype(np.float64) if b.dtype.kind == "f" else b
                result = np.asarray(result + wide * like(wide, beta), result.dtype)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> tuple[Array | None, Array | None, Array | None]:
        x, y = ctx.saved
        beta, alpha = ctx.factors
        with np.errstate(all="ignore"):
            scaled = grad if alpha == 1 else grad * like(grad, alpha)
            by_b = (grad if beta == 1 else grad * like(grad, beta)) if ctx.needs_input_grad[0] else None
        by_x = None if y is None else product(scaled, y.T)
        return by_b, by_x, None if x is None else product(x.T, scaled)


def product(x: Array, y: Array) -> Array:
    """`np.matmul`; overflow and the like give inf or NaN, silently."""
    if active._backend == "deterministic" and x.dtype == y.dtype and x.dtype.kind == "f":
        return _product_in_order(x, y)
    leave_blas_one_thread()
    with np.errstate(all="ignore"):
        result: Array = np.matmul(x, y)
    return result


def _product_in_order(x: Array, y: Array) -> Array:
    """`np.matmul` by the deterministic kernels."""
    left = x if x.ndim > 1 else x[None]
    right = y if y.ndim > 1 else y[:, None]
    stacks = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    result = np.empty((*stacks, left.shape[-2], right.shape[-1]), x.dtype)
    lefts = np.broadcast_to(left, (*stacks, *left.shape[-2:]))
    rights = np.broadcast_to(right, (*stacks, *right.shape[-2:]))
    for index in np.ndindex(stacks):
        # out = x @ (yᵀ)ᵀ: the linear layer's product
        active.linear_forward(lefts[index], rights[index].T, None, result[index])
    if x.ndim == 1:
        result = result[..., 0, :]
    return result if y.ndim > 1 else result[..., 0]
