"""`batch_norm` and `normalize` against PyTorch: values, gradients, running averages, edges and errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minitorch_cifar

from ..kernels.comparing import DTYPES, numbers
from .both import assert_same, assert_same_error
from .functional_comparison import LAYOUTS, compare, run

SHAPES = st.sampled_from([(4, 3), (2, 1), (5, 2, 3), (1, 2, 4), (2, 3, 4, 5), (3, 2, 2, 1, 2)])


@pytest.mark.parametrize("training", [True, False])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=SHAPES,
    dtype=st.sampled_from(DTYPES),
    layout=st.sampled_from(LAYOUTS),
    affine=st.sampled_from(["both", "weight", "bias", "none"]),
    eps=st.sampled_from([1e-5, 0.1]),
    data=st.data(),
)
def test_matches_torch(backend: str, training: bool, shape, dtype, layout, affine, eps, data) -> None:
    x = data.draw(numbers(shape, special=False))
    weight, bias, mean = (data.draw(numbers((shape[1],), special=False)) for _ in range(3))
    var = mean**2 + 0.1
    moved: dict[str, list[np.ndarray]] = {}

    def call(lib, *tensors):
        x, *others = tensors
        kind = x.detach().numpy().dtype
        running = [lib.from_numpy(a.astype(kind)) for a in (mean, var)]
        result = lib.nn.functional.batch_norm(
            x,
            *running,
            others[0] if affine in ("both", "weight") else None,
            others[-1] if affine in ("both", "bias") else None,
            training=training,
            momentum=0.3,
            eps=eps,
        )
        moved.setdefault(f"{lib.__name__} {kind}", []).extend(a.numpy().copy() for a in running)
        return result

    given_tensors = {"both": [weight, bias], "weight": [weight], "bias": [bias], "none": []}[affine]
    spread = np.sqrt(x.swapaxes(0, 1).reshape(shape[1], -1).var(axis=1).min() * training + eps)
    scale = 20.0 * x.size * max(1.0, np.abs(weight).max()) / spread / min(1.0, spread)
    compare(call, x, *given_tensors, dtype=dtype, layout=layout, scale=scale)
    name = np.dtype(dtype)
    for ours, theirs in zip(moved[f"minitorch_cifar {name}"], moved[f"torch {name}"], strict=False):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12 if name == np.float64 else 3e-6, atol=1e-7)


def test_gradcheck(backend: str) -> None:
    rng = np.random.default_rng(1)
    inputs = tuple(
        minitorch_cifar.from_numpy(rng.normal(size=shape)).requires_grad_()
        for shape in ((3, 2, 4), (2,), (2,))
    )
    running = [minitorch_cifar.from_numpy(np.abs(rng.normal(size=2))) for _ in range(2)]
    for training in (True, False):
        averages = (None, None) if training else running
        assert minitorch_cifar.autograd.gradcheck(
            lambda x, w, b, averages=averages, training=training: minitorch_cifar.nn.functional.batch_norm(
                x, *averages, w, b, training=training
            ),
            inputs,
        )


def test_evaluation_gradient_is_that_of_the_averages_at_the_time(backend: str) -> None:
    """A training step between an evaluation and its backward must not change the gradient."""
    functional = minitorch_cifar.nn.functional
    x = minitorch_cifar.ones(4, 2, requires_grad=True)
    mean, var = minitorch_cifar.zeros(2), minitorch_cifar.full((2,), 4.0)
    y = functional.batch_norm(x, mean, var, eps=0.0)
    functional.batch_norm(minitorch_cifar.arange(8.0).view(4, 2), mean, var, training=True)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 0.5)


def f(library):
    return library.nn.functional


def averages(library, count: int = 3):
    return library.zeros(count), library.ones(count)


def empty_batch(lib):
    mean, var = averages(lib)
    result = f(lib).batch_norm(lib.ones(0, 3), mean, var, training=True)
    return result.shape, mean, var


EDGES = {
    "empty batch": empty_batch,
    "empty batch in evaluation": lambda m: f(m).batch_norm(m.ones(0, 3), *averages(m)),
    "no positions": lambda m: f(m).batch_norm(m.ones(2, 3, 0), *averages(m), training=True),
    "variance of 0 in evaluation": lambda m: f(m).batch_norm(m.ones(2, 3), m.zeros(3), m.zeros(3)),
    "nan": lambda m: f(m).batch_norm(m.tensor([[1.0, float("nan")], [3.0, 1.0]]), None, None, training=True),
    "normalize": lambda m: f(m).normalize(m.tensor([[3.0, 4.0], [0.0, 0.0]])),
    "normalize by columns": lambda m: f(m).normalize(m.tensor([[3.0, 4.0], [1.0, 0.0]]), p=1.0, dim=0),
}


@pytest.mark.parametrize("edge", EDGES)
def test_edges(backend: str, edge: str) -> None:
    assert_same(EDGES[edge])


def test_normalize_has_pytorchs_gradient() -> None:
    x = np.random.default_rng(0).normal(size=(3, 4))
    ours, theirs = (
        run(lib, lambda lib, x: lib.nn.functional.normalize(x), [x], 0, "contiguous")
        for lib in (minitorch_cifar, torch)
    )
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12)
    np.testing.assert_allclose(ours[1][0], theirs[1][0], rtol=1e-12, atol=1e-12)


ERRORS = {
    "one value per channel": lambda m: f(m).batch_norm(m.ones(1, 3), *averages(m), training=True),
    "one value per channel, 4-D": lambda m: f(m).batch_norm(m.ones(1, 3, 1, 1), None, None, training=True),
    "no averages": lambda m: f(m).batch_norm(m.ones(4, 3), None, None),
    "no variance": lambda m: f(m).batch_norm(m.ones(4, 3), m.zeros(3), None),
    "no variance in training": lambda m: f(m).batch_norm(m.ones(4, 3), m.zeros(3), None, training=True),
    "size of the mean": lambda m: f(m).batch_norm(m.ones(4, 3), m.zeros(4), m.ones(4)),
    "size of the variance": lambda m: f(m).batch_norm(m.ones(4, 3), m.zeros(3), m.ones(4)),
    "size of the weight": lambda m: f(m).batch_norm(m.ones(4, 3), *averages(m), m.ones(4)),
    "size of the bias": lambda m: f(m).batch_norm(m.ones(4, 3), *averages(m), None, m.ones(4)),
    "one dimension": lambda m: f(m).batch_norm(m.ones(3), *averages(m)),
    "float64 input": lambda m: f(m).batch_norm(m.ones(4, 3, dtype=m.float64), *averages(m)),
    "float64 weight": lambda m: f(m).batch_norm(m.ones(4, 3), *averages(m), m.ones(3, dtype=m.float64)),
    "integers": lambda m: f(m).batch_norm(m.ones(4, 3, dtype=m.int64), *averages(m)),
    "eps in training": lambda m: f(m).batch_norm(m.ones(4, 3), None, None, training=True, eps=0.0),
    "eps": lambda m: f(m).batch_norm(m.ones(4, 3), *averages(m), eps=-1.0),
    "momentum": lambda m: f(m).batch_norm(m.ones(4, 3), *averages(m), training=True, momentum=None),
    "mean wants a gradient": lambda m: f(m).batch_norm(
        m.ones(4, 3), m.zeros(3, requires_grad=True), m.ones(3), training=True
    ),
}


@pytest.mark.parametrize("mistake", ERRORS)
def test_errors_are_pytorchs(mistake: str) -> None:
    assert_same_error(ERRORS[mistake])


@pytest.mark.parametrize("dtype", ["int64", "float32", "bool"])
@pytest.mark.parametrize("in_inference_mode", [False, True])
def test_batches_are_counted_in_what_can_count(dtype: str, in_inference_mode: bool) -> None:
    """As `count.add_(1)` would: not in a boolean, nor in a tensor of inference mode outside of it."""
    outcomes = []
    for library in (minitorch_cifar, torch):
        layer = library.nn.BatchNorm1d(3)
        with library.inference_mode(in_inference_mode):
            layer.num_batches_tracked = library.tensor(1, dtype=getattr(library, dtype))
        try:
            layer(library.arange(6.0).view(2, 3))
        except RuntimeError as error:
            outcomes.append(type(error))
        else:
            outcomes.append((float(layer.num_batches_tracked), layer.num_batches_tracked._version))
    assert outcomes[0] == outcomes[1]


def test_terms_that_cancel_leave_less_than_half_an_ulp_in_float64() -> None:
    """With samples and gradients all alike, the gradient of each channel is zero but for rounding."""
    generator = np.random.default_rng(0)
    x, upstream = (np.tile(generator.normal(scale=scale, size=200), (5, 1)) for scale in (10, 1))
    leaf = minitorch_cifar.from_numpy(x).requires_grad_()
    y = minitorch_cifar.nn.functional.batch_norm(leaf, None, None, training=True)
    y.backward(minitorch_cifar.from_numpy(upstream))
    terms = np.abs(upstream).max() / np.sqrt(1e-5)
    assert np.abs(leaf.grad.numpy()).max() < np.spacing(terms) / 2
