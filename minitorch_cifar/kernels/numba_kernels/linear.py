"""The linear layer, in three ways: loops for a few rows, the tiles of convolution for large products
(`product.py`), and between them the same BLAS calls as in the NumPy backend.

A few rows leave little to reuse: what takes time is to pass once over the weights, which a loop does as well,
and to call NumPy. A large product is shared among threads; NumPy's BLAS is left one, as on several it cuts
sums up by their number.
"""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from ..numpy_kernels import linear as specification
from .flat import compiled, compiled_sums
from .layout import behaved, deliver, target
from .product import is_large, multiply

# Rows, of float32. In float64, where there is nothing wider to add up in and nobody waits, BLAS rounds
# more as PyTorch does.
_FEW = 8


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


@compiled_sums
def _forward(x: Array, weight: Array, bias: Array, out: Array) -> None:
    for o in range(weight.shape[0]):
        for m in range(x.shape[0]):
            total = x.dtype.type(0)
            for k in range(weight.shape[1]):
                total += x[m, k] * weight[o, k]
            out[m, o] = total + bias[o] if bias.size else total


def linear_forward(x: Array, weight: Array, bias: Array | None, out: Array) -> None:
    fits = out.shape == (len(x), len(weight)) and x.shape[1:] == weight.shape[1:]
    fits = fits and (bias is None or bias.shape == out.shape[1:])
    if fits and len(x) > _FEW and is_large(x, weight, out):
        multiply(x, weight, True, bias, out)
        return
    if out.dtype != np.float32 or not fits or len(x) > _FEW:
        specification.linear_forward(x, weight, bias, out)
        return
    result = target(out)
    _forward(behaved(x), behaved(weight), np.empty(0, x.dtype) if bias is None else behaved(bias), result)
    deliver(result, out)


@compiled
def _grad_input(grad_out: Array, weight: Array, grad_x: Array) -> None:
    grad_x[:] = 0
    for o in range(weight.shape[0]):
        for m in range(grad_x.shape[0]):
            for k in range(weight.shape[1]):
                grad_x[m, k] += grad_out[m, o] * weight[o, k]


def linear_grad_input(grad_out: Array, weight: Array, grad_x: Array) -> None:
    fits = grad_x.shape == (len(grad_out), *weight.shape[1:]) and grad_out.shape[1:] == weight.shape[:1]
    if fits and len(grad_out) > _FEW and is_large(grad_out, weight, grad_x):
        multiply(grad_out, weight, False, None, grad_x)
        return
    if grad_x.dtype != np.float32 or not fits or len(grad_out) > _FEW:
        specification.linear_grad_input(grad_out, weight, grad_x)
        return
    result = target(grad_x)
    _grad_input(behaved(grad_out), behaved(weight), result)
    deliver(result, grad_x)


@compiled
def _grad_weight(grad_out: Array, x: Array, grad_weight: Array) -> None:
    for o in range(grad_weight.shape[0]):
        for k in range(grad_weight.shape[1]):
            grad_weight[o, k] = grad_out[0, o] * x[0, k]
        for m in range(1, x.shape[0]):
            for k in range(grad_weight.shape[1]):
                grad_weight[o, k] += grad_out[m, o] * x[m, k]


def linear_grad_weight(grad_out: Array, x: Array, grad_weight: Array) -> None:
    fits = grad_weight.shape == grad_out.shape[1:] + x.shape[1:] and len(grad_out) == len(x)
    if fits and len(x) > _FEW and is_large(grad_out.T, x, grad_weight):
        multiply(grad_out.T, x, False, None, grad_weight)
        return
    if grad_weight.dtype != np.float32 or not fits or not 0 < len(x) <= _FEW:
        specification.linear_grad_weight(grad_out, x, grad_weight)
        return
    result = target(grad_weight)
    _grad_weight(behaved(grad_out), behaved(x), result)
    deliver(result, grad_weight)
