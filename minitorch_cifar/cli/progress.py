"""How a training shows itself: a progress bar on a terminal, plain lines everywhere else.

Both are `Reporter`s of `learn.training`. A step at batch 4 takes a fraction of a millisecond, so `step` only
adds up; the bar is redrawn a few times per second, a line is printed every 8,000 pictures.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TextIO

from .wording import count

if TYPE_CHECKING:
    from ..learn.run_folder import RunFolder
    from ..learn.training import Training

__all__ = ["BarReporter", "PlainReporter", "make_reporter"]

PICTURES_PER_LINE = 8000
REDRAW_SECONDS = 0.1


def make_reporter(output: TextIO) -> PlainReporter:
    """The reporter that suits `output`."""
    return BarReporter(output) if output.isatty() else PlainReporter(output)


class PlainReporter:
    """Prints a line per 8,000 pictures with their mean loss, and one per epoch."""

    def __init__(self, output: TextIO) -> None:
        self.output = output
        self.interval = 1
        self.loss_sum = 0.0
        self.steps = 0  # since the last line: fewer than `interval` after a resumption
        self.training: Training | None = None
        self.folder: RunFolder | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self.training is not None:
            self.finish(self.training)

    def say(self, line: str) -> None:
        """Prints a line that stays."""
        print(line, file=self.output, flush=True)

    def begin(self, training: Training, folder: RunFolder) -> None:
        self.training, self.folder = training, folder
        settings, pictures = training.settings, count(len(training.train_pictures), "picture")
        self.interval = max(1, PICTURES_PER_LINE // settings.batch_size)
        self.say(
            f"Training {settings.model} on {settings.data_name}: {pictures}, "
            f"{len(training.test_pictures):,} to test"
        )
        self.say(
            f"batch {settings.batch_size}, lr {settings.lr:g}, momentum {settings.momentum:g}, "
            f"seed {settings.seed}"
            + (", augmented" if settings.augment else "")
            + (f", schedule {settings.schedule}" if settings.schedule != "constant" else "")
        )
        if training.steps_done:
            self.say(
                f"Resuming in epoch {training.epochs_done + 1} of {settings.epochs}, "
                f"after step {training.steps_done:,} of {training.steps_per_epoch:,}"
            )
        elif training.epochs_done:
            self.say(f"Resuming after epoch {training.epochs_done} of {settings.epochs}")

    def step(self, epoch: int, step: int, loss: float, pictures: int) -> None:
        self.loss_sum += loss
        self.steps += 1
        if step % self.interval == 0:
            self.say(f"[{epoch}, {step:5d}] loss: {self.loss_sum / self.steps:.3f}")
            self.loss_sum, self.steps = 0.0, 0

    def test(self, epoch: int) -> None:
        self.loss_sum, self.steps = 0.0, 0

    def epoch(self, row: Mapping[str, Any]) -> None:
        self.say(
            f"epoch {row['epoch']}: train loss {row['train_loss']:.3f}, test loss {row['test_loss']:.3f}, "
            f"accuracy {100 * row['test_accuracy']:.1f} %, "
            f"{row['images_per_second']:,.0f} images/s"
        )

    def finish(self, training: Training) -> None:
        """Says how it ended and what to do next."""
        if not training.metrics:
            return
        folder = self.folder
        self.say("Finished Training")
        self.say(
            f"Accuracy of the network on the {len(training.test_pictures)} test images: "
            f"{100 * training.metrics[-1]['test_accuracy']:.1f} %"
        )
        self.say(f"Saved in {folder}; now try: minitorch-cifar eval {folder}")


class BarReporter(PlainReporter):
    """A bar over the whole run with epoch, loss, images/s and time left; a line that stays per epoch."""

    def __init__(self, output: TextIO) -> None:
        super().__init__(output)
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),  # all columns fit into 80 characters
            TextColumn("{task.percentage:3.0f} %"),
            TextColumn("{task.fields[loss]}"),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=Console(file=output, highlight=False),
            auto_refresh=False,
            transient=True,
        )
        self.task: Any = None
        self.smooth_loss: float | None = None
        self.since_drawn = 0
        self.drawn_at = 0.0

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        self.progress.stop()
        super().__exit__(kind, *exception)

    def say(self, line: str) -> None:
        self.progress.console.print(line, soft_wrap=True, markup=False)

    def begin(self, training: Training, folder: RunFolder) -> None:
        super().begin(training, folder)
        pictures = len(training.train_pictures)
        epochs = training.settings.epochs
        self.task = self.progress.add_task(
            f"epoch {min(training.epochs_done + 1, epochs)}/{epochs}",
            total=pictures * (epochs - training.epochs_done)
            - training.steps_done * training.settings.batch_size,
            loss="",
            speed="",
        )
        self.progress.start()
        self.drawn_at = time.perf_counter()

    def step(self, epoch: int, step: int, loss: float, pictures: int) -> None:
        # A running mean over about 200 steps: single losses of small batches jump.
        self.smooth_loss = (
            loss if self.smooth_loss is None else self.smooth_loss + (loss - self.smooth_loss) / 200
        )
        self.since_drawn += pictures
        now = time.perf_counter()
        if now - self.drawn_at >= REDRAW_SECONDS:
            self.draw(epoch, now)

    def draw(self, epoch: int, now: float) -> None:
        """Brings the bar up to date."""
        assert self.training is not None
        self.progress.update(
            self.task,
            description=f"epoch {epoch}/{self.training.settings.epochs}",
            advance=self.since_drawn,
            loss=f"loss {self.smooth_loss:.3f}",
            speed=f"{self.since_drawn / (now - self.drawn_at):,.0f} images/s",
            refresh=True,
        )
        self.since_drawn, self.drawn_at = 0, now

    def test(self, epoch: int) -> None:
        self.progress.update(self.task, description="testing", advance=self.since_drawn, refresh=True)
        self.since_drawn = 0

    def epoch(self, row: Mapping[str, Any]) -> None:
        super().epoch(row)
        self.drawn_at = time.perf_counter()
