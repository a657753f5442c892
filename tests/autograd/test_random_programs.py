"""Programs drawn by chance, run step by step in the engine and in PyTorch, in float64.

A program is a list of steps on a growing list of tensors: arithmetic, views, in-place changes (also on views
and under `no_grad`), detaching, hooks, and several backward passes. After each step the new or changed tensor
must agree in value, `requires_grad` and `is_leaf`; where PyTorch raises, the engine raises the same class at
the same step. At the end all gradients must agree.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch_cifar

Step = tuple[str, int, int, bool]  # what, on which tensors (counted round), whether recorded

LEAVES = 3

NEW: dict[str, Callable[[Any, Any], Any]] = {
    "x + y": lambda x, y: x + y,
    "x - 2 y": lambda x, y: x.sub(y, alpha=2),
    "x * y": lambda x, y: x * y,
    "sin x": lambda x, y: x.sin(),
    "tanh x": lambda x, y: x.tanh(),
    "x ** 2": lambda x, y: x**2,
    "x / (y² + 1)": lambda x, y: x / (y * y + 1),
    "x.sum(0)": lambda x, y: x.sum(0),
    "x.mean()": lambda x, y: x.mean(),
    "x.clone()": lambda x, y: x.clone(),
    "x.detach()": lambda x, y: x.detach(),
    "x[0]": lambda x, y: x[0],
    "x[..., 1:]": lambda x, y: x[..., 1:],
    "x.t()": lambda x, y: x.t(),
    "x.view(-1)": lambda x, y: x.view(-1),
    "x.unsqueeze(0)": lambda x, y: x.unsqueeze(0),
    "x.expand": lambda x, y: x.unsqueeze(0).expand(2, *x.shape),
    "x.split(1)[0]": lambda x, y: x.split(1)[0],
    "x.unbind()[-1]": lambda x, y: x.unbind()[-1],
}

CHANGED: dict[str, Callable[[Any, Any], Any]] = {
    "x += y": lambda x, y: x.add_(y),
    "x *= y": lambda x, y: x.mul_(y),
    "x *= 0.5": lambda x, y: x.mul_(0.5),
    "x.sin_()": lambda x, y: x.sin_(),
    "x.tanh_()": lambda x, y: x.tanh_(),
    "x.zero_()": lambda x, y: x.zero_(),
    "x.copy_(y)": lambda x, y: x.copy_(y),
    "x[0] = y": lambda x, y: x.__setitem__(0, y),
}

OTHER: dict[str, Callable[[Any, Any], Any]] = {
    "backward": lambda x, y: x.sum().backward(),
    "backward, keeping the graph": lambda x, y: x.sum().backward(retain_graph=True),
    "hook": lambda x, y: x.register_hook(lambda grad: grad * 2),
    "retain_grad": lambda x, y: x.retain_grad(),
}


class Machine:
    """Runs steps in one library."""

    def __init__(self, library: Any) -> None:
        self.library = library
        values = np.linspace(-1.0, 1.2, LEAVES * 6).reshape(LEAVES, 2, 3)
        self.tensors = [library.from_numpy(value.copy()).requires_grad_() for value in values[:-1]]
        self.tensors.append(library.from_numpy(values[-1].copy()))

    def run(self, step: Step) -> Any:
        """Do a step; what it made or changed, or the class of what it raised."""
        name, i, j, recorded = step
        x, y = (self.tensors[k % len(self.tensors)] for k in (i, j))
        try:
            with self.library.set_grad_enabled(recorded):
                if name in NEW:
                    x = NEW[name](x, y)
                    self.tensors.append(x)
                else:
                    (CHANGED.get(name) or OTHER[name])(x, y)
            return x.detach().numpy().copy(), x.requires_grad, x.is_leaf
        except Exception as error:
            return type(error)

    def gradients(self) -> list[Any]:
        """The gradients of all tensors that have one."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [None if x.grad is None else x.grad.numpy() for x in self.tensors]


def same(ours: Any, theirs: Any) -> bool:
    """Whether a step ended alike in both libraries."""
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        return ours[1:] == theirs[1:] and close(ours[0], theirs[0])
    return ours is theirs


def close(a: Any, b: Any) -> bool:
    """Whether two arrays agree to 1e-10, or both are missing."""
    if a is None or b is None:
        return a is b
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-10, atol=1e-12, equal_nan=True)


@st.composite
def programs(draw: st.DrawFn) -> list[Step]:
    """5 to 40 steps; backward comes often enough to matter."""
    names = st.one_of(*(st.sampled_from(sorted(kind)) for kind in (NEW, NEW, CHANGED, OTHER)))
    place = st.integers(0, 60)
    recorded = st.integers(0, 7).map(lambda n: n != 7)
    return draw(st.lists(st.tuples(names, place, place, recorded), min_size=5, max_size=40))


@settings(max_examples=settings.default.max_examples * 3)
@given(programs())
def test_a_program_does_what_it_does_in_pytorch(steps: list[Step]) -> None:
    ours, theirs = Machine(minitorch_cifar), Machine(torch)
    for number, step in enumerate(steps):
        found, expected = ours.run(step), theirs.run(step)
        assert same(found, expected), f"step {number}, {step}: {found}, but in PyTorch {expected}"
    for number, (a, b) in enumerate(zip(ours.gradients(), theirs.gradients(), strict=True)):
        assert close(a, b), f"gradient of tensor {number}: {a}, but in PyTorch {b}"
