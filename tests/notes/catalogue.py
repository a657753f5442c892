"""The programs of the learners' notes: one file each in `programs/`, named after its note.

A program's docstring tells what a reader of the table (and the test) has to know:

    \"\"\"What the program does.

    Section: the part of the note that teaches it.
    Needs: the names it leans on.
    Precision: float64
    \"\"\"

The first line, `Section` and `Needs` are required. `Precision` is the default dtype that the program finds,
float32 unless stated. Programs that train for hundreds of steps state float64: rounding in the last place
grows from step to step, until in float32 PyTorch with another convolution routine is as far from PyTorch as
the engine is, while in float64 the two still agree. `Tolerance` is how far tensors may lie apart in the end,
relative to the largest element of each, where 1e-5 (1e-9 in float64) is too little after some training and
float64 would take too long; gradients, which are of the last batch only, are then left out.

Whoever adds a file has added a test and a row.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "programs"
# How far tensors may lie apart in the end, relative to the largest element of each.
TOLERANCES = {"float32": 1e-5, "float64": 1e-9}


@dataclass(frozen=True)
class Program:
    """A program of the notes and what its docstring says."""

    path: Path
    title: str
    section: str
    needs: str
    precision: str
    tolerance: float

    @property
    def compares_gradients(self) -> bool:
        return self.tolerance <= TOLERANCES[self.precision]

    @property
    def note(self) -> str:
        return self.path.name.partition("_")[0]

    @property
    def name(self) -> str:
        return self.path.stem


def read(path: Path) -> Program:
    """The program in a file; ValueError when its name or docstring is not as described above."""
    if not re.fullmatch(r"\d{3}_\w+\.py", path.name):
        raise ValueError(f"{path.name}: expected the number of the note, then the topic: 003_tensors.py")
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    title, _, body = text.partition("\n")
    fields: dict[str, str] = {}
    for line in body.splitlines():
        key, colon, value = line.partition(":")
        if colon and key in ("Section", "Needs", "Precision", "Tolerance"):
            fields[key] = value.strip()
        elif line.strip() and fields:
            fields[list(fields)[-1]] += " " + line.strip()
    missing = [key for key in ("Section", "Needs") if not fields.get(key)]
    if not title or missing:
        raise ValueError(f"{path.name}: its docstring lacks {', '.join(missing) or 'a first line'}")
    precision = fields.get("Precision", "float32")
    if precision not in TOLERANCES:
        raise ValueError(f"{path.name}: Precision is {precision}, expected {' or '.join(TOLERANCES)}")
    tolerance = float(fields.get("Tolerance", TOLERANCES[precision]))
    return Program(path, title.rstrip("."), fields["Section"], fields["Needs"], precision, tolerance)


PROGRAMS = [read(path) for path in sorted(FOLDER.glob("*.py"))]
