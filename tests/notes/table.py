"""`docs/notes.md`, the table of the notes' programs: `python -m tests.notes.table` runs all and writes it.

It is written only when every program does the same on both sides; the tests then see to it that each row
stays true. `python -m tests.notes.table 003 001_relu` runs only these and keeps the other rows.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..real_cifar10 import cifar10_folder
from .catalogue import PROGRAMS, Program
from .comparing import Run, differences
from .running import run_programs, write_data

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "notes.md"

INTRODUCTION = """\
# The learners' programs

Every program of the five notes that learners read, and what came of running it on the engine with nothing
changed. Each is run twice with the same seed, on PyTorch and torchvision and on
`minitorch_cifar.compat.install()`, in processes of their own. *Equal* means: the same lines printed (floats
to four digits), the same files left with the same content, and all tensors within 1e-5 of the largest
element, 1e-9 for those that ran in float64.

Run a program of yours the same way:

    python -m minitorch_cifar.compat program.py its arguments

or put two lines before its imports:

    from minitorch_cifar import compat
    compat.install()          # from here on, `import torch` and `import torchvision` give the engine

`install()` must come before the first `import torch`. It can be used in a `with` block, and
`compat.uninstall()` ends it. A name that the engine lacks is an AttributeError or an ImportError which says
so and names the nearest one.

`torch.__version__` then is that of the PyTorch which the engine follows, with the engine's own behind it
(`2.15.0+minitorch.cifar.0.1.0`), for programs that ask for at least some version.

The programs are in `tests/notes/programs`, written anew. They differ from the notes in what PyTorch itself
no longer takes (`next(dataiter)` for `dataiter.next()`, `weights_only=False` to load a whole model), in
slips of the notes that do not run anywhere, in the folder of the data, which the variable NOTES_DATA names,
and in fewer pictures and epochs: they train on the first 2,000 pictures of CIFAR-10, or of Shapes10 where
there is no CIFAR-10.

Where training goes on for hundreds of steps, rounding in the last place grows from step to step, so that in
float32 PyTorch with another convolution routine is as far from PyTorch as the engine is. Such programs run
in float64, where the two still agree, or state a wider tolerance.

`python -m tests.notes.table` writes this page; the tests in `tests/notes` keep it true.
"""

HEADER = "| note | section | program | needs | result |\n|---|---|---|---|---|"


def result_of(program: Program, run: Run) -> str:
    """What was found equal: "equal in float64: 12 lines, 2 files, 40 tensors"."""
    counts = [(len(run.printed), "line"), (len(run.files), "file"), (len(run.arrays), "tensor")]
    parts = [f"{count} {word}{'s' * (count != 1)}" for count, word in counts if count]
    where = " in float64" if program.precision == "float64" else ""
    tolerance = "" if program.compares_gradients else f" to {program.tolerance:g}"
    return f"equal{where}: {', '.join(parts)}{tolerance}"


def row(program: Program, result: str) -> str:
    """The line of the table."""
    link = f"[{program.title}](../tests/notes/programs/{program.path.name})"
    return f"| {program.note} | {program.section} | {link} | {program.needs} | {result} |"


def document(results: Mapping[str, str]) -> str:
    """The whole page, from the results by program."""
    rows = [row(program, results[program.name]) for program in PROGRAMS]
    return "\n".join([INTRODUCTION, HEADER, *rows, ""])


def results_in(text: str) -> dict[str, str]:
    """The results by program that a page states."""
    return dict(re.findall(r"programs/(\w+)\.py\).* \| ([^|]+) \|$", text, flags=re.MULTILINE))


def main(beginnings: Sequence[str]) -> int:
    """Run programs on both sides and write the page; 1 and no page when something differs.

    `beginnings`: only run programs whose names begin so, and those that the page lacks.
    """
    results = results_in(DOCUMENT.read_text()) if DOCUMENT.exists() else {}
    asked = [p for p in PROGRAMS if p.name.startswith(tuple(beginnings or ("",))) or p.name not in results]
    different = False
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_data(folder / "data", cifar10_folder())
        ours, theirs = (
            run_programs(asked, side, folder / "data", folder / side) for side in ("engine", "torch")
        )
        for program in asked:
            mine, other = ours[program.name], theirs[program.name]
            print(f"{program.name}: {mine.seconds:.1f} s, PyTorch: {other.seconds:.1f} s")
            found = differences(mine, other, program)
            different |= bool(found)
            print(*found[:3], sep="\n", end="\n" if found else "")
            results[program.name] = result_of(program, mine)
    if different:
        return 1
    DOCUMENT.write_text(document(results))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
