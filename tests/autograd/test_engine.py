"""The walk over the graph: depth, work done, what is freed, threads, anomalies, gradcheck."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minitorch_cifar as torch
from minitorch_cifar.autograd import Operation
from minitorch_cifar.kernels import active


def test_a_chain_of_100000_operations() -> None:
    x = torch.ones((), requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + x
    y.backward()
    assert x.grad is not None
    assert x.grad.item() == 100_001


def test_each_node_runs_once_however_often_values_are_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []
    run = Operation.run
    monkeypatch.setattr(Operation, "run", lambda node, grads: (runs.append(node), run(node, grads))[1])
    x = torch.ones((), dtype=torch.float64, requires_grad=True)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert len(runs) == 60
    assert x.grad is not None
    assert x.grad.item() == 2.0**60


class Keeps(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = x * 2
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad * 2


def _changed_in_place(x: Any) -> Any:
    y = x * 1
    y[:1].mul_(x[1:])
    return y.add_(Keeps.apply(y))


@pytest.mark.parametrize("compute", [lambda x: x.exp() * x, Keeps.apply, _changed_in_place])
def test_a_dropped_graph_is_freed_without_the_garbage_collector(compute: Callable[[Any], Any]) -> None:
    gc.collect()
    gc.disable()
    try:
        y = compute(torch.ones(2, requires_grad=True))
        node = weakref.ref(y.grad_fn)
        del y
        assert node() is None
    finally:
        gc.enable()


def test_recording_is_switched_for_one_thread() -> None:
    seen = []
    with torch.no_grad():
        thread = threading.Thread(target=lambda: seen.append(torch.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_an_exception_in_backward_leaves_recording_on() -> None:
    x = torch.ones(2, requires_grad=True)
    x.register_hook(lambda grad: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        (x * 2).sum().backward()
    assert torch.is_grad_enabled()


@pytest.mark.filterwarnings("ignore:Error detected")
def test_anomaly_detection_names_the_forward_line() -> None:
    x = torch.zeros(2, requires_grad=True)
    with torch.autograd.set_detect_anomaly(True):
        y = (x.sqrt() * 0).sum()  # the line to be named
        with pytest.raises(RuntimeError, match=r"SqrtBackward0(.|\n)*the line to be named"):
            y.backward()


def test_gradients_of_gradients_are_refused() -> None:
    with pytest.raises(NotImplementedError, match="create_graph"):
        torch.ones(2, requires_grad=True).sum().backward(create_graph=True)


def test_gradcheck_names_input_element_and_both_values() -> None:
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 3

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad * torch.tensor([3.0, 4.0], dtype=torch.float64)

    x = torch.ones(2, dtype=torch.float64, requires_grad=True)
    with pytest.raises(torch.autograd.GradcheckError, match=r"input 0, element \(1,\): backward gives"):
        torch.autograd.gradcheck(Wrong.apply, x)
    assert not torch.autograd.gradcheck(Wrong.apply, x, raise_exception=False)


def _sum_of_two(a: Any, b: Any, held: list[Any]) -> Any:
    return a + b  # hands one gradient to both


def _transposed_twice(a: Any, b: Any, held: list[Any]) -> Any:
    return a.T + b.T.T.T


def _seen_by_a_hook(a: Any, b: Any, held: list[Any]) -> Any:
    middle = a.T
    middle.register_hook(lambda grad: held.append(grad))
    return middle * 2 + b.view(-1).view(3, 3)


def _seen_by_a_node(a: Any, b: Any, held: list[Any]) -> Any:
    product = a @ b
    product.grad_fn.register_hook(lambda grads, _: held.extend(grads))
    return product


def _replaced_by_a_hook(a: Any, b: Any, held: list[Any]) -> Any:
    product, own = a @ b, torch.ones(3, 3)
    held.append(own)
    product.grad_fn.register_hook(lambda grads, _: (own, own))
    return product


def _retained(a: Any, b: Any, held: list[Any]) -> Any:
    view = a.view(9)
    view.retain_grad()
    held.append(view)
    return view.view(3, 3).T * b


def _of_a_linear_layer(a: Any, b: Any, held: list[Any]) -> Any:
    return torch.nn.functional.linear(a.T, b, b[0]) + b.T


class _HandsOn(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        return x * 1

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad, grad


def _handed_on_by_a_function(a: Any, b: Any, held: list[Any]) -> Any:
    return _HandsOn.apply(a.T, b.T)


@pytest.mark.parametrize(
    "compute",
    [
        _sum_of_two, _transposed_twice, _seen_by_a_hook, _seen_by_a_node, _replaced_by_a_hook, _retained,
        _of_a_linear_layer, _handed_on_by_a_function,
    ],
)  # fmt: skip
def test_nobody_else_holds_the_memory_of_a_gradient(compute: Callable[..., Any]) -> None:
    leaves = [torch.randn(3, 3, requires_grad=True) for _ in range(2)]
    held: list[Any] = []
    upstream = torch.randn(3, 3)
    compute(*leaves, held).backward(upstream)
    held = [tensor.grad if tensor.retains_grad else tensor for tensor in held]
    everything = [leaf.grad for leaf in leaves] + leaves + held + [upstream]
    for i in range(2):
        for j, other in enumerate(everything):
            assert i == j or not np.shares_memory(everything[i].detach().numpy(), other.detach().numpy())


def test_the_gradient_of_a_transposed_leaf_is_not_copied() -> None:
    made = []
    weight, x = torch.randn(4, 3, requires_grad=True), torch.randn(2, 3)
    kernel = active.linear_grad_weight

    def note(grad: Any, x: Any, grad_weight: Any) -> None:
        made.append(grad_weight)
        kernel(grad, x, grad_weight)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(active.__dict__, "linear_grad_weight", note)
        torch.nn.functional.linear(x, weight, torch.zeros(4)).backward(torch.randn(2, 4))
    assert np.shares_memory(made[0], weight.grad.numpy())
