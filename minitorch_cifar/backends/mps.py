"""`torch.backends.mps`, the question whether Apple's GPU can be used: it cannot, the engine computes on the
CPU."""

from __future__ import annotations

from ..missing import explain_missing_in

__all__ = ["is_available", "is_built"]


def is_available() -> bool:
    """False: the engine computes on the CPU."""
    return False


def is_built() -> bool:
    """False: the engine computes on the CPU."""
    return False


explain_missing_in(__name__, __all__)
