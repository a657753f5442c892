"""PyTorch's `torch.cuda`, as it behaves on a machine that has no GPU.

The engine computes on the CPU, so `is_available()` is False and seeding does nothing. Whatever would have to
touch a GPU raises RuntimeError and says where a GPU can be used.
"""

from __future__ import annotations

from typing import Any, NoReturn

from .missing import explain_missing_in

__all__ = [
    "current_device",
    "device_count",
    "empty_cache",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "is_available",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "memory_allocated",
    "memory_reserved",
    "seed",
    "seed_all",
    "set_device",
    "synchronize",
]


def is_available() -> bool:
    """False: the engine computes on the CPU.

    >>> import minitorch_cifar as torch
    >>> torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device(type='cpu')
    """
    return False


def is_initialized() -> bool:
    """False: there is nothing to initialise."""
    return False


def device_count() -> int:
    """0: the engine sees no GPU, whatever the machine has."""
    return 0


def manual_seed(seed: int) -> None:
    """Do nothing, as PyTorch does without a GPU; `torch.manual_seed` seeds the CPU."""
    int(seed)


def manual_seed_all(seed: int) -> None:
    """Do nothing, as PyTorch does without a GPU; `torch.manual_seed` seeds the CPU."""
    int(seed)


def seed() -> None:
    """Do nothing, as PyTorch does without a GPU."""


def seed_all() -> None:
    """Do nothing, as PyTorch does without a GPU."""


def empty_cache() -> None:
    """Do nothing: there is no memory cache of a GPU."""


def memory_allocated(device: Any = None) -> int:
    """0 bytes of GPU memory."""
    return 0


def max_memory_allocated(device: Any = None) -> int:
    """0 bytes of GPU memory."""
    return 0


def memory_reserved(device: Any = None) -> int:
    """0 bytes of GPU memory."""
    return 0


def _no_gpu(function: str) -> NoReturn:
    raise RuntimeError(
        f"torch.cuda.{function}() needs a GPU, but minitorch_cifar computes on the CPU. "
        "To train on a GPU, run the PyTorch reference: minitorch-cifar train --engine torch"
    )


def current_device() -> int:
    """RuntimeError: no GPU."""
    _no_gpu("current_device")


def set_device(device: Any) -> None:
    """RuntimeError: no GPU."""
    _no_gpu("set_device")


def synchronize(device: Any = None) -> None:
    """RuntimeError: no GPU."""
    _no_gpu("synchronize")


def get_device_name(device: Any = None) -> str:
    """RuntimeError: no GPU."""
    _no_gpu("get_device_name")


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """RuntimeError: no GPU."""
    _no_gpu("get_device_capability")


def get_device_properties(device: Any = None) -> Any:
    """RuntimeError: no GPU."""
    _no_gpu("get_device_properties")


explain_missing_in(__name__, __all__)
