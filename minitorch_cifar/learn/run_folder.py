"""The folder of a run: `config.json`, `metrics.jsonl` and `checkpoint.pth`.

Each file is written whole beside its place and then moved there, so that a run killed at any moment leaves
the previous one, and at most a file beside it that the next run removes. When which file is written, `run.py`
says.

A folder without a checkpoint holds nothing that can be lost: a new run may start there. While a run lives it
holds its folder, so that no other writes into it. The system keeps that lock, not a file: it ends with the
process, however that ends, and no process that comes to have the same number can inherit it.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..serialization.restricted_pickle import described
from ..serialization.whole_file import temporary_names, whole_file
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
MAX_CONFIG = 100_000  # bytes


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
        self.refuse_checkpoint()
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

    def refuse_checkpoint(self) -> None:
        """UserError when there is a run that a new one would overwrite."""
        if self.has_checkpoint():
            raise UserError(
                f"{self} already holds a run; add --resume to go on with it, or choose another folder "
                "with --run"
            )

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
        created = create and not self.path.exists()
        try:
            if create:
                self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDONLY) if fcntl and self.path.is_dir() else None
        except OSError as error:
            raise UserError(f"cannot make the run folder {self.path}: {error.strerror}") from error
        try:
            if descriptor is not None:
                self._lock(descriptor)
            yield
        finally:
            if created:  # and nothing came of it
                with suppress(OSError):
                    self.path.rmdir()
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

    @contextmanager
    def writing(self, name: str) -> Iterator[None]:
        """Makes a UserError of whatever keeps the block from writing the file `name`."""
        try:
            if not self.path.is_dir():
                raise FileNotFoundError(errno.ENOENT, "the folder is not there any more")
            yield
        except OSError as error:
            raise UserError(f"cannot write {self.path / name}: {error.strerror}") from error

    def remove_leftovers(self) -> None:
        """Removes what runs that were killed in the middle of writing left; only for who holds the folder."""
        for name in (CONFIG, METRICS, CHECKPOINT):
            for left in self.path.glob(temporary_names(name)):
                with suppress(OSError):  # in the way of nobody
                    left.unlink()

    def write_config(
        self, settings: Settings, engine: str = "minitorch", save_every: int | None = None
    ) -> None:
        """Makes the folder and writes down what will be trained; UserError when that is impossible."""
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"--run {self.path} is a file; give the name of a folder")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot make the run folder {self.path}: {error.strerror}") from error
        values = {**settings.as_dict(), "engine": engine}
        if save_every is not None:
            values["save_every"] = save_every
        self._write(CONFIG, json.dumps(values, indent=2) + "\n")

    def read_config(self) -> Settings | None:
        """The settings of the run that is there, or None."""
        values = self._read_config()
        return None if values is None else Settings.from_dict(values, str(self.path / CONFIG))

    def read_save_every(self) -> int | None:
        """How many steps the run that is there lets pass between checkpoints; None for whole epochs."""
        value = (self._read_config() or {}).get("save_every")
        if value is None or (isinstance(value, int) and value > 0):
            return value
        raise UserError(f"{self.path / CONFIG} is damaged: its save_every is {described(value)}")

    def _read_config(self) -> dict[str, Any] | None:
        path = self.path / CONFIG
        if not path.exists():
            return None
        try:
            if path.stat().st_size > MAX_CONFIG:
                raise UserError(f"{path} was not written by `minitorch-cifar train`: it is too large")
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise UserError(f"cannot read {path}: {error}") from error
        if not isinstance(values, dict):
            raise UserError(f"{path} was not written by `minitorch-cifar train`")
        return values

    def write_metrics(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Writes one line per epoch."""
        self._write(METRICS, lines_of(rows))

    def cut_metrics(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Leaves the lines of these rows and no others, such as one that was written before a kill."""
        path, lines = self.path / METRICS, lines_of(rows)
        with self.writing(METRICS):
            if not lines:
                path.unlink(missing_ok=True)
            elif not self._holds(path, lines.encode()):
                self._write(METRICS, lines)

    @staticmethod
    def _holds(path: Path, content: bytes) -> bool:
        return path.exists() and path.stat().st_size == len(content) and path.read_bytes() == content

    def _write(self, name: str, text: str) -> None:
        with self.writing(name), whole_file(self.path / name) as file:
            file.write(text.encode())


def lines_of(rows: Iterable[Mapping[str, Any]]) -> str:
    """Each row as a line of JSON."""
    return "".join(json.dumps(row) + "\n" for row in rows)


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
            with folder.held(create=False):
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
    last = ([one for one in begun if one.has_checkpoint()] or begun)[-1]
    with last.held(create=False):
        return last


def _numbered(settings: Settings) -> Iterator[RunFolder]:
    """`runs/MODEL-DATA`, `runs/MODEL-DATA-2`, `runs/MODEL-DATA-3`, ..."""
    name = f"{settings.model}-{settings.data_name}"
    yield RunFolder(RUNS / name)
    number = 2
    while True:
        yield RunFolder(RUNS / f"{name}-{number}")
        number += 1
