"""Element types, and how two of them meet, against PyTorch's table."""

from __future__ import annotations

import copy
import itertools
import operator
import pickle
from typing import Any

import numpy as np
import pytest
import torch as pytorch

import minitorch_cifar as torch
from minitorch_cifar import dtypes

NAMES = ("bool", "uint8", "int32", "int64", "float32", "float64")
NUMBERS = (True, 2, -3, 2.5)


@pytest.mark.parametrize("name", NAMES)
def test_a_dtype_says_what_pytorch_says(name: str) -> None:
    ours, theirs = getattr(torch, name), getattr(pytorch, name)
    assert repr(ours) == repr(theirs)
    for attribute in ("itemsize", "is_floating_point", "is_complex", "is_signed"):
        assert getattr(ours, attribute) == getattr(theirs, attribute), attribute
    assert torch.zeros(1, dtype=ours).numpy().dtype == pytorch.zeros(1, dtype=theirs).numpy().dtype


@pytest.mark.parametrize(
    ("short", "name"), [("float", "float32"), ("double", "float64"), ("long", "int64"), ("int", "int32")]
)
def test_short_names(short: str, name: str) -> None:
    assert getattr(torch, short) is getattr(torch, name)
    assert getattr(pytorch, short) is getattr(pytorch, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_dtype_is_itself_after_a_copy(name: str) -> None:
    kind = getattr(torch, name)
    assert pickle.loads(pickle.dumps(kind)) is kind
    assert copy.deepcopy(kind) is kind


def operands(namespace: Any) -> list[tuple[str, Any]]:
    """One operand of each dtype with dimensions and without, and Python numbers."""
    made = [
        (f"{name}{list(shape)}", namespace.ones(shape, dtype=getattr(namespace, name)))
        for name in NAMES
        for shape in ((2,), ())
    ]
    return made + [(repr(number), number) for number in NUMBERS]


def test_result_type_is_pytorchs_table() -> None:
    pairs = list(zip(operands(torch), operands(pytorch), strict=True))
    for ((name, x), (_, p)), ((other, y), (_, q)) in itertools.product(pairs, repeat=2):
        assert repr(torch.result_type(x, y)) == repr(pytorch.result_type(p, q)), (name, other)


@pytest.mark.parametrize(
    "symbol", ["add", "mul", "truediv", "floordiv", "pow", "eq", "lt", "and_", "sub", "mod"]
)
def test_operators_follow_the_table(symbol: str) -> None:
    function = getattr(operator, symbol)

    def answer(x: Any, y: Any) -> Any:
        try:
            result = function(x, y)
        except Exception as error:
            return type(error).__name__
        return repr(result.dtype), tuple(result.shape)

    ours, theirs = operands(torch), operands(pytorch)
    for (name, x), (_, p) in zip(ours, theirs, strict=True):
        for (other, y), (_, q) in zip(ours, theirs, strict=True):
            if not isinstance(x, torch.Tensor) and not isinstance(y, torch.Tensor):
                continue
            assert answer(x, y) == answer(p, q), f"{name} {symbol} {other}"


def test_can_cast_is_pytorchs_table() -> None:
    for first, second in itertools.product(NAMES, repeat=2):
        ours = torch.can_cast(getattr(torch, first), getattr(torch, second))
        assert ours == pytorch.can_cast(getattr(pytorch, first), getattr(pytorch, second)), (first, second)


@pytest.mark.parametrize("number", [300, -1, -0.5, 2.7, 1e20, float("nan"), float("inf"), 2**40, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_number_stored_as_it_is(name: str, number: float) -> None:
    def stored(namespace: Any) -> Any:
        x = namespace.zeros(1, dtype=getattr(namespace, name))
        try:
            return repr(x.fill_(number).tolist())
        except Exception as error:
            return type(error).__name__

    assert stored(torch) == stored(pytorch)


@pytest.mark.parametrize("number", [300, -1, 2**40, 2**70])
def test_a_number_in_arithmetic_wraps(number: int) -> None:
    for name in ("uint8", "int32", "int64", "float32"):

        def added(namespace: Any, name: str = name) -> Any:
            try:
                return (namespace.full((1,), 5, dtype=getattr(namespace, name)) + number).tolist()
            except Exception as error:
                return type(error).__name__

        assert added(torch) == added(pytorch), name


def test_the_default_dtype_decides_what_floats_become() -> None:
    answers = []
    for namespace in (torch, pytorch):
        namespace.set_default_dtype(namespace.float64)
        try:
            x = [
                namespace.tensor(1.5),
                namespace.zeros(1),
                namespace.tensor([1]) / 2,
                namespace.arange(0, 1, 0.5),
            ]
            answers.append([repr(t.dtype) for t in x] + [repr(namespace.get_default_dtype())])
        finally:
            namespace.set_default_dtype(namespace.float32)
    assert answers[0] == answers[1]
    for wrong in (torch.int64, "float32", None):
        with pytest.raises(TypeError):
            torch.set_default_dtype(wrong)


def test_numpy_dtypes_without_a_counterpart_are_named() -> None:
    with pytest.raises(TypeError, match="float16"):
        torch.from_numpy(np.zeros(1, np.float16))
    with pytest.raises(TypeError, match="complex"):
        torch.from_numpy(np.zeros(1, np.complex64))
    with pytest.raises(TypeError, match="dtype must be one of"):
        torch.zeros(1, dtype="float32")


def test_common_dtype_is_the_same_whatever_the_order() -> None:
    arrays = [np.ones(shape, name) for name in NAMES for shape in ((2,), ())]
    for values in itertools.combinations(arrays, 3):
        found = {dtypes.common_dtype(*order) for order in itertools.permutations(values)}
        assert len(found) == 1


@pytest.mark.parametrize("name", ["float32", "float64"])
def test_finfo_is_pytorchs(name: str) -> None:
    ours, theirs = torch.finfo(getattr(torch, name)), pytorch.finfo(getattr(pytorch, name))
    for fact in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution"):
        assert getattr(ours, fact) == pytest.approx(getattr(theirs, fact), rel=1e-15), fact
    assert ours.dtype == theirs.dtype
    assert repr(ours) == repr(theirs)
    assert repr(torch.finfo()) == repr(pytorch.finfo())


@pytest.mark.parametrize("name", ["int32", "int64", "uint8"])
def test_iinfo_is_pytorchs(name: str) -> None:
    ours, theirs = torch.iinfo(getattr(torch, name)), pytorch.iinfo(getattr(pytorch, name))
    for fact in ("bits", "max", "min", "dtype"):
        assert getattr(ours, fact) == getattr(theirs, fact), fact
    assert repr(ours) == repr(theirs)


def test_finfo_and_iinfo_refuse_other_kinds() -> None:
    for library in (torch, pytorch):
        with pytest.raises(TypeError, match=r"Use torch.iinfo to handle"):
            library.finfo(library.int64)
        with pytest.raises(TypeError, match=r"Use torch.finfo to handle"):
            library.iinfo(library.float32)
        with pytest.raises(TypeError, match=r"must be torch.dtype, not int"):
            library.finfo(3)
        with pytest.raises(TypeError, match=r"must be torch.dtype, not str"):
            library.iinfo("int32")
        with pytest.raises(TypeError, match="iinfo"):
            library.iinfo(library.bool)


def test_constants_are_pytorchs() -> None:
    assert (torch.pi, torch.e, torch.inf, torch.newaxis) == (pytorch.pi, pytorch.e, pytorch.inf, None)
    assert torch.nan != torch.nan
