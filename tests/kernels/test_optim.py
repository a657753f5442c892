"""Optimiser kernels: Numba against NumPy. PyTorch is compared through `minitorch_cifar.optim`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .comparing import DTYPES, LAYOUTS, kernels, laid_out

NUMBER = st.sampled_from
COMMON = {"weight_decay": NUMBER([0.0, 0.1]), "maximize": st.booleans()}
# name: (state arrays, of which the named ones may be absent; the other arguments)
STEPS = {
    "sgd_step": (
        ("momentum_buffer?",),
        {
            "first_step": st.booleans(),
            "lr": NUMBER([0.1, 1e-3]),
            "momentum": NUMBER([0.9, 0.5]),
            "dampening": NUMBER([0.0, 0.3]),
            "nesterov": st.booleans(),
        },
    ),
    "adam_step": (
        ("exp_avg", "exp_avg_sq", "max_exp_avg_sq?"),
        {
            "step": st.integers(1, 100),
            "lr": NUMBER([0.1, 1e-3]),
            "beta1": NUMBER([0.9, 0.3]),
            "beta2": NUMBER([0.999, 0.5]),
            "eps": NUMBER([1e-8, 1e-2]),
            "decoupled": st.booleans(),
        },
    ),
    "rmsprop_step": (
        ("square_avg", "grad_avg?", "momentum_buffer?"),
        {
            "lr": NUMBER([0.1, 1e-3]),
            "alpha": NUMBER([0.99, 0.5]),
            "eps": NUMBER([1e-8, 1e-2]),
            "momentum": NUMBER([0.9, 0.5]),
        },
    ),
    "adagrad_step": (("square_sum",), {"lr": NUMBER([0.1]), "eps": NUMBER([1e-10, 1e-2])}),
    "adadelta_step": (
        ("square_avg", "acc_delta"),
        {"lr": NUMBER([1.0, 0.1]), "rho": NUMBER([0.9, 0.5]), "eps": NUMBER([1e-6, 1e-2])},
    ),
}


@pytest.mark.parametrize("name", STEPS)
@settings(max_examples=40, deadline=None)
@given(
    shape=st.sampled_from([(), (1,), (0,), (5,), (3, 4), (2, 3, 4)]),
    dtype=st.sampled_from(DTYPES),
    param_layout=st.sampled_from(LAYOUTS),
    grad_layout=st.sampled_from(LAYOUTS),
    seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_backends_agree(name, shape, dtype, param_layout, grad_layout, seed, data) -> None:
    state_names, argument_strategies = STEPS[name]
    rng = np.random.default_rng(seed)
    param = np.asarray(rng.normal(size=shape), dtype)
    grad = np.asarray(rng.normal(size=shape), dtype)
    states = {}
    for state_name in state_names:
        absent = state_name.endswith("?") and data.draw(st.booleans())
        small = np.float64(0.01) if state_name == "grad_avg?" else 1.0  # keeps v - a² positive
        states[state_name.rstrip("?")] = None if absent else np.asarray(small * rng.random(shape), dtype)
    arguments = data.draw(st.fixed_dictionaries({**argument_strategies, **COMMON}))
    results = []
    for backend in ("numpy", "numba"):
        arrays = [laid_out(param, param_layout), laid_out(grad, grad_layout)]
        arrays += [None if s is None else laid_out(s, param_layout) for s in states.values()]
        getattr(kernels(backend, "optim"), name)(*arrays, **arguments)
        np.testing.assert_array_equal(arrays[1], grad)
        results.append(arrays)
    tolerance = 1e-13 if dtype is np.float64 else 1e-6
    for ours, specified in zip(results[1], results[0], strict=True):
        if specified is not None:
            np.testing.assert_allclose(ours, specified, rtol=tolerance, atol=tolerance)
    if param.size:
        assert not np.array_equal(results[1][0], param)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_division_by_zero_is_nan_not_an_exception(backend: str) -> None:
    """eps = 0 and no gradient yet: 0 / 0."""
    module = kernels(backend, "optim")
    param = np.ones(2)
    module.adagrad_step(param, np.zeros(2), np.zeros(2), 0.1, 0.0, 0.0, False)
    assert np.isnan(param).all()
