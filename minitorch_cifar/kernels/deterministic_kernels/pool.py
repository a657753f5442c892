"""Pooling: comparisons, and sums in an order that its loops fix."""

from ..numba_kernels.pool import adaptive_avg_pool2d_backward as adaptive_avg_pool2d_backward
from ..numba_kernels.pool import adaptive_avg_pool2d_forward as adaptive_avg_pool2d_forward
from ..numba_kernels.pool import adaptive_max_pool2d_forward as adaptive_max_pool2d_forward
from ..numba_kernels.pool import avg_pool2d_backward as avg_pool2d_backward
from ..numba_kernels.pool import avg_pool2d_forward as avg_pool2d_forward
from ..numba_kernels.pool import max_pool2d_backward as max_pool2d_backward
from ..numba_kernels.pool import max_pool2d_forward as max_pool2d_forward
