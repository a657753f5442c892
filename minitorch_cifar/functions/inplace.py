"""The in-place forms, `add_`, `mul_`, `exp_`, `fill_` ...: each stores its result in its first argument.

The operation is the one of the form without the underscore; `apply_inplace` puts its result into the tensor's
memory and the tensor into the graph. RuntimeError where the result has another shape or a higher category of
dtype than the tensor, and for a leaf that requires grad.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd import apply_inplace
from ..autograd.inplace import check_inplace
from ..autograd.variable import TensorBase
from ..dtypes import FROM_NUMPY
from ..ops import arithmetic, elementary, reduction, selection
from ..ops.indexing import Copy, Fill, FillWithTensor
from . import elementwise
from .arguments import (
    as_dim,
    check_broadcast,
    check_fits,
    check_number,
    check_tensor,
    operands,
    reduced_dtype,
    to_dtype,
)

if TYPE_CHECKING:
    from ..tensor import Tensor


def _store(input: Tensor, operation: Any, inputs: tuple[Any, ...], **parameters: Any) -> Tensor:
    """Run an operation whose first operand is `input` and store the result in `input`."""
    return apply_inplace(input, operation, *inputs, **parameters)  # type: ignore[no-any-return]


def add_(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """`add`, stored in `input`."""
    x, y = operands(input, other, "add_")
    elementwise.check_alpha(x, y, alpha)
    return _store(input, arithmetic.Add, (x, y), alpha=alpha)


def sub_(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """`sub`, stored in `input`."""
    x, y = operands(input, other, "sub_")
    elementwise.check_subtraction(input, other)
    elementwise.check_alpha(x, y, alpha)
    return _store(input, arithmetic.Sub, (x, y), alpha=alpha)


def mul_(input: Tensor, other: Any) -> Tensor:
    """`mul`, stored in `input`."""
    return _store(input, arithmetic.Mul, operands(input, other, "mul_"))


def div_(input: Tensor, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """`div`, stored in `input`."""
    if rounding_mode is None:
        return _store(input, arithmetic.Div, operands(input, other, "div_", floating=True))
    x, y = elementwise.rounded_division(input, other, rounding_mode, "div_")
    return _store(input, arithmetic.RoundedDiv, (x, y), rounding_mode=rounding_mode)


def floor_divide_(input: Tensor, other: Any) -> Tensor:
    """`floor_divide`, stored in `input`."""
    return _store(
        input, arithmetic.FloorDivide, elementwise.rounded_division(input, other, "floor", "floor_divide_")
    )


def remainder_(input: Tensor, other: Any) -> Tensor:
    """`remainder`, stored in `input`."""
    x, y = elementwise.as_arrays(*operands(input, other, "remainder_"))
    elementwise.refuse_bool(x, "remainder")
    return _store(input, arithmetic.Remainder, (x, y), node_name=elementwise.by_number("Remainder", other))


def fmod_(input: Tensor, other: Any) -> Tensor:
    """`fmod`, stored in `input`."""
    x, y = elementwise.as_arrays(*operands(input, other, "fmod_"))
    elementwise.refuse_bool(x, "fmod")
    return _store(input, arithmetic.Fmod, (x, y), node_name=elementwise.by_number("Fmod", other))


def neg_(input: Tensor) -> Tensor:
    """`neg`, stored in `input`."""
    elementwise.check_negation(input)
    return _store(input, arithmetic.Neg, (input,))


def addcmul_(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """`addcmul`, stored in `input`."""
    x, a, b = elementwise.three_operands(input, tensor1, tensor2, "addcmul")
    elementwise.refuse_bool(x, "addcmul_cpu_out")
    return _store(input, arithmetic.Addcmul, (x, a, b), value=value)


def addcdiv_(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """`addcdiv`, stored in `input`."""
    operands_ = elementwise.three_operands(input, tensor1, tensor2, "addcdiv")
    elementwise.check_addcdiv(tensor1, tensor2)
    return _store(input, arithmetic.Addcdiv, operands_, value=value)


def lerp_(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """`lerp`, stored in `input`."""
    node = elementwise.by_number("Lerp", weight)
    return _store(input, arithmetic.Lerp, elementwise.lerp_operands(input, end, weight), node_name=node)


def pow_(input: Tensor, exponent: Any) -> Tensor:
    """`pow`, stored in `input`."""
    if isinstance(exponent, TensorBase):
        return _store(input, elementary.Pow, operands(input, exponent, "pow_"))
    x, number = elementwise.power_of_number(input, exponent)
    return _store(input, elementary.PowScalar, (x,), exponent=number)


def square_(input: Tensor) -> Tensor:
    """`square`, stored in `input`."""
    return pow_(input, 2)


def _unary(operation: Any, name: str) -> Any:
    """The function `name(input)` for an operation of floats with one input."""

    def function(input: Tensor) -> Tensor:
        kind = FROM_NUMPY[input._array.dtype]
        if not kind.is_floating_point:
            raise RuntimeError(
                f"result type Float can't be cast to the desired output type {kind.legacy_name}"
            )
        return _store(input, operation, (input,))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"`{name[:-1]}`, stored in `input`."
    return function


exp_ = _unary(elementary.Exp, "exp_")
expm1_ = _unary(elementary.Expm1, "expm1_")
log_ = _unary(elementary.Log, "log_")
log2_ = _unary(elementary.Log2, "log2_")
log10_ = _unary(elementary.Log10, "log10_")
log1p_ = _unary(elementary.Log1p, "log1p_")
sqrt_ = _unary(elementary.Sqrt, "sqrt_")
rsqrt_ = _unary(elementary.Rsqrt, "rsqrt_")
reciprocal_ = _unary(elementary.Reciprocal, "reciprocal_")
sin_ = _unary(elementary.Sin, "sin_")
cos_ = _unary(elementary.Cos, "cos_")
tan_ = _unary(elementary.Tan, "tan_")
erf_ = _unary(elementary.Erf, "erf_")


def abs_(input: Tensor) -> Tensor:
    """`abs`, stored in `input`."""
    elementwise.refuse_bool(input, "abs_cpu")
    return _store(input, selection.Abs, (input,))


def sign_(input: Tensor) -> Tensor:
    """`sign`, stored in `input`."""
    return _store(input, selection.Step, (input,), function=selection.sign, node_name="SignBackward0")


def floor_(input: Tensor) -> Tensor:
    """`floor`, stored in `input`."""
    return _store(input, selection.Step, (input,), **elementwise.step(input, np.floor, "floor"))


def ceil_(input: Tensor) -> Tensor:
    """`ceil`, stored in `input`."""
    return _store(input, selection.Step, (input,), **elementwise.step(input, np.ceil, "ceil"))


def trunc_(input: Tensor) -> Tensor:
    """`trunc`, stored in `input`."""
    return _store(input, selection.Step, (input,), **elementwise.step(input, np.trunc, "trunc"))


def round_(input: Tensor, *, decimals: int = 0) -> Tensor:
    """`round`, stored in `input`."""
    return _store(input, selection.Step, (input,), **elementwise.step(input, np.round, "round", decimals))


def clamp_(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """`clamp`, stored in `input`."""
    operation, inputs, parameters = elementwise.clamping(input, min, max, "ClampBackward")
    return _store(input, operation, inputs, **parameters)


def clamp_min_(input: Tensor, min: Any) -> Tensor:
    """`clamp_min`, stored in `input`."""
    operation, inputs, parameters = elementwise.clamping(input, min, None, "ClampMinBackward")
    return _store(input, operation, inputs, **parameters)


def clamp_max_(input: Tensor, max: Any) -> Tensor:
    """`clamp_max`, stored in `input`."""
    operation, inputs, parameters = elementwise.clamping(input, None, max, "ClampMaxBackward")
    return _store(input, operation, inputs, **parameters)


def cumsum_(input: Tensor, dim: Any) -> Tensor:
    """`cumsum`, stored in `input`."""
    check_tensor(input, "cumsum_")
    return _store(
        input, reduction.Cumsum, (reduced_dtype(input, input.dtype),), dim=as_dim(dim, input._array.ndim)
    )


def cumprod_(input: Tensor, dim: Any) -> Tensor:
    """`cumprod`, stored in `input`."""
    check_tensor(input, "cumprod_")
    return _store(
        input, reduction.Cumprod, (reduced_dtype(input, input.dtype),), dim=as_dim(dim, input._array.ndim)
    )


def fill_(input: Tensor, value: Any) -> Tensor:
    """Every element becomes `value`, a number or a 0-dimensional tensor."""
    kind = FROM_NUMPY[input._array.dtype]
    if not isinstance(value, TensorBase):
        check_number(value, "fill_", "value")
        check_fits(value, kind)
        return _store(input, Fill, (input, np.asarray(value)), node_name="FillBackward2")
    if value._array.ndim:
        raise RuntimeError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {value._array.ndim} "
            "dimensions."
        )
    return _store(input, FillWithTensor, (input, to_dtype(value, kind)), node_name="FillBackward3")  # type: ignore[arg-type]


def zero_(input: Tensor) -> Tensor:
    """Every element becomes 0."""
    return _store(input, Fill, (input, np.asarray(0)), node_name="ZeroBackward0")


def copy_(input: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """The elements of `src`, repeated to the shape of `input` and in its dtype, stored in `input`."""
    if isinstance(src, (int, float)):
        check_inplace(input)
        return fill_(input, src)
    check_tensor(src, "copy_", "other")
    check_broadcast(input._array, src._array)
    if input._array.dtype.kind != "f":
        src = src.detach()  # whole numbers carry no gradient
    return _store(input, Copy, (input, src))
