"""The linear layer on arrays: four matrix products, left to NumPy's BLAS library.

Both backends use these functions, since no loop written in Python, compiled or not, beats BLAS at a plain
matrix product. M rows of K features become M rows of O features.
"""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from . import silently


@silently
def linear_forward(x: Array, weight: Array, bias: Array | None, out: Array) -> None:
    """y[m, o] = bias[o] + sum over k of x[m, k] weight[o, k]; that is x @ weight.T + bias."""
    np.matmul(x, weight.T, out=out)
    if bias is not None:
        np.add(out, bias, out=out)


@silently
def linear_grad_input(grad_out: Array, weight: Array, grad_x: Array) -> None:
    """dL/dx[m, k] = sum over o of g[m, o] weight[o, k]; that is g @ weight."""
    np.matmul(grad_out, weight, out=grad_x)


@silently
def linear_grad_weight(grad_out: Array, x: Array, grad_weight: Array) -> None:
    """dL/dweight[o, k] = sum over m of g[m, o] x[m, k]; that is g.T @ x."""
    np.matmul(grad_out.T, x, out=grad_weight)


@silently
def linear_grad_bias(grad_out: Array, grad_bias: Array) -> None:
    """dL/dbias[o] = sum over m of g[m, o]."""
    np.copyto(grad_bias, grad_out.sum(axis=0, dtype=np.float64))
