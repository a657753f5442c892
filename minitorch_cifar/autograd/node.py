"""The nodes of the graph.

A node stands for one executed operation, seen from its backward side: it turns the gradients by its outputs
into the gradients by its inputs, and knows, for each input, the edge along which that gradient travels on.
Tensors hold the node that made them and nodes hold the nodes before them; nothing points forward, so there
are no cycles, and a dropped graph is freed at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..dtypes import Array

if TYPE_CHECKING:
    from .hooks import Hooks, RemovableHandle

Edge = tuple["Node | None", int]  # a node, and which of its outputs
NO_EDGE: Edge = (None, 0)  # the way on from an input that wants no gradient
Metadata = tuple[tuple[int, ...], "np.dtype[Any]"]  # shape and dtype of an output

ages = itertools.count()  # see `Node.connect`


class Node:
    """One executed operation, seen from its backward side."""

    node_name = "Node"
    # True when `run` returns arrays that nothing else refers to, its arguments, or views of these.
    returns_fresh_arrays = False
    takes_lazy_gradients = False  # `run` understands the gradients of `lazy.py`
    is_view: ClassVar[bool] = False  # the output shares the first input's memory

    next_functions: tuple[Edge, ...] = ()
    age: float
    output_metadata: Sequence[Metadata] = ()
    hooks: Hooks | None = None
    forward_trace: str | None = None  # where the program made this node; noted in anomaly mode only

    def connect(self, edges: Sequence[Edge]) -> None:
        """Take `edges` as the ways on from here.

        The age is given now, when the nodes that the edges lead to exist: a node is younger than everything
        it depends on, and the engine sorts by that.
        """
        self.next_functions = tuple(edges)
        self.age = next(ages)

    def run(self, grads: list[Array | None]) -> Sequence[Array | None]:
        """The gradients by the inputs, given those by the outputs; None stands for one that never arrived."""
        raise NotImplementedError

    def release(self) -> None:
        """Forget what was saved for backward."""

    def name(self) -> str:
        """The name that PyTorch gives this node, for example `MulBackward0`."""
        return self.node_name

    def some_hooks(self) -> Hooks:
        """The hooks of this node, an empty collection when there are none yet."""
        if self.hooks is None:
            from .hooks import Hooks

            self.hooks = Hooks()
        return self.hooks

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(grad_inputs, grad_outputs)` after this node ran; it may return other grad_inputs."""
        return self.some_hooks().add_after(hook)

    def register_prehook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(grad_outputs)` before this node runs; it may return other grad_outputs."""
        return self.some_hooks().add_before(hook)

    def __repr__(self) -> str:
        return f"<{self.node_name} object at {id(self):#x}>"


def short_name(node: Node) -> str:
    """`Mul` for the node `MulBackward0`, as error messages put it."""
    return node.node_name.partition("Backward")[0]
