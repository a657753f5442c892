"""Runs one piece of code on the engine and on PyTorch, and compares what a user sees: printed results, and
errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import minitorch_cifar

Scenario = Callable[[Any], Any]


def printed(value: Any) -> str:
    """The printed form without the module paths of classes, in which the two must differ."""
    text = value if isinstance(value, str) else repr(value)
    return re.sub(r"\b(?:torch|minitorch_cifar)\.(?:[a-z_0-9]+\.)+(?=[A-Z])", "", text)


def outcome(scenario: Scenario, library: Any) -> str:
    """What `scenario(library)` returns, or class and message of what it raises, after `manual_seed(0)`."""
    library.manual_seed(0)
    try:
        return printed(scenario(library))
    except Exception as error:
        return f"{type(error).__name__}: {printed(str(error))}"


def assert_same(scenario: Scenario) -> None:
    """Both libraries give the same outcome."""
    expected, actual = outcome(scenario, torch), outcome(scenario, minitorch_cifar)
    assert actual == expected, f"PyTorch: {expected}\nengine:  {actual}"


def assert_same_error(scenario: Scenario) -> None:
    """Both libraries raise the same exception with the same message."""
    expected, actual = outcome(scenario, torch), outcome(scenario, minitorch_cifar)
    assert re.match(r"\w+(Error|Exception): ", expected), f"PyTorch raises nothing: {expected}"
    assert actual == expected, f"PyTorch: {expected}\nengine:  {actual}"


def to_engine(tensor: torch.Tensor) -> Any:
    """A copy of a PyTorch tensor in the engine."""
    return minitorch_cifar.from_numpy(tensor.detach().numpy().copy())


def copy_state(source: torch.nn.Module, target: Any) -> None:
    """Gives an engine module the tensors of a PyTorch module."""
    target.load_state_dict({name: to_engine(tensor) for name, tensor in source.state_dict().items()})


def assert_close(actual: Any, expected: torch.Tensor, what: str, tolerance: float = 1e-10) -> None:
    """Equal shapes and dtypes, and values within `tolerance` of the largest one.

    The largest counts as 0.01 at least: some gradients are 0 but for rounding (a bias before a batch norm).
    """
    ours, theirs = actual.detach().numpy(), expected.detach().numpy()
    assert ours.shape == theirs.shape, what
    assert ours.dtype == theirs.dtype, what
    scale = np.abs(theirs[np.isfinite(theirs)]).max(initial=0.01)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * scale, err_msg=what)
