"""`SGD` against PyTorch: every combination of settings over 20 steps, and its errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import minitorch_cifar as mini

from .comparing import compare_runs
from .settings import SETTINGS


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_every_combination_of_settings(backend: str) -> None:
    assert len(SETTINGS["SGD"]) == 20
    with mini.backends.use(backend):
        for settings in SETTINGS["SGD"]:
            compare_runs("SGD", settings)


def test_first_step_fills_the_buffer_with_the_whole_gradient() -> None:
    """Not with (1 - dampening) times the gradient."""
    p = mini.tensor([1.0, 2.0], requires_grad=True)
    optimizer = mini.optim.SGD([p], lr=0.5, momentum=0.9, dampening=0.75)
    p.grad = mini.tensor([4.0, -8.0])
    optimizer.step()
    np.testing.assert_array_equal(optimizer.state[p]["momentum_buffer"].numpy(), [4, -8])
    np.testing.assert_array_equal(p.detach().numpy(), [-1, 6])


def test_step_leaves_the_gradient_alone_and_counts_as_a_change() -> None:
    p = mini.ones(3, requires_grad=True)
    optimizer = mini.optim.SGD([p], lr=0.5, momentum=0.9, weight_decay=0.1, maximize=True)
    gradient = mini.tensor([1.0, 2.0, 3.0])
    p.grad = gradient
    loss = (p * p).sum()
    version = p._version
    optimizer.step()
    optimizer.step()
    assert p.grad is gradient
    assert gradient.tolist() == [1, 2, 3]
    assert p._version > version
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_without_momentum_no_state_is_kept() -> None:
    p = mini.ones(3, requires_grad=True)
    p.grad = mini.ones(3)
    optimizer = mini.optim.SGD([p], lr=0.5)
    optimizer.step()
    assert optimizer.state_dict()["state"] == {}


def test_a_parameter_of_other_strides() -> None:
    base = np.arange(12.0).reshape(3, 4)
    ours = mini.from_numpy(base.copy().T).requires_grad_()
    theirs = torch.from_numpy(base.copy().T).requires_grad_()
    optimizer = mini.optim.SGD([ours], lr=0.1, momentum=0.9)
    peer = torch.optim.SGD([theirs], lr=0.1, momentum=0.9)
    rng = np.random.default_rng(0)
    for _ in range(3):
        gradient = rng.normal(size=(4, 3))
        ours.grad, theirs.grad = mini.from_numpy(gradient.copy()), torch.from_numpy(gradient.copy())
        optimizer.step()
        peer.step()
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-14)


@pytest.mark.parametrize(
    "settings",
    [
        {"lr": -1.0},
        {"lr": float("nan")},
        {"momentum": -0.1},
        {"weight_decay": -0.1},
        {"nesterov": True},
        {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
    ],
)
def test_errors_are_pytorchs(settings: dict) -> None:
    try:
        torch.optim.SGD([torch.ones(1, requires_grad=True)], **settings)
    except ValueError as error:
        expected = str(error)
    else:
        expected = "Invalid learning rate: nan"  # PyTorch lets it pass here; its Adam refuses it
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        mini.optim.SGD([mini.ones(1, requires_grad=True)], **settings)
    assert str(caught.value) == expected


@pytest.mark.parametrize("switch", ["foreach", "fused", "differentiable"])
def test_switches_between_implementations_are_refused(switch: str) -> None:
    p = mini.ones(1, requires_grad=True)
    with pytest.raises(NotImplementedError, match=switch):
        mini.optim.SGD([p], **{switch: True})
    assert mini.optim.SGD([p], **{switch: False}).param_groups[0][switch] is False
