"""Running the programs: the data they find, and a process for each side."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from ..vision.datasets.cifar_fixtures import meta, pickled
from .catalogue import Program
from .comparing import Run, read_run
from .driver import PICTURES

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent


def write_data(folder: Path, cifar: Path | None) -> None:
    """A small CIFAR-10 in the official layout: the first pictures of the real one, or of `Shapes10`."""
    target = folder / "cifar-10-batches-py"
    target.mkdir(parents=True)
    for name, title, train in (
        ("data_batch_1", b"training batch 1 of 5", True),
        ("test_batch", b"testing batch 1 of 1", False),
    ):
        count = PICTURES[name]
        if cifar is not None:
            records = np.fromfile(cifar / "cifar-10-batches-bin" / f"{name}.bin", np.uint8, count * 3073)
            pixels, labels = records.reshape(count, 3073)[:, 1:], records[::3073]
        else:
            from minitorch_cifar.vision.datasets import Shapes10

            shapes = Shapes10(train=train)
            pixels = shapes.data[:count].transpose(0, 3, 1, 2).reshape(count, 3072)
            labels = np.array(shapes.targets[:count])
        (target / name).write_bytes(pickled(np.ascontiguousarray(pixels), labels.tolist(), title))
    (target / "batches.meta").write_bytes(meta())


def run_programs(programs: list[Program], side: str, data: Path, results: Path) -> dict[str, Run]:
    """Run the programs on one side, "torch" or "engine", in one new process; by name, what came of each."""
    results.mkdir(parents=True)
    arguments = [str(data), str(results), *(f"{program.precision}:{program.path}" for program in programs)]
    done = subprocess.run(
        [sys.executable, str(HERE / "driver.py"), side, *arguments],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the {side} side stopped with status {done.returncode}:\n{done.stderr}")
    return {program.name: read_run(results, program.name) for program in programs}
