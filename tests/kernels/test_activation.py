"""Activation kernels: NumPy and Numba against PyTorch, values and gradients, in all layouts and at edges."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from minitorch_cifar.kernels.numba_kernels.flat import elementwise

from .comparing import BACKENDS, DTYPES, LAYOUTS, assert_accurate, empty_in, kernels, laid_out, numbers

# name: (PyTorch's function, parameters in the kernels' order, does backward take the result?)
ELEMENTWISE = {
    "relu": (F.relu, (), True),
    "leaky_relu": (F.leaky_relu, ("slope",), False),
    "elu": (F.elu, ("alpha",), False),
    "gelu": (F.gelu, (), False),
    "gelu_tanh": (lambda x: F.gelu(x, approximate="tanh"), (), False),
    "sigmoid": (torch.sigmoid, (), True),
    "silu": (F.silu, (), False),
    "softplus": (F.softplus, ("beta", "threshold"), False),
    "tanh": (torch.tanh, (), True),
}
PARAMETERS = {
    "slope": st.sampled_from([0.01, 0.0, 0.3, -0.5]),
    "alpha": st.sampled_from([1.0, 0.2, 3.0]),
    "beta": st.sampled_from([1.0, 0.5, 4.0]),
    "threshold": st.sampled_from([20.0, 1.0]),
}
SHAPES = st.sampled_from([(), (1,), (7,), (0, 3), (3, 4), (2, 3, 4), (2, 1, 3, 2), (40, 33)])


def reference(function, x: np.ndarray, upstream: np.ndarray, *parameters: float):
    tensor = torch.from_numpy(x.copy()).requires_grad_()
    y = function(tensor, *parameters)
    y.backward(torch.from_numpy(upstream.copy()))
    return y.detach().numpy(), tensor.grad.numpy()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_relu_of_so_many_elements_that_threads_share_them(layout: str) -> None:
    shape = (3, 7, 129, 130)
    generator = np.random.default_rng(0)
    x = generator.normal(size=shape).astype(np.float32)
    x[generator.random(shape) < 0.1] = 0
    x[generator.random(shape) < 0.1] = -0.0
    x[generator.random(shape) < 0.1] = np.nan
    upstream = generator.normal(size=shape).astype(np.float32)
    module = kernels("numba", "activation")
    assert x.size > module._ENOUGH
    peer_y, peer_grad = reference(F.relu, x, upstream)
    y, grad = empty_in(shape, np.float32, layout), empty_in(shape, np.float32, layout)
    module.relu_forward(laid_out(x, layout), y)
    module.relu_backward(laid_out(upstream, layout), laid_out(peer_y, layout), grad)
    np.testing.assert_array_equal(y, peer_y)
    np.testing.assert_array_equal(grad, peer_grad)


@pytest.mark.parametrize("name", ELEMENTWISE)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_elementwise_matches_torch(name: str, data: st.DataObject) -> None:
    function, parameter_names, by_result = ELEMENTWISE[name]
    shape = data.draw(SHAPES)
    dtype = data.draw(st.sampled_from(DTYPES))
    parameters = [data.draw(PARAMETERS[parameter]) for parameter in parameter_names]
    x = data.draw(numbers(shape)).astype(dtype)
    if name == "elu":  # at NaN, PyTorch's gradient depends on where in the array the element stands
        x[np.isnan(x)] = -1.5
    if name == "gelu":  # and at inf, PyTorch's float32 gelu gives NaN or inf
        x[np.isinf(x)] = 40
    upstream = data.draw(numbers(shape, special=False)).astype(dtype)
    layout_in, layout_out = data.draw(st.sampled_from(LAYOUTS)), data.draw(st.sampled_from(LAYOUTS))
    peer_y, peer_grad = reference(function, x, upstream, *parameters)
    wide = x.astype(np.float64), upstream.astype(np.float64)
    exact_y, exact_grad = reference(function, *wide, *parameters)
    for backend in BACKENDS:
        module = kernels(backend, "activation")
        y, grad = empty_in(shape, dtype, layout_out), empty_in(shape, dtype, layout_out)
        given_x, given_upstream = laid_out(x, layout_in), laid_out(upstream, layout_in)
        getattr(module, f"{name}_forward")(given_x, *parameters, y)
        assert_accurate(y, peer_y, exact_y, x)
        source = laid_out(peer_y, layout_in) if by_result else given_x
        getattr(module, f"{name}_backward")(given_upstream, source, *parameters, grad)
        largest = np.abs(upstream).max(initial=0) * (1 + np.abs(x[np.isfinite(x)]).max(initial=0))
        assert_accurate(grad, peer_grad, exact_grad, largest)
        np.testing.assert_array_equal(given_x, x)
        np.testing.assert_array_equal(given_upstream, upstream)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_relu_keeps_nan_and_the_sign_of_zero(backend: str, dtype: type) -> None:
    module = kernels(backend, "activation")
    x = np.array([np.nan, -0.0, 0.0, -1.0, 2.0, -np.inf, np.inf] * 9, dtype)
    y, grad = np.empty_like(x), np.empty_like(x)
    module.relu_forward(x, y)
    expected = torch.relu(torch.from_numpy(x)).numpy()
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(np.signbit(y), np.signbit(expected))
    module.relu_backward(np.full_like(x, 5.0), y, grad)
    np.testing.assert_array_equal(grad[:7], [5, 0, 0, 0, 5, 0, 5])


@pytest.mark.parametrize("backend", BACKENDS)
def test_relu_backward_does_not_multiply_what_it_drops(backend: str) -> None:
    """0 · inf would be NaN: the gradient of a unit that is off is 0 whatever arrives."""
    grad = np.empty(2)
    kernels(backend, "activation").relu_backward(np.array([np.inf, np.nan]), np.zeros(2), grad)
    np.testing.assert_array_equal(grad, [0, 0])


def test_channels_last_arrays_are_not_copied() -> None:
    """They are dense, only in another order of axes: the loop runs over their own memory."""
    seen = []

    def loop(x: np.ndarray, out: np.ndarray) -> None:
        seen.extend([x, out])
        out[:] = x + 1

    x = np.arange(120.0).reshape(2, 3, 4, 5).transpose(0, 3, 1, 2)
    out = np.empty_like(x)
    elementwise(loop)(x, out)
    np.testing.assert_array_equal(out, x + 1)
    assert np.shares_memory(seen[0], x)
    assert np.shares_memory(seen[1], out)


@pytest.mark.parametrize("backend", BACKENDS)
def test_elu_of_nan_is_nan_and_so_is_its_gradient(backend: str) -> None:
    module = kernels(backend, "activation")
    x, y, grad = np.full(3, np.nan), np.empty(3), np.empty(3)
    module.elu_forward(x, 1.0, y)
    module.elu_backward(np.ones(3), x, 1.0, grad)
    assert np.isnan(y).all()
    assert np.isnan(grad).all()


ROWS = {
    "softmax": lambda x: torch.softmax(x, 1),
    "log_softmax": lambda x: torch.log_softmax(x, 1),
}


@pytest.mark.parametrize("name", ROWS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_rows_match_torch(name: str, data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(0, 6), st.integers(0, 70)))
    dtype = data.draw(st.sampled_from(DTYPES))
    scale = data.draw(st.sampled_from([1.0, 30.0, 1e4]))
    x = data.draw(numbers(shape, scale=scale)).astype(dtype)
    upstream = data.draw(numbers(shape, special=False)).astype(dtype)
    layout_in, layout_out = data.draw(st.sampled_from(LAYOUTS)), data.draw(st.sampled_from(LAYOUTS))
    peer_y, peer_grad = reference(ROWS[name], x, upstream)
    exact_y, exact_grad = reference(ROWS[name], x.astype(np.float64), upstream.astype(np.float64))
    for backend in BACKENDS:
        module = kernels(backend, "activation")
        y, grad = empty_in(shape, dtype, layout_out), empty_in(shape, dtype, layout_out)
        given_upstream = laid_out(upstream, layout_in)
        getattr(module, f"{name}_forward")(laid_out(x, layout_in), y)
        assert_accurate(y, peer_y, exact_y, x)
        getattr(module, f"{name}_backward")(given_upstream, laid_out(peer_y, layout_in), grad)
        assert_accurate(grad, peer_grad, exact_grad, np.abs(upstream).sum(axis=1))
        np.testing.assert_array_equal(given_upstream, upstream)


@pytest.mark.parametrize("backend", BACKENDS)
def test_log_softmax_of_large_logits_is_exact(backend: str) -> None:
    x = np.array([[1e4, 0.0, 9999.0], [-1e4, -1e4, -1e4]], np.float32)
    y = np.empty_like(x)
    kernels(backend, "activation").log_softmax_forward(x, y)
    np.testing.assert_array_max_ulp(y, torch.log_softmax(torch.from_numpy(x), 1).numpy(), 1)
