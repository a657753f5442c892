"""The kernels on NumPy arrays: the specification, written to be read; the Numba kernels must agree."""

import numpy as np

# As a decorator: overflow, division by zero and NaN are results here, no cause for a warning.
silently = np.errstate(all="ignore")
