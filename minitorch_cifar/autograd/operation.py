"""`Operation`: the base of every built-in operation, forward and backward on plain arrays.

A subclass is the mathematics of one operation and nothing else. `apply` takes the arrays out of the tensors,
runs `forward`, and, when a gradient is wanted, makes the instance the node of the graph. An instance is also
the `ctx` that both methods are given.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from ..dtypes import Array
from .accumulate import edge_of
from .anomaly import forward_trace
from .anomaly import mode as anomaly
from .grad_mode import state
from .layout import in_rows, like_operands
from .node import NO_EDGE, Edge, Node, ages
from .saved import FREED, Guard, guard_of_result, guards_for, raise_if_modified
from .variable import TensorBase, wrap
from .views import track_view


class Operation(Node):
    """One differentiable operation.

    `forward(ctx, *inputs, **parameters)` gets one array (or None, or a Python number) per input and returns
    one array or a tuple of arrays. `backward(ctx, *grads)` gets one gradient per output and returns one per
    input, or None. It returns arrays that it made, or a gradient it was given, or a view of one: never a
    saved array, and it writes into none. Broadcasting is undone by the engine. What backward needs of its
    inputs and outputs goes through `ctx.save`; a tensor among the parameters (an index, a mask), or in a list
    among them, comes as its array and can be saved too.
    """

    reads_a_number: ClassVar[bool] = False  # in place, the other input may lie in the target's own memory
    returns_fresh_arrays = True
    # In place, whether one place in memory may be written to as several elements, as in an expanded tensor:
    # always, never, or with PyTorch's warning, which names the function.
    writes_expanded: ClassVar[bool | str] = False
    guards_result = False  # to change the result in place is an error, though nothing of it is kept

    needs_input_grad: Sequence[bool]
    saved: tuple[Any, ...] = ()
    guards: Sequence[Guard] = ()
    is_released = False

    def __init_subclass__(cls) -> None:
        if "node_name" not in cls.__dict__:
            cls.node_name = f"{cls.__name__}Backward0"
        cls.__name__ = cls.node_name  # what `type(y.grad_fn).__name__` is in PyTorch

    @staticmethod
    def forward(ctx: Any, *inputs: Any, **parameters: Any) -> Any:
        """The value of the operation."""
        raise NotImplementedError

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """The gradients by the inputs."""
        raise NotImplementedError

    def save(self, *arrays: Array | None) -> None:
        """Keep arrays for backward. Those that belong to tensors are guarded against in-place changes."""
        self.saved = arrays

    @classmethod
    def lay_out(cls, result: Any, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
        """A result in the memory layout that PyTorch gives it: in rows, unless a subclass knows better."""
        return in_rows(result)

    @classmethod
    def apply(cls, *inputs: Any, **parameters: Any) -> Any:
        """Run the operation on tensors (or constants: arrays, numbers); record it if a gradient is wanted."""
        # Every operation of every step comes through here, so what most need is written out, not called.
        node = cls()
        recording = state.enabled
        is_wanted = False
        arrays: list[Any] = []
        edges: list[Edge] = []
        needed: list[bool] = []
        for item in inputs:
            edge = NO_EDGE
            if isinstance(item, TensorBase):
                arrays.append(item._array)
                if recording:
                    if item._view is not None:
                        edge = edge_of(item)
                        # A view made without recording requires grad when its base does, but leads nowhere.
                        is_wanted = is_wanted or edge[0] is not None or item.requires_grad
                    elif item._grad_fn is not None:
                        edge, is_wanted = (item._grad_fn, item._output_index), True
                    elif item._requires_grad:
                        edge, is_wanted = edge_of(item), True
            else:
                arrays.append(item)
            edges.append(edge)
            needed.append(edge is not NO_EDGE)
        node.needs_input_grad = needed
        values = parameters
        for value in parameters.values():
            if type(value) is list or isinstance(value, TensorBase):
                values = {name: _without_tensors(value) for name, value in parameters.items()}
                break
        result = cls.forward(node, *arrays, **values)
        is_multiple = type(result) is tuple
        results = result if is_multiple else (result,)
        outputs = []
        for array in results:
            if not cls.is_view:
                arranged = cls.lay_out(array, arrays, values)
                if arranged is not array:
                    node.saved = tuple([arranged if kept is array else kept for kept in node.saved])
                    array = arranged
            # NumPy makes numbers of 0-dimensional arrays.
            outputs.append(wrap(array if isinstance(array, np.ndarray) else np.asarray(array)))
        if is_wanted:
            node.record(edges, outputs)
            if node.saved:
                others = () if values is parameters else tuple(_flat(parameters))
                node.guards = guards_for(node.saved, (*inputs, *outputs, *others))
                if cls.guards_result:
                    node.guards.append(guard_of_result(outputs[0], len(inputs)))
        if cls.is_view:
            for index, output in enumerate(outputs):
                track_view(output, inputs[0], (cls, parameters, index), is_multiple)
        return tuple(outputs) if is_multiple else outputs[0]

    def record(self, edges: Sequence[Edge], outputs: Sequence[TensorBase]) -> None:
        """Become the node of the graph that leads from `outputs` back along `edges`."""
        self.next_functions = tuple(edges)
        self.age = next(ages)
        cls: Any = type(self)
        if self.node_name is not cls.node_name:  # this call's own: `pow` has several
            self.__class__ = _named(cls, self.node_name)
        self.output_metadata = metadata = []
        for index, output in enumerate(outputs):
            array = output._array
            dtype = array.dtype
            metadata.append((array.shape, dtype))
            if dtype.kind == "f":  # indices and masks carry no gradient
                output._grad_fn, output._output_index = self, index
        if anomaly.enabled:
            self.forward_trace = forward_trace()

    def run(self, grads: list[Array | None]) -> Sequence[Array | None]:
        """Call `backward`, once it is sure that all it saved is as it was."""
        for grad in grads:
            if grad is None:
                if all(other is None for other in grads):
                    return (None,) * len(self.next_functions)
                grads = [np.zeros(*self.output_metadata[i]) if g is None else g for i, g in enumerate(grads)]
                break
        if self.is_released:
            raise RuntimeError(FREED)
        for guard in self.guards:
            raise_if_modified(guard, self)
        result = self.backward(self, *grads)
        return result if type(result) is tuple else (result,)

    def release(self) -> None:
        """Free the saved arrays; a node that saved nothing can run again."""
        if self.saved:
            self.saved = self.guards = ()
            self.is_released = True


class Elementwise(Operation):
    """An operation that goes element by element: its result lies in memory as its inputs do."""

    @classmethod
    def lay_out(cls, result: Any, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
        """The result with its dimensions in the inputs' order."""
        return like_operands(result, inputs)


@functools.cache
def _named(operation: type[Operation], node_name: str) -> type[Operation]:
    """The operation as a class of that name."""
    return (
        operation
        if operation.__name__ == node_name
        else type(node_name, (operation,), {"node_name": node_name})
    )


def _without_tensors(value: Any) -> Any:
    if isinstance(value, TensorBase):
        return value._array
    return [_without_tensors(item) for item in value] if type(value) is list else value


def _flat(parameters: dict[str, Any]) -> Iterator[Any]:
    for value in parameters.values():
        if type(value) is list:
            yield from value
        else:
            yield value
