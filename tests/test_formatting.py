"""Printed tensors against PyTorch's, letter by letter, over shapes, dtypes, magnitudes and print options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch._tensor_str import get_printoptions as torch_options

import minitorch_cifar as engine
from minitorch_cifar.formatting import format_array, get_printoptions, printoptions, set_printoptions

Array = npt.NDArray[Any]
INTEGERS = ("int64", "int32", "uint8", "bool")


@pytest.fixture(autouse=True)
def default_options() -> Iterator[None]:
    yield
    set_printoptions(profile="default")
    torch.set_printoptions(profile="default")


special = st.sampled_from([0.0, -0.0, float("inf"), float("-inf"), float("nan")])
close_to_a_rule = st.sampled_from(
    [1e-4, 9.9999e-5, 1e8, 100000001.0, 99999.5, 999.99999, 0.1, 100.1, 0.99995, 0.00005, 5e-324, 1e308, 2.5]
)
magnitudes = st.builds(
    lambda mantissa, exponent: mantissa * 10.0**exponent, st.floats(-10, 10), st.integers(-12, 12)
)
near_one = st.floats(-99, 99).map(lambda value: round(value, 3))
whole = st.integers(-(10**6), 10**6).map(float)


@st.composite
def arrays(draw: st.DrawFn) -> Array:
    """Arrays of any of the engine's dtypes, sometimes longer than what is printed in full."""
    shape = draw(
        st.lists(st.integers(0, 4), max_size=4)
        | st.sampled_from(
            [
                [],
                [1],
                [13],
                [40],
                [1000],
                [1001],
                [7, 200],
                [6, 200],
                [200, 6],
                [30, 40],
                [2, 3, 200],
                [11] * 3,
            ]
        )
    )
    dtype = draw(st.sampled_from(["float32", "float64", *INTEGERS]))
    if dtype == "bool":
        element: st.SearchStrategy[Any] = st.booleans()
    elif dtype in INTEGERS:
        limits = np.iinfo(dtype)
        element = st.integers(0, min(limits.max, 300)) | st.integers(limits.min, limits.max)
    else:
        kinds = [whole, near_one, magnitudes, close_to_a_rule, special]
        element = st.one_of(*draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3)))
    pool = draw(st.lists(element, min_size=1, max_size=8))
    order = np.random.default_rng(draw(st.integers(0, 10**6)))
    with np.errstate(over="ignore"):
        values = np.array(pool).astype(dtype)
    return order.choice(values, size=shape).astype(dtype)


options = st.fixed_dictionaries(
    {},
    optional={
        "precision": st.integers(0, 9),
        "threshold": st.integers(0, 50) | st.just(float("inf")),
        "edgeitems": st.integers(0, 5),
        "linewidth": st.integers(1, 200),
        "profile": st.sampled_from(["default", "short", "full"]),
        "sci_mode": st.sampled_from([None, True, False]),
    },
)


@given(arrays(), st.sampled_from(["plain", "leaf", "computed"]))
@settings(max_examples=12 * settings.default.max_examples)
def test_any_tensor_prints_as_in_pytorch(array: Array, role: str) -> None:
    theirs = torch.from_numpy(array.copy())
    if role == "plain" or array.dtype.kind != "f":
        assert format_array(array) == repr(theirs)
        return
    theirs.requires_grad_()
    if role == "leaf":
        assert format_array(array, requires_grad=True) == repr(theirs)
    else:
        computed = theirs * 1
        assert format_array(array, grad_fn="MulBackward0", requires_grad=True) == repr(computed)


@given(arrays(), options)
@settings(max_examples=10 * settings.default.max_examples)
def test_any_print_options(array: Array, chosen: dict[str, Any]) -> None:
    set_printoptions(**chosen)
    torch.set_printoptions(**chosen)
    try:
        assert get_printoptions() == torch_options()
        assert format_array(array) == repr(torch.from_numpy(array.copy()))
    finally:
        set_printoptions(profile="default")
        torch.set_printoptions(profile="default")


RULES = ([0.5, 500.0], [0.5, 500.5], [1e-4, 0.05], [9.99e-5, 0.05], [1e8, 1e6], [1.5e8, 1e6], [1e8 + 1, 1e6])


@pytest.mark.parametrize("values", RULES)
def test_scientific_notation_starts_where_pytorchs_does(values: list[float]) -> None:
    array = np.array(values)
    assert format_array(array) == repr(torch.from_numpy(array))


@pytest.mark.parametrize("width", range(60, 100))
def test_a_suffix_moves_to_the_next_line_where_pytorchs_does(width: int) -> None:
    values = np.linspace(0, 1, 7)
    set_printoptions(linewidth=width)
    torch.set_printoptions(linewidth=width)
    leaf = torch.from_numpy(values).requires_grad_()
    assert format_array(values, requires_grad=True) == repr(leaf)
    assert format_array(values, grad_fn="AddBackward0") == repr(leaf + 0)


def test_views_are_printed_by_their_values() -> None:
    base = np.arange(24, dtype=np.float32).reshape(4, 6)
    for view in (base.T, base[::2, 1::2], base[:, 3], np.broadcast_to(base[0], (3, 6))):
        assert format_array(view) == repr(torch.from_numpy(view.copy()))


def test_the_default_dtype_is_not_named() -> None:
    array = np.array([0.5])
    try:
        torch.set_default_dtype(torch.float64)
        engine.set_default_dtype(engine.float64)
        for value in (array, array.astype(np.float32), np.zeros((0, 2)), np.zeros(0, np.int64)):
            assert format_array(value) == repr(torch.from_numpy(value))
    finally:
        torch.set_default_dtype(torch.float32)
        engine.set_default_dtype(engine.float32)


class _Named(engine.Tensor):
    pass


def test_tensors_of_the_engine_print_themselves() -> None:
    def program(torch: Any) -> list[str]:
        leaf = torch.tensor([[1.0, 2.0], [3.0, 4.5]], requires_grad=True)
        scalar = torch.tensor(3.14159)
        return [
            *map(
                repr, (leaf, leaf + 1, leaf.sum(), leaf.detach(), leaf.t(), leaf[0], torch.nn.Parameter(leaf))
            ),
            *map(
                repr,
                (torch.nn.Parameter(torch.ones(2), requires_grad=False), torch.arange(3), torch.eye(2) > 0),
            ),
            *map(str, (leaf, scalar, torch.zeros(0, 3), torch.zeros(2, dtype=torch.float64))),
            *(
                f"{scalar:.3f}",
                f"{scalar}",
                f"{torch.tensor(3):5d}",
                f"{leaf.sum():.2f}",
                f"{leaf}",
                f"{scalar!r}",
            ),
        ]

    assert program(engine) == program(torch)
    with pytest.raises(TypeError, match=r"unsupported format string passed to Tensor\.__format__"):
        format(engine.ones(2), ".3f")


def test_a_subclass_is_printed_under_its_own_name() -> None:
    # Both names have six letters, so that the lines are indented alike.
    class Theirs(torch.Tensor):
        pass

    theirs = torch.ones(2, 2).as_subclass(Theirs)
    mine = object.__new__(_Named)
    mine.__dict__.update(engine.ones(2, 2).__dict__)
    assert repr(mine) == repr(theirs).replace("Theirs(", "_Named(")


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ({"precision": "a"}, TypeError),
        ({"precision": 2.5}, TypeError),
        ({"linewidth": 80.0}, TypeError),
        ({"edgeitems": -1}, ValueError),
        ({"precision": -1}, ValueError),
        ({"profile": "tiny"}, ValueError),
    ],
)
def test_bad_options_are_refused_and_change_nothing(bad: dict[str, Any], error: type[Exception]) -> None:
    before = get_printoptions()
    with pytest.raises(error, match=next(iter(bad))):
        set_printoptions(threshold=7, **bad)
    assert get_printoptions() == before


def test_options_for_a_block_only() -> None:
    before = get_printoptions()
    with printoptions(precision=1, sci_mode=True):
        assert get_printoptions() == {**before, "precision": 1, "sci_mode": True}
    assert get_printoptions() == before
    with pytest.raises(ZeroDivisionError), printoptions(threshold=1):
        _ = 1 // 0
    assert get_printoptions() == before
