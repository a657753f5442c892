"""Memory of a training step, engine beside PyTorch: `python -m benchmarks memory`.

Each process notes the most memory it ever held (the system's high-water mark) after importing the library,
after a step on one picture, which loads or compiles the kernels, and after steps on whole batches. What the
steps took is the difference between the last and the second; what grows with the number of steps, the
difference between step 30 and the last step.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Any

from . import measuring
from .engines import ENGINES, training_step

WORKLOADS = (("quick", 64), ("bn", 64))
SETTLED = 30  # steps
MEBIBYTE = 1 << 20


def most_held() -> int:
    """Bytes. (ru_maxrss would contain what the parent process held when it started this one.)"""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def measure(engine: str, model: str, batch: int, steps: int, threads: int) -> dict[str, float]:
    """Mebibytes at each of the moments."""
    training_step(engine, "lenet", 1, threads)
    found = {"imported": most_held() / MEBIBYTE}
    training_step(engine, model, 1, threads)()
    found["ready"] = most_held() / MEBIBYTE
    step = training_step(engine, model, batch, threads)
    for _ in range(min(SETTLED, steps)):
        step()
    found["settled"] = most_held() / MEBIBYTE
    for _ in range(steps - SETTLED):
        step()
    found["peak"] = most_held() / MEBIBYTE
    found["steps"] = found["peak"] - found["ready"]
    found["growth"] = found["peak"] - found["settled"]
    return found


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = measuring.parser("memory", __doc__)
    parser.add_argument("--steps", type=int, default=150, help="steps on whole batches (default 150)")
    parser.add_argument("--rounds", type=int, default=1, help="turns of each engine (default 1)")
    options = parser.parse_args(arguments)
    if options.steps <= SETTLED:
        parser.error(f"--steps must be more than {SETTLED}, not {options.steps}")
    engines = measuring.chosen_engines(options, parser)
    measuring.begin(options)
    print(f"{options.steps} steps; the most memory held, MiB\n")
    columns = ("imported", "ready", "peak", "steps", "growth")
    titles = ("import", "first step", "peak", "by the steps", "growth")
    print(f"{'network':8} {'batch':>5} {'engine':>14}" + "".join(f"{title:>13}" for title in titles))
    rows: list[dict[str, Any]] = []
    for model, batch in WORKLOADS:
        settings = {"model": model, "batch": batch, "steps": options.steps}
        turns = measuring.in_turns("memory", engines, options.rounds, options.threads, **settings)
        for engine in engines:
            cells = {name: measuring.median_of(turns[engine], name)[0] for name in columns}
            print(
                f"{model:8} {batch:>5} {engine:>14}" + "".join(f"{cells[name]:13.1f}" for name in columns),
                flush=True,
            )
            rows.append({"model": model, "batch": batch, "engine": engine, **cells})
    lines = [
        [row["model"], row["batch"], ENGINES[row["engine"]].title, *(f"{row[name]:.1f}" for name in columns)]
        for row in rows
    ]
    table = measuring.markdown(["network", "batch", "engine", *(f"{title}, MiB" for title in titles)], lines)
    measuring.finish("memory", options, rows, table, lambda path: draw(path, rows))
    return 0


def draw(path: Path, rows: list[dict[str, Any]]) -> None:
    """Bars: what was held before the steps, and what the steps added."""
    with measuring.figure(path, size=(7.2, 0.9 + 0.35 * len(rows))) as (axes,):
        places = range(len(rows))
        colors = [measuring.COLORS[row["engine"]] for row in rows]
        ready = [row["ready"] for row in rows]
        axes.barh(places, ready, 0.6, color=colors, alpha=0.35)
        bars = axes.barh(places, [row["steps"] for row in rows], 0.6, left=ready, color=colors)
        axes.bar_label(bars, [f" {row['steps']:.0f} MiB by the steps" for row in rows], fontsize=7.5)
        names = [f"{row['model']}, batch {row['batch']}: {ENGINES[row['engine']].title}" for row in rows]
        axes.set_yticks(places, names)
        axes.invert_yaxis()
        axes.margins(x=0.2)
        axes.set_xlabel("MiB held at most; pale: import and kernels", fontsize=8)


if __name__ == "__main__":
    raise SystemExit(main())
