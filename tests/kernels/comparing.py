"""What the kernel tests share: both sets of kernels, arrays in awkward layouts, the measure of accuracy."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from hypothesis import strategies as st

BACKENDS = ("numpy", "numba", "deterministic")
WITHOUT_UNIT = " without the matrix unit"
DTYPES = (np.float32, np.float64)
LAYOUTS = ("contiguous", "transposed", "strided", "reversed", "offset")
SPECIAL = (0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 1e-42, 1e4, -1e4, 30.0, -120.0)


def kernels(backend: str, family: str) -> Any:
    """The module that holds a family's kernels, for example `kernels("numba", "loss")`."""
    backend = backend.removesuffix(WITHOUT_UNIT)
    return importlib.import_module(f"minitorch_cifar.kernels.{backend}_kernels.{family}")


def convolution_backends() -> tuple[str, ...]:
    """The backends, and Numba's kernels once more as on a CPU without a matrix unit."""
    return (*BACKENDS, f"numba{WITHOUT_UNIT}") if kernels("numba", "conv").HAS_MATRIX_UNIT else BACKENDS


@contextmanager
def as_in(backend: str) -> Iterator[None]:
    """While it lasts, the convolution of the Numba backend leaves the matrix unit alone if `backend` does."""
    conv = kernels("numba", "conv")
    before = conv.HAS_MATRIX_UNIT, conv._UNITS
    if backend.endswith(WITHOUT_UNIT):
        conv.HAS_MATRIX_UNIT, conv._UNITS = False, (False,)
    try:
        yield
    finally:
        conv.HAS_MATRIX_UNIT, conv._UNITS = before


def laid_out(array: np.ndarray, layout: str) -> np.ndarray:
    """An array with the same elements whose memory is laid out otherwise."""
    if layout == "transposed":
        return array.T.copy(order="C").T
    if layout == "strided" and array.ndim:
        padded = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        padded[..., ::2] = array
        return padded[..., ::2]
    if layout == "reversed" and array.ndim:
        return array[..., ::-1].copy()[..., ::-1]
    if layout == "offset":
        padded = np.zeros(
            (*array.shape, 1) if not array.ndim else (array.shape[0] + 1, *array.shape[1:]), array.dtype
        )
        view = padded[..., 0] if not array.ndim else padded[1:]
        view[...] = array
        return view
    return array.copy()


def empty_in(shape: tuple[int, ...], dtype: Any, layout: str) -> np.ndarray:
    """An output array, filled with rubbish so that an element left out is seen."""
    return laid_out(np.full(shape, 12345.0, dtype), layout)


@st.composite
def numbers(draw: st.DrawFn, shape: tuple[int, ...], special: bool = True, scale: float = 3.0) -> np.ndarray:
    """A float64 array of normal numbers, some of them replaced by numbers at which functions have edges."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    array = generator.normal(scale=scale, size=shape)
    if special and array.size and draw(st.booleans()):
        chosen = generator.random(shape) < 0.3
        array[chosen] = generator.choice(SPECIAL, size=int(chosen.sum()))
    return array


def assert_accurate(ours: np.ndarray, peer: np.ndarray, exact: np.ndarray, *intermediates: Any) -> None:
    """`ours` errs at most twice as much as the float32 `peer`, or by 4 ulp of the largest intermediate.

    For float64 results `peer` is the reference itself and the bound is relative: 1e-12.
    """
    assert ours.shape == exact.shape
    finite = np.isfinite(exact) & np.isfinite(peer)
    np.testing.assert_array_equal(ours[~finite], peer[~finite])
    if not finite.any():
        return
    sizes = [np.abs(a[np.isfinite(a)]).max(initial=0.0) for a in map(np.asarray, (exact, *intermediates))]
    largest = max(float(size) for size in sizes)
    if ours.dtype == np.float64:
        np.testing.assert_allclose(ours, exact, rtol=1e-12, atol=1e-13 * largest)
        return
    error = np.abs(ours[finite].astype(np.float64) - exact[finite]).max()
    allowed = 2 * np.abs(peer[finite].astype(np.float64) - exact[finite]).max()
    floor = 4 * np.finfo(np.float32).eps * largest
    assert error <= max(allowed, floor), f"error {error}, twice PyTorch's {allowed}, floor {floor}"
