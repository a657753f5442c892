"""From objects to the pickle of a `.pth` file.

Tensors are written as PyTorch writes them, under PyTorch's names (`torch._utils._rebuild_tensor_v2`,
`torch.FloatStorage`), which no import has to resolve here. Their bytes do not go into the pickle but into
`storages`, one per piece of memory, however many tensors look at it. All else is pickled the standard way.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any, BinaryIO

from ..dtypes import Array, dtype
from .storage import STORAGE_TYPES, StorageType, storage_of
from .unpickling import rebuild_parameter, rebuild_tensor


@dataclass(frozen=True)
class StorageReference:
    """Stands in the pickle for a storage: its type, its record's name, its number of elements."""

    type: StorageType
    key: str
    numel: int


# The pickler in Python, not the one in C: only this one lets a subclass write a global that cannot be
# imported.
_PythonPickler: Any = pickle._Pickler


class TensorPickler(_PythonPickler):  # type: ignore[misc]
    """Pickles with protocol 2 into `file`; `storages` maps each record's key to its flat array."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, 2)
        self.storages: dict[str, Array] = {}
        self._references: dict[tuple[int, int], StorageReference] = {}  # by address and size of the memory
        self._globals = _pytorch_names()

    def persistent_id(self, obj: Any) -> tuple[Any, ...] | None:
        """The storage's own description; everything else stays in the pickle."""
        if isinstance(obj, StorageReference):
            return ("storage", obj.type, obj.key, "cpu", obj.numel)
        return None

    def reducer_override(self, obj: Any) -> Any:
        """How a tensor, a `Size`, a `device`, a dtype is taken apart; NotImplemented for all else."""
        from ..autograd import TensorBase
        from ..device import device
        from ..nn.parameter import Parameter
        from ..size import Size

        if isinstance(obj, Parameter):
            return rebuild_parameter, (obj.detach(), obj.requires_grad, OrderedDict())
        if isinstance(obj, TensorBase):
            return rebuild_tensor, self._tensor_arguments(obj)
        if isinstance(obj, Size):
            return Size, (tuple(obj),)
        if isinstance(obj, device):
            return device, ((obj.type,) if obj.index is None else (obj.type, obj.index))
        if isinstance(obj, (dtype, StorageType)):
            return obj.name
        if obj is rebuild_tensor or obj is rebuild_parameter:
            return obj.__name__  # so that it reaches `save_global`, which renames it
        if isinstance(obj, (FunctionType, type)) and "<locals>" in obj.__qualname__:
            raise AttributeError(f"Can't pickle local object '{obj.__qualname__}'")  # as the pickler in C
        return NotImplemented

    def _tensor_arguments(self, tensor: Any) -> tuple[Any, ...]:
        array: Array = tensor._array
        flat, window = storage_of(array)
        memory = (flat.__array_interface__["data"][0], flat.nbytes)
        reference = self._references.get(memory) if flat.size else None
        if reference is None:
            reference = StorageReference(_storage_type(array), str(len(self.storages)), flat.size)
            self.storages[reference.key] = flat
            if flat.size:  # empty arrays have no memory to share
                self._references[memory] = reference
        elif reference.type is not _storage_type(array):
            raise RuntimeError(
                "Cannot save multiple tensors or storages that view the same data as different types"
            )
        requires_grad = bool(tensor.requires_grad)
        return reference, window.offset, window.shape, window.strides, requires_grad, OrderedDict()

    def save_global(self, obj: Any, name: str | None = None) -> None:
        """Write a global, under PyTorch's name if it is one of PyTorch's."""
        renamed = isinstance(obj, (FunctionType, type, dtype, StorageType))
        known = self._globals.get(obj) if renamed else None
        if known is None:
            super().save_global(obj, name)
        else:
            self.write(pickle.GLOBAL + known.encode() + b"\n")
            self.memoize(obj)


def _storage_type(array: Array) -> StorageType:
    from ..dtypes import from_numpy_dtype

    return STORAGE_TYPES[from_numpy_dtype(array.dtype)]


def _pytorch_names() -> dict[Callable[..., Any] | dtype | StorageType, str]:
    """What has another name in the file than here: "module name" with a newline between them."""
    from ..device import device
    from ..size import Size

    names: dict[Any, str] = {
        rebuild_tensor: "torch._utils\n_rebuild_tensor_v2",
        rebuild_parameter: "torch._utils\n_rebuild_parameter",
        Size: "torch\nSize",
        device: "torch\ndevice",
    }
    for element, storage_type in STORAGE_TYPES.items():
        names[element] = f"torch\n{element.name}"
        names[storage_type] = f"torch\n{storage_type.name}"
    return names
