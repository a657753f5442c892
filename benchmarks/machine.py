"""What every table begins with: the machine, the versions, the threads."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


def cpu_name() -> str:
    """The processor as the system calls it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def describe(threads: int) -> dict[str, Any]:
    """Machine, versions and thread count, for a table's head and for JSON."""
    versions = {}
    for package in ("numpy", "numba", "torch", "torchvision", "jax", "mygrad"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            if package not in ("jax", "mygrad"):
                versions[package] = "not installed"
    return {
        "cpu": cpu_name(),
        "cores": cores(),
        "system": platform.system(),
        "python": platform.python_version(),
        **versions,
        "threads": threads,
    }


def head(threads: int) -> str:
    """`describe` as one line."""
    return ", ".join(f"{name} {value}" for name, value in describe(threads).items())


def thread_environment(threads: int) -> dict[str, str]:
    """The environment of a process in which every library uses so many threads."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    return {**os.environ, **dict.fromkeys(names, str(threads))}
