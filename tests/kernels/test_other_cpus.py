"""The kernels on CPUs that this one can play, with shorter vectors and fewer registers, and where Numba may
not compile at all.

Every process compiles anew for its CPU, which takes longer than all tests of a family here. So by default a
network is trained for a few steps; `RELIABILITY=full` runs all tests of `tests/kernels` on each CPU, and
those of layers without Numba.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ..reliability import watched
from ..reliability.test_same_bits import CPUS, TOLERANCE, computed
from ..reliability.watched import FULL, run, start

SHORTER = ("haswell", "generic")
LENET = ["--networks=lenet"]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """LeNet after a few steps, trained by the kernels for this CPU."""
    return computed(tmp_path_factory.mktemp("here"), "here", LENET)


def assert_close(ours: dict[str, dict[str, object]], others: dict[str, dict[str, object]]) -> None:
    assert ours.keys() == others.keys()
    assert len(ours) > 10
    for name in ours:
        error = np.abs(np.subtract(ours[name]["elements"], others[name]["elements"])).max()  # type: ignore[arg-type]
        assert error <= TOLERANCE * ours[name]["largest"], name  # type: ignore[operator]


@pytest.mark.parametrize("cpu", SHORTER if FULL else ["generic"])
def test_a_network_trains_alike_on_a_cpu_with_shorter_vectors(
    here: dict[str, dict[str, object]], tmp_path: Path, cpu: str
) -> None:
    there = computed(tmp_path, cpu, LENET, NUMBA_CACHE_DIR=str(tmp_path / "cache"), **CPUS[cpu])
    assert_close(here, there)


def test_without_numba_a_warning_and_the_same_training(
    here: dict[str, dict[str, object]], tmp_path: Path
) -> None:
    file = tmp_path / "there.json"
    process = start(["-m", "tests.reliability.bits", str(file), *LENET], NUMBA_DISABLE_JIT="1")
    _, errors = process.communicate(timeout=watched.SECONDS)
    assert process.returncode == 0, errors
    assert errors.count("RuntimeWarning: Numba cannot be used here") == 1
    assert "NUMBA_DISABLE_JIT" in errors
    assert_close(here, json.loads(file.read_text()))


def pytest_run(*arguments: str, **environment: str) -> str:
    """What pytest prints at the end of a run in which nothing failed."""
    return run(["-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *arguments], **environment)


@pytest.mark.skipif(not FULL, reason="compiles all kernels anew, some minutes: RELIABILITY=full")
@pytest.mark.parametrize("cpu", SHORTER)
def test_all_kernels_on_a_cpu_with_shorter_vectors(
    tmp_path: Path, cpu: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "SECONDS", 3600)
    environment = {"RELIABILITY": "", "NUMBA_CACHE_DIR": str(tmp_path), **CPUS[cpu]}
    ignored = f"--ignore=tests/kernels/{Path(__file__).name}"
    assert " passed" in pytest_run("tests/kernels", ignored, **environment)


@pytest.mark.skipif(not FULL, reason="NumPy kernels take their time: RELIABILITY=full")
def test_all_layers_without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "SECONDS", 3600)
    assert " passed" in pytest_run("tests/nn/test_layers.py", NUMBA_DISABLE_JIT="1", RELIABILITY="")
