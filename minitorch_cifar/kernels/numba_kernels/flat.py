"""How the loops of this package are compiled, and how arrays of any shape and strides reach them.

Numba compiles a function once per dtype, number of dimensions and memory layout of its arguments. The loops
are therefore written for contiguous arrays, the element-wise ones for 1-D arrays, and the decorators here lay
the arrays out for them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

from ..shapes import refuse_shape
from .runtime import Shared

F = TypeVar("F", bound=Callable[..., Any])

ARRAYS = (np.ndarray, np.generic)  # NumPy's arithmetic makes a scalar of an array without dimensions


def compiled(function: F) -> F:
    """Compile with Numba at the first call; the machine code is kept on disk between runs.

    Division follows NumPy: x / 0 is inf or NaN, not an exception.
    """
    return cast(F, njit(cache=True, error_model="numpy", no_cfunc_wrapper=True)(function))


def part(function: F) -> F:
    """`compiled`, for a function that other compiled ones call and Python must not: it would crash.

    What a call from Python needs would be a good part of the time to compile it.
    """
    return cast(
        F, njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    )


def compiled_sums(function: F) -> F:
    """`compiled`, and let the compiler split a sum into several that run side by side.

    NaN and infinity stay what they are; only the order of additions changes, always in the same way.
    """
    return cast(
        F, njit(cache=True, error_model="numpy", fastmath={"reassoc"}, no_cfunc_wrapper=True)(function)
    )


def elementwise(loop: F | Shared[F]) -> F:
    """Turn a compiled loop over contiguous 1-D arrays, the last of which is the output, into a kernel.

    All arrays must have the output's shape; other arguments are passed on. Nothing is copied when every array
    is contiguous in C order, or dense in the order in which the output is (a batch stored channels-last).
    """
    shared = loop if isinstance(loop, Shared) else None  # its work is the number of elements
    alone: Any = loop.alone if isinstance(loop, Shared) else loop

    @functools.wraps(alone)
    def kernel(*arguments: Any) -> None:
        out = arguments[-1]
        shape, is_plain = out.shape, out.flags.c_contiguous
        run = alone if shared is None else shared.of(out.size)
        given: list[Any] = []
        for a in arguments:
            if isinstance(a, ARRAYS):
                if a.shape != shape:
                    refuse_shape(out, a)
                given.append(a.ravel() if is_plain else a)
            else:
                given.append(a)
        if is_plain:
            run(*given)
            return
        # The axes from the outermost in the output's memory to the innermost.
        axes = sorted(range(out.ndim), key=lambda axis: -abs(out.strides[axis]))
        ordered: list[Any] = [np.transpose(a, axes) if isinstance(a, ARRAYS) else a for a in given]
        flat = [a.ravel() if isinstance(a, ARRAYS) else a for a in ordered]
        run(*flat)
        if not np.may_share_memory(flat[-1], out):  # ravel had to copy
            ordered[-1][...] = flat[-1].reshape(ordered[-1].shape)

    return cast(F, kernel)


def contiguous(loop: F) -> F:
    """Turn a compiled function of C-contiguous arrays, the last of which is the output, into a kernel.

    Arrays of other strides are copied; the shapes stay.
    """

    @functools.wraps(loop)
    def kernel(*arguments: Any) -> None:
        for a in arguments:
            if isinstance(a, np.ndarray) and not a.flags.c_contiguous:
                break
        else:
            loop(*arguments)
            return
        laid_out = [np.ascontiguousarray(a) if isinstance(a, np.ndarray) else a for a in arguments]
        loop(*laid_out)
        if laid_out[-1] is not arguments[-1]:
            arguments[-1][...] = laid_out[-1]

    return cast(F, kernel)
