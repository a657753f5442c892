"""Processes that a test starts, under a watchdog: one that hangs shows where it hangs, and is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import minitorch_cifar

FULL = os.environ.get("RELIABILITY") == "full"  # the long versions of the tests
# Before a process counts as hanging: on a busy machine compiling some kernels takes a minute, all ten.
SECONDS = 1800 if FULL else 200
ROOT = Path(minitorch_cifar.__file__).parent.parent


def start(arguments: Sequence[str], **environment: str) -> subprocess.Popen[str]:
    """Python with these arguments, in the repository's root. SIGABRT makes it show what each thread does."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONFAULTHANDLER": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,  # so that its children can be ended with it
    )


def finish(process: subprocess.Popen[str]) -> str:
    """What the process printed. AssertionError when it fails, with what it said; or hangs, with where."""
    try:
        out, err = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        try:
            out, err = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            out, err = "", "and did not answer SIGABRT"
        raise AssertionError(f"hung for {SECONDS} s:\n{out}\n{err}") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, f"ended with {process.returncode}:\n{out}\n{err}"
    return out


def run(arguments: Sequence[str], **environment: str) -> str:
    """What Python with these arguments prints."""
    return finish(start(arguments, **environment))


def run_program(program: str, **environment: str) -> str:
    """What a program, given as text, prints."""
    return run(["-c", textwrap.dedent(program)], **environment)
