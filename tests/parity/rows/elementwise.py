"""Rows of arithmetic, comparison and logic, element by element."""

from __future__ import annotations

import operator
from typing import Any

from ..drawing import Maker, Sample
from ..registry import Failing, Row

POSITIVE = ("positive", "special", "extreme")
ANYTHING = ("ordinary", "ties", "special", "extreme")


def one(make: Maker) -> Sample:
    """One tensor."""
    return make.sample(*make.tensors([make.shape()]))


def two(make: Maker) -> Sample:
    """Two tensors that broadcast."""
    return make.sample(*make.tensors(make.broadcastable(2)))


def two_or_number(make: Maker) -> Sample:
    """Two tensors that broadcast, or a tensor and a Python number."""
    if make.flag() and make.flag():
        return make.sample(*make.tensors([make.shape()]), make.number())
    return two(make)


def with_alpha(make: Maker) -> Sample:
    """As `two_or_number`, with a factor."""
    sample = two_or_number(make)
    sample.kwargs.update(make.some(alpha=(2, 1) if make.mixed else (2, -0.5, 0)))
    return sample


def _reflected(function: Any) -> Any:
    """`number OP tensor` where the second argument is a number, else `tensor OP tensor`."""
    return lambda x, y: function(y, x)


def _augmented(function: Any) -> Any:
    """`z = x.clone(); z OP= y`."""

    def run(x: Any, y: Any) -> Any:
        z = x.clone()
        return function(z, y)

    return run


def _operators(symbol: str, name: str) -> dict[str, Any]:
    function, inplace = getattr(operator, name), getattr(operator, f"i{name.strip('_')}")
    return {
        f"x {symbol} y": function,
        f"y {symbol} x": _reflected(function),
        f"z {symbol}= y": _augmented(inplace),
    }


def misfit(name: str) -> tuple[Failing, ...]:
    """Shapes that do not broadcast, and something that is no tensor."""
    return (
        lambda torch: getattr(torch, name)(torch.ones(2, 3), torch.ones(4)),
        lambda torch: getattr(torch, name)(torch.ones(2), "two"),
        lambda torch: getattr(torch, name)(torch.ones(2), [1.0, 2.0]),
        lambda torch: getattr(torch, name)(torch.ones(2), None),
    )


def no_tensor(name: str) -> tuple[Failing, ...]:
    """A list where a tensor belongs, and nothing at all."""
    return (
        lambda torch: getattr(torch, name)([1.0, 2.0]),
        lambda torch: getattr(torch, name)(None),
        lambda torch: getattr(torch, name)(),
    )


def _unary(name: str, inplace: bool = True, **options: Any) -> Row:
    return Row(name, one, inplace=inplace, out=True, errors=no_tensor(name), **options)


def _clamp(make: Maker) -> Sample:
    x = make.tensors([make.shape()])
    low, high = make.choice(-0.5, 0, 1, None, -1.7), make.choice(0.5, 2, None, 1, -2.0)
    if low is None and high is None:
        low = 0
    named = {k: v for k, v in (("min", low), ("max", high)) if v is not None}
    return make.sample(*x, **named)


def _clamp_tensors(make: Maker) -> Sample:
    shapes = make.broadcastable(3)
    x, low, high = make.tensors(shapes)
    form = make.choice("both", "min", "max")
    return make.sample(
        x, **({"min": low} if form != "max" else {}), **({"max": high} if form != "min" else {})
    )


def _where(make: Maker) -> Sample:
    shapes = make.broadcastable(3)
    condition = make.mask(shapes[0])
    x, y = make.tensors(shapes[1:])
    form = make.choice("tensors", "number", "first number")
    if form == "number":
        return make.sample(condition, x, make.number())
    if form == "first number":
        return make.sample(condition, make.number(), y)
    return make.sample(condition, x, y)


def _pow(make: Maker) -> Sample:
    form = make.choice("number", "tensor", "base")
    if form == "number":
        exponents = (2, 3, 0, 1) if make.mixed else (2, 3, 0.5, 0, 1, -1, -0.5, 2.5, 0.0, 4)
        return make.sample(*make.tensors([make.shape()]), make.choice(*exponents))
    if form == "base":
        return make.sample(make.choice(2, 2.0, 0.5, 0.0, 1, -2.0), *make.tensors([make.shape()]))
    return two(make)


def _three(make: Maker) -> Sample:
    sample = make.sample(*make.tensors(make.broadcastable(3)))
    sample.kwargs.update(make.some(value=(2, 1) if make.mixed else (0.5, 2, -1)))
    return sample


def _lerp(make: Maker) -> Sample:
    if make.flag():
        return make.sample(*make.tensors(make.broadcastable(2)), make.choice(0.5, 0.25, 0.0, 1.0, 1.5))
    return make.sample(*make.tensors(make.broadcastable(3)))


def _div(make: Maker) -> Sample:
    sample = two_or_number(make)
    sample.kwargs.update(make.some(rounding_mode=("floor", "trunc")))
    return sample


def _round(make: Maker) -> Sample:
    return make.sample(*make.tensors([make.shape()]), **make.some(decimals=(2, 1, -1)))


_ARITHMETIC = [
    Row(
        "add",
        with_alpha,
        inplace=True,
        out=True,
        ways=_operators("+", "add"),
        covers=("__add__", "__radd__", "__iadd__"),
        errors=(
            *misfit("add"),
            lambda torch: torch.add(torch.tensor([1, 2]), torch.tensor([1, 2]), alpha=0.5),
            lambda torch: torch.ones(2).add_(torch.ones(3, 2)),
            lambda torch: torch.tensor([1, 2]).add_(0.5),
            lambda torch: torch.ones(2) + "two",
            lambda torch: "two" + torch.ones(2),
            lambda torch: torch.ones(2) + [1, 2],  # noqa: RUF005
        ),
    ),
    Row(
        "sub",
        with_alpha,
        inplace=True,
        out=True,
        aliases=("subtract",),
        ways=_operators("-", "sub"),
        covers=("__sub__", "__rsub__", "__isub__"),
        errors=(
            *misfit("sub"),
            lambda torch: torch.tensor([True]) - torch.tensor([True]),
            lambda torch: torch.tensor([True]) - True,
            lambda torch: True - torch.tensor([True]),
        ),
    ),
    Row("rsub", with_alpha, forms=("torch",), errors=misfit("rsub")),
    Row(
        "mul",
        two_or_number,
        inplace=True,
        out=True,
        aliases=("multiply",),
        ways=_operators("*", "mul"),
        covers=("__mul__", "__rmul__", "__imul__"),
        errors=(*misfit("mul"), lambda torch: torch.tensor([1]).mul_(0.5)),
    ),
    Row(
        "div",
        _div,
        inplace=True,
        out=True,
        aliases=("divide", "true_divide"),
        ways=_operators("/", "truediv"),
        covers=("__truediv__", "__rtruediv__", "__itruediv__"),
        errors=(
            *misfit("div"),
            lambda torch: torch.div(torch.ones(2), 2, rounding_mode="up"),
            lambda torch: torch.tensor([4]).div_(2),
            lambda torch: torch.div(torch.tensor([1]), torch.tensor([0]), rounding_mode="floor"),
        ),
    ),
    Row(
        "floor_divide",
        two_or_number,
        inplace=True,
        out=True,
        differentiable=False,
        ways=_operators("//", "floordiv"),
        covers=("__floordiv__", "__rfloordiv__", "__ifloordiv__"),
        errors=(*misfit("floor_divide"), lambda torch: torch.tensor([1]) // 0),
    ),
    Row(
        "remainder",
        two_or_number,
        inplace=True,
        out=True,
        ways=_operators("%", "mod"),
        covers=("__mod__", "__rmod__", "__imod__"),
        errors=(*misfit("remainder"), lambda torch: torch.tensor([1]) % 0),
    ),
    Row(
        "fmod",
        two_or_number,
        inplace=True,
        out=True,
        errors=(*misfit("fmod"), lambda torch: torch.fmod(torch.tensor([1]), 0)),
    ),
    Row(
        "pow",
        _pow,
        inplace=True,
        out=True,
        smooth="distinct positive",
        ways=_operators("**", "pow"),
        covers=("__pow__", "__rpow__", "__ipow__"),
        errors=(
            *misfit("pow"),
            lambda torch: torch.tensor([2]) ** -1,
            lambda torch: torch.tensor([2]).pow(-2),
        ),
    ),
    Row(
        "neg",
        one,
        inplace=True,
        out=True,
        aliases=("negative",),
        ways={"-x": operator.neg},
        covers=("__neg__",),
        errors=(*no_tensor("neg"), lambda torch: -torch.tensor([True])),
    ),
    Row(
        "addcmul",
        _three,
        inplace=True,
        regimes=("ordinary", "ties", "extreme"),  # PyTorch's fused multiply-add does not overflow on the way
        errors=(lambda torch: torch.addcmul(torch.ones(2), torch.ones(3), torch.ones(2)),),
    ),
    Row(
        "addcdiv",
        _three,
        inplace=True,
        errors=(
            lambda torch: torch.addcdiv(torch.ones(2), torch.ones(3), torch.ones(2)),
            lambda torch: torch.addcdiv(torch.tensor([1]), torch.tensor([1]), torch.tensor([1])),
        ),
    ),
    Row(
        "lerp",
        _lerp,
        inplace=True,
        errors=(
            lambda torch: torch.lerp(torch.ones(2), torch.ones(3), 0.5),
            lambda torch: torch.lerp(torch.tensor([1]), torch.tensor([2]), 0.5),
            lambda torch: torch.lerp(torch.ones(2), torch.ones(2, dtype=torch.float64), 0.5),
        ),
    ),
    Row(
        "maximum",
        two,
        out=True,
        errors=(
            lambda torch: torch.maximum(torch.ones(2), torch.ones(3)),
            lambda torch: torch.maximum(torch.ones(2), 1.0),
        ),
    ),
    Row(
        "minimum",
        two,
        out=True,
        errors=(
            lambda torch: torch.minimum(torch.ones(2), torch.ones(3)),
            lambda torch: torch.minimum(torch.ones(2), 1.0),
        ),
    ),
    Row(
        "clamp",
        _clamp,
        inplace=True,
        out=True,
        aliases=("clip",),
        errors=(lambda torch: torch.clamp(torch.ones(2)), lambda torch: torch.clamp(torch.ones(2), "a")),
    ),
    Row(
        "clamp (tensor bounds)",
        _clamp_tensors,
        call=lambda torch, *a, **k: torch.clamp(*a, **k),
        inplace=True,
    ),
    Row(
        "clamp_min",
        lambda make: make.sample(*make.tensors([make.shape()]), make.choice(0, -0.5, 1)),
        inplace=True,
    ),
    Row(
        "clamp_max",
        lambda make: make.sample(*make.tensors([make.shape()]), make.choice(0, -0.5, 1)),
        inplace=True,
    ),
    Row(
        "where",
        _where,
        forms=("torch",),
        out=True,
        ways={"x.where(c, y)": lambda c, x, y: x.where(c, y) if hasattr(x, "where") else y.where(~c, x)},
        errors=(
            lambda torch: torch.where(torch.tensor([1.0]), torch.ones(1), torch.ones(1)),
            lambda torch: torch.where(torch.tensor([True, False]), torch.ones(3), torch.ones(3)),
        ),
    ),
]

_UNARY = [
    _unary("abs", aliases=("absolute",), ways={"abs(x)": abs}, covers=("__abs__",)),
    _unary("exp"),
    _unary("expm1"),
    _unary("log", smooth="distinct positive"),
    _unary("log2", smooth="distinct positive"),
    _unary("log10", smooth="distinct positive"),
    _unary("log1p", smooth="distinct positive"),
    _unary("sqrt", smooth="distinct positive"),
    _unary("rsqrt", smooth="distinct positive"),
    _unary("reciprocal"),
    _unary("square"),
    _unary("sin", regimes=("ordinary", "ties", "special")),
    _unary("cos", regimes=("ordinary", "ties", "special")),
    _unary("tan", regimes=("ordinary", "ties")),
    _unary("erf"),
    _unary("sign"),
    _unary("floor"),
    _unary("ceil"),
    _unary("trunc"),
    Row("round", _round, inplace=True, out=True, errors=no_tensor("round")),
]


def _comparison(name: str, symbol: str, covers: str, aliases: tuple[str, ...] = ()) -> Row:
    function = getattr(operator, name)
    return Row(
        name,
        two_or_number,
        out=True,
        differentiable=False,
        aliases=aliases,
        ways={f"x {symbol} y": function, f"y {symbol} x": _reflected(function)},
        covers=(covers,),
        errors=misfit(name),
    )


_COMPARISONS = [
    _comparison("eq", "==", "__eq__"),
    _comparison("ne", "!=", "__ne__", ("not_equal",)),
    _comparison("lt", "<", "__lt__", ("less",)),
    _comparison("le", "<=", "__le__", ("less_equal",)),
    _comparison("gt", ">", "__gt__", ("greater",)),
    _comparison("ge", ">=", "__ge__", ("greater_equal",)),
]


def _bitwise(name: str, symbol: str, function: str, dunder: str) -> Row:
    return Row(
        name,
        two_or_number,
        inplace=True,
        out=True,
        differentiable=False,
        ways=_operators(symbol, function),
        covers=(f"__{dunder}__", f"__r{dunder}__", f"__i{dunder}__"),
        errors=(
            lambda torch: getattr(torch, name)(torch.ones(2), torch.ones(2)),
            lambda torch: getattr(torch, name)(torch.tensor([1, 2]), torch.tensor([1, 2, 3])),
            lambda torch: getattr(torch, name)(torch.tensor([1, 2]), 0.5),
        ),
    )


_LOGIC = [
    *(
        Row(
            name,
            two,
            out=True,
            differentiable=False,
            errors=(lambda torch, name=name: getattr(torch, name)(torch.ones(2), torch.ones(3)),),
        )
        for name in ("logical_and", "logical_or", "logical_xor")
    ),
    Row("logical_not", one, out=True, differentiable=False, errors=no_tensor("logical_not")),
    _bitwise("bitwise_and", "&", "and_", "and"),
    _bitwise("bitwise_or", "|", "or_", "or"),
    _bitwise("bitwise_xor", "^", "xor", "xor"),
    Row(
        "bitwise_not",
        one,
        out=True,
        differentiable=False,
        ways={"~x": operator.invert},
        covers=("__invert__",),
        errors=(lambda torch: ~torch.ones(2),),
    ),
    Row("isnan", one, differentiable=False, errors=no_tensor("isnan")),
    Row("isinf", one, differentiable=False, errors=no_tensor("isinf")),
    Row("isfinite", one, differentiable=False, errors=no_tensor("isfinite")),
]


def _close(make: Maker) -> Sample:
    x, y = make.tensors(make.broadcastable(2))
    return make.sample(x, y, **make.some(rtol=(0.5, 0.0), atol=(0.5, 0.0, 1e-3), equal_nan=(True, False)))


def _same_or_not(make: Maker) -> Sample:
    x = make.tensor(make.shape())
    return make.sample(x, x if make.flag() else make.tensor(x.array.shape if make.flag() else make.shape()))


_TESTS = [
    Row(
        "isclose",
        _close,
        differentiable=False,
        errors=(
            lambda torch: torch.isclose(torch.ones(2), torch.ones(2, dtype=torch.float64)),
            lambda torch: torch.isclose(torch.ones(2), torch.ones(3)),
        ),
    ),
    Row("allclose", _close, differentiable=False),
    Row("equal", _same_or_not, differentiable=False, errors=(lambda torch: torch.equal(torch.ones(2), 1),)),
]

ROWS = [*_ARITHMETIC, *_UNARY, *_COMPARISONS, *_LOGIC, *_TESTS]
