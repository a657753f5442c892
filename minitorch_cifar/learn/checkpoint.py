"""Checkpoints: one `.pth` file with everything needed to use a network or to go on training it.

The file is a dict of plain values and tensors, so that `torch.load(path, weights_only=True)` opens it as
well. It carries how its pictures were scaled and what its classes are called; nobody who uses it has to
remember.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from ..models import NETWORKS, Classifier, Normalization
from ..serialization import load, save
from ..serialization.restricted_pickle import described
from .errors import UserError
from .position import Position, place
from .run_folder import CHECKPOINT
from .settings import Settings

__all__ = ["Checkpoint", "load_checkpoint", "save_checkpoint"]

FORMAT = "minitorch_cifar checkpoint"
VERSION = 2
READABLE = (1, 2)  # files of version 1, and those of `--engine torch`, end with a whole epoch


@dataclass(frozen=True)
class Checkpoint:
    """A run after `epoch` epochs: the states of network, optimizer, scheduler and random numbers, and the
    measurements so far. `running` says how far the epoch after these has come; None when it has not begun.
    """

    settings: Settings
    classes: tuple[str, ...]
    normalization: Normalization
    model: Mapping[str, Any]
    optimizer: Mapping[str, Any]
    epoch: int
    random_state: Any
    metrics: tuple[Mapping[str, Any], ...]
    engine: str = "minitorch"  # or "torch": which of the two trained it
    scheduler: Mapping[str, Any] | None = None
    other_random_states: Mapping[str, Any] | None = None  # as of `random_states.get_other_states`
    running: Position | None = None

    @property
    def place(self) -> str:
        """Where the run stood, in words."""
        return place(self.epoch, self.running.step if self.running else 0)

    def network(self) -> Classifier:
        """The network with the stored weights, in evaluation mode."""
        network = NETWORKS[self.settings.model](num_classes=len(self.classes))
        network.normalization = self.normalization
        network.load_state_dict(self.model)
        return network.eval()


def save_checkpoint(checkpoint: Checkpoint, path: str | os.PathLike[str]) -> None:
    """Writes the file, whole or not at all."""
    save(
        {
            "format": FORMAT,
            "version": VERSION,
            "settings": checkpoint.settings.as_dict(),
            "classes": list(checkpoint.classes),
            "normalization": {
                "mean": list(checkpoint.normalization.mean),
                "std": list(checkpoint.normalization.std),
            },
            "model": checkpoint.model,
            "optimizer": checkpoint.optimizer,
            "epoch": checkpoint.epoch,
            "random_state": checkpoint.random_state,
            "metrics": [dict(row) for row in checkpoint.metrics],
            "engine": checkpoint.engine,
            "scheduler": checkpoint.scheduler,
            "other_random_states": checkpoint.other_random_states,
            "running": checkpoint.running.as_dict() if checkpoint.running else None,
        },
        path,
    )


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Reads what `save_checkpoint` wrote. `path` may also be the run folder that holds it.

    Raises:
        UserError: no such file, no checkpoint of this program, or weights that do not fit the network it
            names.
    """
    file = Path(path)
    if file.is_dir():
        file = file / CHECKPOINT
    if not file.exists():
        raise UserError(f"there is no checkpoint {file}; `minitorch-cifar train` writes one after each epoch")
    try:
        content = load(file)
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from error
    except Exception as error:  # whatever a damaged or foreign file leads to
        # `load` adds advice for programmers to a refusal; the reason itself is the cause.
        reason = error.__cause__ if isinstance(error, UnpicklingError) and error.__cause__ else error
        raise UserError(f"{file} is not a checkpoint that can be read: {reason}") from error
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        raise UserError(f"{file} is a .pth file, but not a checkpoint of `minitorch-cifar train`")
    if not isinstance(content.get("version"), int) or content["version"] not in READABLE:
        raise UserError(
            f"{file} has checkpoint version {described(content.get('version'))}; this program reads up to "
            f"{VERSION}"
        )
    return _checked(content, file)


MAX_CLASSES = 10_000  # the network has weights for each
ENTRIES: dict[str, type | tuple[type, ...]] = {
    "settings": Mapping,
    "classes": (list, tuple),
    "normalization": Mapping,
    "model": Mapping,
    "optimizer": Mapping,
    "epoch": int,
    "random_state": object,
    "metrics": (list, tuple),
}


def _checked(content: Mapping[str, Any], file: Path) -> Checkpoint:
    if missing := [name for name in ENTRIES if name not in content]:
        raise UserError(
            f"{file} is an incomplete checkpoint: it has no entry {' and no '.join(map(repr, missing))}"
        )
    for name, kind in ENTRIES.items():
        if not isinstance(content[name], kind):
            raise UserError(
                f"{file} is a damaged checkpoint: its entry {name!r} is a {type(content[name]).__name__}"
            )
    for name in ("scheduler", "other_random_states", "running"):
        if not isinstance(content.get(name), (Mapping, type(None))):
            raise UserError(
                f"{file} is a damaged checkpoint: its entry {name!r} is a {type(content[name]).__name__}"
            )
    for name in ("mean", "std"):
        numbers = content["normalization"].get(name)
        if not isinstance(numbers, (list, tuple)) or not all(isinstance(n, (int, float)) for n in numbers):
            raise UserError(
                f"{file} is a damaged checkpoint: its entry 'normalization' has no list {name!r} of numbers"
            )
    classes = content["classes"]
    if not 1 <= len(classes) <= MAX_CLASSES or not all(isinstance(name, str) for name in classes):
        raise UserError(
            f"{file} is a damaged checkpoint: its entry 'classes' is no list of 1 to {MAX_CLASSES:,} names"
        )
    engine = content.get("engine", "minitorch")
    if engine not in ("minitorch", "torch"):
        raise UserError(f"{file} is a damaged checkpoint: its entry 'engine' is {described(engine)}")
    try:
        checkpoint = Checkpoint(
            settings=Settings.from_dict(content["settings"], str(file)),
            classes=tuple(classes),
            normalization=Normalization(
                tuple(content["normalization"]["mean"]), tuple(content["normalization"]["std"])
            ),
            model=content["model"],
            optimizer=content["optimizer"],
            epoch=content["epoch"],
            random_state=content["random_state"],
            metrics=tuple(content["metrics"]),
            engine=engine,
            scheduler=content.get("scheduler"),
            other_random_states=content.get("other_random_states"),
            running=None if content.get("running") is None else Position.from_dict(content["running"]),
        )
    except TypeError as error:
        raise UserError(f"{file} is a damaged checkpoint: {error}") from error
    try:
        checkpoint.network()
    except Exception as error:  # whatever else than tensors of these shapes leads to
        raise UserError(
            f"{file} does not hold the weights of the network {checkpoint.settings.model}: {error}"
        ) from error
    return checkpoint
