"""Memory: thousands of training steps hold it flat, and a dropped graph is freed at once.

`RELIABILITY=full` takes 10,000 steps, otherwise 2,000.
"""

from __future__ import annotations

import gc
import sys
import textwrap
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import minitorch_cifar as torch

from .watched import FULL, run_program

STEPS = 10_000 if FULL else 2_000
GROWTH = 5 << 20  # bytes

TRAINING = f"""
import minitorch_cifar as torch
from minitorch_cifar.models import NETWORKS
F = torch.nn.functional

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

torch.manual_seed(0)
network = NETWORKS["lenet"](num_classes=10)
optimizer = torch.optim.SGD(network.parameters(), lr=0.001, momentum=0.9)
for step in range({STEPS} + 500):
    if step == 500:
        before = resident()
    images, labels = torch.rand(4, 3, 32, 32), torch.randint(0, 10, (4,))
    optimizer.zero_grad()
    F.cross_entropy(network(images), labels).backward()
    optimizer.step()
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the size of a process is read from /proc")
def test_training_steps_hold_memory_flat() -> None:
    grown = int(run_program(textwrap.dedent(TRAINING)))
    print(f"{STEPS} steps: {grown:,} bytes more")
    assert grown < GROWTH


@pytest.fixture
def without_garbage_collector() -> Iterator[None]:
    """A reference cycle stays, and is found."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def nodes_behind(outputs: list[Any]) -> list[weakref.ref[Any]]:
    """Every node of the graph, known weakly."""
    found: dict[int, Any] = {}
    stack = [output.grad_fn for output in outputs if output.grad_fn is not None]
    while stack:
        node = stack.pop()
        if id(node) not in found:
            found[id(node)] = node
            stack += [following for following, _ in node.next_functions if following is not None]
    return [weakref.ref(node) for node in found.values()]


def left(references: list[weakref.ref[Any]]) -> list[Any]:
    """What of it is still alive."""
    return [reference() for reference in references if reference() is not None]


class Keeps(torch.autograd.Function):
    """Saves its input and its output, keeps both on ctx, and marks nothing."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = x * 2
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, y = ctx.saved_tensors
        return grad * 2 + 0 * x + 0 * y


class Doubles(torch.autograd.Function):
    """Changes its input in place."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.mark_dirty(x)
        return x.mul_(2)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad * 2


def _tensor_hook(x: Any) -> Any:
    y = x * 2
    y.register_hook(lambda grad: grad * 3)
    x.register_hook(lambda grad: grad)
    return y.exp()


def _node_hooks(x: Any) -> Any:
    y = x.exp()
    y.grad_fn.register_hook(lambda inputs, outputs: None)
    y.grad_fn.register_prehook(lambda outputs: None)
    return y * 1


def _retained(x: Any) -> Any:
    y = x.exp()
    y.retain_grad()
    return y * y


def _written_through_views(x: Any) -> Any:
    y = x * 1
    rows = y.view(2, 2)
    rows[0].mul_(x[:2])
    rows.t()[1].mul_(3)
    y[1:] += rows.sum()
    return y + Keeps.apply(y)


def _unbound(x: Any) -> Any:
    first, second = (x * 1).chunk(2)
    return first * second


def _module(x: Any) -> Any:
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.MaxPool2d(2)
    )
    network.load_state_dict(network.state_dict())
    network[0].register_forward_hook(lambda module, inputs, output: output * 1)
    network[2].register_full_backward_hook(lambda module, inputs, outputs: None)
    return network(x.view(1, 1, 2, 2).expand(3, 1, 2, 2).repeat(1, 1, 2, 2).to(torch.float32))


def _post_accumulate(x: Any) -> Any:
    x.register_post_accumulate_grad_hook(lambda leaf: None)
    return x * 2


def _anomaly(x: Any) -> Any:
    with torch.autograd.set_detect_anomaly(True):
        return (x * 2).exp()


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "hooks of tensors": _tensor_hook,
    "hooks of nodes": _node_hooks,
    "retain_grad": _retained,
    "views written to": _written_through_views,
    "parts": _unbound,
    "Function": Keeps.apply,
    "Function in place": lambda x: Doubles.apply(x * 1),
    "Function on a view": lambda x: Doubles.apply((x * 1)[:2]),
    "modules with hooks": _module,
    "post-accumulate hook": _post_accumulate,
    "anomaly detection": _anomaly,
    "checkpoint of an optimizer": lambda x: _optimized(x),
}


def _optimized(x: Any) -> Any:
    parameter = torch.nn.Parameter(x.detach().clone())
    optimizer = torch.optim.Adam([parameter])
    (parameter * x).sum().backward()
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    return parameter * x


@pytest.mark.usefixtures("without_garbage_collector")
@pytest.mark.parametrize("runs_backward", [False, True])
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_kind_of_graph_is_freed(name: str, runs_backward: bool) -> None:
    x = torch.linspace(0.5, 2.0, 4, dtype=torch.float64).requires_grad_()
    y = PROGRAMS[name](x)
    references = [*nodes_behind([y]), weakref.ref(y), weakref.ref(x)]
    if runs_backward:
        y.backward(torch.rand_like(y))
    del x, y
    assert left(references) == []


@pytest.mark.usefixtures("without_garbage_collector")
def test_a_backward_that_fails_holds_nothing() -> None:
    """Neither the nodes that ran nor those that did not, once the exception is gone."""
    x = torch.ones(2, requires_grad=True)
    y = (x * 2).exp()
    references = nodes_behind([y])
    x.register_hook(lambda grad: 1 / 0)
    with pytest.raises(ZeroDivisionError) as error:
        y.sum().backward()
    error.value.__traceback__ = None
    del x, y, error
    assert left(references) == []
