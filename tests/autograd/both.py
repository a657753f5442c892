"""Runs one program in the engine and in PyTorch: same results, or the same class of exception."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import minitorch_cifar


def outcome(program: Callable[[Any], Any], library: Any) -> Any:
    """What `program(library)` returns, tensors as nested lists, or the class of what it raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return plain(program(library))
    except Exception as error:
        return type(error)


def plain(value: Any) -> Any:
    """`value` with tensors as nested lists and sequences as lists."""
    if isinstance(value, (torch.Tensor, minitorch_cifar.Tensor)):
        return np.asarray(value.detach().numpy(), np.float64).tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def assert_same(program: Callable[[Any], Any]) -> None:
    """The program ends alike in both libraries."""
    assert outcome(program, minitorch_cifar) == outcome(program, torch)
