"""No class is left out silently: each module, optimizer and scheduler has a row that gives all parameters."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Any

import pytest

import minitorch_cifar

from .exemptions import CLASSES, SWITCHES
from .modules import ModuleRow
from .rows.training import OptimizerRow, SchedulerRow
from .table import MODULE_ROWS, OPTIMIZER_ROWS, SCHEDULER_ROWS, examples_of, parameters_of


def classes(package: Any, base: type) -> set[str]:
    """The names of all public subclasses that are defined anywhere in a package."""
    found = set()
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, base) and not value.__name__.startswith("_"):
                found.add(value.__name__)
    return found


@pytest.mark.parametrize(
    ("package", "base", "rows"),
    [
        (minitorch_cifar.nn, minitorch_cifar.nn.Module, MODULE_ROWS),
        (minitorch_cifar.optim, minitorch_cifar.optim.Optimizer, OPTIMIZER_ROWS),
        (minitorch_cifar.optim, minitorch_cifar.optim.lr_scheduler.LRScheduler, SCHEDULER_ROWS),
    ],
    ids=["modules", "optimizers", "schedulers"],
)
def test_every_class_has_a_row(package: Any, base: type, rows: Any) -> None:
    public = classes(package, base)
    assert len(public) > 6
    names = [row.name for row in rows]
    assert len(names) == len(set(names)), "rows of the same name"
    missing = public - set(names) - set(CLASSES)
    assert not missing, f"without a row: {sorted(missing)}"
    assert not set(names) - public, "rows for what does not exist"


@pytest.mark.parametrize("row", [row for row in MODULE_ROWS if row.build is None], ids=repr)
def test_every_parameter_of_a_module_is_drawn(row: ModuleRow) -> None:
    accepted = [p for p in row.signature().parameters.values() if not _passed_on(p) or row.name == "Identity"]
    drawn = {name.lstrip("*") for name in parameters_of(row, examples_of(row, 60))}
    missing = [p.name for p in accepted if p.name not in drawn]
    assert not missing, f"no example of {row} gives {missing}"


def _passed_on(parameter: inspect.Parameter) -> bool:
    """Whether it is the `*args` of `Module`, which takes none."""
    return parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@pytest.mark.parametrize("row", OPTIMIZER_ROWS, ids=repr)
def test_every_hyperparameter_is_given(row: OptimizerRow) -> None:
    accepted = inspect.signature(getattr(minitorch_cifar.optim, row.name)).parameters
    missing = set(accepted) - set(row.parameters()) - set(SWITCHES)
    assert not missing, f"no setting of {row} gives {sorted(missing)}"
    for name in row.parameters():
        values = {repr(settings[name]) for settings in row.settings()}
        assert name == "lr" or len(values) > 1, f"{name} of {row} is the same in all settings"


@pytest.mark.parametrize("row", SCHEDULER_ROWS, ids=repr)
def test_every_parameter_of_a_scheduler_is_given(row: SchedulerRow) -> None:
    accepted = inspect.signature(getattr(minitorch_cifar.optim.lr_scheduler, row.name)).parameters
    missing = set(accepted) - set(row.parameters())
    assert not missing, f"no case of {row} gives {sorted(missing)}"
