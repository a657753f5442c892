"""`pad`: a border round the last dimensions. The mathematics is in `ops.shape`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...functions.arguments import check_number, check_tensor
from ...ops.shape import Pad
from ...tensor import Tensor
from .sizes import integers

__all__ = ["pad"]

# Which numbers of padded dimensions each number of dimensions may have, where the border is made of elements.
PADDED = {2: (1,), 3: (1, 2), 4: (2, 3), 5: (3,)}
NODES = {"reflect": "ReflectionPad{}DBackward0", "replicate": "ReplicationPad{}DBackward0"}


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """A border round `input`: of one value, or of its own elements.

    Args:
        pad: widths in pairs (before, after), for the last dimension first: (left, right, top, bottom) for
            pictures. Negative widths cut off.
        mode: "constant"; "reflect" mirrors at the edge element, which is not repeated; "replicate" repeats
            it; "circular" goes on at the other side. All but "constant" pad the last one or two dimensions
            and leave at least one unpadded.
        value: of the border in mode "constant", 0 by default.

    >>> import minitorch_cifar as torch
    >>> x = torch.tensor([[1, 2, 3]])
    >>> torch.nn.functional.pad(x, (1, 2), value=9)
    tensor([[9, 1, 2, 3, 9, 9]])
    >>> torch.nn.functional.pad(x, (1, 2), mode="reflect")
    tensor([[2, 1, 2, 3, 2, 1]])
    """
    check_tensor(input, "pad")
    if value is not None:
        check_number(value, "pad", "value")
    if not isinstance(pad, Sequence) or isinstance(pad, str):
        raise TypeError(f"pad(): argument 'pad' (position 2) must be tuple of ints, not {type(pad).__name__}")
    widths = integers(pad, "pad", "pad")
    shape = input._array.shape
    if len(widths) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(widths) > 2 * len(shape):
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding "
            f"length {len(widths)} and input of dimension {len(shape)}"
        )
    pairs = [(0, 0)] * len(shape)
    for k in range(len(widths) // 2):
        pairs[len(shape) - 1 - k] = widths[2 * k], widths[2 * k + 1]
    if mode == "constant":
        _check_constant(shape, pairs)
        return _padded(input, pairs, mode, 0.0 if value is None else value, "ConstantPadNdBackward0")
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    padded = len(widths) // 2
    if padded not in PADDED.get(len(shape), ()):
        raise NotImplementedError(
            f"Padding size {len(widths)} is not supported for {len(shape)}D input tensor.\n"
            "Supported combinations for non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    for dimension, (size, ends) in enumerate(zip(shape, pairs, strict=True)):
        _check_elements(mode, shape, dimension, size, ends)
    return _padded(input, pairs, mode, 0.0, NODES.get(mode, "SliceBackward0").format(padded))


def _padded(input: Tensor, pairs: Sequence[tuple[int, int]], mode: str, value: float, node: str) -> Tensor:
    widths: Any = tuple(pairs)
    return Pad.apply(input, widths=widths, mode=mode, value=value, node_name=node)  # type: ignore[no-any-return]


def _check_constant(shape: tuple[int, ...], pairs: Sequence[tuple[int, int]]) -> None:
    for size, (low, high) in zip(shape, pairs, strict=True):
        if size + low + high < 0 or size + min(low, 0) + min(high, 0) < 0:
            raise RuntimeError("narrow(): length must be non-negative.")


def _check_elements(
    mode: str, shape: tuple[int, ...], dimension: int, size: int, ends: tuple[int, int]
) -> None:
    """RuntimeError where a border of elements would need more of them than there are."""
    if min(ends) < 0:
        raise NotImplementedError(
            f"pad(mode='{mode}') with negative widths is not part of minitorch_cifar; cut with a slice first"
        )
    if ends == (0, 0):
        return
    if mode == "reflect" and max(ends) >= size:
        raise RuntimeError(
            "Argument #4: Padding size should be less than the corresponding input dimension, but got: "
            f"padding ({ends[0]}, {ends[1]}) at dimension {dimension} of input {list(shape)}"
        )
    if mode == "circular" and max(ends) > size:
        raise RuntimeError("Padding value causes wrapping around more than once.")
    if mode == "replicate" and size == 0:
        raise RuntimeError(f"Expected non-zero sizes for the padded dimensions, but got: {list(shape)}")
