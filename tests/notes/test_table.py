"""`docs/notes.md` lists every program as its docstring tells it; that its result is true, its test says."""

from __future__ import annotations

from pathlib import Path

import pytest

from .catalogue import PROGRAMS, read
from .table import DOCUMENT, document, results_in

COMMAND = "run: python -m tests.notes.table"


def test_the_page_is_what_the_command_writes() -> None:
    text = DOCUMENT.read_text()
    results = results_in(text)
    assert results.keys() == {program.name for program in PROGRAMS}, COMMAND
    assert text == document(results), COMMAND


def test_all_five_notes_have_programs() -> None:
    assert {program.note for program in PROGRAMS} == {"000", "001", "002", "003", "004"}


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("tensors.py", '"""Title.\n\nSection: 1\nNeeds: x\n"""', "expected the number of the note"),
        ("003_tensors.py", "print(1)", "lacks Section, Needs"),
        ("003_tensors.py", '"""Title.\n\nSection: 1\n"""', "lacks Needs"),
        (
            "003_tensors.py",
            '"""Title.\n\nSection: 1\nNeeds: x\nPrecision: float16\n"""',
            "Precision is float16",
        ),
    ],
)
def test_a_program_without_its_particulars_is_refused(
    tmp_path: Path, name: str, content: str, error: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=error):
        read(tmp_path / name)


def test_the_particulars_may_take_several_lines(tmp_path: Path) -> None:
    path = tmp_path / "003_tensors.py"
    path.write_text('"""Title.\n\nSection: 1\nNeeds: one,\n    two\nTolerance: 1e-3\n"""')
    program = read(path)
    assert (program.title, program.note, program.needs, program.tolerance) == (
        "Title",
        "003",
        "one, two",
        1e-3,
    )
    assert not program.compares_gradients
