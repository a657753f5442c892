"""A training stopped on one side goes on on the other: model, optimizer, schedule and random state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import minitorch_cifar

OPTIMIZERS = {
    "plain SGD": ("SGD", {"lr": 0.1}),
    "SGD": ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-3}),
    "Adam": ("Adam", {"lr": 0.01, "amsgrad": True}),
    "AdamW": ("AdamW", {"lr": 0.01, "weight_decay": 0.1}),
    "RMSprop": ("RMSprop", {"lr": 0.01, "momentum": 0.5, "centered": True}),
    "Adagrad": ("Adagrad", {"lr": 0.05}),
    "Adadelta": ("Adadelta", {"lr": 1.0}),
}
LIBRARIES = {"engine": minitorch_cifar, "PyTorch": torch}


class Training:
    """A small network with batch norm and dropout, two parameter groups and a schedule, in either library."""

    def __init__(self, library: Any, name: str) -> None:
        self.library = library
        nn, optim = library.nn, library.optim
        library.manual_seed(1)
        # No bias before the norm: its gradient would be rounding alone, which Adam and its like blow up.
        layers = [nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3)]
        self.network = nn.Sequential(*layers).double()
        kind, options = OPTIMIZERS[name]
        groups = [
            {"params": list(self.network[0].parameters())},
            {"params": [*self.network[1].parameters(), *self.network[4].parameters()], "lr": 0.02},
        ]
        self.optimizer = getattr(optim, kind)(groups, **options)
        self.schedule = optim.lr_scheduler.StepLR(self.optimizer, step_size=2, gamma=0.5)

    def steps(self, start: int, end: int) -> list[float]:
        losses = []
        for step in range(start, end):
            rng = np.random.default_rng(step)
            images = self.library.from_numpy(rng.normal(size=(5, 6)))
            labels = self.library.from_numpy(rng.integers(0, 3, 5))
            self.optimizer.zero_grad()
            loss = self.library.nn.functional.cross_entropy(self.network(images), labels)
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            losses.append(loss.item())
        return losses

    def save(self, path: Path) -> None:
        checkpoint = {
            "model": self.network.state_dict(),
            "training": {"optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict()},
            "random": [self.library.get_rng_state()],
        }
        self.library.save(checkpoint, path)

    def load(self, path: Path) -> None:
        options = {"weights_only": True} if self.library is torch else {}
        checkpoint = self.library.load(path, **options)
        self.network.load_state_dict(checkpoint["model"])
        self.optimizer.load_state_dict(checkpoint["training"]["optimizer"])
        self.schedule.load_state_dict(checkpoint["training"]["schedule"])
        self.library.set_rng_state(checkpoint["random"][0])

    def state(self) -> dict[str, Any]:
        """All numbers of model and optimizer by name."""
        state = {name: tensor.numpy().copy() for name, tensor in self.network.state_dict().items()}
        for i, entries in self.optimizer.state_dict()["state"].items():
            for name, value in entries.items():
                number = value.detach().numpy() if hasattr(value, "detach") else np.asarray(value)
                state[f"{i} {name}"] = np.array(number)
        state["lr"] = np.array([group["lr"] for group in self.optimizer.param_groups])
        return {name: value for name, value in state.items() if value.dtype != object}


@pytest.mark.parametrize(("begin", "end"), [("engine", "PyTorch"), ("PyTorch", "engine")])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_training_goes_on_on_the_other_side(name: str, begin: str, end: str, tmp_path: Path) -> None:
    first, second = Training(LIBRARIES[begin], name), Training(LIBRARIES[end], name)
    first.steps(0, 3)
    first.save(tmp_path / "checkpoint.pth")
    second.steps(0, 1)  # whatever is there is replaced
    second.load(tmp_path / "checkpoint.pth")
    here, there = first.state(), second.state()
    assert set(here) == set(there)
    for key, value in here.items():
        np.testing.assert_array_equal(there[key], value, err_msg=key)
        assert there[key].dtype == value.dtype, key
    # Batches and dropout's masks go on too, so the losses are those of the training that was not stopped.
    first.load(tmp_path / "checkpoint.pth")  # of the random state, which both libraries' sides have moved
    expected = first.steps(3, 9)
    second.load(tmp_path / "checkpoint.pth")
    np.testing.assert_allclose(second.steps(3, 9), expected, rtol=1e-10)
    here, there = first.state(), second.state()
    for key, value in here.items():
        np.testing.assert_allclose(there[key], value, rtol=1e-8, atol=1e-12, err_msg=key)
