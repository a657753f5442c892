"""Start-up and memory: `python -m benchmarks startup [--data PATH]`.

Seconds from process start to `import minitorch_cifar` done, to the first training step of each network on the
first run ever (empty compilation cache) and on later runs; and the peak memory of training one epoch.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from . import measuring
from .machine import thread_environment

FIRST_STEP = """
import minitorch_cifar as torch
from minitorch_cifar import models
network = models.{model}()
optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
loss = torch.nn.CrossEntropyLoss()(network(torch.randn({batch}, 3, 32, 32)), torch.randint(0, 10, ({batch},)))
loss.backward()
optimizer.step()
"""
BATCHES = {"lenet": 4, "quick": 64, "bn": 64}


def seconds(code: str, threads: int, cache: str | None = None) -> float:
    """How long a fresh process takes to run `code`."""
    environment = thread_environment(threads)
    if cache is not None:
        environment["NUMBA_CACHE_DIR"] = cache
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


def peak_megabytes(arguments: list[str], threads: int) -> float:
    """The peak memory of a `minitorch-cifar` command."""
    command = [sys.executable, "-m", "minitorch_cifar", *arguments]
    process = subprocess.Popen(command, env=thread_environment(threads), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with status {status}")
    assert isinstance(usage, resource.struct_rusage)
    return usage.ru_maxrss / 1024


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = measuring.parser("startup", __doc__, engines="minitorch")
    parser.add_argument("--runs", type=int, default=7, help="runs of each warm figure (default 7)")
    parser.add_argument(
        "--data", help="CIFAR-10 to measure the memory of an epoch on (skipped when not given)"
    )
    options = parser.parse_args(arguments)
    measuring.begin(options)
    print(f"medians of {options.runs} runs in fresh processes, seconds\n")

    def median(code: str, cache: str | None = None) -> float:
        return statistics.median(seconds(code, options.threads, cache) for _ in range(options.runs))

    bare = median("pass")
    numpy = median("import numpy")
    whole = median("import minitorch_cifar")
    print(f"python alone {bare:.2f}, import numpy {numpy:.2f}, import minitorch_cifar {whole:.2f}")
    rows: list[dict[str, Any]] = [
        {"what": "python alone", "seconds": bare},
        {"what": "`import numpy`", "seconds": numpy},
        {"what": "`import minitorch_cifar`", "seconds": whole},
    ]
    for model, batch in BATCHES.items():
        code = FIRST_STEP.format(model=model, batch=batch)
        with tempfile.TemporaryDirectory() as cache:
            first = seconds(code, options.threads, cache)
            later = median(code, cache)
        print(f"{model:6} to the end of the first step: first run ever {first:.1f}, later runs {later:.2f}")
        rows.append({"what": f"{model} to the end of the first step, first run ever", "seconds": first})
        rows.append({"what": f"{model} to the end of the first step, later runs", "seconds": later})
    if options.data:
        with tempfile.TemporaryDirectory() as folder:
            peak = peak_megabytes(
                [
                    "train",
                    "--data",
                    options.data,
                    "--model",
                    "lenet",
                    "--epochs",
                    "1",
                    "--run",
                    f"{folder}/run",
                ],
                options.threads,
            )
        print(f"peak memory of an epoch of lenet on all pictures: {peak:.0f} MiB")
        rows.append({"what": "peak memory of an epoch of lenet on all pictures, MiB", "mebibytes": peak})
    lines = [
        [row["what"], f"{row['seconds']:.2f}" if "seconds" in row else f"{row['mebibytes']:.0f}"]
        for row in rows
    ]
    measuring.finish("startup", options, rows, measuring.markdown(["seconds, in a fresh process", ""], lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
