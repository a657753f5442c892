"""Every operation of activation, loss, norm and linear: gradcheck, memory, and changes made in place."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import minitorch_cifar as torch
from minitorch_cifar.autograd import Operation
from minitorch_cifar.ops import activation, linear, loss, norm

RNG = np.random.default_rng(0)
LABELS = np.array([2, 0, 1])
PIXELS = RNG.integers(0, 3, size=(2, 2, 2))
WEIGHT = np.array([0.5, 2.0, 1.5])
REDUCED = {"reduction": "mean"}


def away_from_zero(*shape: int) -> np.ndarray:
    """Numbers at which no activation has a kink."""
    array = RNG.normal(size=shape)
    return array + np.sign(array) * 0.1


def between(*shape: int) -> np.ndarray:
    return RNG.uniform(0.1, 0.9, size=shape)


# Operation: cases of (arrays of the differentiable inputs, parameters)
CASES: dict[type[Operation], list[tuple[list[np.ndarray], dict[str, Any]]]] = {
    activation.Relu: [([away_from_zero(3, 4)], {})],
    activation.LeakyRelu: [([away_from_zero(3, 4)], {"negative_slope": 0.3})],
    activation.LeakyReluInplace: [([away_from_zero(3, 4)], {"negative_slope": 0.3})],
    activation.Elu: [([away_from_zero(3, 4)], {"alpha": 1.7})],
    activation.EluInplace: [([away_from_zero(3, 4)], {"alpha": 1.7})],
    activation.Gelu: [([away_from_zero(3, 4)], {"approximate": way}) for way in ("none", "tanh")],
    activation.Silu: [([away_from_zero(3, 4)], {})],
    activation.Softplus: [([away_from_zero(3, 4)], {"beta": 2.0, "threshold": 3.0})],
    activation.Sigmoid: [([away_from_zero(3, 4)], {})],
    activation.Tanh: [([away_from_zero(3, 4)], {})],
    activation.Softmax: [([away_from_zero(2, 3, 4)], {"dim": dim}) for dim in range(3)],
    activation.LogSoftmax: [([away_from_zero(2, 3, 4)], {"dim": dim}) for dim in range(3)],
    norm.NativeBatchNorm: [
        (
            [away_from_zero(4, 2, 3), away_from_zero(2), away_from_zero(2)],
            {
                "running_mean": np.array([0.5, -1.0]),
                "running_var": np.array([2.0, 0.3]),
                "training": training,
                "momentum": 0.0,
                "eps": 1e-3,
            },
        )
        for training in (True, False)
    ],
    loss.NllLoss: [
        (
            [away_from_zero(3, 3)],
            {"target": LABELS, "weight": weight, "ignore_index": 1, "reduction": reduction},
        )
        for weight in (None, WEIGHT)
        for reduction in ("mean", "sum", "none")
    ],
    loss.NllLoss2D: [
        (
            [away_from_zero(2, 3, 2, 2)],
            {"target": PIXELS, "weight": WEIGHT, "ignore_index": 1, "reduction": reduction},
        )
        for reduction in ("mean", "none")
    ],
    loss.MseLoss: [
        ([away_from_zero(3, 2), away_from_zero(3, 2)], {"reduction": r}) for r in ("mean", "sum", "none")
    ],
    loss.SmoothL1Loss: [([away_from_zero(9), away_from_zero(9)], {"beta": 0.7, **REDUCED})],
    loss.HuberLoss: [([away_from_zero(9), away_from_zero(9)], {"delta": 0.7, **REDUCED})],
    loss.BinaryCrossEntropy: [
        ([between(2, 3), between(2, 3)], {"weight": weight, **REDUCED}) for weight in (None, WEIGHT)
    ],
    loss.BinaryCrossEntropyWithLogits: [
        ([away_from_zero(2, 3), between(2, 3)], {"weight": weight, "pos_weight": weight, **REDUCED})
        for weight in (None, WEIGHT)
    ],
    loss.Xlogy: [([between(4), between(4)], {})],
    linear.LinearRows: [([away_from_zero(2), away_from_zero(4, 3), away_from_zero(2, 3)], {})],
}
EACH = [(operation, *case) for operation, cases in CASES.items() for case in cases]
NAMES = [f"{operation.__name__} {i}" for operation, cases in CASES.items() for i in range(len(cases))]


def leaves(arrays: list[np.ndarray]) -> list[Any]:
    return [torch.from_numpy(array.copy()).requires_grad_() for array in arrays]


def test_every_operation_has_a_case() -> None:
    defined = {
        value
        for module in (activation, linear, loss, norm)
        for _, value in inspect.getmembers(module, inspect.isclass)
        if issubclass(value, Operation) and value.__module__ == module.__name__
    }
    assert defined == set(CASES)
    assert len(defined) == 22


@pytest.mark.parametrize(("operation", "arrays", "parameters"), EACH, ids=NAMES)
def test_gradcheck(backend: str, operation, arrays, parameters) -> None:
    assert torch.autograd.gradcheck(
        lambda *inputs: operation.apply(*inputs, **parameters), leaves(arrays), atol=1e-7, rtol=1e-6
    )


@pytest.mark.parametrize(("operation", "arrays", "parameters"), EACH, ids=NAMES)
def test_memory(backend: str, operation, arrays, parameters) -> None:
    """Inputs and the upstream gradient keep their values; no gradient shares memory with them or another."""
    inputs = leaves(arrays)
    result = operation.apply(*inputs, **parameters)
    upstream = torch.from_numpy(np.asarray(np.random.default_rng(1).normal(size=tuple(result.shape))))
    before = upstream.numpy().copy()
    result.backward(upstream, retain_graph=True)
    first = [leaf.grad.numpy().copy() for leaf in inputs]
    np.testing.assert_array_equal(upstream.numpy(), before)
    for leaf, array in zip(inputs, arrays, strict=True):
        np.testing.assert_array_equal(leaf.detach().numpy(), array)
    held = [leaf.grad.numpy() for leaf in inputs] + [upstream.numpy(), result.detach().numpy()]
    held += [leaf.detach().numpy() for leaf in inputs]
    for i in range(len(inputs)):
        assert not any(np.shares_memory(held[i], held[j]) for j in range(len(held)) if i != j)
    for leaf in inputs:
        leaf.grad.numpy()[...] = 1e9  # what a user does to a gradient must not reach the graph
        leaf.grad = None
    result.backward(upstream)
    for leaf, expected in zip(inputs, first, strict=True):
        np.testing.assert_array_equal(leaf.grad.numpy(), expected)


@pytest.mark.parametrize(("operation", "arrays", "parameters"), EACH, ids=NAMES)
def test_gradient_is_linear_in_the_upstream_gradient(operation, arrays, parameters) -> None:
    """Zero in, zero out; twice as much in, twice as much out."""
    results = []
    for factor in (1.0, 2.0, 0.0):
        inputs = leaves(arrays)
        result = operation.apply(*inputs, **parameters)
        upstream = np.asarray(factor * np.random.default_rng(1).normal(size=tuple(result.shape)))
        result.backward(torch.from_numpy(upstream))
        results.append([leaf.grad.numpy() for leaf in inputs])
    for once, twice, none in zip(*results, strict=True):
        np.testing.assert_allclose(twice, 2 * once, rtol=1e-12, atol=1e-15)
        np.testing.assert_array_equal(none, 0)


SEVERAL = [case for case in EACH if len(case[1]) > 1]
SEVERAL_NAMES = [f"{case[0].__name__} {i}" for i, case in enumerate(SEVERAL)]


@pytest.mark.parametrize(
    ("operation", "arrays", "parameters"), SEVERAL, ids=lambda v: getattr(v, "__name__", "")
)
def test_each_input_alone_gets_the_same_gradient(operation, arrays, parameters) -> None:
    """An operation may skip what nobody asked for, not what somebody did."""
    together = leaves(arrays)
    result = operation.apply(*together, **parameters)
    upstream = torch.from_numpy(np.asarray(np.random.default_rng(1).normal(size=tuple(result.shape))))
    result.backward(upstream)
    for i, expected in enumerate(together):
        alone = [torch.from_numpy(array.copy()) for array in arrays]
        alone[i].requires_grad_()
        operation.apply(*alone, **parameters).backward(upstream)
        np.testing.assert_array_equal(alone[i].grad.numpy(), expected.grad.numpy())
        assert all(tensor.grad is None for j, tensor in enumerate(alone) if j != i)


NEED_THEIR_INPUT = [
    activation.LeakyRelu,
    activation.Elu,
    activation.Gelu,
    activation.Silu,
    activation.Softplus,
    norm.NativeBatchNorm,
    loss.MseLoss,
    loss.SmoothL1Loss,
    loss.HuberLoss,
    loss.BinaryCrossEntropy,
    loss.BinaryCrossEntropyWithLogits,
]
NEED_THEIR_RESULT = [
    activation.Relu,
    activation.Sigmoid,
    activation.Tanh,
    activation.Softmax,
    activation.LogSoftmax,
]


@pytest.mark.parametrize("operation", NEED_THEIR_INPUT)
def test_changing_a_needed_input_is_an_error(operation) -> None:
    arrays, parameters = CASES[operation][0]
    first, *others = leaves(arrays)
    inner = first * 1.0
    result = operation.apply(inner, *others, **parameters).sum()
    inner.mul_(2.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        result.backward()


@pytest.mark.parametrize("operation", NEED_THEIR_RESULT)
def test_changing_a_needed_result_is_an_error_but_the_input_is_free(operation) -> None:
    arrays, parameters = CASES[operation][0]
    inner = leaves(arrays)[0] * 1.0
    result = operation.apply(inner, **parameters)
    inner.mul_(2.0)
    result.sum().backward()
    inner = leaves(arrays)[0] * 1.0
    result = operation.apply(inner, **parameters)
    total = result.sum()
    result.mul_(2.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        total.backward()


def test_gradients_of_numbers_reach_the_kernels(backend: str) -> None:
    """NumPy makes scalars of arrays without dimensions; the kernels must take them."""
    functional = torch.nn.functional
    for function in (torch.relu, torch.tanh, torch.sigmoid, functional.gelu, functional.elu):
        x = torch.tensor(0.5, requires_grad=True)
        (function(x * 2.0) * 3.0).backward()
        y = torch.tensor([0.5], requires_grad=True)
        (function(y * 2.0) * 3.0).sum().backward()
        assert float(x.grad) == float(y.grad[0])
