"""The page of the experiments: `python -m benchmarks experiments --page PAGE --from JSON,JSON,...`.

It sets the figures that `experiments --json` kept beside what the note reports of the same training. Seconds
are left out: such long trainings often share their machine with other work.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

PAGE_HEAD = """\
# The experiments of the notes

The second of the learners' notes ends in a list of trainings on CIFAR-10: momentum, more epochs, batch norm,
dropout. Here they are again, on all 50,000 pictures, the same program text on the engine and on PyTorch, from
the same seed: the same first weights, batches and dropout masks. Written by

    python -m benchmarks experiments PATH --json figures.json
    python -m benchmarks experiments --page docs/experiments.md --from figures.json

*Loss* is the mean over the training pictures of the last epoch; *accuracy* that on the 10,000 test pictures
after the last epoch, *best* that after the best epoch. The note, which trained on a GPU, gives the loss of
the last batches. A dash is a figure that it does not give, or a training that has not been run. Rounding in
the last place grows from step to step, and there are tens of thousands of steps: the two libraries agree in
what a change does, not in the last digits.
"""


class Reported(NamedTuple):
    """What the note says of a training."""

    loss: str
    accuracy: str


# By the names of `experiments.ROWS`.
NOTE = {
    "lenet-2": Reported("1.277", "57 %"),
    "lenet-0.99": Reported("stalls at about 2.08", "-"),
    "lenet-10": Reported("0.833", "61 %"),
    "lenet-20": Reported("0.534", "61 %"),
    "bn-10": Reported("about 0.3", "76 %"),
    "bn-dropout-1": Reported("0.746", "72 %"),
    "bn-dropout-2": Reported("1.491", "71 %"),
    "bn-50": Reported("0.088", "72 %"),
}

ENGINES = {"minitorch": "minitorch_cifar", "torch": "PyTorch"}


class Figures(NamedTuple):
    """What files of `--json` hold: the trainings by row and engine, and the machines they ran on."""

    trainings: dict[tuple[str, str], dict[str, Any]]
    machines: list[str]


def read(files: Iterable[Path]) -> Figures:
    """The figures of several files; of a training that is in two of them, the later file's."""
    trainings: dict[tuple[str, str], dict[str, Any]] = {}
    machines: list[str] = []
    for file in files:
        kept = json.loads(file.read_text(encoding="utf-8"))
        machine = ", ".join(f"{name} {value}" for name, value in kept["machine"].items())
        if machine not in machines:
            machines.append(machine)
        for training in kept["rows"]:
            trainings[training["row"], training["engine"]] = training
    return Figures(trainings, machines)


def page(figures: Figures, rows: Mapping[str, Any]) -> str:
    """The page, in Markdown. `rows`: `experiments.ROWS`; those without any figures are left out."""
    engines = [f"{name}: {what}" for name in ENGINES.values() for what in ("loss", "accuracy", "best")]
    lines = [_cells(["training", "note: loss", "accuracy", *engines]), _cells(["---"] * (3 + len(engines)))]
    for name, row in rows.items():
        found = [figures.trainings.get((name, engine)) for engine in ENGINES]
        if any(found):
            lines.append(_cells([row.what, *NOTE[name], *(cell for one in found for cell in _measured(one))]))
    settings = [
        f"- {row.what}: `{row.model}`, batches of {row.batch}, SGD with lr {row.lr}, momentum {row.momentum}"
        + (f", dropout {row.dropout[0]}" if row.dropout else "")
        for name, row in rows.items()
        if any((name, engine) in figures.trainings for engine in ENGINES)
    ]
    machines = [f"Run on: {machine}." for machine in figures.machines]
    return "\n".join([PAGE_HEAD, *lines, "", *settings, "", *machines, ""])


def _measured(training: Mapping[str, Any] | None) -> list[str]:
    if training is None:
        return ["-"] * 3
    accuracies = training["accuracies"]
    return [f"{training['losses'][-1]:.3f}", f"{accuracies[-1]:.1%}", f"{max(accuracies):.1%}"]


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
