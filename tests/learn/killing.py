"""Processes of `minitorch-cifar train` that are killed at chosen moments, and what they leave behind."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

import minitorch_cifar as mt

ROOT = Path(__file__).parents[2]
PATIENCE = 300.0  # seconds for a process on a machine that is busy


class Process(Protocol):
    """A command that runs."""

    pid: int

    def ended(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""


class Plain:
    """A command in a Python of its own."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        with open(folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "minitorch_cifar", *arguments],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.pid = self.process.pid

    def ended(self) -> int | None:
        return self.process.poll()


class Forked:
    """A command in a fork of the fork server."""

    def __init__(self, server: Server, arguments: list[str], folder: Path) -> None:
        self.server = server
        self.pid = server.ask({"arguments": arguments, "folder": str(folder), "log": str(folder / "log")})
        self.status: int | None = None

    def ended(self) -> int | None:
        if self.status is None and (answer := self.server.answer(wait=False)) is not None:
            self.status = os.waitstatus_to_exitcode(answer)
        return self.status


class Server:
    """The fork server as a process; a context manager."""

    def __enter__(self) -> Server:
        # Of Numba's ways to have threads, this one alone outlives a fork. There is one thread anyway.
        threads = {"NUMBA_THREADING_LAYER": "workqueue", "NUMBA_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.learn.fork_server"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **threads},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(PATIENCE)

    def __call__(self, arguments: list[str], folder: Path) -> Forked:
        return Forked(self, arguments, folder)

    def ask(self, command: dict[str, Any]) -> int:
        """Has the command started; returns its process number."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        number = self.answer()
        assert number is not None
        return number

    def answer(self, wait: bool = True) -> int | None:
        """The next number from the server; None when there is none yet and it is not waited for."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], PATIENCE if wait else 0)[0]:
            return None
        return int(self.process.stdout.readline())


Start = Callable[[list[str], Path], Process]


class Moment(NamedTuple):
    """When to kill: `delay` seconds after a process began, or after it began to write for the `count`th time,
    or after it wrote a line of metrics.
    """

    kind: str  # "time", "write" or "line"
    delay: float
    count: int

    @classmethod
    def draw(cls, chance: random.Random, life: float) -> Moment:
        """A moment in a process that would live so many seconds."""
        kind = chance.choice(["time", "write", "write", "line"])
        if kind == "time":
            return cls(kind, chance.uniform(0, life), 0)
        return cls(kind, chance.choice([0.0, 0.0, chance.uniform(0, 0.004)]), chance.randint(1, 4))


def kill(process: Process, moment: Moment, run: Path) -> bool:
    """Kills a process with SIGKILL at the moment; False when it ended by itself before."""
    metrics = run / "metrics.jsonl"
    start, seen, line = time.monotonic(), set(leftovers(run)), inode(metrics)
    begun = len(seen)
    while process.ended() is None:
        now = time.monotonic()
        assert now - start < PATIENCE, "the process does not end"
        if moment.kind == "time":
            reached = now - start >= moment.delay
        elif moment.kind == "write":
            seen |= set(leftovers(run))
            reached = len(seen) - begun >= moment.count
        else:
            reached = inode(metrics) not in (None, line)
        if reached:
            time.sleep(moment.delay if moment.kind != "time" else 0)
            os.kill(process.pid, signal.SIGKILL)
            return wait(process) == -signal.SIGKILL
        time.sleep(0.0002)
    return False


def wait(process: Process) -> int:
    """The exit status of a process, when it ends."""
    start = time.monotonic()
    while (status := process.ended()) is None:
        assert time.monotonic() - start < PATIENCE, "the process does not end"
        time.sleep(0.001)
    return status


def leftovers(run: Path) -> list[str]:
    """The temporary files in a run folder."""
    try:
        return [name for name in os.listdir(run) if name.endswith(".part")]
    except FileNotFoundError:
        return []


def inode(path: Path) -> int | None:
    """Which file a name stands for at present."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


@dataclass
class Tally:
    """How many kills there were, and at what."""

    kills: int = 0
    writing: int = 0
    before_checkpoint: int = 0
    kinds: dict[str, int] = field(default_factory=dict)

    def count(self, moment: Moment, run: Path) -> None:
        """Takes a kill down."""
        self.kills += 1
        self.kinds[moment.kind] = self.kinds.get(moment.kind, 0) + 1
        self.writing += bool(leftovers(run))
        self.before_checkpoint += not (run / "checkpoint.pth").exists()

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.writing} of them in the middle of writing a file, "
            f"{self.before_checkpoint} before the first checkpoint"
        )


def content(run: Path) -> dict[str, Any]:
    """All that a finished run has come to, without times."""
    checkpoint = mt.load(run / "checkpoint.pth")
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [untimed(row) for row in checkpoint["metrics"]] == [untimed(row) for row in lines]
    return {**checkpoint, "metrics": [untimed(row) for row in lines]}


def untimed(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("seconds", "images_per_second")}


def assert_same(actual: Any, expected: Any, where: str = "checkpoint") -> None:
    """Both are equal, tensors bit for bit."""
    assert type(actual) is type(expected), where
    if isinstance(expected, dict):
        assert list(actual) == list(expected), where
        for key in expected:
            assert_same(actual[key], expected[key], f"{where}[{key!r}]")
    elif isinstance(expected, (list, tuple)):
        assert len(actual) == len(expected), where
        for i, (a, b) in enumerate(zip(actual, expected, strict=True)):
            assert_same(a, b, f"{where}[{i}]")
    elif isinstance(expected, mt.Tensor):
        a, b = actual.numpy(), expected.numpy()
        assert (a.dtype, a.shape) == (b.dtype, b.shape), where
        np.testing.assert_array_equal(a.view(f"V{a.itemsize}"), b.view(f"V{b.itemsize}"), err_msg=where)
    else:
        assert actual == expected, where
