"""Runs lists of hostile calls in processes of their own and says what became of each call."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HANGS_AFTER = 900.0  # seconds without a call ending; the worker limits the CPU time of each itself


@dataclass
class Outcome:
    """What became of the calls: the worker's entries by number, and the calls that ended a process."""

    calls: list[tuple[str, str]]
    entries: dict[int, dict[str, Any]] = field(default_factory=dict)
    deaths: list[str] = field(default_factory=list)  # of the engine
    peer_deaths: list[str] = field(default_factory=list)


def run(calls: list[tuple[str, str]], folder: Path, **environment: str) -> Outcome:
    """Make every call; a process that dies is replaced by one that goes on behind the call."""
    outcome = Outcome(calls)
    listed, log = folder / "calls.json", folder / "log.jsonl"
    listed.write_text(json.dumps(calls), encoding="utf-8")
    start = 0
    while start < len(calls):
        log.write_text("", encoding="utf-8")
        work = folder / "work"
        work.mkdir(exist_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.worker", str(listed), str(start), str(log)],
            cwd=work,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        complaints = process.communicate()[1]
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        outcome.entries.update({line["number"]: line for line in lines if "number" in line})
        last = lines[-1] if lines else {}
        if "done" in last:
            break
        if "begin" in last or "peer" in last:
            number = last.get("begin", last.get("peer"))
            how = f"exit code {process.returncode}: {calls[number][1]}\n{complaints[-1500:]}"
            (outcome.deaths if "begin" in last else outcome.peer_deaths).append(how)
            start = number + 1
        else:
            raise RuntimeError(
                f"the worker failed outside of a call ({process.returncode}): {complaints[-3000:]}"
            )
    return outcome
