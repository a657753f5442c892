"""`save` and `load`: PyTorch's `.pth` files.

An object goes through `pickling.py` into a pickle and storages, which `archive.py` puts into a zip file;
`load` goes the way back through `unpickling.py`. Unless told otherwise, loading runs no code. Files made
before PyTorch 1.6 are read by `legacy.py`.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from ..dtypes import Array
from ..missing import explain_missing_in
from .archive import ALIGNMENT, ArchiveReader, ArchiveWriter
from .restricted_pickle import described
from .storage import AbsentDtypeError, StorageType
from .whole_file import whole_file

__all__ = ["load", "save", "whole_file"]

FileLike = str | os.PathLike[str] | BinaryIO
MapLocation = str | Mapping[str, Any] | Callable[..., Any] | Any


def save(
    obj: Any,
    f: FileLike,
    pickle_module: Any = pickle,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
) -> None:
    """Write an object to a `.pth` file that `load` and PyTorch's `torch.load` open.

    Args:
        obj: tensors, parameters, and containers of them and of plain values, nested at will (a state dict is
            one); or any object that pickles, such as a whole module, which then needs its class when it is
            loaded.
        f: a path, or a file open for writing bytes.
        pickle_module, pickle_protocol, _use_new_zipfile_serialization: as they are by default;
            NotImplementedError for anything else.

    Tensors that share memory share it again after loading; as in PyTorch, all of a tensor's memory is saved
    even if the tensor is a view of a small part (`clone()` it to save only that). At a path, the file appears
    whole or not at all.

    >>> import io, minitorch_cifar as torch
    >>> file = io.BytesIO()
    >>> torch.save({"epoch": 3, "weight": torch.ones(2)}, file)
    >>> _ = file.seek(0)
    >>> torch.load(file)
    {'epoch': 3, 'weight': tensor([1., 1.])}
    """
    if pickle_module is not pickle or pickle_protocol != 2:
        raise NotImplementedError("save: pickle_module and pickle_protocol cannot be replaced")
    if not _use_new_zipfile_serialization:
        raise NotImplementedError(
            "save: files of before PyTorch 1.6 (_use_new_zipfile_serialization=False) are read, not written"
        )
    if isinstance(f, (str, os.PathLike)):
        parent = Path(f).parent
        if not parent.is_dir():
            raise RuntimeError(f"Parent directory {parent} does not exist.")
        with whole_file(f) as file:
            _write(obj, file, Path(f).stem or "archive")
    elif not hasattr(f, "write"):
        raise AttributeError(
            "expected 'f' to be string, path, or a file-like object with a 'write' attribute, "
            f"got {type(f).__name__}"
        )
    elif hasattr(f, "seekable") and f.seekable():
        _write(obj, f, "archive")
    else:
        buffer = BytesIO()
        _write(obj, buffer, "archive")
        f.write(buffer.getvalue())


def _write(obj: Any, file: BinaryIO, folder: str) -> None:
    from .pickling import TensorPickler

    structure = BytesIO()
    pickler = TensorPickler(structure)
    pickler.dump(obj)
    # The archive is written at its own position 0, wherever the file stands.
    target = file if file.tell() == 0 else BytesIO()
    with ArchiveWriter(target, folder) as archive:
        archive.write("data.pkl", structure.getvalue())
        archive.write(".format_version", b"1")
        archive.write(".storage_alignment", str(ALIGNMENT).encode())
        archive.write("byteorder", sys.byteorder.encode())
        for key, storage in pickler.storages.items():
            archive.write(f"data/{key}", storage.data.cast("B") if storage.size else b"")
        archive.write("version", b"3\n")
    if isinstance(target, BytesIO) and target is not file:
        file.write(target.getvalue())


def load(
    f: FileLike,
    map_location: MapLocation = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Read what `save` or PyTorch's `torch.save` wrote.

    Args:
        f: a path, or a file open for reading bytes that can seek.
        map_location: where tensors saved on another device go: "cpu" is the only place there is. A device, a
            dict from saved to new location, or a function of (storage, location), as in PyTorch.
        weights_only: True (and by default) refuses all but tensors and plain containers, and runs no code.
            False unpickles anything, which may run any code the file's author wished: only for files you
            trust.
        pickle_module, mmap, pickle_load_args: not supported; NotImplementedError.

    Raises `pickle.UnpicklingError` for what is refused, by name, and RuntimeError for a damaged file;
    EOFError for an empty one. Messages name the file.
    """
    if pickle_module is not None or pickle_load_args:
        raise NotImplementedError(
            "load: pickle_module and arguments for it are not part of minitorch_cifar; leave them out"
        )
    if mmap:
        raise NotImplementedError(
            "load: mmap=True is not part of minitorch_cifar; the file is read into memory"
        )
    restricted = weights_only is None or bool(weights_only)
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return _read(cast(BinaryIO, file), os.fspath(f), map_location, restricted)
    if not all(hasattr(f, name) for name in ("read", "seek", "tell")):
        raise AttributeError(
            f"You can only load from a path or a file that is seekable, got {type(f).__name__}. "
            "Please pre-load the data into a buffer like io.BytesIO and try to load from it instead."
        )
    source = str(getattr(f, "name", "the file"))
    return _read(f, source, map_location, restricted)


def _read(file: BinaryIO, source: str, map_location: MapLocation, restricted: bool) -> Any:
    from .legacy import load_legacy
    from .unpickling import load_restricted, load_trusting

    start = file.tell()
    magic = file.read(4)
    file.seek(start)
    run = load_restricted if restricted else load_trusting
    try:
        if not magic:
            raise EOFError("Ran out of input: the file is empty")
        if magic != b"PK\x03\x04":
            return load_legacy(file, source, map_location, run)
        # Records are found from the archive's start, so that it may stand anywhere in the file.
        archive_file = file if start == 0 else BytesIO(file.read())
        archive = ArchiveReader(archive_file, source)
        return run(archive.read("data.pkl"), ArchiveStorages(archive, map_location))[0]
    except pickle.UnpicklingError as error:
        raise pickle.UnpicklingError(_refusal(error, source, restricted)) from error
    except EOFError as error:
        raise EOFError(f"{source}: {error}") from error
    except (AttributeError, ImportError, RuntimeError):
        raise  # of a class that the file names and that is not here, or of `map_location`
    except Exception as error:
        if source in str(error):
            raise
        raise pickle.UnpicklingError(f"{source}: {type(error).__name__}: {error}") from error


def _refusal(error: Exception, source: str, restricted: bool) -> str:
    if not restricted or isinstance(error, AbsentDtypeError):
        return f"{source}: {error}"
    return (
        f"Weights only load failed. {source}: {error}. With weights_only=True only tensors and plain "
        "containers are loaded; weights_only=False loads anything and may run any code, so use it only if "
        "you trust the file's author."
    )


class ArchiveStorages:
    """Loads the storages of an archive, each once, as flat arrays in the machine's byte order."""

    def __init__(self, archive: ArchiveReader, map_location: MapLocation) -> None:
        self.archive = archive
        self.map_location = map_location
        self.loaded: dict[str, Array] = {}
        order = archive.read("byteorder", 16).decode("latin1") if "byteorder" in archive else "little"
        if order not in ("little", "big"):
            raise RuntimeError(f"{archive.source}: damaged: unknown byte order {order!r}")
        self.swapped = order != sys.byteorder

    def __call__(self, storage_type: StorageType, key: str, location: str, numel: int) -> Array:
        check_location(self.map_location, location, storage_type, self.archive.source)
        assert storage_type.dtype is not None
        element = storage_type.dtype.numpy_dtype
        storage = self.loaded.get(key)
        if storage is None:
            size = self.archive.size(f"data/{key}")
            if size != numel * element.itemsize:  # before memory is asked for
                raise RuntimeError(
                    f"{self.archive.source}: damaged: record {described(f'data/{key}')} has {size:,} bytes, "
                    f"expected {numel} elements of {element.itemsize}"
                )
            storage = np.empty(numel, element)
            self.archive.read_into(f"data/{key}", storage)
            if self.swapped:
                storage.byteswap(inplace=True)
            self.loaded[key] = storage
        if storage.dtype != element or storage.size != numel:
            raise RuntimeError(
                f"{self.archive.source}: damaged: {described(f'data/{key}')} is described in two ways"
            )
        return storage


def check_location(map_location: MapLocation, location: str, storage_type: StorageType, source: str) -> None:
    """Refuse storages of the file `source` that would have to go to a device other than the CPU."""
    target: Any = location
    if callable(map_location) and not hasattr(map_location, "type"):
        placed = map_location(storage_type, location)
        target = location if placed is None else "cpu"
    elif isinstance(map_location, Mapping):
        target = map_location.get(location, location)
    elif map_location is not None:
        target = map_location
    name = str(getattr(target, "type", target)).split(":")[0]
    if name == "cpu":
        return
    if map_location is None:
        raise RuntimeError(
            f"{source}: Attempting to deserialize object on a {name[:40].upper()} device but this engine "
            "computes on the CPU. Please use load with map_location=torch.device('cpu') to map your storages "
            "to the CPU."
        )
    raise RuntimeError(
        f"{source}: don't know how to restore data location of a storage (tagged with {name[:40]}): only "
        "'cpu'"
    )


explain_missing_in(__name__, __all__)
