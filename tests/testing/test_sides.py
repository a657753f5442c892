"""What is watched on PyTorch's side while a function runs: the size of the numbers on the way."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch_cifar.testing.arrays import Leaf
from minitorch_cifar.testing.sides import run, torch_side


def _largest(function: Any) -> float:
    leaf = Leaf(np.array([1.0, -3.0]), False)
    return run(torch_side(), function, ((leaf,), {}), "float64", None, watch=True).largest


def test_intermediate_values_count() -> None:
    assert _largest(lambda x: x * 100 * 0.01) == 300


def test_new_memory_does_not_count() -> None:
    """It holds anything: a tolerance that grows with the largest number would then allow anything."""
    torch = torch_side().library
    for _ in range(20):
        used = np.full(1000, 1e30)
        del used  # its memory is what a new tensor of this size gets, most likely
        assert _largest(lambda x: (torch.empty(1000, dtype=torch.float64), x.new_empty(1000), x * 2)[2]) == 6
