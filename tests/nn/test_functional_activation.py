"""Activation functions against PyTorch: values, gradients, graph, in-place forms, warnings and errors."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minitorch_cifar

from ..kernels.comparing import DTYPES, numbers
from .both import assert_same, assert_same_error
from .functional_comparison import LAYOUTS, compare, graph, run

FUNCTIONS = {
    "relu": lambda lib, x: lib.nn.functional.relu(x),
    "torch.relu": lambda lib, x: lib.relu(x),
    "leaky_relu": lambda lib, x: lib.nn.functional.leaky_relu(x, 0.2),
    "elu": lambda lib, x: lib.nn.functional.elu(x, 1.5),
    "gelu": lambda lib, x: lib.nn.functional.gelu(x),
    "gelu tanh": lambda lib, x: lib.nn.functional.gelu(x, approximate="tanh"),
    "silu": lambda lib, x: lib.nn.functional.silu(x),
    "softplus": lambda lib, x: lib.nn.functional.softplus(x, 2.0, 3.0),
    "sigmoid": lambda lib, x: lib.nn.functional.sigmoid(x),
    "torch.sigmoid": lambda lib, x: lib.sigmoid(x),
    "tanh": lambda lib, x: lib.nn.functional.tanh(x),
    "torch.tanh": lambda lib, x: lib.tanh(x),
}
IN_PLACE = {
    "relu": lambda lib, x: lib.nn.functional.relu(x, inplace=True),
    "relu_": lambda lib, x: lib.nn.functional.relu_(x),
    "leaky_relu": lambda lib, x: lib.nn.functional.leaky_relu(x, 0.2, inplace=True),
    "leaky_relu_": lambda lib, x: lib.nn.functional.leaky_relu_(x, 0.2),
    "elu": lambda lib, x: lib.nn.functional.elu(x, 1.5, inplace=True),
    "elu_": lambda lib, x: lib.nn.functional.elu_(x, 1.5),
    "silu": lambda lib, x: lib.nn.functional.silu(x, inplace=True),
    "sigmoid_": lambda lib, x: lib.sigmoid_(x) if hasattr(lib, "sigmoid_") else x.sigmoid_(),
    "tanh_": lambda lib, x: x.tanh_(),
    "Tensor.relu_": lambda lib, x: x.relu_(),
}
SHAPES = st.sampled_from([(), (1,), (0, 3), (3, 4), (2, 3, 4), (2, 1, 3, 2)])


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shape=SHAPES, dtype=st.sampled_from(DTYPES), layout=st.sampled_from(LAYOUTS), data=st.data())
def test_matches_torch(backend: str, name: str, shape, dtype, layout: str, data: st.DataObject) -> None:
    x = data.draw(numbers(shape, special=False))
    compare(FUNCTIONS[name], x, dtype=dtype, layout=layout, scale=1 + np.abs(x).max(initial=0))


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_form(backend: str, name: str) -> None:
    """Same value and gradient as PyTorch, stored in the given tensor, whose version moves on."""

    def call(lib, x):
        y = x * 1.5
        version = y._version
        result = IN_PLACE[name](lib, y)
        assert result is y
        assert y._version == version + 1
        return result

    compare(call, np.random.default_rng(0).normal(size=(3, 4)))


def test_in_place_relu_does_not_spoil_what_its_input_came_from(backend: str) -> None:
    """`exp` needs its result: overwriting it must be an error, never a wrong gradient."""
    x = minitorch_cifar.ones(3, requires_grad=True)
    loss = minitorch_cifar.relu_(x.exp()) if hasattr(minitorch_cifar, "relu_") else x.exp().relu_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.sum().backward()


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.sampled_from([(), (5,), (0, 3), (3, 0), (3, 4), (2, 3, 4), (2, 5, 3, 2)]),
    dtype=st.sampled_from(DTYPES),
    layout=st.sampled_from(LAYOUTS),
    scale=st.sampled_from([1.0, 100.0]),
    data=st.data(),
)
def test_softmax_along_any_dimension(backend: str, name: str, shape, dtype, layout, scale, data) -> None:
    x = data.draw(numbers(shape, special=False, scale=scale))
    dim = data.draw(st.integers(-max(len(shape), 1), max(len(shape), 1) - 1))
    way = data.draw(st.sampled_from(["function", "torch", "method"]))

    def call(lib, x):
        if way == "function":
            return getattr(lib.nn.functional, name)(x, dim=dim)
        return getattr(lib, name)(x, dim) if way == "torch" else getattr(x, name)(dim)

    compare(call, x, dtype=dtype, layout=layout, scale=max(1, np.abs(x).max(initial=0)))


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_result_is_contiguous(name: str) -> None:
    for lib in (minitorch_cifar, torch):
        assert getattr(lib, name)(lib.ones(2, 3, 4), 1).is_contiguous()


@pytest.mark.parametrize("ndim", range(5))
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_without_a_dimension_warns(name: str, ndim: int) -> None:
    x = np.random.default_rng(0).normal(size=(2,) * ndim)
    seen = []
    for lib in (minitorch_cifar, torch):
        with warnings.catch_warnings(record=True) as records:
            warnings.simplefilter("always")
            result = getattr(lib.nn.functional, name)(lib.from_numpy(np.array(x)))
        seen.append([(r.category, str(r.message), r.filename) for r in records])
        values = result.numpy() if lib is minitorch_cifar else values  # noqa: F821
    np.testing.assert_allclose(values, result.numpy(), rtol=1e-12)
    assert seen[0] == seen[1]
    assert len(seen[0]) == 1


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_in_another_dtype(name: str) -> None:
    x = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    ours, theirs = (
        run(
            lib,
            lambda lib, x: getattr(lib.nn.functional, name)(x, 1, dtype=lib.float64),
            [x],
            0,
            "contiguous",
        )
        for lib in (minitorch_cifar, torch)
    )
    assert ours[0].dtype == np.float64
    assert ours[1][0].dtype == np.float32
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12)
    np.testing.assert_allclose(ours[1][0], theirs[1][0], rtol=1e-6, atol=1e-6)
    assert ours[2] == theirs[2]


EDGES = {
    "relu": lambda lib: lib.relu(lib.tensor([float("nan"), -0.0, float("-inf"), float("inf")])),
    "relu of integers": lambda lib: lib.relu(lib.tensor([-1, 2])),
    "relu of bytes": lambda lib: lib.relu(lib.tensor([0, 2], dtype=lib.uint8)),
    "sigmoid of huge numbers": lambda lib: lib.sigmoid(lib.tensor([1000.0, -1000.0])),
    "sigmoid of integers": lambda lib: lib.sigmoid(lib.tensor([-1, 2])),
    "tanh of booleans": lambda lib: lib.tanh(lib.tensor([True, False])),
    "softmax with -inf": lambda lib: lib.softmax(lib.tensor([1.0, float("-inf"), 2.0]), 0),
    "softmax with inf": lambda lib: lib.softmax(lib.tensor([1.0, float("inf")]), 0),
    "softmax of only -inf": lambda lib: lib.softmax(lib.tensor([float("-inf"), float("-inf")]), 0),
    "log_softmax with -inf": lambda lib: lib.log_softmax(lib.tensor([1.0, float("-inf"), 2.0]), 0),
    "log_softmax with NaN": lambda lib: lib.log_softmax(lib.tensor([[1.0, float("nan")], [1.0, 2.0]]), 1),
    "log_softmax of large logits": lambda lib: lib.log_softmax(lib.tensor([1e4, 0.0]), 0),
    "softplus beyond its threshold": lambda lib: lib.nn.functional.softplus(lib.tensor([1000.0, -1000.0])),
    "elu far below zero": lambda lib: lib.nn.functional.elu(lib.tensor([-1000.0, 1000.0])),
    "int softmax into float": lambda lib: lib.nn.functional.softmax(lib.tensor([1, 2]), 0, dtype=lib.float32),
}


@pytest.mark.parametrize("edge", EDGES)
def test_edges(backend: str, edge: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_same(EDGES[edge])


def test_gradient_at_the_edges_of_relu(backend: str) -> None:
    """0 at the kink, 1 where the input is NaN."""
    for lib in (minitorch_cifar, torch):
        x = lib.tensor([0.0, -0.0, float("nan"), 1.0, -1.0], requires_grad=True)
        lib.relu(x).backward(lib.tensor([2.0, 3.0, 5.0, 7.0, 11.0]))
        assert x.grad.tolist() == [0, 0, 5, 7, 0]


ERRORS = {
    "relu of booleans": lambda lib: lib.nn.functional.relu(lib.tensor([True])),
    "relu in place on a leaf": lambda lib: lib.nn.functional.relu(
        lib.ones(2, requires_grad=True), inplace=True
    ),
    "leaky_relu of integers": lambda lib: lib.nn.functional.leaky_relu(lib.tensor([1])),
    "elu of integers": lambda lib: lib.nn.functional.elu(lib.tensor([1])),
    "gelu of booleans": lambda lib: lib.nn.functional.gelu(lib.tensor([True])),
    "silu of integers": lambda lib: lib.nn.functional.silu(lib.tensor([1])),
    "softplus of integers": lambda lib: lib.nn.functional.softplus(lib.tensor([1])),
    "sigmoid of a list": lambda lib: lib.nn.functional.sigmoid([1.0]),
    "sigmoid_ of integers": lambda lib: lib.tensor([1]).sigmoid_(),
    "softmax of a list": lambda lib: lib.nn.functional.softmax([1.0], 0),
    "softmax of integers": lambda lib: lib.nn.functional.softmax(lib.tensor([1, 2]), 0),
    "softmax along what is not there": lambda lib: lib.nn.functional.softmax(lib.ones(2, 3), 2),
    "log_softmax along what is not there": lambda lib: lib.nn.functional.log_softmax(lib.ones(2, 3), -3),
    "log_softmax of integers": lambda lib: lib.nn.functional.log_softmax(lib.tensor([1, 2]), 0),
}


@pytest.mark.parametrize("mistake", ERRORS)
def test_errors_are_pytorchs(mistake: str) -> None:
    assert_same_error(ERRORS[mistake])


CLASSES_OF_ERRORS = {
    "relu of a list": (TypeError, lambda f, x: f.relu([1.0])),
    "elu of nothing": (TypeError, lambda f, x: f.elu(None)),
    "gelu of an unknown kind": (RuntimeError, lambda f, x: f.gelu(x, approximate="foo")),
    "softmax along a word": (TypeError, lambda f, x: f.softmax(x, "a")),
    "softmax along a fraction": (TypeError, lambda f, x: f.softmax(x, 1.0)),
    "slope that is a word": (TypeError, lambda f, x: f.leaky_relu(x, "a")),
}


@pytest.mark.parametrize("mistake", CLASSES_OF_ERRORS)
def test_classes_of_errors_are_pytorchs(mistake: str) -> None:
    kind, call = CLASSES_OF_ERRORS[mistake]
    for lib in (minitorch_cifar, torch):
        with pytest.raises(kind):
            call(lib.nn.functional, lib.ones(2, 3))


def test_no_graph_without_gradient() -> None:
    assert graph(minitorch_cifar.relu(minitorch_cifar.ones(2)).grad_fn) is None
