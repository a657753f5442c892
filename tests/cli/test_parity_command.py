"""`minitorch-cifar parity`: tables, curves, verdict, exit status; networks and batches of one's own."""

from __future__ import annotations

import builtins
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from minitorch_cifar import models, ops
from minitorch_cifar.cli import parity_report
from minitorch_cifar.cli.parity import function_batches
from minitorch_cifar.testing.lockstep import Failure
from minitorch_cifar.testing.taps import Place

from .conftest import Command

SHORT = ("parity", "--steps", "2", "--limit", "20")

NETWORK = """
import {library}
import {library}.nn as nn
import {library}.nn.functional as F

class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 5, stride=4)
        self.drop = nn.Dropout(0.5)
        self.out = nn.Linear(4 * 7 * 7, classes)

    def forward(self, x):
        x = F.gelu(self.conv(x)) + {library}.zeros(1)
        return self.out(self.drop({library}.flatten(x, 1)))

def make_network():
    return Net()

def make_small():
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))

def make_batch():
    return {library}.randn(6, 5), {library}.randint(0, 3, (6,))
"""


@pytest.mark.parametrize("model", ["lenet", "quick", "bn"])
def test_the_built_in_networks(command: Command, model: str, tmp_path: Path) -> None:
    result = command(*SHORT, "--model", model, "--batch-size", "4", "--json", "report.json")
    assert result.status == 0, result.output + result.errors
    assert result.output.startswith(f"{model} on shapes10: 2 steps at batch 4 in float32, PyTorch on cpu")
    assert "\nPARITY: " in result.output
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["holds"] is True
    assert report["first_failure"] is None
    assert report["settings"]["network"] == model
    assert len(report["losses"]["minitorch_cifar"]) == len(report["losses"]["torch"]) == 2
    # Each layer, parameter and buffer that the file knows has its row, with the numbers of the file.
    lines = {line[: line.find("  ")]: line for line in result.output.splitlines() if "%" in line}
    rows = {(p["layer"], p["quantity"]): p for p in report["places"]}
    for (layer, quantity), place in rows.items():
        if quantity in ("output", "gradient by input", "gradient", "after the step") and layer != "pictures":
            assert parity_report.number(place["absolute"]) in lines[layer]
            assert place["inside"]
    names = set(models.NETWORKS[model]().state_dict())
    assert names <= set(lines)
    assert {"loss", "(between layers)"} <= set(lines)


def test_float64_and_the_loss_curves(command: Command) -> None:
    result = command(*SHORT, "--steps", "25", "--dtype", "float64")
    assert result.status == 0, result.output + result.errors
    curve = re.findall(r"^ *(\d+)  +(\d\.\d{6})  +(\d\.\d{6})  +(\S+)$", result.output, re.MULTILINE)
    steps = [int(row[0]) for row in curve]
    assert (steps[0], steps[-1], len(steps)) == (1, 25, 10)
    assert steps == sorted(set(steps))
    for _, mine, theirs, difference in curve:
        assert mine == theirs
        assert float(difference) < 1e-12


def test_the_seed_decides_and_is_repeated(command: Command) -> None:
    outputs = [command(*SHORT, "--steps", "1", "--seed", seed).output for seed in (3, 3, 4)]
    assert outputs[0] == outputs[1] != outputs[2]


@pytest.mark.parametrize("library", ["torch", "minitorch_cifar"])
def test_a_network_of_ones_own(command: Command, tmp_path: Path, library: str) -> None:
    (tmp_path / "mine.py").write_text(NETWORK.format(library=library))
    result = command(*SHORT, "--network", "mine.py:make_network", "--dtype", "float64")
    assert result.status == 0, result.output + result.errors
    assert "mine.py:make_network on shapes10: 2 steps at batch 4 in float64" in result.output
    for row in ("conv", "drop", "out", "conv.weight", "out.bias"):
        assert f"\n{row}  " in result.output
    result = command(
        "parity", "--steps", "3", "--network", "mine.py:make_small", "--data", "mine.py:make_batch"
    )
    assert result.status == 0, result.output + result.errors

    # Each step has a batch of its own, and the seed decides which.
    def drawn(seed: int) -> list[bytes]:
        return [images.tobytes() for images, _ in function_batches(f"{tmp_path}/mine.py:make_batch", 3, seed)]

    assert len(set(drawn(0))) == 3
    assert drawn(0) == drawn(0) != drawn(1)


def test_a_broken_rule_is_status_1_and_named(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    right = ops.pool.MaxPool2d.backward
    monkeypatch.setattr(
        ops.pool.MaxPool2d, "backward", staticmethod(lambda ctx, *grads: right(ctx, *grads).dense() * 0.5)
    )
    result = command(*SHORT, "--json", tmp_path / "report.json")
    assert (result.status, result.errors) == (1, "")
    last = result.output.splitlines()[-1]
    assert last.startswith(
        "NO PARITY: the first to leave the tolerance (2 rows in all leave it) is pool #2, "
    )
    assert "gradient by input, in step 1" in last
    marked = [line.split("  ")[0] for line in result.output.splitlines() if "<- leaves" in line]
    assert marked == ["pool", "pool #2"]
    failure = json.loads((tmp_path / "report.json").read_text())["first_failure"]
    assert (failure["layer"], failure["quantity"], failure["step"]) == ("pool #2", "gradient by input", 1)


def test_trainings_that_part_are_status_1(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from minitorch_cifar.testing import lockstep

    monkeypatch.setattr(lockstep, "_judge_free_pair", lambda found: "the losses are apart")
    result = command(*SHORT, "--steps", "1")
    assert result.status == 1
    assert "the two trainings part: the losses are apart" in result.output


OWN = ("parity", "--steps", "1", "--limit", "8", "--network")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["parity", "--model", "resnet"], "resnet"),
        (["parity", "--steps", "0"], "--steps"),
        (["parity", "--batch-size", "-1"], "--batch-size"),
        (["parity", "--limit", "0"], "--limit"),
        (["parity", "--seed", "-1"], "--seed"),
        (["parity", "--dtype", "float16"], "float16"),
        (["parity", "--data", "nowhere"], "nowhere"),
        (["parity", "--model", "bn", "--network", "mine.py:make_network"], "--network exclude each other"),
        ([*OWN, "mine.py"], "FILE.py:FUNCTION"),
        ([*OWN, "gone.py:make_network"], "there is no file gone.py"),
        ([*OWN, "mine.py:make_nothing"], "has no function make_nothing; it has"),
        ([*OWN, "broken.py:make_network"], "ZeroDivisionError: division by zero (line 2)"),
        ([*OWN, "mine.py:make_small"], "PyTorch cannot train the network: RuntimeError"),
        ([*OWN, "broken.py:too_few"], "ZeroDivisionError"),
        ([*OWN, "odd.py:too_few"], "PyTorch cannot train the network: IndexError: Target"),
        ([*OWN, "odd.py:no_network"], "it returned str, not a minitorch_cifar nn.Module"),
        ([*OWN, "odd.py:unequal"], "the networks differ: bias is missing in minitorch_cifar"),
        ([*OWN, "odd.py:fails"], "minitorch_cifar cannot make the network: KeyError: 'no'"),
        (["parity", "--data", "odd.py:no_network"], "odd.py:no_network did not return a batch"),
        (["parity", "--data", "odd.py:labels"], "inputs of floats and whole class numbers"),
        (["parity", "--data", "odd.py:labels", "--limit", "3"], "leave them out"),
        (["parity", "--steps", "1", "--limit", "8", "--json", "no/such/report.json"], "no/such/report.json"),
    ],
)
def test_mistakes_are_one_line_and_status_2(
    command: Command, tmp_path: Path, arguments: list[str], named: str
) -> None:
    (tmp_path / "mine.py").write_text(NETWORK.format(library="torch"))
    (tmp_path / "broken.py").write_text("import torch\nx = 1 / 0\n")
    (tmp_path / "odd.py").write_text(
        "import torch\nfrom torch import nn\n"
        "def too_few(): return nn.Sequential(nn.Flatten(), nn.Linear(3072, 2))\n"
        "def no_network(): return 'net'\n"
        "def unequal(): return nn.Linear(32, 10, bias=torch.__name__ == 'torch')\n"
        "def fails(): raise KeyError('no')\n"
        "def labels(): return torch.ones(2, 3), torch.ones(2)\n"
    )
    result = command(*arguments)
    assert (result.status, result.output) == (2, "")
    assert result.errors.count("\n") == 1
    assert named in result.errors


def test_a_gpu_that_is_not_there(command: Command) -> None:
    if torch.cuda.is_available():
        pytest.skip("PyTorch sees a GPU here")
    result = command(*SHORT, "--device", "cuda")
    assert (result.status, result.output) == (2, "")
    assert "PyTorch sees no GPU" in result.errors


def test_without_pytorch_it_says_what_to_install(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'")
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    result = command(*SHORT)
    assert (result.status, result.output) == (2, "")
    assert result.errors.count("\n") == 1
    assert "pip install 'minitorch-cifar[reference]'" in result.errors


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("columns", "ruled"), [("140", True), ("70", False)])
def test_a_terminal_gets_ruled_tables_when_it_is_wide_enough(
    columns: str, ruled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("TERM", "xterm")
    found = _found()
    settings = {"network": "lenet", "data": "shapes10", "batch_size": 4, "device": "cpu", "seed": 0}
    terminal = Terminal()
    parity_report.print_report(found, settings, terminal)
    text = terminal.getvalue()
    assert ("│" in text) == ruled
    for word in ("conv1", "pool #2", "fc3.bias", "minitorch_cifar", "NO PARITY", "fc1.weight, gradient"):
        assert word in text
    with parity_report.Progress(terminal, 3) as progress:
        progress.step(found)
    assert "steps" in terminal.getvalue().removeprefix(text)


def _found() -> Any:
    from minitorch_cifar.testing.lockstep import run_lockstep
    from reference import networks

    batch = torch.randn(2, 3, 32, 32).numpy(), torch.tensor([1, 2]).numpy()
    found = run_lockstep(models.lenet, networks.lenet, [batch])
    found.failure = Failure(1, Place("fc1.weight", "gradient"), "is off")
    return found
