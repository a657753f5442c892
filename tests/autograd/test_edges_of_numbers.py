"""Numbers beside a tensor are no inputs of the graph where PyTorch has none: equal `next_functions`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import minitorch_cifar as mini

CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "number ** x": lambda lib, x: 2**x,
    "0 ** x": lambda lib, x: 0.0**x,
    "pow of a number": lambda lib, x: lib.pow(3, x),
    "number - x": lambda lib, x: 1 - x,
    "rsub with alpha": lambda lib, x: lib.rsub(x, 2.5, alpha=3),
    "rsub of tensors": lambda lib, x: lib.rsub(x, x * 2),
    "masked_fill": lambda lib, x: x.masked_fill(x > 1, -7.0),
    "masked_fill with a tensor": lambda lib, x: x.masked_fill(x > 1, lib.tensor(3.0)),
    "masked_fill_": lambda lib, x: (x * 2).masked_fill_(x > 1, 4),
    "x ** number": lambda lib, x: x**3,
    "x * number": lambda lib, x: x * 3,
    "x + number": lambda lib, x: x + 3,
    "number / x": lambda lib, x: 3 / x,
}


def walk(lib: Any, call: Callable[[Any, Any], Any]) -> Any:
    """Result and gradient of a random upstream, and the graph by names and numbers of outputs."""
    x = lib.tensor([[0.5, 1.5], [2.5, 0.25]], requires_grad=True)
    result = call(lib, x)
    graph, todo = [], [result.grad_fn]
    while todo:
        node = todo.pop()
        graph.append((node.name().rpartition("::")[2], [index for _, index in node.next_functions]))
        graph.append([producer is None for producer, _ in node.next_functions])
        todo.extend(producer for producer, _ in node.next_functions if producer is not None)
    result.backward(lib.tensor([[0.3, -1.25], [2.0, 0.75]]))
    return graph, result.tolist(), x.grad.tolist()


@pytest.mark.parametrize("name", CALLS)
def test_next_functions_are_pytorchs(name: str) -> None:
    ours, theirs = walk(mini, CALLS[name]), walk(torch, CALLS[name])
    assert ours[0] == theirs[0]
    for mine, expected in zip(ours[1:], theirs[1:], strict=True):
        for row, expected_row in zip(mine, expected, strict=True):
            assert row == pytest.approx(expected_row, rel=1e-6)
