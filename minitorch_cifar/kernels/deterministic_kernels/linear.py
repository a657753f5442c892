"""The linear layer, and the products of tensors, by `product.py` instead of a BLAS library."""

from __future__ import annotations

from ...dtypes import Array
from ..numba_kernels.linear import linear_grad_bias as linear_grad_bias
from ..numpy_kernels import silently
from .product import multiply


@silently
def linear_forward(x: Array, weight: Array, bias: Array | None, out: Array) -> None:
    multiply(x, weight.T, out)
    if bias is not None:
        out += bias


def linear_grad_input(grad_out: Array, weight: Array, grad_x: Array) -> None:
    multiply(grad_out, weight, grad_x)


def linear_grad_weight(grad_out: Array, x: Array, grad_weight: Array) -> None:
    multiply(grad_out.T, x, grad_weight)
