"""What `minitorch-cifar parity` shows: tables of layers, parameters and losses, and the verdict.

The tables are made once, as rows of text; a terminal wide enough gets them ruled and coloured by rich,
everything else as aligned plain text. `report_as_dict` holds the same numbers for `--json`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Self, TextIO

from ..testing.deviation import Deviation
from ..testing.lockstep import Lockstep
from ..testing.taps import (
    AFTER_STEP,
    GRADIENT,
    GRADIENT_BY_INPUT,
    GRADIENT_BY_OUTPUT,
    INPUT,
    OUTPUT,
    Place,
)

__all__ = ["Progress", "print_report", "report_as_dict"]

BETWEEN = "(between layers)"
LAYERS = {OUTPUT: 0, GRADIENT_BY_INPUT: 1, INPUT: 0, GRADIENT_BY_OUTPUT: 1}
PARAMETERS = {GRADIENT: 0, AFTER_STEP: 1}
MEASURES = ("largest", "relative", "ulp", "used")
CURVE_ROWS = 10

NOTES = """\
largest: the largest difference of an element; relative: the same in units of the array's largest value; ulp:
how many floating point numbers lie between two elements (many where a sum cancels to nearly zero); used: how
much of the tolerance, 8 times PyTorch's own error on the same inputs.
"""


@dataclass
class Table:
    """A table of text: a name and two groups of four measures per row."""

    title: str
    groups: tuple[str, str]
    rows: list[list[str]] = field(default_factory=list)
    failed: list[bool] = field(default_factory=list)


def print_report(found: Lockstep, settings: dict[str, Any], output: TextIO) -> None:
    """The tables, the loss curves and the verdict."""
    tables = [
        make_table("layer", (OUTPUT, GRADIENT_BY_INPUT), found, LAYERS),
        make_table("parameter", (GRADIENT, AFTER_STEP), found, PARAMETERS),
    ]
    if not (output.isatty() and _print_rich(found, settings, tables, output)):
        _print_plain(found, settings, tables, output)


def make_table(title: str, groups: tuple[str, str], found: Lockstep, columns: dict[str, int]) -> Table:
    """The worst deviations over all steps, a row for each layer or parameter, in the order of computation."""
    cells: dict[str, list[Deviation | None]] = {}
    for place, measured in found.places.items():
        if place.quantity in columns:
            pair = cells.setdefault(row_of(place), [None, None])
            column = columns[place.quantity]
            before = pair[column]
            pair[column] = measured if before is None else before.worst(measured)
    if BETWEEN in cells:
        cells[BETWEEN] = cells.pop(BETWEEN)  # last
    cells.pop("pictures", None)
    table = Table(title, groups)
    for name, pair in cells.items():
        table.rows.append([name, *(text for measured in pair for text in shown(measured))])
        table.failed.append(any(m is not None and m.problem for m in pair))
    return table


def row_of(place: Place) -> str:
    """The row that a place is shown in."""
    return BETWEEN if place.quantity in (INPUT, GRADIENT_BY_OUTPUT) else place.row


def shown(measured: Deviation | None) -> list[str]:
    """The four measures as text."""
    if measured is None:
        return [""] * len(MEASURES)
    mark = "*" if measured.cancels else ""
    return [
        number(measured.absolute),
        number(measured.relative) + mark,
        count(measured.ulp),
        percent(measured.share),
    ]


def percent(share: float) -> str:
    """How much of the tolerance is used."""
    if 0 < share < 0.005:
        return "<1 %"
    return f"{100 * share:.0f} %" if share < 100 else f"{share:.0e} x"


def number(value: float) -> str:
    """A small number in a few letters."""
    return "0" if value == 0 else f"{value:.1e}"


def count(value: float) -> str:
    """A whole number, or its size where it is large."""
    return f"{value:.0f}" if value < 100_000 else f"{value:.0e}"


def heading(settings: dict[str, Any], found: Lockstep) -> str:
    """What was compared."""
    return (
        f"{settings['network']} on {settings['data']}: {found.steps} steps at batch "
        f"{settings['batch_size']} in {found.dtype}, PyTorch on {settings['device']}, seed {settings['seed']}"
    )


def notes(found: Lockstep) -> str:
    """What the columns mean, in lines; with a line about what is marked."""
    text = NOTES
    if any(measured.cancels for measured in found.places.values()):
        text += "*: all but rounding cancels: PyTorch's own float32 error exceeds 1e-3 of the value.\n"
    return text


def curve(found: Lockstep) -> list[list[str]]:
    """Step, both losses and their difference, for the first and the last step and some in between."""
    last = found.steps - 1
    chosen = sorted({round(i * last / (CURVE_ROWS - 1)) for i in range(CURVE_ROWS)})
    return [
        [
            str(i + 1),
            f"{found.losses[i]:.6f}",
            f"{found.torch_losses[i]:.6f}",
            number(abs(found.losses[i] - found.torch_losses[i])),
        ]
        for i in chosen
    ]


CURVE_HEAD = ["step", "minitorch_cifar", "PyTorch", "difference"]


def verdict(found: Lockstep) -> list[str]:
    """The lines that say how it went."""
    if found.failure is not None:
        others = {row_of(place) for place, m in found.places.items() if m.problem}
        more = f" ({len(others)} rows in all leave it)" if len(others) > 1 else ""
        return [f"NO PARITY: the first to leave the tolerance{more} is {found.failure}"]
    if found.free_problem is not None:
        return [
            "NO PARITY: each layer keeps the tolerance, but the two trainings part: " + found.free_problem
        ]
    place, measured = found.tightest
    differences = [abs(a - b) for a, b in zip(found.losses, found.torch_losses, strict=True)]
    name, drift = max(found.drift.items(), key=lambda item: item[1], default=("", 0.0))
    return [
        f"PARITY: every layer stays inside the tolerance; closest to its edge is {place}, with "
        f"{100 * measured.share:.0f} % of it.",
        f"Trained side by side, the losses differ by {number(max(differences))} at most, the parameters "
        f"after {found.steps} steps by {number(drift)} of their largest value ({name}).",
    ]


def _print_plain(found: Lockstep, settings: dict[str, Any], tables: list[Table], output: TextIO) -> None:
    def say(*lines: str) -> None:
        print(*(line.rstrip() for line in lines), sep="\n", file=output)

    say(heading(settings, found), "")
    for table in tables:
        head = [[table.title, *MEASURES * 2], *table.rows]
        widths = [max(len(row[i]) for row in head) for i in range(len(head[0]))]
        group = sum(widths[1:5]) + 6
        say(" " * widths[0] + "".join(f"   {name:<{group}}" for name in table.groups))
        for row, failed in zip(head, [False, *table.failed], strict=True):
            cells = [f"{text:>{width}}" for text, width in zip(row[1:], widths[1:], strict=True)]
            line = f"{row[0]:<{widths[0]}}   {'  '.join(cells[:4])}   {'  '.join(cells[4:])}"
            say(line + ("   <- leaves the tolerance" if failed else ""))
        say("")
    say(notes(found))
    rows = [CURVE_HEAD, *curve(found)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(CURVE_HEAD))]
    say("loss of two trainings side by side")
    say(*("  ".join(f"{text:>{w}}" for text, w in zip(row, widths, strict=True)) for row in rows), "")
    say(*verdict(found))


def _print_rich(found: Lockstep, settings: dict[str, Any], tables: list[Table], output: TextIO) -> bool:
    """Returns whether the terminal is wide enough; prints nothing otherwise."""
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    console = Console(file=output, highlight=False)
    all_drawn = []
    for table in tables:
        drawn = RichTable()
        drawn.add_column(table.title, no_wrap=True)
        for i, measure in enumerate(MEASURES * 2):
            # The group's name stands above its first measure, on a line of its own.
            above = table.groups[i // 4] if i % 4 == 0 else ""
            drawn.add_column(f"{above}\n{measure}", justify="right", vertical="bottom")
        for row, failed in zip(table.rows, table.failed, strict=True):
            drawn.add_row(*(Text(text) for text in row), style="bold red" if failed else None)
        all_drawn.append(drawn)
    unbounded = console.options.update(width=1000)
    if max(console.measure(drawn, options=unbounded).maximum for drawn in all_drawn) > console.width:
        return False
    console.print(heading(settings, found), markup=False)
    for drawn in all_drawn:
        console.print(drawn)
    console.print(notes(found), markup=False, style="dim")
    drawn = RichTable(title="loss of two trainings side by side", title_justify="left")
    for name in CURVE_HEAD:
        drawn.add_column(name, justify="right")
    for row in curve(found):
        drawn.add_row(*row)
    console.print(drawn)
    for line in verdict(found):
        console.print(line, markup=False, style="green" if found.holds else "bold red")
    return True


class Progress:
    """A bar over the steps on a terminal; nothing elsewhere."""

    def __init__(self, output: TextIO, steps: int) -> None:
        self.bar: Any = None
        if output.isatty():
            from rich.console import Console
            from rich.progress import Progress as Bar

            self.bar = Bar(console=Console(file=output), transient=True)
            self.task = self.bar.add_task("steps", total=steps)

    def __enter__(self) -> Self:
        if self.bar is not None:
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def step(self, found: Lockstep) -> None:
        """A step is done."""
        if self.bar is not None:
            self.bar.update(self.task, completed=found.steps)


def report_as_dict(found: Lockstep, settings: dict[str, Any]) -> dict[str, Any]:
    """Everything that was measured, for a file; numbers that JSON does not know (infinity) become null."""
    import torch

    from .. import __version__

    failure = found.failure
    return {
        "settings": settings,
        "versions": {"minitorch_cifar": __version__, "torch": str(torch.__version__)},
        "holds": found.holds,
        "verdict": " ".join(verdict(found)),
        "first_failure": failure
        and {"layer": failure.place.row, "quantity": failure.place.quantity, "step": failure.step}
        | {"problem": failure.problem},
        "places": [
            {
                "layer": place.row,
                "quantity": place.quantity,
                "part": place.part,
                "absolute": finite(measured.absolute),
                "relative": finite(measured.relative),
                "ulp": finite(measured.ulp),
                "pytorch_own_float32_error": finite(measured.own),
                "share_of_tolerance": finite(measured.share),
                "inside": measured.problem is None,
            }
            for place, measured in found.places.items()
        ],
        "losses": {
            "minitorch_cifar": [finite(loss) for loss in found.losses],
            "torch": [finite(loss) for loss in found.torch_losses],
        },
        "parameters_apart": {name: finite(value) for name, value in found.drift.items()},
    }


def finite(value: float) -> float | None:
    """`value`, or None where it is no number."""
    return value if math.isfinite(value) else None
