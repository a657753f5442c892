"""The rows with PyTorch on a GPU and the engine on the CPU; float32 there is float32, without TF32.

Values are ordinary ones and ties: of infinities and NaN, PyTorch's own kernels for the GPU make something
else than those for the CPU. Rows that draw random numbers are left out, since PyTorch draws others on a GPU,
and so are examples that PyTorch refuses on the CPU: an index outside ends all work on a GPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minitorch_cifar.testing.sides import torch_side

from ..optim.comparing import compare_runs
from .drawing import Maker
from .harness import TORCH, compare, outcome, samples, upstream_for
from .modules import ModuleRow, compare_module, module_outcome
from .registry import ROWS, Row
from .table import MODULE_ROWS, OPTIMIZER_ROWS, OptimizerRow

pytestmark = pytest.mark.gpu
if not torch.cuda.is_available():
    pytest.skip("PyTorch sees no CUDA GPU: no row runs on one", allow_module_level=True)

CUDA = torch_side("cuda")
TAME = ("ordinary", "ties")


@pytest.fixture(autouse=True)
def on_the_gpu() -> Iterator[None]:
    """New tensors go to the GPU, and products of float32 are not rounded to TF32."""
    switches = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [switch.allow_tf32 for switch in switches]
    for switch in switches:
        switch.allow_tf32 = False
    with torch.device("cuda"):
        yield
    for switch, value in zip(switches, before, strict=True):
        switch.allow_tf32 = value


def examples(count: int) -> Any:
    """`count` examples with the profile `ci`, more in proportion with a larger one."""
    return settings(max_examples=max(1, count * settings.default.max_examples // 40))


@pytest.mark.parametrize("row", [row for row in ROWS if not row.random], ids=repr)
@examples(10)
@given(data=st.data())
def test_operation(row: Row, data: Any) -> None:
    regimes = tuple(regime for regime in row.regimes if regime in TAME) or row.regimes
    sample = data.draw(samples(row, regimes), "sample")
    spelling = data.draw(st.sampled_from(row.spellings()), "spelling")
    for dtype in ("float64", "float32"):
        with torch.device("cpu"):
            upstream = upstream_for(sample, dtype) if row.differentiable else None
            refused = isinstance(outcome(TORCH, row, spelling, sample, dtype, upstream), Exception)
        if not refused:
            compare(row, spelling, sample, dtype, torch=CUDA)


@pytest.mark.parametrize("row", [row for row in MODULE_ROWS if not row.random], ids=repr)
@examples(10)
@given(data=st.data())
def test_module(row: ModuleRow, data: Any) -> None:
    sample = row.draw(Maker(data.draw, data.draw(st.sampled_from(TAME))))
    sample.kwargs.pop("device", None)
    for dtype in ("float64", "float32"):
        with torch.device("cpu"):
            refused = isinstance(module_outcome(TORCH, row, sample, dtype), Exception)
        if not refused:
            compare_module(row, sample, dtype, torch=CUDA)


@pytest.mark.parametrize("row", OPTIMIZER_ROWS, ids=repr)
def test_optimizer(row: OptimizerRow) -> None:
    for chosen in row.settings()[::7]:
        compare_runs(row.name, chosen, device="cuda")
