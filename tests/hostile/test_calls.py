"""Hostile calls of everything public: a right answer or an exception with a message, and nothing else.

A worker process makes the calls (`worker.py`), so that a crash is seen and not suffered. Every name is called
rightly once or more, and spoiled a few times. More of it:
`HOSTILE_TURNS=200 HOSTILE_SEED=7 pytest -s tests/hostile/test_calls.py` (about 800 calls a turn).
"""

from __future__ import annotations

import ast
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from .differences import FEWER, MORE, OTHER, reason
from .drawing import draw, spoiled
from .names import LEFT_OUT, all_names
from .recipes import calls
from .watching import Outcome, run

TURNS, SEED = int(os.environ.get("HOSTILE_TURNS", "3")), int(os.environ.get("HOSTILE_SEED", "0"))


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What became of every call."""
    drawn = draw(SEED, TURNS)
    made = run(drawn, tmp_path_factory.mktemp("calls"))
    kinds = Counter(entry["ours"] for entry in made.entries.values())
    print(f"{len(drawn)} calls, seed {SEED}: {dict(kinds)}; deaths of PyTorch: {len(made.peer_deaths)}")
    return made


def entries(outcome: Outcome) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for number, entry in sorted(outcome.entries.items()):
        yield (*outcome.calls[number], entry)


def test_every_public_name_can_be_drawn() -> None:
    names, recipes = all_names(), calls()
    missing = [name for name in names if name not in recipes]
    assert not missing, f"no call of these in tests/hostile/recipes.py: {missing}"
    extra = [name for name in recipes if name not in names]
    assert not extra, f"calls of what is not public: {extra}"
    assert len(names) > 800
    assert len(LEFT_OUT) < 100


def test_spoiled_calls_are_drawn_from_a_seed_and_can_be_run_again() -> None:
    first, again = draw(3, 1), draw(3, 1)
    assert first == again
    assert draw(4, 1) != first
    assert all(ast.parse(call, mode="eval") for _, call in first)
    changed = [spoiled("torch.add(f(2), 1)", __import__("random").Random(i)) for i in range(50)]
    assert len(set(changed)) > 25


def test_no_call_ends_the_process(outcome: Outcome) -> None:
    assert not outcome.deaths, "\n".join(outcome.deaths)
    assert len(outcome.entries) >= len(outcome.calls) - len(outcome.peer_deaths)


def test_right_calls_are_answered_as_by_pytorch(outcome: Outcome) -> None:
    right = sum(len(made) for made in calls().values())
    checked, wrong = 0, []
    for number in range(right):
        name, call = outcome.calls[number]
        entry = outcome.entries[number]
        if entry["ours"] != "answer":
            wrong.append(f"{call}: {entry['error'][0]}: {entry['message']}")
        elif entry.get("difference") and not reason(OTHER, name, entry["difference"]):
            wrong.append(f"{call}: {entry['difference']}")
        checked += entry.get("theirs") == "answer"
    assert not wrong, "\n".join(wrong)
    assert checked > 1200


def test_refusals_have_a_message(outcome: Outcome) -> None:
    silent = [
        call
        for _, call, entry in entries(outcome)
        if entry["ours"] == "error" and not entry["message"].strip() and "MemoryError" not in entry["error"]
    ]
    assert not silent, silent


def test_no_answer_is_silently_wrong(outcome: Outcome) -> None:
    wrong = [
        f"{call}: {entry['difference']}"
        for name, call, entry in entries(outcome)
        if entry.get("difference") and not reason(OTHER, name, entry["difference"])
    ]
    assert not wrong, "\n".join(wrong)


def test_what_only_one_side_answers_is_known(outcome: Outcome) -> None:
    unknown, known = [], Counter[str]()
    for name, call, entry in entries(outcome):
        why: str | None = ""
        if entry["ours"] == "answer" and entry.get("theirs") == "error":
            message = f"{entry['peer_error'][0]}: {entry['peer_message']}"
            why = reason(MORE, name, message)
            side = "PyTorch"
        elif entry["ours"] == "error" and entry.get("theirs") == "answer":
            message = f"{entry['error'][0]}: {entry['message']}"
            why = reason(FEWER, name, message)
            side = "the engine"
        if why is None:
            unknown.append(f"{call}: {side} refuses it: {message[:200]}")
        elif why:
            known[why] += 1
    print("\n".join(f"{count:5} {why}" for why, count in known.most_common()))
    assert not unknown, "\n".join(unknown)


def test_no_call_takes_long(outcome: Outcome) -> None:
    """Processor time; the first use of a kernel may compile it."""
    slow = [(call, entry["seconds"]) for _, call, entry in entries(outcome) if entry["seconds"] > 50]
    assert not slow, slow
