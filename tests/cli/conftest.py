"""Running the command line, inside this process and as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from minitorch_cifar.cli import main

from ..shapes_once import shapes_once  # noqa: F401 - a fixture

TINY = ("train", "--limit", "30", "--batch-size", "12", "--epochs", "2")


@dataclass
class Result:
    """What a command left behind."""

    status: int
    output: str
    errors: str


Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `minitorch-cifar ARGUMENTS` in an empty working directory, in this process."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: Any) -> Result:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(status, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished tiny run of lenet."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    assert main([*TINY, "--run", str(folder)]) == 0
    return folder


def hear_ctrl_c() -> None:
    """In a new process: take SIGINT as usual, also where the tests themselves were started to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start_process(
    *arguments: Any, folder: Path, module: str = "minitorch_cifar", **options: Any
) -> subprocess.Popen[str]:
    """`python -m MODULE ARGUMENTS` in `folder`, with pipes."""
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdin=subprocess.DEVNULL,
        stdout=options.pop("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_ctrl_c,
        **options,
    )
