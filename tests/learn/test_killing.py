"""A run that is killed with SIGKILL, at any moment and any number of times, ends like one that never was.

25 kills by default; `MINITORCH_CIFAR_KILLS=200 pytest -s tests/learn/test_killing.py` takes more.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from .killing import Moment, Plain, Server, Start, Tally, assert_same, content, kill, leftovers, wait

KILLS = int(os.environ.get("MINITORCH_CIFAR_KILLS", "25"))
PLAIN_KILLS = 4  # of them, processes with a Python of their own, which take a second or two to start

COMMON = ["train", "--run", "run", "--epochs", "3", "--limit", "60", "--threads", "1", "--lr", "0.01"]
RUNS = {
    "lenet": [
        "--batch-size",
        "4",
        "--save-every",
        "4",
        "--augment",
        "--schedule",
        "cosine",
        "--workers",
        "2",
    ],
    "bn": ["--batch-size", "12", "--save-every", "2", "--momentum", "0.8", "--workers", "2"],
    "quick": ["--batch-size", "12", "--augment", "--momentum", "0.9"],
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as started:
        yield started


class Unkilled:
    """Runs that nobody kills, one for each network: what they come to, and how long they take."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.content, self.life = {}, {}
        for model, options in RUNS.items():
            home = folder / model
            home.mkdir()
            start = time.monotonic()
            status = wait(server([*COMMON, "--model", model, *options], home))
            self.life[model] = time.monotonic() - start
            assert status == 0, (home / "log").read_text()
            self.content[model] = content(home / "run")


@pytest.fixture(scope="module")
def unkilled(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Unkilled:
    return Unkilled(server, tmp_path_factory.mktemp("unkilled"))


def killed_run(
    start: Start, model: str, home: Path, moments: Iterator[Moment], tally: Tally, kills: int
) -> None:
    """A run that is killed and resumed until there were so many kills, or until it is done."""
    home.mkdir()
    run = home / "run"
    while True:
        begun = (run / "config.json").exists()
        process = start([*COMMON, "--model", model, *RUNS[model], *(["--resume"] if begun else [])], home)
        if tally.kills == kills:
            assert wait(process) == 0, (home / "log").read_text()
            return
        moment = next(moments)
        if kill(process, moment, run):
            tally.count(moment, run)
        else:
            assert wait(process) == 0, (home / "log").read_text()
            return


def test_a_run_killed_again_and_again_ends_with_the_same_bits(
    server: Server, unkilled: Unkilled, tmp_path: Path
) -> None:
    chance, tally = random.Random(6), Tally()
    plain = Tally()
    killed_run(Plain, "lenet", tmp_path / "plain", moments(chance, 3.0), plain, min(PLAIN_KILLS, KILLS))
    assert_same(content(tmp_path / "plain" / "run"), unkilled.content["lenet"])
    for number, model in enumerate(cycle(RUNS)):
        if plain.kills + tally.kills >= KILLS:
            break
        home = tmp_path / f"{model}-{number}"
        killed_run(server, model, home, moments(chance, unkilled.life[model]), tally, KILLS - plain.kills)
        assert_same(content(home / "run"), unkilled.content[model])
        assert leftovers(home / "run") == []
        assert sorted(os.listdir(home / "run")) == ["checkpoint.pth", "config.json", "metrics.jsonl"]
    print(f"\nprocesses of their own: {plain}\nforked processes: {tally}")
    assert plain.kills + tally.kills >= KILLS
    assert plain.writing + tally.writing >= KILLS // 5


def moments(chance: random.Random, life: float) -> Iterator[Moment]:
    while True:
        yield Moment.draw(chance, life)
