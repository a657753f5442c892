"""Kernels stay within their arrays: no read and no write in front of an array or behind it.

Four ways of looking: new memory that is full of 0xFE, so that what is read without having been written makes
a sum huge; arrays between guards, NaN around what is read and a mark around what is written; arrays beside
pages that end the process when they are touched (`guard_pages.py`); and Numba's own check of every index
(`HOSTILE_BOUNDS=1`, minutes, since every kernel is compiled anew), which does not see vector loads.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch_cifar as torch
from minitorch_cifar.kernels import BACKENDS

from . import odd_sizes
from .watching import ROOT, run

GUARD, MARK = 64, 12345.0
CONV = importlib.import_module("minitorch_cifar.kernels.numba_kernels.conv")
CONV_NUMPY = importlib.import_module("minitorch_cifar.kernels.numpy_kernels.conv")


def test_odd_sizes_in_memory_that_is_not_zero(tmp_path: Path) -> None:
    """Every byte of memory that `malloc` gives is set to 0xFE; answers are PyTorch's all the same.

    A tenth of the calls, or all of them with HOSTILE_TURNS set.
    """
    every = odd_sizes.calls()
    drawn = every if "HOSTILE_TURNS" in os.environ else every[::10]
    outcome = run(drawn, tmp_path, MALLOC_PERTURB_="1")
    assert len(every) > 400
    assert not outcome.deaths, outcome.deaths
    wrong = [
        (drawn[number][1], entry.get("difference") or entry.get("message"))
        for number, entry in outcome.entries.items()
        if entry["ours"] != "answer" or entry.get("theirs") != "answer" or entry["difference"]
    ]
    assert not wrong, wrong[:5]


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's memory maps")
@pytest.mark.parametrize("side", ["end", "start"] if "HOSTILE_TURNS" in os.environ else ["end"])
def test_nothing_beside_an_array_is_touched(tmp_path: Path, side: str) -> None:
    """A tenth of the calls, behind arrays; with HOSTILE_TURNS set all of them, in front of arrays too."""
    proof = (
        "import ctypes, numpy; from tests.hostile import guard_pages;"
        f"guard_pages.install({side == 'end'}); a = numpy.zeros(1025, numpy.float32);"
        "p = a.ctypes.data; float(a[-1]) + float(a[0]); print('alive', flush=True);"
        f"ctypes.c_float.from_address(p + {'a.nbytes' if side == 'end' else '-4'}).value"
    )
    touched = subprocess.run([sys.executable, "-c", proof], cwd=ROOT, capture_output=True, text=True)
    assert (touched.stdout, touched.returncode) == ("alive\n", -signal.SIGSEGV), "there are no guards"
    every = odd_sizes.calls()
    drawn = every if "HOSTILE_TURNS" in os.environ else every[::10]
    outcome = run(drawn, tmp_path, HOSTILE_ALONE="1", HOSTILE_GUARD=side)
    assert not outcome.deaths, "\n".join(outcome.deaths)
    assert {entry["ours"] for entry in outcome.entries.values()} == {"answer"}
    assert len(outcome.entries) == len(drawn)


CHECKED_LOOP = """
import numba, numpy
from numba import prange

def loop(a, out):
    for i in prange(8):
        out[i] = a[i]

numba.njit(parallel=PARALLEL)(loop)(numpy.zeros(7), numpy.zeros(8))
"""


@pytest.mark.skipif(
    os.environ.get("HOSTILE_BOUNDS") != "1", reason="minutes of compiling: HOSTILE_BOUNDS=1 runs it"
)
@pytest.mark.parametrize("backend", ["numba", "deterministic"])
def test_numbas_own_check_of_indices_finds_nothing(tmp_path: Path, backend: str) -> None:
    """In every kernel, at odd sizes and on many numbers; on one thread, since Numba does not pass on what is
    raised in another thread's part of a loop.
    """
    checked = {
        "NUMBA_BOUNDSCHECK": "1",
        "NUMBA_NUM_THREADS": "1",
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
        "HOSTILE_ALONE": "1",
        "HOSTILE_BACKEND": backend,
    }
    for parallel in ("False", "True"):
        found = subprocess.run(
            [sys.executable, "-c", CHECKED_LOOP.replace("PARALLEL", parallel)],
            env={**os.environ, **checked},
            capture_output=True,
            text=True,
        )
        assert "IndexError: index is out of bounds" in found.stderr, "the check is not on"
    options = ["--networks", "--kernels", *(["--deterministic"] if backend == "deterministic" else [])]
    subprocess.run(
        [sys.executable, "-m", "tests.reliability.bits", str(tmp_path / "bits"), *options],
        env={**os.environ, **checked},
        cwd=ROOT,
        check=True,
    )
    outcome = run(odd_sizes.calls(), tmp_path, **checked)
    assert not outcome.deaths, outcome.deaths
    wrong = [
        (outcome.calls[n][1], e["error"][0], e["message"])
        for n, e in outcome.entries.items()
        if e["ours"] != "answer"
    ]
    assert not wrong, wrong[:5]
    assert len(outcome.entries) > 400


def guarded(values: np.ndarray, around: float) -> np.ndarray:
    """A copy of an array between two guards."""
    memory = np.full(values.size + 2 * GUARD, around, values.dtype)
    inner = memory[GUARD : GUARD + values.size].reshape(values.shape)
    inner[...] = values
    return inner


def guards_hold(inner: np.ndarray, around: float) -> bool:
    memory: Any = inner.base
    edges = np.concatenate([memory[:GUARD], memory[GUARD + inner.size :]])
    return bool(np.array_equal(edges, np.full(2 * GUARD, around, inner.dtype), equal_nan=True))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sizes", odd_sizes.CONVOLUTIONS, ids=lambda sizes: "-".join(map(str, sizes)))
def test_convolutions_keep_within_their_arrays(sizes: tuple[Any, ...], dtype: Any) -> None:
    c, o, h, w, kernel, stride, padding, dilation, groups, n = sizes
    kh, kw = eval(f"({kernel})")
    steps, border, spread = (
        eval(f"({text}, {text})" if "," not in text else f"({text})") for text in (stride, padding, dilation)
    )
    generator = np.random.default_rng(0)
    x, weight = (
        generator.normal(size=(n, c, h, w)).astype(dtype),
        generator.normal(size=(o, c // groups, kh, kw)).astype(dtype),
    )
    out_shape = tuple(
        (size + 2 * p - d * (k - 1) - 1) // s + 1
        for size, p, d, k, s in zip((h, w), border, spread, (kh, kw), steps, strict=True)
    )
    gradient = generator.normal(size=(n, o, *out_shape)).astype(dtype)
    arguments = (steps, border, spread, groups)
    jobs = {
        "conv2d_forward": ((x, weight, generator.normal(size=o).astype(dtype)), gradient.shape),
        "conv2d_grad_input": ((gradient, weight), x.shape),
        "conv2d_grad_weight": ((gradient, x), weight.shape),
    }
    for name, (inputs, shape) in jobs.items():
        expected = np.zeros(shape, np.float64)
        getattr(CONV_NUMPY, name)(*[a.astype(np.float64) for a in inputs], *arguments, expected)
        given = [guarded(a, np.nan) for a in inputs]
        out = guarded(np.full(shape, MARK, dtype), MARK)
        getattr(CONV, name)(*given, *arguments, out)
        assert not np.isnan(out).any(), f"{name} reads outside"
        assert guards_hold(out, MARK), f"{name} writes outside"
        assert all(guards_hold(a, np.nan) for a in given), f"{name} writes into what it reads"
        assert all(np.array_equal(a, b) for a, b in zip(given, inputs, strict=True))
        scale = np.abs(expected).max(initial=1.0)
        np.testing.assert_allclose(out, expected, atol=(1e-5 if dtype is np.float32 else 1e-12) * scale)


STATE = {
    "SGD": "momentum_buffer",
    "Adam": "exp_avg",
    "RMSprop": "square_avg",
    "Adagrad": "sum",
    "Adadelta": "acc_delta",
}


@pytest.fixture(params=BACKENDS)
def any_backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each backend, the deterministic one too."""
    with torch.backends.use(request.param):
        yield request.param


@pytest.mark.parametrize("shape", [(3,), (1000,), (10, 1000), (100_000,)])
@pytest.mark.parametrize("name", STATE)
def test_an_optimizers_state_of_another_shape_is_refused(
    any_backend: str, name: str, shape: tuple[int, ...]
) -> None:
    """Guards a crash: the loops ran over the end of the state that a file brought."""
    parameter = torch.nn.Parameter(torch.ones(1000, 10))
    optimizer = getattr(torch.optim, name)(
        [parameter], lr=0.1, **({"momentum": 0.9} if name == "SGD" else {})
    )
    parameter.grad = torch.ones(1000, 10)
    optimizer.step()
    state = optimizer.state_dict()
    state["state"][0][STATE[name]] = torch.ones(shape)
    optimizer.load_state_dict(state)
    if any_backend != "numpy":
        with pytest.raises(RuntimeError, match=r"arrays of shapes \[1000, 10\] and"):
            optimizer.step()
    else:
        with pytest.raises((RuntimeError, ValueError), match=r"shape|broadcast"):
            optimizer.step()


def test_data_of_another_shape_behind_an_optimizers_back_is_refused() -> None:
    parameter = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.Adam([parameter], lr=0.1)
    parameter.grad = torch.ones(3)
    optimizer.step()
    parameter.data = torch.ones(100_000)
    parameter.grad = torch.ones(100_000)
    with pytest.raises(RuntimeError, match="where one shape is expected"):
        optimizer.step()
