"""Pooling against PyTorch: values, gradients, graph nodes, sizes it accepts, and what it refuses."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minitorch_cifar

from ..same_error import error_of

LIBRARIES = (minitorch_cifar, torch)
DTYPES = ("float32", "float64")
NAMES = ("max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d")


def run(
    library: Any, name: str, x: np.ndarray, dtype: str, seed: int, arguments: dict[str, Any]
) -> list[Any]:
    """Output(s) and the gradient by the input under a random upstream gradient."""
    tensor = library.from_numpy(x.astype(dtype)).requires_grad_()
    result = getattr(library.nn.functional, name)(tensor, **arguments)
    outputs = result if isinstance(result, tuple) else (result,)
    upstream = np.random.default_rng(seed).normal(size=tuple(outputs[0].shape)).astype(dtype)
    outputs[0].backward(library.from_numpy(upstream))
    return [*(t.detach().numpy() for t in outputs), tensor.grad.numpy()]


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, tuple[int, ...], dict[str, Any]]:
    """A function, the shape of its input, and arguments in all the forms they may take."""
    name = draw(st.sampled_from(NAMES))
    batch = draw(st.sampled_from([(), (0,), (1,), (3,)]))
    shape = (*batch, draw(st.integers(1, 3)), draw(st.integers(7, 11)), draw(st.integers(7, 11)))
    if name.startswith("adaptive"):
        size = st.one_of(st.none(), st.integers(1, 12))
        arguments: dict[str, Any] = {
            "output_size": draw(st.one_of(st.integers(1, 12), st.tuples(size, size), st.just([3, 2])))
        }
    else:
        kernel = draw(st.one_of(st.integers(1, 3), st.tuples(st.integers(1, 3), st.integers(1, 3))))
        smaller = kernel if isinstance(kernel, int) else min(kernel)
        step = st.one_of(st.none(), st.integers(1, 4), st.tuples(st.integers(1, 4), st.integers(1, 4)))
        arguments = {
            "kernel_size": kernel,
            "stride": draw(st.one_of(step, st.just([]))),
            "padding": draw(st.integers(0, smaller // 2)),
            "ceil_mode": draw(st.booleans()),
        }
        if name == "max_pool2d":
            arguments["dilation"] = draw(st.integers(1, 2))
        else:
            arguments["count_include_pad"] = draw(st.booleans())
            arguments["divisor_override"] = draw(st.sampled_from([None, 2]))
    if "max" in name:
        arguments["return_indices"] = draw(st.booleans())
    return name, shape, arguments


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=calls(), seed=st.integers(0, 2**32 - 1), ties=st.booleans())
def test_matches_torch(backend: str, dtype: str, call: Any, seed: int, ties: bool) -> None:
    name, shape, arguments = call
    generator = np.random.default_rng(seed)
    x = generator.integers(0, 3, shape) if ties else generator.normal(size=shape)
    ours, theirs = (run(library, name, x, dtype, seed, arguments) for library in LIBRARIES)
    tolerance = 1e-10 if dtype == "float64" else 1e-5
    for result, expected in zip(ours, theirs, strict=True):
        assert result.dtype == expected.dtype
        assert result.shape == expected.shape
        np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("max_pool2d", {"kernel_size": (3, 2), "stride": (2, 1), "padding": 1, "ceil_mode": True}),
        ("max_pool2d", {"kernel_size": 2}),
        ("avg_pool2d", {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
        ("avg_pool2d", {"kernel_size": (1, 3), "padding": (0, 1), "count_include_pad": False}),
        ("adaptive_avg_pool2d", {"output_size": (3, 4)}),
        ("adaptive_avg_pool2d", {"output_size": 1}),
        ("adaptive_max_pool2d", {"output_size": (4, 3)}),
    ],
)
@pytest.mark.parametrize("shape", [(2, 1, 6, 5), (2, 5, 5)])
def test_gradients_agree_with_differences(
    backend: str, name: str, arguments: dict[str, Any], shape: tuple[int, ...]
) -> None:
    # Distinct values, so far apart that no difference quotient reaches over a change of the winner.
    x = np.random.default_rng(0).permutation(int(np.prod(shape))).reshape(shape).astype(np.float64)
    tensor = minitorch_cifar.from_numpy(x).requires_grad_()
    function = getattr(minitorch_cifar.nn.functional, name)
    assert minitorch_cifar.autograd.gradcheck(
        lambda t: function(t, **arguments), (tensor,), eps=1e-2, atol=1e-9, rtol=1e-9
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (3, 8, 8)])
def test_nodes_of_the_graph(name: str, size: int, shape: tuple[int, ...]) -> None:
    names = []
    for library in LIBRARIES:
        x = library.zeros(shape, requires_grad=True)
        node = getattr(library.nn.functional, name)(x, size).grad_fn
        edges = [edge[0] for edge in node.next_functions]
        names.append([n.name() for n in (node, *edges)])
    assert names[0] == [name.replace("torch::autograd::", "") for name in names[1]]


def test_indices_have_no_gradient() -> None:
    x = minitorch_cifar.zeros(1, 1, 4, 4, requires_grad=True)
    out, indices = minitorch_cifar.nn.functional.max_pool2d_with_indices(x, 2)
    assert out.requires_grad
    assert not indices.requires_grad
    assert indices.dtype is minitorch_cifar.int64


def test_non_contiguous_input_and_upstream(backend: str) -> None:
    generator = np.random.default_rng(0)
    array, upstream = generator.normal(size=(6, 8, 3, 2)), generator.normal(size=(2, 3, 6, 4))
    for name in NAMES:
        results = []
        for library in LIBRARIES:
            x = library.from_numpy(array.copy()).requires_grad_()
            view = x.permute(3, 2, 1, 0)[:, :, ::2]  # (N, C, H, W) = (2, 3, 4, 6)
            out = getattr(library.nn.functional, name)(view, (2, 3))
            height, width = out.shape[2:]
            gradient = library.from_numpy(upstream).transpose(2, 3)[:, :, :height, :width]
            out.backward(gradient, retain_graph=True)
            out.mean().backward()
            results.append((out.detach().numpy(), x.grad.numpy()))
        for ours, theirs in zip(*results, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_maxima_of_whole_numbers(backend: str, dtype: str) -> None:
    x = np.random.default_rng(0).integers(0, 99, (2, 3, 6, 6)).astype(dtype)
    ours, theirs = (
        library.nn.functional.max_pool2d(library.from_numpy(x), 2).numpy() for library in LIBRARIES
    )
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


Call = Callable[[Any, Any], Any]  # of `functional` and of a function that makes tensors of ones

SAME_WORDS: list[Call] = [
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), 6),
    lambda f, t: f.max_pool2d(t(0, 4, 5, 5), (6, 2)),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), 0),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), (2, 0), 1),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), -1),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), 2, (0, 1)),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), 2, -1),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), 2, padding=2),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), (2, 3), padding=(0, 2)),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), 2, padding=-1),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), 3, padding=2, dilation=2),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), 3, padding=(2, 0), dilation=2),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), 2, dilation=(1, 0)),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), (2, 2, 2)),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), 2, (1, 2, 3)),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), 2, padding=(1, 1, 1)),
    lambda f, t: f.max_pool2d(t(1, 0, 5, 5), 2),
    lambda f, t: f.max_pool2d(t(1, 4, 0, 5), 2),
    lambda f, t: f.max_pool2d(t(0, 5, 5), 2),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5).bool(), 2),
    lambda f, t: f.avg_pool2d(t(1, 4, 5, 5), 6),
    lambda f, t: f.avg_pool2d(t(1, 4, 5, 5), 2, 0),
    lambda f, t: f.avg_pool2d(t(1, 4, 5, 5), 2, -1),
    lambda f, t: f.avg_pool2d(t(1, 4, 5, 5), 2, padding=2),
    lambda f, t: f.avg_pool2d(t(1, 4, 5, 5), 2, padding=-1),
    lambda f, t: f.avg_pool2d(t(1, 4, 5, 5), (1, 2, 3)),
    lambda f, t: f.avg_pool2d(t(1, 4, 5, 5), 2, divisor_override=0),
    lambda f, t: f.avg_pool2d(t(1, 4, 5, 5), 2, divisor_override=2.5),
    lambda f, t: f.avg_pool2d(t(1, 4, 5, 5).int(), 2),
    lambda f, t: f.avg_pool2d(t(1, 0, 5, 5), 2),
    lambda f, t: f.adaptive_avg_pool2d(t(1, 4, 5, 5), -1),
    lambda f, t: f.adaptive_avg_pool2d(t(5, 5), 2),
    lambda f, t: f.adaptive_avg_pool2d(t(1, 1, 4, 5, 5), 2),
    lambda f, t: f.adaptive_avg_pool2d(t(5, 5), (None, 2)),
    lambda f, t: f.adaptive_avg_pool2d(t(1, 4, 5, 5).long(), 2),
    lambda f, t: f.adaptive_avg_pool2d(t(1, 4, 0, 5), 2),
    lambda f, t: f.adaptive_max_pool2d(t(1, 4, 5, 5).long(), 2),
    lambda f, t: f.adaptive_max_pool2d(t(1, 4, 5, 0), 2),
]

SAME_CLASS: list[Call] = [  # PyTorch counts positions, or says less than the engine
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), 2.0),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), (2, 2.0)),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), None),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), True),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), 2, stride=2.5),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), 2, dilation=(1, 1, 1)),
    lambda f, t: f.max_pool2d(t(1, 4, 5, 5), 2, ceil_mode=1),
    lambda f, t: f.max_pool2d(3, 2),
    lambda f, t: f.max_pool2d(t(5, 5), 2),
    lambda f, t: f.max_pool2d(t(1, 1, 4, 5, 5), 2),
    lambda f, t: f.avg_pool2d(t(5, 5), 2),
    lambda f, t: f.avg_pool2d(t(1, 1, 4, 5, 5), 2),
    lambda f, t: f.avg_pool2d(t(1, 4, 5, 5), 2, count_include_pad=2),
    lambda f, t: f.adaptive_avg_pool2d(t(1, 4, 5, 5), (1, 2, 3)),
    lambda f, t: f.adaptive_avg_pool2d(t(1, 4, 5, 5), (2,)),
    lambda f, t: f.adaptive_avg_pool2d(t(1, 4, 5, 5), None),
    lambda f, t: f.adaptive_avg_pool2d(t(1, 4, 5, 5), 2.0),
    lambda f, t: f.adaptive_avg_pool2d(t(1, 4, 5, 5), (1.5, 2)),
    lambda f, t: f.adaptive_max_pool2d(t(1, 4, 5, 5), -1),
    lambda f, t: f.adaptive_max_pool2d(t(5, 5), 2),
]


@pytest.mark.parametrize("call", SAME_WORDS)
def test_errors_in_the_words_of_torch(call: Call) -> None:
    ours, theirs = (error_of(lambda lib=lib: call(lib.nn.functional, lib.ones)) for lib in LIBRARIES)
    assert theirs is not None
    assert (type(ours), str(ours)) == (type(theirs), str(theirs))


@pytest.mark.parametrize("call", SAME_CLASS)
def test_errors_of_the_class_of_torch(call: Call) -> None:
    ours, theirs = (error_of(lambda lib=lib: call(lib.nn.functional, lib.ones)) for lib in LIBRARIES)
    assert theirs is not None
    assert type(ours) is type(theirs)
    assert str(ours)


def test_empty_output() -> None:
    ours, theirs = (
        library.nn.functional.adaptive_avg_pool2d(library.ones(1, 2, 5, 5), 0) for library in LIBRARIES
    )
    assert tuple(ours.shape) == tuple(theirs.shape) == (1, 2, 0, 0)


@pytest.mark.parametrize("size", [(2**31, 0), (0, 2**31)])
@pytest.mark.parametrize("name", ["adaptive_avg_pool2d", "adaptive_max_pool2d"])
def test_an_output_of_many_rows_of_nothing_takes_no_time(name: str, size: tuple[int, int]) -> None:
    """Guards a hang: the loops counted through the rows."""
    began = time.process_time()
    ours, theirs = (
        getattr(library.nn.functional, name)(library.ones(1, 2, 5, 5, requires_grad=True), size)
        for library in LIBRARIES
    )
    assert tuple(ours.shape) == tuple(theirs.shape) == (1, 2, *size)
    ours.sum().backward()
    assert time.process_time() - began < 5
