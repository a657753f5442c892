"""Dropout against PyTorch: the same elements after the same seed, gradients, in-place forms, and errors."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch_cifar

from ..kernels.comparing import DTYPES, numbers
from .both import assert_same, assert_same_error
from .functional_comparison import LAYOUTS, compare

FUNCTIONS = {"dropout": (0, 1, 2, 3, 4), "dropout1d": (2, 3), "dropout2d": (2, 3, 4)}


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=40)
@given(
    p=st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]),
    training=st.booleans(),
    inplace=st.booleans(),
    dtype=st.sampled_from(DTYPES),
    layout=st.sampled_from(LAYOUTS),
    seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_same_seed_drops_the_same(name: str, p, training, inplace, dtype, layout, seed, data) -> None:
    shape = data.draw(st.tuples(*[st.integers(0, 5)] * data.draw(st.sampled_from(FUNCTIONS[name]))))
    x = data.draw(numbers(shape, special=False))

    def call(lib, x):
        lib.manual_seed(seed)
        return getattr(lib.nn.functional, name)(x * 1.0, p, training, inplace)

    # Adding and taking off the batch dimension in place have node names of their own in PyTorch.
    plain = layout == "contiguous" and not (name == "dropout1d" and inplace)
    compare(call, x, dtype=dtype, layout=layout, check_graph=plain)


@pytest.mark.parametrize("name", ["dropout", "dropout2d"])
def test_the_generator_moves_as_far_as_pytorchs(name: str) -> None:
    drawn = []
    for lib in (minitorch_cifar, torch):
        lib.manual_seed(3)
        getattr(lib.nn.functional, name)(lib.ones(3, 5, 7, 2), 0.3)
        drawn.append(lib.rand(4).tolist())
    assert drawn[0] == drawn[1]


def test_channels_last_memory_drops_along_memory() -> None:
    """PyTorch fills masks along the memory of the input, not along its indices."""
    results = []
    for lib in (minitorch_cifar, torch):
        lib.manual_seed(1)
        results.append(lib.nn.functional.dropout(lib.ones(2, 3, 4, 5).permute(0, 3, 1, 2), 0.4).numpy())
    np.testing.assert_array_equal(*results)


def test_without_training_the_input_itself_comes_back() -> None:
    x = minitorch_cifar.ones(3)
    assert minitorch_cifar.nn.functional.dropout(x, 0.5, training=False) is x
    assert minitorch_cifar.nn.functional.dropout(x, 0.0) is x


def test_backward_uses_the_mask_of_forward() -> None:
    x = minitorch_cifar.ones(1000, requires_grad=True)
    y = minitorch_cifar.nn.functional.dropout(x, 0.25)
    y.backward(minitorch_cifar.full((1000,), 3.0))
    np.testing.assert_array_equal(x.grad.numpy(), 3 * y.detach().numpy())
    assert 150 < (y == 0).sum().item() < 350
    np.testing.assert_allclose(y.detach().numpy().max(), 1 / 0.75)


def f(library):
    return library.nn.functional


INF = float("inf")
EDGES = {
    "all of inf": lambda m: f(m).dropout(m.tensor([INF, 1.0, -1.0, float("nan")]), 1.0),
    "all, in place": lambda m: f(m).dropout(m.ones(3), 1.0, inplace=True),
    "integers, none": lambda m: f(m).dropout(m.tensor([1, 2]), 0.0),
    "integers, all": lambda m: f(m).dropout(m.tensor([1, 2]), 1.0),
    "inf": lambda m: f(m).dropout(m.full((8,), INF), 0.5),
}


@pytest.mark.parametrize("edge", EDGES)
def test_edges(edge: str) -> None:
    assert_same(EDGES[edge])


ERRORS = {
    "p too large": lambda m: f(m).dropout(m.ones(3), 1.5),
    "p negative": lambda m: f(m).dropout(m.ones(3), -0.1),
    "p nan": lambda m: f(m).dropout(m.ones(3), float("nan")),
    "p of channels": lambda m: f(m).dropout2d(m.ones(1, 1, 2, 2), 1.5),
    "integers": lambda m: f(m).dropout(m.tensor([1, 2])),
    "1-D dropout of pictures": lambda m: f(m).dropout1d(m.ones(1, 1, 1, 1)),
    "1-D dropout of a vector": lambda m: f(m).dropout1d(m.ones(3)),
    "2-D dropout of a number": lambda m: f(m).dropout2d(m.ones(())),
}


@pytest.mark.filterwarnings("ignore:dropout2d")
@pytest.mark.parametrize("mistake", ERRORS)
def test_errors_are_pytorchs(mistake: str) -> None:
    assert_same_error(ERRORS[mistake])


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4), (1, 2, 1, 2, 1)])
def test_dropout2d_of_other_inputs_warns(shape) -> None:
    seen = []
    for lib in (minitorch_cifar, torch):
        with warnings.catch_warnings(record=True) as records:
            warnings.simplefilter("always")
            lib.nn.functional.dropout2d(lib.ones(*shape))
        seen.append([(record.category, str(record.message), record.filename) for record in records])
    assert seen[0] == seen[1]
    assert len(seen[0]) == 1
