"""`minitorch-cifar info`: versions, threads and kernels, for a look and for bug reports."""

from __future__ import annotations

import argparse
import os
import platform
from importlib import metadata
from typing import Any

from .options import add_command

__all__ = ["add_parser", "run"]

EXAMPLES = """\
example:
  minitorch-cifar info
"""


def add_parser(commands: Any) -> None:
    """Adds the subcommand."""
    parser = add_command(commands, "info", "print versions, threads and which kernels compute", EXAMPLES)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints a table; returns the exit status."""
    from .. import __version__, backends, threads

    rows = {
        "minitorch_cifar": __version__,
        "Python": platform.python_version(),
        **{name: _version(name) for name in ("numpy", "numba", "pillow", "torch", "torchvision")},
        "system": platform.platform(),
        "processor": _processor(),
        "processor threads": str(os.cpu_count()),
        "threads in use": str(threads.get_num_threads()),
        "kernels": backends.current(),
    }
    width = max(len(name) for name in rows)
    for name, value in rows.items():
        print(f"{name:<{width}}  {value}")
    return 0


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


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
