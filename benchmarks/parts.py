"""Where the time of a training step goes, kernel by kernel, and what is left: `python -m benchmarks parts`.

The kernels of the backend are wrapped in a clock, which costs a third of a microsecond a call. What they do
not account for is Python: calling layers, checking arguments, recording the graph, walking it, making arrays.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from . import measuring
from .engines import training_step
from .step import WORKLOADS, workload

FEWEST_STEPS = 15


def measure(engine: str, model: str, batch: int, seconds: float, threads: int) -> dict[str, Any]:
    """Microseconds of a step, and of each kernel in it: means over the steps of middling length."""
    from minitorch_cifar.kernels import active

    step = training_step(engine, model, batch, threads)
    step()
    _run(step, seconds / 2)
    of_step: dict[str, float] = defaultdict(float)

    def timed(name: str, kernel: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            start = time.perf_counter()
            result = kernel(*arguments)
            of_step[name] += (time.perf_counter() - start) * 1e6
            return result

        return run

    for name, kernel in [*vars(active).items()]:
        if not name.startswith("_"):
            vars(active)[name] = timed(name, kernel)
    spent: list[dict[str, float]] = []

    def watched() -> None:
        of_step.clear()
        step()
        spent.append(dict(of_step))

    times = _run(watched, seconds)
    order = sorted(range(len(times)), key=times.__getitem__)
    middle = order[len(order) // 4 : len(order) - len(order) // 4]
    names = {name for i in middle for name in spent[i]}
    kernels = {name: statistics.fmean(spent[i].get(name, 0.0) for i in middle) for name in names}
    return {"step": statistics.fmean(times[i] for i in middle), "kernels": kernels}


def _run(step: Callable[[], Any], seconds: float) -> list[float]:
    """Microseconds of each step."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < FEWEST_STEPS:
        start = time.perf_counter()
        step()
        times.append((time.perf_counter() - start) * 1e6)
    return times


def main(arguments: list[str] | None = None) -> int:
    """Print a list for each workload."""
    parser = measuring.parser("parts", __doc__, engines="minitorch")
    parser.add_argument(
        "--workloads", default=",".join(f"{m}:{b}" for m, b in WORKLOADS), help="model:batch,..."
    )
    parser.add_argument("--seconds", type=float, default=2.0, help="timed length of each (default 2)")
    options = parser.parse_args(arguments)
    workloads = [workload(item, parser) for item in options.workloads.split(",")]
    if options.engines not in ("minitorch", "deterministic"):
        parser.error("parts looks at one engine, minitorch or deterministic")
    measuring.begin(options)
    rows = []
    for model, batch in workloads:
        found = measuring.in_process(
            "parts", options.engines, options.threads, model=model, batch=batch, seconds=options.seconds
        )
        rows.append({"model": model, "batch": batch, **found})
        print(f"\n{model}, batch {batch}: {found['step']:.0f} us")
        for name, duration in _parts(found):
            print(f"  {name:36} {duration:9.1f} us {duration / found['step']:5.0%}", flush=True)
    measuring.finish("parts", options, rows, _table(rows))
    return 0


def _parts(found: dict[str, Any]) -> list[tuple[str, float]]:
    kernels = sorted(found["kernels"].items(), key=lambda part: -part[1])
    return [*kernels, ("everything else", found["step"] - sum(found["kernels"].values()))]


FAMILIES = {
    "conv": "convolution",
    "pooled_conv": "convolution",
    "pooled_batch_norm": "batch norm",
    "batch_norm": "batch norm",
    "move_average": "batch norm",
    "max_pool2d": "max pool",
    "relu": "ReLU",
    "linear": "linear",
    "sgd": "SGD",
    "log_softmax": "cross-entropy",
    "nll": "cross-entropy",
}


def _family(kernel: str) -> str:
    return next((family for start, family in FAMILIES.items() if kernel.startswith(start)), "other kernels")


def _table(rows: list[dict[str, Any]]) -> str:
    """The share of each family of kernels in each workload."""
    shares: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for column, row in enumerate(rows):
        for name, duration in _parts(row):
            part = "everything else: Python" if name == "everything else" else _family(name)
            shares[part][column] += duration / row["step"]
    order = [*dict.fromkeys(FAMILIES.values()), "other kernels", "everything else: Python"]
    lines = [
        [
            part,
            *(
                f"{shares[part][column]:.0%}" if column in shares[part] else "-"
                for column in range(len(rows))
            ),
        ]
        for part in order
        if part in shares
    ]
    lines.append(["step, ms", *(f"{row['step'] / 1e3:.2f}" for row in rows)])
    return measuring.markdown(["part", *(f"{row['model']} {row['batch']}" for row in rows)], lines)
