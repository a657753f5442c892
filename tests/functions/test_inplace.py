"""In-place functions write where PyTorch's write, and refuse what it refuses."""

from __future__ import annotations

import warnings
from types import ModuleType
from typing import Any

import pytest
import torch as pytorch

import minitorch_cifar as torch
from tests.same_error import error_of

# An expanded tensor has one place in memory for several elements: some functions fill it nevertheless.
ON_EXPANDED = """
t.fill_(3)
t.zero_()
t.fill_(torch.tensor(2.0))
t.copy_(torch.ones(3))
t.copy_(4)
t.add_(1)
t.clamp_(0)
t.exp_()
t.masked_fill_(t > 0, 0.5)
t.masked_fill_(t > 0, torch.tensor(0.5))
t[t > 0] = 0.5
t[t > 5] = 0.5
t[t > 0] = torch.ones(18)
t[0] = 2
t[...] = 2
t[:, 1:] = 2
t[:, [0]] = 2.0
t[[0]] = 2.0
t[[0]] = torch.zeros(3)
t[[0], [1], [2]] = torch.zeros(1)
t[0] = torch.ones(3)
t[0] = torch.tensor(2.0)
t.scatter_(0, torch.zeros(1, 3, 3).long(), 1.0)
t.index_add_(0, torch.tensor([0]), torch.ones(1, 3, 3))
t.uniform_()
t.relu_()
t.cumsum_(0)
"""


def written(namespace: ModuleType, base: Any, program: str) -> Any:
    """What the base of an expanded tensor holds after `program`, the warnings, and the error."""
    names: dict[str, Any] = {"torch": namespace, "t": base.expand(2, 3, 3)}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        error = error_of(lambda: exec(program, names))
    told = [str(w.message).split(" (Triggered")[0] for w in caught]
    return base.tolist(), told, type(error).__name__, str(error)


@pytest.mark.parametrize("shape", [(1,), (3, 1), (1, 3)])
@pytest.mark.parametrize("program", ON_EXPANDED.strip().splitlines())
def test_expanded_tensors_are_filled_as_in_pytorch(program: str, shape: tuple[int, ...]) -> None:
    ours = written(torch, torch.ones(shape), program)
    assert ours == written(pytorch, pytorch.ones(shape), program)


def test_the_gradient_behind_a_filled_expanded_tensor_is_refused() -> None:
    errors = []
    for namespace in (torch, pytorch):
        base: Any = namespace.ones(1, requires_grad=True) * 1
        base.expand(3).fill_(2.0)
        assert base.tolist() == [2.0]
        errors.append(error_of(base.sum().backward))
    assert (type(errors[0]), str(errors[0])) == (type(errors[1]), str(errors[1]))
