"""The same bits: whatever the number of threads and workers, on the first run and later ones, and with
`--deterministic` on every CPU.

A CPU with shorter vectors is played by this one: Numba compiles for it, and NumPy, its BLAS and the C library
are told to leave out what it does not have. `RELIABILITY=full` runs all kernels and networks on all CPUs;
otherwise two networks on one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minitorch_cifar import load

from .bits import NETWORKS
from .watched import FULL, finish, run, start

CPU_FEATURES = " ".join(getattr(np._core._multiarray_umath, "__cpu_dispatch__", []))  # type: ignore[attr-defined]
AVX2 = (
    "+64bit,+cmov,+cx8,+cx16,+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt,+avx,+avx2,+fma,+f16c,+bmi,+bmi2,"
    "+lzcnt,+movbe"
)
CPUS: dict[str, dict[str, str]] = {
    "host": {},
    "generic": {  # 16-byte vectors, no fused multiply-add
        "NUMBA_CPU_NAME": "generic",
        "OPENBLAS_CORETYPE": "Prescott",
        "NPY_DISABLE_CPU_FEATURES": CPU_FEATURES,
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-AVX512F",
    },
    "haswell": {  # 32-byte vectors; the name alone leaves Numba this CPU's features
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": AVX2,
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": " ".join(name for name in CPU_FEATURES.split() if "V3" not in name),
    },
    "haswell by name": {"NUMBA_CPU_NAME": "haswell"},
}
TOLERANCE = 5e-6  # across CPUs without --deterministic, relative to the largest element of a result


def computed(folder: Path, name: str, options: list[str], **environment: str) -> dict[str, Any]:
    """What `tests.reliability.bits` writes in such an environment."""
    file = folder / f"{name}.json"
    run(["-m", "tests.reliability.bits", str(file), *options], **environment)
    results: dict[str, Any] = json.loads(file.read_text())
    return results


def different(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    """The names of the results that are not the same bits."""
    assert a.keys() == b.keys()
    return [name for name in a if a[name]["digest"] != b[name]["digest"]]


def test_threads_change_no_bit_of_any_kernel_or_network(tmp_path: Path) -> None:
    """Four threads on however few cores: it is the number of shares that might matter."""
    options = ["--products", "--networks", "--kernels"]
    one, *others = (
        computed(tmp_path, str(n), options, NUMBA_NUM_THREADS=str(n), OPENBLAS_NUM_THREADS=str(n))
        for n in (1, 2, 4)
    )
    assert len(one) > 100
    for other in others:
        assert different(one, other) == []


SMALL = ["--products", "--networks=lenet"]
EVERYTHING = ["--products", "--networks", "--kernels"]


@pytest.mark.parametrize("cpu", ["generic", "haswell", "haswell by name"] if FULL else ["generic"])
def test_deterministic_results_are_the_same_bits_on_every_cpu(tmp_path: Path, cpu: str) -> None:
    options = ["--deterministic", *(EVERYTHING if FULL else SMALL)]
    here = computed(tmp_path, "here", options)
    there = computed(tmp_path, "there", options, NUMBA_CACHE_DIR=str(tmp_path / "cache"), **CPUS[cpu])
    assert different(here, there) == []


@pytest.mark.skipif(not FULL, reason="compiles the fast kernels for each CPU, minutes: RELIABILITY=full")
@pytest.mark.parametrize("cpu", ["generic", "haswell", "haswell by name"])
def test_other_results_are_within_the_tolerance_on_every_cpu(tmp_path: Path, cpu: str) -> None:
    """And some differ: or the other CPU is not played at all."""
    options = EVERYTHING
    here = computed(tmp_path, "here", options)
    there = computed(tmp_path, "there", options, NUMBA_CACHE_DIR=str(tmp_path / "cache"), **CPUS[cpu])
    if cpu != "haswell by name":
        assert different(here, there) != []
    for name in here:
        error = np.abs(np.subtract(here[name]["elements"], there[name]["elements"])).max()
        assert error <= TOLERANCE * here[name]["largest"], name


def trained(folder: Path) -> dict[str, Any]:
    """The parameters of a run, and its losses."""
    checkpoint = load(folder / "checkpoint.pth")
    losses = [{k: v for k, v in row.items() if "loss" in k} for row in checkpoint["metrics"]]
    return {name: value.numpy().tobytes() for name, value in checkpoint["model"].items()} | {"": losses}


@pytest.mark.parametrize("model", list(NETWORKS) if FULL else ["lenet"])
def test_first_and_later_runs_with_any_threads_and_workers(tmp_path: Path, model: str) -> None:
    """Two processes compile at once into one empty folder; the third finds all kernels there."""
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "NUMBA_NUM_THREADS": "4"}
    command = ["-m", "minitorch_cifar", "train", "--model", model, "--limit", "96", "--epochs", "2"]
    command += ["--batch-size", "32", "--augment"]
    variants = {"first": ("1", "0"), "at once": ("2", "1"), "later": ("4", "3")}
    arguments = {
        name: [*command, "--threads", threads, "--workers", workers, "--run", str(tmp_path / name)]
        for name, (threads, workers) in variants.items()
    }
    processes = [start(arguments[name], **cache) for name in ("first", "at once")]
    for process in processes:
        finish(process)
    run(arguments["later"], **cache)
    first, *others = (trained(tmp_path / name) for name in variants)
    for other in others:
        assert first == other


def test_train_deterministic_is_kept_by_the_run(tmp_path: Path) -> None:
    """The parameters are those of the deterministic kernels, and a resumed run goes on with them."""
    command = ["-m", "minitorch_cifar", "train", "--limit", "96", "--batch-size", "32", "--deterministic"]
    run([*command, "--epochs", "2", "--run", str(tmp_path / "whole")])
    run([*command, "--epochs", "1", "--run", str(tmp_path / "parts")])
    run(["-m", "minitorch_cifar", "train", "--resume", "--epochs", "2", "--run", str(tmp_path / "parts")])
    run([*command[:-1], "--epochs", "2", "--run", str(tmp_path / "fast")])
    assert trained(tmp_path / "whole") == trained(tmp_path / "parts")
    assert trained(tmp_path / "whole") != trained(tmp_path / "fast")
