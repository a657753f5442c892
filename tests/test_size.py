"""`Size` against `torch.Size`: printed form, what slices and sums are, errors."""

from __future__ import annotations

import copy
import operator
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from minitorch_cifar.size import Size

sizes = st.lists(st.integers(-5, 2**40), max_size=5)


@given(sizes, sizes, st.slices(5), st.integers(-1, 3))
def test_every_way_to_make_a_size_gives_a_size(
    first: list[int], second: list[int], part: slice, times: int
) -> None:
    ours, theirs = Size(first), torch.Size(first)
    results = [
        (ours, theirs),
        (ours[part], theirs[part]),
        (ours + Size(second), theirs + torch.Size(second)),
        (ours + tuple(second), theirs + tuple(second)),
        (tuple(second) + ours, tuple(second) + theirs),
        (ours * times, theirs * times),
        (times * ours, times * theirs),
    ]
    for mine, expected in results:
        assert type(mine) is Size
        assert repr(mine) == repr(expected)
        assert str(mine) == str(expected)
        assert tuple(mine) == tuple(expected)
        assert hash(mine) == hash(tuple(expected))


@given(st.lists(st.integers(0, 1000), max_size=4))
def test_numel(size: list[int]) -> None:
    assert Size(size).numel() == torch.Size(size).numel()


@pytest.mark.parametrize(
    "bad", [[2.5], [1, 2.0], ["a"], [None], 3, None, [1, [2]]], ids=lambda bad: repr(bad)
)
def test_what_is_no_size_is_refused_as_in_pytorch(bad: object) -> None:
    with pytest.raises(TypeError) as theirs:
        torch.Size(bad)
    with pytest.raises(TypeError) as ours:
        Size(bad)  # type: ignore[arg-type]
    assert str(ours.value) == str(theirs.value)


def test_only_tuples_can_be_added() -> None:
    with pytest.raises(TypeError) as theirs:
        operator.add(torch.Size([2]), [1])
    with pytest.raises(TypeError) as ours:
        operator.add(Size([2]), [1])
    assert str(ours.value) == str(theirs.value)
    for first, second in (([1], Size([2])), (Size([2]), ("a",))):
        with pytest.raises(TypeError):
            operator.add(first, second)


def test_elements_are_plain_integers() -> None:
    size = Size([np.int64(3), True])
    assert size == (3, 1)
    assert [type(item) for item in size] == [int, int]
    assert type(size[0]) is int


def test_copies_are_equal_sizes() -> None:
    size = Size([2, 3])
    for twin in (copy.copy(size), copy.deepcopy(size), pickle.loads(pickle.dumps(size))):
        assert type(twin) is Size
        assert twin == size
