"""How far a running epoch has come: what its remaining steps, and its line of `metrics.jsonl`, need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Position", "place"]


@dataclass
class Position:
    """A place in the middle of an epoch, behind `step` of its steps.

    The order of the pictures is not kept itself, but the state of the random numbers it was drawn from
    (`order_state`, as of `random.get_rng_state`): drawn again, it is the same. `loss_sum` adds up the losses
    of the pictures seen, `seconds` the time that the steps took.
    """

    order_state: Any
    step: int = 0
    loss_sum: float = 0.0
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values and a tensor, for the checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Any) -> Position:
        """What `as_dict` gave; TypeError for anything else."""
        kinds: dict[str, Any] = {"order_state": object, "step": int, "loss_sum": float, "seconds": float}
        if not isinstance(values, Mapping) or set(values) != set(kinds):
            raise TypeError("its place within the epoch is not one")
        for name, kind in kinds.items():
            if not isinstance(values[name], kind):
                raise TypeError(f"{name} of its place within the epoch is a {type(values[name]).__name__}")
        return cls(**values)


def place(epochs: int, step: int) -> str:
    """Where a run is after `epochs` whole epochs and `step` steps of the next.

    >>> place(2, 0), place(2, 120)
    ('epoch 2', 'epoch 3, step 120')
    """
    return f"epoch {epochs + 1}, step {step:,}" if step else f"epoch {epochs}"
