"""Which kernels compute, and PyTorch's `torch.backends` as far as programs set its flags.

`use("numpy")`, `use("numba")` and `use("deterministic")` choose the kernels for the whole process. `cudnn`
and `mps` stand for hardware that the engine does not drive: they can be asked and set, and change nothing.
"""

from __future__ import annotations

from types import TracebackType

from ..kernels import BACKENDS, active, load
from ..missing import explain_missing_in
from . import cudnn, mps

__all__ = ["cudnn", "current", "mps", "use"]


class use:  # noqa: N801 - reads as a function: `use("numpy")`
    """Compute with the kernels of `backend` from now on, or for the length of a `with`.

    "numba", the default, is the fast one, "numpy" the one to be read, and "deterministic" gives the same bits
    on every CPU.

    The choice holds for all threads of the process. ValueError for another name; ImportError when Numba
    cannot be used on this machine.

    >>> import minitorch_cifar as torch
    >>> with torch.backends.use("numpy"):
    ...     torch.backends.current()
    'numpy'
    """

    def __init__(self, backend: str) -> None:
        if backend not in BACKENDS:
            raise ValueError(f"unknown backend {backend!r}: expected one of {', '.join(map(repr, BACKENDS))}")
        self.previous = active._backend
        if backend not in ("numpy", self.previous):
            try:
                load(backend)
            except Exception as error:
                raise ImportError(f"the {backend} backend cannot be used here: {error}") from error
        active._switch(backend)

    def __enter__(self) -> None:
        """The switch was made when the object was."""

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        active._switch(self.previous)


def current() -> str:
    """The name of the backend in use."""
    return active._backend


explain_missing_in(__name__, __all__)
