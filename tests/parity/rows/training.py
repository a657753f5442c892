"""Rows of optimizers and schedulers. What is compared, and with which settings, is in `tests/optim`."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass
from typing import Any

import minitorch_cifar
from minitorch_cifar.testing import Comparison

from ...optim.comparing import compare_runs
from ...optim.schedules import OPTIMIZERS, PLATEAU, SCHEDULERS, build, compare_plateaus, compare_schedules
from ...optim.settings import SETTINGS


@dataclass(frozen=True)
class OptimizerRow:
    """An optimizer: tests/optim/test_sgd.py and test_adam.py run all its settings over 20 steps."""

    name: str

    def settings(self) -> list[dict[str, Any]]:
        """Every combination that is compared."""
        return SETTINGS[self.name]

    def parameters(self) -> list[str]:
        """The constructor's parameters that the settings vary or give."""
        return list(self.settings()[0])

    def compare(self) -> list[Comparison]:
        """All runs, on the present backend; ParityError with the first that leaves the tolerance."""
        return [compare_runs(self.name, settings) for settings in self.settings()]

    def __repr__(self) -> str:
        return f"optim.{self.name}"


@dataclass(frozen=True)
class SchedulerRow:
    """A scheduler: tests/optim/test_lr_scheduler.py runs all its cases over 100 steps."""

    name: str

    def cases(self) -> list[str]:
        """The cases that are called after the class, or, for the one that watches a loss, none."""
        return [case for case in SCHEDULERS if case.partition(" ")[0] == self.name]

    def parameters(self) -> list[str]:
        """The constructor's parameters that the cases give."""
        signature = inspect.signature(getattr(minitorch_cifar.optim.lr_scheduler, self.name))
        if self.name == "ReduceLROnPlateau":
            given = {name for settings in PLATEAU for name in settings} | {"optimizer"}
        else:
            given = _given(self.name, signature, self.cases())
        return [name for name in signature.parameters if name in given]

    def compare(self) -> float:
        """The largest relative difference over all cases, with each optimizer."""
        if self.name == "ReduceLROnPlateau":
            return max(compare_plateaus(settings) for settings in PLATEAU)
        return max(compare_schedules(case, optimizer) for case in self.cases() for optimizer in OPTIMIZERS)

    def __repr__(self) -> str:
        return f"optim.lr_scheduler.{self.name}"


def _given(name: str, signature: inspect.Signature, cases: list[str]) -> set[str]:
    """The parameters that the cases give to the class, found out by building them."""
    given: set[str] = set()

    class Noting:
        """The namespace of the schedulers; notes with which arguments the class is called."""

        def __getattr__(self, attribute: str) -> Any:
            function = getattr(minitorch_cifar.optim.lr_scheduler, attribute)

            def noted(*args: Any, **kwargs: Any) -> Any:
                if attribute == name:
                    given.update(signature.bind(*args, **kwargs).arguments)
                return function(*args, **kwargs)

            return noted

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for case in cases:
            optimizer, _ = build(minitorch_cifar, "StepLR")
            SCHEDULERS[case](Noting(), optimizer)
    return given


OPTIMIZER_ROWS = [OptimizerRow(name) for name in SETTINGS]
SCHEDULER_ROWS = [
    SchedulerRow(name)
    for name in (*dict.fromkeys(c.partition(" ")[0] for c in SCHEDULERS), "ReduceLROnPlateau")
]
