"""Accuracy on real CIFAR-10 beside PyTorch's: `python -m benchmarks accuracy PATH [--engine torch]`.

Trains each network with the defaults of the notes and prints its test accuracy after each epoch.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from .machine import head, thread_environment

RUNS = (
    ("lenet", 2, {}),
    ("quick", 3, {}),
    ("quick", 3, {"momentum": 0.9}),
    ("bn", 3, {}),
)


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks accuracy", description=__doc__.split("\n")[0])
    parser.add_argument("data", help="a folder that holds CIFAR-10")
    parser.add_argument("--seeds", default="0", help="comma-separated (default 0)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--engine", default="minitorch", choices=("minitorch", "torch"))
    parser.add_argument("--models", default="lenet,quick,bn", help="comma-separated")
    options = parser.parse_args(arguments)
    print(head(options.threads))
    print(f"engine {options.engine}; test accuracy in % after each epoch\n")
    for model, epochs, settings in RUNS:
        if model not in options.models.split(","):
            continue
        for seed in options.seeds.split(","):
            extra = [text for name, value in settings.items() for text in (f"--{name}", str(value))]
            with tempfile.TemporaryDirectory() as folder:
                command = [
                    sys.executable,
                    "-m",
                    "minitorch_cifar",
                    "train",
                    "--data",
                    options.data,
                    "--model",
                    model,
                ]
                command += ["--epochs", str(epochs), "--seed", seed, "--run", f"{folder}/run", *extra]
                if options.engine == "torch":
                    command += ["--engine", "torch"]
                subprocess.run(
                    command, env=thread_environment(options.threads), check=True, capture_output=True
                )
                rows = [
                    json.loads(line) for line in Path(folder, "run", "metrics.jsonl").read_text().splitlines()
                ]
            reached = ", ".join(f"{row['epoch']}: {100 * row['test_accuracy']:.2f}" for row in rows)
            spent = sum(row["seconds"] for row in rows)
            label = f"{model} {settings or ''}"
            print(f"{label:24} seed {seed}: {reached}   ({spent:.0f} s of training)", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
