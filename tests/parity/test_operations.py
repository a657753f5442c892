"""Every row of the registry against PyTorch: values, gradients, dtypes, `out=`, in-place forms, errors."""

from __future__ import annotations

import math
import re
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch_cifar
from minitorch_cifar.testing.arrays import Leaf, as_leaves, flatten, map_tree

from .drawing import LAYOUTS, Sample
from .harness import ENGINE, TORCH, compare, outcome, same_refusal, samples, strict
from .registry import ROWS, Row

BACKENDS = ("numpy", "numba")
CASES = [
    pytest.param(row, backend, id=f"{row.name}-{backend}" if row.kernels else row.name)
    for row in ROWS
    for backend in (BACKENDS if row.kernels else ("numpy",))
]


def examples(count: int) -> Any:
    """`count` examples with the profile `ci`, more in proportion with a larger one."""
    return settings(max_examples=max(1, count * settings.default.max_examples // 40))


def rows(wanted: Any = lambda row: True) -> list[Any]:
    """The cases of those rows for which `wanted` holds."""
    return [case for case in CASES if wanted(case.values[0])]


@pytest.mark.parametrize(("row", "backend"), rows())
@examples(25)
@given(data=st.data())
def test_float64_agrees_with_pytorch(row: Row, backend: str, data: Any) -> None:
    sample = data.draw(samples(row, row.regimes), "sample")
    spelling = data.draw(st.sampled_from(row.spellings()), "spelling")
    with minitorch_cifar.backends.use(backend):
        compare(row, spelling, sample, "float64")


@pytest.mark.parametrize(("row", "backend"), rows())
@examples(12)
@given(data=st.data())
def test_float32_is_as_accurate_as_pytorch(row: Row, backend: str, data: Any) -> None:
    sample = data.draw(samples(row, row.regimes), "sample")
    spelling = data.draw(st.sampled_from(row.spellings()), "spelling")
    with minitorch_cifar.backends.use(backend):
        compare(row, spelling, sample, "float32")


@pytest.mark.parametrize(("row", "backend"), rows(lambda row: row.differentiable and row.smooth))
@examples(5)
@given(data=st.data())
def test_gradients_are_those_of_finite_differences(row: Row, backend: str, data: Any) -> None:
    assert row.smooth is not None
    layouts = [layout for layout in LAYOUTS if layout != "expanded"]
    sample = data.draw(samples(row, (row.smooth,), layouts=layouts, all_gradients=True), "sample")
    spelling = data.draw(st.sampled_from(row.spellings()), "spelling")
    theirs = outcome(TORCH, row, spelling, sample, "float64", None)
    if isinstance(theirs, Exception) or not any(theirs.recorded):
        return
    inputs: list[Any] = []

    def make(value: Any) -> Any:
        if hasattr(value, "array"):
            tensor = ENGINE.tensor(value, "float64")
            inputs.append(tensor)
            return tensor
        return map_tree(value, make)

    args, kwargs = make(as_leaves(sample.args)), make(as_leaves(sample.kwargs))

    def differentiable_outputs(*_: Any) -> list[Any]:
        outputs = flatten(row.invoke(spelling, minitorch_cifar, args, kwargs), "output")
        return [output for (_, output), flag in zip(outputs, theirs.recorded, strict=True) if flag]

    with minitorch_cifar.backends.use(backend), strict():
        assert minitorch_cifar.autograd.gradcheck(differentiable_outputs, inputs)


@pytest.mark.parametrize(("row", "backend"), rows(lambda row: row.dtypes))
@examples(20)
@given(data=st.data())
def test_dtypes_meet_as_in_pytorch(row: Row, backend: str, data: Any) -> None:
    sample = data.draw(
        samples(row, ("ordinary",), mixed=True, kinds=row.dtypes, layouts=("contiguous",)), "sample"
    )
    spelling = data.draw(st.sampled_from(row.spellings()), "spelling")
    theirs = outcome(TORCH, row, spelling, sample, "", None)
    with minitorch_cifar.backends.use(backend):
        ours = outcome(ENGINE, row, spelling, sample, "", None)
    if same_refusal(row, spelling, sample, ours, theirs):
        return
    assert not isinstance(ours, Exception)
    assert not isinstance(theirs, Exception)
    assert len(ours.outputs) == len(theirs.outputs)
    for (name, mine), (_, other) in zip(ours.outputs, theirs.outputs, strict=True):
        if not isinstance(other, np.ndarray):
            assert mine == other
            continue
        assert mine.dtype == other.dtype, (
            f"{row.name} as {spelling}, {name}: {mine.dtype}, not {other.dtype}: {sample}"
        )
        assert mine.shape == other.shape
        close = 1e-5 if other.dtype == np.float32 else 1e-10
        np.testing.assert_allclose(
            mine, other, rtol=close, atol=close, err_msg=f"{row.name} as {spelling}: {sample}"
        )
    assert ours.recorded == theirs.recorded, f"{row.name} as {spelling}: requires_grad of {sample}"


@pytest.mark.parametrize(("row", "backend"), rows(lambda row: row.out))
@examples(8)
@given(data=st.data())
def test_out(row: Row, backend: str, data: Any) -> None:
    sample = data.draw(samples(row, ("ordinary",)), "sample")
    without = outcome(TORCH, row, "torch", _detached(sample), "float64", None)
    if isinstance(without, Exception):
        return
    shape = without.outputs[0][1].shape
    kind = data.draw(st.sampled_from(row.out_dtypes), "dtype of out")
    kind = without.outputs[0][1].dtype.name if kind == "same" else kind
    empty = data.draw(st.booleans(), "empty out") and math.prod(shape) > 0
    made: dict[str, Any] = {}

    def call(torch: Any, *args: Any, **kwargs: Any) -> Any:
        out = torch.zeros(0 if empty else shape, dtype=getattr(torch, kind))
        made[torch.__name__] = out
        function = row.call or (lambda _, *a, **k: row.function(torch)(*a, **k))
        result = function(torch, *args, **kwargs, out=out)
        assert result is out
        return out

    with_out = Row(row.name, row.draw, forms=("torch",), call=call)
    plain = _detached(sample)
    theirs = outcome(TORCH, with_out, "torch", plain, "float64", None)
    with minitorch_cifar.backends.use(backend):
        ours = outcome(ENGINE, with_out, "torch", plain, "float64", None)
    if isinstance(theirs, TypeError) or (isinstance(theirs, RuntimeError) and "Found dtype" in str(theirs)):
        return  # some of PyTorch's kernels cannot convert into `out`, or take no numbers with it
    if same_refusal(row, "out=", sample, ours, theirs):
        return
    assert not isinstance(ours, Exception)
    assert not isinstance(theirs, Exception)
    mine, other = ours.outputs[0][1], theirs.outputs[0][1]
    assert (mine.shape, mine.dtype) == (other.shape, other.dtype)
    np.testing.assert_allclose(mine, other, rtol=1e-6 if kind == "float32" else 1e-10, atol=1e-12)


def _detached(sample: Sample) -> Sample:
    def strip(value: Any) -> Any:
        return Leaf(value.array, False) if isinstance(value, Leaf) else map_tree(value, strip)

    return Sample(
        strip(as_leaves(sample.args)), strip(as_leaves(sample.kwargs)), sample.grad_layout, sample.seed
    )


@pytest.mark.parametrize("row", [row for row in ROWS if row.inplace])
@examples(8)
@given(data=st.data())
def test_inplace_returns_its_tensor_and_fills_its_memory(row: Row, data: Any) -> None:
    sample = data.draw(samples(row, ("ordinary",)), "sample")
    if not sample.leaves() or not hasattr(sample.args[0], "array"):
        return
    seen: dict[str, Any] = {}

    def call(torch: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        result = getattr(x, f"{row.short_name}_")(*args, **kwargs)
        seen[torch.__name__] = (result is x, x._version)
        return x

    changing = Row(row.name, row.draw, forms=("torch",), call=call)
    plain = _detached(sample)
    theirs = outcome(TORCH, changing, "torch", plain, "float64", None)
    ours = outcome(ENGINE, changing, "torch", plain, "float64", None)
    if same_refusal(row, "in place", sample, ours, theirs):
        return
    assert not isinstance(ours, Exception)
    assert not isinstance(theirs, Exception)
    assert seen["minitorch_cifar"] == seen["torch"], f"{row.name}_: (result is x, version) of {sample}"
    np.testing.assert_allclose(ours.outputs[0][1], theirs.outputs[0][1], rtol=1e-10, atol=1e-12)


ERRORS = [
    pytest.param(row, failing, id=f"{row.name}-{i}") for row in ROWS for i, failing in enumerate(row.errors)
]


@pytest.mark.parametrize(("row", "failing"), ERRORS)
def test_refuses_what_pytorch_refuses(row: Row, failing: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(Exception) as theirs:  # noqa: PT011 - PyTorch says which
            failing(TORCH.library)
        with pytest.raises(type(theirs.value)) as ours:
            failing(ENGINE.library)
    assert type(ours.value) is type(theirs.value)
    text, expected = str(ours.value), str(theirs.value).partition("\n")[0]
    assert text, f"an error without a message; PyTorch says: {expected}"
    if "C++" in text or text == expected:
        return
    # At least as helpful: the numbers that PyTorch names are named.
    numbers = set(
        re.findall(r"(?<![\w.])-?\d+(?![\w.])", re.sub(r"\(position \d+\)|argument \d+", "", expected))
    )
    missing = {n for n in numbers if not re.search(rf"(?<!\d){re.escape(n)}(?!\d)", text)}
    assert not missing, f"PyTorch's message names {sorted(missing)}:\n  ours:   {text}\n  theirs: {expected}"
