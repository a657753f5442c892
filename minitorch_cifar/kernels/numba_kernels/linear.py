"""The linear layer: the same BLAS calls as in the NumPy backend, and loops for the sums of the bias and for
the weights' gradient from a single row.

A compiled loop does not beat BLAS at a plain matrix product. But for the product of a column and a row, in
which nothing is added up, NumPy takes longer than for one of two columns and two rows.
"""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from ..numpy_kernels import linear as specification
from ..numpy_kernels.linear import linear_forward as linear_forward
from ..numpy_kernels.linear import linear_grad_input as linear_grad_input
from .flat import compiled
from .layout import behaved, deliver, target


@compiled
def _sum_rows(grad_out: Array, grad_bias: Array) -> None:
    """Sums in float64, all columns side by side."""
    totals = np.zeros(grad_out.shape[1])
    for m in range(grad_out.shape[0]):
        for o in range(grad_out.shape[1]):
            totals[o] += grad_out[m, o]
    for o in range(grad_out.shape[1]):
        grad_bias[o] = totals[o]


def linear_grad_bias(grad_out: Array, grad_bias: Array) -> None:
    result = target(grad_bias)
    _sum_rows(behaved(grad_out), result)
    deliver(result, grad_bias)


@compiled
def _outer(grad_out: Array, x: Array, grad_weight: Array) -> None:
    for o in range(grad_weight.shape[0]):
        for k in range(grad_weight.shape[1]):
            grad_weight[o, k] = grad_out[o] * x[k]


def linear_grad_weight(grad_out: Array, x: Array, grad_weight: Array) -> None:
    fits = grad_weight.shape == grad_out.shape[1:] + x.shape[1:]
    if len(x) != 1 or len(grad_out) != 1 or x.dtype.kind != "f" or not fits:
        specification.linear_grad_weight(grad_out, x, grad_weight)
        return
    result = target(grad_weight)
    _outer(behaved(grad_out)[0], behaved(x)[0], result)
    deliver(result, grad_weight)
