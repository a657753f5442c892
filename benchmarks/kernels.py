"""Kernels one by one, engine beside PyTorch: `python -m benchmarks kernels`.

Forward, gradient by input and gradient by weight for the convolutions of the three networks and for ten other
shapes, as times and as GFLOP/s (two operations per product of the dense sum, whatever a kernel skips), beside
what the machine can do at most (`peak.py`). Where a 2x2 max pool follows in the network, `behind a pool` is
the gradient that the pool hands on. Then the other kernels at the sizes of the three networks (`layers.py`).
The engine and PyTorch run in processes of their own, which take turns; the figures are medians over the
turns.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from . import layers, measuring
from .engines import ENGINES


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
    """Microseconds of each kernel of a shape, or of all `layers`, in this process."""
    if name == "layers":
        kernels = layers.calls(engine, threads)
    else:
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
        active.max_pool2d_forward(grad, (2, 2), (2, 2), (0, 0), (1, 1), pooled, indices, None)
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


def main(arguments: list[str] | None = None) -> int:
    """Print the tables."""
    parser = measuring.parser("kernels", __doc__)
    parser.add_argument(
        "--shapes", default=",".join(SHAPES), help="convolutions, comma-separated (default: all; none: -)"
    )
    parser.add_argument(
        "--layers", choices=("yes", "no"), default="yes", help="whether to measure the other kernels too"
    )
    parser.add_argument("--rounds", type=int, default=3, help="turns of each engine (default 3)")
    parser.add_argument("--seconds", type=float, default=0.2, help="timed length of a kernel in a turn")
    options = parser.parse_args(arguments)
    names = [name for name in options.shapes.split(",") if name != "-"]
    unknown = [name for name in names if name not in SHAPES]
    if unknown:
        parser.error(f"unknown shapes: {', '.join(unknown)}; there are {', '.join(SHAPES)}")
    engines = measuring.chosen_engines(options, parser)
    if not set(engines) <= {"minitorch", "torch"}:
        parser.error("kernels compares minitorch and torch only")
    measuring.begin(options)
    peak = measuring.in_process("peak", "minitorch", options.threads)["gflops"]
    print(f"at most {peak:.0f} GFLOP/s (multiply-adds in registers, {options.threads} threads)")
    print(f"{options.rounds} alternating rounds; medians, microseconds; GFLOP/s counted as dense sums\n")
    rows: list[dict[str, Any]] = []
    settings = {"seconds": options.seconds}
    columns = "".join(f"{engine:>16} {'GF/s':>5} {'of peak':>7}" for engine in engines)
    if names:
        print(f"{'convolution':12} {'kernel':24}{columns} {'ratio':>6}")
    for name in names:
        turns = measuring.in_turns("kernels", engines, options.rounds, options.threads, name=name, **settings)
        for kind in KINDS:
            if kind in turns[engines[0]][0]:
                operations = SHAPES[name].operations
                rows.append(_row(name, kind, turns, operations, peak))
                print(_line(rows[-1], engines), flush=True)
    if options.layers == "yes":
        print(f"\n{'kernel':34}" + "".join(f"{engine:>13}   " for engine in engines) + f"{'ratio':>6}")
        turns = measuring.in_turns(
            "kernels", engines, options.rounds, options.threads, name="layers", **settings
        )
        for kind in turns[engines[0]][0]:
            rows.append(_row("layers", kind, turns, None, peak))
            print(_line(rows[-1], engines), flush=True)
    tables = "\n\n".join(_tables(rows, engines))
    most = f"At most {peak:.0f} GFLOP/s: multiply-adds in registers, {options.threads} threads."
    measuring.finish(
        "kernels", options, rows, f"{most}\n\n{tables}", lambda path: draw(path, rows, engines, peak)
    )
    return 0


def _row(
    name: str, kind: str, turns: dict[str, list[dict[str, Any]]], operations: float | None, peak: float
) -> dict[str, Any]:
    """The figures of one kernel."""
    times = {engine: measuring.median_of(results, kind)[0] for engine, results in turns.items()}
    speeds = {engine: operations / 1e3 / time for engine, time in times.items()} if operations else {}
    ratio = measuring.ratio_of(turns, kind)
    return {"shape": name, "kernel": kind, "us": times, "gflops": speeds, "peak": peak, "ratio": ratio}


def _line(row: dict[str, Any], engines: list[str]) -> str:
    ratio = f"{row['ratio'][0]:7.2f}" if row["ratio"] else ""
    if not row["gflops"]:
        return f"{row['kernel']:34}" + "".join(f"{row['us'][e]:13.1f} us" for e in engines) + ratio
    sides = "".join(
        f"{row['us'][e]:13.0f} us {row['gflops'][e]:5.0f} {row['gflops'][e] / row['peak']:7.0%}"
        for e in engines
    )
    return f"{row['shape']:12} {row['kernel']:24}{sides}{ratio}"


def _tables(rows: list[dict[str, Any]], engines: list[str]) -> list[str]:
    """Of the convolutions, and of the other kernels."""
    dense = [row for row in rows if row["gflops"]]
    others = [row for row in rows if not row["gflops"]]
    ratio = ["ratio"] if len(engines) == 2 else []
    found = []
    if dense:
        header = [f"{ENGINES[e].title}{what}" for e in engines for what in (" us", " GFLOP/s", " of peak")]
        lines = []
        for row in dense:
            cells = [
                cell
                for e in engines
                for cell in (
                    f"{row['us'][e]:.0f}",
                    f"{row['gflops'][e]:.0f}",
                    f"{row['gflops'][e] / row['peak']:.0%}",
                )
            ]
            lines.append([row["shape"], row["kernel"], *cells, *_ratio(row)])
        found.append(measuring.markdown(["convolution", "kernel", *header, *ratio], lines))
    if others:
        header = [f"{ENGINES[e].title} us" for e in engines]
        lines = [[row["kernel"], *(f"{row['us'][e]:.1f}" for e in engines), *_ratio(row)] for row in others]
        found.append(measuring.markdown(["kernel", *header, *ratio], lines))
    return found


def _ratio(row: dict[str, Any]) -> list[str]:
    return [f"{row['ratio'][0]:.2f}"] if row["ratio"] else []


def draw(path: Path, rows: list[dict[str, Any]], engines: list[str], peak: float) -> None:
    """The speed of each convolution, a point per engine, with the peak as a line."""
    dense = [row for row in rows if row["gflops"]]
    with measuring.figure(path, size=(7.2, 1 + 0.17 * len(dense))) as (axes,):
        for engine in engines:
            axes.plot(
                [row["gflops"][engine] for row in dense],
                range(len(dense)),
                "o",
                markersize=5,
                color=measuring.COLORS[engine],
                label=ENGINES[engine].title,
            )
        axes.axvline(peak, color="#444444", linewidth=1, linestyle=":")
        axes.text(peak, -1, "peak ", fontsize=7.5, ha="right", va="center", color="#444444")
        names = [f"{row['shape']}: {row['kernel']}" for row in dense]
        axes.set_yticks(range(len(dense)), names, fontsize=6.5)
        axes.set_ylim(len(dense), -2)
        axes.set_xlim(left=0)
        axes.set_xlabel("GFLOP/s, dense counting", fontsize=8)
        axes.legend(frameon=False, fontsize=8, ncols=2, loc="lower left", bbox_to_anchor=(-0.01, 1))


if __name__ == "__main__":
    raise SystemExit(main())
