"""Disks that are full, folders that cannot be written into or belong to another run: one line, nothing
lost.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from minitorch_cifar.cli import main
from minitorch_cifar.learn.checkpoint import load_checkpoint

from .killing import ROOT, Plain, assert_same, content, leftovers, wait

pytestmark = pytest.mark.filterwarnings("error")  # also what Python says of objects that cannot be closed
RUN = ["train", "--limit", "30", "--batch-size", "12", "--lr", "0.01", "--threads", "1", "--run", "run"]


Train = Callable[..., tuple[int, str]]


@pytest.fixture
def trained(capsys: pytest.CaptureFixture[str]) -> Train:
    """Status and errors of `minitorch-cifar train`, in this process."""

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        status = main([*RUN, *arguments])
        return status, capsys.readouterr().err

    return run


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run of one epoch."""
    monkeypatch.chdir(tmp_path)
    assert main([*RUN, "--epochs", "1"]) == 0
    return tmp_path


def assert_goes_on(folder: Path, before: bytes) -> None:
    """Nothing happened to the checkpoint, and the run goes on from it to the right end."""
    run = folder / "run"
    assert (run / "checkpoint.pth").read_bytes() == before
    assert leftovers(run) == []
    assert main([*RUN, "--epochs", "2", "--resume"]) == 0
    (folder / "whole").mkdir()
    os.chdir(folder / "whole")
    assert main([*RUN, "--epochs", "2"]) == 0
    assert_same(content(run), content(folder / "whole" / "run"))


def test_a_file_that_may_not_grow(begun: Path) -> None:
    """A limit on the size of files: the checkpoint's writing fails in its middle, as on a full disk."""
    before = (begun / "run" / "checkpoint.pth").read_bytes()

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    done = subprocess.run(
        [sys.executable, "-m", "minitorch_cifar", *RUN, "--epochs", "2", "--resume"],
        cwd=begun,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        preexec_fn=limit,
    )
    assert (done.returncode, done.stderr) == (
        2,
        "minitorch-cifar: error: cannot write run/checkpoint.pth: File too large "
        "(run keeps the network after epoch 1)\n",
    )
    assert_goes_on(begun, before)


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Mounts a small file system at a folder; skips where that is not allowed."""
    places: list[Path] = []

    def mount(at: Path, options: str) -> None:
        at.mkdir(exist_ok=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(at)], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        if at not in places:
            places.append(at)

    yield mount
    os.chdir("/")
    for place in places:
        subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_full(
    tmp_path: Path, mounted: Any, trained: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mounted(tmp_path / "run", "size=900k")  # room for one checkpoint and not for two
    assert main([*RUN, "--epochs", "1"]) == 0
    before = (tmp_path / "run" / "checkpoint.pth").read_bytes()
    assert trained("--epochs", "2", "--resume") == (
        2,
        "minitorch-cifar: error: cannot write run/checkpoint.pth: No space left on device "
        "(run keeps the network after epoch 1)\n",
    )
    subprocess.run(["mount", "-o", "remount,size=9m", str(tmp_path / "run")], check=True)
    assert_goes_on(tmp_path, before)


def test_a_folder_that_can_only_be_read(
    tmp_path: Path, mounted: Any, trained: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mounted(tmp_path / "run", "size=9m")
    assert main([*RUN, "--epochs", "1"]) == 0
    before = (tmp_path / "run" / "checkpoint.pth").read_bytes()
    subprocess.run(["mount", "-o", "remount,ro", str(tmp_path / "run")], check=True)
    assert trained("--epochs", "2", "--resume") == (
        2,
        "minitorch-cifar: error: cannot write run/config.json: Read-only file system "
        "(run keeps the network after epoch 1)\n",
    )
    subprocess.run(["mount", "-o", "remount,rw", str(tmp_path / "run")], check=True)
    assert_goes_on(tmp_path, before)


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind the superuser")
def test_a_folder_without_the_right_to_write(begun: Path, trained: Train) -> None:
    before = (begun / "run" / "checkpoint.pth").read_bytes()
    (begun / "run").chmod(0o500)
    try:
        status, errors = trained("--epochs", "2", "--resume")
    finally:
        (begun / "run").chmod(0o700)
    assert (status, errors.count("\n")) == (2, 1)
    assert "cannot write run/config.json: Permission denied" in errors
    assert_goes_on(begun, before)


def test_a_folder_that_goes_away(begun: Path, trained: Train) -> None:
    """One line also when the folder is removed or renamed while the run goes on."""
    from minitorch_cifar.learn import training

    test = training.Training._test

    def removing(self: Any, pause: Any) -> Any:
        (begun / "run").rename(begun / "elsewhere")
        return test(self, pause)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training.Training, "_test", removing)
        status, errors = trained("--epochs", "2", "--resume")
    assert (status, errors) == (
        2,
        "minitorch-cifar: error: cannot write run/metrics.jsonl: the folder is not there any more "
        "(run keeps the network after epoch 1)\n",
    )
    assert load_checkpoint(begun / "elsewhere").epoch == 1


def test_a_folder_of_another_live_run_and_of_a_dead_one(begun: Path, trained: Train) -> None:
    """The lock is the system's: it ends with the process, and nobody has to look for who holds it."""
    before = sorted(os.listdir(begun / "run"))
    other = Plain([*RUN, "--epochs", "1000000", "--resume"], begun)
    try:
        metrics = begun / "run" / "metrics.jsonl"
        while len(metrics.read_text().splitlines()) < 3:
            assert other.ended() is None, (begun / "log").read_text()
        for more in (["--resume", "--epochs", "2000000"], []):
            status, errors = trained(*more)
            assert (status, errors.count("\n")) == (2, 1), errors
            assert "run " in errors
            assert ("another run is writing into run right now" in errors) == bool(more)
        assert other.ended() is None
    finally:
        os.kill(other.pid, signal.SIGKILL)
        wait(other)
    epochs = load_checkpoint(begun / "run").epoch + 1
    assert main([*RUN, "--resume", "--epochs", str(epochs)]) == 0
    assert sorted(os.listdir(begun / "run")) == before
