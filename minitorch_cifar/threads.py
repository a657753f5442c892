"""How many threads the engine computes with: `get_num_threads`, `set_num_threads`.

Two libraries have threads of their own: Numba, which runs the kernels, and the BLAS that NumPy brings for
matrix products. The kernels get the threads and the BLAS one: its workers spin while they wait, and would
take the cores from the kernels'. Results do not depend on the number.
"""

from __future__ import annotations

import ctypes
import glob
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

_wanted: int | None = None


def _available() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def get_num_threads() -> int:
    """The number of threads that kernels and matrix products use.

    >>> import minitorch_cifar as torch
    >>> torch.get_num_threads() >= 1
    True
    """
    if _wanted is not None:
        return _wanted
    return int(os.environ.get("NUMBA_NUM_THREADS", 0)) or _available()


def set_num_threads(num: int) -> None:
    """Use `num` threads; RuntimeError unless it is positive. More than the machine has are not started."""
    global _wanted
    if not isinstance(num, int) or isinstance(num, bool):
        raise TypeError(f"set_num_threads expects an int, but got {type(num).__name__}")
    if num <= 0:
        raise RuntimeError("set_num_threads expects a positive integer")
    _wanted = min(num, _available())
    if "numba" in sys.modules:
        apply_to_numba()


def apply_to_numba() -> None:
    """Pass the wish on to Numba; called when the kernels are loaded."""
    if _wanted is not None:
        import numba

        numba.set_num_threads(min(_wanted, numba.config.NUMBA_NUM_THREADS))


def hold_during_fork(lock: Any) -> None:
    """Let `os.fork` wait until `lock` is free: a forked process has no thread that could let go of it."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)


@cache
def leave_blas_one_thread() -> None:
    """Give the BLAS one thread; called before the first matrix product, and only then.

    With several, it cuts a product up by their number, and so the last bits of the result would depend on it.
    """
    library = _blas_library()
    if library is not None:
        library(1)


def _blas_library() -> Any:
    """The function of NumPy's bundled OpenBLAS that sets its threads; None where NumPy has another BLAS."""
    numpy = Path(np.__file__).resolve().parent
    folders = (numpy.parent / "numpy.libs", numpy / ".dylibs")  # of the wheels for Linux and Windows; macOS
    for path in [path for folder in folders for path in glob.glob(str(folder / "*openblas*"))]:
        library = ctypes.CDLL(path)
        for prefix, suffix in (("scipy_", "64_"), ("", "64_"), ("", "")):
            function = getattr(library, f"{prefix}openblas_set_num_threads{suffix}", None)
            if function is not None:
                function.argtypes = [ctypes.c_int]
                return function
    return None
