"""Random numbers: the generator everything draws from unless told otherwise, and the functions that seed it.

`Generator` (in `generator.py`) draws what PyTorch's CPU generator draws after the same seed.
`default_generator` is the one behind `torch.rand`, weight initialisation, dropout and shuffling.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from ..threads import hold_during_fork
from .generator import Generator
from .own_stream import DefaultGenerator

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]

default_generator: Final = DefaultGenerator()
hold_during_fork(default_generator._lock)


def manual_seed(seed: Any) -> Generator:
    """Start the default generator's stream of `seed`, and return the generator.

    `seed`: anything `int()` accepts, in [-2**63, 2**64). ValueError outside.

    >>> import minitorch_cifar as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.randperm(10)
    tensor([4, 1, 7, 5, 3, 9, 0, 8, 6, 2])
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Start a stream that nobody can foresee, and return its seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed the default generator started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The default generator's state, a uint8 tensor of 5056 elements."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Let the default generator continue from a state that `get_rng_state` returned."""
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(
    devices: Iterable[Any] | None = None, enabled: bool = True, device_type: str = "cuda"
) -> Iterator[None]:
    """Put the default generator's state back at the end of the `with` block.

    `devices` and `device_type` name GPUs whose generators PyTorch would fork too; as the engine has none, any
    device in `devices` is a RuntimeError.

    >>> import minitorch_cifar as torch
    >>> _ = torch.manual_seed(0)
    >>> with torch.random.fork_rng():
    ...     print(torch.rand(1))
    tensor([0.4963])
    >>> torch.rand(1)
    tensor([0.4963])
    """
    if not enabled:
        yield
        return
    asked = list(devices or ())
    if asked:
        raise RuntimeError(
            f"fork_rng: cannot fork {device_type} devices {asked}, the engine has only the CPU"
        )
    state = default_generator.state_bytes()
    try:
        yield
    finally:
        default_generator.set_state_bytes(state)
