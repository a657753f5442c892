"""Numbers that go wrong are noticed before they are saved, and named: step, layer, what to do."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch_cifar as mt
from minitorch_cifar.learn.checkpoint import load_checkpoint
from minitorch_cifar.learn.divergence import first_layer_not_finite
from minitorch_cifar.learn.errors import UserError
from minitorch_cifar.learn.run import train
from minitorch_cifar.learn.run_folder import RunFolder
from minitorch_cifar.learn.training import Training

from .conftest import Recorder, small
from .killing import leftovers

NAN, INF = float("nan"), float("inf")


class Breaker(Recorder):
    """A reporter that breaks a number behind a step, as a step whose loss was finite may do."""

    def __init__(self, epoch: int, step: int, damage: Callable[[Training], None], number: int | None = None):
        super().__init__()
        self.when, self.damage, self.number = (epoch, step), damage, number

    def begin(self, training: Training, folder: RunFolder) -> None:
        self.training = training

    def step(self, epoch: int, step: int, loss: float, pictures: int) -> None:
        if (epoch, step) == self.when:
            self.damage(self.training)
            if self.number is not None:
                signal.raise_signal(self.number)


def setting(name: str, value: float) -> Callable[[Training], None]:
    """Puts a number into a weight or a statistic."""

    def damage(training: Training) -> None:
        training.network.state_dict()[name].view(-1)[0] = value

    return damage


def bad_momentum(training: Training) -> None:
    parameter = dict(training.network.named_parameters())["fc1.bias"]
    training.optimizer.state[parameter]["momentum_buffer"][3] = INF


BROKEN: dict[str, tuple[Callable[[Training], None], str]] = {
    "weight": (setting("conv2.weight", NAN), r"first nan in layer conv2 \(Conv2d\), whose weight is nan"),
    "bias": (setting("fc3.bias", INF), r"first inf in layer fc3 \(Linear\), whose bias is inf"),
    "statistic": (
        setting("bn1.running_var", INF),
        r"first inf in layer bn1 \(BatchNorm2d\), whose running_var is inf",
    ),
    "momentum": (bad_momentum, r"first inf in the momentum_buffer of fc1\.bias"),
}


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("number", [None, signal.SIGTERM], ids=["in time", "by a signal"])
def test_a_broken_network_is_not_saved_within_an_epoch(tmp_path: Path, what: str, number: int | None) -> None:
    """Guards the last good checkpoint: the loss of a step is that of the weights before it."""
    damage, named = BROKEN[what]
    folder = RunFolder(tmp_path)
    with pytest.raises(UserError) as caught:
        train(small(model="bn"), folder, Breaker(2, 2, damage, number), save_every=1)
    said = rf"the network broke in epoch 2, step 2 \({named}\): .*too high; start again with --lr 0\.001"
    assert re.fullmatch(said, str(caught.value))
    assert caught.value.__notes__ == [f"({folder} keeps the network after epoch 2, step 1)"]
    assert load_checkpoint(tmp_path).place == "epoch 2, step 1"
    assert all(np.isfinite(value.numpy()).all() for value in load_checkpoint(tmp_path).model.values())
    assert leftovers(tmp_path) == []


def test_a_broken_weight_that_the_test_does_not_see_is_not_saved(tmp_path: Path) -> None:
    """ReLU makes 0 of minus infinity, so that all losses are finite."""
    folder, damage = RunFolder(tmp_path), setting("conv1.bias", -INF)
    with pytest.raises(
        UserError, match=r"broke in epoch 2 \(first inf in layer conv1 \(Conv2d\), whose bias"
    ):
        train(small(), folder, Breaker(2, 3, damage))
    assert load_checkpoint(tmp_path).place == "epoch 1"
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("model", "lr"), [("lenet", 1e4), ("lenet", 1e30), ("quick", 30.0), ("quick", 1e4), ("bn", 1e30)]
)
def test_what_is_kept_of_a_run_that_blows_up_is_finite(tmp_path: Path, model: str, lr: float) -> None:
    folder = RunFolder(tmp_path)
    said = r"(became (nan|inf)|broke) (in|after) epoch \d+, step \d+ \(first .* layer .*\): .*--lr 0\.0\d+\b"
    with pytest.raises(UserError, match=said) as caught:
        train(small(model=model, lr=lr, momentum=0.9, epochs=20), folder, Recorder(), save_every=1)
    kept = load_checkpoint(tmp_path) if folder.has_checkpoint() else None
    notes = [f"({folder} keeps the network after {kept.place})"] if kept else []
    assert getattr(caught.value, "__notes__", []) == notes
    if kept is not None:
        for name, value in kept.model.items():
            assert np.isfinite(value.numpy()).all(), name


def test_a_layer_that_overflows_is_named_by_its_output() -> None:
    training = Training(small())
    weight: Any = training.network.state_dict()["conv2.weight"]
    weight.fill_(1e38)
    images = next(iter(training.loader))[0]
    assert first_layer_not_finite(training.network, images) in (
        "first inf in the output of layer conv2 (Conv2d)",
        "first nan in the output of layer conv2 (Conv2d)",
    )
    with mt.no_grad():  # the layers before it are right
        before = training.network.pool(training.network.conv1(images).relu())
        assert np.isfinite(before.numpy()).all()
        assert not np.isfinite(training.network.conv2(before).numpy()).all()


def test_pictures_that_are_no_numbers_are_named_themselves() -> None:
    network = mt.nn.Linear(2, 2)
    assert first_layer_not_finite(network, mt.full((1, 2), NAN)) == "the pictures themselves hold nan"
