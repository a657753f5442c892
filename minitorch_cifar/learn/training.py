"""The training loop: a `Training` holds network, optimizer and pictures, and runs one epoch after another.

After each epoch it tests the network and can be written as a checkpoint; restored from one, it goes on as if
it had never stopped, because the state of the random numbers is part of it. What happens is told to a
`Reporter`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from .. import random
from ..models import NETWORKS, Normalization
from ..nn import CrossEntropyLoss
from ..optim import SGD
from ..utils.data import DataLoader
from .checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from .data import open_pictures
from .divergence import first_layer_not_finite
from .errors import UserError
from .evaluation import evaluate
from .run_folder import RunFolder
from .settings import DEFAULTS, Settings, refuse_other_settings

__all__ = ["Reporter", "Training", "train"]


class Reporter(Protocol):
    """Who wants to know how a training goes."""

    def begin(self, training: Training, folder: RunFolder) -> None:
        """The first epoch is about to begin."""

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
    images_per_second (of the training steps alone).
    """

    def __init__(self, settings: Settings, workers: int = 0) -> None:
        self.settings = settings
        normalization = Normalization()
        self.train_pictures = open_pictures(settings.data, True, normalization, settings.limit)
        self.test_pictures = open_pictures(settings.data, False, normalization, settings.limit)
        random.manual_seed(settings.seed)
        self.network = NETWORKS[settings.model](num_classes=len(self.train_pictures.classes))
        self.network.normalization = normalization
        self.criterion = CrossEntropyLoss()
        self.optimizer = SGD(self.network.parameters(), lr=settings.lr, momentum=settings.momentum)
        self.loader: Iterable[Any] = DataLoader(
            self.train_pictures.dataset, batch_size=settings.batch_size, shuffle=True, num_workers=workers
        )
        self.metrics: list[Mapping[str, Any]] = []

    @property
    def epochs_done(self) -> int:
        """How many epochs are finished."""
        return len(self.metrics)

    def run_epoch(self, reporter: Reporter) -> Mapping[str, Any]:
        """Trains on every picture once, tests, and adds a row to `metrics`.

        Raises:
            UserError: the loss is no longer a number, because the learning rate is too high.
        """
        epoch = self.epochs_done + 1
        network, criterion, optimizer = self.network.train(), self.criterion, self.optimizer
        loss_sum = 0.0
        start = time.perf_counter()
        for step, (images, labels) in enumerate(self.loader, start=1):
            optimizer.zero_grad()
            loss = criterion(network(images), labels)
            value = loss.item()
            if not math.isfinite(value):
                raise self._diverged(f"the loss became {value} in epoch {epoch}, step {step}", images)
            loss.backward()
            optimizer.step()
            count = len(labels)
            loss_sum += value * count
            reporter.step(epoch, step, value, count)
        seconds = time.perf_counter() - start
        reporter.test(epoch)
        tested = evaluate(network, self.test_pictures)
        if not math.isfinite(tested.loss):  # the last step may be the one that went wrong
            raise self._diverged(
                f"the test loss became {tested.loss} after epoch {epoch}, step {step}", images
            )
        row = {
            "epoch": epoch,
            "train_loss": loss_sum / len(self.train_pictures),
            "test_loss": tested.loss,
            "test_accuracy": tested.accuracy,
            "seconds": seconds,
            "images_per_second": len(self.train_pictures) / seconds,
        }
        self.metrics.append(row)
        return row

    def _diverged(self, what: str, images: Any) -> UserError:
        """What went wrong, in which layer it shows first for these pictures, and what to do."""
        lower = min(DEFAULTS[self.settings.model]["lr"], self.settings.lr / 10)
        return UserError(
            f"{what} ({first_layer_not_finite(self.network, images)}): the learning rate is too high; "
            f"start again with --lr {lower:g}"
        )

    def checkpoint(self) -> Checkpoint:
        """Everything that is needed to go on after the last finished epoch."""
        return Checkpoint(
            settings=self.settings,
            classes=self.train_pictures.classes,
            normalization=self.network.normalization,
            model=self.network.state_dict(),
            optimizer=self.optimizer.state_dict(),
            epoch=self.epochs_done,
            random_state=random.get_rng_state(),
            metrics=tuple(self.metrics),
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Goes back (or on) to the state that `checkpoint` holds."""
        self.network.load_state_dict(checkpoint.model)
        self.network.normalization = checkpoint.normalization
        self.optimizer.load_state_dict(dict(checkpoint.optimizer))
        random.set_rng_state(checkpoint.random_state)
        self.metrics = list(checkpoint.metrics)


def train(
    settings: Settings, folder: RunFolder, reporter: Reporter, resume: bool = False, workers: int = 0
) -> Training:
    """Runs all epochs of `settings`, writing config, metrics and a checkpoint into `folder` after each.

    With `resume`, goes on after the epochs that the folder's checkpoint has seen; when these are all,
    nothing is written.
    """
    training = Training(settings, workers)
    with folder.held():
        if resume and folder.has_checkpoint():
            checkpoint = load_checkpoint(folder.checkpoint)
            refuse_other_settings(settings, checkpoint.settings, str(folder))
            training.restore(checkpoint)
        else:
            folder.drop_metrics()
        if training.epochs_done < settings.epochs:
            folder.write_config(settings)
        reporter.begin(training, folder)
        while training.epochs_done < settings.epochs:
            row = _run_epoch(training, folder, reporter)
            try:
                folder.write_metrics(training.metrics)
                save_checkpoint(training.checkpoint(), folder.checkpoint)
            except OSError as error:
                raise folder.unwritable(error) from error
            reporter.epoch(row)
    return training


def _run_epoch(training: Training, folder: RunFolder, reporter: Reporter) -> Mapping[str, Any]:
    try:
        return training.run_epoch(reporter)
    except UserError as error:
        if training.epochs_done:
            error.add_note(f"({folder} keeps the network after epoch {training.epochs_done})")
        raise
