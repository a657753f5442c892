"""What a run trains, on what, and how: the settings that decide its result, and each network's defaults.

Settings that only decide how fast a run is (threads, workers) are not kept here, because a run may be resumed
with others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ..models import NETWORKS
from ..serialization.restricted_pickle import described
from .errors import UserError

__all__ = ["BUILT_IN_DATA", "DEFAULTS", "SCHEDULES", "Settings", "make_settings", "refuse_other_settings"]

# For each network: epochs, pictures per step, learning rate, momentum.
DEFAULTS: dict[str, dict[str, Any]] = {
    "lenet": {"epochs": 6, "batch_size": 4, "lr": 0.001, "momentum": 0.9},
    "quick": {"epochs": 10, "batch_size": 64, "lr": 0.01, "momentum": 0.0},
    "bn": {"epochs": 5, "batch_size": 64, "lr": 0.01, "momentum": 0.9},
}

BUILT_IN_DATA = ("shapes10", "cifar10")
SCHEDULES = ("constant", "cosine")


# What a setting may be in a file.
KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("model", "data", "schedule"), (str,)),
    **dict.fromkeys(("epochs", "batch_size", "seed"), (int,)),
    **dict.fromkeys(("lr", "momentum"), (float, int)),
    "limit": (int, type(None)),
    **dict.fromkeys(("augment", "deterministic"), (bool,)),
}


@dataclass(frozen=True)
class Settings:
    """The settings that a run's result depends on. `limit` None means all pictures."""

    model: str
    data: str
    epochs: int
    batch_size: int
    lr: float
    momentum: float
    seed: int
    limit: int | None
    augment: bool = False
    schedule: str = "constant"
    deterministic: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for `config.json` and the checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str) -> Settings:
        """The settings that `as_dict` wrote; `source` names the file in the message when they are not all
        there.
        """
        needed = [field.name for field in fields(cls) if field.default is MISSING]
        if missing := [name for name in needed if name not in values]:
            raise UserError(
                f"{source} was not written by `minitorch-cifar train`: it lacks {', '.join(missing)}"
            )
        found = {field.name: values.get(field.name, field.default) for field in fields(cls)}
        for name, kinds in KINDS.items():
            value = found[name]
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                raise UserError(f"{source} is damaged: its setting {name} is a {type(value).__name__}")
            if isinstance(value, int) and abs(value) >= 2**63:
                raise UserError(f"{source} is damaged: its setting {name} is out of range")
        try:
            return make_settings(**found)
        except (UserError, ValueError) as error:  # ValueError: a name that no file can have
            raise UserError(f"{source} is damaged: {error}") from error

    @property
    def data_name(self) -> str:
        """A short name of the data for folders and messages."""
        return self.data if self.data in BUILT_IN_DATA else Path(self.data).name.split(".")[0] or "data"


def make_settings(
    model: str = "lenet",
    data: str = "shapes10",
    epochs: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    momentum: float | None = None,
    seed: int = 0,
    limit: int | None = None,
    augment: bool = False,
    schedule: str = "constant",
    deterministic: bool = False,
) -> Settings:
    """Settings with the network's own defaults for what is None. UserError for values that make no sense."""
    if model not in NETWORKS:
        raise UserError(f"there is no network {described(model)}; choose from {', '.join(NETWORKS)}")
    defaults = DEFAULTS[model]
    settings = Settings(
        model=model,
        data=data if data in BUILT_IN_DATA else str(Path(data).expanduser().resolve()),
        epochs=defaults["epochs"] if epochs is None else epochs,
        batch_size=defaults["batch_size"] if batch_size is None else batch_size,
        lr=defaults["lr"] if lr is None else lr,
        momentum=defaults["momentum"] if momentum is None else momentum,
        seed=seed,
        limit=limit,
        augment=augment,
        schedule=schedule,
        deterministic=deterministic,
    )
    for name in ("augment", "deterministic"):
        value = getattr(settings, name)
        if not isinstance(value, bool):
            raise UserError(f"{name} must be true or false, not {described(value)}")
    if schedule not in SCHEDULES:
        raise UserError(f"there is no schedule {described(schedule)}; choose from {', '.join(SCHEDULES)}")
    for name in ("epochs", "batch_size", "limit"):
        value = getattr(settings, name)
        if value is not None and value < 1:
            raise UserError(f"--{name.replace('_', '-')} must be at least 1, not {value}")
    if not (math.isfinite(settings.lr) and settings.lr > 0):
        raise UserError(f"--lr must be a positive number, not {settings.lr}")
    if not 0 <= settings.momentum < 1:
        raise UserError(f"--momentum must be at least 0 and less than 1, not {settings.momentum}")
    if not 0 <= seed < 2**63:
        raise UserError(f"--seed must be between 0 and {2**63 - 1}, not {seed}")
    return settings


def refuse_other_settings(wanted: Settings, stored: Settings, folder: str) -> None:
    """UserError when a run started with `stored` cannot go on with `wanted`: only epochs may differ.

    And they only where the learning rate does not depend on how many there are.
    """
    for field in fields(Settings):
        old, new = getattr(stored, field.name), getattr(wanted, field.name)
        if old == new:
            continue
        option = "--" + field.name.replace("_", "-")
        change = (
            f"the run in {folder} was started {_with(option, old)} and cannot be resumed {_with(option, new)}"
        )
        if field.name != "epochs":
            raise UserError(f"{change}; only --epochs may change")
        if stored.schedule != "constant":
            raise UserError(f"{change}: its learning rate follows a --schedule over all of its epochs")


def _with(option: str, value: Any) -> str:
    """An option and its value, as one would type them."""
    if value is None or value is False:
        return f"without {option}"
    return f"with {option}" if value is True else f"with {option} {value}"
