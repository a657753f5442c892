"""The memory under a tensor, as `.pth` files know it.

A `.pth` file keeps *storages*, flat runs of one element type, and describes each tensor as a window on one:
offset, shape, strides. Two tensors that share memory are two windows on one storage, and come back so. This
file finds the storage under a NumPy array when saving and lays the window when loading.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .. import dtypes
from ..dtypes import Array, dtype


@dataclass(frozen=True)
class StorageType:
    """`torch.FloatStorage` and its kin: how a `.pth` file names the element type of a storage."""

    name: str
    dtype: dtype | None  # None: PyTorch has it, the engine has not
    dtype_name: str = ""  # of one that the engine has not


STORAGE_TYPES: Final = {d: StorageType(f"{d.legacy_name}Storage", d) for d in dtypes.ALL}
ABSENT_STORAGE_TYPES: Final = tuple(
    StorageType(f"{name}Storage", None, dtype_name)
    for name, dtype_name in {
        "Half": "float16",
        "BFloat16": "bfloat16",
        "Char": "int8",
        "Short": "int16",
        "ComplexFloat": "complex64",
        "ComplexDouble": "complex128",
        "Untyped": "no dtype",
    }.items()
)


class AbsentDtypeError(pickle.UnpicklingError):
    """A file holds tensors of a dtype that is not part of the engine: no way of loading helps."""


@dataclass(frozen=True)
class Window:
    """Where a tensor lies in its storage, in elements."""

    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def storage_of(array: Array) -> tuple[Array, Window]:
    """The flat array that owns `array`'s memory, and the window of it that `array` is.

    Falls back to a contiguous copy where the memory is no run of whole elements: negative strides, or a view
    of other-typed or foreign memory.
    """
    owner = array
    base: Any = array.base
    while base is not None:
        if isinstance(base, np.ndarray):
            owner = base
        base = getattr(base, "base", None)
    flat = owner.T if owner.flags.f_contiguous else owner
    size = array.itemsize
    offset = array.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
    aligned = offset % size == 0 and all(stride >= 0 and stride % size == 0 for stride in array.strides)
    if owner.dtype != array.dtype or not flat.flags.c_contiguous or not aligned:
        flat = np.ascontiguousarray(array)
        # ascontiguousarray makes 0-dimensional arrays 1-dimensional; the strides must have the old rank.
        strides = flat.strides if array.ndim else ()
        return flat.reshape(-1), Window(0, array.shape, tuple(stride // size for stride in strides))
    return flat.reshape(-1), Window(
        offset // size, array.shape, tuple(stride // size for stride in array.strides)
    )


def _described(window: Window) -> str:
    from .restricted_pickle import described

    return (
        f"offset {described(window.offset)}, shape {described(window.shape)}, "
        f"strides {described(window.strides)}"
    )


def lay(storage: Array, window: Window) -> Array:
    """The array that `window` of a flat `storage` is; it shares the memory.

    Raises ValueError when the window reaches outside of the storage; NumPy checks it.
    """
    size = storage.itemsize
    numbers = (window.offset, *window.shape, *window.strides)
    if not all(type(number) is int and 0 <= number < 2**62 for number in numbers):
        raise ValueError(f"a tensor of {_described(window)}")
    if len(window.shape) != len(window.strides):
        raise ValueError(f"a tensor of {_described(window)}")
    strides = [stride * size for stride in window.strides]
    if 0 in window.shape:  # nothing of the storage is looked at
        return np.ndarray(window.shape, storage.dtype, np.empty(0, storage.dtype), 0, strides)
    return np.ndarray(window.shape, storage.dtype, storage, window.offset * size, strides)
