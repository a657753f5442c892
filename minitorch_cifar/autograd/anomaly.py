"""Anomaly detection: find the forward line whose gradient went wrong.

While it is on, every node notes where in the program it was made; backward looks for NaN in each gradient,
and when a node fails or makes a NaN, it shows that place. It is slow, and one switch for all threads.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..dtypes import Array

if TYPE_CHECKING:
    from .node import Node

_PACKAGE = str(Path(__file__).parents[1])


class _Mode:
    enabled = False
    check_nan = True


mode = _Mode()


class set_detect_anomaly:  # noqa: N801 - PyTorch's name
    """Turn anomaly detection on or off, at once; as a context manager, until the end of the block.

    `check_nan=False` shows where a failing operation was called, but does not look for NaN.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.previous = _set(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        _set(*self.previous)


class detect_anomaly(set_detect_anomaly):  # noqa: N801 - PyTorch's name
    """Anomaly detection for the length of a `with` block."""

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(True, check_nan)
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be "
            "enabled for debugging.",
            stacklevel=2,
        )


def _set(enabled: bool, check_nan: bool) -> tuple[bool, bool]:
    for name, flag in (("mode", enabled), ("check_nan", check_nan)):
        if not isinstance(flag, bool):
            kind = type(flag).__name__
            raise TypeError(f"set_detect_anomaly(): argument '{name}' must be bool, not {kind}")
    previous = mode.enabled, mode.check_nan
    mode.enabled, mode.check_nan = enabled, check_nan
    return previous


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on."""
    return mode.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly detection, when on, looks for NaN."""
    return mode.check_nan


def forward_trace() -> str:
    """Where the program is now, down to the last line that is not the engine's own."""
    frames = traceback.extract_stack()
    while len(frames) > 1 and frames[-1].filename.startswith(_PACKAGE):
        frames.pop()
    return "".join(traceback.format_list(frames))


@contextmanager
def shown_on_failure(node: Node) -> Iterator[None]:
    """Show where `node` was made when the block fails."""
    try:
        yield
    except Exception:
        made_at = node.forward_trace or "  (made before anomaly detection was switched on)\n"
        warnings.warn(
            f"Error detected in {node.node_name}. Traceback of forward call that caused the "
            f"error:\n{made_at}",
            stacklevel=2,
        )
        raise


def refuse_nan(node: Node, results: Sequence[Array | None]) -> None:
    """RuntimeError when one of the gradients that `node` computed is NaN somewhere."""
    for position, grad in enumerate(results):
        if grad is not None and np.isnan(grad).any():
            made_at = f" Its forward call:\n{node.forward_trace}" if node.forward_trace else ""
            raise RuntimeError(
                f"Function '{node.node_name}' returned nan values in its {position}th output.{made_at}"
            )
