"""Pictures to floating point: a table look-up, the same bits everywhere."""

from ..numba_kernels.image import uint8_to_float as uint8_to_float
