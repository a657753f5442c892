"""Time of one training step, engine beside PyTorch: `python -m benchmarks step`.

A step is zero_grad, forward, cross-entropy, backward, SGD with momentum, loss.item(). Each engine runs the
same program text in a process of its own; the two processes take turns, so that a change of the machine's
speed meets both. Every turn is warmed before it is timed, and gives the median of its blocks; the table shows
the medians over all turns, and the ratio of each pair of turns.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .machine import describe, head, thread_environment

# So many pictures take turns. One batch alone would soon be learned by heart: gradients of zero let the
# momentum fall into numbers so small that arithmetic on them is slow, in both engines.
PICTURES = 2000

WORKLOADS = (("lenet", 4), ("lenet", 64), ("quick", 1), ("quick", 64), ("bn", 64))


def measure(engine: str, model: str, batch: int, seconds: float, threads: int) -> dict[str, float]:
    """Milliseconds per step in this process: the median over blocks, and the loss at the end."""
    torch, networks = _engine(engine)
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    network = getattr(networks, model)()
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.001, momentum=0.9)
    batches = [
        (torch.randn(batch, 3, 32, 32), torch.randint(0, 10, (batch,)))
        for _ in range(max(PICTURES // batch, 8))
    ]
    turn = itertools.cycle(batches)

    def step() -> float:
        images, labels = next(turn)
        optimizer.zero_grad()
        loss = criterion(network(images), labels)
        loss.backward()
        optimizer.step()
        return float(loss.item())

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


def _engine(name: str) -> tuple[Any, Any]:
    if name == "minitorch":
        import minitorch_cifar
        from minitorch_cifar import models

        return minitorch_cifar, models
    import torch

    from reference import networks

    return torch, networks


def run(engine: str, model: str, batch: int, seconds: float, threads: int) -> dict[str, float]:
    """`measure` in a fresh process."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.step",
        "--measure",
        engine,
        model,
        str(batch),
        str(seconds),
        str(threads),
    ]
    result = subprocess.run(
        command, env=thread_environment(threads), capture_output=True, text=True, check=True
    )
    answer: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return answer


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks step", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--workloads", default=",".join(f"{m}:{b}" for m, b in WORKLOADS), help="model:batch,..."
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns of each engine (default 5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="timed length of a turn (default 3)")
    parser.add_argument("--threads", type=int, default=2, help="threads of every library (default 2)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    print(head(options.threads))
    print(
        f"{options.rounds} alternating rounds of {options.seconds:g} s each after warm-up; "
        "medians, milliseconds per step\n"
    )
    print(f"{'network':8} {'batch':>5} {'minitorch':>10} {'PyTorch':>10} {'ratio':>7}   ratios from-to")
    rows = []
    for item in options.workloads.split(","):
        model, _, batch = item.partition(":")
        times: dict[str, list[float]] = {"minitorch": [], "torch": []}
        for _ in range(options.rounds):
            for engine, values in times.items():
                values.append(run(engine, model, int(batch), options.seconds, options.threads)["ms"])
        ratios = [a / b for a, b in zip(times["minitorch"], times["torch"], strict=True)]
        ours, theirs = (statistics.median(times[name]) for name in ("minitorch", "torch"))
        ratio = statistics.median(ratios)
        print(
            f"{model:8} {batch:>5} {ours:10.3f} {theirs:10.3f} {ratio:7.3f}   "
            f"{min(ratios):.3f}-{max(ratios):.3f}",
            flush=True,
        )
        rows.append(
            {
                "model": model,
                "batch": int(batch),
                "minitorch_ms": times["minitorch"],
                "torch_ms": times["torch"],
            }
        )
    if options.json:
        options.json.write_text(json.dumps({"machine": describe(options.threads), "rows": rows}, indent=1))
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        engine, model, batch, seconds, threads = sys.argv[2:]
        print(json.dumps(measure(engine, model, int(batch), float(seconds), int(threads))))
    else:
        raise SystemExit(main())
