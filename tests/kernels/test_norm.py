"""Batch normalisation kernels: NumPy and Numba against PyTorch, values, statistics and gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minitorch_cifar import get_num_threads, set_num_threads

from .comparing import BACKENDS, DTYPES, LAYOUTS, assert_accurate, empty_in, kernels, laid_out, numbers

CASES = {
    "shape": st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(1, 40)),
    "dtype": st.sampled_from(DTYPES),
    "affine": st.booleans(),
    "eps": st.sampled_from([1e-5, 1e-3, 0.5]),
    "offset": st.sampled_from([0.0, -3.0, 1000.0]),
    "layout": st.sampled_from(LAYOUTS),
    "data": st.data(),
}


def reference(training: bool, x, weight, bias, mean, var, eps, upstream):
    """PyTorch's y, dx, dweight, dbias and, in training, the batch's mean and variance."""
    tensors = [torch.from_numpy(a.copy()).requires_grad_() for a in (x, weight, bias)]
    running = [torch.from_numpy(a.copy()) for a in (mean, var)]
    y = torch.nn.functional.batch_norm(
        tensors[0], *running, tensors[1], tensors[2], training=training, momentum=1.0, eps=eps
    )
    y.backward(torch.from_numpy(upstream.copy()))
    return (y.detach().numpy(), *(t.grad.numpy() for t in tensors), *(r.numpy() for r in running))


@pytest.mark.parametrize("training", [True, False])
@settings(max_examples=60, deadline=None)
@given(**CASES)
def test_matches_torch(training: bool, shape, dtype, affine, eps, offset, layout, data) -> None:
    channels, count = shape[1], shape[0] * shape[2]
    if training and count == 1:
        shape = (2, *shape[1:])
        count = 2 * shape[2]
    x = (data.draw(numbers(shape, special=False)) + offset).astype(dtype)
    upstream = data.draw(numbers(shape, special=False)).astype(dtype)
    weight = (
        data.draw(numbers((channels,), special=False)).astype(dtype) if affine else np.ones(channels, dtype)
    )
    bias = (
        data.draw(numbers((channels,), special=False)).astype(dtype) if affine else np.zeros(channels, dtype)
    )
    stored_mean = data.draw(numbers((channels,), special=False)).astype(dtype) + dtype(offset)
    stored_var = (data.draw(numbers((channels,), special=False)) ** 2).astype(dtype)
    arguments = (x, weight, bias, stored_mean, stored_var)
    peer = reference(training, *arguments, eps, upstream)
    exact = reference(training, *(a.astype(np.float64) for a in arguments), eps, upstream.astype(np.float64))
    for backend in BACKENDS:
        module = kernels(backend, "norm")
        given_weight, given_bias = (weight, bias) if affine else (None, None)
        given_x, given_upstream = laid_out(x, layout), laid_out(upstream, layout)
        y, grad_x = empty_in(shape, dtype, layout), empty_in(shape, dtype, layout)
        grad_weight, grad_bias = np.full(channels, 7, dtype), np.full(channels, 7, dtype)
        if training:
            mean, var, invstd = np.empty((3, channels))
            module.batch_norm_train_forward(given_x, given_weight, given_bias, eps, y, mean, var, invstd)
            module.batch_norm_train_backward(
                given_upstream, given_x, given_weight, mean, invstd, grad_x, grad_weight, grad_bias
            )
            np.testing.assert_allclose(mean, exact[4], rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(var * count / (count - 1), exact[5], rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(invstd, 1 / np.sqrt(var + eps), rtol=1e-14)
        else:
            module.batch_norm_eval_forward(given_x, given_weight, given_bias, stored_mean, stored_var, eps, y)
            module.batch_norm_eval_backward(
                given_upstream, given_x, given_weight, stored_mean, stored_var, eps,
                grad_x, grad_weight, grad_bias,
            )  # fmt: skip
        # The largest intermediates: x · invstd · weight before the mean is taken off, and the sums.
        variance = exact[5] * (count - 1) / count if training else stored_var
        scale = np.abs(weight) / np.sqrt(variance.min() + eps)
        sums = np.abs(upstream).sum()
        assert_accurate(y, peer[0], exact[0], np.abs(x).max() * scale)
        assert_accurate(grad_x, peer[1], exact[1], sums * scale)
        assert_accurate(
            grad_weight, peer[2], exact[2], sums * np.abs(x).max() / np.sqrt(variance.min() + eps)
        )
        assert_accurate(grad_bias, peer[3], exact[3], sums)
        np.testing.assert_array_equal(given_x, x)
        np.testing.assert_array_equal(given_upstream, upstream)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_constant_channel_gives_the_bias(backend: str, dtype: type) -> None:
    """The variance of a constant is 0: only eps keeps the division defined."""
    x = np.full((4, 2, 3), 5.0, dtype)
    y = np.empty_like(x)
    mean, var, invstd = np.empty((3, 2))
    bias = np.array([1.0, -2.0], dtype)
    kernels(backend, "norm").batch_norm_train_forward(x, None, bias, 1e-5, y, mean, var, invstd)
    np.testing.assert_array_equal(var, 0)
    np.testing.assert_array_equal(y, np.broadcast_to(bias[:, None], x.shape))


@pytest.mark.parametrize("backend", BACKENDS)
def test_large_mean_loses_no_digits(backend: str) -> None:
    """The mean of squares minus the square of the mean would be wrong in the fourth digit here."""
    rng = np.random.default_rng(0)
    x = (1e6 + rng.normal(size=(8, 1, 50))).astype(np.float64)
    mean, var, invstd = np.empty((3, 1))
    kernels(backend, "norm").batch_norm_train_forward(x, None, None, 0.0, np.empty_like(x), mean, var, invstd)
    np.testing.assert_allclose(var[0], np.var(x - 1e6), rtol=1e-9)


@pytest.mark.parametrize("backend", BACKENDS)
def test_nan_and_inf_stay_in_their_channel(backend: str) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, 3, 20))
    x[1, 0, 3], x[2, 1, 5] = np.nan, np.inf
    y = np.empty_like(x)
    mean, var, invstd = np.empty((3, 3))
    kernels(backend, "norm").batch_norm_train_forward(x, None, None, 1e-5, y, mean, var, invstd)
    assert np.isnan(y[:, :2]).all()
    assert np.isfinite(y[:, 2]).all()


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(2, 40)),
    dtype=st.sampled_from(DTYPES),
    affine=st.booleans(),
    layout=st.sampled_from(LAYOUTS),
    data=st.data(),
)
def test_gradient_behind_a_pool_matches_torch(shape, dtype, affine, layout, data) -> None:
    """Cells of the pooled gradient at random positions, some of them at the same one."""
    samples, channels, positions = shape
    x = data.draw(numbers(shape, special=False)).astype(dtype)
    cells = (samples, channels, data.draw(st.integers(1, positions)))
    grad = data.draw(numbers(cells, special=False)).astype(dtype)
    indices = np.random.default_rng(data.draw(st.integers(0, 99))).integers(0, positions, size=cells)
    weight, zeros = data.draw(numbers((channels,), special=False)).astype(dtype), np.zeros(channels, dtype)
    weight = weight if affine else np.ones(channels, dtype)

    def dense(kind: type) -> np.ndarray:
        picture = torch.zeros(shape, dtype=torch.float32 if kind is np.float32 else torch.float64)
        return picture.scatter_add(2, torch.from_numpy(indices), torch.from_numpy(grad.astype(kind))).numpy()

    ones = np.ones(channels, dtype)
    peer = reference(True, x, weight, zeros, zeros, ones, 1e-5, dense(dtype))
    wide = [a.astype(np.float64) for a in (x, weight, zeros, zeros, ones)]
    exact = reference(True, *wide, 1e-5, dense(np.float64))
    for backend in BACKENDS:
        module = kernels(backend, "norm")
        mean, var, invstd = np.empty((3, channels))
        module.batch_norm_train_forward(x, weight, None, 1e-5, np.empty_like(x), mean, var, invstd)
        grad_x, grad_weight, grad_bias = (
            empty_in(shape, dtype, layout),
            np.empty_like(ones),
            np.empty_like(ones),
        )
        module.pooled_batch_norm_train_backward(
            laid_out(grad, layout), laid_out(indices, layout), laid_out(x, layout),
            weight if affine else None,
            mean, invstd, grad_x, grad_weight, grad_bias,
        )  # fmt: skip
        steepness = 1 / np.sqrt(exact[5].min() * (samples * positions - 1) / (samples * positions) + 1e-5)
        sums = np.abs(grad).sum()
        assert_accurate(grad_x, peer[1], exact[1], sums * np.abs(weight).max() * steepness)
        assert_accurate(grad_weight, peer[2], exact[2], sums * np.abs(x).max() * steepness)
        assert_accurate(grad_bias, peer[3], exact[3], sums)


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    rng = np.random.default_rng(0)
    x, upstream = rng.normal(size=(2, 16, 9, 1000)).astype(np.float32)
    module, threads, results = kernels("numba", "norm"), get_num_threads(), []
    try:
        for count in (1, 2):
            set_num_threads(count)
            y, grad_x = np.empty_like(x), np.empty_like(x)
            mean, var, invstd = np.empty((3, 9))
            by_weight, by_bias = np.empty((2, 9), np.float32)
            module.batch_norm_train_forward(x, None, None, 1e-5, y, mean, var, invstd)
            module.batch_norm_train_backward(upstream, x, None, mean, invstd, grad_x, by_weight, by_bias)
            results.append((y, mean, var, grad_x, by_weight, by_bias))
    finally:
        set_num_threads(threads)
    for one, two in zip(*results, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shape", [(5,), (1, 5)])
@given(dtype=st.sampled_from(DTYPES), layout=st.sampled_from(LAYOUTS), seed=st.integers(0, 99))
def test_averages_move_by_the_momentum(backend: str, shape: tuple[int, ...], dtype, layout, seed) -> None:
    generator = np.random.default_rng(seed)
    average, value = generator.normal(size=shape).astype(dtype), generator.normal(size=5)
    factor, momentum = generator.uniform(1, 2), generator.uniform(0, 1)
    moved = laid_out(average.copy(), layout)
    kernels(backend, "norm").move_average(moved, value, factor, momentum)
    expected = (1 - momentum) * average.astype(np.float64) + momentum * factor * value
    np.testing.assert_allclose(moved, expected.astype(dtype), rtol=1e-6 if dtype == np.float32 else 1e-14)
