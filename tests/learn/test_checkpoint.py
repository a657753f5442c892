"""Checkpoints that cannot be used are refused with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import minitorch_cifar as mt
from minitorch_cifar.learn.checkpoint import load_checkpoint, save_checkpoint
from minitorch_cifar.learn.errors import UserError
from minitorch_cifar.learn.run_folder import RunFolder


def content(finished: RunFolder) -> dict[str, Any]:
    loaded: dict[str, Any] = mt.load(finished.checkpoint)
    return loaded


def without(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}


def test_what_is_saved_is_what_is_loaded(finished: RunFolder, tmp_path: Path) -> None:
    first = load_checkpoint(finished.path)
    save_checkpoint(first, tmp_path / "copy.pth")
    again = load_checkpoint(tmp_path / "copy.pth")
    assert (again.settings, again.classes, again.normalization, again.epoch, again.metrics) == (
        first.settings,
        first.classes,
        first.normalization,
        first.epoch,
        first.metrics,
    )
    assert again.random_state.tolist() == first.random_state.tolist()
    for (name, a), b in zip(first.model.items(), again.model.values(), strict=True):
        assert a.tolist() == b.tolist(), name


def test_the_network_keeps_the_scaling_it_was_trained_with(finished: RunFolder, tmp_path: Path) -> None:
    values = content(finished)
    values["normalization"] = {"mean": [0.1, 0.2, 0.3], "std": [1.0, 2.0, 3.0]}
    mt.save(values, tmp_path / "other.pth")
    network = load_checkpoint(tmp_path / "other.pth").network()
    assert (network.normalization.mean, network.normalization.std) == ((0.1, 0.2, 0.3), (1.0, 2.0, 3.0))
    assert not network.training


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no checkpoint .*gone\.pth"):
        load_checkpoint(tmp_path / "gone.pth")
    with pytest.raises(UserError, match=r"no checkpoint .*checkpoint\.pth"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("junk", [b"", b"hello", b"PK\x03\x04", b"\x80\x02cos\nsystem\n."])
def test_a_file_of_another_kind(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "junk.pth").write_bytes(junk)
    with pytest.raises(UserError, match=r"junk\.pth is not a checkpoint that can be read") as caught:
        load_checkpoint(tmp_path / "junk.pth")
    assert "weights_only" not in str(caught.value)  # advice for programs, not for the command line


def test_a_truncated_checkpoint(finished: RunFolder, tmp_path: Path) -> None:
    whole = finished.checkpoint.read_bytes()
    (tmp_path / "half.pth").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"half\.pth is not a checkpoint that can be read"):
        load_checkpoint(tmp_path / "half.pth")


def test_a_plain_state_dict(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "plain.pth")
    with pytest.raises(UserError, match=r"not a checkpoint of `minitorch-cifar train`"):
        load_checkpoint(tmp_path / "plain.pth")


@pytest.mark.parametrize(
    "name", ["settings", "classes", "normalization", "model", "optimizer", "random_state"]
)
def test_an_incomplete_checkpoint(finished: RunFolder, tmp_path: Path, name: str) -> None:
    mt.save(without(content(finished), name), tmp_path / "part.pth")
    with pytest.raises(UserError, match=f"part.pth is an incomplete checkpoint: it has no entry '{name}'$"):
        load_checkpoint(tmp_path / "part.pth")


@pytest.mark.parametrize(
    "name", ["settings", "classes", "normalization", "model", "optimizer", "epoch", "metrics"]
)
def test_an_entry_of_a_wrong_kind(finished: RunFolder, tmp_path: Path, name: str) -> None:
    mt.save({**content(finished), name: "x"}, tmp_path / "wrong.pth")
    with pytest.raises(UserError, match=f"wrong.pth is a damaged checkpoint: its entry '{name}' is a str"):
        load_checkpoint(tmp_path / "wrong.pth")


def test_normalization_without_its_lists(finished: RunFolder, tmp_path: Path) -> None:
    mt.save({**content(finished), "normalization": {"mean": [0.5] * 3}}, tmp_path / "wrong.pth")
    with pytest.raises(UserError, match="'normalization' has no list 'std'"):
        load_checkpoint(tmp_path / "wrong.pth")


def test_the_weights_of_another_network(finished: RunFolder, tmp_path: Path) -> None:
    values = content(finished)
    values["settings"] = {**values["settings"], "model": "lenet"}
    mt.save(values, tmp_path / "other.pth")
    with pytest.raises(UserError, match=r"(?s)does not hold the weights of the network lenet.*bn1"):
        load_checkpoint(tmp_path / "other.pth")


def test_a_later_version(finished: RunFolder, tmp_path: Path) -> None:
    mt.save({**content(finished), "version": 3}, tmp_path / "later.pth")
    with pytest.raises(UserError, match="version 3; this program reads up to 2"):
        load_checkpoint(tmp_path / "later.pth")
