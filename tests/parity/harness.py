"""Running one sample of a row on both sides, and holding the results against each other."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minitorch_cifar.testing import Comparison, Rule
from minitorch_cifar.testing.arrays import Leaf, as_leaves
from minitorch_cifar.testing.functions import compare_runs, rounded, upstream_gradients
from minitorch_cifar.testing.sides import Run, Side, engine_side, run, torch_side

from .drawing import LAYOUTS, Maker, Sample, lay_out
from .registry import Row

ENGINE, TORCH = engine_side(), torch_side()
RULE = Rule()


@st.composite
def samples(draw: Any, row: Row, regimes: tuple[str, ...], **options: Any) -> Sample:
    """Samples of a row with values of one of the regimes."""
    regime = draw(st.sampled_from(regimes))
    return row.draw(Maker(draw, regime, **options))


@contextlib.contextmanager
def strict() -> Iterator[None]:
    """Warnings of NumPy are errors: a user must never see one that PyTorch would not give."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("error", DeprecationWarning)
        # Sums of gradients that the engine makes between operations: test_engine.py
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"minitorch_cifar\.autograd")
        yield


def upstream_for(sample: Sample, dtype: str) -> Any:
    """The random upstream gradient in the sample's memory layout."""
    draw = upstream_gradients(None, sample.seed, dtype)
    return lambda i, array: lay_out(draw(i, array), sample.grad_layout)


class RefusedError(Exception):
    """One side raised `error` instead of computing."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def compute(
    side: Side, row: Row, spelling: str, sample: Sample, dtype: str, upstream: Any, watch: bool = False
) -> Run:
    """The row's call on one side. RefusedError with the exception that the side raised."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return row.invoke(spelling, side.library, args, kwargs)

    arguments = as_leaves(sample.args), as_leaves(sample.kwargs)
    if dtype:
        arguments = rounded(arguments[0], dtype), rounded(arguments[1], dtype)
    try:
        if side is ENGINE:
            with strict():
                return run(side, call, arguments, dtype, upstream)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return run(side, call, arguments, dtype, upstream, watch)
    except Exception as error:
        raise RefusedError(error) from error


def outcome(*arguments: Any, **options: Any) -> Run | Exception:
    """What `compute` gives, or the exception that the side raised."""
    try:
        return compute(*arguments, **options)
    except RefusedError as refused:
        return refused.error


def note_largest(reference: Run | Exception, watched: Run | Exception) -> None:
    """Take over the largest number from a watched run: watched, PyTorch takes other formulas and nodes."""
    if isinstance(reference, Run) and isinstance(watched, Run):
        reference.largest = watched.largest


def same_refusal(row: Row, spelling: str, sample: Sample, ours: Any, theirs: Any) -> bool:
    """Whether both sides refused. AssertionError when only one did, or with exceptions of other classes."""
    if isinstance(ours, Exception) and not isinstance(theirs, Exception):
        ours.add_note(f"{row.name} as {spelling}: PyTorch computes {sample}")
        raise ours
    if not isinstance(theirs, Exception):
        return False
    assert isinstance(ours, Exception), f"{row.name} as {spelling}: PyTorch refuses {sample}: {theirs!r}"
    if type(ours) is not type(theirs):
        ours.add_note(f"{row.name} as {spelling}: PyTorch raises {theirs!r} for {sample}")
        raise ours
    return True


def compare(
    row: Row, spelling: str, sample: Sample, dtype: str, torch: Side = TORCH
) -> tuple[Comparison, Run] | None:
    """Outputs and gradients of both sides under the rule; None when both refuse the sample alike.

    `torch` is PyTorch on the CPU or on another device, whose nodes have names of their own.

    Also: inputs and upstream gradients are not written to; no gradient shares memory with another, with an
    input or with what came from upstream.
    """
    upstream = upstream_for(sample, dtype) if row.differentiable else None
    own = outcome(torch, row, spelling, sample, dtype, upstream)
    reference = own if dtype == "float64" else outcome(torch, row, spelling, sample, "float64", upstream)
    note_largest(reference, outcome(torch, row, spelling, sample, "float64", upstream, watch=True))
    given: dict[int, np.ndarray] = {}

    def remembered(i: int, array: Any) -> Any:
        given[i] = upstream(i, array).astype(array.dtype, copy=False)
        return given[i]

    ours = outcome(ENGINE, row, spelling, sample, dtype, remembered if upstream else None)
    if same_refusal(row, spelling, sample, ours, own):
        return None
    assert isinstance(ours, Run)
    assert isinstance(own, Run)
    if not isinstance(reference, Run):
        return None
    comparison = Comparison(f"{row.name} as {spelling}: {sample}")
    compare_runs(comparison, dtype, ours, own, reference, upstream, RULE)
    comparison.raise_problems()
    check_untouched(row, sample, ours, given, dtype)
    if row.differentiable and row.nodes and torch is TORCH:
        assert ours.nodes == own.nodes, (
            f"{row.name} as {spelling}, {sample}: prints {ours.nodes}, PyTorch {own.nodes}"
        )
    return comparison, ours


def check_untouched(row: Row, sample: Sample, ours: Run, given: dict[int, np.ndarray], dtype: str) -> None:
    """Inputs are as they were; gradients are arrays of their own."""
    arrays = [tensor.detach().numpy() for _, tensor in ours.tensors]
    for leaf, array in zip(sample.leaves(), arrays, strict=True):
        kept = leaf.array.astype(array.dtype)
        assert np.array_equal(kept, array, equal_nan=kept.dtype.kind == "f"), (
            f"{row.name} changed its input: {sample}"
        )
    gradients = [g for _, g in ours.gradients if g is not None and g.size]
    for i, gradient in enumerate(gradients):
        others = [*arrays, *given.values(), *gradients[:i]]
        assert not any(np.shares_memory(gradient, other) for other in others), (
            f"{row.name}: a gradient shares memory with an input, another or the upstream one: {sample}"
        )
    for i, array in given.items():
        expected = upstream_for(sample, dtype)(i, array)
        assert np.array_equal(expected.astype(array.dtype), array), (
            f"{row.name} changed the upstream gradient: {sample}"
        )


__all__ = [
    "ENGINE",
    "LAYOUTS",
    "TORCH",
    "Leaf",
    "compare",
    "compute",
    "outcome",
    "same_refusal",
    "samples",
    "strict",
]
