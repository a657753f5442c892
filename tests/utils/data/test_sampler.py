"""Samplers give PyTorch's order for the same seed, and leave the generator where PyTorch leaves it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils import data as theirs

import minitorch_cifar
from minitorch_cifar.utils import data as ours

from ...same_error import assert_same_error


def orders(make, seed: int, own_generator: bool, epochs: int = 2):
    """Orders of a few epochs with each library, and what is drawn after them: where the generator stands."""
    results = []
    for library, data in ((minitorch_cifar, ours), (torch, theirs)):
        library.manual_seed(seed)
        options = {"generator": library.Generator().manual_seed(seed + 1)} if own_generator else {}
        sampler = make(data, options)
        result = [list(sampler) for _ in range(epochs)]
        generator = options.get("generator")
        result.append(library.randint(0, 2**31, (3,), generator=generator).tolist())
        result.append(library.randint(0, 2**31, (3,)).tolist())
        results.append((result, len(sampler)))
    return results


SEEDS = st.integers(0, 2**40)


@given(SEEDS, st.booleans(), st.integers(1, 50), st.booleans(), st.none() | st.integers(1, 120))
def test_random_sampler(seed, own_generator, count, replacement, num_samples):
    mine, other = orders(
        lambda data, options: data.RandomSampler(range(count), replacement, num_samples, **options),
        seed,
        own_generator,
    )
    assert mine == other


@given(SEEDS, st.booleans(), st.lists(st.integers(), min_size=1, max_size=30))
def test_subset_random_sampler(seed, own_generator, indices):
    mine, other = orders(
        lambda data, options: data.SubsetRandomSampler(indices, **options), seed, own_generator
    )
    assert mine == other


@given(SEEDS, st.lists(st.floats(0.1, 5), min_size=5, max_size=20), st.integers(1, 40))
def test_weighted_random_sampler_with_replacement(seed, weights, count):
    mine, other = orders(
        lambda data, options: data.WeightedRandomSampler(weights, count, True, **options), seed, True
    )
    assert mine == other


@given(SEEDS, st.lists(st.floats(0.1, 5), min_size=5, max_size=20), st.integers(1, 5))
def test_weighted_random_sampler_without_replacement(seed, weights, count):
    mine, other = orders(
        lambda data, options: data.WeightedRandomSampler(weights, count, False, **options), seed, True
    )
    assert mine == other


@given(st.integers(0, 30), st.integers(1, 8), st.booleans())
def test_batch_sampler(count, size, drop_last):
    results = []
    for data in (ours, theirs):
        sampler = data.BatchSampler(data.SequentialSampler(range(count)), size, drop_last)
        results.append((list(sampler), len(sampler)))
    assert results[0] == results[1]


@pytest.mark.parametrize(
    "make",
    [
        lambda data: data.RandomSampler([]),
        lambda data: data.RandomSampler([1], replacement=1),
        lambda data: data.RandomSampler([1], num_samples=0),
        lambda data: data.RandomSampler([1], num_samples=1.5),
        lambda data: data.BatchSampler([1], 0, False),
        lambda data: data.BatchSampler([1], True, False),
        lambda data: data.BatchSampler([1], 2, 1),
        lambda data: data.WeightedRandomSampler([1.0], 0),
        lambda data: data.WeightedRandomSampler([1.0], True),
        lambda data: data.WeightedRandomSampler([1.0], 1, 1),
        lambda data: data.WeightedRandomSampler([[1.0], [2.0]], 1),
    ],
)
def test_errors_are_pytorchs(make):
    assert_same_error(lambda: make(ours), lambda: make(theirs))


def test_random_sampler_follows_a_dataset_that_grows():
    items = [1, 2]
    sampler = ours.RandomSampler(items)
    items.append(3)
    assert len(sampler) == 3
    assert sorted(sampler) == [0, 1, 2]


def test_the_module_sampler_is_there():
    assert ours.sampler.SubsetRandomSampler is ours.SubsetRandomSampler
