"""Arithmetic, element by element: `add`, `mul`, `exp`, `clamp`, `where` and their kin.

A function `f(input, other)` takes tensors that broadcast, or a tensor and a number. The forms `f_`, which
store the result in their first argument, are in `inplace.py`; comparisons, which have no gradient, in
`comparison.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import TensorBase
from ..dtypes import FROM_NUMPY, common_dtype
from ..ops import arithmetic, elementary, selection
from .arguments import (
    cast_operand,
    check_broadcast,
    check_number,
    check_scalar,
    check_tensor,
    finish,
    floating,
    operands,
    refuse,
    to_dtype,
)

if TYPE_CHECKING:
    from ..dtypes import Array
    from ..tensor import Tensor


def check_alpha(x: Any, y: Any, alpha: Any) -> None:
    """RuntimeError when the factor `alpha` is of a higher category than the operands."""
    if type(alpha) is int and alpha == 1:
        return
    check_scalar(alpha, "add", "alpha")
    kind = x._array.dtype.kind if isinstance(x, TensorBase) else np.asarray(x).dtype.kind
    if isinstance(alpha, float) and kind != "f":
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    if isinstance(alpha, bool) and kind != "b":
        raise RuntimeError("Boolean alpha only supported for Boolean results.")


def add(input: Tensor, other: Any, *, alpha: Any = 1, out: Tensor | None = None) -> Tensor:
    """input + alpha * other.

    >>> import minitorch_cifar as torch
    >>> torch.add(torch.tensor([1.0, 2.0]), torch.tensor([10.0, 20.0]), alpha=2)
    tensor([21., 42.])
    """
    x, y = operands(input, other, "add")
    check_alpha(x, y, alpha)
    return finish(arithmetic.Add.apply(x, y, alpha=alpha), out)


def check_subtraction(*values: Any) -> None:
    """NotImplementedError for booleans: their difference could mean several things."""
    logical = [
        v._array.dtype.kind == "b" if isinstance(v, TensorBase) else isinstance(v, bool) for v in values
    ]
    if all(logical):
        raise NotImplementedError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
            "`logical_xor()` operator instead."
        )
    if any(logical):
        raise NotImplementedError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert "
            "a mask, use the `~` or `logical_not()` operator instead."
        )


def sub(input: Tensor, other: Any, *, alpha: Any = 1, out: Tensor | None = None) -> Tensor:
    """input - alpha * other."""
    x, y = operands(input, other, "sub")
    check_subtraction(input, other)
    check_alpha(x, y, alpha)
    return finish(arithmetic.Sub.apply(x, y, alpha=alpha), out)


def rsub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """other - alpha * input."""
    x, y = operands(input, other, "rsub")
    check_subtraction(input, other)
    check_alpha(x, y, alpha)
    node = f"RsubBackward{0 if isinstance(other, TensorBase) else 1}"
    return arithmetic.Rsub.apply(x, y, alpha=alpha, node_name=node)  # type: ignore[no-any-return]


def mul(input: Tensor, other: Any, *, out: Tensor | None = None) -> Tensor:
    """input * other."""
    return finish(arithmetic.Mul.apply(*operands(input, other, "mul")), out)


def div(input: Tensor, other: Any, *, rounding_mode: str | None = None, out: Tensor | None = None) -> Tensor:
    """input / other: true division, or rounded with `rounding_mode="trunc"` or `"floor"`.

    >>> import minitorch_cifar as torch
    >>> torch.div(torch.tensor([7, -7]), 2), torch.div(torch.tensor([7, -7]), 2, rounding_mode="trunc")
    (tensor([ 3.5000, -3.5000]), tensor([ 3, -3]))
    """
    if rounding_mode is None:
        return finish(arithmetic.Div.apply(*operands(input, other, "div", floating=True)), out)
    x, y = rounded_division(input, other, rounding_mode, "div")
    return finish(arithmetic.RoundedDiv.apply(x, y, rounding_mode=rounding_mode), out)


def rounded_division(input: Any, other: Any, rounding_mode: str, function: str) -> tuple[Any, Any]:
    """Operands of a division with rounding, once the mode and the dtype are known to be possible."""
    if rounding_mode not in ("trunc", "floor"):
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    x, y = as_arrays(*operands(input, other, function))
    refuse_bool(x, f"div_{rounding_mode}")
    return x, y


def as_arrays(x: Any, y: Any) -> tuple[Any, Any]:
    """Operands of an operation that reads shapes and dtypes of both, so that a number comes as an array."""
    return tuple(v if isinstance(v, TensorBase) else np.asarray(v) for v in (x, y))  # type: ignore[return-value]


def refuse_bool(value: Any, kernel: str) -> None:
    """NotImplementedError for booleans, worded as PyTorch does, by kernel."""
    array = value._array if isinstance(value, TensorBase) else value
    if array.dtype.kind == "b":
        refuse(kernel, FROM_NUMPY[array.dtype])


def floor_divide(input: Tensor, other: Any, *, out: Tensor | None = None) -> Tensor:
    """floor(input / other). Not differentiable, as in PyTorch."""
    x, y = rounded_division(input, other, "floor", "floor_divide")
    return finish(arithmetic.FloorDivide.apply(x, y), out)


def remainder(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """input - floor(input / other) * other, with the sign of `other`, as Python's %."""
    x, y = as_arrays(*operands(input, other, "remainder"))
    refuse_bool(x, "remainder")
    if not isinstance(input, TensorBase):
        return finish(arithmetic.NumberRemainder.apply(x, y, node_name="NotImplemented"), out)
    return finish(arithmetic.Remainder.apply(x, y, node_name=by_number("Remainder", other)), out)


def fmod(input: Tensor, other: Any, *, out: Tensor | None = None) -> Tensor:
    """The remainder with the sign of `input`, as C's fmod."""
    x, y = as_arrays(*operands(input, other, "fmod"))
    refuse_bool(x, "fmod")
    return finish(arithmetic.Fmod.apply(x, y, node_name=by_number("Fmod", other)), out)


def by_number(name: str, other: Any) -> str:
    """The node's name for an operation of which PyTorch has one form for tensors and one for numbers."""
    return f"{name}Backward{1 if isinstance(other, TensorBase) else 0}"


def neg(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """-input."""
    check_negation(input)
    return finish(arithmetic.Neg.apply(input), out)


def check_negation(input: Any) -> None:
    """NotImplementedError for booleans."""
    check_tensor(input, "neg")
    if input._array.dtype.kind == "b":
        raise NotImplementedError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a "
            "mask, use the `~` or `logical_not()` operator instead."
        )


def addcmul(
    input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1, out: Tensor | None = None
) -> Tensor:
    """input + value * tensor1 * tensor2."""
    x, a, b = three_operands(input, tensor1, tensor2, "addcmul")
    check_scalar(value, "addcmul", "value")
    refuse_bool(x, "addcmul_cpu_out")
    return finish(arithmetic.Addcmul.apply(x, a, b, value=value), out)


def addcdiv(
    input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1, out: Tensor | None = None
) -> Tensor:
    """input + value * tensor1 / tensor2, of floats."""
    x, a, b = three_operands(input, tensor1, tensor2, "addcdiv")
    check_scalar(value, "addcdiv", "value")
    check_addcdiv(tensor1, tensor2)
    return finish(arithmetic.Addcdiv.apply(x, a, b, value=value), out)


def check_addcdiv(tensor1: Tensor, tensor2: Tensor) -> None:
    """RuntimeError when two whole numbers would be divided."""
    if tensor1._array.dtype.kind != "f" and tensor2._array.dtype.kind != "f":
        raise RuntimeError(
            "Integer division with addcdiv is not supported: make tensor1 or tensor2 floats, or write it as "
            "input + value * tensor1 / tensor2"
        )


def three_operands(input: Any, second: Any, third: Any, function: str) -> tuple[Tensor, Tensor, Tensor]:
    """Three tensors that broadcast, in their common dtype."""
    names = ("end", "weight") if function == "lerp" else ("tensor1", "tensor2")
    for value, name in zip((input, second, third), ("input", *names), strict=True):
        check_tensor(value, function, name)
    arrays = [value._array for value in (input, second, third)]
    check_broadcast(arrays[1], arrays[2])
    check_broadcast(
        arrays[0], np.broadcast_to(arrays[1], np.broadcast_shapes(*(a.shape for a in arrays[1:])))
    )
    kind = common_dtype(*arrays)
    return to_dtype(input, kind), to_dtype(second, kind), to_dtype(third, kind)


def lerp(input: Tensor, end: Tensor, weight: Any, *, out: Tensor | None = None) -> Tensor:
    """input + weight * (end - input), for floats of one dtype; `weight` is a number or a tensor."""
    return finish(
        arithmetic.Lerp.apply(*lerp_operands(input, end, weight), node_name=by_number("Lerp", weight)), out
    )


def lerp_operands(input: Any, end: Any, weight: Any) -> tuple[Any, Any, Any]:
    """The three operands of `lerp`, checked."""
    check_tensor(input, "lerp")
    check_tensor(end, "lerp", "end")
    for value, name in ((end, "end"), (weight, "weight")):
        if isinstance(value, TensorBase) and value._array.dtype != input._array.dtype:
            raise RuntimeError(
                f"expected dtype {input._array.dtype.name} for `{name}` but got dtype "
                f"{value._array.dtype.name}"
            )
    w: Any
    if isinstance(weight, TensorBase):
        x, y, w = three_operands(input, end, weight, "lerp")
    else:
        check_broadcast(input._array, end._array)
        x, y = input, end
        w = np.asarray(weight, input._array.dtype)
    if x._array.dtype.kind != "f":
        refuse("lerp_kernel_scalar" if y is end and w is not weight else "lerp_kernel_tensor", x.dtype)
    return x, y, w


# Functions of one number ------------------------------------------------------------------------------------


def pow(input: Any, exponent: Any, *, out: Tensor | None = None) -> Tensor:
    """input ** exponent; either may be a number.

    >>> import minitorch_cifar as torch
    >>> torch.pow(torch.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    if isinstance(input, TensorBase) and not isinstance(exponent, TensorBase):
        x, number = power_of_number(input, exponent)
        return finish(elementary.PowScalar.apply(x, exponent=number), out)
    operation = elementary.Pow if isinstance(input, TensorBase) else elementary.ScalarPow
    return finish(operation.apply(*as_arrays(*operands(input, exponent, "pow"))), out)


def power_of_number(input: Any, exponent: Any) -> tuple[Any, Any]:
    """A tensor in the dtype of its power, and the exponent as a Python number."""
    number = exponent.item() if isinstance(exponent, np.generic) else exponent
    x, _ = operands(input, number, "pow")
    if x._array.dtype.kind != "f" and number < 0:
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    return x, number


def _unary(operation: Any, name: str) -> Any:
    """The function `name(input, *, out=None)` for an operation of floats with one input."""

    def function(input: Tensor, *, out: Tensor | None = None) -> Tensor:
        check_tensor(input, name)
        return finish(operation.apply(floating(input)), out)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{operation.__doc__.split('.  dL')[0]}, element by element."
    return function


exp = _unary(elementary.Exp, "exp")
expm1 = _unary(elementary.Expm1, "expm1")
log = _unary(elementary.Log, "log")
log2 = _unary(elementary.Log2, "log2")
log10 = _unary(elementary.Log10, "log10")
log1p = _unary(elementary.Log1p, "log1p")
sqrt = _unary(elementary.Sqrt, "sqrt")
rsqrt = _unary(elementary.Rsqrt, "rsqrt")
reciprocal = _unary(elementary.Reciprocal, "reciprocal")
sin = _unary(elementary.Sin, "sin")
cos = _unary(elementary.Cos, "cos")
tan = _unary(elementary.Tan, "tan")
erf = _unary(elementary.Erf, "erf")


def square(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """input ** 2."""
    check_tensor(input, "square")
    return pow(input, 2, out=out)


def abs(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """|input|."""
    check_tensor(input, "abs")
    refuse_bool(input, "abs_cpu")
    return finish(selection.Abs.apply(input), out)


# Rounding ---------------------------------------------------------------------------------------------------


def sign(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """-1, 0 or 1; 0 where the element is NaN."""
    check_tensor(input, "sign")
    return finish(selection.Step.apply(input, function=selection.sign, node_name="SignBackward0"), out)


def floor(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The largest whole number not above."""
    return finish(selection.Step.apply(input, **step(input, np.floor, "floor")), out)


def ceil(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smallest whole number not below."""
    return finish(selection.Step.apply(input, **step(input, np.ceil, "ceil")), out)


def trunc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The whole number towards zero."""
    return finish(selection.Step.apply(input, **step(input, np.trunc, "trunc")), out)


def round(input: Tensor, *, decimals: int = 0, out: Tensor | None = None) -> Tensor:
    """The nearest whole number (or multiple of 10^-decimals), halves to the even one."""
    return finish(selection.Step.apply(input, **step(input, np.round, "round", decimals)), out)


def step(input: Any, function: Any, name: str, decimals: int = 0) -> dict[str, Any]:
    """The parameters with which `Step` rounds: whole numbers stay as they are, booleans are refused."""
    check_tensor(input, name)
    refuse_bool(input, f"{name}_vml_cpu")
    node = f"{name.capitalize()}Backward{0 if decimals == 0 else 1}"
    if input._array.dtype.kind != "f":
        if decimals:
            refuse("round_cpu", FROM_NUMPY[input._array.dtype])
        return {"function": np.copy, "node_name": node}
    if decimals == 0:
        return {"function": function, "node_name": node}

    def rounded(x: Array) -> Array:
        scale = x.dtype.type(10.0 ** (decimals if decimals > 0 else -decimals))
        return np.asarray(np.round(x * scale) / scale if decimals > 0 else np.round(x / scale) * scale)

    return {"function": rounded, "node_name": node}


# Choosing ---------------------------------------------------------------------------------------------------


def clamp(input: Tensor, min: Any = None, max: Any = None, *, out: Tensor | None = None) -> Tensor:
    """Each element moved into [min, max]; either end may be missing, or both be numbers or both tensors.

    >>> import minitorch_cifar as torch
    >>> torch.clamp(torch.tensor([-2.0, 0.5, 3.0]), min=-1, max=1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    operation, tensors, parameters = clamping(input, min, max, "ClampBackward")
    return finish(operation.apply(*tensors, **parameters), out)


def clamp_min(input: Tensor, min: Any, *, out: Tensor | None = None) -> Tensor:
    """Each element, or `min` where it is below."""
    operation, tensors, parameters = clamping(input, min, None, "ClampMinBackward")
    return finish(operation.apply(*tensors, **parameters), out)


def clamp_max(input: Tensor, max: Any, *, out: Tensor | None = None) -> Tensor:
    """Each element, or `max` where it is above."""
    operation, tensors, parameters = clamping(input, None, max, "ClampMaxBackward")
    return finish(operation.apply(*tensors, **parameters), out)


def clamping(input: Any, min: Any, max: Any, node: str) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """The operation that clamps, its inputs and its parameters."""
    check_tensor(input, "clamp")
    ends = [end for end in (min, max) if end is not None]
    if not ends:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if not any(isinstance(end, TensorBase) for end in ends):
        x = input
        for end in ends:
            check_number(end, "clamp", "min")
            x, _ = operands(x, end, "clamp")
        number = 1 if node == "ClampBackward" else 0  # PyTorch counts the forms of each differently
        return selection.Clamp, (x,), {"low": min, "high": max, "node_name": f"{node}{number}"}
    for end in ends:
        if not isinstance(end, TensorBase):
            raise TypeError(f"clamp(): 'min' and 'max' must both be tensors or both numbers, got {end!r}")
    node = f"{node}{0 if node == 'ClampBackward' else 1}"
    if len(ends) == 1:
        extreme = selection.Maximum if max is None else selection.Minimum
        return extreme, operands(input, ends[0], "clamp"), {"node_name": node}
    return selection.ClampBetween, three_operands(input, min, max, "clamp"), {}


def maximum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The larger of two tensors, element by element; NaN if either is."""
    check_tensor(input, "maximum")
    check_tensor(other, "maximum", "other")
    return finish(selection.Maximum.apply(*operands(input, other, "maximum")), out)


def minimum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smaller of two tensors, element by element; NaN if either is."""
    check_tensor(input, "minimum")
    check_tensor(other, "minimum", "other")
    return finish(selection.Minimum.apply(*operands(input, other, "minimum")), out)


def where(condition: Tensor, input: Any = None, other: Any = None, *, out: Tensor | None = None) -> Any:
    """`input` where the condition holds, else `other`; with the condition alone, the places where it holds.

    >>> import minitorch_cifar as torch
    >>> torch.where(torch.tensor([True, False]), torch.tensor([1.0, 2.0]), 0.0)
    tensor([1., 0.])
    """
    check_tensor(condition, "where", "condition")
    if input is None and other is None:
        from .indexing import nonzero

        return nonzero(condition, as_tuple=True)
    kind = condition._array.dtype
    if kind.kind != "b" and kind != np.uint8:
        raise RuntimeError(
            "where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{FROM_NUMPY[kind].legacy_name}"
        )
    if isinstance(input, TensorBase) or isinstance(other, TensorBase):
        x, y = operands(input, other, "where")
    else:
        common = common_dtype(input, other)
        x, y = cast_operand(input, common), cast_operand(other, common)
    for value in (x, y):
        if isinstance(value, TensorBase):
            check_broadcast(condition._array, value._array)
    mask = condition if condition._array.dtype.kind == "b" else condition._array != 0
    return finish(selection.Where.apply(x, y, condition=mask), out)
