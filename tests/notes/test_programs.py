"""Every program of the notes does on the engine what it does on PyTorch."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .catalogue import PROGRAMS, Program
from .comparing import Run, differences
from .table import DOCUMENT, result_of, row


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_prints_leaves_and_computes_the_same(
    program: Program, both_runs: Callable[[Program], tuple[Run, Run]]
) -> None:
    ours, theirs = both_runs(program)
    found = differences(ours, theirs, program)
    assert not found, "\n".join(found[:20])
    assert ours.printed or ours.files, "a program that shows nothing shows nothing about the engine"
    listed = DOCUMENT.read_text().splitlines()
    assert row(program, result_of(program, ours)) in listed, "run: python -m tests.notes.table"
