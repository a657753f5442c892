"""A program, run in PyTorch and in the engine: the answers must read alike, or both must raise alike."""

from __future__ import annotations

import warnings
from types import ModuleType
from typing import Any

import numpy as np
import torch

import minitorch_cifar


def answer(namespace: ModuleType, program: str) -> tuple[str, Any]:
    """What the last line of `program` gives (as it prints), or the class of what it raises."""
    *lines, last = program.strip().splitlines()
    names: dict[str, Any] = {"torch": namespace, "np": np}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        namespace.manual_seed(0)
        try:
            exec("\n".join(lines), names)
            value = eval(last, names)
        except Exception as error:
            return "raises", type(error).__name__
    return "gives", repr(value)


def assert_same_answer(program: str) -> None:
    """Fail unless both engines answer alike."""
    assert answer(minitorch_cifar, program) == answer(torch, program), program
