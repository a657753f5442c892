"""Schedulers against PyTorch: learning rates over 100 epochs, resuming, state dicts, warnings and errors."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch

import minitorch_cifar as mini

from .schedules import OPTIMIZERS, PLATEAU, SCHEDULERS, build, compare_plateaus, compare_schedules, difference


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", SCHEDULERS)
def test_hundred_epochs(name: str, optimizer: str) -> None:
    assert compare_schedules(name, optimizer) <= 1e-12


@pytest.mark.parametrize("name", SCHEDULERS)
def test_resumed_schedule_equals_the_uninterrupted_one(name: str) -> None:
    made, scheduler = build(mini, name)
    rates, resumed = [], []
    for epoch in range(60):
        if epoch == 25:
            saved = copy.deepcopy((made.state_dict(), scheduler.state_dict()))
        made.step()
        scheduler.step()
        rates.append(scheduler.get_last_lr())
    made, scheduler = build(mini, name)
    scheduler.load_state_dict(saved[1])
    made.load_state_dict(saved[0])
    for _ in range(25, 60):
        made.step()
        scheduler.step()
        resumed.append(scheduler.get_last_lr())
    assert resumed == rates[25:]


@pytest.mark.parametrize("settings", PLATEAU)
def test_reduce_on_plateau(settings: dict) -> None:
    assert compare_plateaus(settings) <= 1e-12
    made, _ = build(mini, "StepLR")
    scheduler = mini.optim.lr_scheduler.ReduceLROnPlateau(made, **settings)
    for _ in range(10):
        scheduler.step(1.0)
    saved = scheduler.state_dict()
    made, _ = build(mini, "StepLR")
    other = mini.optim.lr_scheduler.ReduceLROnPlateau(made)
    other.load_state_dict(saved)
    assert other.state_dict() == saved


@pytest.mark.parametrize("multiple", [1, 2, 3])
def test_warm_restarts_at_parts_of_epochs_and_jumps(multiple: int) -> None:
    rates, states = [], []
    for module in (mini, torch):
        made, _ = build(module, "StepLR")
        scheduler = module.optim.lr_scheduler.CosineAnnealingWarmRestarts(made, 4, multiple, 0.001)
        rates.append([])
        for step in (0.25, 0.5, 3.75, 4, 4.5, 11.9, 12, 30, None, None, 2.5, None):
            made.step()
            scheduler.step(step)
            rates[-1].append(scheduler.get_last_lr())
        states.append(scheduler.state_dict())
    assert difference(rates[0], rates[1]) <= 1e-12
    assert difference(states[0], states[1]) <= 1e-12


def optimizer_of(module, **settings):
    return module.optim.SGD([module.ones(1, requires_grad=True)], lr=0.1, **settings)


MISTAKES = {
    "no optimiser": lambda m, s: s.StepLR(3, 2),
    "no optimiser for a plateau": lambda m, s: s.ReduceLROnPlateau(None),
    "no initial lr": lambda m, s: s.StepLR(optimizer_of(m), 2, last_epoch=4),
    "too many lambdas": lambda m, s: s.LambdaLR(optimizer_of(m), [len, len]),
    "no function": lambda m, s: s.MultiplicativeLR(optimizer_of(m), 0.5),
    "constant factor": lambda m, s: s.ConstantLR(optimizer_of(m), 1.5),
    "linear start": lambda m, s: s.LinearLR(optimizer_of(m), 0),
    "linear end": lambda m, s: s.LinearLR(optimizer_of(m), 0.5, 1.5),
    "cycle of unknown length": lambda m, s: s.OneCycleLR(optimizer_of(m), 0.1, epochs=3),
    "cycle of no length": lambda m, s: s.OneCycleLR(optimizer_of(m), 0.1, total_steps=0),
    "cycle of no epochs": lambda m, s: s.OneCycleLR(optimizer_of(m), 0.1, epochs=0, steps_per_epoch=3),
    "cycle of half a step": lambda m, s: s.OneCycleLR(optimizer_of(m), 0.1, epochs=3, steps_per_epoch=0.5),
    "cycle with a bad share": lambda m, s: s.OneCycleLR(optimizer_of(m), 0.1, total_steps=9, pct_start=1.5),
    "cycle of a bad form": lambda m, s: s.OneCycleLR(
        optimizer_of(m), 0.1, total_steps=9, anneal_strategy="sin"
    ),
    "cycle with too many peaks": lambda m, s: s.OneCycleLR(optimizer_of(m), [0.1, 0.2], total_steps=9),
    "cycle without momentum": lambda m, s: s.OneCycleLR(
        m.optim.Adagrad([m.ones(1, requires_grad=True)]), 0.1, total_steps=9
    ),
    "cycle too long": lambda m, s: (lambda c: [c.step() for _ in range(9)])(
        s.OneCycleLR(optimizer_of(m), 0.1, total_steps=5)
    ),
    "restarts of no period": lambda m, s: s.CosineAnnealingWarmRestarts(optimizer_of(m), 0),
    "restarts of half a factor": lambda m, s: s.CosineAnnealingWarmRestarts(optimizer_of(m), 3, 1.5),
    "restarts with a bad floor": lambda m, s: s.CosineAnnealingWarmRestarts(optimizer_of(m), 3, eta_min="0"),
    "restarts in the past": lambda m, s: s.CosineAnnealingWarmRestarts(optimizer_of(m), 3).step(-1),
    "plateau factor": lambda m, s: s.ReduceLROnPlateau(optimizer_of(m), factor=1.0),
    "plateau mode": lambda m, s: s.ReduceLROnPlateau(optimizer_of(m), mode="least"),
    "plateau threshold mode": lambda m, s: s.ReduceLROnPlateau(optimizer_of(m), threshold_mode="part"),
    "plateau floors": lambda m, s: s.ReduceLROnPlateau(optimizer_of(m), min_lr=[0.1, 0.2]),
    "sequence of nothing": lambda m, s: s.SequentialLR(optimizer_of(m), [], []),
    "sequence of no schedulers": lambda m, s: s.SequentialLR(optimizer_of(m), [3], []),
    "milestones": lambda m, s: (lambda o: s.SequentialLR(o, [s.StepLR(o, 2)], [3]))(optimizer_of(m)),
    "plateau in a sequence": lambda m, s: (lambda o: s.SequentialLR(o, [s.ReduceLROnPlateau(o)], []))(
        optimizer_of(m)
    ),
    "another optimiser": lambda m, s: s.SequentialLR(optimizer_of(m), [s.StepLR(optimizer_of(m), 2)], []),
    "chain of nothing": lambda m, s: s.ChainedScheduler([]),
    "chain of two optimisers": lambda m, s: s.ChainedScheduler(
        [s.StepLR(optimizer_of(m), 2), s.StepLR(optimizer_of(m), 2)]
    ),
    "no formula": lambda m, s: s.LRScheduler(optimizer_of(m)),
}


@pytest.mark.filterwarnings("ignore:Detected call")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_get_pytorchs_error(mistake: str) -> None:
    with pytest.raises(Exception) as expected:  # noqa: PT011
        MISTAKES[mistake](torch, torch.optim.lr_scheduler)
    with pytest.raises(expected.type) as caught:
        MISTAKES[mistake](mini, mini.optim.lr_scheduler)
    assert str(caught.value) == str(expected.value)


def step_first(module, scheduler, made):
    scheduler.step()


def override(module, scheduler, made):
    made.step = lambda: None
    scheduler.step()


def ask(module, scheduler, made):
    scheduler.get_lr()


def give_epoch(module, scheduler, made):
    made.step()
    scheduler.step(5)


@pytest.mark.parametrize("action", [step_first, override, ask, give_epoch])
def test_warnings_are_pytorchs(action) -> None:
    caught = []
    for module in (mini, torch):
        made = optimizer_of(module)
        scheduler = module.optim.lr_scheduler.ExponentialLR(made, 0.5)
        with warnings.catch_warnings(record=True) as records:
            warnings.simplefilter("always")
            action(module, scheduler, made)
        caught.append(([(r.category, str(r.message)) for r in records], scheduler.get_last_lr()))
        assert module is torch or records[0].filename == __file__  # the line to mend, not one of the library
    assert caught[0] == caught[1]
    assert len(caught[0][0]) == 1


def test_no_warning_in_the_right_order() -> None:
    made = optimizer_of(mini)
    scheduler = mini.optim.lr_scheduler.StepLR(made, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            made.step()
            scheduler.step()
    assert scheduler.get_last_lr() == pytest.approx([1e-4])


def test_objects_with_call_are_part_of_the_state() -> None:
    class Slope:
        def __init__(self, slope: float) -> None:
            self.slope = slope

        def __call__(self, epoch: int) -> float:
            return 1 - self.slope * epoch

    saved = mini.optim.lr_scheduler.LambdaLR(optimizer_of(mini), Slope(0.25)).state_dict()
    assert saved["lr_lambdas"] == [{"slope": 0.25}]
    other = mini.optim.lr_scheduler.LambdaLR(optimizer_of(mini), Slope(0.5))
    other.load_state_dict(saved)
    other.optimizer.step()
    other.step()
    assert other.get_last_lr() == [0.1 * 0.75]


def test_learning_rate_that_is_a_tensor_stays_the_same_tensor() -> None:
    lr = mini.tensor(0.5)
    made = mini.optim.SGD([mini.ones(1, requires_grad=True)], lr=lr)
    scheduler = mini.optim.lr_scheduler.StepLR(made, 1, gamma=0.5)
    made.step()
    scheduler.step()
    assert made.param_groups[0]["lr"] is lr
    assert lr.item() == 0.25
    assert made.param_groups[0]["initial_lr"].item() == 0.5


def test_chained_schedulers_multiply_after_a_change_by_hand() -> None:
    """Schedulers go on from the present learning rate, not from the initial one."""
    made = optimizer_of(mini)
    scheduler = mini.optim.lr_scheduler.ExponentialLR(made, 0.5)
    made.param_groups[0]["lr"] = 8.0
    made.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [4.0]
