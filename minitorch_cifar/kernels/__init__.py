"""The kernels: plain functions from arrays to arrays that know no tensor and write into arrays handed to
them.

Every kernel exists with one signature in `numpy_kernels`, to be read, in `numba_kernels`, to be fast, and in
`deterministic_kernels`, to give the same bits on every CPU. Operations call `active.<kernel>(...)`, and
`active` holds the functions of the backend in use, which `minitorch_cifar.backends.use` chooses. Numba is
imported at the first kernel call, not before: half a second that a program which never computes need not
wait for.
"""

from __future__ import annotations

import importlib
import threading
import warnings
from collections.abc import Callable
from types import FunctionType
from typing import Any

from ..threads import hold_during_fork, leave_blas_one_thread

Kernel = Callable[..., Any]

DEFAULT = "numba"
BACKENDS = ("numpy", "numba", "deterministic")
FAMILIES = ("activation", "conv", "image", "linear", "loss", "norm", "optim", "pool", "pooled")


def load(backend: str) -> dict[str, Kernel]:
    """All kernels of a backend by name. Which names there are, the modules of `numpy_kernels` say."""
    leave_blas_one_thread()
    if backend != "numpy":
        from .numba_kernels import runtime

        runtime.prepare()
    kernels: dict[str, Kernel] = {}
    for family in FAMILIES:
        specification = importlib.import_module(f"{__name__}.numpy_kernels.{family}")
        module = importlib.import_module(f"{__name__}.{backend}_kernels.{family}")
        for name, value in vars(specification).items():
            defined_here = isinstance(value, FunctionType) and value.__module__ == specification.__name__
            if defined_here and not name.startswith("_"):
                kernels[name] = getattr(module, name)
    return kernels


class ActiveKernels:
    """The kernels of the backend in use, as attributes.

    They are put into the instance's `__dict__`, so that a call costs no more than the look-up of an
    attribute. While the dictionary is empty, the first look-up ends in `__getattr__`, which fills it.
    """

    def __init__(self) -> None:
        self._backend = DEFAULT
        self._lock = threading.RLock()  # two threads may come to the first kernel at once

    def __getattr__(self, name: str) -> Kernel:
        if not name.startswith("_"):
            with self._lock:
                self._fill()
            if name in self.__dict__:
                return self.__dict__[name]  # type: ignore[no-any-return]
        raise AttributeError(f"the {self._backend} backend has no kernel named {name!r}")

    def _fill(self) -> None:
        try:
            kernels = load(self._backend)
        except Exception as error:
            if self._backend != DEFAULT:
                raise
            warnings.warn(
                f"Numba cannot be used here ({type(error).__name__}: {error}); "
                "the NumPy kernels compute instead, slowly",
                RuntimeWarning,
                stacklevel=3,
            )
            self._backend = "numpy"
            kernels = load("numpy")
        self.__dict__.update(kernels)

    def _switch(self, backend: str) -> None:
        with self._lock:
            if backend != self._backend:
                self.__dict__ = {"_backend": backend, "_lock": self._lock}


active = ActiveKernels()
hold_during_fork(active._lock)
