"""The folder of a run: `config.json`, `metrics.jsonl` and `checkpoint.pth`.

Each file is written whole beside its place and then moved there, so that a run killed at any moment leaves
the previous one. `metrics.jsonl` has a line per epoch; it is written before the checkpoint, and a resumed run
drops lines of epochs that the checkpoint does not know, so that every epoch stands there once.

A folder without a checkpoint holds nothing that can be lost: a new run may start there. While a run lives it
holds its folder, so that no other writes into it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..serialization.whole_file import whole_file
from .errors import UserError
from .settings import Settings

try:
    import fcntl
except ImportError:  # Windows: runs are not kept apart there
    fcntl = None  # type: ignore[assignment]

__all__ = ["CHECKPOINT", "CONFIG", "METRICS", "RunFolder", "choose_folder", "folder_to_resume"]

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

    def has_checkpoint(self) -> bool:
        """Whether there is something to go on with, and to lose."""
        return self.checkpoint.exists()

    def has_config(self) -> bool:
        """Whether a run was at least begun here."""
        return (self.path / CONFIG).exists()

    def refuse_what_is_there(self) -> None:
        """UserError when a new run would overwrite another, or files that are no run's."""
        if self.has_checkpoint():
            raise UserError(
                f"{self} already holds a run; add --resume to go on with it, or choose another folder "
                "with --run"
            )
        try:
            begun = self.read_config() is not None
        except UserError as error:
            raise UserError(f"{error}; choose another folder with --run") from error
        if not begun and (self.path / METRICS).exists():
            raise UserError(
                f"{self} holds a {METRICS} that belongs to no run; choose another folder with --run"
            )
        with self.held(create=False):
            pass

    def is_free(self) -> bool:
        """Whether a new run may start here."""
        try:
            self.refuse_what_is_there()
        except UserError:
            return False
        return True

    @contextmanager
    def held(self, create: bool = True) -> Iterator[None]:
        """Keeps other runs out of the folder while the block runs; the system lets go when the process ends.

        UserError when another run holds it, or when it cannot be made.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"--run {self.path} is a file; give the name of a folder")
        try:
            if create:
                self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDONLY) if fcntl and self.path.is_dir() else None
        except OSError as error:
            raise self.unwritable(error) from error
        try:
            if descriptor is not None:
                self._lock(descriptor)
            yield
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                f"another run is writing into {self} right now; wait for its end, or choose another folder "
                "with --run"
            ) from error
        except OSError:  # some network file systems have no locks; the run itself does not need one
            pass

    def unwritable(self, error: OSError) -> UserError:
        """What to raise when a file of the run could not be written."""
        return UserError(f"cannot write into the run folder {self.path}: {error.strerror}")

    def write_config(self, settings: Settings, engine: str = "minitorch") -> None:
        """Makes the folder and writes down what will be trained; UserError when that is impossible."""
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"--run {self.path} is a file; give the name of a folder")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._write(CONFIG, json.dumps({**settings.as_dict(), "engine": engine}, indent=2) + "\n")
        except OSError as error:
            raise self.unwritable(error) from error

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

    def drop_metrics(self) -> None:
        """Removes the lines of a run that was killed before it had a checkpoint."""
        try:
            (self.path / METRICS).unlink(missing_ok=True)
        except OSError as error:
            raise self.unwritable(error) from error

    def _write(self, name: str, text: str) -> None:
        with whole_file(self.path / name) as file:
            file.write(text.encode())


def choose_folder(settings: Settings, given: str | None) -> RunFolder:
    """The folder of a new run: the one given, or `runs/MODEL-DATA`, numbered until it is free.

    Raises:
        UserError: the folder given holds a run already, or files that are no run's.
    """
    if given is not None:
        folder = RunFolder(given)
        folder.refuse_what_is_there()
        return folder
    return next(folder for folder in _numbered(settings) if folder.is_free())


def folder_to_resume(settings: Settings, given: str | None) -> RunFolder:
    """The folder of the run to go on with: the one given, or the last `runs/MODEL-DATA` with a checkpoint.

    It may be one that was begun and has no checkpoint yet.

    Raises:
        UserError: there is no such run.
    """
    if given is not None:
        folder = RunFolder(given)
        if folder.has_checkpoint() or folder.has_config():
            return folder
        what = "holds no run" if folder.path.is_dir() else "is no folder"
        raise UserError(f"nothing to resume: {folder} {what}; leave --resume out to start one there")
    begun = []
    for folder in _numbered(settings):
        if not (folder.has_checkpoint() or folder.has_config()):
            break
        begun.append(folder)
    if not begun:
        raise UserError(
            f"nothing to resume: there is no run in {folder}; name its folder with --run, or leave --resume "
            "out to start one"
        )
    return ([one for one in begun if one.has_checkpoint()] or begun)[-1]


def _numbered(settings: Settings) -> Iterator[RunFolder]:
    """`runs/MODEL-DATA`, `runs/MODEL-DATA-2`, `runs/MODEL-DATA-3`, ..."""
    name = f"{settings.model}-{settings.data_name}"
    yield RunFolder(RUNS / name)
    number = 2
    while True:
        yield RunFolder(RUNS / f"{name}-{number}")
        number += 1
