"""`python -m benchmarks NAME [options]`: runs one of the measurements."""

from __future__ import annotations

import sys

from . import accuracy, experiments, kernels, notes, startup, step

BENCHMARKS = {
    "step": step,
    "kernels": kernels,
    "notes": notes,
    "startup": startup,
    "accuracy": accuracy,
    "experiments": experiments,
}


def main() -> int:
    """Dispatch to the benchmark named first."""
    if len(sys.argv) < 2 or sys.argv[1] not in BENCHMARKS:
        print("usage: python -m benchmarks NAME [options]   (NAME --help explains)\n", file=sys.stderr)
        for name, module in BENCHMARKS.items():
            print(f"  {name:10} {(module.__doc__ or '').splitlines()[0]}", file=sys.stderr)
        return 2
    return BENCHMARKS[sys.argv[1]].main(sys.argv[2:])


if __name__ == "__main__":
    raise SystemExit(main())
