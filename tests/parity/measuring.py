"""How far the engine is from PyTorch in each row: the figures of `docs/parity.md`.

Each example of a row is run by PyTorch in float64 and in float32, and by the engine in both, with each
backend. The examples are the same in every run.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import minitorch_cifar
from minitorch_cifar.testing import Comparison
from minitorch_cifar.testing.functions import compare_runs
from minitorch_cifar.testing.sides import Run

from .drawing import Sample
from .harness import ENGINE, RULE, TORCH, note_largest, outcome, upstream_for
from .modules import (
    ModuleRow,
    ModuleRun,
    ModuleSample,
    compare_modules,
    module_outcome,
    note_largest_of_modules,
)
from .registry import Row
from .table import AnyRow, OptimizerRow, SchedulerRow, examples_of, parameters_of

BACKENDS = ("numpy", "numba")
FLOATS = ("float64", "float32")
FIGURES = 24  # examples of each operation and module


@dataclass
class Measured:
    """What a row covers, and its worst errors by dtype and backend; None where a dtype does not apply."""

    row: AnyRow
    parameters: list[str]
    worst: dict[tuple[str, str], float] = field(default_factory=dict)
    compared: int = 0  # how many examples both sides computed
    refused: int = 0  # and how many both refused

    def add(self, dtype: str, backend: str, figure: float) -> None:
        """Take in a figure."""
        self.worst[dtype, backend] = max(self.worst.get((dtype, backend), 0.0), figure)


def measure(row: AnyRow) -> Measured:
    """Run all examples of a row; AssertionError when the engine leaves the tolerance."""
    if isinstance(row, SchedulerRow):
        found = Measured(row, parameters_of(row, []), compared=max(len(row.cases()), 1))
        found.add("float64", "numpy", row.compare())
        return found
    if isinstance(row, OptimizerRow):
        found = Measured(row, parameters_of(row, []), compared=len(row.settings()))
        for backend in BACKENDS:
            with minitorch_cifar.backends.use(backend):
                _take(found, backend, row.compare())
        return found
    found = Measured(row, parameters_of(row, examples_of(row)))
    for number, sample in enumerate(examples_of(row, FIGURES)):
        comparisons = _module(row, sample) if isinstance(row, ModuleRow) else _call(row, sample, number)
        results = list(comparisons)
        found.compared += bool(results)
        found.refused += not results
        for backend, comparison in results:
            _take(found, backend, [comparison])
    return found


def _take(found: Measured, backend: str, comparisons: list[Comparison]) -> None:
    for comparison in comparisons:
        comparison.raise_problems()
        for dtype in FLOATS:
            if any(difference.dtype == dtype for difference in comparison.differences):
                found.add(dtype, backend, comparison.worst(dtype))


def _call(row: Row, sample: Sample, number: int) -> Iterator[tuple[str, Comparison]]:
    """An example of an operation, in one of its spellings."""
    spelling = row.spellings()[number % len(row.spellings())]

    def on(side: Any, dtype: str, watch: bool = False) -> Any:
        upstream = upstream_for(sample, dtype) if row.differentiable else None
        return outcome(side, row, spelling, sample, dtype, upstream, watch=watch)

    def compare(dtype: str, ours: Run, own: Run, reference: Run) -> Comparison:
        comparison = Comparison(f"{row.name} as {spelling}: {sample}")
        upstream = upstream_for(sample, dtype) if row.differentiable else None
        compare_runs(comparison, dtype, ours, own, reference, upstream, RULE)
        return comparison

    yield from _both(on, compare)


def _module(row: ModuleRow, sample: ModuleSample) -> Iterator[tuple[str, Comparison]]:
    """An example of a module, in both modes."""

    def on(side: Any, dtype: str, watch: bool = False) -> Any:
        return module_outcome(side, row, sample, dtype, watch)

    def compare(dtype: str, ours: ModuleRun, own: ModuleRun, reference: ModuleRun) -> Comparison:
        return compare_modules(row, sample, dtype, ours, own, reference)

    yield from _both(on, compare)


def _note_largest(reference: Any, watched: Any) -> None:
    (note_largest_of_modules if isinstance(reference, ModuleRun) else note_largest)(reference, watched)


def _both(on: Callable[..., Any], compare: Callable[..., Comparison]) -> Iterator[tuple[str, Comparison]]:
    """One example with each dtype and backend, where PyTorch computes it."""
    reference = on(TORCH, "float64")
    _note_largest(reference, on(TORCH, "float64", watch=True))
    for dtype in FLOATS:
        own = reference if dtype == "float64" else on(TORCH, dtype)
        if isinstance(own, Exception) or isinstance(reference, Exception):
            continue
        for backend in BACKENDS:
            with minitorch_cifar.backends.use(backend), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ours = on(ENGINE, dtype)
            if isinstance(ours, Exception):
                raise ours
            yield backend, compare(dtype, ours, own, reference)
