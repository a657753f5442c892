"""The notes' whole program, engine beside PyTorch: `python -m benchmarks notes PATH`.

`programs/cifar10_tutorial.py` (data sets, a loader with two workers, a LeNet, two epochs of batches of four,
the test) runs from start to end under PyTorch with torchvision and, the same text, under
`python -m minitorch_cifar.compat`. What is measured is the time on the clock of the whole process: imports,
opening the data, loading and the workers included. The two take turns. Which part took how long is known by
the moments at which its lines arrive.

PATH holds CIFAR-10 in any form that `CIFAR10` opens. torchvision wants the official files; other files of
the same format are shown to it by giving it their own MD5 sums, which it then verifies as it always does.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from . import measuring
from .machine import thread_environment

PROGRAM = Path(__file__).parent / "programs" / "cifar10_tutorial.py"
FOLDER = "cifar-10-batches-py"
PARTS = ("import", "set-up", "first epoch", "later epochs", "test")

# Runs the program text under PyTorch, once torchvision knows the MD5 sums of the files at hand.
UNDER_TORCH = """
import json, runpy, sys
from torchvision.datasets import CIFAR10
sums = json.loads(sys.argv[1])
CIFAR10.train_list = [[name, sums[name]] for name, _ in CIFAR10.train_list]
CIFAR10.test_list = [[name, sums[name]] for name, _ in CIFAR10.test_list]
CIFAR10.meta = {**CIFAR10.meta, "md5": sums[CIFAR10.meta["filename"]]}
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class Run(NamedTuple):
    """One process: seconds from its start to each of its lines, and to its end."""

    lines: list[tuple[float, str]]
    total: float

    def at(self, pattern: str) -> float:
        """When the first line that matches arrived."""
        return next(moment for moment, line in self.lines if re.match(pattern, line))

    @property
    def parts(self) -> dict[str, float]:
        """Seconds of each part; they do not quite add up to the total, which has the end of the process."""
        imported, ready = self.at("Imported"), self.at("Set up")
        first, trained = self.at("Finished epoch 1"), self.at("Finished Training")
        moments = (0.0, imported, ready, first, trained, self.at("Accuracy"))
        spans = [later - earlier for earlier, later in itertools.pairwise(moments)]
        return dict(zip(PARTS, spans, strict=True))

    @property
    def first_loss(self) -> float | None:
        """Seconds to the first line with a loss; None where the run is too short for one."""
        return next((moment for moment, line in self.lines if "loss" in line), None)


def command(engine: str, epochs: int, pictures: int, sums: dict[str, str]) -> list[str]:
    """What starts the program under an engine."""
    program = [str(PROGRAM), str(epochs), str(pictures)]
    if engine == "torch":
        return [sys.executable, "-u", "-c", UNDER_TORCH, json.dumps(sums), *program]
    return [sys.executable, "-u", "-m", "minitorch_cifar.compat", *program]


def run(engine: str, folder: Path, epochs: int, pictures: int, threads: int, sums: dict[str, str]) -> Run:
    """The program in a fresh process, in a folder that has the data at `./data`."""
    environment = thread_environment(threads)
    root = str(Path(__file__).parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH"))))
    lines = []
    start = time.perf_counter()
    with subprocess.Popen(
        command(engine, epochs, pictures, sums),
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append((time.perf_counter() - start, line.rstrip()))
    total = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"the program under {engine} ended with status {process.returncode}")
    return Run(lines, total)


def prepare(data: Path, folder: Path) -> dict[str, str]:
    """Make `folder/data` hold the pickled form, and return the MD5 sums of its files."""
    from minitorch_cifar.vision.datasets import cifar_files
    from minitorch_cifar.vision.datasets.cifar import unpack
    from minitorch_cifar.vision.datasets.download import md5_of

    source = cifar_files.find(data, cifar_files.CIFAR10_FORMAT)
    if source is None or source.form != "python":
        raise SystemExit(f"{data} does not hold CIFAR-10 in its pickled form, which torchvision reads")
    (folder / "data").mkdir()
    target = folder / "data" / FOLDER
    if source.archived:
        unpack(source, target)
    else:
        target.symlink_to(source.path.resolve(), target_is_directory=True)
    format = cifar_files.CIFAR10_FORMAT
    names = [batch.name for batch in (*format.train, *format.test)] + [format.meta[0]]
    return {name: md5_of(target / name) for name in names}


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = measuring.parser("notes", __doc__)
    parser.add_argument("data", type=Path, metavar="PATH", help="CIFAR-10, see `minitorch-cifar data`")
    parser.add_argument("--rounds", type=int, default=1, help="turns of each engine (default 1)")
    parser.add_argument("--epochs", type=int, default=2, help="(default 2, as in the notes)")
    parser.add_argument(
        "--pictures", type=int, default=50_000, help="of the training pictures (default: all)"
    )
    options = parser.parse_args(arguments)
    engines = measuring.chosen_engines(options, parser)
    if not set(engines) <= {"minitorch", "torch"}:
        parser.error(f"--engines takes minitorch and torch here, not {options.engines}")
    measuring.begin(options)
    print(
        f"{options.epochs} epochs of {options.pictures:,} pictures in batches of 4, loader with 2 workers; "
        f"{options.rounds} alternating rounds, medians, seconds\n"
    )
    print(f"{'engine':10} {'total':>8}" + "".join(f" {part:>12}" for part in (*PARTS, "first loss")))
    turns: dict[str, list[Run]] = {engine: [] for engine in engines}
    with tempfile.TemporaryDirectory() as name:
        sums = prepare(options.data, Path(name))
        for _ in range(options.rounds):
            for engine, runs in turns.items():
                runs.append(run(engine, Path(name), options.epochs, options.pictures, options.threads, sums))
    rows: list[dict[str, Any]] = []
    for engine, runs in turns.items():
        total = statistics.median(run.total for run in runs)
        parts = [statistics.median(run.parts[part] for run in runs) for part in PARTS]
        losses = [run.first_loss for run in runs if run.first_loss is not None]
        first_loss = statistics.median(losses) if losses else None
        shown = [*parts, first_loss]
        print(
            f"{engine:10} {total:8.2f}"
            + "".join(f" {v:12.2f}" if v is not None else f" {'-':>12}" for v in shown)
        )
        rows.append(
            {
                "engine": engine,
                "totals": [run.total for run in runs],
                **dict(zip(PARTS, parts, strict=True)),
                "first loss": first_loss,
                "printed": [line for _, line in runs[-1].lines],
            }
        )
    if len(turns) == 2:
        ratios = [
            ours.total / theirs.total for ours, theirs in zip(turns["minitorch"], turns["torch"], strict=True)
        ]
        print(
            f"\nratio {statistics.median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f}), "
            f"one {1 / statistics.median(ratios):.1f}th"
        )
    cells = [[row["engine"], f"{statistics.median(row['totals']):.1f}"] for row in rows]
    for line, row in zip(cells, rows, strict=True):
        line[0] = measuring.ENGINES[line[0]].title
        line += [f"{row[part]:.2f}" if row[part] is not None else "-" for part in (*PARTS, "first loss")]
    header = ["engine", *(f"{part}, s" for part in ("total", *PARTS, "first loss"))]
    table = measuring.markdown(header, cells)
    if len(turns) == 2:
        table += f"\n\nRatio of the totals {statistics.median(ratios):.3f}."
    measuring.finish("notes", options, rows, table, lambda path: draw(path, rows))
    return 0


def draw(path: Path, rows: list[dict[str, Any]]) -> None:
    """A bar per engine, made of the parts of the program."""
    shades = (1.0, 0.85, 0.7, 0.5, 0.3)
    with measuring.figure(path, size=(7.2, 1.9)) as (axes,):
        for place, row in enumerate(rows):
            left = 0.0
            for part, shade in zip(PARTS, shades, strict=True):
                color = measuring.COLORS[row["engine"]]
                axes.barh(place, row[part], 0.6, left=left, color=color, alpha=shade, edgecolor="white")
                left += row[part]
            axes.text(left, place, f"  {statistics.median(row['totals']):.1f} s", va="center", fontsize=8)
        axes.set_yticks(range(len(rows)), [measuring.ENGINES[row["engine"]].title for row in rows])
        axes.invert_yaxis()
        axes.margins(x=0.1)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(f"seconds on the clock, from dark to pale: {', '.join(PARTS)}", fontsize=8)


if __name__ == "__main__":
    raise SystemExit(main())
