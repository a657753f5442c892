"""The linear layer: the same BLAS calls as in the NumPy backend, and a loop for the sums of the bias.

A compiled loop does not beat BLAS at a plain matrix product.
"""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from ..numpy_kernels.linear import linear_forward as linear_forward
from ..numpy_kernels.linear import linear_grad_input as linear_grad_input
from ..numpy_kernels.linear import linear_grad_weight as linear_grad_weight
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
