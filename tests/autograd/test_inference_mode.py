"""Tensors made in inference mode stay out of every graph, with PyTorch's errors."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch as pytorch

import minitorch_cifar as torch

# `x` was made in inference mode, `w` is a leaf that requires grad, `v` a view of `w` made in inference mode.
PROGRAMS = """
x.is_inference(), x.requires_grad, w.is_inference(), v.is_inference(), torch.is_inference(x)
(x + 1).is_inference(), x[:1].is_inference(), x.view(2, 1).is_inference()
x.clone().is_inference(), x.detach().is_inference()
x.add_(1)
x.zero_()
x.__setitem__(0, 5.0)
x.uniform_()
x.data.mul_(2)
x[:1].mul_(2)
torch.add(torch.ones(2), 1, out=x)
x.requires_grad_()
x.requires_grad_(False).requires_grad
torch.nn.Parameter(x)
x._version
x * w
w.mul(x)
(x + w).requires_grad
(x.clone() * w).requires_grad
(x * w.detach()).requires_grad
torch.nn.functional.linear(x, torch.ones(2, 2, requires_grad=True))
torch.ones(2).copy_(x).is_inference()
torch.ones(2).add_(x)
v.requires_grad, (v * 2).requires_grad
v.add_(1)
inside(lambda: x.add_(1))
inside(lambda: (w[0:1].is_inference(), (w * 2).is_inference(), torch.ones(1).is_inference()))
inside(lambda: (torch.is_inference_mode_enabled(), torch.is_grad_enabled()))
torch.is_inference_mode_enabled(), torch.is_grad_enabled()
torch.inference_mode(False)(lambda: (torch.is_inference_mode_enabled(), torch.ones(1).is_inference()))()
inside(lambda: torch.inference_mode(False)(lambda: torch.ones(1).is_inference())())
torch.inference_mode(lambda: torch.ones(1).is_inference())()
torch.no_grad()(lambda: x.add_(1))()
"""


def outcome(namespace: ModuleType, program: str) -> str:
    """What a program gives, or the class and the words of what it raises."""
    inside = namespace.inference_mode()
    w = namespace.ones(2, requires_grad=True)
    with namespace.inference_mode():
        x = namespace.ones(2)
        v = w[:1]
    names: dict[str, Any] = {"torch": namespace, "x": x, "w": w, "v": v, "inside": lambda f: inside(f)()}
    try:
        return repr(eval(program, names))
    except RuntimeError as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("program", PROGRAMS.strip().splitlines())
def test_inference_tensors_behave_as_in_pytorch(program: str) -> None:
    assert outcome(torch, program) == outcome(pytorch, program)


def test_the_mode_ends_with_an_exception() -> None:
    with pytest.raises(ValueError, match="x"), torch.inference_mode():
        raise ValueError("x")
    assert not torch.is_inference_mode_enabled()
    assert not torch.ones(1).is_inference()
