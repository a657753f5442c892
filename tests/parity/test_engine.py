"""What the engine does between operations: sums of gradients that overflow are silent, as in PyTorch."""

from __future__ import annotations

import warnings

import numpy as np

import minitorch_cifar as torch


def test_sums_of_infinite_gradients_are_silent() -> None:
    x = torch.tensor(1.0, requires_grad=True)
    y = torch.tensor([1.0, 2.0], requires_grad=True)
    upstream = torch.tensor([np.inf, -np.inf])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (x * y).backward(upstream)  # summed over the dimension along which x was repeated
        (y + y.clone()).backward(-upstream)  # inf - inf where two paths meet
    assert np.isnan(x.grad.item())
    assert np.isnan(y.grad.numpy()).all()
