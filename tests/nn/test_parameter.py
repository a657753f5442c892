"""`Parameter` and `Buffer`."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import minitorch_cifar as mt
from minitorch_cifar import nn

from .both import assert_same, assert_same_error

READINGS = {
    "repr": lambda t: t.nn.Parameter(t.tensor([1.5, -2.0])),
    "str": lambda t: str(t.nn.Parameter(t.tensor([[1.5]]))),
    "frozen": lambda t: t.nn.Parameter(t.ones(2), requires_grad=False),
    "integers, frozen": lambda t: t.nn.Parameter(t.tensor([1, 2]), requires_grad=False),
    "empty": lambda t: t.nn.Parameter(),
    "result of an operation": lambda t: type(t.nn.Parameter(t.ones(2)) * 2).__name__,
    "detached": lambda t: t.nn.Parameter(t.ones(2)).detach(),
    "data": lambda t: t.nn.Parameter(t.ones(2)).data,
    "from a result": lambda t: t.nn.Parameter(t.ones(2, requires_grad=True) * 2),
    "is leaf": lambda t: t.nn.Parameter(t.ones(2, requires_grad=True) * 2).is_leaf,
    "deep copy": lambda t: copy.deepcopy(t.nn.Parameter(t.tensor([1.5]), requires_grad=False)),
    "pickled": lambda t: pickle.loads(pickle.dumps(t.nn.Parameter(t.tensor([1.5])))),
    "gradient": lambda t: _gradient(t),
    "buffer": lambda t: (t.nn.Buffer(t.ones(2)), t.nn.Buffer(t.ones(2), persistent=False).persistent),
}


def _gradient(t: Any) -> Any:
    weight = t.nn.Parameter(t.tensor([2.0, 3.0]))
    (weight * t.tensor([5.0, 7.0])).sum().backward()
    return weight.grad


@pytest.mark.parametrize("reading", READINGS)
def test_a_parameter_reads_as_in_pytorch(reading: str) -> None:
    assert_same(READINGS[reading])


def test_integers_cannot_be_learned() -> None:
    assert_same_error(lambda t: t.nn.Parameter(t.tensor([1, 2])))


def test_a_parameter_shares_memory_with_its_data() -> None:
    values = mt.zeros(2)
    weight = nn.Parameter(values)
    values.add_(1)
    assert weight.tolist() == [1, 1]


def test_changing_the_data_in_place_is_noticed_by_backward() -> None:
    """Guards a parameter with a version counter of its own."""
    values = mt.ones(2)
    weight = nn.Parameter(values)
    result = (weight * weight).sum()
    values.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        result.backward()


def test_a_copy_is_its_own() -> None:
    weight = nn.Parameter(mt.ones(2))
    twin = copy.deepcopy(weight)
    twin.data.zero_()
    np.testing.assert_array_equal(weight.detach().numpy(), [1, 1])
    assert isinstance(twin, nn.Parameter)


@pytest.mark.parametrize("value", [3, [1.0], np.ones(2)])
def test_only_tensors_become_parameters(value: Any) -> None:
    with pytest.raises(TypeError, match="must be Tensor"):
        nn.Parameter(value)
    with pytest.raises(TypeError, match="must be Tensor"):
        nn.Buffer(value)
