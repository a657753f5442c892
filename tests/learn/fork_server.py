"""`python -m tests.learn.fork_server`: starts `minitorch-cifar` again and again without importing it each
time.

For each line of JSON on stdin, {"arguments": [...], "folder": ..., "log": ...}, it forks a process that runs
the command in the folder and writes into the log. It answers with the number of the process, and with the
number's wait status when the process has ended.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import sys
import tempfile
from typing import Any

from minitorch_cifar.cli import main
from minitorch_cifar.models import NETWORKS
from minitorch_cifar.vision.datasets import shapes10


def become(command: dict[str, Any]) -> None:
    """Runs the command in this process, which ends with it."""
    log = os.open(command["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for number in (1, 2):
        os.dup2(log, number)
    os.chdir(command["folder"])
    status = 70
    try:
        status = main(command["arguments"])
        sys.stdout.flush()
    finally:
        os._exit(status)


def warm_up() -> None:
    """Loads the kernels, by a step of each network."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        for model in NETWORKS:
            for size in ("4", "12"):
                few = ["--limit", "24", "--epochs", "1", "--batch-size", size, "--threads", "1", "--augment"]
                main(["train", "--run", f"{folder}/{model}{size}", "--model", model, *few])


def serve() -> None:
    """Answers commands until there are no more."""
    shapes10.draw = functools.cache(shapes10.draw)  # type: ignore[assignment]
    for train in (True, False):
        shapes10.draw(train)
    warm_up()
    while line := sys.stdin.readline():
        command = json.loads(line)
        if not (process := os.fork()):
            become(command)
        os.write(1, f"{process}\n".encode())
        _, status = os.waitpid(process, 0)
        os.write(1, f"{status}\n".encode())


if __name__ == "__main__":
    serve()
