"""`torch.backends.mps`, the question whether Apple's GPU can be used: it cannot, the engine computes on the
CPU."""

from __future__ import annotations

__all__ = ["is_available", "is_built"]


def is_available() -> bool:
    """False: the engine computes on the CPU."""
    return False


def is_built() -> bool:
    """False: the engine computes on the CPU."""
    return False
