"""The element types of the engine, and the rules by which two of them meet.

A `dtype` is a named wrapper round a NumPy dtype; there are six of them. This file also holds
PyTorch's type promotion: which dtype the result of `a + b` has. It knows arrays and Python numbers,
not tensors.
"""

from __future__ import annotations

import builtins
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .class_names import PrintsItsName
from .missing import ExplainsMissing

Array = npt.NDArray[Any]
Scalar = builtins.bool | builtins.int | builtins.float


class dtype(ExplainsMissing, metaclass=PrintsItsName):  # noqa: N801 - PyTorch's name
    """An element type, for example `torch.float32`.

    >>> import minitorch_cifar as torch
    >>> torch.float32, torch.float32.itemsize, torch.int64.is_floating_point
    (torch.float32, 4, False)
    """

    __slots__ = ("category", "itemsize", "legacy_name", "name", "numpy_dtype")

    def __init__(self, name: str, legacy_name: str, category: builtins.int) -> None:
        self.name = name
        self.legacy_name = legacy_name  # as in torch.FloatTensor; error messages use it
        self.category = category  # bool 0 < integer 1 < floating point 2
        self.numpy_dtype = np.dtype(name)
        self.itemsize: builtins.int = self.numpy_dtype.itemsize

    @property
    def is_floating_point(self) -> builtins.bool:
        """True for float32 and float64."""
        return self.category == 2

    @property
    def is_complex(self) -> builtins.bool:
        """False: the engine has no complex numbers."""
        return False

    @property
    def is_signed(self) -> builtins.bool:
        """True for every dtype but bool and uint8."""
        return self.numpy_dtype.kind in "if"

    @property
    def c_name(self) -> str:
        """The C type, as some of PyTorch's messages name it."""
        names = {
            "float32": "float",
            "float64": "double",
            "int64": "int64_t",
            "int32": "int",
            "uint8": "uint8_t",
        }
        return names.get(self.name, self.name)

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name  # pickled by reference: there is one object per dtype


bool = dtype("bool", "Bool", 0)
uint8 = dtype("uint8", "Byte", 1)
int32 = dtype("int32", "Int", 1)
int64 = dtype("int64", "Long", 1)
float32 = dtype("float32", "Float", 2)
float64 = dtype("float64", "Double", 2)

ALL: Final = (bool, uint8, int32, int64, float32, float64)
FROM_NUMPY: Final[dict[np.dtype[Any], dtype]] = {d.numpy_dtype: d for d in ALL}

# The dtypes PyTorch has and the engine has not; naming them makes the error helpful.
ABSENT: Final = (
    *("float16", "half", "bfloat16", "int8", "int16", "short", "uint16", "uint32", "uint64"),
    *("complex32", "chalf", "complex64", "cfloat", "complex128", "cdouble"),
)

_default = float32


def get_default_dtype() -> dtype:
    """The dtype of a tensor made from Python floats: float32 unless changed."""
    return _default


def set_default_dtype(d: dtype, /) -> None:
    """Let Python floats become `d` (float32 or float64)."""
    global _default
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, got {d!r}")
    _default = d


def from_numpy_dtype(numpy_dtype: Any) -> dtype:
    """The engine's dtype for a NumPy dtype; TypeError when the engine has none."""
    found = FROM_NUMPY.get(np.dtype(numpy_dtype))
    if found is None:
        raise TypeError(
            f"can't convert np.ndarray of type {np.dtype(numpy_dtype)}. "
            f"The only supported types are: {', '.join(d.name for d in ALL)}."
        )
    return found


def as_dtype(value: Any) -> dtype:
    """A dtype argument as a `dtype`: accepts Python's `float`, `int` and `bool` as PyTorch does."""
    if isinstance(value, dtype):
        return value
    if value is builtins.float:
        return float64
    if value is builtins.int:
        return int64
    if value is builtins.bool:
        return bool
    raise TypeError(
        f"dtype must be one of {', '.join(map(repr, ALL))} (or Python's float, int, bool), got {value!r}"
    )


def scalar_category(value: Scalar | np.generic) -> builtins.int:
    """0, 1, 2 for a Python (or NumPy) bool, integer, float."""
    if isinstance(value, (builtins.bool, np.bool_)):
        return 0
    if isinstance(value, (builtins.int, np.integer)):
        return 1
    return 2


def promote(a: dtype, b: dtype) -> dtype:
    """The dtype of `a`-elements combined with `b`-elements of tensors of equal standing.

    The higher category wins (bool < integer < floating point); within one, the type that holds both.

    >>> promote(int64, float32), promote(uint8, int32), promote(float32, float64)
    (torch.float32, torch.int32, torch.float64)
    """
    if a is b:
        return a
    if a.category != b.category:
        return a if a.category > b.category else b
    return FROM_NUMPY[np.promote_types(a.numpy_dtype, b.numpy_dtype)]


def common_dtype(*values: Any) -> dtype:
    """The dtype in which arrays and Python numbers meet, by PyTorch's rule of standing.

    Arrays with dimensions outrank 0-dimensional arrays, which outrank Python numbers: what ranks lower
    changes the result only if its category (bool < integer < floating point) is higher.

    Source: https://docs.pytorch.org/docs/stable/tensor_attributes.html#type-promotion-doc

    >>> import numpy as np
    >>> common_dtype(np.ones(2, np.float32), np.ones((), np.float64), 2.5)
    torch.float32
    """
    ranks: list[dtype | None] = [None, None, None]  # with dimensions, without, numbers
    for value in values:
        if isinstance(value, np.ndarray):
            rank, kind = (0 if value.ndim else 1), FROM_NUMPY[value.dtype]
        else:
            rank, kind = 2, (bool, int64, _default)[scalar_category(value)]
        known = ranks[rank]
        ranks[rank] = kind if known is None else promote(known, kind)
    result: dtype | None = None
    for lower in ranks:
        if lower is not None and (result is None or lower.category > result.category):
            result = lower
    if result is None:
        raise ValueError("common_dtype needs at least one value")
    return result


class finfo:  # noqa: N801 - PyTorch's name
    """The range and precision of a float dtype, by default of the default one.

    bits: in one element; eps: from 1 to the next number; max, min: the largest and the most negative number;
    tiny, smallest_normal: the least positive one of full precision; resolution: 10 to minus the reliable
    decimals.

    >>> finfo(float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, type: dtype | None = None) -> None:
        kind = get_default_dtype() if type is None else type
        if not isinstance(kind, dtype) or not kind.is_floating_point:
            raise TypeError(
                f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle '{kind}'"
                if isinstance(kind, dtype)
                else f"finfo(): argument 'type' (position 1) must be torch.dtype, not {_type_name(kind)}"
            )
        info = np.finfo(kind.numpy_dtype)
        self.bits, self.dtype = int(info.bits), kind.name
        self.eps, self.resolution = float(info.eps), float(info.resolution)
        self.min, self.max = float(info.min), float(info.max)
        self.tiny = self.smallest_normal = float(info.tiny)

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={getattr(self, name):g}"
            for name in ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        )
        return f"finfo({shown}, dtype={self.dtype})"


class iinfo:  # noqa: N801 - PyTorch's name
    """The range of a whole-number dtype: bits, min, max.

    >>> iinfo(int64)
    iinfo(min=-9.22337e+18, max=9.22337e+18, dtype=int64)
    """

    def __init__(self, type: dtype) -> None:
        if not isinstance(type, dtype):
            raise TypeError(
                f"iinfo(): argument 'type' (position 1) must be torch.dtype, not {_type_name(type)}"
            )
        if type.numpy_dtype.kind not in "iu":
            raise TypeError(
                f"torch.iinfo() requires an integer input type. Use torch.finfo to handle '{type}'"
            )
        info = np.iinfo(type.numpy_dtype)
        self.bits, self.dtype = int(info.bits), type.name
        self.min, self.max = int(info.min), int(info.max)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


def _type_name(value: Any) -> str:
    return builtins.type(value).__name__
