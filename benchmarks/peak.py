"""What a core can do at most: multiply-adds in registers and nothing else: `python -m benchmarks peak`.

Sixteen running values x (twelve where there are 16 registers), each replaced by x · a + b again and again. No
load, no store; the chains do not wait for each other. No kernel on vectors can be faster. Beside it the tile
of the convolution with channels side by side (`pixel_tiles.py`), all its numbers in the first-level cache.
"""

from __future__ import annotations

import time
from functools import cache
from typing import Any

from .machine import cores

ROUNDS = 2_000_000


@cache
def _loop() -> tuple[Any, int]:
    """The compiled loop, (rounds, shares) -> None, and its operations in a round of a share."""
    import numba
    import numpy as np
    from llvmlite import ir
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    from minitorch_cifar.kernels.numba_kernels.vectors import REGISTERS, Vectors

    chains = 16 if REGISTERS == 32 else 12

    @intrinsic  # type: ignore[untyped-decorator]
    def multiply_adds(typing_context: Any, rounds: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            of = Vectors(context, builder, types.float32)
            number = of.type.element
            a, b = (ir.Constant(of.type, [ir.Constant(number, v)] * of.lanes) for v in (0.5, 0.25))
            values = of.zeros(chains)
            with cgutils.for_range(builder, arguments[0]):
                for value in values:
                    product = builder.fmul(builder.load(value), a, flags=("contract",))
                    builder.store(builder.fadd(product, b, flags=("contract",)), value)
            total = builder.load(values[0])
            for value in values[1:]:
                total = builder.fadd(total, builder.load(value))
            return of.sum_of_lanes(total)

        return types.float32(rounds), generate

    @numba.njit(parallel=True)  # type: ignore[untyped-decorator]
    def loop(rounds: int, shares: int) -> float:
        results = np.empty(shares, np.float32)
        for share in numba.prange(shares):
            results[share] = multiply_adds(rounds)
        return float(results.sum())

    from minitorch_cifar.kernels.numba_kernels.vectors import VECTOR_BYTES

    return loop, 2 * chains * (VECTOR_BYTES // 4)


def measure(engine: str, threads: int, rounds: int = ROUNDS) -> dict[str, float]:
    """GFLOP/s of this process with so many threads: the best of ten runs."""
    import numba

    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    loop, operations = _loop()
    # Each of the x comes to rest at x = x/2 + 1/4.
    assert abs(loop(100, threads) - operations / 2 * 0.5 * threads) < 1
    best = float("inf")
    for _ in range(10):
        start = time.perf_counter()
        loop(rounds, threads)
        best = min(best, time.perf_counter() - start)
    found = {"gflops": operations * rounds * threads / best / 1e9}
    return {**found, "tile": tile_speed()} if threads == 1 else found


@cache
def _tile_loop() -> tuple[Any, int]:
    """The compiled loop over a tile, and the operations of a round."""
    import numba

    from minitorch_cifar.kernels.numba_kernels.pixel_tiles import PIXELS, pixel_tile
    from minitorch_cifar.kernels.numba_kernels.vectors import VECTOR_BYTES

    terms, vectors, width = 96, 2, 2 * VECTOR_BYTES // 4  # 12 KB of weights, 3 KB of pixels

    @numba.njit  # type: ignore[untyped-decorator]
    def loop(rounds: int, memory: Any, weights: int, places: Any, stretches: Any) -> None:
        frame = weights + terms * width
        out = frame + PIXELS * terms
        for _ in range(rounds):
            pixel_tile(
                memory, weights, width, memory, frame, places, 0, stretches, 0, 1, terms, memory, out, width,
                memory, out, width, PIXELS, vectors,
            )  # fmt: skip

    return loop, 2 * terms * PIXELS * width


def tile_speed(rounds: int = 20_000) -> float:
    """GFLOP/s of the tile on one thread: the best of ten runs."""
    import numpy as np

    from minitorch_cifar.kernels.numba_kernels.frames import aligned
    from minitorch_cifar.kernels.numba_kernels.pixel_tiles import PIXELS

    loop, operations = _tile_loop()
    memory, start = aligned(1 << 14, np.empty(0, np.float32))
    memory[:] = 0.5
    start = int(start)
    arguments = (memory, start, np.arange(PIXELS) * 96, np.zeros(1, np.int64))
    loop(1, *arguments)
    best = float("inf")
    for _ in range(10):
        begin = time.perf_counter()
        loop(rounds, *arguments)
        best = min(best, time.perf_counter() - begin)
    return operations * rounds / best / 1e9


def main(arguments: list[str] | None = None) -> int:
    """Print a line for each number of threads."""
    from . import measuring

    parser = measuring.parser("peak", __doc__, engines="minitorch")
    options = parser.parse_args(arguments)
    measuring.begin(options)
    rows = []
    for threads in sorted({1, options.threads, cores()}):
        found = measuring.in_process("peak", "minitorch", threads)
        print(f"{threads} threads: {found['gflops']:.0f} GFLOP/s in float32")
        if "tile" in found:
            print(f"the tile of a convolution, in the first-level cache: {found['tile']:.0f}")
        rows.append({"threads": threads, **found})
    measuring.finish("peak", options, rows)
    return 0
