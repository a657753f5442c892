"""Files that `torch.save` wrote before PyTorch 1.6.

Such a file is a row of pickles (a magic number, the protocol, facts of the machine, the object, the list of
storage keys) followed by the storages, each as a 64-bit count of elements and its bytes. The object refers to
storages that come later, so their memory is laid out first and filled afterwards.
"""

from __future__ import annotations

import pickle
import pickletools
from collections.abc import Callable
from typing import Any, BinaryIO, Final

import numpy as np

from ..dtypes import Array
from .restricted_pickle import RestrictedUnpickler
from .storage import StorageType

MAGIC: Final = 0x1950A86A20F9469CFC6C
PROTOCOL: Final = 1001


def load_legacy(file: BinaryIO, source: str, map_location: Any, run: Callable[..., Any]) -> Any:
    """Read one object; `run` is the unpickler to use on it.

    Raises RuntimeError when the file is truncated, `pickle.UnpicklingError` when it is something else.
    """
    data = memoryview(file.read())
    position = 0

    def plain() -> Any:
        nonlocal position
        reader = RestrictedUnpickler(data[position:], {})
        value = reader.load()
        position += reader.position
        return value

    try:
        magic = plain()
    except pickle.UnpicklingError:
        magic = None
    if magic != MAGIC:
        raise pickle.UnpicklingError(
            "not a file that torch.save wrote: it is neither a zip archive nor of the old format"
        )
    if plain() != PROTOCOL:
        raise RuntimeError(f"{source}: damaged: unknown protocol version")
    if plain().get("little_endian") is not True:
        raise RuntimeError(f"{source}: saved on a big-endian machine, which is not supported for old files")
    storages = LegacyStorages(len(data), source, map_location)
    end = position + _pickle_length(data[position:], source)
    result = run(bytes(data[position:end]), storages)
    position = end
    for key in plain():
        position = storages.fill(key, data, position)
    if storages.empty:
        raise RuntimeError(f"{source}: damaged: no content for storages {sorted(storages.empty)}")
    return result


def _pickle_length(data: memoryview, source: str) -> int:
    """How many bytes the pickle at the start of `data` has; it is walked through, not run."""
    from io import BytesIO

    stream = BytesIO(data)
    try:
        for _ in pickletools.genops(stream):
            pass
    except (ValueError, EOFError) as error:
        raise RuntimeError(f"{source}: damaged or truncated: {error}") from error
    return stream.tell()


class LegacyStorages:
    """Lays out storages when the object asks for them; `fill` brings their content."""

    def __init__(self, file_size: int, source: str, map_location: Any) -> None:
        self.left = file_size  # bytes that storages can still have: a file holds all of them
        self.source = source
        self.map_location = map_location
        self.loaded: dict[str, Array] = {}
        self.empty: set[str] = set()

    def __call__(self, storage_type: StorageType, key: str, location: str, numel: int) -> Array:
        from . import check_location

        check_location(self.map_location, location, storage_type)
        assert storage_type.dtype is not None
        element = storage_type.dtype.numpy_dtype
        storage = self.loaded.get(key)
        if storage is None:
            self.left -= numel * element.itemsize
            if self.left < 0:
                raise RuntimeError(f"{self.source}: truncated: its storages are larger than the file")
            storage = self.loaded[key] = np.empty(numel, element)
            self.empty.add(key)
        if storage.dtype != element or storage.size != numel:
            raise RuntimeError(f"{self.source}: damaged: storage {key!r} is described in two ways")
        return storage

    def fill(self, key: Any, data: memoryview, position: int) -> int:
        """Copy one storage's content from `data`; returns the position after it."""
        storage = self.loaded.get(key)
        if storage is None:
            raise RuntimeError(f"{self.source}: damaged: storage {key!r} belongs to no tensor")
        end = position + 8 + storage.nbytes
        if end > len(data):
            raise RuntimeError(f"{self.source}: truncated: {end:,} bytes expected, it has {len(data):,}")
        count = int.from_bytes(data[position : position + 8], "little")
        if count != storage.size:
            raise RuntimeError(
                f"{self.source}: damaged: storage {key!r} has {count} elements, not {storage.size}"
            )
        storage[...] = np.frombuffer(data[position + 8 : end], storage.dtype)
        self.empty.discard(key)
        return end
