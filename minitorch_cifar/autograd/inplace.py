"""In-place operations: `x.add_(y)`, `x[0] = y`, `x.copy_(y)`.

Each runs its out-of-place operation, then stores the result in the target, which takes over the result's
place in the graph. So every operation is written once.

Writing to a view changes its base. The base gets a new node, `CopySlices`: its gradient flows through the
operation inside the region of the view, and past it elsewhere.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import FROM_NUMPY, Array
from .accumulate import edge_of
from .anomaly import forward_trace
from .anomaly import mode as anomaly
from .arrays import overlap_in_part, overlaps_itself
from .grad_mode import state
from .node import Node
from .operation import Operation
from .saved import FREED, guard_of_result
from .variable import TensorBase, wrap
from .views import Step, replay

_WRITTEN_TWICE = (
    "unsupported operation: more than one element of the written-to tensor refers to a single memory "
    "location. Please clone() the tensor before performing the operation."
)


def apply_inplace(target: Any, operation: type[Operation], *inputs: Any, **parameters: Any) -> Any:
    """Run `operation` on `inputs`, of which `target` is the first, store its result in `target`, return it.

    RuntimeError when the target must not be written to, or the result does not fit into it.
    """
    tensors = [item for item in inputs if isinstance(item, TensorBase)]
    if state.enabled and any(tensor.requires_grad for tensor in tensors):
        return _recorded(target, operation, inputs, parameters)
    refuse_overlap(target, operation, tensors[1:])
    result = operation.apply(*inputs, **parameters)._array
    _refuse_misfit(target._array, result)
    _write(target._array, result)
    target.bump_version()
    return target


def _recorded(
    target: TensorBase, operation: type[Operation], inputs: tuple[Any, ...], parameters: dict[str, Any]
) -> TensorBase:
    refuse_rewriting(target)
    refuse_overlap(target, operation, [item for item in inputs[1:] if isinstance(item, TensorBase)])
    # The operation gets the target's memory as another array object, so that what it saves of its first input
    # (whose old value can be kept) is told from what it saves of another input that is the target, too.
    before = _alias(target)
    result = operation.apply(before if inputs[0] is target else inputs[0], *inputs[1:], **parameters)
    _refuse_misfit(target._array, result._array)
    node: Any = result._grad_fn
    replaced: dict[int, Array] = {}
    for kept in node.saved:
        if kept is before._array:
            replaced[id(kept)] = kept.copy()  # the value that is overwritten now
        elif kept is result._array:
            replaced[id(kept)] = target._array  # the result's new home
    _write(target._array, result._array)
    target.bump_version()
    if replaced:
        node.saved = tuple(replaced.get(id(kept), kept) for kept in node.saved)
        node.guards = [guard for guard in node.guards if id(guard[0]) not in replaced]
    if any(kept is target._array for kept in replaced.values()):
        counter = target._version_counter
        node.guards.append((target._array, counter, counter.value, len(inputs)))
    if operation.guards_result:
        node.guards = [guard for guard in node.guards if guard[3] != len(inputs)]
        node.guards.append(guard_of_result(target, len(inputs)))
    node.output_metadata = ((target._array.shape, target._array.dtype),)
    take_over(target, node)
    return target


def check_inplace(target: TensorBase) -> None:
    """RuntimeError when `target` must not be changed in place, whatever is written into it."""
    if state.enabled and target.requires_grad:
        refuse_rewriting(target)
    refuse_overlap(target, Operation, ())


def refuse_rewriting(target: TensorBase) -> None:
    """RuntimeError when `target` cannot take over the history of a recorded in-place operation."""
    view = target._view
    if view is not None:
        view.refuse_rewriting(target, "is being")
        if target.requires_grad and view.base.is_leaf:
            raise RuntimeError(
                "a view of a leaf Variable that requires grad is being used in an in-place operation."
            )
    if target.requires_grad and target.is_leaf:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")


def take_over(target: TensorBase, node: Node, output_index: int = 0) -> None:
    """Make `node`, whose result was just stored in `target`, the node that computed it."""
    view = target._view
    if view is None:
        target.set_grad_fn(node, output_index)
    else:
        view.base.set_grad_fn(CopySlices(view.base, node, view.steps))
        view.refresh(target)


def _alias(target: TensorBase) -> TensorBase:
    alias = wrap(target._array.view())
    alias._version_counter, alias._view = target._version_counter, target._view
    alias._grad_fn, alias._output_index = target._grad_fn, target._output_index
    return alias


def refuse_overlap(target: TensorBase, operation: type[Operation], others: Sequence[TensorBase]) -> None:
    """RuntimeError when the target's elements share memory with each other, or some with an operand's.

    Or when the target was made in inference mode, which is over.
    """
    if target._version_counter.is_inference and not state.inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to "
            "get a normal tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for "
            "more details."
        )
    array = target._array
    if overlaps_itself(array) and operation.writes_expanded is not True:
        if operation.writes_expanded:
            form = (
                "tensor[indices] = tensor"
                if operation.writes_expanded == "index_put_"
                else "tensor[mask] = scalar"
            )
            warnings.warn(
                f"Use of {operation.writes_expanded} on expanded tensors is deprecated. Please clone() the "
                "tensor before performing this operation. This also applies to advanced indexing e.g. "
                f"{form}",
                UserWarning,
                stacklevel=4,
            )
            return
        raise RuntimeError(_WRITTEN_TWICE)
    if not operation.reads_a_number and any(
        other._array is not array and overlap_in_part(array, other._array) for other in others
    ):
        raise RuntimeError(
            "unsupported operation: some elements of the input tensor and the written-to tensor refer to a "
            "single memory location. Please clone() the tensor before performing the operation."
        )


def _write(target: Array, result: Array) -> None:
    if overlaps_itself(target):  # an element that stays must not undo another one's change of the same place
        np.copyto(target, result, where=np.not_equal(result, target), casting="unsafe")
    else:
        np.copyto(target, result, casting="unsafe")


def _refuse_misfit(target: Array, result: Array) -> None:
    if result.shape != target.shape:
        raise RuntimeError(
            f"output with shape {list(target.shape)} doesn't match the broadcast shape {list(result.shape)}"
        )
    kind, wanted = FROM_NUMPY[result.dtype], FROM_NUMPY[target.dtype]
    if kind.category > wanted.category:
        raise RuntimeError(
            f"result type {kind.legacy_name} can't be cast to the desired output type {wanted.legacy_name}"
        )


class CopySlices(Node):
    """The node of a base, one of whose views was changed in place by the operation of the node `inner`.

    With the region R of the view:  base' = inner(base[R], ...) inside R, base outside.
    dL/dbase = dL/dbase' outside R, and inside R the gradient that `inner` gives to its first input.
    """

    node_name = "CopySlices"
    returns_fresh_arrays = False

    def __init__(self, base: TensorBase, inner: Node, steps: tuple[Step, ...]) -> None:
        self.inner: Node | None = inner  # None once freed
        self.steps = steps
        self.base_array = base._array  # read for its layout only
        self.output_metadata = ((base._array.shape, base._array.dtype),)
        self.connect((edge_of(base), *inner.next_functions[1:]))
        if anomaly.enabled:
            self.forward_trace = forward_trace()

    def run(self, grads: list[Array | None]) -> Sequence[Array | None]:
        """Split the gradient between the region of the view and the rest."""
        if grads[0] is None:
            return (None,) * len(self.next_functions)
        if self.inner is None:
            raise RuntimeError(FREED)
        grad = np.empty_like(self.base_array)  # laid out alike, so that the view's steps apply to it
        grad[...] = grads[0]
        region = replay(grad, self.steps)
        if overlaps_itself(region):
            raise RuntimeError(_WRITTEN_TWICE)  # a place would get the gradient of one of its elements only
        inside, *others = self.inner.run([region.copy()])
        region[...] = 0 if inside is None else inside
        return (grad, *others)

    def release(self) -> None:
        """Free what the inner operation saved."""
        self.inner = None
