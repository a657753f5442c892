"""`backward` and `grad`: the two ways to ask for gradients.

Both check what they are given, and leave the walk over the graph to `engine.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import Array
from .accumulate import edge_of
from .engine import Output, run_backward
from .node import Edge
from .variable import TensorBase, wrap


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradients of `tensors` by the leaves of their graph to the leaves' `.grad`.

    `grad_tensors`: for each tensor the gradient to start from, shaped like it; may be left out for a single
    number. `inputs`: the tensors to accumulate into, instead of all leaves. The graph is freed unless
    `retain_graph`. `create_graph=True` raises NotImplementedError.

    >>> import minitorch_cifar as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> torch.autograd.backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    """
    _refuse_create_graph(create_graph)
    roots = _starting_points(_as_tuple(tensors), grad_tensors)
    if inputs is None:
        run_backward(roots, bool(retain_graph))
        return
    targets = _checked_inputs(inputs, "backward")
    for tensor in targets:
        tensor.retain_grad()
    run_backward(roots, bool(retain_graph), [edge_of(tensor) for tensor in targets])


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of `outputs` by `inputs`, returned; no `.grad` of a leaf changes.

    RuntimeError when an input is not in the graph, unless `allow_unused` (then its gradient is None) or
    `materialize_grads` (then it is zeros).

    >>> import minitorch_cifar as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> torch.autograd.grad(x * x, x)
    (tensor(6.),)
    """
    _refuse_create_graph(create_graph)
    if is_grads_batched or not only_inputs:
        raise NotImplementedError("autograd.grad supports is_grads_batched=False and only_inputs=True only")
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )
    targets = _checked_inputs(inputs, "grad")
    roots = _starting_points(_as_tuple(outputs), grad_outputs)
    edges = [_edge_of_input(tensor) for tensor in targets]
    captured = run_backward(roots, bool(retain_graph), edges, capture=True)
    results: list[Any] = []
    for index, (tensor, edge) in enumerate(zip(targets, edges, strict=True)):
        gradient = captured[edge]
        if gradient is not None:
            results.append(wrap(gradient.copy()))
        elif materialize_grads:
            results.append(wrap(np.zeros_like(tensor._array)))
        elif allow_unused:
            results.append(None)
        else:
            raise RuntimeError(
                f"The differentiated Tensor at index {index} appears to not have been used in the graph. Set "
                "allow_unused=True if this is the desired behavior."
            )
    return tuple(results)


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, Sequence) else (value,)


def _refuse_create_graph(create_graph: bool) -> None:
    if create_graph:
        raise NotImplementedError(
            "create_graph=True (gradients of gradients) is not part of minitorch_cifar: its backward rules "
            "work on arrays and record no graph"
        )


def _checked_inputs(inputs: Any, function: str) -> tuple[Any, ...]:
    tensors = _as_tuple(inputs)
    if not tensors:
        raise RuntimeError(f"`inputs` argument to `{function}()` cannot be empty.")
    for tensor in tensors:
        if not isinstance(tensor, TensorBase):
            raise RuntimeError(f"all inputs have to be Tensors, but got {type(tensor).__name__}")
    return tensors


def _edge_of_input(tensor: TensorBase) -> Edge:
    if not tensor.requires_grad:
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    return edge_of(tensor)


def _starting_points(outputs: tuple[Any, ...], gradients: Any) -> list[tuple[Output, Array]]:
    """For each output the edge at which the walk starts, and the gradient it starts with."""
    if gradients is None or isinstance(gradients, TensorBase):
        gradients = (gradients,) * (1 if gradients is not None else len(outputs))
    given = tuple(gradients)
    for gradient in given[: len(outputs)]:
        _refuse_other_than_tensor(gradient)
    if len(given) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(given)} gradients")
    return [_starting_point(i, *pair) for i, pair in enumerate(zip(outputs, given, strict=True))]


def _starting_point(index: int, output: Any, gradient: Any) -> tuple[Output, Array]:
    if not isinstance(output, TensorBase):
        raise TypeError(f"element {index} of tensors must be a Tensor, but got {type(output).__name__}")
    array = output._array
    if gradient is not None:
        start = _checked_gradient(index, array, gradient)
    elif array.size == 1 or not output.requires_grad:
        start = np.ones_like(array)
    else:
        raise RuntimeError("grad can be implicitly created only for scalar outputs")
    node, output_index = edge_of(output)
    if node is None:
        raise RuntimeError(f"element {index} of tensors does not require grad and does not have a grad_fn")
    return (node, output_index), start


def _refuse_other_than_tensor(gradient: Any) -> None:
    if gradient is not None and not isinstance(gradient, TensorBase):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")


def _checked_gradient(index: int, output: Array, gradient: TensorBase) -> Array:
    array = gradient._array
    if array.shape != output.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{index}] has a shape of torch.Size({list(array.shape)}) and "
            f"output[{index}] has a shape of torch.Size({list(output.shape)})."
        )
    return array.astype(output.dtype, copy=False)
