"""The training loop: a `Training` holds network, optimizer and pictures, and runs one epoch after another.

After each step it can be written as a checkpoint; restored from one, it goes on as if it had never stopped,
because the states of the random numbers and the place in the order of the pictures are part of it. When that
is done, and what else is written, `run.py` decides. What happens is told to a `Reporter`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Protocol

from .. import random
from ..determinism import use_deterministic_algorithms
from ..models import NETWORKS, Normalization
from ..nn import CrossEntropyLoss
from ..optim import SGD
from ..optim.lr_scheduler import CosineAnnealingLR, LRScheduler
from ..utils.data import DataLoader
from .batches import AugmentedPictures, ShuffledBatches
from .checkpoint import Checkpoint
from .data import Pictures, open_pictures
from .divergence import first_layer_not_finite, first_state_not_finite
from .errors import UserError
from .evaluation import BATCH_SIZE, Evaluation, evaluate
from .position import Position, place
from .random_states import get_other_states, seed_all, set_other_states
from .run_folder import RunFolder
from .settings import DEFAULTS, Settings

__all__ = ["Reporter", "Training"]


class Reporter(Protocol):
    """Who wants to know how a training goes."""

    def begin(self, training: Training, folder: RunFolder) -> None:
        """The first epoch is about to begin, or what is left of one that was interrupted."""

    def step(self, epoch: int, step: int, loss: float, pictures: int) -> None:
        """A step on so many pictures is done; called thousands of times a second, so return quickly."""

    def test(self, epoch: int) -> None:
        """An epoch's steps are done, the test begins."""

    def epoch(self, row: Mapping[str, Any]) -> None:
        """An epoch is done and saved; `row` is its line of `metrics.jsonl`."""


class Training:
    """A network in training.

    Args:
        settings: what to train, on what, how.
        workers: background threads that prepare batches; the result does not depend on them.

    `metrics` has a row per finished epoch: epoch, train_loss, test_loss, test_accuracy, seconds and
    images_per_second (of the training steps alone). `position` is the place in the running epoch, and None
    between two epochs.
    """

    def __init__(self, settings: Settings, workers: int = 0) -> None:
        self.settings = settings
        if settings.deterministic:
            use_deterministic_algorithms(True)
        normalization = Normalization()
        self.train_pictures = open_pictures(
            settings.data, True, normalization, settings.limit, settings.augment
        )
        self.test_pictures = open_pictures(settings.data, False, normalization, settings.limit)
        self.augmented: AugmentedPictures | None = None
        if settings.augment:
            self.augmented = AugmentedPictures(self.train_pictures.dataset, settings.seed)
            self.train_pictures = Pictures(self.augmented, self.train_pictures.classes)
        seed_all(settings.seed)
        self.network = NETWORKS[settings.model](num_classes=len(self.train_pictures.classes))
        self.network.normalization = normalization
        self.criterion = CrossEntropyLoss()
        self.optimizer = SGD(self.network.parameters(), lr=settings.lr, momentum=settings.momentum)
        self.batches = ShuffledBatches(self.train_pictures.dataset, settings.batch_size)
        self.loader: Iterable[Any] = DataLoader(
            self.train_pictures.dataset, batch_sampler=self.batches, num_workers=workers
        )
        self.scheduler: LRScheduler | None = None
        if settings.schedule == "cosine":
            self.scheduler = CosineAnnealingLR(self.optimizer, T_max=settings.epochs * len(self.batches))
        self.metrics: list[Mapping[str, Any]] = []
        self.position: Position | None = None
        self.state_before_test: Any = None  # of the random numbers, while the test runs

    @property
    def epochs_done(self) -> int:
        """How many epochs are finished."""
        return len(self.metrics)

    @property
    def steps_done(self) -> int:
        """How many steps of the running epoch are finished."""
        return self.position.step if self.position else 0

    @property
    def steps_per_epoch(self) -> int:
        """How many steps an epoch has."""
        return len(self.batches)

    @property
    def place(self) -> str:
        """Where the training stands, in words."""
        return place(self.epochs_done, self.steps_done)

    def run_epoch(self, reporter: Reporter, pause: Callable[[], None] = lambda: None) -> Mapping[str, Any]:
        """Trains on every picture once, tests, and adds a row to `metrics`.

        After `restore` from the middle of an epoch, does what is left of it. `pause` is called after each
        step and each batch of the test; a `checkpoint` taken there can be gone on from.

        Raises:
            UserError: the loss is no longer a number, because the learning rate is too high.
        """
        epoch = self.epochs_done + 1
        last = time.perf_counter()
        position, batches = self._enter_epoch()
        for images, labels in batches:
            value = self._step(images, labels)
            position.step += 1
            position.loss_sum += value * len(labels)
            reporter.step(epoch, position.step, value, len(labels))
            position.seconds += time.perf_counter() - last
            pause()
            last = time.perf_counter()
        reporter.test(epoch)
        tested = self._test(pause)
        if not math.isfinite(tested.loss):  # the last step may be the one that went wrong
            raise self._diverged(
                f"the test loss became {tested.loss} after epoch {epoch}, step {position.step}",
                first_layer_not_finite(
                    self.network.eval(),
                    *(images for images, _ in DataLoader(self.test_pictures.dataset, BATCH_SIZE)),
                ),
            )
        row = {
            "epoch": epoch,
            "train_loss": position.loss_sum / len(self.train_pictures),
            "test_loss": tested.loss,
            "test_accuracy": tested.accuracy,
            "seconds": position.seconds,
            "images_per_second": len(self.train_pictures) / position.seconds,
        }
        self.metrics.append(row)
        self.position = None
        return row

    def _step(self, images: Any, labels: Any) -> float:
        """One step of the optimizer; returns the loss before it."""
        self.optimizer.zero_grad()
        loss = self.criterion(self.network(images), labels)
        value: float = loss.item()
        if not math.isfinite(value):
            raise self._diverged(
                f"the loss became {value} in epoch {self.epochs_done + 1}, step {self.steps_done + 1}",
                first_layer_not_finite(self.network, images),
            )
        loss.backward()
        self.optimizer.step()
        if self.scheduler is not None:
            self.scheduler.step()
        return value

    def _test(self, pause: Callable[[], None]) -> Evaluation:
        """Tests the network.

        A checkpoint taken meanwhile leads to the test's beginning, and so has the random numbers of then: the
        loader draws a seed for the test, too.
        """
        self.state_before_test = random.get_rng_state()
        try:
            return evaluate(self.network, self.test_pictures, lambda count: pause())
        finally:
            self.state_before_test = None

    def _enter_epoch(self) -> tuple[Position, Iterator[Any]]:
        """The place in the epoch, and the batches that are left of it."""
        self.network.train()
        if self.augmented is not None:
            self.augmented.epoch = self.epochs_done + 1
        if self.position is None:
            self.position = Position(random.get_rng_state())
            return self.position, iter(self.loader)
        # The order is drawn once more, as it was at the epoch's beginning; then the numbers go on from where
        # the checkpoint left them.
        present = random.get_rng_state()
        random.set_rng_state(self.position.order_state)
        self.batches.skip = self.position.step
        batches = iter(self.loader)
        first = list(islice(batches, 1))
        random.set_rng_state(present)
        return self.position, chain(first, batches)

    def _diverged(self, what: str, where: str) -> UserError:
        """What went wrong, where it shows first, and what to do."""
        lower = min(DEFAULTS[self.settings.model]["lr"], self.settings.lr / 10)
        return UserError(f"{what} ({where}): the learning rate is too high; start again with --lr {lower:g}")

    def refuse_broken(self) -> None:
        """UserError when a weight, a statistic or the optimizer's state is NaN or infinite.

        A step may break the network although its loss was finite: it is the loss of the weights before it.
        """
        where = first_state_not_finite(self.network, self.optimizer)
        if where is not None:
            raise self._diverged(f"the network broke in {self.place}", where)

    def checkpoint(self) -> Checkpoint:
        """Everything that is needed to go on from here."""
        return Checkpoint(
            settings=self.settings,
            classes=self.train_pictures.classes,
            normalization=self.network.normalization,
            model=self.network.state_dict(),
            optimizer=self.optimizer.state_dict(),
            epoch=self.epochs_done,
            random_state=random.get_rng_state() if self.state_before_test is None else self.state_before_test,
            metrics=tuple(self.metrics),
            scheduler=None if self.scheduler is None else self.scheduler.state_dict(),
            other_random_states=get_other_states(),
            running=self.position,
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Goes back (or on) to the state that `checkpoint` holds.

        Raises what loading its parts raises when they are damaged.
        """
        self.network.load_state_dict(checkpoint.model)
        self.network.normalization = checkpoint.normalization
        self.optimizer.load_state_dict(dict(checkpoint.optimizer))
        if self.scheduler is not None:
            state = dict(checkpoint.scheduler or {})
            if set(state) != set(self.scheduler.state_dict()):
                raise ValueError("its scheduler is none of this schedule")
            self.scheduler.load_state_dict(state)
        self.metrics = list(checkpoint.metrics)
        if self.epochs_done != checkpoint.epoch:
            raise ValueError(f"it has {self.epochs_done} lines of metrics for {checkpoint.epoch} epochs")
        self.position = checkpoint.running
        if self.position is not None:
            if not 0 <= self.position.step <= self.steps_per_epoch:
                raise ValueError(f"step {self.position.step} of an epoch of {self.steps_per_epoch} steps")
            random.set_rng_state(self.position.order_state)  # so that one that is none is refused here
        random.set_rng_state(checkpoint.random_state)
        if checkpoint.other_random_states is not None:
            set_other_states(checkpoint.other_random_states)
