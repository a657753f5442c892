"""Datasets put together and taken apart, against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils import data as theirs

import minitorch_cifar
from minitorch_cifar.utils import data as ours

from ...same_error import assert_same_error

BOTH = pytest.mark.parametrize("data", [ours, theirs], ids=["ours", "theirs"])


def squares(data, count: int):
    class Squares(data.Dataset):
        def __getitem__(self, index):
            if not 0 <= index < count:
                raise IndexError(index)
            return index**2

        def __len__(self):
            return count

    return Squares()


def stream(data, *items):
    class Stream(data.IterableDataset):
        def __iter__(self):
            return iter(items)

        def __len__(self):
            return len(items)

    return Stream()


@BOTH
def test_concatenation(data):
    both = squares(data, 3) + squares(data, 2)
    assert isinstance(both, data.ConcatDataset)
    assert [both[i] for i in range(-5, 5)] == [0, 1, 4, 0, 1] * 2
    assert (len(both), both.cumulative_sizes) == (5, [3, 5])
    with pytest.raises(ValueError, match="should not exceed dataset length"):
        both[-6]
    with pytest.raises(AssertionError, match="should not be an empty iterable"):
        data.ConcatDataset([])
    with pytest.raises(AssertionError, match="does not support IterableDataset"):
        data.ConcatDataset([stream(data, 1)])


@BOTH
def test_chain(data):
    chain = stream(data, 1, 2) + stream(data, 3)
    assert isinstance(chain, data.ChainDataset)
    assert (list(chain), len(chain)) == ([1, 2, 3], 3)
    with pytest.raises(AssertionError, match="only supports IterableDataset"):
        list(stream(data, 1) + squares(data, 1))


@BOTH
def test_subset_and_stack(data):
    subset = data.Subset(squares(data, 10), [7, 3, 3])
    assert ([subset[i] for i in range(3)], len(subset)) == ([49, 9, 9], 3)
    assert subset.__getitems__([2, 0]) == [9, 49]
    nested = data.Subset(subset, [0, 1])
    assert nested.__getitems__([1, 0]) == [9, 49]
    stack = data.StackDataset(squares(data, 3), subset)
    assert (stack[0], len(stack)) == ((0, 49), 3)
    assert data.StackDataset(a=squares(data, 3), b=subset)[1] == {"a": 1, "b": 9}
    with pytest.raises(ValueError, match="Size mismatch between datasets"):
        data.StackDataset(squares(data, 3), squares(data, 2))
    with pytest.raises(ValueError, match="At least one dataset should be passed"):
        data.StackDataset()


@BOTH
def test_a_subset_with_half_of_its_methods_is_refused(data):
    class Half(data.Subset):
        def __getitem__(self, index):
            return -self.dataset[self.indices[index]]

    with pytest.raises(NotImplementedError, match="overrides __getitem__ but not __getitems__"):
        Half(squares(data, 3), [0])


@BOTH
def test_unwritten_methods(data):
    with pytest.raises(NotImplementedError, match="__getitem__"):
        data.Dataset()[0]
    with pytest.raises(TypeError):
        len(data.Dataset())


def test_tensor_dataset():
    x, y = np.arange(12, dtype=np.float32).reshape(4, 3), np.arange(4)
    mine = ours.TensorDataset(minitorch_cifar.from_numpy(x), minitorch_cifar.from_numpy(y))
    other = theirs.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    assert len(mine) == len(other)
    for index in (0, 3, slice(1, 3)):
        assert [part.tolist() for part in mine[index]] == [part.tolist() for part in other[index]]
    with pytest.raises(AssertionError, match="Size mismatch between tensors"):
        ours.TensorDataset(minitorch_cifar.from_numpy(x), minitorch_cifar.from_numpy(y[:3]))


@pytest.mark.parametrize(
    "lengths", [[7, 3], [0.7, 0.3], [0.33, 0.33, 0.34], [1, 0, 9], [1.0], [10], [0.26, 0.26, 0.26, 0.22]]
)
def test_random_split_draws_as_pytorch(lengths):
    for seed in (0, 42):
        mine = ours.random_split(range(10), lengths, minitorch_cifar.Generator().manual_seed(seed))
        other = theirs.random_split(range(10), lengths, torch.Generator().manual_seed(seed))
        assert [part.indices for part in mine] == [part.indices for part in other]
    minitorch_cifar.manual_seed(3)
    torch.manual_seed(3)
    mine, other = ours.random_split(range(10), lengths), theirs.random_split(range(10), lengths)
    assert [list(part) for part in mine] == [list(part) for part in other]


@pytest.mark.parametrize("lengths", [[7, 4], [0.7, 0.2], [0.5, 0.6], [1.5, -0.5], []])
def test_random_split_errors_are_pytorchs(lengths):
    assert_same_error(
        lambda: ours.random_split(range(10), lengths), lambda: theirs.random_split(range(10), lengths)
    )


def test_random_split_warns_of_empty_parts():
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        ours.random_split(range(3), [0.99, 0.01])
