"""How time grows, engine beside PyTorch: `python -m benchmarks scaling`.

Three curves: a training step against the batch (per picture), a convolution with both gradients against its
channels (per product), and a training step against the threads. A *cliff* is a point at which a picture, or a
product, costs over 1.5 times as much as at the next smaller size.
"""

from __future__ import annotations

import itertools
import statistics
import time
from pathlib import Path
from typing import Any

from . import measuring
from .engines import ENGINES, libraries, training_step
from .machine import cores

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
CHANNELS = (3, 8, 16, 32, 64, 128, 256)
PICTURES, SIZE, KERNEL = 16, 16, 3  # of the convolution
CLIFF = 1.5


def measure(engine: str, curve: str, sizes: list[int], seconds: float, threads: int) -> dict[str, float]:
    """Milliseconds at each size, all in this process."""
    model, _, axis = curve.partition(" ")
    found = {}
    for size in sizes:
        if axis == "batch":
            call = training_step(engine, model, size, threads)
        elif axis == "threads":
            call = training_step(engine, model, 64, size)
        else:
            call = _convolution(engine, size, threads)
        call()
        call()
        times: list[float] = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(times) < 3:
            start = time.perf_counter()
            call()
            times.append((time.perf_counter() - start) * 1e3)
        found[str(size)] = statistics.median(times)
    return found


def _convolution(engine: str, channels: int, threads: int) -> Any:
    torch, _ = libraries(engine)
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(channels, channels, KERNEL, padding=1)
    x = torch.randn(PICTURES, channels, SIZE, SIZE).requires_grad_()
    gradient = torch.randn(PICTURES, channels, SIZE, SIZE)

    def call() -> None:
        x.grad = None
        layer.zero_grad()
        layer(x).backward(gradient)

    return call


def unit(curve: str, size: int) -> float:
    """What a cost is divided by: pictures, products of channels, nothing."""
    axis = curve.partition(" ")[2]
    return size if axis == "batch" else size**2 if axis == "channels" else 1


def cliffs(curve: str, times: dict[int, float]) -> list[int]:
    """The sizes at which a unit costs over 1.5 times as much as at the next smaller size.

    >>> cliffs("quick batch", {1: 1.0, 2: 1.5, 4: 6.1})
    [4]
    """
    costs = {size: value / unit(curve, size) for size, value in sorted(times.items())}
    sizes = list(costs)
    return [b for a, b in itertools.pairwise(sizes) if costs[b] > CLIFF * costs[a]]


def main(arguments: list[str] | None = None) -> int:
    """Print the curves."""
    parser = measuring.parser("scaling", __doc__)
    parser.add_argument("--models", default="lenet,quick,bn", help="whose steps (default: all three)")
    parser.add_argument("--batches", default=",".join(map(str, BATCHES)), help="(default: 1 to 1024)")
    parser.add_argument("--channels", default=",".join(map(str, CHANNELS)), help="(default: 3 to 256)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each engine (default 3)")
    parser.add_argument("--seconds", type=float, default=0.5, help="timed length of a point in a turn")
    options = parser.parse_args(arguments)
    engines = measuring.chosen_engines(options, parser)
    models = options.models.split(",")
    if not set(models) <= {"lenet", "quick", "bn"}:
        parser.error(f"--models takes lenet, quick and bn, not {options.models}")
    if "jax" in engines or "mygrad" in engines:
        parser.error("scaling measures minitorch, torch and torch-compile only")
    batches, channels = (
        [int(item) for item in text.split(",") if item] for text in (options.batches, options.channels)
    )
    curves = {f"{model} batch": batches for model in models} | {"convolution channels": channels}
    curves |= {f"{model} threads": list(range(1, cores() + 1)) for model in models}
    measuring.begin(options)
    print(f"{options.rounds} alternating rounds of {options.seconds:g} s a point; medians, milliseconds")
    rows: list[dict[str, Any]] = []
    for curve, sizes in curves.items():
        if not sizes:
            continue
        most = max(sizes) if curve.endswith("threads") else options.threads
        settings = {"curve": curve, "sizes": sizes, "seconds": options.seconds}
        turns = measuring.in_turns("scaling", engines, options.rounds, most, **settings)
        times = {
            engine: {size: measuring.median_of(turns[engine], str(size))[0] for size in sizes}
            for engine in engines
        }
        notes = {engine: cliffs(curve, times[engine]) for engine in engines}
        print(f"\n{curve:>22}" + "".join(f"{engine:>14}" for engine in engines) + "   ratio")
        for size in sizes:
            ratio = measuring.ratio_of(turns, str(size))
            row = {
                "curve": curve,
                "size": size,
                "ms": {engine: times[engine][size] for engine in engines},
                "ratio": ratio,
                "cliffs": [engine for engine in engines if size in notes[engine]],
            }
            rows.append(row)
            print(
                f"{size:22}"
                + "".join(f"{times[engine][size]:14.3f}" for engine in engines)
                + (f" {ratio[0]:7.2f}" if ratio else "")
                + ("   cliff: " + ", ".join(row["cliffs"]) if row["cliffs"] else ""),
                flush=True,
            )
    measuring.finish("scaling", options, rows, _table(rows, engines), lambda path: draw(path, rows, engines))
    return 0


def _table(rows: list[dict[str, Any]], engines: list[str]) -> str:
    header = ["what", "size", *(f"{ENGINES[engine].title}, ms" for engine in engines), "ratio", "cliff"]
    lines = [
        [
            row["curve"].replace("batch", "step, by batch").replace("threads", "step, by threads"),
            row["size"],
            *(f"{row['ms'][engine]:.3f}" for engine in engines),
            f"{row['ratio'][0]:.2f}" if row["ratio"] else "-",
            ", ".join(ENGINES[engine].title for engine in row["cliffs"]) or "no",
        ]
        for row in rows
    ]
    return measuring.markdown(header, lines)


def draw(path: Path, rows: list[dict[str, Any]], engines: list[str]) -> None:
    """Cost per picture against the batch, per product against the channels, time against the threads."""
    axes_of = ("batch", "channels", "threads")
    labels = ("batch", "channels of a convolution", "threads")
    units = ("microseconds per picture", "nanoseconds per picture and pair", "milliseconds per step")
    factors = (1e3, 1e6 / PICTURES, 1.0)
    styles = ("-", "--", ":")
    with measuring.figure(path, columns=3, size=(9.6, 3.2)) as axes:
        for one, axis, label, what, factor in zip(axes, axes_of, labels, units, factors, strict=True):
            curves = list(
                dict.fromkeys(row["curve"] for row in rows if row["curve"].partition(" ")[2] == axis)
            )
            for engine in engines:
                for style, curve in zip(styles, curves, strict=False):
                    points = [row for row in rows if row["curve"] == curve]
                    sizes = [row["size"] for row in points]
                    costs = [factor * row["ms"][engine] / unit(curve, row["size"]) for row in points]
                    name = ENGINES[engine].title
                    if axis != "channels":
                        name += f", {curve.partition(' ')[0]}"
                    one.plot(
                        sizes,
                        costs,
                        style,
                        color=measuring.COLORS[engine],
                        label=name,
                        marker="o",
                        markersize=2.5,
                        linewidth=1.4,
                    )
            if axis != "threads":
                one.set_xscale("log", base=2)
                one.set_yscale("log")
                one.yaxis.get_major_locator().set_params(subs=(1, 2, 5))
                for side in (one.xaxis, one.yaxis):
                    side.set_major_formatter("{x:g}")
                    side.set_minor_formatter("")
            else:
                one.set_ylim(bottom=0)
                one.xaxis.get_major_locator().set_params(integer=True)
            one.set_xlabel(label, fontsize=8)
            one.set_title(what, fontsize=8, loc="left", color="#444444")
        lines, names = axes[0].get_legend_handles_labels()
        axes[0].figure.legend(lines, names, loc="outside upper left", ncols=6, frameon=False, fontsize=7)


if __name__ == "__main__":
    raise SystemExit(main())
