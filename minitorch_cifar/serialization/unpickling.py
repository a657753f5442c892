"""From the pickle of a `.pth` file back to objects.

Two readers share the functions that rebuild tensors: the restricted one, which knows tensors and plain
containers and nothing else, and Python's own with tensors added, for files whose author is trusted. Both ask
a *storage loader* for the bytes; zip archives and files of the old format each bring their own.
"""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

import numpy as np

from .. import dtypes
from ..dtypes import Array
from .restricted_pickle import PLAIN_NAMES, Constructor, RestrictedUnpickler, described
from .storage import ABSENT_STORAGE_TYPES, STORAGE_TYPES, AbsentDtypeError, StorageType, Window, lay

# Gives the flat array of a storage: its type, its key, where it was saved from, how many elements.
StorageLoader = Callable[[StorageType, str, str, int], Array]


def rebuild_tensor(
    storage: Any,
    offset: int,
    shape: Any,
    strides: Any,
    requires_grad: bool = False,
    hooks: Any = None,
    metadata: Any = None,
) -> Any:
    """The tensor that is a window of a storage; hooks are not saved, so `hooks` is empty."""
    from ..autograd import wrap

    if not isinstance(storage, np.ndarray):
        raise TypeError(f"a tensor is made from a storage, not from a {type(storage).__name__}")
    if metadata:
        raise ValueError(f"tensors with metadata ({described(metadata)}) do not exist in the engine")
    if requires_grad and storage.dtype.kind != "f":
        raise ValueError(f"a tensor of {storage.dtype} cannot require a gradient")
    if not isinstance(shape, (list, tuple)) or not isinstance(strides, (list, tuple)):
        raise TypeError(f"a tensor of shape {described(shape)}, strides {described(strides)}")
    array = lay(storage, Window(offset, tuple(shape), tuple(strides)))
    return wrap(array, requires_grad=bool(requires_grad))


def rebuild_parameter(data: Any, requires_grad: bool, hooks: Any = None) -> Any:
    """A `Parameter` round a tensor."""
    from ..nn.parameter import Parameter
    from ..tensor import Tensor

    if not isinstance(data, Tensor):
        raise TypeError(f"a Parameter is made from a tensor, not from a {type(data).__name__}")
    if requires_grad and data._array.dtype.kind != "f":
        raise ValueError(f"a Parameter of {data._array.dtype} cannot require a gradient")
    return Parameter(data, requires_grad=bool(requires_grad))


def tensor_names() -> dict[str, Any]:
    """What a file of weights may name: PyTorch's names for tensors and their parts, and plain containers."""
    from ..device import device
    from ..size import Size

    names = dict(PLAIN_NAMES)
    names["torch._utils._rebuild_tensor"] = Constructor(rebuild_tensor)
    names["torch._utils._rebuild_tensor_v2"] = Constructor(rebuild_tensor)
    names["torch._utils._rebuild_parameter"] = Constructor(rebuild_parameter)
    names["torch.Size"] = Constructor(Size)
    names["torch.device"] = Constructor(device)
    for element in dtypes.ALL:
        names[f"torch.{element.name}"] = element
    for storage_type in (*STORAGE_TYPES.values(), *ABSENT_STORAGE_TYPES):
        module = "torch.storage" if storage_type.name == "UntypedStorage" else "torch"
        names[f"{module}.{storage_type.name}"] = storage_type
    return names


def persistent_load(load_storage: StorageLoader) -> Callable[[Any], Array]:
    """The function that turns a storage's description in the pickle into its flat array."""

    def load(identity: Any) -> Array:
        if not isinstance(identity, tuple) or len(identity) < 5 or identity[0] != "storage":
            raise pickle.UnpicklingError(
                f"refused: a reference to {described(identity)}, which is not a storage"
            )
        _, storage_type, key, location, numel, *rest = identity
        if any(part is not None for part in rest):
            raise pickle.UnpicklingError("refused: a view of a storage, as only very old files have")
        if (
            not isinstance(storage_type, StorageType)
            or not isinstance(key, str)
            or not isinstance(location, str)
        ):
            what = ", ".join(map(described, identity[1:4]))
            raise pickle.UnpicklingError(f"refused: a storage described as {what}")
        if storage_type.dtype is None:
            have = ", ".join(d.name for d in dtypes.ALL)
            raise AbsentDtypeError(
                f"it holds tensors of {storage_type.dtype_name} (a torch.{storage_type.name}), which is not "
                f"part of the engine: it has {have}. Convert them in PyTorch before saving, for example with "
                ".float()"
            )
        if type(numel) is not int or numel < 0:
            raise pickle.UnpicklingError(f"refused: a storage of {described(numel)} elements")
        return load_storage(storage_type, key, location, numel)

    return load


def load_restricted(data: bytes | memoryview, load_storage: StorageLoader) -> tuple[Any, int]:
    """Run a pickle that may hold tensors and plain containers only; gives its value and its length."""
    reader = RestrictedUnpickler(data, tensor_names(), persistent_load(load_storage))
    return reader.load(), reader.position


class _TrustingUnpickler(pickle.Unpickler):
    """Python's unpickler, with PyTorch's names led to the engine."""

    def __init__(self, file: BytesIO, load_storage: StorageLoader) -> None:
        super().__init__(file, encoding="utf-8")
        self.names = tensor_names()
        self.load_storage = persistent_load(load_storage)

    def persistent_load(self, pid: Any) -> Array:
        """A storage."""
        return self.load_storage(pid)

    def find_class(self, module_name: str, global_name: str) -> Any:
        """The object of that name: the engine's, where the name is PyTorch's."""
        known = self.names.get(f"{module_name}.{global_name}")
        if isinstance(known, Constructor):
            return known.function
        if known is not None:
            return known
        if module_name == "torch" or module_name.startswith("torch."):
            return _engine_object(module_name, global_name)
        return super().find_class(module_name, global_name)


ENGINE: Final = __name__.split(".")[0]


def _engine_object(module_name: str, global_name: str) -> Any:
    """The engine's counterpart of a class of PyTorch's: `torch.nn.modules.linear.Linear` -> `nn.Linear`."""
    parts = module_name.split(".")[1:]
    for depth in range(len(parts), -1, -1):
        try:
            module = importlib.import_module(".".join((ENGINE, *parts[:depth])))
        except ModuleNotFoundError:
            continue
        if hasattr(module, global_name):
            return getattr(module, global_name)
    raise pickle.UnpicklingError(f"it names {module_name}.{global_name}, which the engine does not have")


def load_trusting(data: bytes | memoryview, load_storage: StorageLoader) -> tuple[Any, int]:
    """Run a pickle with all that pickles can do; only for files whose author is trusted."""
    file = BytesIO(data)
    return _TrustingUnpickler(file, load_storage).load(), file.tell()
