"""A run that ended anywhere goes on to the same end: same bits, same lines; and only with its own
settings.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch_cifar as mt
from minitorch_cifar.learn.batches import AugmentedPictures
from minitorch_cifar.learn.checkpoint import load_checkpoint
from minitorch_cifar.learn.errors import UserError
from minitorch_cifar.learn.run import train
from minitorch_cifar.learn.run_folder import RunFolder
from minitorch_cifar.learn.settings import Settings, make_settings, refuse_other_settings
from minitorch_cifar.learn.training import Training

from .conftest import Recorder, small
from .killing import assert_same, content, leftovers

STEPS = 3  # of an epoch of `small`


class Killed(Exception):  # noqa: N818
    """Stands for the end of the process."""


class Killer(Recorder):
    """A reporter that ends the run at an event."""

    def __init__(self, *event: Any) -> None:
        super().__init__()
        self.last = event

    def step(self, epoch: int, step: int, loss: float, pictures: int) -> None:
        super().step(epoch, step, loss, pictures)
        self.look(("step", epoch, step))

    def test(self, epoch: int) -> None:
        super().test(epoch)
        self.look(("test", epoch))

    def look(self, event: tuple[Any, ...]) -> None:
        if event == self.last:
            raise Killed


def killed(settings: Settings, folder: RunFolder, *event: Any, **options: Any) -> Killer:
    """A run that ends at an event; the random numbers are then not what they were."""
    killer = Killer(*event)
    with pytest.raises(Killed):
        train(settings, folder, killer, **options)
    for seed in (mt.manual_seed, random.seed, np.random.seed):
        seed(999)
    return killer


class Drawer(Killer):
    """Draws a random number at each step, as other people's transforms and layers do."""

    def __init__(self, draw: Callable[[], float], *event: Any) -> None:
        super().__init__(*event)
        self.draw = draw
        self.drawn: list[float] = []

    def step(self, epoch: int, step: int, loss: float, pictures: int) -> None:
        self.drawn.append(self.draw())
        super().step(epoch, step, loss, pictures)


DRAWS: dict[str, Callable[[], float]] = {
    "the engine": lambda: mt.rand(()).item(),
    "Python": random.random,
    "NumPy": lambda: float(np.random.standard_normal()),  # draws pairs and keeps one
}


@pytest.mark.parametrize("generator", DRAWS)
def test_every_generator_goes_on_where_it_was(tmp_path: Path, generator: str) -> None:
    """Killed before a step was saved, which then draws again."""
    draw = DRAWS[generator]
    whole = Drawer(draw)
    train(small(augment=True), RunFolder(tmp_path / "whole"), whole)
    folder = RunFolder(tmp_path / "parts")
    killer = Drawer(draw, "step", 2, 2)
    with pytest.raises(Killed):
        train(small(augment=True), folder, killer, save_every=1)
    for seed in (mt.manual_seed, random.seed, np.random.seed):
        seed(999)
    resumed = Drawer(draw)
    train(small(augment=True), folder, resumed, resume=True)
    assert len(whole.drawn) == len(set(whole.drawn)) == 2 * STEPS
    assert killer.drawn[:-1] + resumed.drawn == whole.drawn
    assert_same(content(folder.path), content(tmp_path / "whole"))


RUNS = {
    "plain": {},
    "augmented": {"augment": True, "schedule": "cosine"},
    "bn": {"model": "bn", "augment": True, "momentum": 0.5},
    "quick": {"model": "quick", "schedule": "cosine"},
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """What runs that nobody stopped come to."""
    known: dict[str, dict[str, Any]] = {}

    def find(name: str) -> dict[str, Any]:
        if name not in known:
            folder = tmp_path_factory.mktemp(name)
            train(small(**RUNS[name]), RunFolder(folder), Recorder())
            known[name] = content(folder)
        return known[name]

    return find


ALL = [("step", epoch, step) for epoch in (1, 2) for step in range(1, STEPS + 1)] + [("test", 1), ("test", 2)]
SOME = [("step", 1, 2), ("test", 1), ("step", 2, 3)]


@pytest.mark.parametrize(
    ("run", "save_every", "workers", "events"),
    [
        ("plain", 1, (0, 2), ALL),
        ("plain", 2, (0, 0), ALL),
        ("plain", None, (2, 0), SOME),
        ("augmented", 1, (2, 0), ALL),
        ("bn", 1, (0, 2), SOME),
        ("bn", 2, (2, 2), SOME),
        ("quick", 1, (0, 0), SOME),
    ],
)
def test_from_every_step_to_the_same_bits(
    tmp_path: Path,
    whole: Callable[[str], dict[str, Any]],
    run: str,
    save_every: int | None,
    workers: tuple[int, int],
    events: list[tuple[Any, ...]],
) -> None:
    settings = small(**RUNS[run])
    for number, event in enumerate(events):
        folder = RunFolder(tmp_path / str(number))
        killed(settings, folder, *event, workers=workers[0], save_every=save_every)
        train(settings, folder, Recorder(), True, workers[1], save_every)
        assert_same(content(folder.path), whole(run))


def test_no_step_is_taken_twice_that_was_saved(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    killed(small(), folder, "step", 2, 3, save_every=2)
    recorder = Recorder()
    train(small(), folder, recorder, resume=True, save_every=2)
    assert recorder.events == [("begin", 1), ("step", 2, 3, 6), ("test", 2), ("epoch", 2)]


def test_checkpoints_come_every_n_steps_and_after_each_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from minitorch_cifar.learn import run as run_module

    places: list[str] = []
    monkeypatch.setattr(
        run_module, "save_checkpoint", lambda checkpoint, path: places.append(checkpoint.place)
    )
    train(small(batch_size=6), RunFolder(tmp_path), Recorder(), save_every=2)
    first = ["epoch 1, step 2", "epoch 1, step 4", "epoch 1"]
    assert places == [*first, "epoch 2, step 2", "epoch 2, step 4", "epoch 2"]


def test_a_checkpoint_from_within_an_epoch_is_a_network_like_any_other(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    killed(small(), folder, "step", 1, 3, save_every=2)
    checkpoint = load_checkpoint(tmp_path)
    assert (checkpoint.epoch, checkpoint.place) == (0, "epoch 1, step 2")
    assert checkpoint.network()(mt.zeros(1, 3, 32, 32)).shape == (1, 10)
    assert not (tmp_path / "metrics.jsonl").exists()


@pytest.mark.parametrize("extra", ['{"epoch": 2, "train_loss": 1.0}\n', '{"epoch": 2, "train_lo', "\0\0\0"])
def test_lines_behind_the_checkpoint_are_cut_at_once(tmp_path: Path, extra: str) -> None:
    folder, metrics = RunFolder(tmp_path), tmp_path / "metrics.jsonl"
    killed(small(), folder, "step", 2, 3, save_every=1)
    before = metrics.read_text()
    metrics.write_text(before + extra)
    killed(small(), folder, "step", 2, 3, resume=True)
    assert metrics.read_text() == before
    train(small(), folder, Recorder(), resume=True)
    assert [json.loads(line)["epoch"] for line in metrics.read_text().splitlines()] == [1, 2]


def test_temporary_files_of_the_dead_are_removed_and_no_others(tmp_path: Path) -> None:
    for name in (".checkpoint.pth.abc.part", ".metrics.jsonl.x_1.part", ".config.json.q.part"):
        (tmp_path / name).write_bytes(b"half")
    others = ["mine.part", ".other.abc.part", "checkpoint.pth.part"]
    for name in others:
        (tmp_path / name).write_bytes(b"kept")
    train(small(epochs=1), RunFolder(tmp_path), Recorder())
    assert sorted(leftovers(tmp_path)) == sorted(others)


def test_a_run_of_the_first_version_goes_on(tmp_path: Path) -> None:
    """Checkpoints from before there were places within an epoch, and those of the torch engine."""
    whole = train(small(epochs=2), RunFolder(tmp_path / "whole"), Recorder())
    folder = RunFolder(tmp_path / "old")
    train(small(epochs=1), folder, Recorder())
    old = mt.load(folder.checkpoint)
    for name in ("running", "other_random_states", "scheduler"):
        del old[name]
    for name in ("augment", "schedule"):
        del old["settings"][name]
    mt.save({**old, "version": 1}, folder.checkpoint)
    resumed = train(small(epochs=2), folder, Recorder(), resume=True)
    assert_same(dict(resumed.network.state_dict()), dict(whole.network.state_dict()))


DAMAGES: dict[str, Any] = {
    "step beyond the epoch": lambda c: c["running"].update(step=4),
    "step before it": lambda c: c["running"].update(step=-1),
    "step of another kind": lambda c: c["running"].update(step="1"),
    "place of another kind": lambda c: c.update(running={"step": 1}),
    "no place": lambda c: c.update(running=[1]),
    "order from no state": lambda c: c["running"].update(order_state=mt.zeros(3)),
    "no random state": lambda c: c.update(random_state=7),
    "other states without Python's": lambda c: c["other_random_states"].pop("python"),
    "words beyond NumPy's": lambda c: c["other_random_states"]["numpy"].__setitem__(2, 625),
    "too few of Python's": lambda c: c["other_random_states"]["python"].__setitem__(1, [1, 2]),
    "scheduler of another kind": lambda c: c.update(scheduler={"optimizer": 1}),
    "more lines than epochs": lambda c: c.update(epoch=7),
    "optimizer of another network": lambda c: c.update(optimizer={"state": {}, "param_groups": []}),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_state_that_is_none_is_refused(tmp_path: Path, damage: str) -> None:
    folder, settings = RunFolder(tmp_path), small(schedule="cosine")
    killed(settings, folder, "step", 2, 3, save_every=2)
    values = mt.load(folder.checkpoint)
    DAMAGES[damage](values)
    mt.save(values, folder.checkpoint)
    with pytest.raises(UserError, match=r"checkpoint\.pth is a damaged checkpoint: "):
        train(settings, folder, Recorder(), resume=True)


def test_a_run_keeps_its_settings() -> None:
    stored = make_settings("bn", limit=10, augment=True)
    for name, value, said in (
        ("augment", False, "with --augment and cannot be resumed without --augment"),
        ("schedule", "cosine", "with --schedule constant and cannot be resumed with --schedule cosine"),
        ("limit", None, "with --limit 10 and cannot be resumed without --limit"),
    ):
        wanted = make_settings(**{**stored.as_dict(), name: value})
        with pytest.raises(UserError, match=f"the run in mine was started {said}; only --epochs may change"):
            refuse_other_settings(wanted, stored, "mine")
    refuse_other_settings(make_settings(**{**stored.as_dict(), "epochs": 99}), stored, "mine")


def test_a_schedule_over_all_epochs_fixes_their_number() -> None:
    stored = make_settings(schedule="cosine", epochs=4)
    with pytest.raises(UserError, match=r"with --epochs 4 and cannot .* with --epochs 5: its learning rate"):
        refuse_other_settings(make_settings(schedule="cosine", epochs=5), stored, "mine")


def test_the_learning_rate_falls_along_a_cosine_step_by_step(tmp_path: Path) -> None:
    rates: list[float] = []

    class Looker(Recorder):
        def begin(self, training: Training, folder: RunFolder) -> None:
            self.training = training

        def step(self, epoch: int, step: int, loss: float, pictures: int) -> None:
            rates.append(self.training.optimizer.param_groups[0]["lr"])

    train(small(schedule="cosine"), RunFolder(tmp_path), Looker())
    expected = [0.01 * (1 + np.cos(np.pi * k / 6)) / 2 for k in range(1, 7)]
    np.testing.assert_allclose(rates, expected, atol=1e-12)


def pixels(training: Training) -> list[Any]:
    return [images.numpy().copy() for images, _ in training.loader]


def test_augmentation_depends_on_seed_and_epoch_and_not_on_the_workers() -> None:
    a, b = (pixels(Training(small(augment=True), workers=workers)) for workers in (0, 2))
    assert_same([x.tolist() for x in a], [x.tolist() for x in b])
    assert not np.array_equal(np.concatenate(a), np.concatenate(pixels(Training(small()))))
    again = Training(small(augment=True))
    again.augmented.epoch = 1
    assert not np.array_equal(np.concatenate(pixels(again)), np.concatenate(a))


def test_augmented_pictures_are_the_same_one_by_one_and_in_batches() -> None:
    training = Training(small(augment=True))
    pictures = training.augmented
    assert isinstance(pictures, AugmentedPictures)
    read = pictures.batch_reader()
    indices = [4, 0, 9]
    together = read(indices)
    samples = pictures.__getitems__(indices)
    np.testing.assert_array_equal(together[0].numpy(), np.stack([x.numpy() for x, _ in samples]))
    assert together[1].tolist() == [label for _, label in samples]
    np.testing.assert_array_equal(pictures[4][0].numpy(), samples[0][0].numpy())
