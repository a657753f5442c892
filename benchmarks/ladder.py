"""From six nested loops to the last kernel, rung by rung: `python -m benchmarks ladder`.

The convolution of quick's second layer, 64 pictures of 32 channels to 32 channels, 16x16 pixels, 5x5 weights,
padding 2, on one thread. Each rung is a small function here, which docs/kernels.md explains; all results are
compared with PyTorch's. `--page docs/kernels.md` writes the code of the rungs and the table into that page.

Legend: n picture, c input channel, o output channel, (h, w) output pixel, (i, j) place in the kernel.
"""

from __future__ import annotations

import inspect
import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from minitorch_cifar.dtypes import Array
from minitorch_cifar.kernels.numba_kernels.pixel_tiles import PIXELS, pixel_tile
from minitorch_cifar.kernels.numba_kernels.tiles import multiply_tile
from minitorch_cifar.kernels.numba_kernels.vectors import REGISTERS, VECTOR_BYTES

from . import measuring

IMAGES, CHANNELS, OUTPUTS, SIZE, KERNEL = 64, 32, 32, 16, 5
PADDING = KERNEL // 2
LANES = VECTOR_BYTES // 4  # numbers of float32 in a vector
ROWS = 8 if REGISTERS == 32 else 4  # output channels of a register tile
BLOCK = 2 * LANES  # output channels side by side in two vectors


def six_loops(x: Array, weight: Array, out: Array) -> None:
    images, channels, height, width = x.shape
    outputs, _, kernel, _ = weight.shape
    padding = kernel // 2
    for n in range(images):
        for o in range(outputs):
            for h in range(height):
                for w in range(width):
                    total = np.float32(0)
                    for c in range(channels):
                        for i in range(kernel):
                            for j in range(kernel):
                                row, column = h + i - padding, w + j - padding
                                if 0 <= row < height and 0 <= column < width:
                                    total += weight[o, c, i, j] * x[n, c, row, column]
                    out[n, o, h, w] = total


def patches(x: Array, weight: Array, out: Array) -> None:
    outputs, _, kernel, _ = weight.shape
    edge = (kernel // 2, kernel // 2)
    matrix = weight.reshape(outputs, -1)  # (O, C · K · K)
    for picture, result in zip(x, out, strict=True):
        padded = np.pad(picture, ((0, 0), edge, edge))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(1, 2))
        columns = windows.transpose(0, 3, 4, 1, 2)  # (C, H, W, K, K) -> (C, K, K, H, W)
        np.matmul(matrix, columns.reshape(matrix.shape[1], -1), out=result.reshape(outputs, -1))


def reordered(x: Array, weight: Array, out: Array) -> None:
    images, channels, height, width = x.shape
    outputs, _, kernel, _ = weight.shape
    padding = kernel // 2
    out[:] = 0
    for n in range(images):
        for o in range(outputs):
            for c in range(channels):
                for i in range(kernel):
                    for j in range(kernel):
                        factor = weight[o, c, i, j]
                        up, left = i - padding, j - padding
                        for h in range(max(0, -up), min(height, height - up)):
                            for w in range(max(0, -left), min(width, width - left)):
                                out[n, o, h, w] += factor * x[n, c, h + up, w + left]


def framed(x: Array, weight: Array, out: Array) -> None:
    images, channels, height, width = x.shape
    outputs, _, kernel, _ = weight.shape
    padding = kernel // 2
    frame = np.zeros((channels, height + 2 * padding, width + 2 * padding), np.float32)
    sums = np.empty(width, np.float32)
    for n in range(images):
        frame[:, padding : padding + height, padding : padding + width] = x[n]
        for o in range(outputs):
            for h in range(height):
                sums[:] = 0
                for c in range(channels):
                    for i in range(kernel):
                        for j in range(kernel):
                            factor = weight[o, c, i, j]
                            for w in range(width):
                                sums[w] += factor * frame[c, h + i, w + j]
                out[n, o, h] = sums


def pack_planes(weight: Array) -> tuple[Array, Array]:
    outputs, channels, kernel, _ = weight.shape
    terms = channels * kernel * kernel
    packed = weight.reshape(outputs // ROWS, ROWS, terms).transpose(0, 2, 1)  # (O, K) -> (tiles, K, ROWS)
    pitch = SIZE + 2 * PADDING
    c, i, j = np.indices((channels, kernel, kernel))
    return np.ascontiguousarray(packed), ((c * pitch + i) * pitch + j).ravel()


def register_tiles(x: Array, packed: Array, offsets: Array, out: Array) -> None:
    images, channels, height, width = x.shape
    outputs = out.shape[1]
    pitch = width + 2 * PADDING
    frame = np.zeros((channels, pitch, pitch), np.float32)
    flat, weights, result = frame.reshape(-1), packed.reshape(-1), out.reshape(-1)
    out[:] = 0
    for n in range(images):
        frame[:, PADDING : PADDING + height, PADDING : PADDING + width] = x[n]
        for h in range(0, height, 2):
            for w in range(0, width, LANES):
                for o in range(0, outputs, ROWS):
                    place = ((n * outputs + o) * height + h) * width + w
                    multiply_tile(
                        weights, o * offsets.size, flat, h * pitch + w, pitch, offsets, 0, offsets.size,
                        result, place, height * width, width, ROWS, 2,
                    )  # fmt: skip


def pack_pixels(weight: Array) -> tuple[Array, Array, Array]:
    outputs, channels, kernel, _ = weight.shape
    stretch = kernel * channels
    rows = weight.transpose(2, 3, 1, 0)  # (O, C, K, K) -> (K, K, C, O)
    packed = rows.reshape(kernel, stretch, outputs // BLOCK, BLOCK).transpose(2, 0, 1, 3)
    pitch = SIZE + 2 * PADDING
    h, w = np.indices((SIZE, SIZE))
    places = np.zeros(SIZE * SIZE + PIXELS, np.int64)  # the last tile may reach beyond the last pixel
    places[: SIZE * SIZE] = ((h * pitch + w) * channels).ravel()
    return np.ascontiguousarray(packed), places, np.arange(kernel) * pitch * channels


def channels_side_by_side(x: Array, packed: Array, places: Array, stretches: Array, out: Array) -> None:
    images, channels, height, width = x.shape
    outputs, pixels, length = out.shape[1], height * width, packed.shape[2]
    pitch = width + 2 * PADDING
    frame = np.zeros((pitch, pitch, channels), np.float32)
    sums = np.zeros((pixels + PIXELS, outputs), np.float32)
    flat, weights, total = frame.reshape(-1), packed.reshape(-1), sums.reshape(-1)
    for n in range(images):
        for c in range(channels):  # (C, H, W) -> (H, W, C)
            frame[PADDING : PADDING + height, PADDING : PADDING + width, c] = x[n, c]
        sums[:] = 0
        for b in range(outputs // BLOCK):
            for s in range(stretches.size):  # the weights of a row of the kernel stay in the cache
                start = (b * stretches.size + s) * length * BLOCK
                for p in range(0, pixels, PIXELS):
                    pixel_tile(
                        weights, start, BLOCK, flat, 0, places, p, stretches, s, s + 1, length, total,
                        p * outputs + b * BLOCK, outputs, total, p * outputs + b * BLOCK, outputs, PIXELS, 2,
                    )  # fmt: skip
        for o in range(outputs):  # (H, W, O) -> (O, H, W)
            for p in range(pixels):
                out[n, o, p // width, p % width] = sums[p, o]


class Rung(NamedTuple):
    """A way to compute the convolution."""

    name: str
    title: str
    images: int  # that are computed; the time is scaled up to all
    make: Callable[[Array, Array, Array], Callable[[], Any]]  # from x, weight, out


def _plain(function: Callable[..., None]) -> Callable[[Array, Array, Array], Callable[[], Any]]:
    return lambda x, weight, out: lambda: function(x, weight, out)


def _packed(
    pack: Callable[[Array], tuple[Array, ...]], function: Callable[..., None]
) -> Callable[[Array, Array, Array], Callable[[], Any]]:
    """The packing is part of what is timed, as weights change with every step."""
    return lambda x, weight, out: lambda: function(x, *pack(weight), out)


def _engine(x: Array, weight: Array, out: Array) -> Callable[[], Any]:
    from minitorch_cifar.kernels import active

    bias = np.zeros(len(weight), np.float32)
    rest = ((1, 1), (PADDING, PADDING), (1, 1), 1)
    return lambda: active.conv2d_forward(x, weight, bias, *rest, out)


def _vectors(x: Array, weight: Array, out: Array) -> Callable[[], Any]:
    from minitorch_cifar.kernels import active
    from minitorch_cifar.kernels.numba_kernels import conv

    assert active.conv2d_forward is conv.conv2d_forward, "this is not the Numba backend"
    rest = ((1, 1), (PADDING, PADDING), (1, 1), 1)
    plan = conv._forward_plan(x.shape, weight.shape, *rest, out.shape, x.itemsize, False)
    return lambda: plan.correlate(x, weight, np.zeros(len(weight), np.float32), out)


RUNGS = (
    Rung("six_loops", "six loops in Python", 1, _plain(six_loops)),
    Rung("patches", "patches and a matrix product, NumPy", IMAGES, _plain(patches)),
    Rung("compiled", "six loops, compiled by Numba", IMAGES, _plain(njit(six_loops))),
    Rung("reordered", "rows innermost", IMAGES, _plain(njit(reordered))),
    Rung("framed", "zeros in a frame, sums of a row together", IMAGES, _plain(njit(framed))),
    Rung("register_tiles", "sums in registers", IMAGES, _packed(pack_planes, njit(register_tiles))),
    Rung(
        "channels_side_by_side",
        "channels side by side",
        IMAGES,
        _packed(pack_pixels, njit(channels_side_by_side)),
    ),
    Rung("vectors", "the engine's kernel, on vectors", IMAGES, _vectors),
    Rung("engine", "the engine's kernel, on the matrix unit if there is one", IMAGES, _engine),
)
GRADIENTS = {"by weight": "weight gradient, dense", "by weight behind a pool": "weight gradient, sparse"}
OPERATIONS = 2.0 * IMAGES * OUTPUTS * SIZE**2 * CHANNELS * KERNEL**2
CODE = {rung.name: (globals()[rung.name],) for rung in RUNGS if rung.name in globals()}
CODE["register_tiles"] = (pack_planes, register_tiles)
CODE["channels_side_by_side"] = (pack_pixels, channels_side_by_side)


def inputs(images: int = IMAGES) -> tuple[Array, Array]:
    """Random pictures and weights."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(images, CHANNELS, SIZE, SIZE)).astype(np.float32)
    weight = generator.normal(size=(OUTPUTS, CHANNELS, KERNEL, KERNEL)).astype(np.float32)
    return x, weight


def error(rung: Rung, images: int = IMAGES) -> float:
    """The largest difference from PyTorch's result in float64, relative to the largest number of it."""
    import torch

    x, weight = inputs(min(images, rung.images))
    out = np.full((len(x), OUTPUTS, SIZE, SIZE), 99, np.float32)
    rung.make(x, weight, out)()
    exact = torch.nn.functional.conv2d(
        torch.from_numpy(x).double(), torch.from_numpy(weight).double(), padding=PADDING
    )
    return float((torch.from_numpy(out) - exact).abs().max() / exact.abs().max())


def _timed(call: Callable[[], Any], seconds: float) -> float:
    """Milliseconds: the median of the calls, or the only one where it takes that long."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or not times:
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def measure(engine: str, seconds: float, threads: int) -> dict[str, float]:
    """Milliseconds of every rung, or of PyTorch's convolution and its weight gradient."""
    from . import kernels

    shape = kernels.SHAPES["quick conv2"]
    if engine == "torch":
        calls = kernels._theirs(shape, threads)
        found = {}
        for name in ("forward", "by weight"):
            calls[name]()
            found[name] = _timed(calls[name], seconds)
        return found
    found = {}
    for rung in RUNGS:
        x, weight = inputs(rung.images)
        call = rung.make(x, weight, np.empty((len(x), OUTPUTS, SIZE, SIZE), np.float32))
        if rung.name != "six_loops":
            call()  # compiles
        found[rung.name] = _timed(call, seconds) * IMAGES / rung.images
    calls = kernels._ours(shape, threads)
    for name in GRADIENTS:
        calls[name]()
        found[name] = _timed(calls[name], seconds)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Print the table; with `--page`, write code and table into the page."""
    parser = measuring.parser("ladder", __doc__)
    parser.set_defaults(threads=1)
    parser.add_argument("--rounds", type=int, default=3, help="turns of each engine (default 3)")
    parser.add_argument("--seconds", type=float, default=0.5, help="timed length of a rung in a turn")
    parser.add_argument("--code", type=Path, metavar="PAGE", help="only write the code of the rungs there")
    options = parser.parse_args(arguments)
    if options.code:
        write_code(options.code)
        return 0
    engines = measuring.chosen_engines(options, parser)
    if "minitorch" not in engines or not set(engines) <= {"minitorch", "torch"}:
        parser.error("--engines takes minitorch, or minitorch,torch")
    measuring.begin(options)
    peak = measuring.in_process("peak", "minitorch", options.threads)["gflops"]
    print(f"at most {peak:.0f} GFLOP/s; {options.rounds} alternating rounds, medians\n")
    turns = measuring.in_turns("ladder", engines, options.rounds, options.threads, seconds=options.seconds)
    titles = {rung.name: rung.title for rung in RUNGS} | GRADIENTS
    rows: list[dict[str, Any]] = []
    for name in titles:
        rows.append({"rung": name, "title": titles[name]} | _speed(turns["minitorch"], name, peak))
    if "torch" in engines:
        for name, title in (("forward", "PyTorch: forward"), ("by weight", "PyTorch: weight gradient")):
            rows.append({"rung": f"torch {name}", "title": title} | _speed(turns["torch"], name, peak))
    print(f"{'rung':44} {'ms':>12} {'GFLOP/s':>9} {'of peak':>8} {'gain':>8}")
    lines = []
    before = None
    for row in rows:
        on_ladder = row["rung"] in {rung.name for rung in RUNGS}
        row["gain"] = before / row["ms"] if before and on_ladder else None
        before = row["ms"] if on_ladder else None
        gain = f"{row['gain']:.1f}x" if row["gain"] else "-"
        cells = [f"{row['ms']:,.2f}", f"{row['gflops']:.3g}", f"{row['gflops'] / peak:.1%}", gain]
        print(f"{row['title']:44} {cells[0]:>12} {cells[1]:>9} {cells[2]:>8} {cells[3]:>8}")
        lines.append([row["title"], *cells])
    print("\nsix loops in Python: one picture, its time times 64")
    table = measuring.markdown(["rung", "ms", "GFLOP/s", "of peak", "gain over the one before"], lines)
    note = f"At most {peak:.0f} GFLOP/s. Six loops in Python: one picture, its time times {IMAGES}."
    if options.page:
        write_code(options.page)
    measuring.finish("ladder", options, rows, f"{note}\n\n{table}", lambda path: draw(path, rows, peak))
    return 0


def _speed(turns: list[dict[str, Any]], name: str, peak: float) -> dict[str, float]:
    milliseconds = measuring.median_of(turns, name)[0]
    return {"ms": milliseconds, "gflops": OPERATIONS / milliseconds / 1e6, "peak": peak}


def code(name: str) -> str:
    """The text of a rung's functions, without types."""
    texts = [inspect.getsource(function).rstrip() for function in CODE[name]]
    plain = [re.sub(r": (Array|int)\b|\) -> [^:]+(?=:\n)", _without_type, text) for text in texts]
    return "```python\n" + "\n\n".join(plain).replace("  # fmt: skip", "") + "\n```"


def _without_type(found: re.Match[str]) -> str:
    return ")" if found[0].startswith(")") else ""


def write_code(page: Path) -> None:
    """Puts the functions into their sections of the page."""
    for name in CODE:
        measuring.write_section(page, f"code of {name}", code(name))


def draw(path: Path, rows: list[dict[str, Any]], peak: float) -> None:
    """The speed of each rung on a logarithmic scale."""
    with measuring.figure(path, size=(7.2, 3.6)) as (axes,):
        colors = [
            measuring.COLORS["torch" if row["rung"].startswith("torch") else "minitorch"] for row in rows
        ]
        bars = axes.barh(range(len(rows)), [row["gflops"] for row in rows], 0.65, color=colors)
        axes.bar_label(bars, [f" {row['gflops']:.3g}" for row in rows], fontsize=7.5, color="#444444")
        axes.axvline(peak, color="#444444", linewidth=1, linestyle=":")
        axes.set_xscale("log")
        axes.set_yticks(range(len(rows)), [row["title"] for row in rows], fontsize=8)
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.margins(x=0.15)
        axes.set_xlabel("GFLOP/s on one thread, dense counting; dotted: the most there is", fontsize=8)


if __name__ == "__main__":
    raise SystemExit(main())
