"""Loss kernels: NumPy and Numba against PyTorch, per-element losses and gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from .comparing import BACKENDS, DTYPES, LAYOUTS, assert_accurate, empty_in, kernels, laid_out, numbers

SHAPES = st.sampled_from([(), (1,), (7,), (0, 3), (3, 4), (2, 3, 4), (40, 33)])


def bce_with_logits(x, y, positive_weight):
    return F.binary_cross_entropy_with_logits(x, y, pos_weight=positive_weight, reduction="none")


# name: (PyTorch's function, parameters in the kernels' order)
ELEMENTWISE = {
    "mse": (lambda x, y: F.mse_loss(x, y, reduction="none"), ()),
    "smooth_l1": (lambda x, y, b: F.smooth_l1_loss(x, y, beta=b, reduction="none"), (0.7,)),
    "huber": (lambda x, y, d: F.huber_loss(x, y, delta=d, reduction="none"), (1.3,)),
    "bce": (lambda x, y: F.binary_cross_entropy(x, y, reduction="none"), ()),
    "bce_with_logits": (bce_with_logits, ("positive_weight",)),
}


def reference(function, x, y, upstream, *parameters):
    tensor = torch.from_numpy(x.copy()).requires_grad_()
    losses = function(tensor, torch.from_numpy(y.copy()), *parameters)
    losses.backward(torch.from_numpy(upstream.copy()))
    return losses.detach().numpy(), tensor.grad.numpy()


@pytest.mark.parametrize("name", ELEMENTWISE)
@settings(max_examples=30, deadline=None)
@given(shape=SHAPES, dtype=st.sampled_from(DTYPES), layout=st.sampled_from(LAYOUTS), data=st.data())
def test_elementwise_matches_torch(name: str, shape, dtype, layout: str, data: st.DataObject) -> None:
    function, parameters = ELEMENTWISE[name]
    x, y = (data.draw(numbers(shape, special=name != "bce")) for _ in range(2))
    if name == "bce":  # a probability; 0 and 1 themselves among them
        x = np.asarray(np.clip(0.5 + x / 6, 0, 1))
    if name.startswith("bce"):
        y = np.nan_to_num(np.clip(0.5 + y / 6, 0, 1))
    if name in ("smooth_l1", "huber") and x.size > 2:
        x.flat[:2] = y.flat[0] + parameters[0], y.flat[1] - parameters[0]  # at the joints
    x, y = np.asarray(x, dtype), np.asarray(y, dtype)
    upstream = data.draw(numbers(shape, special=False)).astype(dtype)
    wide = [a.astype(np.float64) for a in (x, y, upstream)]
    if name == "bce_with_logits":
        positive = np.asarray(np.abs(data.draw(numbers(shape, special=False))), dtype)
        peer_parameters, exact_parameters, parameters = (
            (torch.from_numpy(positive),),
            (torch.from_numpy(positive.astype(np.float64)),),
            (positive,),
        )
    else:
        peer_parameters = exact_parameters = parameters
    peer_losses, peer_grad = reference(function, x, y, upstream, *peer_parameters)
    exact_losses, exact_grad = reference(function, *wide, *exact_parameters)
    finite = [np.abs(a[np.isfinite(a)]).max(initial=0.0) for a in (x, y, upstream, exact_grad)]
    for backend in BACKENDS:
        module = kernels(backend, "loss")
        losses, grad = empty_in(shape, dtype, layout), empty_in(shape, dtype, layout)
        arguments = laid_out(x, layout), laid_out(y, layout), *parameters
        getattr(module, f"{name}_forward")(*arguments, losses)
        assert_accurate(losses, peer_losses, exact_losses, *finite[:2])
        given_upstream = laid_out(upstream, layout)
        getattr(module, f"{name}_backward")(given_upstream, *arguments, grad)
        assert_accurate(grad, peer_grad, exact_grad, finite[2] * (finite[0] + finite[1] + 1))
        for given_array, original in zip((*arguments[:2], given_upstream), (x, y, upstream), strict=True):
            np.testing.assert_array_equal(given_array, original)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(0, 9), st.integers(1, 6)),
    dtype=st.sampled_from(DTYPES),
    weighted=st.booleans(),
    ignore_index=st.sampled_from([-100, 0, 2]),
    layout=st.sampled_from(LAYOUTS),
    data=st.data(),
)
def test_nll_matches_torch(shape, dtype, weighted: bool, ignore_index: int, layout: str, data) -> None:
    log_probabilities = data.draw(numbers(shape, special=False)).astype(dtype)
    labels = st.integers(0, shape[1] - 1) | st.just(ignore_index)
    target = np.array(data.draw(st.lists(labels, min_size=shape[0], max_size=shape[0])), np.int64)
    weight = np.abs(data.draw(numbers((shape[1],), special=False))).astype(dtype) if weighted else None
    upstream = data.draw(numbers((shape[0],), special=False)).astype(dtype)
    labels_fit = ((target < shape[1]) | (target == ignore_index)).all()
    assert labels_fit

    tensor = torch.from_numpy(log_probabilities.copy()).requires_grad_()
    expected = F.nll_loss(
        tensor,
        torch.from_numpy(target),
        None if weight is None else torch.from_numpy(weight),
        ignore_index=ignore_index,
        reduction="none",
    )
    expected.backward(torch.from_numpy(upstream.copy()))
    row_weights = np.ones(shape[1]) if weight is None else weight
    expected_weights = np.where(
        target == ignore_index, 0, row_weights[np.where(target == ignore_index, 0, target)]
    )
    for backend in BACKENDS:
        module = kernels(backend, "loss")
        losses, weights, sums = np.full(shape[0], 9, dtype), np.full(shape[0], 9, dtype), np.empty(2)
        grad = empty_in(shape, dtype, layout)
        given_logs, given_target = laid_out(log_probabilities, layout), laid_out(target, layout)
        assert module.nll_forward(given_logs, given_target, weight, ignore_index, losses, weights, sums) == -1
        np.testing.assert_array_equal(losses, expected.detach().numpy())
        np.testing.assert_array_equal(weights, expected_weights)
        np.testing.assert_allclose(sums, [a.sum(dtype=np.float64) for a in (losses, weights)], rtol=1e-12)
        module.nll_backward(laid_out(upstream, layout), given_target, weights, ignore_index, grad)
        np.testing.assert_array_equal(grad, tensor.grad.numpy())
        one_for_all, repeated = np.empty_like(grad), np.empty_like(grad)
        module.nll_backward(np.array([0.7], dtype), given_target, weights, ignore_index, one_for_all)
        same = np.full(shape[0], 0.7, dtype)
        module.nll_backward(same, given_target, weights, ignore_index, repeated)
        np.testing.assert_array_equal(one_for_all, repeated)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("bad", [3, -1, -99, 2**40])
def test_nll_reports_the_first_row_with_a_bad_target(backend: str, bad: int) -> None:
    target = np.array([0, -100, 2, bad, 1, bad])
    module = kernels(backend, "loss")
    row = module.nll_forward(np.zeros((6, 3)), target, None, -100, np.empty(6), np.empty(6), np.empty(2))
    assert row == 3
    row = module.nll_forward(np.zeros((6, 3)), target, np.ones(3), bad, *np.empty((2, 6)), np.empty(2))
    assert row == 1
