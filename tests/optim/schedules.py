"""The schedulers with which learning rates are compared with PyTorch's, over 100 steps."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import minitorch_cifar as mini


def _later(optimizer: Any, **settings: Any) -> Any:
    """The optimiser as an earlier schedule left it, for one that goes on with `last_epoch`."""
    for group in optimizer.param_groups:
        group.update(initial_lr=group["lr"], **settings)
    return optimizer


# name: builds a scheduler from the `lr_scheduler` module and an optimiser
SCHEDULERS: dict[str, Callable[[Any, Any], Any]] = {
    "StepLR": lambda s, o: s.StepLR(o, 7, 0.5),
    "MultiStepLR": lambda s, o: s.MultiStepLR(o, [3, 20, 20, 50], 0.3),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, 0.97),
    "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, 30, eta_min=0.001),
    "CosineAnnealingLR short": lambda s, o: s.CosineAnnealingLR(o, 1),
    "CosineAnnealingWarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 7, eta_min=0.001),
    "CosineAnnealingWarmRestarts longer": lambda s, o: s.CosineAnnealingWarmRestarts(o, 5, T_mult=3),
    "LambdaLR": lambda s, o: s.LambdaLR(o, [lambda e: 0.95**e, lambda e: 1 / (1 + e)]),
    "LambdaLR one": lambda s, o: s.LambdaLR(o, lambda e: 0.95**e),
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, lambda e: 0.9 if e % 3 else 1.05),
    "ConstantLR": lambda s, o: s.ConstantLR(o, 0.25, 10),
    "LinearLR": lambda s, o: s.LinearLR(o, 0.1, 0.8, 40),
    "PolynomialLR": lambda s, o: s.PolynomialLR(o, 60, 2.0),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=101),
    "OneCycleLR linear": lambda s, o: s.OneCycleLR(
        o, [0.5, 2.0], epochs=20, steps_per_epoch=6, anneal_strategy="linear", pct_start=0.1, div_factor=10.0
    ),
    "OneCycleLR three": lambda s, o: s.OneCycleLR(
        o, 0.5, total_steps=100, three_phase=True, final_div_factor=7.0, base_momentum=0.7, max_momentum=0.99
    ),
    "OneCycleLR no momentum": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=100, cycle_momentum=False),
    "SequentialLR": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=10), s.CosineAnnealingLR(o, 50), s.StepLR(o, 5)], [10, 60]
    ),
    "SequentialLR nested": lambda s, o: s.SequentialLR(
        o, [s.SequentialLR(o, [s.ConstantLR(o), s.ExponentialLR(o, 0.9)], [4]), s.StepLR(o, 5)], [20]
    ),
    "SequentialLR with restarts": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=4), s.CosineAnnealingWarmRestarts(o, 5, 2)], [4]
    ),
    "ChainedScheduler": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 4), s.ExponentialLR(o, 0.9)]),
    "ChainedScheduler named": lambda s, o: s.ChainedScheduler([s.StepLR(o, 9)], optimizer=o),
    "StepLR later": lambda s, o: s.StepLR(_later(o), 7, 0.5, last_epoch=20),
    "MultiStepLR later": lambda s, o: s.MultiStepLR(_later(o), [3, 25], 0.3, last_epoch=20),
    "ExponentialLR later": lambda s, o: s.ExponentialLR(_later(o), 0.97, last_epoch=20),
    "CosineAnnealingLR later": lambda s, o: s.CosineAnnealingLR(_later(o), 30, last_epoch=20),
    "CosineAnnealingWarmRestarts later": lambda s, o: s.CosineAnnealingWarmRestarts(
        _later(o), 6, 2, last_epoch=20
    ),
    "LambdaLR later": lambda s, o: s.LambdaLR(_later(o), lambda e: 0.95**e, last_epoch=20),
    "MultiplicativeLR later": lambda s, o: s.MultiplicativeLR(_later(o), lambda e: 0.9, last_epoch=20),
    "ConstantLR later": lambda s, o: s.ConstantLR(_later(o), 0.25, 30, last_epoch=20),
    "LinearLR later": lambda s, o: s.LinearLR(_later(o), 0.1, 0.8, 40, last_epoch=20),
    "PolynomialLR later": lambda s, o: s.PolynomialLR(_later(o), 60, 2.0, last_epoch=20),
    "OneCycleLR later": lambda s, o: s.OneCycleLR(
        _later(o, max_lr=0.5, min_lr=1e-4, max_momentum=0.9, base_momentum=0.8),
        0.5,
        total_steps=130,
        last_epoch=20,
    ),
    "SequentialLR later": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1), s.StepLR(o, 5)], [10], last_epoch=4
    ),
}
OPTIMIZERS = {"SGD": {"lr": 0.1, "momentum": 0.9}, "Adam": {"lr": 0.1}}

PLATEAU = [
    {"patience": 2},
    {"mode": "max", "patience": 1, "factor": 0.5},
    {"patience": 0, "cooldown": 3, "threshold": 0.1, "threshold_mode": "abs"},
    {"mode": "max", "patience": 1, "threshold": 0.2, "threshold_mode": "abs", "min_lr": [0.01, 0.0]},
    {"patience": 1, "factor": 0.9, "eps": 0.004, "min_lr": 0.02},
]


def build(module: Any, scheduler: str, optimizer: str = "SGD") -> tuple[Any, Any]:
    """An optimiser of the library `module` with two groups, and the scheduler of this name."""
    groups = [
        {"params": [module.ones(2, requires_grad=True)]},
        {"params": [module.ones(2, requires_grad=True)], "lr": 0.03},
    ]
    made = getattr(module.optim, optimizer)(groups, **OPTIMIZERS[optimizer])
    return made, SCHEDULERS[scheduler](module.optim.lr_scheduler, made)


def compare_schedules(name: str, optimizer: str = "SGD", steps: int = 100) -> float:
    """Groups and state of both engines, step by step; returns the largest relative difference."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Detected call of", UserWarning)  # nested sequences step early
        ours, theirs = build(mini, name, optimizer), build(torch, name, optimizer)
        worst = difference(ours[1].state_dict(), theirs[1].state_dict())
        assert repr(ours[0]) == repr(theirs[0])
        for _ in range(steps - 1 if "OneCycleLR" in name else steps):
            for made, scheduler in (ours, theirs):
                made.step()
                scheduler.step()
            worst = max(worst, difference(ours[1].get_last_lr(), theirs[1].get_last_lr()))
            worst = max(worst, difference(_groups(ours[0]), _groups(theirs[0])))
        return max(worst, difference(ours[1].state_dict(), theirs[1].state_dict()))


def _groups(made: Any) -> list[dict[str, Any]]:
    return [{k: v for k, v in group.items() if k != "params"} for group in made.param_groups]


def compare_plateaus(settings: dict[str, Any], steps: int = 100) -> float:
    """As `compare_schedules`, for the scheduler that watches a loss; the loss here falls and is noisy."""
    pair = []
    for module in (mini, torch):
        made, _ = build(module, "StepLR")
        for group in made.param_groups:
            del group["initial_lr"]
        pair.append((made, module.optim.lr_scheduler.ReduceLROnPlateau(made, **settings)))
    generator, worst = np.random.default_rng(0), 0.0
    for step in range(steps):
        metric = float(1 + np.exp(-step / 10) + 0.2 * generator.normal())
        pair[0][1].step(mini.from_numpy(np.array(metric)))
        pair[1][1].step(metric)
        worst = max(worst, difference(pair[0][1].state_dict(), pair[1][1].state_dict()))
        worst = max(worst, difference(_groups(pair[0][0]), _groups(pair[1][0])))
    return worst


def difference(ours: Any, theirs: Any) -> float:
    """The largest relative difference of two floats in the same places; all else must be equal."""
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        return max((difference(ours[key], theirs[key]) for key in theirs), default=0.0)
    if isinstance(theirs, (list, tuple)):
        assert type(ours) is type(theirs)
        return max((difference(a, b) for a, b in zip(ours, theirs, strict=True)), default=0.0)
    if isinstance(theirs, float) and isinstance(ours, float):
        return 0.0 if ours == theirs else abs(ours - theirs) / max(abs(theirs), 1e-3)
    assert ours == theirs
    return 0.0
