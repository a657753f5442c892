"""Everything that is compared with PyTorch: operations, modules, optimizers, schedulers.

For each row this says which parameters its examples give, as `docs/parity.md` lists them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

import minitorch_cifar

from .harness import samples
from .modules import ModuleRow, module_samples
from .registry import ROWS, Row
from .rows import losses, modules
from .rows.training import OPTIMIZER_ROWS, SCHEDULER_ROWS, OptimizerRow, SchedulerRow

MODULE_ROWS = [*modules.ROWS, *losses.ROWS]
AnyRow = Row | ModuleRow | OptimizerRow | SchedulerRow
EXAMPLES = 24  # from which the parameters of a row are read


def all_rows() -> list[AnyRow]:
    """Every row, operations first."""
    return [*ROWS, *MODULE_ROWS, *OPTIMIZER_ROWS, *SCHEDULER_ROWS]


def each_example(strategy: Any, count: int, use: Callable[[Any], None]) -> None:
    """Call `use` with `count` examples that are the same in every run."""

    @settings(
        max_examples=count,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def run(sample: Any) -> None:
        use(sample)

    run()


def examples_of(row: Row | ModuleRow, count: int = EXAMPLES) -> list[Any]:
    """Samples of an operation or a module, the same in every run."""
    strategy = samples(row, row.regimes) if isinstance(row, Row) else module_samples(row)
    found: list[Any] = []
    each_example(strategy, count, found.append)
    return found


def parameters_of(row: AnyRow, drawn: list[Any]) -> list[str]:
    """The names of the parameters that the row's examples (`drawn`) give, in the order of the signature."""
    if isinstance(row, (OptimizerRow, SchedulerRow)):
        return row.parameters()
    if isinstance(row, ModuleRow):
        signature, calls = row.signature(), [(sample.args, sample.kwargs) for sample in drawn]
    else:
        signature, calls = signature_of(row), [(sample.args, sample.kwargs) for sample in drawn]
    if isinstance(row, ModuleRow) and row.build is not None:
        return [_shown(p) for p in signature.parameters.values()]
    used: set[str] = set()
    for args, kwargs in calls:
        try:
            used |= set(signature.bind(*args, **kwargs).arguments)
        except TypeError:
            continue  # a call that is refused
    names = [_shown(p) for p in signature.parameters.values() if p.name in used]
    return [*names, *(["out"] if isinstance(row, Row) and row.out and "out" not in names else [])]


def signature_of(row: Row) -> inspect.Signature:
    """Of the engine's function, or of the method where there is no function."""
    try:
        function = replace(row, name=row.name.partition(" ")[0]).function(minitorch_cifar)
    except AttributeError:
        function = getattr(minitorch_cifar.Tensor, METHODS.get(row.name, row.short_name))
    return inspect.signature(function.fget if isinstance(function, property) else function)


METHODS = {"getitem": "__getitem__", "setitem": "__setitem__"}


def _shown(parameter: inspect.Parameter) -> str:
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return stars.get(parameter.kind, "") + parameter.name
