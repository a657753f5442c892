"""How elements lie in memory, in PyTorch's terms: every tensor of the engine is strided."""

from __future__ import annotations

from typing import Any


class layout:  # noqa: N801 - PyTorch's name
    """The kind of memory layout of a tensor. There is one: `strided`."""

    def __repr__(self) -> str:
        return "torch.strided"

    def __reduce__(self) -> str:
        return "strided"  # there is one object, also after pickling


strided = layout()


def require_strided(wanted: Any, function: str) -> None:
    """TypeError unless `wanted` is a layout, or None for the usual one."""
    if wanted is not None and wanted is not strided:
        raise TypeError(f"{function}(): argument 'layout' must be torch.layout, not {type(wanted).__name__}")
