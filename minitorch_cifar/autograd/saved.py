"""What a node saved for backward, and the guard that nobody changed it since.

A gradient computed from a value that was overwritten would be silently wrong. So for each saved array that is
the memory of a tensor the node notes how often that memory had been written to (its version), and compares
before it runs.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..dtypes import Array
from .accumulate import edge_of
from .anomaly import mode as anomaly
from .node import Edge, Node, short_name
from .variable import TensorBase, VersionCounter, type_name, wrap

if TYPE_CHECKING:
    from ..tensor import Tensor

FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have "
    "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
    "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or "
    "if you need to access saved tensors after calling backward."
)

_OF_INFERENCE = (
    "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
    "computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and "
    "use it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`."
)


class Described(NamedTuple):
    """What an error message says of an array that nobody keeps."""

    dtype: np.dtype
    shape: tuple[int, ...]


# A saved array, the version counter of its tensor, the version it had, and which tensor that is: the node's
# inputs count from 0, its outputs follow, then the tensors among its parameters.
Guard = tuple[Array | Described, VersionCounter, int, int]


def guards_for(saved: Sequence[Any], tensors: Sequence[Any]) -> list[Guard]:
    """A guard for each saved array that is the memory, or a view of the memory, of one of `tensors`."""
    guards: list[Guard] = []
    for kept in saved:
        if kept is None or not isinstance(kept, np.ndarray):
            continue
        for position, tensor in enumerate(tensors):
            if isinstance(tensor, TensorBase) and tensor._array is kept:
                guards.append(_guard(kept, tensor, position))
                break
        else:
            if kept.base is not None:
                guards += _guard_of_part(kept, tensors)
    return guards


def guard_of_result(tensor: TensorBase, position: int) -> Guard:
    """A guard for a result of which nothing is kept."""
    array = tensor._array
    return (
        Described(array.dtype, array.shape),
        tensor._version_counter,
        tensor._version_counter.value,
        position,
    )


def _guard(kept: Array, tensor: TensorBase, position: int) -> Guard:
    counter = tensor._version_counter
    if counter.is_inference:
        raise RuntimeError(_OF_INFERENCE)
    return kept, counter, counter.value, position


def _guard_of_part(kept: Array, tensors: Sequence[Any]) -> list[Guard]:
    for position, tensor in enumerate(tensors):
        if isinstance(tensor, TensorBase) and tensor._array is kept.base:  # found without arithmetic
            return [_guard(kept, tensor, position)]
    for position, tensor in enumerate(tensors):
        if isinstance(tensor, TensorBase) and np.may_share_memory(tensor._array, kept):
            return [_guard(kept, tensor, position)]
    return []


def raise_if_modified(guard: Guard, node: Node) -> None:
    """RuntimeError when the tensor behind `guard` was changed in place after `node` had saved it."""
    array, counter, version, position = guard
    if counter.value == version:
        return
    producer, index = _origin(node, position)
    raise modified_error(array, counter, version, node, producer, index)


def _origin(node: Node, position: int) -> Edge:
    edges, outputs = node.next_functions, len(node.output_metadata)
    if position < len(edges):
        return edges[position]
    return (node, position - len(edges)) if position < len(edges) + outputs else (None, 0)


def modified_error(
    array: Array | Described,
    counter: VersionCounter,
    version: int,
    node: Node,
    producer: Node | None,
    index: int,
) -> RuntimeError:
    """The error for a saved `array` of which output `index` of `producer` (None: a leaf) was overwritten."""
    origin = ""
    if producer is not None and producer.next_functions:
        origin = f", which is output {index} of {short_name(producer)},"
    hint = (
        "the backtrace further above shows the operation that failed to compute its gradient. The variable "
        "in question was changed in there or anywhere later."
        if anomaly.enabled
        else "enable anomaly detection to find the operation that failed to compute its gradient, with "
        "torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[{type_name(array)} {list(array.shape)}]{origin} is at version {counter.value}; expected version "
        f"{version} instead. {node.node_name} needs the old value: a method that ends in an underscore, "
        "`out=`, an augmented assignment such as `+=`, or an assignment to an index overwrote it. Use the "
        f"out-of-place form, or change a `.clone()`. Hint: {hint}"
    )


class SavedTensor:
    """A tensor that a user's `Function` saved: its memory, its version and its place in the graph.

    The tensor itself is known only weakly. It may come to hold the node that saved it (it may be an output of
    that node, or be changed in place later), and that would be a reference cycle.
    """

    def __init__(self, tensor: TensorBase, owner: Node) -> None:
        self.array = tensor._array
        self.counter = tensor._version_counter
        self.version = tensor._version_counter.value
        self.reference = weakref.ref(tensor)
        producer, self.index = edge_of(tensor)
        self.is_own_output = producer is owner
        self.producer = None if self.is_own_output else producer

    def unpack(self, owner: Node) -> Tensor:
        """The tensor, or another just like it. RuntimeError when it was changed in place since."""
        producer = owner if self.is_own_output else self.producer
        if self.counter.value != self.version:
            raise modified_error(self.array, self.counter, self.version, owner, producer, self.index)
        known: Any = self.reference()
        if known is None:
            known = getattr(producer, "variable", None)  # of an AccumulateGrad: the leaf
        if known is None:
            known = wrap(self.array)
            known._version_counter = self.counter
            known.set_grad_fn(producer, self.index)
        return known  # type: ignore[no-any-return]
