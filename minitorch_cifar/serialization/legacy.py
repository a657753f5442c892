"""Files that `torch.save` wrote before PyTorch 1.6.

Such a file is a row of pickles (a magic number, the protocol, facts of the machine, the object, the list of
storage keys) followed by the storages, each as a 64-bit count of elements and its bytes. The object refers to
storages that come later, so their memory is laid out first and filled afterwards.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any, BinaryIO, Final

import numpy as np

from ..dtypes import Array
from .archive import MAX_PICKLE
from .restricted_pickle import RestrictedUnpickler, described
from .storage import StorageType

MAGIC: Final = 0x1950A86A20F9469CFC6C
PROTOCOL: Final = 1001


def load_legacy(file: BinaryIO, source: str, map_location: Any, run: Callable[..., Any]) -> Any:
    """Read one object; `run` is the unpickler to use on it.

    Raises RuntimeError when the file is truncated, `pickle.UnpicklingError` when it is something else.
    """
    start = file.tell()
    size = file.seek(0, 2) - start
    file.seek(start)
    data = memoryview(file.read(MAX_PICKLE))  # all that comes before the storages
    position = 0

    def plain(kind: type[Any]) -> Any:
        nonlocal position
        reader = RestrictedUnpickler(data[position:], {})
        value = reader.load()
        if not isinstance(value, kind):
            raise RuntimeError(f"{source}: damaged: {described(value)} where a {kind.__name__} is expected")
        position += reader.position
        return value

    try:
        magic = plain(int)
    except (pickle.UnpicklingError, RuntimeError):
        magic = None
    if magic != MAGIC:
        raise pickle.UnpicklingError(
            "not a file that torch.save wrote: it is neither a zip archive nor of the old format"
        )
    if plain(int) != PROTOCOL:
        raise RuntimeError(f"{source}: damaged: unknown protocol version")
    if plain(dict).get("little_endian") is not True:
        raise RuntimeError(f"{source}: saved on a big-endian machine, which is not supported for old files")
    storages = LegacyStorages(size, source, map_location)
    result, length = run(data[position:], storages)
    position += length
    keys = plain(list)
    file.seek(start + position)
    for key in keys:
        storages.fill(key, file)
    if storages.empty:
        without = ", ".join(map(described, sorted(storages.empty)[:10]))
        raise RuntimeError(f"{source}: damaged: no content for storages {without}")
    return result


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

        check_location(self.map_location, location, storage_type, self.source)
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
            raise RuntimeError(f"{self.source}: damaged: storage {described(key)} is described in two ways")
        return storage

    def fill(self, key: Any, file: BinaryIO) -> None:
        """Read one storage's content from where `file` stands."""
        if not isinstance(key, str) or key not in self.loaded:
            raise RuntimeError(f"{self.source}: damaged: storage {described(key)} belongs to no tensor")
        if key not in self.empty:
            raise RuntimeError(f"{self.source}: damaged: storage {described(key)} comes twice")
        storage = self.loaded[key]
        count = int.from_bytes(file.read(8), "little")
        if count != storage.size:
            raise RuntimeError(
                f"{self.source}: damaged or truncated: storage {described(key)} has {count} elements, "
                f"not {storage.size}"
            )
        view = memoryview(storage.data).cast("B") if storage.size else memoryview(bytearray())
        done = 0
        while done < view.nbytes:
            chunk = file.read(min(1 << 20, view.nbytes - done))
            if not chunk:
                raise RuntimeError(
                    f"{self.source}: truncated: storage {described(key)} has {done:,} bytes, "
                    f"expected {view.nbytes:,}"
                )
            view[done : done + len(chunk)] = chunk
            done += len(chunk)
        self.empty.discard(key)
