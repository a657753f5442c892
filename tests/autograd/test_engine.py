"""The walk over the graph: depth, work done, what is freed, threads, anomalies, gradcheck."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import minitorch_cifar as torch
from minitorch_cifar.autograd import Operation


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
