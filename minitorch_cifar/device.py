"""`device`: where a tensor lives. In this engine that is always the CPU.

A device object may name any of PyTorch's devices, so that programs which choose one run unchanged up to the
point where they would move data there. `require_cpu` is that point: it refuses every device but the CPU.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

from .class_names import PrintsItsName
from .missing import ExplainsMissing

__all__ = ["device", "require_cpu"]

_TYPES = (
    "cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, vulkan, mps, meta, "
    "hpu, mtia, privateuseone"
)


class device(ExplainsMissing, metaclass=PrintsItsName):  # noqa: N801 - PyTorch's name
    """A device by type and index: `device("cpu")`, `device("cuda:0")`, `device("cuda", 0)`, `device(0)`.

    RuntimeError for a malformed string or an unknown type, TypeError for arguments of another kind.

    >>> import minitorch_cifar as torch
    >>> torch.device("cuda:1"), torch.device("cpu").type, str(torch.device("cuda", 0))
    (device(type='cuda', index=1), 'cpu', 'cuda:0')
    """

    __slots__ = ("index", "type")
    type: str
    index: int | None

    def __init__(self, type: Any, index: int | None = None) -> None:
        if index is not None and (not isinstance(index, int) or isinstance(index, bool)):
            raise TypeError(f"device(): argument 'index' must be int, not {index.__class__.__name__}")
        if isinstance(type, device) and index is None:
            name, position = type.type, type.index
        elif isinstance(type, int) and not isinstance(type, bool) and index is None:
            name, position = "cuda", type
        elif isinstance(type, str):
            name, position = _parse(type)
            if position is not None and index is not None:
                raise RuntimeError(
                    f"type (string) must not include an index because index was passed explicitly: {type}"
                )
            position = index if position is None else position
        else:
            raise TypeError(
                "device() received an invalid combination of arguments - got "
                f"({type.__class__.__name__}), but expected (torch.device device) or (str type, int index)"
            )
        if position is not None and position < 0:
            raise RuntimeError("Device index must not be negative")
        if position is not None and position > 127:
            raise RuntimeError(f"Device index {position} is too large; at most 127 is possible")
        object.__setattr__(self, "type", name)
        object.__setattr__(self, "index", position)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"attribute '{name}' of 'torch.device' objects is not writable")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, device):
            return NotImplemented
        return self.type == other.type and self.index == other.index

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device(type='{self.type}'" + (")" if self.index is None else f", index={self.index})")

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return device, ((self.type,) if self.index is None else (self.type, self.index))


def _parse(text: str) -> tuple[str, int | None]:
    """`"cuda:1"` -> `("cuda", 1)`."""
    if not text:
        raise RuntimeError("Device string must not be empty")
    match = re.fullmatch(r"([a-zA-Z_]+)(?::(0|[1-9]\d*))?", text)
    if match is None:
        raise RuntimeError(f"Invalid device string: '{text}'")
    name, index = match.groups()
    if name not in _TYPES.split(", "):
        raise RuntimeError(f"Expected one of {_TYPES} device type at start of device string: {name}")
    return name, None if index is None else int(index)


def require_cpu(value: Any) -> device:
    """A `device=` argument as the CPU device; None is the CPU.

    RuntimeError when it names another device, TypeError or RuntimeError when it names none.
    """
    if value is None:
        return CPU
    asked = value if isinstance(value, device) else device(value)
    if asked.type != "cpu":
        raise RuntimeError(
            f"device '{asked}' is not available: minitorch_cifar computes on the CPU, use device('cpu'). "
            "To train on a GPU, run the PyTorch reference: minitorch-cifar train --engine torch"
        )
    return CPU


CPU = device("cpu")
