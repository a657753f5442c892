"""`torch.backends.cudnn` on a machine without a GPU: flags that programs set, and that nothing reads."""

from __future__ import annotations

from ..missing import explain_missing_in

__all__ = [
    "allow_tf32",
    "benchmark",
    "benchmark_limit",
    "deterministic",
    "enabled",
    "is_available",
    "version",
]

enabled: bool = True
benchmark: bool = False
benchmark_limit: int | None = 10
deterministic: bool = False
allow_tf32: bool = True


def is_available() -> bool:
    """False: the engine computes on the CPU."""
    return False


def version() -> int | None:
    """None: there is no cuDNN."""
    return None


explain_missing_in(__name__, __all__)
