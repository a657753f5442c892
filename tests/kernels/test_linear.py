"""The linear layer's kernels against PyTorch, over sizes (0 included) and layouts."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

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
