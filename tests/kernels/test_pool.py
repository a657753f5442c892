"""Pooling kernels: NumPy, Numba and PyTorch agree, values, winners and gradients."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from .comparing import BACKENDS, DTYPES, LAYOUTS, assert_accurate, empty_in, kernels, laid_out

Pair = tuple[int, int]
F = torch.nn.functional


class Case(NamedTuple):
    """What a pooling is asked to do."""

    shape: tuple[int, int, int, int]
    kernel: Pair
    stride: Pair
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    ceil_mode: bool = False


@st.composite
def cases(draw: st.DrawFn, dilated: bool) -> Case:
    """Overlapping windows, gaps between windows, windows that reach beyond every edge, no pictures at all."""
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    dilation = draw(st.tuples(st.integers(1, 3), st.integers(1, 3))) if dilated else (1, 1)
    padding = (draw(st.integers(0, kernel[0] // 2)), draw(st.integers(0, kernel[1] // 2)))
    # With a dilation a window may miss a narrow input altogether, where PyTorch reads beyond it.
    smallest = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    return Case(
        shape=(
            draw(st.integers(0, 3)),
            draw(st.integers(1, 3)),
            smallest[0] + draw(st.integers(0, 6)),
            smallest[1] + draw(st.integers(0, 9)),
        ),
        kernel=kernel,
        stride=draw(st.one_of(st.just(kernel), st.tuples(st.integers(1, 5), st.integers(1, 5)))),
        padding=padding,
        dilation=dilation,
        ceil_mode=draw(st.booleans()),
    )


def max_pool(
    backend: str, case: Case, x: np.ndarray, upstream: np.ndarray, layout: str, places: Any = np.int64
) -> list[np.ndarray]:
    module = kernels(backend, "pool")
    out = empty_in(upstream.shape, x.dtype, layout)
    indices = empty_in(upstream.shape, places, layout)
    grad_x = empty_in(x.shape, x.dtype, layout)
    given_x = laid_out(x, layout)
    passing = empty_in(upstream.shape, np.bool_, layout)
    parameters = case.kernel, case.stride, case.padding, case.dilation
    module.max_pool2d_forward(given_x, *parameters, out, indices, passing)
    np.testing.assert_array_equal(passing, ~(out <= 0))
    module.max_pool2d_backward(laid_out(upstream, layout), indices, grad_x)
    np.testing.assert_array_equal(given_x, x)
    return [out, indices, grad_x]


@pytest.mark.parametrize("dtype", DTYPES)
@given(
    case=cases(dilated=True),
    layout=st.sampled_from(LAYOUTS),
    seed=st.integers(0, 2**32 - 1),
    values=st.sampled_from(["distinct", "ties", "special"]),
)
@example(case=Case((2, 3, 8, 10), (2, 2), (2, 2)), layout="contiguous", seed=0, values="distinct")
@example(case=Case((2, 3, 8, 10), (2, 2), (2, 2)), layout="contiguous", seed=0, values="special")
@example(case=Case((2, 3, 8, 28), (2, 2), (2, 2)), layout="contiguous", seed=0, values="special")
@example(case=Case((1, 3, 5, 65), (2, 2), (2, 2)), layout="contiguous", seed=0, values="ties")
@example(case=Case((2, 3, 9, 7), (2, 2), (2, 2)), layout="contiguous", seed=0, values="ties")
@example(case=Case((1, 2, 3, 4), (2, 2), (2, 2), ceil_mode=True), layout="contiguous", seed=0, values="ties")
@example(case=Case((1, 1, 3, 3), (2, 2), (2, 2), ceil_mode=True), layout="strided", seed=0, values="ties")
@example(case=Case((1, 1, 5, 5), (3, 3), (2, 2), (1, 1)), layout="contiguous", seed=0, values="special")
def test_max_pool_matches_torch(dtype: Any, case: Case, layout: str, seed: int, values: str) -> None:
    """The same winners, so the same values to the last bit; at ties, at NaN and in windows of -inf too."""
    generator = np.random.default_rng(seed)
    if values == "distinct":
        x = generator.permutation(int(np.prod(case.shape))).reshape(case.shape).astype(dtype)
    elif values == "ties":
        x = generator.integers(0, 3, case.shape).astype(dtype)
    else:
        x = generator.choice(
            [np.nan, -np.inf, np.inf, -0.0, 0.0, 1.0], case.shape, p=[0.1, 0.5, 0.1, 0.1, 0.1, 0.1]
        )
        x = x.astype(dtype)
    their_x = torch.from_numpy(x.copy()).requires_grad_()
    parameters = (case.kernel, case.stride, case.padding, case.dilation, case.ceil_mode)
    their_out, their_indices = F.max_pool2d(their_x, *parameters, return_indices=True)
    upstream = generator.normal(size=tuple(their_out.shape)).astype(dtype)
    their_out.backward(torch.from_numpy(upstream.copy()))
    assert their_x.grad is not None
    for backend in BACKENDS:
        for places in (np.int64, np.int32):
            out, indices, grad_x = max_pool(backend, case, x, upstream, layout, places)
            np.testing.assert_array_equal(out, their_out.detach().numpy())
            np.testing.assert_array_equal(indices, their_indices.numpy())
            np.testing.assert_allclose(grad_x, their_x.grad.numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kernel", [2, 3])
def test_a_batch_large_enough_for_threads(kernel: int) -> None:
    generator = np.random.default_rng(0)
    x = generator.integers(0, 50, (65, 33, 32, 32)).astype(np.float32)
    their_x = torch.from_numpy(x).requires_grad_()
    their_max, their_mean = F.max_pool2d(their_x, kernel, 2), F.avg_pool2d(their_x, kernel, 2)
    upstream = generator.integers(0, 50, tuple(their_max.shape)).astype(np.float32)
    parameters = ((kernel, kernel), (2, 2), (0, 0))
    module = kernels("numba", "pool")
    out, indices, grad_x = np.empty_like(upstream), np.empty(upstream.shape, np.int32), np.empty_like(x)
    module.max_pool2d_forward(x, *parameters, (1, 1), out, indices, None)
    module.max_pool2d_backward(upstream, indices, grad_x)
    np.testing.assert_array_equal(out, their_max.detach().numpy())
    (their_grad,) = torch.autograd.grad(their_max, their_x, torch.from_numpy(upstream))
    np.testing.assert_array_equal(grad_x, their_grad.numpy())
    module.avg_pool2d_forward(x, *parameters, True, None, out)
    module.avg_pool2d_backward(upstream, *parameters, True, None, grad_x)
    np.testing.assert_allclose(out, their_mean.detach().numpy(), rtol=1e-6)
    (their_grad,) = torch.autograd.grad(their_mean, their_x, torch.from_numpy(upstream))
    np.testing.assert_allclose(grad_x, their_grad.numpy(), rtol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_largest_of_negative_zero_and_zero_is_the_first(backend: str) -> None:
    for first, second in ((-0.0, 0.0), (0.0, -0.0)):
        x = np.array([first, second]).reshape(1, 1, 1, 2)
        out, indices = np.ones((1, 1, 1, 1)), np.ones((1, 1, 1, 1), np.int64)
        kernels(backend, "pool").max_pool2d_forward(x, (1, 2), (1, 2), (0, 0), (1, 1), out, indices, None)
        assert indices.item() == 0
        assert np.signbit(out.item()) == np.signbit(first)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_window_without_input_passes_no_gradient(backend: str) -> None:
    """A window of two elements, two apart, that starts one before a single column: both miss it."""
    module = kernels(backend, "pool")
    x = np.ones((1, 1, 3, 1))
    out, indices, grad_x = np.zeros((1, 1, 3, 1)), np.zeros((1, 1, 3, 1), np.int64), np.ones_like(x)
    module.max_pool2d_forward(x, (1, 2), (1, 1), (0, 1), (1, 2), out, indices, None)
    module.max_pool2d_backward(np.ones_like(out), indices, grad_x)
    assert (out == -np.inf).all()
    assert (indices == -1).all()
    assert not grad_x.any()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8])
def test_max_pool_of_whole_numbers(backend: str, dtype: Any) -> None:
    x = np.random.default_rng(0).integers(0, 200, (2, 3, 7, 8)).astype(dtype)
    their, their_indices = F.max_pool2d(torch.from_numpy(x), 3, 2, 1, return_indices=True)
    out, indices = np.empty(their.shape, dtype), np.empty(their.shape, np.int64)
    kernels(backend, "pool").max_pool2d_forward(x, (3, 3), (2, 2), (1, 1), (1, 1), out, indices, None)
    np.testing.assert_array_equal(out, their.numpy())
    np.testing.assert_array_equal(indices, their_indices.numpy())


def gradients(function: Any, x: np.ndarray, upstream_seed: int, dtype: torch.dtype) -> tuple[np.ndarray, ...]:
    """PyTorch's output, upstream gradient and gradient by the input."""
    tensor = torch.from_numpy(x.copy()).to(dtype).requires_grad_()
    out = function(tensor)
    upstream = np.random.default_rng(upstream_seed).normal(size=tuple(out.shape)).astype(x.dtype)
    out.backward(torch.from_numpy(upstream).to(dtype))
    assert tensor.grad is not None
    return out.detach().numpy(), upstream, tensor.grad.numpy()


def assert_pool_accurate(function: Any, x: np.ndarray, layout: str, seed: int, run: Any) -> None:
    """`run(module, x, out, upstream, grad_x)` calls both kernels; both must err little."""
    peer_out, upstream, peer_grad = gradients(function, x, seed, torch.from_numpy(x).dtype)
    exact_out, _, exact_grad = gradients(function, x, seed, torch.float64)
    for backend in BACKENDS:
        out, grad_x = empty_in(upstream.shape, x.dtype, layout), empty_in(x.shape, x.dtype, layout)
        run(kernels(backend, "pool"), laid_out(x, layout), out, laid_out(upstream, layout), grad_x)
        assert_accurate(out, peer_out, exact_out, x)
        assert_accurate(grad_x, peer_grad, exact_grad, upstream)


@pytest.mark.parametrize("dtype", DTYPES)
@given(
    case=cases(dilated=False),
    include_pad=st.booleans(),
    divisor=st.sampled_from([None, 1, 3, -2]),
    layout=st.sampled_from(LAYOUTS),
    seed=st.integers(0, 2**32 - 1),
)
@example(
    case=Case((1, 1, 4, 4), (3, 3), (2, 2), (1, 1), ceil_mode=True),
    include_pad=True,
    divisor=None,
    layout="reversed",
    seed=0,
)
@example(
    case=Case((1, 1, 4, 4), (3, 3), (2, 2), (1, 1), ceil_mode=True),
    include_pad=False,
    divisor=None,
    layout="reversed",
    seed=0,
)
def test_avg_pool_matches_torch(
    dtype: Any, case: Case, include_pad: bool, divisor: int | None, layout: str, seed: int
) -> None:
    x = np.random.default_rng(seed).normal(size=case.shape).astype(dtype)
    parameters = (case.kernel, case.stride, case.padding, include_pad, divisor)

    def function(tensor: torch.Tensor) -> torch.Tensor:
        return F.avg_pool2d(
            tensor, case.kernel, case.stride, case.padding, case.ceil_mode, include_pad, divisor
        )

    def run(module: Any, given_x: Any, out: Any, upstream: Any, grad_x: Any) -> None:
        module.avg_pool2d_forward(given_x, *parameters, out)
        module.avg_pool2d_backward(upstream, *parameters, grad_x)

    assert_pool_accurate(function, x, layout, seed, run)


@pytest.mark.parametrize("backend", BACKENDS)
def test_avg_pool_of_whole_numbers_cuts_off(backend: str) -> None:
    x = np.random.default_rng(0).integers(-9, 9, (2, 3, 7, 8))
    their = F.avg_pool2d(torch.from_numpy(x), 3, 2, 1).numpy()
    out = np.empty(their.shape, np.int64)
    kernels(backend, "pool").avg_pool2d_forward(x, (3, 3), (2, 2), (1, 1), True, None, out)
    np.testing.assert_array_equal(out, their)


@pytest.mark.parametrize("dtype", DTYPES)
@given(
    shape=st.tuples(st.integers(0, 2), st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)),
    out_size=st.tuples(st.integers(1, 11), st.integers(1, 11)),
    seed=st.integers(0, 2**32 - 1),
    layout=st.sampled_from(LAYOUTS),
)
def test_adaptive_avg_pool_matches_torch(
    dtype: Any, shape: Any, out_size: Pair, seed: int, layout: str
) -> None:
    x = np.random.default_rng(seed).normal(size=shape).astype(dtype)

    def run(module: Any, given_x: Any, out: Any, upstream: Any, grad_x: Any) -> None:
        module.adaptive_avg_pool2d_forward(given_x, out)
        module.adaptive_avg_pool2d_backward(upstream, grad_x)

    assert_pool_accurate(lambda t: F.adaptive_avg_pool2d(t, out_size), x, layout, seed, run)


@pytest.mark.parametrize("dtype", DTYPES)
@given(
    shape=st.tuples(st.integers(0, 2), st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)),
    out_size=st.tuples(st.integers(1, 11), st.integers(1, 11)),
    seed=st.integers(0, 2**32 - 1),
    layout=st.sampled_from(LAYOUTS),
)
def test_adaptive_max_pool_matches_torch(
    dtype: Any, shape: Any, out_size: Pair, seed: int, layout: str
) -> None:
    x = np.random.default_rng(seed).choice([np.nan, -np.inf, 0.0, 1.0, 2.0], shape).astype(dtype)
    their, their_indices = F.adaptive_max_pool2d(torch.from_numpy(x), out_size, return_indices=True)
    for backend in BACKENDS:
        out, indices = empty_in(their.shape, dtype, layout), empty_in(their.shape, np.int64, layout)
        kernels(backend, "pool").adaptive_max_pool2d_forward(laid_out(x, layout), out, indices)
        np.testing.assert_array_equal(out, their.numpy())
        np.testing.assert_array_equal(indices, their_indices.numpy())
