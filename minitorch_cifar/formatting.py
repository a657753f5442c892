"""How a tensor is printed: `tensor([[1., 2.]], grad_fn=<AddBackward0>)`, letter for letter as in PyTorch.

`format_array` turns a NumPy array into that text, `tensor_repr` adds what only the tensor knows (its class
and its place in the graph), and `set_printoptions` changes the precision, the line width and how much of a
long tensor is shown.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from .dtypes import FROM_NUMPY, Array, get_default_dtype, int64
from .dtypes import bool as bool_dtype

if TYPE_CHECKING:
    from .autograd import TensorBase

__all__ = ["format_array", "get_printoptions", "printoptions", "set_printoptions", "tensor_repr"]


@dataclasses.dataclass
class _PrintOptions:
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES: dict[str, dict[str, float]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}

_options = _PrintOptions()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed from now on; what is None stays as it is, except `sci_mode`.

    Args:
        precision: digits after the point (4 at first).
        threshold: tensors of more elements are summarised (1000 at first; may be `math.inf`).
        edgeitems: how many elements a summary shows at each end of a dimension (3 at first).
        linewidth: characters per line (80 at first).
        profile: "default", "short" or "full", a choice of all of the above; the other arguments override it.
        sci_mode: True or False for scientific notation always or never; None lets the values decide.

    >>> import minitorch_cifar as torch
    >>> torch.set_printoptions(precision=2)
    >>> torch.tensor([1.12345])
    tensor([1.12])
    >>> torch.set_printoptions(profile="default")
    >>> torch.tensor([1.12345])
    tensor([1.1235])
    """
    changes: dict[str, float] = {}
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(f"profile must be one of {', '.join(map(repr, _PROFILES))}, got {profile!r}")
        changes.update(_PROFILES[profile])
    given = {"precision": precision, "edgeitems": edgeitems, "linewidth": linewidth, "threshold": threshold}
    for name, value in given.items():
        if value is None:
            continue
        if not isinstance(value, int) and not (name == "threshold" and isinstance(value, float)):
            raise TypeError(f"set_printoptions(): argument '{name}' must be int, not {type(value).__name__}")
        if value < 0:
            raise ValueError(f"set_printoptions(): argument '{name}' must not be negative, got {value}")
        changes[name] = value
    for name, value in changes.items():
        setattr(_options, name, value)
    _options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The present options, as keyword arguments for `set_printoptions`."""
    return dataclasses.asdict(_options)


@contextmanager
def printoptions(**changes: Any) -> Iterator[None]:
    """`set_printoptions(**changes)` for the length of a `with` block."""
    before = get_printoptions()
    set_printoptions(**changes)
    try:
        yield
    finally:
        set_printoptions(**before)


def tensor_repr(tensor: TensorBase) -> str:
    """The text of `repr(tensor)`; an instance of a user's own subclass is printed under its class's name."""
    cls = type(tensor)
    name = "tensor" if cls.__module__.startswith(f"{__package__}.") else cls.__name__
    node = tensor.grad_fn
    return format_array(tensor._array, name, None if node is None else node.name(), tensor.requires_grad)


def format_array(
    array: Array, name: str = "tensor", grad_fn: str | None = None, requires_grad: bool = False
) -> str:
    """`name(values, suffixes)` for an array of any of the engine's dtypes.

    The suffixes say what the values do not show: the size of an empty tensor, a dtype other than the default
    one, int64 and bool, and the gradient's function or that a gradient is asked for.

    >>> import numpy as np
    >>> format_array(np.array([1.5, -2.0], np.float32), requires_grad=True)
    'tensor([ 1.5000, -2.0000], requires_grad=True)'
    """
    dtype = FROM_NUMPY[array.dtype]
    indent = len(name) + 1
    suffixes = []
    if array.size == 0:
        values = "[]"
        if array.ndim != 1:
            suffixes.append(f"size={array.shape}")
        if dtype is not get_default_dtype():
            suffixes.append(f"dtype={dtype}")
    else:
        values = _values_text(array, indent)
        if not _options.edgeitems:
            suffixes.append(f"size={array.shape}")
        if dtype not in (get_default_dtype(), int64, bool_dtype):
            suffixes.append(f"dtype={dtype}")
    if grad_fn is not None:
        suffixes.append(f"grad_fn=<{grad_fn}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    return _with_suffixes(f"{name}({values}", suffixes, indent)


def _with_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    """`text, suffix, suffix)`, where a suffix that would pass the line's end starts a new line."""
    length = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if length + len(suffix) + 2 > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            length = indent + len(suffix)
        else:
            text += ", " + suffix
            length += len(suffix) + 2
    return text + ")"


def _values_text(array: Array, indent: int) -> str:
    summarized = array.size > _options.threshold
    edge = _options.edgeitems
    if summarized and array.ndim and not edge:
        return "[...]"
    shown = array  # the numbers that will be seen, which decide the notation
    if summarized:
        for axis, size in enumerate(array.shape):
            if size > 2 * edge:
                shown = shown.take([*range(edge), *range(size - edge, size)], axis)
    return _nested_text(array, indent, summarized, _NumberFormat(shown.reshape(-1)))


def _nested_text(array: Array, indent: int, summarized: bool, numbers: _NumberFormat) -> str:
    """The elements in brackets, one row of the last dimension per line."""
    if array.ndim == 0:
        return numbers.text(array.item())
    edge = _options.edgeitems
    cut = summarized and len(array) > 2 * edge
    if array.ndim == 1:
        return _row_text(array, indent, cut, numbers)
    rows = [*range(edge), None, *range(len(array) - edge, len(array))] if cut else range(len(array))
    parts = ["..." if i is None else _nested_text(array[i], indent + 1, summarized, numbers) for i in rows]
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(parts) + "]"


def _row_text(row: Array, indent: int, cut: bool, numbers: _NumberFormat) -> str:
    if cut:
        edge = _options.edgeitems
        first, last = row[:edge].tolist(), row[-edge:].tolist()
        parts = [*map(numbers.text, first), " ...", *map(numbers.text, last)]
    else:
        parts = [*map(numbers.text, row.tolist())]
    per_line = max(1, (_options.linewidth - indent) // (numbers.width + 2))
    lines = [", ".join(parts[start : start + per_line]) for start in range(0, len(parts), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


class _NumberFormat:
    """One notation and one width for all numbers of a tensor, chosen from those that will be shown.

    Integers and bools print as Python prints them. Floats print as `1.` when all are whole, else with
    `precision` digits; in scientific notation when they span more than three orders of magnitude, or the
    largest exceeds 1e8, or the smallest is below 1e-4. Zeros, infinities and NaN have no say in that.
    """

    def __init__(self, values: Array) -> None:
        self.floating = values.dtype.kind == "f"
        self.whole = True
        self.scientific = False
        self.width = 1
        if self.floating:
            values = values[np.isfinite(values) & (values != 0)].astype(np.float64)
            if not values.size:
                return
            self.whole = bool((values == np.ceil(values)).all())
            self.scientific = _is_scientific(np.abs(values))
        # One space more than the digits of a whole number: its point.
        self.width = max(len(self._digits(value)) for value in values.tolist())

    def _digits(self, value: Any) -> str:
        if not self.floating:
            return str(value)
        if self.scientific:
            return f"{value:.{_options.precision}e}"
        if self.whole:
            return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"
        return f"{value:.{_options.precision}f}"

    def text(self, value: Any) -> str:
        """One number, as wide as all the others."""
        return self._digits(value).rjust(self.width)


def _is_scientific(magnitudes: Array) -> bool:
    if _options.sci_mode is not None:
        return _options.sci_mode
    smallest, largest = magnitudes.min(), magnitudes.max()
    with np.errstate(over="ignore"):
        return bool(largest / smallest > 1000.0 or largest > 1.0e8 or smallest < 1.0e-4)
