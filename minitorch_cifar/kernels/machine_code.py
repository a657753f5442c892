"""What the kernels are compiled for, what has been compiled, and where the machine code lies.

For `minitorch-cifar info` and `warmup`; no kernel needs it. Numba is imported when a function here is called,
not before.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from . import DEFAULT, load

_PACKAGE = __name__.rpartition(".")[0]

# LLVM's names of what matters to these kernels, and the names that people know.
_FEATURES = {
    "sse2": "SSE2",
    "avx": "AVX",
    "fma": "FMA",
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "amx-bf16": "AMX",
    "neon": "NEON",
    "sve": "SVE",
}


class Target(NamedTuple):
    """The CPU that kernels are compiled for, and what follows from it."""

    cpu: str  # as LLVM calls it
    chosen: bool  # by NUMBA_CPU_NAME, instead of the CPU at hand
    features: list[str]
    vector_bytes: int
    registers: int
    tiles: dict[str, str]


def target() -> Target:
    """Of this process: Numba reads the environment once, when it is imported."""
    import llvmlite.binding as llvm
    from numba.core import codegen, config

    from .numba_kernels import conv_weight, matrix_tiles, pixel_tiles, pooled_tiles, vectors

    enabled = config.CPU_FEATURES if config.CPU_FEATURES is not None else codegen.get_host_cpu_features()
    names = {name[1:] for name in enabled.split(",") if name.startswith("+")}
    host = str(llvm.get_host_cpu_name())
    cpu = host if config.CPU_NAME in (None, "host") else str(config.CPU_NAME)
    if llvm.get_process_triple().startswith("x86_64"):
        names.add("sse2")  # part of x86-64 itself
    lanes = vectors.VECTOR_BYTES // 4
    rows = 2 * matrix_tiles.ROWS
    unit = {"matrix unit": f"{rows} pixels x {rows} channels"} if matrix_tiles.HAS_MATRIX_UNIT else {}
    return Target(
        cpu,
        cpu != host,
        [known for name, known in _FEATURES.items() if name in names],
        vectors.VECTOR_BYTES,
        vectors.REGISTERS,
        unit
        | {
            "convolution": f"{pixel_tiles.PIXELS} pixels x {2 * lanes} channels",
            "weight gradient": f"{conv_weight._ROWS} channels x {conv_weight._VECTORS * lanes} weights",
            "behind a pool": f"{pooled_tiles.TILE_VECTORS} vectors of weights",
        },
    )


def obstacle() -> str | None:
    """Why Numba cannot compile here; None if it can."""
    try:
        load(DEFAULT)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def threading_layer() -> str:
    """Which of Numba's layers starts the threads: omp, tbb or workqueue."""
    import numba

    numba.get_num_threads()  # chooses one
    return str(numba.threading_layer())


class Folder(NamedTuple):
    """Where machine code is kept."""

    path: Path
    files: int
    size: int  # bytes


def folder() -> Folder:
    """The folder of the fast kernels' machine code. Numba chooses it: beside the source, or the user's cache,
    or NUMBA_CACHE_DIR."""
    load(DEFAULT)
    from .numba_kernels import runtime

    path = Path(runtime._loops[0].alone.stats.cache_path)
    sizes = [file.stat().st_size for file in path.glob("*.nbc")] if path.is_dir() else []
    return Folder(path, len(sizes), sum(sizes))


@dataclass
class Compilations:
    """What was compiled during a `watched` block: kernels, and seconds on the clock."""

    kernels: int = 0
    seconds: float = 0.0


@contextmanager
def watched() -> Iterator[Compilations]:
    """Counts the compilations of this package's functions while the block runs, and times the block.

    What is loaded from the disk is not counted.
    """
    from numba.core import event

    found = Compilations()

    class Counter(event.Listener):  # type: ignore[misc]
        def on_start(self, event: Any) -> None:
            function = event.data["dispatcher"].py_func
            found.kernels += function.__module__.startswith(_PACKAGE)

        def on_end(self, event: Any) -> None:
            """Nothing to do."""

    counter = Counter()
    event.register("numba:compile", counter)
    start = time.perf_counter()
    try:
        yield found
    finally:
        event.unregister("numba:compile", counter)
        found.seconds = time.perf_counter() - start
