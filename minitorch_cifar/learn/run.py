"""A whole run: `train` leads a `Training` through its epochs and writes it down, so that it can be killed at
any moment.

What is written, and in which order: `config.json` at the beginning; after each epoch its line of
`metrics.jsonl`, then `checkpoint.pth`; with `save_every`, and when a signal asks the run to end, checkpoints
from within an epoch. A checkpoint knows the lines before it. So when a run is resumed, `metrics.jsonl` is
written anew from its checkpoint, and a line that stands there without one is cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .checkpoint import load_checkpoint, save_checkpoint
from .errors import UserError
from .run_folder import CHECKPOINT, RunFolder
from .settings import Settings, refuse_other_settings
from .stopping import Request, Stopped, deferred_signals
from .training import Reporter, Training

__all__ = ["train"]


class Run:
    """A training and the folder it is written into.

    `save_every` is how many steps of an epoch lie between two checkpoints; None for none within an epoch.
    """

    def __init__(self, training: Training, folder: RunFolder, save_every: int | None) -> None:
        self.training = training
        self.folder = folder
        self.save_every = save_every
        self.request = Request()
        self.saved: str | None = None  # the place of the last checkpoint

    def resume(self) -> None:
        """Goes on from the folder's checkpoint."""
        checkpoint = load_checkpoint(self.folder.checkpoint)
        refuse_other_settings(self.training.settings, checkpoint.settings, str(self.folder))
        try:
            self.training.restore(checkpoint)
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise UserError(f"{self.folder.checkpoint} is a damaged checkpoint: {error}") from error
        self.saved = checkpoint.place

    def save(self) -> None:
        """Writes the checkpoint, unless the network is broken."""
        self.training.refuse_broken()
        with self.folder.writing(CHECKPOINT):
            save_checkpoint(self.training.checkpoint(), self.folder.checkpoint)
        self.saved = self.training.place

    def run_epoch(self, reporter: Reporter) -> Mapping[str, Any]:
        """Runs an epoch, or what is left of it, and writes it down."""
        row = self.training.run_epoch(reporter, self.pause)
        self.training.refuse_broken()
        self.folder.write_metrics(self.training.metrics)
        self.save()
        reporter.epoch(row)
        return row

    def pause(self) -> None:
        """Saves within an epoch when it is time to, or when the process was asked to end."""
        training = self.training
        due = self.save_every is not None and training.steps_done % self.save_every == 0
        if (due or self.request) and self.saved != training.place:
            self.save()
        if self.request:
            raise Stopped


def train(
    settings: Settings,
    folder: RunFolder,
    reporter: Reporter,
    resume: bool = False,
    workers: int = 0,
    save_every: int | None = None,
) -> Training:
    """Runs all epochs of `settings`, writing config, metrics and checkpoints into `folder`.

    With `resume`, goes on from the folder's checkpoint, to the same end as if there had been no stop; when
    that has seen all epochs, nothing is written. SIGINT and SIGTERM have their usual effect as soon as the
    running step is done and saved; a second one at once.
    """
    with folder.held():
        if not resume:
            folder.refuse_checkpoint()  # it may have come since the folder was chosen
        folder.remove_leftovers()
        run = Run(Training(settings, workers), folder, save_every)
        training = run.training
        if resume and folder.has_checkpoint():
            run.resume()
        try:
            if training.epochs_done < settings.epochs:
                folder.write_config(settings, save_every=save_every)
                folder.cut_metrics(training.metrics)
            reporter.begin(training, folder)
            with deferred_signals() as run.request:
                while training.epochs_done < settings.epochs and not run.request:
                    run.run_epoch(reporter)
        except UserError as error:
            if run.saved is not None:
                error.add_note(f"({folder} keeps the network after {run.saved})")
            raise
    return training
