"""What the optimiser tests share: the same parameters and gradients in both engines, and comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import minitorch_cifar as mini
from minitorch_cifar.testing import Comparison, Rule
from minitorch_cifar.testing.comparison import compare_values

SHAPES = ((), (3,), (4, 2), (2, 3, 2))


def both(generator: np.random.Generator, dtype: Any, shapes: Any = SHAPES) -> tuple[list[Any], list[Any]]:
    """The same random leaves in the engine and in PyTorch."""
    arrays = [np.asarray(generator.normal(size=shape), dtype) for shape in shapes]
    ours = [mini.from_numpy(array.copy()).requires_grad_() for array in arrays]
    return ours, [torch.from_numpy(array.copy()).requires_grad_() for array in arrays]


def give_gradients(
    generator: np.random.Generator, ours: list[Any], theirs: list[Any], missing: Any = ()
) -> None:
    """The same random gradients for both; none for the parameters whose numbers are in `missing`."""
    for number, (p, q) in enumerate(zip(ours, theirs, strict=True)):
        drawn = np.asarray(generator.normal(size=tuple(q.shape)))
        gradient = drawn.astype(q.detach().numpy().dtype)
        p.grad = None if number in missing else mini.from_numpy(gradient.copy())
        q.grad = None if number in missing else torch.from_numpy(gradient.copy())


def assert_same_state(ours: Any, theirs: Any, tolerance: float) -> None:
    """Both state dicts have the same keys in the same order, the same settings, and close tensors."""
    mine, yours = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(yours)
    assert list(mine["state"]) == list(yours["state"])
    for number, state in yours["state"].items():
        assert list(mine["state"][number]) == list(state)
        for key, value in state.items():
            found = mine["state"][number][key]
            assert str(found.dtype) == str(value.dtype), key
            assert tuple(found.shape) == tuple(value.shape), key
            np.testing.assert_allclose(
                found.numpy(), value.numpy(), rtol=tolerance, atol=tolerance, err_msg=key
            )
    assert len(mine["param_groups"]) == len(yours["param_groups"])
    for found, group in zip(mine["param_groups"], yours["param_groups"], strict=True):
        assert list(found) == list(group)
        assert {k: v for k, v in found.items() if k != "lr"} == {k: v for k, v in group.items() if k != "lr"}


def compare_runs(name: str, settings: dict[str, Any], steps: int = 20, device: str = "cpu") -> Comparison:
    """`steps` steps of optimiser `name` in both engines, in float64 and in float32.

    Parameters and state afterwards are compared under the rule of `minitorch_cifar.testing`: float64 to a
    relative error of 1e-10; float32, against PyTorch's float64 run from the same numbers, to twice PyTorch's
    own error. `device` is where PyTorch computes.
    """
    comparison = Comparison(f"{name}({', '.join(f'{k}={v}' for k, v in settings.items())})")
    reference, largest = _run(torch, name, settings, np.float64, steps, device)
    for dtype in (np.float64, np.float32):
        kind = np.dtype(dtype).name
        ours, _ = _run(mini, name, settings, dtype, steps)
        own = reference if dtype is np.float64 else _run(torch, name, settings, dtype, steps, device)[0]
        assert list(ours) == list(own)
        for what, value in own.items():
            comparison.differences.append(
                compare_values(what, kind, ours[what], value, reference[what], largest, Rule())
            )
    comparison.raise_problems()
    return comparison


def _run(
    library: Any, name: str, settings: dict[str, Any], dtype: Any, steps: int, device: str = "cpu"
) -> tuple[dict[str, Any], float]:
    """What is left after the steps, by name, and the largest number on the way."""
    generator = np.random.default_rng(7)

    def drawn(shape: Any) -> Any:
        values = np.asarray(generator.normal(size=shape), np.float32)  # both dtypes start from equal numbers
        return library.from_numpy(np.asarray(values, dtype)).to(device)

    leaves = [drawn(shape).requires_grad_() for shape in SHAPES]
    optimizer = getattr(library.optim, name)(leaves, **settings)
    printed, largest = repr(optimizer), 0.0
    for step in range(steps):
        for number, leaf in enumerate(leaves):
            gradient = drawn(leaf.shape)
            leaf.grad = None if step % 4 == 2 and number == 1 else gradient
            largest = max(largest, _size(gradient), _size(leaf))
        optimizer.step()
        kept = [v for state in optimizer.state.values() for k, v in state.items() if k != "step"]
        largest = max([largest, *map(_size, kept)])
    state = optimizer.state_dict()
    found: dict[str, Any] = {"repr": printed, "keys": [(n, list(each)) for n, each in state["state"].items()]}
    found["groups"] = [list(group.items()) for group in state["param_groups"]]
    for number, leaf in enumerate(leaves):
        found[f"parameter {number}"] = leaf.detach().cpu().numpy()
    for number, each in state["state"].items():
        for key, value in each.items():
            found[f"{key} of parameter {number}"] = value.cpu().numpy()
    return found, largest


def _size(tensor: Any) -> float:
    return float(np.abs(tensor.detach().cpu().numpy()).max())
