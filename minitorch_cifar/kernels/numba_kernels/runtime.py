"""What the package needs of Numba itself: loops that share work among threads, and a notice while it
compiles. No kernel is in this file.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any, Generic, TypeVar, cast

import numba
from numba.core import event
from numba.core.compiler_lock import global_compiler_lock

from ...memory import keep_freed_memory
from ...threads import apply_to_numba, get_num_threads, hold_during_fork

F = TypeVar("F", bound=Callable[..., Any])


# What Numba may run on several threads: nothing but the loops that say so, which spares compile time.
ONLY_PRANGE = {"prange": True} | dict.fromkeys(
    ("comprehension", "reduction", "inplace_binop", "setitem", "numpy", "stencil", "fusion"), False
)
NEVER = sys.maxsize  # more work than there can be
_loops: list[Shared[Any]] = []
_must_run_alone = False  # this process cannot start threads
_launching = threading.Lock()  # held while threads run, where two calls at once must not be
_guard: Callable[[Shared[Any]], Any] | None = None  # how a loop is called on several threads, once known


class Shared(Generic[F]):
    """A function with a `prange` loop, compiled twice: for several threads, and for the calling one alone.

    To start the other threads and to wait for the last of them takes microseconds on an idle machine and
    milliseconds on a busy one, so `of(work)` gives the first only where there is enough to do. The choice
    does not depend on the number of threads, and so neither does any result.
    """

    def __init__(self, function: F, enough: int, **options: Any) -> None:
        self.enough = NEVER if _must_run_alone else enough
        _loops.append(self)
        # No wrapper to call it from C: that takes its share of the time to compile.
        options |= {"cache": True, "error_model": "numpy", "no_cfunc_wrapper": True}
        self.alone: F = numba.njit(**options)(function)
        # Numba names files of machine code after the function: the second version needs a name of its own.
        twin = FunctionType(
            function.__code__, function.__globals__, function.__name__, None, function.__closure__
        )
        twin.__qualname__ = f"{function.__qualname__}_shared"
        self.parallel: F = numba.njit(parallel=ONLY_PRANGE, **options)(twin)
        self.shared: F = cast(F, self._first) if _guard is None else _guard(self)

    def of(self, work: int) -> F:
        """The version for so much work, in the unit of `enough`."""
        return self.shared if work >= self.enough else self.alone

    def splits(self, work: int, shares: int, most: int) -> int:
        """Into how many parts, `most` of them at most, to cut each of `shares` so that all threads have work.

        The number depends on that of the threads, so no sum may be divided by it.
        """
        return 1 if work < self.enough else max(1, min(most, -(-get_num_threads() // shares)))

    def _first(self, *arguments: Any) -> Any:
        """The first call for several threads: it starts them, and then it is known which kind they are."""
        global _guard
        with _launching:
            result = self.parallel(*arguments)
            if _guard is None:
                _guard = _taking_turns if numba.threading_layer() == "workqueue" else _as_it_is
                for loop in _loops:
                    loop.shared = _guard(loop)
        return result


def _as_it_is(loop: Shared[Any]) -> Any:
    """For OpenMP and TBB, which several Python threads may use at once."""
    return loop.parallel


def _taking_turns(loop: Shared[Any]) -> Any:
    """For Numba's own threads, which end the process when two Python threads call them: who finds them busy
    does without.
    """

    def run(*arguments: Any) -> Any:
        if not _launching.acquire(blocking=False):
            return loop.alone(*arguments)
        try:
            return loop.parallel(*arguments)
        finally:
            _launching.release()

    return run


def in_parallel(enough: int, **options: Any) -> Callable[[F], Shared[F]]:
    """Compile a function whose `prange` loops run on several threads where there is `enough` to do.

    The rounds of such a loop must not depend on each other, nor any sum on which thread runs which round.
    """
    return lambda function: Shared(function, enough, **options)


def inlined(function: F) -> F:
    """Compile a small function into the loops that call it."""
    return cast(F, numba.njit(cache=True, error_model="numpy", inline="always")(function))


def unlocked(function: F) -> F:
    """Compile a function that lets other Python threads run meanwhile."""
    return cast(F, numba.njit(cache=True, error_model="numpy", nogil=True)(function))


def _after_fork() -> None:
    """Let every loop run on the calling thread if this process, just forked, has no others to call.

    GNU's OpenMP, which Numba uses where it is, keeps the threads of the parent on its books: to call them
    ends the process. (Numba's other layers start new ones.)
    """
    global _must_run_alone
    try:
        layer = numba.threading_layer()
    except ValueError:  # no thread was started before the fork
        return
    if layer == "omp":
        _must_run_alone = True
        for loop in _loops:
            loop.enough = NEVER


_PACKAGE = __name__.removesuffix(".numba_kernels.runtime")


class CompilationNotice(event.Listener):  # type: ignore[misc]
    """Says once, on stderr, that kernels of this package are being compiled.

    Numba sends its `numba:compile` event when it compiles, not when it loads machine code from the disk.
    """

    def __init__(self) -> None:
        self.given = False

    def on_start(self, event: Any) -> None:
        function = event.data["dispatcher"].py_func
        if not self.given and function.__module__.startswith(_PACKAGE):
            self.given = True
            print(
                "minitorch_cifar: compiling kernels for this machine "
                "(once for each; kept for later runs) ...",
                file=sys.stderr,
                flush=True,
            )

    def on_end(self, event: Any) -> None:
        """The end of a compilation is not reported."""


_notice = CompilationNotice()
_registered = False


def prepare() -> None:
    """Called before the first kernel is loaded. RuntimeError when Numba is told not to compile."""
    global _registered
    if numba.config.DISABLE_JIT:
        raise RuntimeError("the environment variable NUMBA_DISABLE_JIT switches compilation off")
    if not _registered:
        event.register("numba:compile", _notice)
        hold_during_fork(global_compiler_lock)
        hold_during_fork(_launching)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_after_fork)
        _registered = True
    apply_to_numba()
    keep_freed_memory()
