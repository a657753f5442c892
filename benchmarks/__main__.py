"""`python -m benchmarks NAME [options]`: runs one of the measurements."""

from __future__ import annotations

import importlib
import sys

BENCHMARKS = {
    "step": "time of a training step",
    "parts": "where the time of a step goes",
    "notes": "the notes' whole program",
    "kernels": "kernels one by one, and the machine's peak",
    "scaling": "against batch, channels, threads",
    "memory": "peak memory of training steps",
    "startup": "imports, first steps, memory of an epoch",
    "ladder": "a convolution from six loops to the last kernel",
    "peak": "multiply-adds in registers",
    "accuracy": "test accuracy beside PyTorch's",
    "experiments": "the trainings with which the notes end",
    "gpu": "beside PyTorch on a GPU",
}


def main() -> int:
    """Dispatch to the benchmark named first."""
    if len(sys.argv) < 2 or sys.argv[1] not in BENCHMARKS:
        print("usage: python -m benchmarks NAME [options]   (NAME --help explains)\n", file=sys.stderr)
        for name, what in BENCHMARKS.items():
            print(f"  {name:12} {what}", file=sys.stderr)
        return 2
    status: int = importlib.import_module(f"benchmarks.{sys.argv[1]}").main(sys.argv[2:])
    return status


if __name__ == "__main__":
    raise SystemExit(main())
