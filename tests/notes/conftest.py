"""The programs run before the first of their tests: all that are asked for, in one process per side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ..real_cifar10 import cifar10_folder
from .catalogue import PROGRAMS, Program
from .comparing import Run
from .running import run_programs, write_data

collect_ignore_glob = ["programs/*"]  # they are run, not imported

Pair = tuple[Run, Run]


@pytest.fixture(scope="session")
def notes_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the small CIFAR-10."""
    folder = tmp_path_factory.mktemp("data")
    write_data(folder, cifar10_folder())
    return folder


@pytest.fixture(scope="session")
def both_runs(
    request: pytest.FixtureRequest, notes_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Program], Pair]:
    """From a program to its runs on the engine and on PyTorch.

    The first question runs all programs that this session asks for: importing PyTorch takes longer than most.
    """
    asked = {
        item.callspec.params.get("program") for item in request.session.items if hasattr(item, "callspec")
    }
    runs: dict[str, dict[str, Run]] = {}

    def pair(program: Program) -> Pair:
        if not runs:
            batch = [other for other in PROGRAMS if other in asked]
            folder = tmp_path_factory.mktemp("runs")
            for side in ("engine", "torch"):
                runs[side] = run_programs(batch, side, notes_data, folder / side)
        return runs["engine"][program.name], runs["torch"][program.name]

    return pair
