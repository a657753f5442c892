"""The folder of a run: `config.json`, `metrics.jsonl` and `checkpoint.pth`.

Each file is written whole beside its place and then moved there, so that a run killed at any moment leaves
the previous one. `metrics.jsonl` has a line per epoch; it is written before the checkpoint, and a resumed run
drops lines of epochs that the checkpoint does not know, so that every epoch stands there once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..serialization.whole_file import whole_file
from .errors import UserError
from .settings import Settings

__all__ = ["CHECKPOINT", "CONFIG", "METRICS", "RunFolder", "choose_folder"]

CONFIG = "config.json"
METRICS = "metrics.jsonl"
CHECKPOINT = "checkpoint.pth"
RUNS = Path("runs")


class RunFolder:
    """One run's folder, which need not exist yet."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.checkpoint = self.path / CHECKPOINT

    def __str__(self) -> str:
        return str(self.path)

    def holds_a_run(self) -> bool:
        """Whether any of a run's files is there."""
        return any((self.path / name).exists() for name in (CONFIG, METRICS, CHECKPOINT))

    def write_config(self, settings: Settings, **others: Any) -> None:
        """Makes the folder and writes down what will be trained; UserError when that is impossible."""
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"--run {self.path} is a file; give the name of a folder")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._write(CONFIG, json.dumps({**settings.as_dict(), **others}, indent=2) + "\n")
        except OSError as error:
            raise UserError(f"cannot write into the run folder {self.path}: {error.strerror}") from error

    def read_config(self) -> Settings | None:
        """The settings of the run that is there, or None."""
        path = self.path / CONFIG
        if not path.exists():
            return None
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"cannot read {path}: {error}") from error
        if not isinstance(values, dict):
            raise UserError(f"{path} was not written by `minitorch-cifar train`")
        return Settings.from_dict(values, str(path))

    def write_metrics(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Writes one line per epoch."""
        self._write(METRICS, "".join(json.dumps(row) + "\n" for row in rows))

    def _write(self, name: str, text: str) -> None:
        with whole_file(self.path / name) as file:
            file.write(text.encode())


def choose_folder(settings: Settings, given: str | None, resume: bool) -> RunFolder:
    """The folder of a run: the one given, or `runs/MODEL-DATA`.

    A run never overwrites another. Without `given`, a number is added to the name until it is free, and
    `resume` takes the last one that is there.

    Raises:
        UserError: the folder given holds a run already, and `resume` was not asked for.
    """
    if given is not None:
        folder = RunFolder(given)
        if folder.holds_a_run() and not resume:
            raise UserError(
                f"{folder} already holds a run; add --resume to go on with it, or choose another folder "
                "with --run"
            )
        return folder
    name = f"{settings.model}-{settings.data_name}"
    folder = RunFolder(RUNS / name)
    number = 2
    while folder.holds_a_run():
        following = RunFolder(RUNS / f"{name}-{number}")
        if resume and not following.holds_a_run():
            break
        folder = following
        number += 1
    return folder
