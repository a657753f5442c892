"""What all measurements share: engines in processes of their own that take turns, and where the figures go.

A measurement is a module with a function `measure(engine, threads=..., **settings)`, which returns figures;
`in_turns` runs it in a fresh process for each engine and round. Figures end in a table on the terminal, and
where the user wishes in a file of JSON, a plot, or a section of a page between two marks:

    <!-- step: written by python -m benchmarks step --page docs/performance.md -->
    <!-- end of step -->
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import re
import shlex
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .engines import ENGINES, missing
from .machine import cores, describe, head, thread_environment

Figures = dict[str, Any]


class MeasurementError(Exception):
    """A process ended with an error; the message is the last line that it wrote."""


def in_process(module: str, engine: str, threads: int, **settings: Any) -> Figures:
    """`benchmarks.MODULE.measure(engine, threads=..., **settings)` in a fresh process."""
    call = json.dumps({"module": module, "engine": engine, "settings": {"threads": threads, **settings}})
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.measuring", call],
        env=thread_environment(threads),
        capture_output=True,
        text=True,
    )
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if re.match(r"[\w.]+(Error|Exception|Exit)\b", line)]
        raise MeasurementError((errors or lines or [f"status {result.returncode}"])[-1].strip())
    answer: Figures = json.loads(result.stdout.splitlines()[-1])
    return answer


def in_turns(
    module: str, engines: list[str], rounds: int, threads: int, **settings: Any
) -> dict[str, list[Figures]]:
    """Rounds in which every engine measures once.

    An engine that fails is taken out of `engines`, with a line that says why.
    """
    turns: dict[str, list[Figures]] = {engine: [] for engine in engines}
    for _ in range(rounds):
        for engine in list(engines):
            try:
                turns[engine].append(in_process(module, engine, threads, **settings))
            except MeasurementError as failure:
                if engine in ("minitorch", "torch"):
                    raise
                print(f"{engine} is left out: {failure}", flush=True)
                engines.remove(engine)
                del turns[engine]
    return turns


def median_of(turns: Iterable[Figures], key: str) -> tuple[float, float, float]:
    """Median, least and greatest of a figure over the turns."""
    values = [turn[key] for turn in turns]
    return statistics.median(values), min(values), max(values)


def ratio_of(turns: dict[str, list[Figures]], key: str) -> tuple[float, float, float] | None:
    """Engine / PyTorch, pair by pair: median, least, greatest. None where one was not measured."""
    if not ("minitorch" in turns and "torch" in turns):
        return None
    ratios = [a[key] / b[key] for a, b in zip(turns["minitorch"], turns["torch"], strict=True)]
    return statistics.median(ratios), min(ratios), max(ratios)


def parser(module: str, description: str | None, engines: str = "minitorch,torch") -> argparse.ArgumentParser:
    """An argument parser with the options that every measurement has."""
    made = argparse.ArgumentParser(
        prog=f"python -m benchmarks {module}", description=(description or "").split("\n")[0]
    )
    made.add_argument(
        "--engines", default=engines, help=f"of {', '.join(ENGINES)}, comma-separated (default: {engines})"
    )
    made.add_argument(
        "--threads", type=int, default=min(2, cores()), help="of every library (default: 2 where there are)"
    )
    made.add_argument("--json", type=Path, help="write the figures to this file")
    made.add_argument("--plot", type=Path, help="draw them into this file (needs matplotlib)")
    made.add_argument("--page", type=Path, help="write the table into its section of this page")
    return made


def chosen_engines(options: argparse.Namespace, made: argparse.ArgumentParser) -> list[str]:
    """Those of `--engines` that are installed; a line for each that is not."""
    names = options.engines.split(",")
    unknown = [name for name in names if name not in ENGINES]
    if unknown:
        made.error(f"unknown engines: {', '.join(unknown)}; there are {', '.join(ENGINES)}")
    present = []
    for name in names:
        lacking = missing(name)
        if lacking:
            print(f"{name} is left out: {lacking} is not installed")
        else:
            present.append(name)
    if not present:
        made.error("none of these engines is installed")
    return present


def begin(options: argparse.Namespace) -> None:
    """The head of the table: machine, versions, threads."""
    print(head(options.threads))


def markdown(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table; columns after those of text are aligned to the right."""
    rows = [[str(cell) for cell in row] for row in rows]

    def is_number(column: int) -> bool:
        return all(re.match(r"[-\d.,%x ]*$|^-$", row[column]) for row in rows)

    marks = ["---:" if is_number(i) else "---" for i in range(len(header))]
    return "\n".join(f"| {' | '.join(row)} |" for row in [list(header), marks, *rows])


def finish(
    name: str,
    options: argparse.Namespace,
    rows: list[Figures],
    table: str = "",
    plot: Callable[[Path], None] | None = None,
) -> None:
    """Writes what `--json`, `--plot` and `--page` ask for."""
    if options.json:
        kept = {"benchmark": name, "date": today(), "machine": describe(options.threads), "rows": rows}
        options.json.write_text(json.dumps(kept, indent=1) + "\n")
    if options.plot:
        if plot is None:
            raise SystemExit(f"benchmarks {name} draws no plot")
        plot(options.plot)
    if options.page:
        caption = f"`{command(name)}`, {today()}.  \nOn: {head(options.threads)}."
        write_section(options.page, name, f"{caption}\n\n{table}")


def command(name: str) -> str:
    """What the user typed, without the options that say where the figures go; the same on every machine."""
    arguments: list[str] = []
    words = iter(sys.argv[2:] if len(sys.argv) > 1 and sys.argv[1] == name else [])
    for word in words:
        if word in ("--json", "--plot", "--page"):
            next(words, None)
        elif not word.startswith(("--json=", "--plot=", "--page=")):
            arguments.append("PATH" if word.startswith("/") else word)
    return shlex.join(["python", "-m", "benchmarks", name, *arguments])


def today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def write_section(page: Path, name: str, text: str) -> None:
    """Puts `text` between the marks of the section; SystemExit where the page has no such section."""
    before = page.read_text(encoding="utf-8")
    pattern = rf"(<!-- {re.escape(name)}:[^\n]*-->\n).*?(<!-- end of {re.escape(name)} -->)"
    after, count = re.subn(
        pattern, lambda found: f"{found[1]}{text.strip()}\n{found[2]}", before, flags=re.DOTALL
    )
    if count != 1:
        raise SystemExit(f"{page} has {count} sections between the marks of {name}; one is expected")
    page.write_text(after, encoding="utf-8")


COLORS = {
    "minitorch": "#1f6feb",
    "deterministic": "#7aa7e8",
    "torch": "#e8590c",
    "torch-compile": "#f2a56b",
    "jax": "#2f9e44",
    "mygrad": "#868e96",
}


@contextmanager
def figure(path: Path, columns: int = 1, size: tuple[float, float] = (7.2, 3.2)) -> Iterator[list[Any]]:
    """Axes side by side; saved as a picture at the end of the block."""
    try:
        import matplotlib
    except ImportError:
        raise SystemExit("--plot needs matplotlib, which is not installed") from None
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    drawn, axes = plt.subplots(1, columns, figsize=size, layout="constrained", squeeze=False)
    for one in axes[0]:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(alpha=0.25)
        one.set_axisbelow(True)
        one.tick_params(labelsize=8)
    yield list(axes[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn.savefig(path, dpi=110)
    plt.close(drawn)


def _answer(call: str) -> None:
    asked = json.loads(call)
    measure = importlib.import_module(f"benchmarks.{asked['module']}").measure
    print("\n" + json.dumps(measure(asked["engine"], **asked["settings"])))


if __name__ == "__main__":
    _answer(sys.argv[1])
