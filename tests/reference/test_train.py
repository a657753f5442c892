"""The reference's training program: the engine's options, lines and files, and the same learning."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from minitorch_cifar.cli import build_parser, main
from minitorch_cifar.learn.checkpoint import load_checkpoint
from minitorch_cifar.learn.data import open_pictures
from minitorch_cifar.learn.settings import DEFAULTS
from minitorch_cifar.models import Normalization
from reference import data as reference_data
from reference import train as reference

TINY = ["--limit", "40", "--batch-size", "12", "--epochs", "2", "--lr", "0.01"]


def options_of(parser: argparse.ArgumentParser) -> dict[str, Any]:
    return {
        name: (action.dest, action.default, action.type, tuple(action.choices or ()))
        for action in parser._actions
        for name in action.option_strings
    }


def engine_parser() -> argparse.ArgumentParser:
    commands = next(a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction))
    parser: argparse.ArgumentParser = commands.choices["train"]
    return parser


def test_options_and_defaults_are_the_engines() -> None:
    ours, theirs = options_of(engine_parser()), options_of(reference.build_parser())
    assert set(theirs) - set(ours) == {"--device", "--fast"}
    assert set(ours) - set(theirs) == {"--engine", "--save-every", "--deterministic"}
    for name in set(ours) & set(theirs):
        if name == "--model":
            assert sorted(ours[name][3]) == sorted(theirs[name][3])
        else:
            assert ours[name] == theirs[name], name
    assert reference.DEFAULTS == DEFAULTS


@pytest.fixture(params=[["lenet"], ["bn", "--augment", "--schedule", "cosine"]], ids=" ".join)
def pair(request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """The same small run on both sides: their folders and what they printed."""
    printed = {}
    for side, run in (("ours", lambda a: main(["train", *a])), ("theirs", reference.main)):
        capsys.readouterr()
        assert run([*TINY, "--model", *request.param, "--run", str(tmp_path / side)]) == 0
        printed[side] = capsys.readouterr().out
    return tmp_path / "ours", tmp_path / "theirs", printed


def test_lines_files_and_numbers_agree(pair: Any) -> None:
    ours, theirs, printed = pair

    def masked(text: str) -> str:
        return re.sub(r"/\S*/(ours|theirs)", "RUN", re.sub(r"[\d,]+ images/s", "SPEED", text))

    shapes = [re.sub(r"\d\.\d{3}", "LOSS", masked(printed[side])) for side in ("ours", "theirs")]
    assert shapes[0] == shapes[1]
    assert sorted(p.name for p in ours.iterdir()) == sorted(p.name for p in theirs.iterdir())
    mine, other = (json.loads((folder / "config.json").read_text()) for folder in (ours, theirs))
    assert mine == {**other, "engine": "minitorch", "deterministic": False}
    assert other["engine"] == "torch"
    for mine, other in zip(*(metrics(folder) for folder in (ours, theirs)), strict=True):
        assert list(mine) == list(other)
        # The same seed, the same weights, the same batches: only rounding differs.
        for name in ("epoch", "train_loss", "test_loss", "test_accuracy"):
            assert mine[name] == pytest.approx(other[name], rel=1e-3), name


def metrics(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_checkpoints_open_on_the_other_side(pair: Any) -> None:
    ours, theirs, _ = pair
    ours_here, theirs_here = load_checkpoint(ours), load_checkpoint(theirs)
    for (name, a), b in zip(ours_here.model.items(), theirs_here.model.values(), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-4, err_msg=name)
    contents = [torch.load(folder / "checkpoint.pth", weights_only=True) for folder in (ours, theirs)]
    assert set(contents[0]) - set(contents[1]) == {"other_random_states", "running"}
    assert set(contents[1]) <= set(contents[0])
    assert contents[0]["classes"] == contents[1]["classes"]


def hand_over(folder: Path, engine: str) -> None:
    """Makes a run look like one that `engine` started."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "engine": engine}))
    content = torch.load(folder / "checkpoint.pth", weights_only=True)
    torch.save({**content, "engine": engine}, folder / "checkpoint.pth")


def test_a_run_of_one_side_could_go_on_on_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The states mean the same on both sides; but a run of two engines is refused unless it is forged."""
    more = ["--resume", "--epochs", "3"]
    a, b = tmp_path / "a", tmp_path / "b"
    assert main(["train", *TINY, "--run", str(a)]) == 0
    assert reference.main(["--run", str(a), *more]) == 2
    assert "was not started in PyTorch" in capsys.readouterr().err
    hand_over(a, "torch")
    assert reference.main(["--run", str(a), *more]) == 0
    assert reference.main([*TINY, "--run", str(b)]) == 0
    assert main(["train", "--run", str(b), *more]) == 2
    assert "was started with --engine torch" in capsys.readouterr().err
    hand_over(b, "minitorch")
    assert main(["train", "--run", str(b), *more]) == 0
    for a, b in zip(metrics(tmp_path / "a"), metrics(tmp_path / "b"), strict=True):
        assert a["epoch"] == b["epoch"]
        assert a["train_loss"] == pytest.approx(b["train_loss"], rel=1e-3)
    assert len(metrics(tmp_path / "a")) == 3


def test_a_resumed_run_ends_like_one_that_was_never_stopped(tmp_path: Path) -> None:
    arguments = ["--limit", "40", "--batch-size", "12"]
    assert reference.main([*arguments, "--epochs", "2", "--run", str(tmp_path / "whole")]) == 0
    assert reference.main([*arguments, "--epochs", "1", "--run", str(tmp_path / "parts")]) == 0
    assert reference.main(["--resume", "--epochs", "2", "--run", str(tmp_path / "parts")]) == 0
    whole, parts = (
        torch.load(tmp_path / name / "checkpoint.pth", weights_only=True)["model"]
        for name in ("whole", "parts")
    )
    for name in whole:
        assert torch.equal(whole[name], parts[name]), name


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--model", "resnet"], "resnet"),
        (["--epochs", "0"], "--epochs"),
        (["--data", "nowhere"], "nowhere"),
        (["--fast", "--device", "cpu"], "--fast needs a GPU"),
        (["--lr", "1e9", "--limit", "40"], "learning rate is too high"),
    ],
)
def test_mistakes_are_one_line_and_status_2(
    arguments: list[str],
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert reference.main(arguments) == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert named in errors


def test_asking_for_a_gpu_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if torch.cuda.is_available():
        pytest.skip("PyTorch sees a GPU here")
    assert reference.main(["--device", "cuda", "--run", str(tmp_path / "run")]) == 2
    assert "no GPU" in capsys.readouterr().err


@pytest.mark.gpu
@pytest.mark.parametrize("options", [[], ["--fast"]], ids=["float32", "fast"])
def test_on_a_gpu(tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    if not torch.cuda.is_available():
        pytest.skip("PyTorch sees no GPU here")
    arguments = ["--model", "bn", "--limit", "1000", "--epochs", "2"]
    assert reference.main([*arguments, "--device", "cpu", "--run", str(tmp_path / "cpu")]) == 0
    assert reference.main([*arguments, "--device", "cuda", *options, "--run", str(tmp_path / "gpu")]) == 0
    assert ("bfloat16" in capsys.readouterr().out) == bool(options)
    tolerance = 0.1 if options else 0.01
    for cpu, gpu in zip(metrics(tmp_path / "cpu"), metrics(tmp_path / "gpu"), strict=True):
        assert gpu["train_loss"] == pytest.approx(cpu["train_loss"], rel=tolerance)


@pytest.mark.real_data
@pytest.mark.parametrize("train", [True, False], ids=["train", "test"])
def test_both_sides_read_the_same_pictures(cifar_root: Path, train: bool) -> None:
    ours = open_pictures(str(cifar_root), train, Normalization())
    theirs, classes = reference_data.open_pictures(str(cifar_root), train)
    assert (len(ours), list(ours.classes)) == (len(theirs), classes)
    for i in np.random.default_rng(0).integers(0, len(theirs), 50).tolist():
        picture, label = ours.dataset[i]
        other, other_label = theirs[i]
        assert label == other_label
        np.testing.assert_array_equal(picture.numpy(), other.numpy())
