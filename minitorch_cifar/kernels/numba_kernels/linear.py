"""The linear layer: the same BLAS calls as in the NumPy backend.

A compiled loop does not beat BLAS at a plain matrix product, so there is nothing of Numba here.
"""

from __future__ import annotations

from ..numpy_kernels.linear import linear_forward as linear_forward
from ..numpy_kernels.linear import linear_grad_bias as linear_grad_bias
from ..numpy_kernels.linear import linear_grad_input as linear_grad_input
from ..numpy_kernels.linear import linear_grad_weight as linear_grad_weight
