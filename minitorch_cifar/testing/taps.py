"""Taps at the inputs and outputs of a network's layers, the same for the engine and for PyTorch.

A tap is an identity in the graph, put around every module without children. It shows the tensor that passes
forward, and the gradient that passes backward, to a visitor, and lets through what the visitor returns: on
the engine's side the same numbers (they are only noted down), on PyTorch's side the engine's numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from .arrays import map_tree

OUTPUT, GRADIENT_BY_INPUT = "output", "gradient by input"
INPUT, GRADIENT_BY_OUTPUT = "input", "gradient by output"
GRADIENT, AFTER_STEP = "gradient", "after the step"


class Place(NamedTuple):
    """Where a number occurs: of which layer or parameter, which quantity, in the layer's how many-eth call,
    and, for a layer with several inputs or outputs, of which of them.
    """

    layer: str
    quantity: str
    call: int = 0
    part: int = 0

    @property
    def row(self) -> str:
        """The layer, numbered when it is not its first call in a step: `pool`, then `pool #2`."""
        return f"{self.layer} #{self.call + 1}" if self.call else self.layer

    def __str__(self) -> str:
        if self.quantity == INPUT:
            return f"the functions in front of {self.row}"
        if self.quantity == GRADIENT_BY_OUTPUT:
            return f"the functions behind {self.row}, on the way back"
        return f"{self.row}, {self.quantity}"


Visitor = Callable[[Place, Any], Any]


def leaf_modules(network: Any) -> dict[str, Any]:
    """The modules without children by name; the network itself, when it has none, as `network`."""
    leaves = {name: module for name, module in network.named_modules() if not list(module.children())}
    return {name or "network": module for name, module in leaves.items()}


class Taps:
    """Taps around modules of one library.

    Args:
        library: `minitorch_cifar` or PyTorch.
        modules: the modules by name.

    `visitor(place, tensor)` returns a fresh tensor to pass forward; of a gradient, what to pass backward.
    Set it before each step, through `restart`, which also counts calls from the beginning.
    """

    def __init__(self, library: Any, modules: dict[str, Any]) -> None:
        self.library = library
        self.tap = _make_tap(library)
        self.calls: Counter[str] = Counter()
        self.visitor: Visitor = lambda place, tensor: tensor
        for name, module in modules.items():
            module.register_forward_pre_hook(partial(self._enter, name))
            module.register_forward_hook(partial(self._leave, name))

    def restart(self, visitor: Visitor) -> None:
        """Begin another step."""
        self.calls.clear()
        self.visitor = visitor

    def pass_through(self, value: Any, forward: Place, backward: Place) -> Any:
        """`value`, a tensor or nested tensors, behind a tap; only floats are tapped."""
        part = -1

        def put(item: Any) -> Any:
            nonlocal part
            if not self.library.is_tensor(item):
                return map_tree(item, put)
            if not item.is_floating_point():
                return item
            part += 1
            places = forward._replace(part=part), backward._replace(part=part)
            return self.tap.apply(item, *(partial(self.visitor, place) for place in places))

        return put(value)

    def _enter(self, name: str, module: Any, args: tuple[Any, ...]) -> Any:
        call = self.calls[name]
        self.calls[name] += 1
        return self.pass_through(args, Place(name, INPUT, call), Place(name, GRADIENT_BY_INPUT, call))

    def _leave(self, name: str, module: Any, args: tuple[Any, ...], output: Any) -> Any:
        call = self.calls[name] - 1
        return self.pass_through(output, Place(name, OUTPUT, call), Place(name, GRADIENT_BY_OUTPUT, call))


def _make_tap(library: Any) -> Any:
    class Tap(library.autograd.Function):
        """The identity, seen by two visitors."""

        @staticmethod
        def forward(
            ctx: Any, x: Any, visit: Callable[[Any], Any], visit_gradient: Callable[[Any], Any]
        ) -> Any:
            ctx.visit_gradient = visit_gradient
            return visit(x)

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return ctx.visit_gradient(grad), None, None

    return Tap
