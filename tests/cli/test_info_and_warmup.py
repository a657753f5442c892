"""`info` says what this process computes with, also when it compiles for another CPU; `warmup` leaves nothing
to compile."""

from __future__ import annotations

import re
from pathlib import Path

import numba
import numpy as np
import pytest

import minitorch_cifar
from minitorch_cifar.kernels import machine_code
from minitorch_cifar.kernels.numba_kernels import vectors

from ..reliability.watched import FULL, run, run_program
from .conftest import Command

AVX2 = "+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt,+avx,+avx2,+fma,+f16c,+bmi,+bmi2"


def table(output: str) -> dict[str, str]:
    """The rows of all sections."""
    rows = [line.strip() for line in output.splitlines() if line.startswith("  ")]
    return dict(re.split(r"\s{2,}", row, maxsplit=1) for row in rows)  # type: ignore[misc]


def test_info_names_versions_threads_and_kernels(command: Command) -> None:
    result = command("info")
    assert result.status == 0
    rows = table(result.output)
    assert rows["minitorch_cifar"] == minitorch_cifar.__version__
    assert rows["numpy"] == np.__version__
    assert rows["kernels"] == minitorch_cifar.backends.current()
    assert int(rows["threads in use"]) == minitorch_cifar.get_num_threads()
    assert rows["threading layer"].split()[0] in ("omp", "tbb", "workqueue")
    assert rows["vectors"].startswith(f"{vectors.VECTOR_BYTES} bytes, {vectors.VECTOR_BYTES // 4} numbers")
    assert rows["registers"] == f"{vectors.REGISTERS} vectors"
    assert ("AVX-512" in rows["CPU features"]) == vectors.IS_WIDE
    assert re.search(r"\(\d[\d,]* files?, \d+\.\d MB\)$", rows["machine code"])
    columns = {re.match(r"  \S.*?\s{2,}(?=\S)", line)[0] for line in result.output.splitlines()[1:3]}  # type: ignore[index]
    assert len({len(column) for column in columns}) == 1


@pytest.mark.parametrize(
    ("cpu", "features", "known", "vector", "tile"),
    [
        ("haswell", AVX2, "SSE2, AVX, FMA, AVX2", "32 bytes, 8 numbers", "6 pixels x 16 channels"),
        ("generic", None, "SSE2", "32 bytes, 8 numbers", "6 pixels x 16 channels"),
    ],
)
def test_info_under_another_cpu(
    tmp_path: Path, cpu: str, features: str | None, known: str, vector: str, tile: str
) -> None:
    environment = {"NUMBA_CPU_NAME": cpu, "NUMBA_CACHE_DIR": str(tmp_path)}
    if features:
        environment["NUMBA_CPU_FEATURES"] = features
    rows = table(run(["-m", "minitorch_cifar", "info"], **environment))
    assert rows["compiled for"] == f"{cpu}, by NUMBA_CPU_NAME"
    assert rows["CPU features"] == known
    assert rows["vectors"].startswith(vector)
    assert rows["registers"] == "16 vectors"
    assert rows["tile: convolution"] == tile
    assert rows["machine code"].startswith(str(tmp_path))


def test_info_and_warmup_where_numba_may_not_compile() -> None:
    rows = table(run(["-m", "minitorch_cifar", "info"], NUMBA_DISABLE_JIT="1"))
    assert rows["kernels"] == "numpy"
    assert "NUMBA_DISABLE_JIT" in rows["why not numba"]
    program = "from minitorch_cifar.cli import main; raise SystemExit(main(['warmup']) != 2)"
    assert run_program(program, NUMBA_DISABLE_JIT="1") == ""


def test_warmup_leaves_nothing_to_compile(command: Command) -> None:
    first = command("warmup", "--model", "lenet")
    assert first.status == 0, first.errors
    assert "Machine code: " in first.output
    before = minitorch_cifar.get_rng_state().tolist()
    again = command("warmup", "--model", "lenet")
    assert re.search(r"^Everything was there already; looking took \d+\.\d s\.$", again.output, re.MULTILINE)
    assert re.search(r"^  lenet +all there +\d+\.\d s$", again.output, re.MULTILINE)
    assert minitorch_cifar.get_rng_state().tolist() == before


def test_what_is_compiled_is_counted() -> None:
    def double(x: float) -> float:
        return 2 * x

    kernel = numba.njit(double)
    with machine_code.watched() as found:
        assert kernel(4.0) == 8.0
    assert found.kernels == 0  # not the package's
    double.__module__ = machine_code.__name__
    kernel = numba.njit(double)
    for expected in (1, 0):
        with machine_code.watched() as found:
            assert kernel(4.0) == 8.0
        assert found.kernels == expected
        assert found.seconds > 0


@pytest.mark.skipif(not FULL, reason="compiles everything anew: RELIABILITY=full")
def test_after_warmup_no_batch_size_compiles(tmp_path: Path) -> None:
    cache = {"NUMBA_CACHE_DIR": str(tmp_path)}
    first = run(["-m", "minitorch_cifar", "warmup"], **cache)
    assert re.search(r"^Ready: \d+ functions compiled in", first, re.MULTILINE)
    assert "Everything was there already" in run(["-m", "minitorch_cifar", "warmup"], **cache)
    program = """
    from minitorch_cifar.kernels import machine_code
    from minitorch_cifar.learn import warming
    warming.BATCH_SIZES = tuple(range(1, 65))
    with machine_code.watched() as found:
        for _, task in warming.tasks():
            task()
    print(found.kernels)
    """
    assert run_program(program, **cache).strip() == "0"
