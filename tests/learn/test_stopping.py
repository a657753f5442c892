"""SIGINT and SIGTERM: the step is finished and saved, then the signal has its way; a second one has it at
once.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from minitorch_cifar.learn.checkpoint import load_checkpoint
from minitorch_cifar.learn.errors import UserError
from minitorch_cifar.learn.run import train
from minitorch_cifar.learn.run_folder import RunFolder
from minitorch_cifar.learn.stopping import Stopped, deferred_signals

from .conftest import Recorder, small
from .killing import assert_same, content, leftovers


class Obeyed(BaseException):
    """What the handlers of these tests raise."""


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Handlers that raise, as the command line sets them."""

    def obey(number: int, frame: Any) -> None:
        raise Obeyed(number)

    before = {number: signal.signal(number, obey) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number in before:
        assert signal.getsignal(number) is obey  # whatever happened
        signal.signal(number, before[number])


class Sender(Recorder):
    """A reporter that sends signals to its process at an event."""

    def __init__(self, event: tuple[Any, ...], *numbers: int) -> None:
        super().__init__()
        self.event, self.numbers = event, numbers

    def look(self, event: tuple[Any, ...]) -> None:
        if event == self.event:
            for number in self.numbers:
                signal.raise_signal(number)

    def step(self, epoch: int, step: int, loss: float, pictures: int) -> None:
        super().step(epoch, step, loss, pictures)
        self.look(("step", epoch, step))

    def test(self, epoch: int) -> None:
        super().test(epoch)
        self.look(("test", epoch))

    def epoch(self, row: Any) -> None:
        super().epoch(row)
        self.look(("epoch", row["epoch"]))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("whole")
    train(small(augment=True), RunFolder(folder), Recorder())
    return content(folder)


@pytest.mark.parametrize(
    ("event", "place"),
    [
        (("step", 1, 1), "epoch 1, step 1"),
        (("step", 2, 3), "epoch 2, step 3"),
        (("test", 1), "epoch 1, step 3"),
        (("epoch", 1), "epoch 1"),
        (("epoch", 2), "epoch 2"),
    ],
    ids=str,
)
@pytest.mark.parametrize(("number", "workers"), [(signal.SIGINT, 0), (signal.SIGTERM, 2)])
def test_what_was_learnt_is_saved_and_can_be_gone_on_from(
    tmp_path: Path, whole: dict[str, Any], event: tuple[Any, ...], place: str, number: int, workers: int
) -> None:
    settings, folder = small(augment=True), RunFolder(tmp_path)
    sender = Sender(event, number)
    with pytest.raises(Obeyed) as caught:
        train(settings, folder, sender, workers=workers)
    assert caught.value.args == (number,)
    assert load_checkpoint(tmp_path).place == place
    assert sender.events[-1][: len(event)] == event  # nothing was done any more
    train(settings, folder, Recorder(), resume=True, workers=workers)
    assert_same(content(tmp_path), whole)


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_does_not_wait(tmp_path: Path, second: int) -> None:
    folder = RunFolder(tmp_path)
    sender = Sender(("step", 2, 2), signal.SIGINT, second)
    with pytest.raises(Obeyed) as caught:
        train(small(), folder, sender, save_every=3)
    assert caught.value.args == (second,)
    assert load_checkpoint(tmp_path).place == "epoch 1"  # that of before
    assert leftovers(tmp_path) == []


def test_a_second_signal_in_the_middle_of_writing_leaves_the_checkpoint_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path)
    train(small(epochs=1), folder, Recorder())
    before = folder.checkpoint.read_bytes()
    from minitorch_cifar.serialization import archive

    write = archive.ArchiveWriter.write

    def interrupted(self: Any, name: str, content: Any) -> None:
        write(self, name, content)
        if name == "data/3":
            assert leftovers(tmp_path)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(archive.ArchiveWriter, "write", interrupted)
    with pytest.raises(Obeyed):
        train(small(), folder, Sender(("step", 2, 1), signal.SIGTERM), resume=True)
    assert folder.checkpoint.read_bytes() == before
    assert leftovers(tmp_path) == []


def test_a_signal_whose_save_fails_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards a stop that would claim to have saved."""
    from minitorch_cifar.learn import run

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run, "save_checkpoint", full)
    with pytest.raises(UserError, match=r"checkpoint\.pth: No space left"):
        train(small(), RunFolder(tmp_path), Sender(("step", 1, 1), signal.SIGTERM))


def test_signals_that_are_ignored_stay_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with deferred_signals() as request:
            signal.raise_signal(signal.SIGINT)
            assert not request
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def leave_by(error: Exception) -> None:
    """A block that is asked to end, and does so by an exception."""
    with deferred_signals() as request:
        signal.raise_signal(signal.SIGTERM)
        assert request
        raise error


def test_the_block_may_leave_by_stopped() -> None:
    with pytest.raises(Obeyed):
        leave_by(Stopped())
    with pytest.raises(ZeroDivisionError):
        leave_by(ZeroDivisionError())


def in_thread(function: Callable[[], None]) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert not errors, errors


def test_a_training_in_another_thread_does_without(tmp_path: Path) -> None:
    in_thread(lambda: train(small(), RunFolder(tmp_path), Recorder()))
    assert load_checkpoint(tmp_path).epoch == 2
