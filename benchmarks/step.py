"""Time of one training step, engine beside its peers: `python -m benchmarks step`.

A step is zero_grad, forward, cross-entropy, backward, SGD with momentum, loss.item(). Each engine runs in a
process of its own; the processes take turns, so that a change of the machine's speed meets all. Every turn is
warmed before it is timed, and gives the median of its blocks; the table shows the medians over all turns, and
the ratio of each pair of turns.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

from . import measuring
from .engines import ENGINES, training_step

WORKLOADS = (("lenet", 4), ("lenet", 64), ("quick", 1), ("quick", 64), ("bn", 64))


def measure(engine: str, model: str, batch: int, seconds: float, threads: int) -> dict[str, float]:
    """Milliseconds per step in this process: the median over blocks, and the loss at the end."""
    step = training_step(engine, model, batch, threads)
    step()
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < seconds / 4:
        step()
        count += 1
    per_block = max(count // 5, 1)
    blocks = []
    start = time.perf_counter()
    while time.perf_counter() - start < seconds or len(blocks) < 3:
        begin = time.perf_counter()
        for _ in range(per_block):
            loss = step()
        blocks.append((time.perf_counter() - begin) / per_block * 1e3)
    return {"ms": statistics.median(blocks), "loss": loss}


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = measuring.parser("step", __doc__)
    parser.add_argument(
        "--workloads", default=",".join(f"{m}:{b}" for m, b in WORKLOADS), help="model:batch,..."
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns of each engine (default 5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="timed length of a turn (default 3)")
    options = parser.parse_args(arguments)
    workloads = [workload(item, parser) for item in options.workloads.split(",")]
    engines = measuring.chosen_engines(options, parser)
    measuring.begin(options)
    print(
        f"{options.rounds} alternating rounds of {options.seconds:g} s each after warm-up; "
        "medians (least - greatest), milliseconds per step\n"
    )
    print(f"{'network':8} {'batch':>5}" + "".join(f" {engine:>26}" for engine in engines) + "   ratio")
    rows: list[dict[str, Any]] = []
    for model, batch in workloads:
        turns = measuring.in_turns(
            "step",
            engines,
            options.rounds,
            options.threads,
            model=model,
            batch=batch,
            seconds=options.seconds,
        )
        cells = [measuring.median_of(turns[engine], "ms") for engine in engines]
        ratio = measuring.ratio_of(turns, "ms")
        print(
            f"{model:8} {batch:>5}"
            + "".join(f" {m:10.3f} ({low:6.3f} - {high:6.3f})" for m, low, high in cells)
            + (f"   {ratio[0]:.3f} ({ratio[1]:.3f} - {ratio[2]:.3f})" if ratio else ""),
            flush=True,
        )
        rows.append(
            {
                "model": model,
                "batch": batch,
                "ms": {engine: [turn["ms"] for turn in turns[engine]] for engine in turns},
                "ratio": ratio,
            }
        )
    table = _table(rows, engines)
    measuring.finish("step", options, rows, table, lambda path: draw(path, rows, engines))
    return 0


def workload(item: str, parser: argparse.ArgumentParser) -> tuple[str, int]:
    """`model:batch` of a command line."""
    model, _, batch = item.partition(":")
    if model not in ("lenet", "quick", "bn") or not batch.isdigit() or int(batch) < 1:
        parser.error(f"--workloads takes model:batch with lenet, quick or bn, not {item}")
    return model, int(batch)


def _table(rows: list[dict[str, Any]], engines: list[str]) -> str:
    header = ["network", "batch", *(f"{ENGINES[engine].title}, ms" for engine in engines)]
    lines = []
    for row in rows:
        cells = [
            f"{statistics.median(row['ms'][engine]):.3f}" if engine in row["ms"] else "-"
            for engine in engines
        ]
        if row["ratio"]:
            middle, low, high = row["ratio"]
            cells += [f"{middle:.2f}", f"{low:.2f} - {high:.2f}"]
        lines.append([row["model"], row["batch"], *cells])
    if any(row["ratio"] for row in rows):
        header += ["ratio", "from - to"]
    return measuring.markdown(header, lines)


def draw(path: Path, rows: list[dict[str, Any]], engines: list[str]) -> None:
    """Bars of the time of a step in units of PyTorch's (or of the first engine's), a group per workload."""
    base = "torch" if "torch" in engines else engines[0]
    with measuring.figure(path) as (axes,):
        height = 0.8 / len(engines)
        for i, engine in enumerate(engines):
            shares = [
                statistics.median(row["ms"][engine]) / statistics.median(row["ms"][base]) for row in rows
            ]
            places = [k + (i - (len(engines) - 1) / 2) * height for k in range(len(rows))]
            bars = axes.barh(
                places, shares, 0.92 * height, color=measuring.COLORS[engine], label=ENGINES[engine].title
            )
            times = [f" {statistics.median(row['ms'][engine]):.3g} ms" for row in rows]
            axes.bar_label(bars, times, fontsize=7.5, color="#444444")
        axes.set_yticks(range(len(rows)), [f"{row['model']}, batch {row['batch']}" for row in rows])
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.margins(x=0.12)
        axes.set_xlabel(f"time of a training step, {ENGINES[base].title} = 1", fontsize=8)
        axes.legend(
            frameon=False, fontsize=8, ncols=len(engines), loc="lower left", bbox_to_anchor=(-0.01, 1)
        )


if __name__ == "__main__":
    raise SystemExit(main())
