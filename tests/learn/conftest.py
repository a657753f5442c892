"""Small runs that several tests look at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from minitorch_cifar.learn.run import train
from minitorch_cifar.learn.run_folder import RunFolder
from minitorch_cifar.learn.settings import Settings, make_settings
from minitorch_cifar.learn.training import Training

from ..shapes_once import shapes_once  # noqa: F401 - a fixture


class Recorder:
    """A reporter that remembers what it was told."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []
        self.losses: list[float] = []

    def begin(self, training: Training, folder: RunFolder) -> None:
        self.events.append(("begin", training.epochs_done))

    def step(self, epoch: int, step: int, loss: float, pictures: int) -> None:
        self.events.append(("step", epoch, step, pictures))
        self.losses.append(loss)

    def test(self, epoch: int) -> None:
        self.events.append(("test", epoch))

    def epoch(self, row: Mapping[str, Any]) -> None:
        self.events.append(("epoch", row["epoch"]))


def small(**others: Any) -> Settings:
    """Settings of a run that takes a moment: 30 pictures, two epochs of three steps."""
    return make_settings(**{"epochs": 2, "batch_size": 12, "limit": 30, "lr": 0.01, **others})


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The folder of a finished small run of the network with batch norm."""
    folder = RunFolder(tmp_path_factory.mktemp("finished") / "run")
    train(small(model="bn"), folder, Recorder())
    return folder


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
