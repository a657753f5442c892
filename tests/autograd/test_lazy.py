"""A lazy gradient is seen by nobody: whoever looks finds what PyTorch computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch as pytorch

import minitorch_cifar as ours
from minitorch_cifar.ops.pool import PooledGradient


def leaves(t: Any) -> tuple[Any, Any, Any]:
    """Picture, weights and bias, the same in both libraries."""
    generator = np.random.default_rng(0)
    shapes = ((2, 3, 8, 8), (4, 3, 3, 3), (4,))
    x, weight, bias = (t.from_numpy(generator.normal(size=shape)).requires_grad_() for shape in shapes)
    return x, weight, bias


def upstream(t: Any, like: Any) -> Any:
    return t.from_numpy(np.random.default_rng(1).normal(size=tuple(like.shape)))


def pooled(t: Any, y: Any) -> Any:
    return t.nn.functional.max_pool2d(y, 2)


def plain(t: Any, x: Any, y: Any) -> list[Any]:
    out = pooled(t, y.relu())
    out.backward(upstream(t, out))
    return []


def without_relu(t: Any, x: Any, y: Any) -> list[Any]:
    out = pooled(t, y)
    out.backward(upstream(t, out))
    return []


def used_twice(t: Any, x: Any, y: Any) -> list[Any]:
    out = pooled(t, y) + pooled(t, y * 2) * y[:, :, ::2, 1::2].exp()
    out.backward(upstream(t, out))
    return []


def two_pools_of_one_picture(t: Any, x: Any, y: Any) -> list[Any]:
    out = pooled(t, y) * 2 + pooled(t, y)
    out.backward(upstream(t, out))
    return []


def retained(t: Any, x: Any, y: Any) -> list[Any]:
    hidden = y.relu()
    hidden.retain_grad()
    y.retain_grad()
    out = pooled(t, hidden)
    out.backward(upstream(t, out))
    return [hidden.grad, y.grad]


def hooked(t: Any, x: Any, y: Any) -> list[Any]:
    seen = []
    y.register_hook(lambda grad: seen.append(grad) or grad * 3)
    out = pooled(t, y)
    out.backward(upstream(t, out))
    return seen


def node_hooks(t: Any, x: Any, y: Any) -> list[Any]:
    seen: list[Any] = []
    out = pooled(t, y)
    y.grad_fn.register_prehook(lambda grads: seen.extend(grads))
    out.grad_fn.register_hook(lambda grads, _: seen.append(grads[0]) or (grads[0] * 2,))
    out.backward(upstream(t, out))
    return seen


def captured(t: Any, x: Any, y: Any) -> list[Any]:
    hidden = y.relu()
    out = pooled(t, hidden)
    return list(t.autograd.grad(out, (hidden, y, x), upstream(t, out)))


def of_a_leaf(t: Any, x: Any, y: Any) -> list[Any]:
    out = pooled(t, x)
    out.backward(upstream(t, out), retain_graph=True)
    out.backward(upstream(t, out))
    return [x.grad]


def other_operation_before(t: Any, x: Any, y: Any) -> list[Any]:
    out = pooled(t, t.tanh(y))
    out.backward(upstream(t, out))
    return []


def in_place_relu(t: Any, x: Any, y: Any) -> list[Any]:
    out = pooled(t, t.nn.functional.relu_(y))
    out.backward(upstream(t, out))
    return []


def overlapping_windows(t: Any, x: Any, y: Any) -> list[Any]:
    out = t.nn.functional.max_pool2d(y.relu(), 3, 2, padding=1)
    out.backward(upstream(t, out))
    return []


def batch_norm(t: Any, x: Any, y: Any) -> list[Any]:
    weight, bias = (t.from_numpy(np.random.default_rng(i).normal(size=4)).requires_grad_() for i in (2, 3))
    out = pooled(t, t.nn.functional.batch_norm(y, None, None, weight, bias, training=True).relu())
    out.backward(upstream(t, out))
    return [weight.grad, bias.grad]


def batch_norm_in_evaluation(t: Any, x: Any, y: Any) -> list[Any]:
    mean, var = (t.from_numpy(np.random.default_rng(i).random(size=4)) for i in (2, 3))
    out = pooled(t, t.nn.functional.batch_norm(y, mean, var).relu())
    out.backward(upstream(t, out))
    return []


def under_anomaly_detection(t: Any, x: Any, y: Any) -> list[Any]:
    with t.autograd.set_detect_anomaly(True):
        out = pooled(t, y.relu())
        out.backward(upstream(t, out))
    return []


PROGRAMS = [
    plain, without_relu, used_twice, two_pools_of_one_picture, retained, hooked, node_hooks, captured,
    of_a_leaf, other_operation_before, in_place_relu, overlapping_windows,
    batch_norm, batch_norm_in_evaluation, under_anomaly_detection,
]  # fmt: skip


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_program(program: Callable[[Any, Any, Any], list[Any]], backend: str) -> None:
    results = []
    with ours.backends.use(backend):
        for t in (ours, pytorch):
            x, weight, bias = leaves(t)
            seen = program(t, x, t.nn.functional.conv2d(x, weight, bias, padding=1))
            found = [*seen, x.grad, weight.grad, bias.grad]
            results.append([None if grad is None else grad.detach().numpy() for grad in found])
    assert len(results[0]) == len(results[1])
    for our, their in zip(*results, strict=True):
        assert (our is None) == (their is None)
        if our is not None:
            np.testing.assert_allclose(our, their, rtol=1e-11, atol=1e-12)


def test_the_pool_in_front_of_a_convolution_is_lazy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Conv, ReLU, pool: nobody writes the gradient out."""

    def refuse(self: PooledGradient) -> Any:
        raise AssertionError("written out")

    monkeypatch.setattr(PooledGradient, "dense", refuse)
    x, weight, bias = leaves(ours)
    plain(ours, x, ours.nn.functional.conv2d(x, weight, bias, padding=1))
    assert weight.grad is not None
    with pytest.raises(AssertionError, match="written out"):
        other_operation_before(ours, x, ours.nn.functional.conv2d(x, weight, bias, padding=1))


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("normalized", [False, True])
def test_windows_that_miss_the_picture_give_it_no_gradient(backend: str, normalized: bool) -> None:
    """Dilated windows may have no winner; looking at the gradient must not change it."""
    generator = np.random.default_rng(0)
    x, weight, bias = (generator.normal(size=shape) for shape in ((3, 2, 6, 1), (2, 2, 1, 1), (2,)))
    found = []
    with ours.backends.use(backend):
        for is_watched in (False, True):
            parameters = [ours.from_numpy(a.copy()).requires_grad_() for a in (x, weight, bias)]
            y = ours.nn.functional.conv2d(*parameters)
            hidden = ours.nn.functional.batch_norm(y, None, None, training=True) if normalized else y.relu()
            if is_watched:
                hidden.retain_grad()
                y.retain_grad()
            out, indices = ours.nn.functional.max_pool2d(
                hidden, 2, 3, padding=1, dilation=2, ceil_mode=True, return_indices=True
            )
            assert (indices == -1).any()
            assert 2 * out[0, 0].numel() <= y[0, 0].numel()  # few enough winners for the sparse form
            out.backward(upstream(ours, out))
            found.append([p.grad.numpy() for p in parameters])
    for lazy, dense in zip(*found, strict=True):
        np.testing.assert_allclose(lazy, dense, rtol=1e-12, atol=1e-14)
