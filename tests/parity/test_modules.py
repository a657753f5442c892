"""Every module of `nn` against PyTorch: printed form, state, outputs, gradients by inputs and parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch_cifar
from minitorch_cifar.testing import ParityError

from .modules import ModuleRow, ModuleSample, compare_module, module_samples
from .table import MODULE_ROWS

CASES = [
    pytest.param(row, backend, id=f"{row.name}-{backend}" if row.kernels else row.name)
    for row in MODULE_ROWS
    for backend in (("numpy", "numba") if row.kernels else ("numpy",))
]


def examples(count: int) -> Any:
    """`count` examples with the profile `ci`, more in proportion with a larger one."""
    return settings(max_examples=max(1, count * settings.default.max_examples // 40))


@pytest.mark.parametrize(("row", "backend"), CASES)
@examples(12)
@given(data=st.data())
def test_float64_agrees_with_pytorch(row: ModuleRow, backend: str, data: Any) -> None:
    sample = data.draw(module_samples(row), "sample")
    with minitorch_cifar.backends.use(backend):
        compare_module(row, sample, "float64")


@pytest.mark.parametrize(("row", "backend"), CASES)
@examples(6)
@given(data=st.data())
def test_float32_is_as_accurate_as_pytorch(row: ModuleRow, backend: str, data: Any) -> None:
    sample = data.draw(module_samples(row), "sample")
    with minitorch_cifar.backends.use(backend):
        compare_module(row, sample, "float32")


def _wrong(change: Callable[[Any], Any]) -> Callable[..., Any]:
    """Builds a layer that `change` makes wrong in the engine alone."""

    def build(torch: Any) -> Any:
        layer = torch.nn.BatchNorm1d(3)
        if torch is minitorch_cifar:
            change(layer)
        return layer

    return build


def _upstream_of(inputs: tuple[Any, ...]) -> None:
    inputs[0].register_hook(lambda g: g * (1 + 1e-9))


WRONG: dict[str, Callable[[Any], Any]] = {
    "repr": lambda layer: setattr(layer, "extra_repr", lambda: ""),
    "state_dict": lambda layer: layer.register_buffer("another", minitorch_cifar.zeros(1)),
    "output": lambda layer: layer.register_forward_hook(lambda m, x, y: y * (1 + 1e-9)),
    "gradient by input 0": lambda layer: layer.register_forward_pre_hook(lambda m, x: _upstream_of(x)),
    "gradient by weight": lambda layer: layer.weight.register_hook(lambda g: g * (1 + 1e-9)),
    "running_mean afterwards": lambda layer: setattr(layer, "momentum", 0.1 + 1e-8),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_module_is_found(what: str) -> None:
    row = ModuleRow("BatchNorm1d", lambda make: None, build=_wrong(WRONG[what]))
    x = np.random.default_rng(0).normal(size=(4, 3))
    with pytest.raises(ParityError, match=rf"(?m)^ *{what}\b"):
        compare_module(row, ModuleSample((), {}, (x,)), "float64")
    right = ModuleRow("BatchNorm1d", row.draw, build=_wrong(lambda layer: None))
    assert compare_module(right, ModuleSample((), {}, (x,)), "float64") is not None
