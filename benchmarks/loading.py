"""Loading data, engine beside PyTorch: `python -m benchmarks loading PATH`.

First the kernel alone that turns bytes into normalised floats, on batches that lie in memory as CIFAR-10's
files have them; PyTorch's is `x.float().div_(255).sub_(mean).div_(std)`. Then whole loaders over CIFAR-10,
shuffled, from the loop's point of view: nothing else runs, so that PyTorch's worker processes have the
machine to themselves. *Plain* is `ToTensor` and `Normalize`; *augmented* has `RandomCrop(32, padding=4)` and
`RandomHorizontalFlip` before them. Each engine has a process of its own, and the two take turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .machine import describe, head, thread_environment

BATCHES = (1, 4, 64)
LOADERS = [
    (chain, batch, workers) for chain in ("plain", "augmented") for batch in (4, 64) for workers in (0, 2)
]
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)


def measure(engine: str, data: str, seconds: float, threads: int) -> dict[str, float]:
    """Microseconds per batch, by row of the table, in this process."""
    if engine == "minitorch":
        from minitorch_cifar import compat

        compat.install()
    import torch
    from torchvision import datasets, transforms

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    if engine == "torch":
        from reference.data import UncheckedCIFAR10

        dataset = UncheckedCIFAR10(data, train=True)
    else:
        dataset = datasets.CIFAR10(data, train=True)
    times = {}
    for batch in BATCHES:
        times[f"kernel, {batch}"] = median_time(scaling(engine, torch, batch), seconds)
    scale = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    chains = {
        "plain": scale,
        "augmented": [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip(), *scale],
    }
    for chain, batch, workers in LOADERS:
        dataset.transform = transforms.Compose(chains[chain])
        loader = torch.utils.data.DataLoader(dataset, batch, shuffle=True, num_workers=workers)
        times[f"{chain}, {batch}, {workers} workers"] = loading_time(loader, seconds)
    return times


def scaling(engine: str, torch: Any, batch: int) -> Callable[[], Any]:
    """The kernel on one batch."""
    if engine == "torch":
        x = torch.randint(0, 256, (batch, 3, 32, 32), dtype=torch.uint8)
        mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
        return lambda: x.to(torch.float32).div_(255).sub_(mean).div_(std)
    import numpy as np

    from minitorch_cifar.kernels import active

    generator = np.random.default_rng(0)
    pictures = generator.integers(0, 256, (batch, 3, 32, 32), np.uint8)
    mean, std = (np.array(values, np.float32) for values in (MEAN, STD))
    chosen = np.arange(batch)
    return lambda: active.uint8_to_float(
        pictures, chosen, None, mean, std, np.empty(pictures.shape, np.float32)
    )


def median_time(function: Callable[[], Any], seconds: float) -> float:
    """Microseconds of a call."""
    function()
    function()
    found: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        function()
        found.append((time.perf_counter() - start) * 1e6)
    return statistics.median(found)


def loading_time(loader: Any, seconds: float) -> float:
    """Microseconds per batch from the second batch on; the start of the workers is not in it."""
    batches = iter(loader)
    next(batches)
    start = time.perf_counter()
    count = 0
    while (elapsed := time.perf_counter() - start) < seconds and next(batches, None) is not None:
        count += 1
    return elapsed / count * 1e6


def run(engine: str, data: Path, seconds: float, threads: int) -> dict[str, float]:
    """`measure` in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.loading", "--measure", engine, str(data), str(seconds)]
    result = subprocess.run(
        [*command, str(threads)], env=thread_environment(threads), capture_output=True, text=True, check=True
    )
    answer: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return answer


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks loading", description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, metavar="PATH", help="CIFAR-10 in its pickled form")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each engine (default 3)")
    parser.add_argument("--seconds", type=float, default=1.0, help="timed length of a row in a turn")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    print(head(options.threads))
    print(f"{options.rounds} alternating rounds; medians, microseconds per batch\n")
    turns: dict[str, list[dict[str, float]]] = {"minitorch": [], "torch": []}
    for _ in range(options.rounds):
        for engine, results in turns.items():
            results.append(run(engine, options.data, options.seconds, options.threads))
    print(f"{'what, batch':24} {'minitorch':>10} {'PyTorch':>10} {'ratio':>7}")
    rows = []
    for name in turns["torch"][0]:
        ours, theirs = (statistics.median(turn[name] for turn in turns[engine]) for engine in turns)
        print(f"{name:24} {ours:10.1f} {theirs:10.1f} {ours / theirs:7.3f}")
        rows.append({"what": name, "minitorch_us": ours, "torch_us": theirs})
    if options.json:
        options.json.write_text(json.dumps({"machine": describe(options.threads), "rows": rows}, indent=1))
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        engine, data, seconds, threads = sys.argv[2:]
        print(json.dumps(measure(engine, data, float(seconds), int(threads))))
