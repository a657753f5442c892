"""PyTorch's `torch.accelerator`, as it behaves where there is none: the engine computes on the CPU.

Programs ask it for a device before they fall back to the CPU:

    device = torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else "cpu"
"""

from __future__ import annotations

from .device import device
from .missing import explain_missing_in

__all__ = ["current_accelerator", "device_count", "is_available"]


def is_available() -> bool:
    """False: the engine computes on the CPU.

    >>> import minitorch_cifar as torch
    >>> torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else "cpu"
    'cpu'
    """
    return False


def current_accelerator(check_available: bool = False) -> device | None:
    """None, as from a PyTorch that was built for the CPU: there is none, available or not."""
    return None


def device_count() -> int:
    """0: the engine sees no accelerator, whatever the machine has."""
    return 0


explain_missing_in(__name__, __all__)
