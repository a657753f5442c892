"""Where gradients go: along the edge of a tensor, and at a path's end into the `.grad` of a leaf."""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Sequence

import numpy as np

from ..dtypes import Array
from ..threads import hold_during_fork
from .arrays import is_dense
from .node import NO_EDGE, Edge, Node
from .variable import TensorBase, wrap


def edge_of(tensor: TensorBase) -> Edge:
    """Where a gradient by `tensor` goes: the node that computed it, or that of a leaf that asks for one."""
    if tensor._view is not None:
        tensor._view.refresh(tensor)
    if tensor._grad_fn is not None:
        return tensor._grad_fn, tensor._output_index
    if not tensor._requires_grad:
        return NO_EDGE
    known = tensor._accumulator
    node = known() if known is not None else None
    if node is None:
        node = AccumulateGrad(tensor)
        tensor._accumulator = weakref.ref(node)
    return node, 0


# Two threads may end in the same leaf: `+=` on arrays is not one step.
_accumulating = threading.Lock()
hold_during_fork(_accumulating)


class AccumulateGrad(Node):
    """Adds what arrives to the `.grad` of a leaf.

    The node owns the leaf, and the leaf knows the node only weakly: no reference cycle.
    """

    node_name = "AccumulateGrad"
    age = math.inf

    def __init__(self, variable: TensorBase) -> None:
        self.variable = variable
        self.output_metadata = ((variable._array.shape, variable._array.dtype),)
        self.hooks = variable._leaf_hooks

    def accumulate(self, grad: Array | None, is_private: bool) -> Sequence[Array | None]:
        """leaf.grad += grad, then the hooks that wait for that. A leaf has no inputs, so nothing is returned.

        An array that nobody else holds (`is_private`) becomes the gradient as it is, when it is laid out in
        memory like the leaf; any other is copied into that layout.
        """
        leaf = self.variable
        if grad is not None:
            with _accumulating:
                if leaf._grad is not None:
                    leaf._grad._array += grad
                    leaf._grad.bump_version()
                elif is_private and grad.strides == leaf._array.strides:
                    leaf._grad = wrap(grad)
                else:
                    leaf._grad = wrap(np.empty_like(leaf._array, order="K" if is_dense(leaf._array) else "C"))
                    leaf._grad._array[...] = grad
        for hook in list(leaf._post_accumulate_hooks.values()) if leaf._post_accumulate_hooks else ():
            returned = hook(leaf)
            if returned is not None and returned is not leaf:  # the leaf itself comes from `p.add_(...)`
                raise (RuntimeError if isinstance(returned, TensorBase) else TypeError)(
                    "Tensor post accumulate grad hooks should return None, or the tensor itself; got "
                    f"'{type(returned).__name__}'"
                )
        return ()

    def run(self, grads: list[Array | None]) -> Sequence[Array | None]:
        """Accumulate a gradient that others may hold."""
        return self.accumulate(grads[0], is_private=False)
