"""Kernels for gradients behind a max pool: both backends agree with PyTorch's pool and convolution."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from minitorch_cifar import get_num_threads, set_num_threads

from .comparing import BACKENDS, DTYPES, LAYOUTS, assert_accurate, empty_in, kernels, laid_out

Pair = tuple[int, int]


class Case(NamedTuple):
    """A convolution followed by a max pool."""

    images: int
    channels: int
    outputs: int
    size: Pair
    kernel: Pair
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1
    window: int = 2
    step: int = 2

    @property
    def parameters(self) -> tuple[Pair, Pair, Pair, int]:
        return self.stride, self.padding, self.dilation, self.groups


@st.composite
def cases(draw: st.DrawFn) -> Case:
    groups = draw(st.sampled_from((1, 1, 1, 2)))
    # Few kernels and channels: for each number of rows and vectors the loops are compiled anew.
    kernel = draw(st.sampled_from(((1, 1), (3, 3), (5, 2))))
    return Case(
        images=draw(st.integers(1, 9)),
        channels=groups * draw(st.sampled_from((1, 3, 8, 17))),
        outputs=groups * draw(st.integers(1, 10)),
        size=draw(st.tuples(st.integers(14, 18), st.integers(14, 20))),
        kernel=kernel,
        stride=draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        padding=draw(st.tuples(st.integers(0, 3), st.integers(0, 3))),
        dilation=draw(st.sampled_from(((1, 1), (1, 1), (2, 1)))),
        groups=groups,
        window=draw(st.integers(1, 3)),
        step=draw(st.integers(1, 3)),
    )


class Values(NamedTuple):
    x: np.ndarray
    weight: np.ndarray
    upstream: np.ndarray
    indices: np.ndarray
    out_size: Pair


def draw_values(case: Case, dtype: Any, seed: int) -> Values:
    """Input, weights, and a gradient by the pooled picture of which half the elements are zero."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(case.images, case.channels, *case.size)).astype(dtype)
    weight = generator.normal(size=(case.outputs, case.channels // case.groups, *case.kernel)).astype(dtype)
    stride, padding, dilation, groups = case.parameters
    y = torch.nn.functional.conv2d(
        torch.from_numpy(x), torch.from_numpy(weight), None, stride, padding, dilation, groups
    )
    pooled, indices = torch.nn.functional.max_pool2d(y, case.window, case.step, return_indices=True)
    upstream = generator.normal(size=pooled.shape).astype(dtype)
    upstream[generator.random(pooled.shape) < 0.5] = 0
    return Values(x, weight, upstream, indices.numpy(), (y.shape[2], y.shape[3]))


def ours(backend: str, case: Case, values: Values, layout: str = "contiguous") -> list[np.ndarray]:
    module = kernels(backend, "pooled")
    x, weight, upstream, indices = (laid_out(a, layout) for a in values[:4])
    by_weight, by_x = (empty_in(a.shape, a.dtype, layout) for a in (weight, x))
    module.pooled_conv2d_grad_weight(upstream, indices, values.out_size, x, *case.parameters, by_weight)
    module.pooled_conv2d_grad_input(upstream, indices, values.out_size, weight, *case.parameters, by_x)
    for array, before in zip((x, weight, upstream, indices), values[:4], strict=True):
        np.testing.assert_array_equal(array, before)  # inputs are only read
    return [by_weight, by_x]


def theirs(case: Case, values: Values, dtype: torch.dtype) -> list[np.ndarray]:
    x, weight = (torch.from_numpy(a).to(dtype).requires_grad_() for a in values[:2])
    stride, padding, dilation, groups = case.parameters
    y = torch.nn.functional.conv2d(x, weight, None, stride, padding, dilation, groups)
    upstream, indices = torch.from_numpy(values.upstream).to(dtype), torch.from_numpy(values.indices)
    y.flatten(2).gather(2, indices.flatten(2)).backward(upstream.flatten(2))
    return [weight.grad.numpy(), x.grad.numpy()]


@pytest.mark.parametrize("dtype", DTYPES)
@given(case=cases(), layout=st.sampled_from(LAYOUTS), seed=st.integers(0, 2**32 - 1))
@example(case=Case(4, 3, 6, (32, 32), (5, 5)), layout="contiguous", seed=0)
@example(case=Case(9, 32, 17, (16, 16), (5, 5), padding=(2, 2)), layout="contiguous", seed=1)
@example(case=Case(2, 33, 5, (8, 9), (3, 3), padding=(1, 1)), layout="contiguous", seed=2)
@example(case=Case(2, 2, 3, (20, 20), (13, 3)), layout="contiguous", seed=3)
@example(case=Case(3, 4, 3, (12, 12), (3, 3), window=3, step=1), layout="transposed", seed=4)
def test_matches_torch(dtype: Any, case: Case, layout: str, seed: int) -> None:
    values = draw_values(case, dtype, seed)
    peer = theirs(case, values, torch.float32 if dtype is np.float32 else torch.float64)
    exact = theirs(case, values, torch.float64)
    for backend in BACKENDS:
        for result, their, true in zip(ours(backend, case, values, layout), peer, exact, strict=True):
            assert_accurate(result, their, true)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("name", ["x", "weight", "upstream"])
def test_what_is_not_finite_comes_out_as_from_the_dense_kernels(name: str, value: float) -> None:
    case = Case(2, 3, 4, (12, 12), (3, 3), padding=(1, 1))
    values = draw_values(case, np.float32, 0)
    getattr(values, name).reshape(-1)[5] = value
    for result, expected in zip(ours("numba", case, values), ours("numpy", case, values), strict=True):
        np.testing.assert_array_equal(np.isnan(result), np.isnan(expected))
        np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    case = Case(13, 32, 19, (16, 16), (5, 5), padding=(2, 2))
    values = draw_values(case, np.float32, 0)
    threads, results = get_num_threads(), []
    try:
        for count in (1, 2):
            set_num_threads(count)
            results.append(ours("numba", case, values))
    finally:
        set_num_threads(threads)
    for one, two in zip(*results, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("backend", BACKENDS)
@given(shape=st.tuples(*[st.integers(0, 4)] * 4), layout=st.sampled_from(LAYOUTS), seed=st.integers(0, 99))
def test_relu_looks_at_the_winners_alone(
    backend: str, shape: tuple[int, ...], layout: str, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    y = np.where(generator.random((*shape[:2], 5, 6)) < 0.3, 0, generator.normal(size=(*shape[:2], 5, 6)))
    y[generator.random(y.shape) < 0.1] = np.nan
    grad, indices = generator.normal(size=shape), generator.integers(0, 30, size=shape)
    grad_x = empty_in(shape, y.dtype, layout)
    kernels(backend, "pooled").pooled_relu_backward(
        laid_out(grad, layout), laid_out(indices, layout), laid_out(y, layout), grad_x
    )
    at_winners = torch.from_numpy(y).flatten(2).gather(2, torch.from_numpy(indices).flatten(2)).reshape(shape)
    expected = torch.where(at_winners <= 0, 0.0, torch.from_numpy(grad))
    np.testing.assert_array_equal(grad_x, expected.numpy())
