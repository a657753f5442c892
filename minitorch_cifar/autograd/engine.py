"""Reverse-mode differentiation: one walk over the graph, from the results to the leaves.

A node may run only when every node that uses its output has run, because only then is its gradient, a sum
over all uses, complete. Following each node's inputs depth first gets this wrong as soon as a value is used
twice (the diamond: `y = x * 2; z = y + y.exp()` would run y's node with half of its gradient). So the nodes
are put in order first, and then each runs exactly once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..dtypes import Array
from .accumulate import AccumulateGrad
from .anomaly import mode as anomaly
from .anomaly import refuse_nan, shown_on_failure
from .arrays import broadcasts_to, undo_broadcast
from .grad_mode import no_grad
from .lazy import LazyGradient, as_array, written_out
from .node import Edge, Node

Output = tuple[Node, int]  # one output of a node


def topological_order(roots: Iterable[Node]) -> list[Node]:
    """All nodes reachable from `roots`, users before what they use.

    A node is made after the nodes of its inputs, so it is younger than all it depends on: to sort by age,
    youngest first, is a topological order. Only the ends of the paths, the leaves' nodes, are made when first
    needed: each takes the place right behind the last node that uses it, so that a leaf's `.grad` is ready as
    early as possible. The walk keeps its own stack: a graph may be deeper than Python's.
    """
    place: dict[Node, float] = {root: root.age for root in roots}
    stack = list(place)
    while stack:
        node = stack.pop()
        age = node.age
        for following, _ in node.next_functions:
            if following is None:
                continue
            if type(following) is AccumulateGrad:
                if age - 0.5 < place.get(following, math.inf):
                    place[following] = age - 0.5
            elif following not in place:
                place[following] = following.age
                stack.append(following)
    return sorted(place, key=place.__getitem__, reverse=True)


def run_backward(
    roots: Sequence[tuple[Output, Array]],
    keep_graph: bool,
    targets: Sequence[Edge] | None = None,
    capture: bool = False,
) -> dict[Edge, Array | None]:
    """Send the gradients of `roots` through the graph, into the `.grad` of the leaves.

    With `targets`, only what leads to these edges runs: the nodes on the way, and the targets' own. With
    `capture`, what arrives at the targets is returned, and of their nodes only those run that are on the way
    to another target. What a node saved is freed as soon as it ran, unless `keep_graph`.
    """
    order = topological_order([node for (node, _), _ in roots])
    walk = _Walk()
    running: set[Node] | None = None  # None: all of them
    if targets is not None:
        on_the_way = _leading_to(targets, order)
        walk.reached = on_the_way.union(node for node, _ in targets if node is not None)
        running = on_the_way if capture else walk.reached
    captured: dict[Edge, Array | None] = dict.fromkeys(targets if targets is not None and capture else ())
    for (node, index), grad in roots:
        if walk.reached is None or node in walk.reached:
            walk.add(node, index, grad)
    arrived, private, watched = walk.arrived, walk.private, anomaly.enabled
    is_plain = targets is None and not watched
    with no_grad(), np.errstate(all="ignore"):  # inf - inf where paths meet is NaN, not a warning
        for node in order:
            grads = arrived.pop(node, None)
            if grads is None:  # nothing but None arrived, which a node may still turn into something
                if walk.reached is not None and node not in walk.reached:
                    continue
                grads = [None] * len(node.output_metadata)
            if is_plain and node.hooks is None:  # the usual case, in which nobody looks on
                if type(node) is AccumulateGrad:
                    node.accumulate(grads[0], node in private)
                    continue
                results = node.run(grads)
            else:
                ends_here = running is not None and node not in running
                # As in PyTorch, a tensor's hooks act on what is captured only where the walk ends.
                if captured and not ends_here:
                    _capture(node, grads, captured)
                if node.hooks is not None:
                    grads = node.hooks.call_tensor_hooks(written_out(grads))
                    private.discard(node)  # a hook may have kept the array
                if ends_here:
                    _capture(node, grads, captured)
                    continue
                results = walk.call_watched(node, grads) if watched else walk.call(node, grads)
            if not keep_graph:
                node.release()
            if node.next_functions or results:
                walk.pass_on(node, results, grads)
    return captured


def _leading_to(targets: Sequence[Edge], order: Sequence[Node]) -> set[Node]:
    """The nodes from which a path leads to one of the targets' nodes."""
    ends = {node for node, _ in targets if node is not None}
    leading: set[Node] = set()
    for node in reversed(order):
        if any(following in leading or following in ends for following, _ in node.next_functions):
            leading.add(node)
    return leading


def _capture(node: Node, grads: Sequence[Array | None], captured: dict[Edge, Array | None]) -> None:
    for index, grad in enumerate(written_out(grads)):
        if (node, index) in captured:
            captured[node, index] = grad


class _Walk:
    """The state of one walk: the gradients that arrived so far."""

    def __init__(self) -> None:
        self.arrived: dict[Node, list[Array | None]] = {}
        self.reached: set[Node] | None = None  # the nodes to which gradients go; None: all of them
        self.private: set[Node] = set()  # nodes whose gradient is, so far, an array that nobody else holds

    def call(self, node: Node, grads: list[Array | None]) -> Sequence[Array | None]:
        """Run `node` between its hooks."""
        hooks = node.hooks
        if hooks is not None:
            grads = hooks.call_before(written_out(grads))
        if type(node) is AccumulateGrad:
            results = node.accumulate(grads[0], node in self.private)
        else:
            results = node.run(grads)
        return results if hooks is None else hooks.call_after(written_out(results), grads)

    def call_watched(self, node: Node, grads: list[Array | None]) -> Sequence[Array | None]:
        """Run `node` under anomaly detection."""
        with shown_on_failure(node):
            results = written_out(self.call(node, grads))
            if anomaly.check_nan:
                refuse_nan(node, results)
        return results

    def pass_on(self, node: Node, results: Sequence[Array | None], grads: list[Array | None]) -> None:
        """Add what `node` made of `grads` to what waits at the ends of its edges."""
        edges = node.next_functions
        if len(results) != len(edges):
            raise RuntimeError(
                f"function {node.node_name} returned an incorrect number of gradients (expected "
                f"{len(edges)}, got {len(results)})"
            )
        arrived, reached = self.arrived, self.reached
        for position, grad in enumerate(results):
            if grad is None:
                continue
            target, index = edges[position]
            if target is None or (reached is not None and target not in reached):
                continue
            metadata = target.output_metadata
            shape, dtype = metadata[index]
            if type(grad) is not np.ndarray or grad.shape != shape or grad.dtype != dtype:
                if not isinstance(grad, LazyGradient):
                    grad = _fit(grad, shape, dtype, node, position)
                elif not target.takes_lazy_gradients:
                    grad = grad.dense()
            if len(metadata) > 1:
                self.add(target, index, grad)
            elif target in arrived:
                self.add(target, index, grad)
                self.private.add(target)  # a sum is a new array
            else:
                arrived[target] = [grad]
                # Only leaves care, and views on the way to them.
                may_keep = type(target) is AccumulateGrad or target.is_view
                if may_keep and self._is_private(node, grad, position, results, grads):
                    self.private.add(target)

    def _is_private(
        self, node: Node, grad: Array, position: int, results: Sequence[Any], grads: Sequence[Any]
    ) -> bool:
        """Whether `grad`, which `node` returned at `position`, fills memory that nobody else holds."""
        if not node.returns_fresh_arrays or node.hooks is not None or not grad.flags.writeable:
            return False
        owner = grad
        if grad.base is not None:
            owner = grad.base
            if not isinstance(owner, np.ndarray) or owner.size != grad.size:
                return False
        if len(results) == 1:
            if node in self.private:  # also what it was made of
                return True
        else:
            for index, other in enumerate(results):
                if index != position and other is not None and (other is owner or other.base is owner):
                    return False
        for other in grads:  # noqa: SIM110 - this runs for each leaf
            if other is not None and (other is owner or other.base is owner):
                return False
        return True

    def add(self, node: Node, index: int, grad: Array) -> None:
        """Add `grad` to the gradient by output `index` of `node`."""
        waiting = self.arrived.get(node)
        if waiting is None:
            waiting = self.arrived[node] = [None] * len(node.output_metadata)
        present = waiting[index]
        if present is None:
            waiting[index] = grad
        else:
            waiting[index] = np.asarray(as_array(present) + as_array(grad))


def _fit(grad: Array, shape: tuple[int, ...], dtype: np.dtype, source: Node, position: int) -> Array:
    """A gradient in the shape and dtype of what it is the gradient of; RuntimeError when that cannot be."""
    if grad.shape != shape:
        if not broadcasts_to(shape, grad.shape):
            raise RuntimeError(
                f"Function {source.node_name} returned an invalid gradient at index {position} - got "
                f"{list(grad.shape)} but expected shape compatible with {list(shape)}"
            )
        grad = undo_broadcast(grad, shape)
    return np.asarray(grad, dtype)
