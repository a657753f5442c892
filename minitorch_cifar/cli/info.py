"""`minitorch-cifar info`: versions, machine, threads and kernels, for a look and for bug reports."""

from __future__ import annotations

import argparse
import os
import platform
from importlib import metadata
from typing import Any

from .options import add_command
from .warmup import described

__all__ = ["add_parser", "run"]

EXAMPLES = """\
example:
  minitorch-cifar info
"""
PACKAGES = ("numpy", "numba", "pillow", "torch", "torchvision")
LAYERS = {"omp": "OpenMP", "tbb": "TBB", "workqueue": "Numba's own"}


def add_parser(commands: Any) -> None:
    """Adds the subcommand."""
    parser = add_command(commands, "info", "print versions, machine, threads and kernels", EXAMPLES)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints a table in sections; returns the exit status."""
    sections = {"Versions": _versions(), "Machine": _machine(), **_kernels()}
    width = max(len(name) for rows in sections.values() for name in rows)
    for number, (title, rows) in enumerate(sections.items()):
        print(("\n" if number else "") + title)
        for name, value in rows.items():
            print(f"  {name:<{width}}  {value}")
    return 0


def _versions() -> dict[str, str]:
    from .. import __version__

    return {
        "minitorch_cifar": __version__,
        "Python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _machine() -> dict[str, str]:
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "processor threads": str(os.cpu_count()),
    }


def _processor() -> str:
    """The processor's name as Linux tells it, or what Python knows."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _kernels() -> dict[str, dict[str, str]]:
    """The sections on threads and kernels."""
    from .. import backends, threads
    from ..kernels import machine_code

    used = {"threads in use": str(threads.get_num_threads()), "BLAS": _blas()}
    reason = machine_code.obstacle()
    if reason is not None:
        return {
            "Threads": used | {"threads in use": "1"},
            "Kernels": {"kernels": "numpy", "why not numba": reason},
        }
    layer = machine_code.threading_layer()
    used["threading layer"] = f"{layer} ({LAYERS[layer]})" if layer in LAYERS else layer
    target = machine_code.target()
    kernels = {
        "kernels": backends.current(),
        "compiled for": target.cpu + (", by NUMBA_CPU_NAME" if target.chosen else ", this processor"),
        "CPU features": ", ".join(target.features),
        "vectors": f"{target.vector_bytes} bytes, {target.vector_bytes // 4} numbers of float32",
        "registers": f"{target.registers} vectors",
        **{f"tile: {what}": tile for what, tile in target.tiles.items()},
        "machine code": described(machine_code.folder()),
    }
    return {"Threads": used, "Kernels": kernels}


def _blas() -> str:
    """The library that multiplies matrices for NumPy."""
    import numpy as np

    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{blas['name']} {blas.get('version', '')}".strip() + ", 1 thread"
