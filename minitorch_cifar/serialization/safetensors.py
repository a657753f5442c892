"""Weights as `safetensors` files, by the library of that name: `save_file`, `load_file`, `save`, `load`.

They take and give what `safetensors.torch` takes and gives, with tensors of the engine, so a file written on
either side opens on the other. Such a file holds named tensors and nothing else: no code, no nesting, no
shared memory. The library is an extra; without it the functions say how to install it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from ..autograd import wrap
from ..autograd.variable import TensorBase
from ..dtypes import Array
from .whole_file import whole_file

__all__ = ["load", "load_file", "save", "save_file"]

# The dtypes of the engine by the format's names.
DTYPES = {
    "F32": np.float32,
    "F64": np.float64,
    "I64": np.int64,
    "I32": np.int32,
    "U8": np.uint8,
    "BOOL": np.bool_,
}


def save_file(
    tensors: Mapping[str, Any], filename: str | os.PathLike[str], metadata: dict[str, str] | None = None
) -> None:
    """Write named tensors, such as a state dict, into a file, which appears whole or not at all.

    Args:
        tensors: tensors by name. They must be contiguous and share no memory.
        filename: the path.
        metadata: text by name, kept in the file's header.

    Raises ValueError for what is no tensor or not contiguous, RuntimeError for shared memory, ImportError
    without the library.
    """
    content = save(tensors, metadata)
    with whole_file(filename) as file:
        file.write(content)


def save(tensors: Mapping[str, Any], metadata: dict[str, str] | None = None) -> bytes:
    """What `save_file` writes, as bytes.

    >>> import minitorch_cifar as torch
    >>> from minitorch_cifar.serialization import safetensors
    >>> safetensors.load(safetensors.save({"weight": torch.ones(2)}))
    {'weight': tensor([1., 1.])}
    """
    library = _library("safetensors.numpy")
    content: bytes = library.save(_arrays(tensors), metadata)
    return content


def load_file(filename: str | os.PathLike[str], device: Any = "cpu") -> dict[str, Any]:
    """The tensors of a file by name.

    `device` can only be the CPU (NotImplementedError). Raises what the library raises for a damaged file,
    TypeError for dtypes that the engine has not.
    """
    if str(device) != "cpu":
        raise NotImplementedError(f"load_file: tensors of this engine are on the CPU, not on {device}")
    with open(filename, "rb") as file:
        return load(file.read())


def load(data: bytes) -> dict[str, Any]:
    """The tensors in the bytes of a file by name."""
    tensors = {}
    for name, entry in _library("safetensors").deserialize(bytes(data)):
        kind = DTYPES.get(entry["dtype"])
        if kind is None:
            raise TypeError(
                f"{name} has the dtype {entry['dtype']}; the engine has tensors of {', '.join(DTYPES)}"
            )
        array = np.frombuffer(bytearray(entry["data"]), np.dtype(kind).newbyteorder("<"))
        tensors[name] = wrap(array.astype(kind, copy=False).reshape(entry["shape"]))
    return tensors


def _library(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            "safetensors files need the safetensors library: pip install 'minitorch-cifar[safetensors]'"
        ) from error


def _arrays(tensors: Mapping[str, Any]) -> dict[str, Array]:
    if not isinstance(tensors, Mapping):
        raise ValueError(f"Expected a dict of [str, torch.Tensor] but received {type(tensors)}")
    arrays: dict[str, Array] = {}
    for name, tensor in tensors.items():
        if not isinstance(name, str):
            raise TypeError(f"names of tensors must be str, but got {name!r}")
        if not isinstance(tensor, TensorBase):
            raise ValueError(f"Key `{name}` is invalid, expected torch.Tensor but received {type(tensor)}")
        if not tensor._array.flags.c_contiguous:
            raise ValueError(
                f"You are trying to save a non contiguous tensor: `{name}` which is not allowed. Call "
                "`.contiguous()` on the tensor to pack it before saving."
            )
        arrays[name] = tensor._array
    for first, second in combinations(arrays, 2):
        if np.may_share_memory(arrays[first], arrays[second]):  # exact for contiguous arrays
            raise RuntimeError(
                "Some tensors share memory, this will lead to duplicate memory on disk and potential "
                f"differences when loading them again: [{{'{first}', '{second}'}}]. Save one of them, or a "
                "clone()."
            )
    return arrays
