"""The linear layer's kernels against PyTorch, over sizes (0 included) and layouts."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from minitorch_cifar import get_num_threads, set_num_threads
from minitorch_cifar.kernels.numba_kernels import product
from minitorch_cifar.kernels.numba_kernels.runtime import NEVER

from .comparing import BACKENDS, DTYPES, LAYOUTS, assert_accurate, empty_in, kernels, laid_out, numbers

SIZE = st.integers(0, 20)


@settings(max_examples=50, deadline=None)
@given(
    rows=SIZE,
    features=SIZE,
    outputs=SIZE,
    bias=st.booleans(),
    dtype=st.sampled_from(DTYPES),
    layout=st.sampled_from(LAYOUTS),
    data=st.data(),
)
def test_matches_torch(rows, features, outputs, bias, dtype, layout, data) -> None:
    x = data.draw(numbers((rows, features), special=False)).astype(dtype)
    weight = data.draw(numbers((outputs, features), special=False)).astype(dtype)
    b = data.draw(numbers((outputs,), special=False)).astype(dtype)
    upstream = data.draw(numbers((rows, outputs), special=False)).astype(dtype)

    def reference(kind):
        tensors = [torch.from_numpy(a.astype(kind)).requires_grad_() for a in (x, weight, b)]
        y = torch.nn.functional.linear(tensors[0], tensors[1], tensors[2] if bias else None)
        y.backward(torch.from_numpy(upstream.astype(kind)))
        return y.detach().numpy(), tensors[0].grad.numpy(), tensors[1].grad.numpy()

    peer, exact = reference(dtype), reference(np.float64)
    for backend in BACKENDS:
        module = kernels(backend, "linear")
        given_x, given_weight, given_upstream = (laid_out(a, layout) for a in (x, weight, upstream))
        y, grad_x = empty_in((rows, outputs), dtype, layout), empty_in(x.shape, dtype, layout)
        grad_weight, grad_bias = empty_in(weight.shape, dtype, layout), np.full(outputs, 7, dtype)
        module.linear_forward(given_x, given_weight, b if bias else None, y)
        module.linear_grad_input(given_upstream, given_weight, grad_x)
        module.linear_grad_weight(given_upstream, given_x, grad_weight)
        module.linear_grad_bias(given_upstream, grad_bias)
        largest = [np.abs(a).max(initial=0.0) for a in (x, weight, upstream)]
        assert_accurate(y, peer[0], exact[0], largest[0] * largest[1])
        assert_accurate(grad_x, peer[1], exact[1], largest[2] * largest[1])
        assert_accurate(grad_weight, peer[2], exact[2], largest[2] * largest[0])
        np.testing.assert_allclose(grad_bias, upstream.astype(np.float64).sum(axis=0), rtol=3e-7, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(9, 30),
    features=st.integers(1, 150),
    outputs=st.integers(1, 70),
    bias=st.booleans(),
    dtype=st.sampled_from(DTYPES),
    layout=st.sampled_from(LAYOUTS),
    seed=st.integers(0, 99),
)
@example(rows=16, features=128, outputs=64, bias=True, dtype=np.float32, layout="contiguous", seed=0)
@example(rows=17, features=257, outputs=33, bias=True, dtype=np.float32, layout="contiguous", seed=0)
def test_large_products_match_torch(rows, features, outputs, bias, dtype, layout, seed) -> None:
    """What goes to the tiles, as if these sizes were large."""
    generator = np.random.default_rng(seed)
    x, weight, b, upstream = (
        generator.normal(size=shape).astype(dtype)
        for shape in ((rows, features), (outputs, features), (outputs,), (rows, outputs))
    )

    def reference(kind):
        tensors = [torch.from_numpy(a.astype(kind)).requires_grad_() for a in (x, weight, b)]
        y = torch.nn.functional.linear(tensors[0], tensors[1], tensors[2] if bias else None)
        y.backward(torch.from_numpy(upstream.astype(kind)))
        return y.detach().numpy(), tensors[0].grad.numpy(), tensors[1].grad.numpy()

    module = kernels("numba", "linear")
    given_x, given_weight, given_upstream = (laid_out(a, layout) for a in (x, weight, upstream))
    results = [empty_in(shape, dtype, layout) for shape in (upstream.shape, x.shape, weight.shape)]
    threads, enough = get_num_threads(), product._multiply.enough
    by_threads = []
    try:
        product._ENOUGH = 0
        for count in (1, 2):  # on one thread as in a process that cannot start others
            product._multiply.enough = NEVER if count == 1 else 0
            set_num_threads(count)
            for result in results:
                result.fill(np.nan)
            module.linear_forward(given_x, given_weight, b if bias else None, results[0])
            module.linear_grad_input(given_upstream, given_weight, results[1])
            module.linear_grad_weight(given_upstream, given_x, results[2])
            by_threads.append([result.copy() for result in results])
    finally:
        product._ENOUGH = product._multiply.enough = enough
        set_num_threads(threads)
    for one, two in zip(*by_threads, strict=True):
        np.testing.assert_array_equal(one, two)
    largest = [np.abs(a).max() for a in (x, weight, upstream)]
    scales = largest[0] * largest[1], largest[2] * largest[1], largest[2] * largest[0]
    for ours, peer, exact, scale in zip(
        results, reference(dtype), reference(np.float64), scales, strict=True
    ):
        assert_accurate(ours, peer, exact, scale)
