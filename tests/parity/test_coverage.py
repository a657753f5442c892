"""Nothing public is left out silently: each operation, function and method has a row, or a reason not to.

A row counts for an operation when running it really applies the operation, forward and backward.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import types
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

import minitorch_cifar
from minitorch_cifar import ops
from minitorch_cifar.autograd.operation import Operation

from .exemptions import FUNCTIONAL, FUNCTIONS, METHODS
from .harness import ENGINE, outcome, samples, upstream_for
from .registry import ROWS, Row


def operations() -> list[type[Operation]]:
    """Every operation in `ops/`."""
    found = []
    for module in pkgutil.iter_modules(ops.__path__):
        namespace = vars(importlib.import_module(f"{ops.__name__}.{module.name}"))
        for value in namespace.values():
            is_operation = isinstance(value, type) and issubclass(value, Operation)
            is_base = is_operation and not value.__module__.startswith(ops.__name__)
            if is_operation and not is_base and not value.__name__.startswith("_"):
                found.append(value)
    return sorted(set(found), key=lambda cls: (cls.__module__, cls.__name__))


@pytest.fixture(scope="module")
def applied() -> dict[str, set[type[Operation]]]:
    """The operations that the rows apply, "forward" and "backward"."""
    seen: dict[str, set[type[Operation]]] = {"forward": set(), "backward": set()}
    with pytest.MonkeyPatch.context() as patch:
        for operation in operations():
            for side in seen:
                patch.setattr(operation, side, _noted(operation, side, seen[side]))
        for row in ROWS:
            _run_some(row)
    return seen


def _noted(operation: type[Operation], side: str, seen: set[type[Operation]]) -> Any:
    function = getattr(operation, side)

    def note(*args: Any, **kwargs: Any) -> Any:
        seen.add(operation)
        return function(*args, **kwargs)

    return staticmethod(note)


# Rows whose samples take one of several operations, some of them rarely.
MANY = {"setitem": 1000}


def _run_some(row: Row) -> None:
    """A few samples of a row in each of its spellings, differentiated."""
    for spelling in row.spellings():

        @settings(
            max_examples=MANY.get(row.name, 8),
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(sample=samples(row, ("ordinary",), all_gradients=True))
        def run(sample: Any) -> None:
            outcome(ENGINE, row, spelling, sample, "float64", upstream_for(sample, "float64"))  # noqa: B023

        run()


@pytest.mark.parametrize(
    "operation", operations(), ids=lambda cls: f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}"
)
def test_every_operation_has_a_row(
    operation: type[Operation], applied: dict[str, set[type[Operation]]]
) -> None:
    assert operation in applied["forward"], f"no row of the registry applies {operation.__name__}"
    assert operation in applied["backward"], f"no row differentiates {operation.__name__}"


def covered() -> set[str]:
    """The short names that rows stand for: functions, methods, operators."""
    names = set()
    for row in ROWS:
        short = row.short_name
        names |= {short, *row.aliases, *row.covers}
        if row.inplace:
            names |= {f"{short}_", *(f"{alias}_" for alias in row.aliases)}
    return names


def test_every_function_has_a_row() -> None:
    public = {
        name
        for name, value in vars(minitorch_cifar).items()
        if not name.startswith("_") and isinstance(value, types.FunctionType)
    }
    assert len(public) > 150
    missing = public - covered() - set(FUNCTIONS)
    assert not missing, f"functions of the namespace without a row: {sorted(missing)}"
    assert not set(FUNCTIONS) - public, "exemptions for what does not exist"


def test_every_method_has_a_row() -> None:
    public = {
        name for name in vars(minitorch_cifar.Tensor) if not name.startswith("_") or name.startswith("__")
    }
    missing = public - covered() - set(METHODS)
    assert not missing, f"methods of Tensor without a row: {sorted(missing)}"
    assert not set(METHODS) - public, "exemptions for what does not exist"


def test_every_functional_has_a_row() -> None:
    functional = minitorch_cifar.nn.functional
    public = {
        name
        for name, value in vars(functional).items()
        if not name.startswith("_") and inspect.isfunction(value)
    }
    missing = public - covered() - set(FUNCTIONAL)
    assert not missing, f"functions of nn.functional without a row: {sorted(missing)}"


def test_aliases_are_what_they_stand_for() -> None:
    for row in ROWS:
        for alias in row.aliases:
            for owner in (minitorch_cifar, minitorch_cifar.Tensor, minitorch_cifar.nn.functional):
                if hasattr(owner, alias) and hasattr(owner, row.short_name):
                    assert getattr(owner, alias) is getattr(owner, row.short_name), alias
