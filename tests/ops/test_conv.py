"""`conv2d` against PyTorch: values, gradients, graph nodes, sizes it accepts, and what it refuses."""

from __future__ import annotations

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


def tensors(library: Any, arrays: list[np.ndarray], dtype: str, requires_grad: bool = True) -> list[Any]:
    converted = [library.from_numpy(a.astype(dtype)) for a in arrays]
    return [t.requires_grad_() for t in converted] if requires_grad else converted


def run(
    library: Any, arrays: list[np.ndarray], upstream: np.ndarray, dtype: str, **arguments: Any
) -> list[Any]:
    """Output and the gradients by all inputs, under the given upstream gradient."""
    inputs = tensors(library, arrays, dtype)
    out = library.nn.functional.conv2d(*inputs, **arguments)
    out.backward(library.from_numpy(upstream.astype(dtype)))
    return [out.detach().numpy(), *(t.grad.numpy() for t in inputs)]


@st.composite
def calls(draw: st.DrawFn) -> tuple[list[tuple[int, ...]], dict[str, Any]]:
    """Shapes of input, weight and perhaps bias, and arguments in all the forms they may take."""
    groups, kernel = draw(st.integers(1, 3)), draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    channels, outputs = groups * draw(st.integers(1, 3)), groups * draw(st.integers(1, 3))
    size = (3 * kernel[0] + draw(st.integers(0, 3)), 3 * kernel[1] + draw(st.integers(0, 3)))
    batch = draw(st.sampled_from([(), (0,), (1,), (3,)]))
    number_or_pair = st.one_of(
        st.integers(1, 3), st.tuples(st.integers(1, 3)), st.tuples(st.integers(1, 3), st.integers(1, 3))
    )
    arguments: dict[str, Any] = {"groups": groups, "dilation": draw(number_or_pair)}
    if draw(st.booleans()):
        arguments["padding"] = draw(st.sampled_from(["same", "valid"]))
    else:
        arguments["padding"] = draw(st.one_of(number_or_pair, st.just(0)))
        arguments["stride"] = draw(number_or_pair)
    shapes: list[tuple[int, ...]] = [(*batch, channels, *size), (outputs, channels // groups, *kernel)]
    if draw(st.booleans()):
        shapes.append((outputs,))
    return shapes, arguments


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=calls(), seed=st.integers(0, 2**32 - 1))
def test_matches_torch(backend: str, dtype: str, call: Any, seed: int) -> None:
    shapes, arguments = call
    generator = np.random.default_rng(seed)
    arrays = [generator.normal(size=shape) for shape in shapes]
    probe = torch.nn.functional.conv2d(*tensors(torch, arrays, dtype, False), **arguments)
    upstream = generator.normal(size=tuple(probe.shape))
    ours, theirs = (run(library, arrays, upstream, dtype, **arguments) for library in LIBRARIES)
    tolerance = 1e-10 if dtype == "float64" else 1e-4
    for result, expected in zip(ours, theirs, strict=True):
        assert result.dtype == expected.dtype
        assert result.shape == expected.shape
        np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    ("shapes", "arguments"),
    [
        (((2, 4, 4, 5), (4, 2, 3, 2), (4,)), {"stride": (2, 1), "padding": (1, 2), "groups": 2}),
        (((1, 2, 7, 7), (3, 2, 2, 3)), {"dilation": (3, 2), "stride": 3}),
        (((3, 5, 5), (3, 1, 2, 2), (3,)), {"padding": "same", "groups": 3}),
    ],
)
def test_gradients_agree_with_differences(backend: str, shapes: Any, arguments: dict[str, Any]) -> None:
    generator = np.random.default_rng(0)
    inputs = tensors(minitorch_cifar, [generator.normal(size=shape) for shape in shapes], "float64")
    # A convolution is linear in each argument: a large step costs no accuracy and rounding matters less.
    assert minitorch_cifar.autograd.gradcheck(
        lambda *t: minitorch_cifar.nn.functional.conv2d(*t, **arguments),
        inputs,
        eps=1e-2,
        atol=1e-9,
        rtol=1e-9,
    )


def test_only_the_gradients_that_are_wanted(backend: str) -> None:
    generator = np.random.default_rng(0)
    arrays = [generator.normal(size=shape) for shape in ((2, 3, 6, 6), (4, 3, 3, 3), (4,))]
    for wanted in range(3):
        results = []
        for library in LIBRARIES:
            inputs = tensors(library, arrays, "float64", requires_grad=False)
            inputs[wanted].requires_grad_()
            library.nn.functional.conv2d(*inputs).sin().sum().backward()
            assert [t.grad is not None for t in inputs] == [i == wanted for i in range(3)]
            results.append(inputs[wanted].grad.numpy())
        np.testing.assert_allclose(results[0], results[1], rtol=1e-10, atol=1e-10)


def test_nodes_of_the_graph() -> None:
    """Names as PyTorch's, a picture without batch and uneven padding included."""
    for shape, kernel, padding in (((2, 3, 8, 8), 3, 0), ((3, 8, 8), 3, 1), ((1, 3, 8, 8), 2, "same")):
        chains = []
        for library in LIBRARIES:
            x = library.zeros(shape, requires_grad=True)
            node = library.nn.functional.conv2d(
                x, library.zeros(4, 3, kernel, kernel), padding=padding
            ).grad_fn
            chain = []
            while node is not None:
                chain.append(type(node).__name__ if library is torch else node.name())
                node = node.next_functions[0][0] if node.next_functions else None
            chains.append(chain)
        assert chains[0] == chains[1]


def test_non_contiguous_input_and_upstream(backend: str) -> None:
    generator = np.random.default_rng(0)
    arrays = [generator.normal(size=(5, 6, 3, 2)), generator.normal(size=(3, 4, 2, 3))]
    upstream = generator.normal(size=(4, 4, 2, 4))
    results = []
    for library in LIBRARIES:
        x, weight = tensors(library, arrays, "float64")
        out = library.nn.functional.conv2d(x.permute(3, 2, 1, 0)[:, :, ::2], weight.transpose(0, 1))
        # (N, O, H, W) = (2, 4, 2, 3); every other element of a larger gradient arrives, and a mean's.
        out.backward(library.from_numpy(upstream)[::2, :, :, 1:], retain_graph=True)
        out.mean().backward()
        results.append([out.detach().numpy(), x.grad.numpy(), weight.grad.numpy()])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_whole_numbers(backend: str, dtype: str) -> None:
    picture = np.arange(25).reshape(1, 1, 5, 5)
    kernel = np.array([[1, 2, 1], [0, 1, 0], [2, 1, 0]]).reshape(1, 1, 3, 3)
    ours, theirs = (
        library.nn.functional.conv2d(*tensors(library, [picture, kernel], dtype, False), padding=1).numpy()
        for library in LIBRARIES
    )
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


def test_changing_a_saved_input_in_place_is_an_error() -> None:
    x = minitorch_cifar.ones(1, 1, 4, 4)
    weight = minitorch_cifar.ones(1, 1, 2, 2, requires_grad=True)
    out = minitorch_cifar.nn.functional.conv2d(x, weight)
    x.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()


def test_an_input_that_no_gradient_needs_is_not_kept() -> None:
    """With frozen weights the pictures are not saved (PyTorch saves them), so they may change in place."""
    x = minitorch_cifar.ones(1, 1, 4, 4, requires_grad=True)
    moved = x * 1
    out = minitorch_cifar.nn.functional.conv2d(moved, minitorch_cifar.ones(1, 1, 2, 2))
    moved.add_(1)
    out.sum().backward()
    assert x.grad.sum().item() == 36


def test_the_state_of_inputs_is_left_alone(backend: str) -> None:
    generator = np.random.default_rng(0)
    arrays = [generator.normal(size=shape) for shape in ((2, 3, 6, 6), (4, 3, 3, 3), (4,), (2, 4, 4, 4))]
    before = [a.copy() for a in arrays]
    run(minitorch_cifar, arrays[:3], arrays[3], "float64")
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


Call = Callable[[Any, Any], Any]  # of `functional` and of a function that makes tensors of ones

SAME_WORDS: list[Call] = [
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 3, 3, 3)),
    lambda f, t: f.conv2d(t(4, 5, 5), t(2, 3, 3, 3)),
    lambda f, t: f.conv2d(t(4, 5), t(2, 4, 3, 3)),
    lambda f, t: f.conv2d(t(1, 1, 4, 5, 5), t(2, 4, 3, 3)),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 6, 6)),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 6, 3), padding=(0, 1)),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), dilation=3),
    lambda f, t: f.conv2d(t(1, 4, 0, 5), t(2, 4, 3, 3)),
    lambda f, t: f.conv2d(t(1, 4, 0, 5), t(2, 4, 3, 3), padding=2),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), stride=0),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), stride=(1, -1)),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), padding=-1),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), dilation=0),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), groups=0),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(0, 4, 3, 3)),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 0, 3)),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), t(3)),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), t(2, 1)),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), stride=(1, 1, 1)),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), stride=()),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), padding="some"),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), padding="same", stride=2),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), t(2).double()),
    lambda f, t: f.conv2d(t(1, 4, 5, 5).double(), t(2, 4, 3, 3), t(2)),
    lambda f, t: f.conv2d(t(1, 4, 5, 5).long(), t(2, 4, 3, 3), t(2)),
]

SAME_CLASS: list[Call] = [  # PyTorch lists the signatures it knows, or says less than the engine
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(3, 2, 3, 3), groups=2),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3)),
    lambda f, t: f.conv2d(t(1, 4, 5, 5).double(), t(2, 4, 3, 3)),
    lambda f, t: f.conv2d(t(1, 4, 5, 5).bool(), t(2, 4, 3, 3).bool()),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), stride=1.0),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), stride=(1.0, 1)),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), stride="ab"),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), stride=None),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), padding=True),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), groups=1.5),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), t(2, 4, 3, 3), bias=3),
    lambda f, t: f.conv2d(t(1, 4, 5, 5), None),
    lambda f, t: f.conv2d([1.0], t(2, 4, 3, 3)),
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


def test_sizes_may_be_tensors_and_numpy_integers() -> None:
    x, weight = minitorch_cifar.ones(1, 1, 6, 6), minitorch_cifar.ones(1, 1, 2, 2)
    out = minitorch_cifar.nn.functional.conv2d(
        x, weight, stride=minitorch_cifar.tensor(2), padding=np.int64(1)
    )
    assert out.shape == (1, 1, 4, 4)


def test_no_input_channels_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="at least one input channel"):
        minitorch_cifar.nn.functional.conv2d(
            minitorch_cifar.ones(1, 0, 5, 5), minitorch_cifar.ones(2, 0, 3, 3)
        )
