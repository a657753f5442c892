"""Collating samples, against PyTorch on the same structures."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, namedtuple
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate as their_collate
from torch.utils.data import default_convert as their_convert

import minitorch_cifar
from minitorch_cifar.utils.data import default_collate, default_convert

Point = namedtuple("Point", "x y")
ARRAY = np.arange(6, dtype=np.float32).reshape(2, 3)


def plain(value: Any) -> Any:
    """A structure with its tensors as (dtype, nested list) and its containers with their types."""
    if isinstance(value, (torch.Tensor, minitorch_cifar.Tensor)):
        return ("tensor", str(value.dtype), tuple(value.shape), value.tolist())
    if isinstance(value, dict):
        return type(value), {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value), [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return "array", value.tolist()
    return type(value), value


def samples(library: Any) -> list[list[Any]]:
    """Batches of samples, each for `default_collate`."""
    tensor = library.tensor
    return [
        [tensor([1.0, 2.0]), tensor([3.0, 4.0])],
        [(tensor([1, 2]), 3), (tensor([3, 4]), 5)],
        [ARRAY, ARRAY + 1],
        [np.float64(1), np.float64(2)],
        [np.int32(1), np.int32(2)],
        [1, 2, 3],
        [1.5, 2.5],
        [True, False],
        ["a", "b"],
        [b"a", b"b"],
        [{"x": 1, "y": "u"}, {"x": 2, "y": "v"}],
        [OrderedDict(b=1, a=2.0), OrderedDict(b=3, a=4.0)],
        [defaultdict(int, x=1), defaultdict(int, x=2)],
        [Point(1, 2.0), Point(3, 4.0)],
        [[1, 2], [3, 4]],
        [(1, (2.0, {"k": ARRAY})), (3, (4.0, {"k": ARRAY}))],
        [tensor(1.0), tensor(2.0)],
        [tensor([[True]])],
        [()],
    ]


@pytest.mark.parametrize("number", range(len(samples(torch))))
def test_collate_is_pytorchs(number):
    assert plain(default_collate(samples(minitorch_cifar)[number])) == plain(
        their_collate(samples(torch)[number])
    )


@pytest.mark.parametrize("number", range(len(samples(torch))))
def test_convert_is_pytorchs(number):
    for mine, other in zip(samples(minitorch_cifar)[number], samples(torch)[number], strict=True):
        assert plain(default_convert(mine)) == plain(their_convert(other))


@pytest.mark.parametrize(
    "batch", [[object()], [None], [np.array(["a"])], [[1, 2], [3]], [range(2)], [{1}], [(1,), (2, 3)]]
)
def test_collate_errors_are_pytorchs(batch):
    try:
        expected: Any = plain(their_collate(batch))
    except Exception as error:
        expected = error
    if isinstance(expected, Exception):
        with pytest.raises(type(expected)) as found:
            default_collate(batch)
        assert str(found.value) == str(expected)
    else:
        assert plain(default_collate(batch)) == expected


def test_tensors_of_different_shapes():
    with pytest.raises(RuntimeError, match="equal size"):
        default_collate([minitorch_cifar.ones(2), minitorch_cifar.ones(3)])


def test_gradients_flow_through_a_batch():
    leaf = minitorch_cifar.ones(2, requires_grad=True)
    batch = default_collate([leaf * 2, leaf * 3])
    upstream = minitorch_cifar.tensor([[1.0, 10.0], [100.0, 1000.0]])
    batch.backward(upstream)
    assert leaf.grad.tolist() == [302.0, 3020.0]
