"""Weights as `safetensors` files, by the library of that name: `save_file`, `load_file`, `save`, `load`.

They take and give what `safetensors.torch` takes and gives, with tensors of the engine, so a file written on
either side opens on the other. Such a file holds named tensors and nothing else: no code, no nesting, no
shared memory. The library is an extra; without it the functions say how to install it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from itertools import combinations
from typing import Any, BinaryIO, Final

import numpy as np

from ..autograd import wrap
from ..autograd.variable import TensorBase
from ..dtypes import Array
from .whole_file import whole_file

__all__ = ["load", "load_file", "save", "save_file"]

MAX_HEADER: Final = 10_000_000  # bytes; a tensor takes about 100

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

    `device` can only be the CPU (NotImplementedError). Raises ValueError, or what the library raises, for a
    damaged file, TypeError for dtypes that the engine has not; the message names the file.
    """
    if str(device) != "cpu":
        raise NotImplementedError(f"load_file: tensors of this engine are on the CPU, not on {device}")
    source = os.fspath(filename)
    with open(filename, "rb") as file:
        start = file.read(8)
        _check_header(start, file, os.fstat(file.fileno()).st_size, source)
        file.seek(0)
        return _tensors(file.read(), source)


def load(data: bytes) -> dict[str, Any]:
    """The tensors in the bytes of a file by name."""
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"load(): argument 'data' must be bytes, not {type(data).__name__}")
    return _tensors(bytes(data), "the bytes")


def _check_header(start: bytes, file: BinaryIO, size: int, source: str) -> None:
    """Compare the sizes that a file claims with its own before it is read; ValueError when they cannot be."""
    length = int.from_bytes(start, "little")
    if len(start) < 8 or 8 + length > size:
        raise ValueError(f"{source}: truncated or no safetensors file: {size:,} bytes cannot hold its header")
    if length > MAX_HEADER:
        raise ValueError(f"{source}: a header of {length:,} bytes; at most {MAX_HEADER:,} are read")
    try:
        header = json.loads(file.read(length).decode())  # UTF-8; `loads` would take others for it too
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        expected = 8 + length + max(ends, default=0)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise ValueError(f"{source}: not a safetensors file: its header cannot be read: {error}") from error
    if expected != size:
        raise ValueError(f"{source}: truncated or damaged: {size:,} bytes, its header says {expected:,}")


def _tensors(data: bytes, source: str) -> dict[str, Any]:
    tensors = {}
    library = _library("safetensors")
    try:
        entries = library.deserialize(data)
    except library.SafetensorError as error:
        raise library.SafetensorError(f"{source}: {error}") from error
    for name, entry in entries:
        kind = DTYPES.get(entry["dtype"])
        if kind is None:
            raise TypeError(
                f"{source}: {name} has the dtype {entry['dtype']}; the engine has tensors of "
                f"{', '.join(DTYPES)}"
            )
        array = np.frombuffer(bytearray(entry["data"]), np.dtype(kind).newbyteorder("<"))
        try:
            tensors[name] = wrap(array.astype(kind, copy=False).reshape(entry["shape"]))
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{source}: damaged: {name}: {error}") from error
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
