"""`Settings`: the networks' defaults, what is refused, and the way through a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from minitorch_cifar.learn.errors import UserError
from minitorch_cifar.learn.settings import DEFAULTS, Settings, make_settings
from minitorch_cifar.models import NETWORKS


def test_each_network_has_the_defaults_of_the_notes() -> None:
    assert set(DEFAULTS) == set(NETWORKS)
    found = {model: (s.batch_size, s.lr, s.momentum) for model in DEFAULTS for s in [make_settings(model)]}
    assert found == {"lenet": (4, 0.001, 0.9), "quick": (64, 0.01, 0.0), "bn": (64, 0.01, 0.9)}


def test_what_is_given_wins_over_the_default() -> None:
    settings = make_settings("quick", epochs=3, batch_size=5, lr=0.5, momentum=0.25, seed=9, limit=7)
    assert settings == Settings("quick", "shapes10", 3, 5, 0.5, 0.25, 9, 7)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"model": "resnet"}, "resnet"),
        ({"epochs": 0}, "--epochs"),
        ({"batch_size": -4}, "--batch-size"),
        ({"limit": 0}, "--limit"),
        ({"lr": 0.0}, "--lr"),
        ({"lr": float("nan")}, "--lr"),
        ({"lr": float("inf")}, "--lr"),
        ({"momentum": 1.0}, "--momentum"),
        ({"momentum": -0.1}, "--momentum"),
        ({"seed": -1}, "--seed"),
        ({"seed": 2**63}, "--seed"),
    ],
)
def test_values_without_sense_are_refused_by_name(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=named) as caught:
        make_settings(**wrong)
    assert "\n" not in str(caught.value)


def test_paths_are_kept_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards a run that cannot be resumed or tested from another working directory."""
    monkeypatch.chdir(tmp_path)
    settings = make_settings(data="pictures/cifar-10-python.tar.gz")
    assert settings.data == str(tmp_path / "pictures" / "cifar-10-python.tar.gz")
    assert settings.data_name == "cifar-10-python"


def test_through_a_dict_and_back() -> None:
    settings = make_settings("bn", lr=0.3, limit=5)
    assert Settings.from_dict({**settings.as_dict(), "more": 1}, "file") == settings
    with pytest.raises(UserError, match=r"file.*lr"):
        Settings.from_dict({k: v for k, v in settings.as_dict().items() if k != "lr"}, "file")
