"""Batch normalisation kernels: NumPy and Numba against PyTorch, values, statistics and gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

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
