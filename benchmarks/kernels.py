"""Convolution kernels one by one, engine beside PyTorch: `python -m benchmarks kernels`.

Forward, gradient by input and gradient by weight for the convolutions of the three networks and for ten other
shapes, as times and as GFLOP/s (two operations per product of the dense sum, whatever a kernel skips). The
engine and PyTorch run in processes of their own, which take turns; the figures are medians over the turns.
Where a 2x2 max pool follows in the network, `behind a pool` is the gradient that the pool hands on.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from .machine import describe, head, thread_environment


class Shape(NamedTuple):
    """A convolution of square pictures."""

    batch: int
    channels: int
    outputs: int
    kernel: int
    size: int
    padding: int = 0
    stride: int = 1
    dilation: int = 1
    groups: int = 1
    pooled: bool = False

    @property
    def out_size(self) -> int:
        reach = self.dilation * (self.kernel - 1) + 1
        return (self.size + 2 * self.padding - reach) // self.stride + 1

    @property
    def operations(self) -> float:
        """Of each of the three kernels."""
        terms = self.channels // self.groups * self.kernel**2
        return 2.0 * self.batch * self.outputs * self.out_size**2 * terms


SHAPES = {
    "lenet conv1": Shape(64, 3, 6, 5, 32, pooled=True),
    "lenet conv2": Shape(64, 6, 16, 5, 14, pooled=True),
    "quick conv1": Shape(64, 3, 32, 5, 32, 2, pooled=True),
    "quick conv2": Shape(64, 32, 32, 5, 16, 2, pooled=True),
    "quick conv3": Shape(64, 32, 64, 5, 8, 2, pooled=True),
    "bn conv1": Shape(64, 3, 32, 3, 32, 1),
    "bn conv2": Shape(64, 32, 64, 3, 16, 1),
    "bn conv3": Shape(64, 64, 128, 3, 8, 1),
    "stride 2": Shape(32, 32, 64, 3, 32, 1, stride=2),
    "dilation 2": Shape(32, 32, 32, 3, 32, 2, dilation=2),
    "4 groups": Shape(32, 32, 64, 3, 16, 1, groups=4),
    "1x1": Shape(32, 64, 64, 1, 16),
    "7x7": Shape(16, 3, 64, 7, 64, 3, stride=2),
    "one channel": Shape(64, 1, 16, 5, 28, 2),
    "odd sizes": Shape(17, 13, 29, 3, 19, 1),
    "batch 1": Shape(1, 32, 64, 3, 32, 1),
    "batch 256": Shape(256, 16, 16, 3, 16, 1),
    "256 channels": Shape(8, 256, 256, 3, 8, 1),
}
KINDS = ("forward", "by input", "by weight", "by input behind a pool", "by weight behind a pool")


def measure(engine: str, name: str, seconds: float, threads: int) -> dict[str, float]:
    """Microseconds of each kernel in this process."""
    kernels = (_ours if engine == "minitorch" else _theirs)(SHAPES[name], threads)
    times = {}
    for kind, kernel in kernels.items():
        kernel()
        kernel()
        found: list[float] = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(found) < 3:
            start = time.perf_counter()
            kernel()
            found.append((time.perf_counter() - start) * 1e6)
        times[kind] = statistics.median(found)
    return times


def _ours(shape: Shape, threads: int) -> dict[str, Callable[[], Any]]:
    import numpy as np

    import minitorch_cifar as torch
    from minitorch_cifar.kernels import active

    torch.set_num_threads(threads)
    generator = np.random.default_rng(0)

    def normal(*size: int) -> Any:
        return generator.normal(size=size).astype(np.float32)

    out = shape.out_size
    x = normal(shape.batch, shape.channels, shape.size, shape.size)
    weight = normal(shape.outputs, shape.channels // shape.groups, shape.kernel, shape.kernel)
    bias, grad = normal(shape.outputs), normal(shape.batch, shape.outputs, out, out)
    by_x, by_weight, y = np.empty_like(x), np.empty_like(weight), np.empty_like(grad)
    pairs = [(n, n) for n in (shape.stride, shape.padding, shape.dilation)]
    rest = (*pairs, shape.groups)
    kernels = {
        "forward": lambda: active.conv2d_forward(x, weight, bias, *rest, y),
        "by input": lambda: active.conv2d_grad_input(grad, weight, *rest, by_x),
        "by weight": lambda: active.conv2d_grad_weight(grad, x, *rest, by_weight),
    }
    if shape.pooled:
        pooled = np.empty((shape.batch, shape.outputs, out // 2, out // 2), np.float32)
        indices = np.empty(pooled.shape, np.int64)
        active.max_pool2d_forward(grad, (2, 2), (2, 2), (0, 0), (1, 1), pooled, indices)
        sparse = (normal(*pooled.shape), indices, (out, out))
        kernels["by input behind a pool"] = lambda: active.pooled_conv2d_grad_input(
            *sparse, weight, *rest, by_x
        )
        kernels["by weight behind a pool"] = lambda: active.pooled_conv2d_grad_weight(
            *sparse, x, *rest, by_weight
        )
    return kernels


def _theirs(shape: Shape, threads: int) -> dict[str, Callable[[], Any]]:
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    x = torch.randn(shape.batch, shape.channels, shape.size, shape.size)
    weight = torch.randn(shape.outputs, shape.channels // shape.groups, shape.kernel, shape.kernel)
    bias = torch.randn(shape.outputs)
    grad = torch.randn(shape.batch, shape.outputs, shape.out_size, shape.out_size)
    pairs = [[n, n] for n in (shape.stride, shape.padding, shape.dilation)]

    def backward(wanted: list[bool]) -> Callable[[], Any]:
        return lambda: torch.ops.aten.convolution_backward(
            grad, x, weight, None, *pairs, False, [0, 0], shape.groups, wanted
        )

    def forward() -> Any:
        with torch.no_grad():
            return torch.nn.functional.conv2d(x, weight, bias, *pairs, shape.groups)

    kernels = {
        "forward": forward,
        "by input": backward([True, False, False]),
        "by weight": backward([False, True, False]),
    }
    if shape.pooled:  # PyTorch's gradient is dense there as everywhere
        kernels["by input behind a pool"] = kernels["by input"]
        kernels["by weight behind a pool"] = kernels["by weight"]
    return kernels


def run(engine: str, name: str, seconds: float, threads: int) -> dict[str, float]:
    """`measure` in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.kernels", "--measure", engine, name]
    command += [str(seconds), str(threads)]
    result = subprocess.run(
        command, env=thread_environment(threads), capture_output=True, text=True, check=True
    )
    answer: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return answer


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks kernels", description=__doc__.split("\n")[0])
    parser.add_argument("--shapes", default=",".join(SHAPES), help="comma-separated (default: all)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each engine (default 3)")
    parser.add_argument("--seconds", type=float, default=0.2, help="timed length of a kernel in a turn")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    names = options.shapes.split(",")
    unknown = [name for name in names if name not in SHAPES]
    if unknown:
        parser.error(f"unknown shapes: {', '.join(unknown)}; there are {', '.join(SHAPES)}")
    print(head(options.threads))
    print(f"{options.rounds} alternating rounds; medians, microseconds and GFLOP/s counted as dense sums\n")
    print(f"{'convolution':12} {'kernel':24} {'minitorch':>18} {'PyTorch':>18} {'ratio':>6}")
    rows = []
    for name in names:
        turns: dict[str, list[dict[str, float]]] = {"minitorch": [], "torch": []}
        for _ in range(options.rounds):
            for engine, results in turns.items():
                results.append(run(engine, name, options.seconds, options.threads))
        for kind in KINDS:
            if kind not in turns["minitorch"][0]:
                continue
            ours, theirs = (
                statistics.median(turn[kind] for turn in turns[engine]) for engine in ("minitorch", "torch")
            )
            speed = SHAPES[name].operations / 1e3
            sides = " ".join(f"{side:9.0f} us {speed / side:5.0f}" for side in (ours, theirs))
            print(
                f"{name:12} {kind:24} {sides} {ours / theirs:6.2f}",
                flush=True,
            )
            rows.append({"shape": name, "kernel": kind, "minitorch_us": ours, "torch_us": theirs})
    if options.json:
        options.json.write_text(json.dumps({"machine": describe(options.threads), "rows": rows}, indent=1))
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        engine, name, seconds, threads = sys.argv[2:]
        print(json.dumps(measure(engine, name, float(seconds), int(threads))))
