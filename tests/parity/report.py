"""`python -m tests.parity.report` measures all rows and writes docs/parity.md.

With `--check` it measures nothing and only says whether the page lists the rows of the registry, with their
parameters. Exit status 1 when it does not, or when a row leaves the tolerance; the page is not written then.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import minitorch_cifar

from . import exemptions
from .drawing import DTYPES
from .measuring import BACKENDS, FIGURES, Measured, measure
from .modules import ModuleRow
from .registry import Row
from .rows import elementwise, functional, indexing, losses, matmul, modules, reduction, shape
from .table import (
    OPTIMIZER_ROWS,
    SCHEDULER_ROWS,
    AnyRow,
    OptimizerRow,
    SchedulerRow,
    all_rows,
    examples_of,
    parameters_of,
    signature_of,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "parity.md"
COMMAND = "python -m tests.parity.report"

SECTIONS: dict[str, list[Any]] = {
    "Elementwise operations": elementwise.ROWS,
    "Reductions, sorting, counting": reduction.ROWS,
    "Shapes and copies": shape.ROWS,
    "Indexing": indexing.ROWS,
    "Products of matrices": matmul.ROWS,
    "Activations, layers and losses as functions": functional.ROWS,
    "Modules": modules.ROWS,
    "Losses as modules": losses.ROWS,
    "Optimizers": OPTIMIZER_ROWS,
    "Learning-rate schedulers": SCHEDULER_ROWS,
}

OPERATIONS: list[Row] = [row for rows in SECTIONS.values() for row in rows if isinstance(row, Row)]
HELPERS = {"_stacklevel", "named"}

INTRODUCTION = f"""\
# Parity with PyTorch

Every operation, module, optimizer and scheduler of minitorch_cifar, run beside PyTorch on the same numbers.
This page is written by `{COMMAND}`, which runs all examples and takes the figures from that run.
A test fails when a row of the registry (`tests/parity/rows/`) is missing here, another when an operation, a
function or a class has no row.

{{summary}}

## How to read it

- **Parameters**: those that the examples of the row give, each with several values. Shapes (sizes 0 and 1
  included), memory layouts (transposed, stepped, broadcast, offset) and values (ties, signed zeros, huge and
  tiny numbers, infinities and NaN where they are defined) are drawn too.
- **Dtypes**: *floats* means float32 and float64; *mixed* that inputs of several dtypes meet each other; *all*
  is {{dtypes}}.
- **float64**: the largest error of an output or a gradient, relative to the largest number that occurs in
  the computation. Allowed: 1e-10 of each element, or 4 ulp of that largest number.
- **float32**: the largest error against PyTorch's float64 result, in units of PyTorch's own float32 error on
  the same input (or of 2 ulp of the largest number in the computation, where that is more): 0 is exact, 1 as
  far off as PyTorch; allowed: 2.
- **numpy**, **numba**: the backend that computed it. An operation without kernels is the same in both.

Gradients come from random upstream gradients. Modules run in training and in evaluation mode, all parameters
and buffers filled with random numbers; compared are printed forms, the keys, order, shapes and dtypes of the
`state_dict`, outputs, gradients by inputs and parameters, and the buffers afterwards. Optimizers: every
combination of the parameters, 20 steps, parameters and state compared. Schedulers: 100 steps; learning rates
are Python numbers, so there is one figure.

## Measured with

{{versions}}
"""


def versions() -> dict[str, str]:
    """What the figures depend on."""
    from minitorch_cifar.cli.info import _processor

    names = ("numpy", "numba", "torch", "hypothesis")
    return {
        "minitorch_cifar": minitorch_cifar.__version__,
        "Python": platform.python_version(),
        **{name: metadata.version(name) for name in names},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": f"{_processor()}, {os.cpu_count()} threads",
        "examples per operation and module": str(FIGURES),
    }


def name_of(row: AnyRow) -> str:
    """The name as the page shows it."""
    return row.name if isinstance(row, Row) else repr(row)


def parameters_cell(parameters: list[str]) -> str:
    """The list of parameters as the page shows it."""
    return ", ".join(f"`{name}`" for name in parameters) or "none"


def page(measured: list[Measured]) -> str:
    """The whole page."""
    by_name = {name_of(found.row): found for found in measured}
    introduction = INTRODUCTION.format(
        summary=_summary(measured),
        dtypes=", ".join(DTYPES),
        versions="\n".join(f"- {name}: {value}" for name, value in versions().items()),
    )
    tables = [
        f"## {title}\n\n" + "\n".join(_table([by_name[name_of(row)] for row in rows]))
        for title, rows in SECTIONS.items()
    ]
    given = {name: found.parameters for name, found in by_name.items()}
    return "\n".join([introduction, *(f"{table}\n" for table in tables), _not_given(given), _left_out()])


def _summary(measured: list[Measured]) -> str:
    compared, refused = sum(m.compared for m in measured), sum(m.refused for m in measured)
    worst = {
        (dtype, backend): max(m.worst.get((dtype, backend), 0.0) for m in measured)
        for dtype in ("float64", "float32")
        for backend in BACKENDS
    }
    rows = "\n".join(
        f"| {backend} | {worst['float64', backend]:.1e} | {worst['float32', backend]:.2f} |"
        for backend in BACKENDS
    )
    return (
        f"{len(measured)} rows; {compared} examples compared, {refused} more that both sides refuse with the "
        f"same class of exception.\nThe worst figure of all rows:\n\n"
        f"| backend | float64 | float32 |\n|---|---|---|\n{rows}"
    )


def _table(measured: list[Measured]) -> Iterator[str]:
    yield "| name | parameters | dtypes | float64 numpy | numba | float32 numpy | numba |"
    yield "|---|---|---|---|---|---|---|"
    for found in measured:
        figures = [
            _figure(found.worst.get((dtype, backend)), dtype)
            for dtype in ("float64", "float32")
            for backend in BACKENDS
        ]
        cells = [f"`{name_of(found.row)}`", parameters_cell(found.parameters), _dtypes(found.row), *figures]
        yield f"| {' | '.join(cells)} |"


def _figure(value: float | None, dtype: str) -> str:
    if value is None:
        return "-"
    if not value:
        return "0"
    return f"{value:.0e}".replace("e-0", "e-") if dtype == "float64" else f"{max(value, 0.01):.2f}"


def _dtypes(row: AnyRow) -> str:
    if isinstance(row, SchedulerRow):
        return "-"
    if isinstance(row, (ModuleRow, OptimizerRow)) or not row.dtypes:
        return "floats"
    if set(row.dtypes) == {"float32", "float64"}:
        return "floats, mixed"
    return "all, mixed" if set(row.dtypes) == set(DTYPES) else f"{', '.join(row.dtypes)}, mixed"


def _not_given(given: dict[str, list[str]]) -> str:
    """Parameters of the engine's functions that no example of their rows gives."""
    lines = []
    for row in (row for row in OPERATIONS if name_of(row) in given):
        covered = {name.lstrip("*") for name in given[name_of(row)]}
        missing = [name for name in signature_of(row).parameters if name not in covered | HELPERS]
        if missing:
            lines.append(f"- `{name_of(row)}`: {', '.join(f'`{name}`' for name in missing)}")
    title = "## Parameters that no example gives\n\nThe rows do not compare these.\n\n"
    return title + "\n".join(lines) + "\n"


def _left_out() -> str:
    groups = {
        "Functions": exemptions.FUNCTIONS,
        "Methods of Tensor": exemptions.METHODS,
        "Functions of `nn.functional`": exemptions.FUNCTIONAL,
        "Classes": exemptions.CLASSES,
        "Parameters of optimizers": exemptions.SWITCHES,
    }
    lines = ["## Without a row", "", "What is tested elsewhere, and where."]
    for title, names in groups.items():
        lines += ["", f"{title}:", ""]
        for reason in dict.fromkeys(names.values()):
            listed = ", ".join(f"`{name}`" for name in names if names[name] == reason)
            lines.append(f"- {listed}: {reason}")
    return "\n".join(lines) + "\n"


def listed(text: str) -> dict[str, str]:
    """Names and parameters that a page lists."""
    lines = [line.split("|") for line in text.splitlines() if line.startswith("| `")]
    return {cells[1].strip().strip("`"): cells[2].strip() for cells in lines}


def expected() -> dict[str, str]:
    """Names and parameters that the page should list."""
    found = {}
    for row in all_rows():
        drawn = examples_of(row) if isinstance(row, (Row, ModuleRow)) else []
        found[name_of(row)] = parameters_cell(parameters_of(row, drawn))
    return found


def differences(text: str) -> list[str]:
    """What a page lists otherwise than the registry; empty when it is up to date."""
    given, wanted = listed(text), expected()
    return [
        *(f"{name} is missing" for name in wanted if name not in given),
        *(f"{name} has no row any more" for name in given if name not in wanted),
        *(
            f"{name} has the parameters {wanted[name]}, the page says {given[name]}"
            for name in wanted
            if name in given and given[name] != wanted[name]
        ),
        *(
            ["the order of the rows is another"]
            if set(given) == set(wanted) and [*given] != [*wanted]
            else []
        ),
    ]


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Measure all rows and write docs/parity.md.")
    parser.add_argument(
        "--check", action="store_true", help="only compare the page's rows with the registry's"
    )
    parser.add_argument("--output", type=Path, default=PAGE, help="the page (default: docs/parity.md)")
    options = parser.parse_args(arguments)
    if options.check:
        problems = differences(options.output.read_text(encoding="utf-8"))
        print("\n".join(problems) or f"{options.output.name} lists the rows of the registry")
        return bool(problems)
    start, measured, failed = time.perf_counter(), [], 0
    rows = all_rows()
    for number, row in enumerate(rows, start=1):
        print(f"\r{number}/{len(rows)} {name_of(row):<60.60}", end="", file=sys.stderr, flush=True)
        try:
            measured.append(measure(row))
        except Exception as error:
            failed += 1
            print(f"\n{name_of(row)}: {type(error).__name__}: {error}", file=sys.stderr)
    print(f"\n{len(rows)} rows in {time.perf_counter() - start:.0f} s", file=sys.stderr)
    if failed:
        print(f"{failed} rows leave the tolerance; {options.output.name} is not written", file=sys.stderr)
        return 1
    options.output.write_text(page(measured), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
