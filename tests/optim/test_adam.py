"""`Adam`, `AdamW` and their kin against PyTorch: every combination of settings over 20 steps, and errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import minitorch_cifar as mini

from .comparing import compare_runs
from .settings import SETTINGS as EVERY

SETTINGS = {name: every for name, every in EVERY.items() if name != "SGD"}


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("name", SETTINGS)
def test_every_combination_of_settings(name: str, backend: str) -> None:
    with mini.backends.use(backend):
        # The NumPy kernels are compared with these in tests/kernels: here a sample of them will do.
        for settings in SETTINGS[name][:: 5 if backend == "numpy" else 1]:
            compare_runs(name, settings)


@pytest.mark.parametrize("name", SETTINGS)
def test_defaults_are_pytorchs(name: str) -> None:
    ours = getattr(mini.optim, name)([mini.ones(1, requires_grad=True)])
    theirs = getattr(torch.optim, name)([torch.ones(1, requires_grad=True)])
    assert ours.defaults == theirs.defaults
    assert list(ours.defaults) == list(theirs.defaults)


ERRORS = [
    ("Adam", {"lr": -1.0}),
    ("Adam", {"eps": -1.0}),
    ("Adam", {"betas": (1.0, 0.9)}),
    ("Adam", {"betas": (0.9, -0.1)}),
    ("Adam", {"betas": (0, 0)}),
    ("Adam", {"weight_decay": -1}),
    ("AdamW", {"lr": -0.5}),
    ("RMSprop", {"lr": -1}),
    ("RMSprop", {"alpha": -1}),
    ("RMSprop", {"momentum": -1}),
    ("RMSprop", {"eps": -1}),
    ("RMSprop", {"weight_decay": -1}),
    ("Adagrad", {"lr_decay": -1}),
    ("Adagrad", {"initial_accumulator_value": -1}),
    ("Adagrad", {"eps": -1}),
    ("Adadelta", {"rho": 1.5}),
    ("Adadelta", {"eps": -1}),
    ("Adadelta", {"weight_decay": -1}),
]


@pytest.mark.parametrize(("name", "settings"), ERRORS)
def test_errors_are_pytorchs(name: str, settings: dict) -> None:
    with pytest.raises(ValueError) as expected:  # noqa: PT011
        getattr(torch.optim, name)([torch.ones(1, requires_grad=True)], **settings)
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        getattr(mini.optim, name)([mini.ones(1, requires_grad=True)], **settings)
    assert str(caught.value) == str(expected.value)


def test_count_of_steps_has_the_default_dtype() -> None:
    p = mini.ones(2, dtype=mini.float64, requires_grad=True)
    p.grad = mini.ones(2, dtype=mini.float64)
    optimizer = mini.optim.Adam([p])
    optimizer.step()
    assert optimizer.state[p]["step"].dtype is mini.float32
    mini.set_default_dtype(mini.float64)
    try:
        other = mini.optim.Adam([p])
        other.step()
    finally:
        mini.set_default_dtype(mini.float32)
    assert other.state[p]["step"].dtype is mini.float64


def test_adamw_keeps_its_decay_when_loading_an_adam_file() -> None:
    p = mini.ones(2, requires_grad=True)
    optimizer = mini.optim.AdamW([p])
    state = mini.optim.Adam([p]).state_dict()
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["decoupled_weight_decay"] is True


def test_learning_rate_as_a_tensor() -> None:
    p = mini.ones(2, requires_grad=True)
    p.grad = mini.ones(2)
    mini.optim.SGD([p], lr=mini.tensor(0.25)).step()
    np.testing.assert_array_equal(p.detach().numpy(), [0.75, 0.75])
    with pytest.raises(ValueError, match="Tensor lr must be 1-element"):
        mini.optim.Adam([p], lr=mini.tensor([0.1, 0.2]))
