"""Square brackets against PyTorch: drawn mixtures of everything an index may hold, right and wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch as pytorch
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch_cifar as torch

ITEMS = st.one_of(
    st.integers(-3, 3),
    st.builds(
        slice, *[st.one_of(st.none(), st.integers(-4, 4))] * 2, st.one_of(st.none(), st.integers(1, 3))
    ),
    st.just(None),
    st.just(Ellipsis),
    st.booleans(),
    st.lists(st.integers(-2, 2), min_size=1, max_size=3),
    st.tuples(st.just("indices"), st.lists(st.integers(-2, 2), max_size=3)),
    st.tuples(st.just("grid"), st.lists(st.integers(-2, 2), min_size=4, max_size=4)),
    st.tuples(st.just("mask"), st.lists(st.booleans(), min_size=1, max_size=3)),
    st.tuples(st.just("number"), st.integers(-3, 3)),
    st.just(("fraction", 0.5)),
)
SHAPES = st.lists(st.integers(0, 3), max_size=3).map(tuple)


def built(namespace: Any, item: Any) -> Any:
    """A drawn item with the tensors of one library."""
    if not isinstance(item, tuple):
        return item
    kind, values = item
    if kind == "indices":
        return namespace.tensor(values, dtype=namespace.int64)
    if kind == "grid":
        return namespace.tensor(values, dtype=namespace.int64).reshape(2, 2)
    if kind == "mask":
        return namespace.tensor(values, dtype=namespace.bool)
    return namespace.tensor(values)


def as_index(namespace: Any, items: list[Any]) -> Any:
    """The index: the only item alone, several as a tuple."""
    parts = [built(namespace, item) for item in items]
    return parts[0] if len(parts) == 1 else tuple(parts)


def numbered(namespace: Any, shape: tuple[int, ...]) -> Any:
    """A tensor whose elements all differ."""
    return namespace.from_numpy(np.arange(float(np.prod(shape, dtype=int))).reshape(shape))


def attempt(action: Any) -> tuple[str, Any]:
    """What an action gives, or the class of what it raises."""
    try:
        return "gives", action()
    except Exception as error:
        return "raises", type(error).__name__


def more(count: int) -> Any:
    """`count` examples with the profile `ci`."""
    return settings(max_examples=count * settings.default.max_examples // 40)


@more(250)
@given(shape=SHAPES, items=st.lists(ITEMS, min_size=1, max_size=4))
def test_reading_agrees_with_pytorch(shape: tuple[int, ...], items: list[Any]) -> None:
    def read(namespace: Any) -> tuple[str, Any]:
        picked = attempt(lambda: numbered(namespace, shape)[as_index(namespace, items)])
        return (
            picked[0],
            picked[1] if picked[0] == "raises" else (tuple(picked[1].shape), picked[1].tolist()),
        )

    if items.count(Ellipsis) > 1:
        return  # PyTorch's second `...` goes on to count dimensions that are not there
    assert read(torch) == read(pytorch)


@more(200)
@given(
    shape=SHAPES,
    items=st.lists(ITEMS, min_size=1, max_size=3),
    value=st.one_of(st.floats(-9, 9, width=32), st.lists(st.integers(1, 3), max_size=3).map(tuple)),
)
def test_writing_agrees_with_pytorch(shape: tuple[int, ...], items: list[Any], value: Any) -> None:
    def write(namespace: Any) -> tuple[str, Any]:
        x = numbered(namespace, shape)
        source = value if isinstance(value, float) else -1 - numbered(namespace, value)
        done = attempt(lambda: x.__setitem__(as_index(namespace, items), source))
        return done if done[0] == "raises" else ("gives", x.tolist())

    if items.count(Ellipsis) > 1 or _hits_a_place_twice(shape, items):
        return
    if 0 in shape and isinstance(value, float):
        return  # of nothing, PyTorch's index_fill_ does not look where the indices lie
    assert write(torch) == write(pytorch)


def _hits_a_place_twice(shape: tuple[int, ...], items: list[Any]) -> bool:
    # Which of two values stays is not defined.
    try:
        places = numbered(pytorch, shape)[as_index(pytorch, items)].reshape(-1)
    except Exception:
        return False
    return len(places.unique()) < places.numel()


@more(80)
@given(shape=SHAPES, items=st.lists(ITEMS, min_size=1, max_size=3))
def test_what_is_a_view_shares_memory(shape: tuple[int, ...], items: list[Any]) -> None:
    def shares(namespace: Any) -> bool | None:
        x = numbered(namespace, shape)
        try:
            picked = x[as_index(namespace, items)]
        except Exception:
            return None
        if not picked.numel():
            return None
        before = x.clone()
        picked += 1
        return not bool((x == before).all())

    if items.count(Ellipsis) <= 1:
        assert shares(torch) == shares(pytorch)


@pytest.mark.parametrize(
    "program",
    [
        "x[[0, 1], [1, 2]]",
        "x[[[0, 1], [1, 2]]]",
        "x[[slice(0, 1), 0]]",
        "x[[None, 0]]",
        "x[0, :, [0, 1]]",
        "x[:, 0, [0, 1]]",
        "x[[0, 1], :, [0, 1]]",
        "x[:, [0, 1], 0]",
        "x[range(2)]",
        "x[np.array([0, 1])]",
        "x[np.int64(1)]",
        "x[np.array([True, False])]",
        "x[torch.tensor([1, 0], dtype=torch.uint8)]",
        "x[torch.tensor([1, 0], dtype=torch.int32)]",
        "x[x > 5]",
        "x[x[:, 0, 0] > 5, 0]",
        "x[torch.tensor(1):torch.tensor(2)]",
        "x[x.argmax(0), 0, 0]",
    ],
)
def test_forms_that_learners_write(program: str) -> None:
    answers = []
    for namespace in (torch, pytorch):
        x = numbered(namespace, (2, 3, 4))
        answers.append(eval(program, {"x": x, "np": np, "torch": namespace}).tolist())
    assert answers[0] == answers[1]


SEQUENCES: dict[str, Any] = {
    "vectors of one": lambda lib: (slice(None), (lib.tensor([0]), lib.tensor([1]))),
    "numbers": lambda lib: (slice(None), (lib.tensor(0), lib.tensor(1), lib.tensor(True))),
    "a list and a number": lambda lib: (slice(None), [1, lib.tensor([1])]),
    "vectors": lambda lib: (slice(None), [lib.tensor([0, 1]), lib.tensor([0, 1])]),
    "a mask": lambda lib: (slice(None), (lib.tensor([True, False]), lib.tensor([0, 1]))),
    "a fraction": lambda lib: (slice(None), (lib.tensor(1.0), 1)),
    "lists": lambda lib: ([[0, 1], [1, 0]], [1, 1]),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_tensors_in_a_sequence_in_an_index_are_numbers(name: str) -> None:
    ours, theirs = (
        attempt(lambda lib=lib: numbered(lib, (2, 3))[SEQUENCES[name](lib)].tolist())
        for lib in (torch, pytorch)
    )
    assert ours == theirs
