"""Your own tests against PyTorch: the same function, or the same module, run by both and compared.

`assert_matches_torch` runs a function on the engine's tensors and on PyTorch's, made from the same arrays,
and compares every output and every gradient under a random upstream gradient. `check_module` does it for a
module: parameters, buffers and printed form too. `sides.py` runs a function on one side, `comparison.py` says
how far two results may lie apart and writes the report. PyTorch is imported when a comparison runs, not
before.

    from minitorch_cifar.testing import assert_matches_torch

    def test_my_layer():
        assert_matches_torch(lambda x, w: (x @ w).relu(), np.random.randn(4, 3), np.random.randn(3, 2))
"""

from .comparison import Comparison, Difference, ParityError, Rule
from .functions import assert_matches_torch
from .modules import check_module

__all__ = ["Comparison", "Difference", "ParityError", "Rule", "assert_matches_torch", "check_module"]
