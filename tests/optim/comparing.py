"""What the optimiser tests share: the same parameters and gradients in both engines, and comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import minitorch_cifar as mini

from ..kernels.comparing import assert_accurate

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


def compare_runs(name: str, settings: dict[str, Any], steps: int = 20) -> None:
    """`steps` steps of optimiser `name` in both engines, in float64 and in float32."""
    runs = {}
    for dtype in (np.float64, np.float32):
        generator = np.random.default_rng(7)
        ours, theirs = both(generator, np.float64)
        if dtype is np.float32:
            ours = [mini.from_numpy(p.detach().numpy().astype(dtype)).requires_grad_() for p in ours]
            theirs = [p.detach().float().requires_grad_() for p in theirs]
        optimizer = getattr(mini.optim, name)(ours, **settings)
        peer = getattr(torch.optim, name)(theirs, **settings)
        assert repr(optimizer) == repr(peer)
        for step in range(steps):
            give_gradients(generator, ours, theirs, missing=(1,) if step % 4 == 2 else ())
            optimizer.step()
            peer.step()
        assert_same_state(optimizer, peer, 1e-12 if dtype is np.float64 else 1e-4)
        runs[dtype] = [p.detach().numpy() for p in ours], [q.detach().numpy() for q in theirs]
    for p, exact in zip(*runs[np.float64], strict=True):
        np.testing.assert_allclose(p, exact, rtol=1e-12, atol=1e-12)
    for p, peer32, exact in zip(*runs[np.float32], runs[np.float64][1], strict=True):
        assert_accurate(p, peer32, exact, 10.0)
