"""Layers that put a border round pictures (N, C, H, W) or (C, H, W): constant or made of their own pixels."""

from __future__ import annotations

from collections.abc import Sequence

from minitorch_cifar.nn import functional as F
from minitorch_cifar.nn.module import Module
from minitorch_cifar.tensor import Tensor

__all__ = ["CircularPad2d", "ConstantPad2d", "ReflectionPad2d", "ReplicationPad2d", "ZeroPad2d"]


class _Pad2d(Module):
    """A border of widths (left, right, top, bottom), or of one width all round."""

    mode = "constant"

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        sides = (padding,) * 4 if isinstance(padding, int) else tuple(padding)
        if len(sides) != 4:
            raise ValueError(f"padding must be one number or four, got {len(sides)}")
        self.padding = sides

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ConstantPad2d(_Pad2d):
    """A border of one value.

    >>> import minitorch_cifar as torch
    >>> torch.nn.ConstantPad2d(1, 3.5)(torch.zeros(1, 1, 1))
    tensor([[[3.5000, 3.5000, 3.5000],
             [3.5000, 0.0000, 3.5000],
             [3.5000, 3.5000, 3.5000]]])
    """

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ZeroPad2d(ConstantPad2d):
    """A border of zeros."""

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ReflectionPad2d(_Pad2d):
    """A border that mirrors the picture at its edge, which is not repeated."""

    mode = "reflect"


class ReplicationPad2d(_Pad2d):
    """A border that repeats the edge."""

    mode = "replicate"


class CircularPad2d(_Pad2d):
    """A border with what is at the other side."""

    mode = "circular"
