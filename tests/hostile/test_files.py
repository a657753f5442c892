"""Files from strangers: each is refused in time and memory that are bounded, and runs no code.

`files_worker.py` opens them in a process of its own: every case of `files.py`, and mutations of right files.
`HOSTILE_MUTATIONS=2000 HOSTILE_SEED=7 pytest tests/hostile/test_files.py` tries more of them.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pickle
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitorch_cifar.serialization.restricted_pickle import HANDLERS, MAX_STEPS, RestrictedUnpickler
from minitorch_cifar.serialization.unpickling import tensor_names
from minitorch_cifar.vision.datasets import CIFAR10, DatasetError

from .files import text
from .guided import PACKED

ROOT = Path(__file__).resolve().parents[2]
SECONDS, MEGABYTES = 2.0, 200.0  # of processor time, at the best of some tries, and of memory
BUSY = 3.0  # processes per core; where more want to run, processor time says little, and
SECONDS_WHEN_BUSY = 20.0
MUTATIONS, SEED = int(os.environ.get("HOSTILE_MUTATIONS", "8")), int(os.environ.get("HOSTILE_SEED", "0"))
GUIDED = os.environ.get("HOSTILE_GUIDED", "5")  # seconds
LOADERS = (
    "pth", "pth with trust", "weights", "checkpoint", "safetensors", "cifar archive", "cifar batch", "mnist",
    "mnist labels", "class names", "picture to predict", "picture in a folder", "run settings",
)  # fmt: skip


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What became of each file."""
    folder = tmp_path_factory.mktemp("around")
    process = subprocess.run(
        [sys.executable, "-m", "tests.hostile.files_worker", str(folder), str(SEED), str(MUTATIONS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    lines = [json.loads(line) for line in process.stdout.splitlines()]
    last = lines[-1] if lines else "none"
    assert lines, process.stderr[-2000:]
    assert "done" in lines[-1], f"exit code {process.returncode} after {last}\n{process.stderr[-2000:]}"
    found = lines[:-1]
    print(f"{len(found)} files, seed {SEED}: {dict(Counter(entry['loader'] for entry in found))}")
    slowest, largest = (max(entry[what] for entry in found) for what in ("seconds", "megabytes"))
    again = sum(entry["tries"] > 1 for entry in found)
    print(f"at most {slowest} s and {largest} MB; {again} were tried again")
    return found


def test_every_loader_is_tried(entries: list[dict[str, Any]]) -> None:
    counts = Counter(entry["loader"] for entry in entries)
    assert set(counts) == set(LOADERS)
    assert min(counts.values()) >= MUTATIONS
    assert len(entries) >= 1000


def test_each_is_refused_by_an_error_that_names_it(entries: list[dict[str, Any]]) -> None:
    wrong = [entry for entry in entries if "problem" in entry]
    opened = [entry for entry in entries if "opened" in entry and not entry["what"].startswith("mutation")]
    assert not wrong, wrong[:5]
    assert not opened, opened[:5]


def test_none_takes_long_or_much_memory(entries: list[dict[str, Any]]) -> None:
    """Processor time, so that other processes do not count; a machine that is more than busy does."""
    wrong = [
        entry
        for entry in entries
        if entry["megabytes"] > MEGABYTES
        or entry["seconds"] > (SECONDS if entry["load"] <= BUSY else SECONDS_WHEN_BUSY)
    ]
    assert not wrong, wrong[:5]


def test_the_first_3_megabytes_of_an_official_batch(cifar_root: Path, tmp_path: Path) -> None:
    target = tmp_path / "cifar-10-batches-py"
    target.mkdir()
    for file in (cifar_root / "cifar-10-batches-py").iterdir():
        (target / file.name).symlink_to(file)
    (target / "data_batch_1").unlink()
    with open(cifar_root / "cifar-10-batches-py" / "data_batch_1", "rb") as file:
        (target / "data_batch_1").write_bytes(file.read(3_000_000))
    began = time.process_time()
    with pytest.raises(DatasetError, match=r"data_batch_1: truncated: 3,000,000 bytes"):
        CIFAR10(tmp_path)
    assert time.process_time() - began < SECONDS


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
@pytest.mark.parametrize("loader", PACKED)
def test_files_that_atheris_makes(loader: str, tmp_path: Path) -> None:
    """See `guided.py`."""
    command = [sys.executable, "-m", "tests.hostile.guided", loader, f"-max_total_time={GUIDED}"]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    process = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr[-3000:]
    done = [line for line in process.stderr.splitlines() if "DONE" in line]
    print(done[-1])
    assert int(done[-1].lstrip("#").split()[0]) > 100


PIECES = st.one_of(
    st.sampled_from([bytes([opcode]) for opcode in HANDLERS]),
    st.sampled_from([bytes([opcode]) for opcode in range(256)]),
    st.sampled_from(
        [
            f"c{name.rpartition('.')[0]}\n{name.rpartition('.')[2]}\n".encode()
            for name in sorted(tensor_names())
        ]
    ),
    st.sampled_from(
        [b"cos\nsystem\n", b"cbuiltins\neval\n", b"q\x00", b"h\x00", b"r\0\0\0\x80", b"(", b"\x86", b"\x85R"]
    ),
    st.integers(-(2**31), 2**31 - 1).map(lambda n: b"J" + n.to_bytes(4, "little", signed=True)),
    st.text(max_size=6).map(text),
    st.binary(max_size=4),
)


@given(st.lists(PIECES, max_size=40))
def test_programs_of_any_opcodes_end_in_plain_data_or_in_a_refusal(pieces: list[bytes]) -> None:
    program = b"\x80\x02" + b"".join(pieces) + b"."
    before = set(sys.modules)
    message = ""
    try:
        RestrictedUnpickler(program, tensor_names(), lambda identity: identity).load()
    except pickle.UnpicklingError as error:
        message = str(error)
    assert len(message) < 2000
    assert set(sys.modules) == before


def test_steps_are_counted() -> None:
    content = b"\x80\x02" + b"N" * MAX_STEPS + b"."
    with pytest.raises(pickle.UnpicklingError, match=r"more than 1,000,000 steps"):
        RestrictedUnpickler(content, {}).load()
    assert RestrictedUnpickler(b"\x80\x02" + b"N" * 1000 + b".", {}).load() is None
