"""Comparisons, logic and tests: results are booleans (or integers) and carry no gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd import apply_inplace
from ..autograd.inplace import refuse_overlap, refuse_rewriting
from ..autograd.layout import like_operands
from ..autograd.variable import TensorBase
from ..dtypes import FROM_NUMPY, as_dtype, common_dtype
from ..ops.indexing import Copy
from .arguments import (
    as_dims,
    check_broadcast,
    check_flag,
    check_number,
    check_storable,
    check_tensor,
    constant,
    finish,
    operands,
    refuse,
)

if TYPE_CHECKING:
    from ..dtypes import Array
    from ..tensor import Tensor


def _array(value: Any) -> Any:
    return value._array if isinstance(value, TensorBase) else value


def _result(function: Any, *arrays: Any, **parameters: Any) -> Tensor:
    """What a function gives element by element, laid out in memory as its arrays are."""
    return constant(like_operands(np.asarray(function(*arrays, **parameters)), arrays))


def _compare(ufunc: Any, name: str) -> Any:
    def function(input: Tensor, other: Any, *, out: Tensor | None = None) -> Tensor:
        x, y = operands(input, other, name)
        return finish(_result(ufunc, _array(x), _array(y)), out)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Element by element: numpy's `{ufunc.__name__}`, as booleans."
    return function


eq = _compare(np.equal, "eq")
ne = _compare(np.not_equal, "ne")
lt = _compare(np.less, "lt")
le = _compare(np.less_equal, "le")
gt = _compare(np.greater, "gt")
ge = _compare(np.greater_equal, "ge")


def _logical(ufunc: Any, name: str) -> Any:
    def function(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
        check_tensor(input, name)
        check_tensor(other, name, "other")
        check_broadcast(input._array, other._array)
        return finish(_result(ufunc, input._array, other._array), out)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Element by element: numpy's `{ufunc.__name__}`; zero counts as False."
    return function


logical_and = _logical(np.logical_and, "logical_and")
logical_or = _logical(np.logical_or, "logical_or")
logical_xor = _logical(np.logical_xor, "logical_xor")


def logical_not(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """True where the element is zero."""
    check_tensor(input, "logical_not")
    return finish(_result(np.logical_not, input._array), out)


def _bitwise(ufunc: Any, name: str) -> Any:
    def function(input: Tensor, other: Any, *, out: Tensor | None = None) -> Tensor:
        x, y = (_array(v) for v in operands(input, other, name))
        for value in (np.asarray(x), np.asarray(y)):
            if value.dtype.kind == "f":
                refuse(f"{name}_cpu", FROM_NUMPY[value.dtype])
        return finish(_result(ufunc, x, y), out)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Bit by bit: numpy's `{ufunc.__name__}`, for integers and booleans."
    return function


bitwise_and = _bitwise(np.bitwise_and, "bitwise_and")
bitwise_or = _bitwise(np.bitwise_or, "bitwise_or")
bitwise_xor = _bitwise(np.bitwise_xor, "bitwise_xor")


def bitwise_not(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Every bit flipped; logical not for booleans."""
    check_tensor(input, "bitwise_not")
    if input._array.dtype.kind == "f":
        refuse("bitwise_not_cpu", FROM_NUMPY[input._array.dtype])
    return finish(_result(np.invert, input._array), out)


def _inplace(function: Any, name: str) -> Any:
    def stored(input: Tensor, other: Any) -> Tensor:
        refuse_rewriting(input)
        refuse_overlap(input, Copy, ())
        x, y = (np.asarray(_array(v)) for v in operands(input, other, name))
        check_storable(input, np.broadcast_shapes(x.shape, y.shape), FROM_NUMPY[x.dtype])
        return apply_inplace(input, Copy, input, function(input, other))  # type: ignore[no-any-return]

    stored.__name__ = stored.__qualname__ = name
    stored.__doc__ = f"`{name}` stored in `input`."
    return stored


bitwise_and_ = _inplace(bitwise_and, "bitwise_and_")
bitwise_or_ = _inplace(bitwise_or, "bitwise_or_")
bitwise_xor_ = _inplace(bitwise_xor, "bitwise_xor_")


def isnan(input: Tensor) -> Tensor:
    """True where the element is NaN."""
    check_tensor(input, "isnan")
    return _result(np.not_equal, input._array, input._array)


def isinf(input: Tensor) -> Tensor:
    """True where the element is plus or minus infinity."""
    check_tensor(input, "isinf")
    return _result(np.isinf, input._array)


def isfinite(input: Tensor) -> Tensor:
    """True where the element is neither infinite nor NaN."""
    check_tensor(input, "isfinite")
    return _result(np.isfinite, input._array)


def _test_all(reduce: Any, name: str) -> Any:
    def function(
        input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Tensor | None = None
    ) -> Tensor:
        check_tensor(input, name)
        check_flag(keepdim, name, "keepdim")
        # With dim=() these two, unlike other functions, test each element alone.
        alone = isinstance(dim, (list, tuple)) and not len(dim)
        dims = () if alone else as_dims(dim, input._array.ndim, name)
        result: Array = np.asarray(reduce(input._array != 0, axis=dims, keepdims=keepdim), order="C")
        kind = np.uint8 if input._array.dtype == np.uint8 else np.bool_  # as PyTorch, bytes stay bytes
        return finish(constant(result.astype(kind)), out)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Whether {name} of the elements along `dim` (default: everywhere) are not zero."
    return function


all = _test_all(np.all, "all")
any = _test_all(np.any, "any")


def equal(input: Tensor, other: Tensor) -> bool:
    """True when both have the same shape and the same elements (NaN equals nothing).

    >>> import minitorch_cifar as torch
    >>> torch.equal(torch.tensor([1, 2]), torch.tensor([1, 2]))
    True
    """
    check_tensor(input, "equal")
    check_tensor(other, "equal", "other")
    return bool(np.array_equal(input._array, other._array))


def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """|input - other| <= atol + rtol |other|, element by element."""
    check_tensor(input, "isclose")
    check_tensor(other, "isclose", "other")
    if input._array.dtype != other._array.dtype:
        first, second = FROM_NUMPY[input._array.dtype], FROM_NUMPY[other._array.dtype]
        raise RuntimeError(f"{first.legacy_name} did not match {second.legacy_name}")
    check_broadcast(input._array, other._array)
    check_number(rtol, "isclose", "rtol")
    check_number(atol, "isclose", "atol")
    return _result(np.isclose, input._array, other._array, rtol=rtol, atol=atol, equal_nan=equal_nan)


def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """True when all elements are close: |input - other| <= atol + rtol |other|."""
    return bool(isclose(input, other, rtol, atol, equal_nan)._array.all())


def result_type(tensor1: Any, tensor2: Any) -> Any:
    """The dtype that arithmetic between the two gives."""
    for value in (tensor1, tensor2):
        if not isinstance(value, (TensorBase, bool, int, float, np.bool_, np.integer, np.floating)):
            raise TypeError(f"result_type(): expected tensors and numbers, not {type(value).__name__}")
    return common_dtype(_array(tensor1), _array(tensor2))


def can_cast(from_: Any, to: Any) -> bool:
    """Whether a result of dtype `from_` may be stored in dtype `to`: categories may not fall."""
    return as_dtype(from_).category <= as_dtype(to).category


def is_tensor(obj: Any) -> bool:
    """True for tensors."""
    return isinstance(obj, TensorBase)


def is_floating_point(input: Tensor) -> bool:
    """True when the elements are floats."""
    check_tensor(input, "is_floating_point")
    return bool(input._array.dtype.kind == "f")


def is_inference(input: Tensor) -> bool:
    """True when the tensor was made in `inference_mode`."""
    check_tensor(input, "is_inference")
    return input.is_inference()


def is_nonzero(input: Tensor) -> bool:
    """True when the only element is not zero."""
    check_tensor(input, "is_nonzero")
    return bool(input)
