"""One side of a comparison: the engine or PyTorch, in one dtype, and what it computed.

`run` makes tensors from the leaves, calls the function, pushes upstream gradients back, and hands out plain
arrays. On PyTorch's side it can also watch how large the numbers became on the way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..dtypes import Array
from .arrays import Leaf, copy_with_strides, flatten, map_tree


class Side:
    """The engine or PyTorch: its namespace, its name, and how and on which device it makes tensors."""

    def __init__(self, library: Any, name: str, device: str = "cpu") -> None:
        self.library = library
        self.name = name
        self.device = device

    def tensor(self, leaf: Leaf, float_dtype: str) -> Any:
        """A tensor of the leaf's values; floats in `float_dtype`, where that is not empty."""
        kind = np.dtype(float_dtype) if float_dtype and leaf.array.dtype.kind == "f" else leaf.array.dtype
        made = self.library.from_numpy(copy_with_strides(leaf.array, kind)).to(self.device)
        return made.requires_grad_() if leaf.requires_grad else made

    def is_tensor(self, value: Any) -> bool:
        """Whether this side made `value`."""
        return bool(self.library.is_tensor(value))


def engine_side() -> Side:
    """The engine."""
    import minitorch_cifar

    return Side(minitorch_cifar, "minitorch_cifar")


def torch_side(device: str = "cpu") -> Side:
    """PyTorch, its tensors on `device`; ImportError with the line that installs it when it is missing."""
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            "comparing with PyTorch needs PyTorch: pip install 'minitorch-cifar[reference]'"
        ) from error
    return Side(torch, "PyTorch", device)


@dataclass
class Run:
    """What one side computed: outputs, gradients (None where there is none), printed node names."""

    outputs: list[tuple[str, Any]] = field(default_factory=list)
    recorded: list[bool] = field(default_factory=list)  # which outputs require a gradient
    nodes: list[str] = field(default_factory=list)
    gradients: list[tuple[str, Array | None]] = field(default_factory=list)
    largest: float = 0.0  # the largest finite magnitude on the way; watched on PyTorch's side only
    tensors: list[tuple[str, Any]] = field(default_factory=list)  # the leaves


def run(
    side: Side,
    function: Callable[..., Any],
    arguments: tuple[tuple[Any, ...], dict[str, Any]],
    float_dtype: str,
    upstream: Callable[[int, Any], Array] | None,
    watch: bool = False,
) -> Run:
    """Call `function` on tensors of `side`, then `backward` from all outputs with the `upstream` gradients.

    `upstream(i, array)` gives the gradient to start from at output i, whose values are `array`; None leaves
    backward out.
    """
    result = Run()

    def make(value: Any) -> Any:
        if isinstance(value, Leaf):
            tensor = side.tensor(value, float_dtype)
            result.tensors.append((f"input {len(result.tensors)}", tensor))
            return tensor
        return map_tree(value, make)

    positional, named = make(arguments[0]), make(arguments[1])
    with _watching(side, result) if watch else contextlib.nullcontext():
        value = function(*positional, **named)
        outputs = flatten(value, "output")
        for name, output in outputs:
            if side.is_tensor(output):
                result.outputs.append((name, as_array(output)))
                result.recorded.append(bool(output.requires_grad))
                result.nodes.append(repr(output.grad_fn).partition(" ")[0].lstrip("<"))
            else:
                result.outputs.append((name, output))
                result.recorded.append(False)
                result.nodes.append("None")
        if upstream is not None and any(result.recorded):
            _backward(side, outputs, result, upstream)
    for name, tensor in result.tensors:
        if tensor.requires_grad:
            result.gradients.append((name, None if tensor.grad is None else as_array(tensor.grad)))
    return result


def _backward(
    side: Side, outputs: list[tuple[str, Any]], result: Run, upstream: Callable[[int, Any], Array]
) -> None:
    roots, starts = [], []
    for i, (_, output) in enumerate(outputs):
        if result.recorded[i]:
            array = result.outputs[i][1]
            roots.append(output)
            start = upstream(i, array)
            if start.dtype != array.dtype:
                start = copy_with_strides(start, array.dtype)
            starts.append(_gradient_tensor(side, start))
    side.library.autograd.backward(roots, starts)


def _gradient_tensor(side: Side, array: Array) -> Any:
    if side.name != "PyTorch":
        from ..autograd import wrap

        return wrap(array)  # unlike from_numpy it takes every stride, and gradients have every stride
    lying = array.copy() if any(s < 0 for s in array.strides) else array
    return side.library.from_numpy(lying).to(side.device)


def as_array(tensor: Any) -> Array:
    """The values of a tensor of either side."""
    array: Array = tensor.detach().cpu().numpy()
    return array


@contextlib.contextmanager
def _watching(side: Side, result: Run) -> Iterator[None]:
    """Note the largest finite magnitude among everything that PyTorch computes within the block."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            value = func(*args, **(kwargs or {}))
            if "empty" in func.__name__:  # new memory holds anything
                return value
            for item in value if isinstance(value, (tuple, list)) else (value,):
                if isinstance(item, side.library.Tensor) and item.is_floating_point():
                    result.largest = max(result.largest, largest_magnitude(as_array(item)))
            return value

    for _, tensor in result.tensors:
        if tensor.is_floating_point():
            result.largest = max(result.largest, largest_magnitude(as_array(tensor)))
    with Watch():
        yield


def largest_magnitude(array: Array) -> float:
    """The largest |x| among the finite elements, 0 for none."""
    if not array.size:
        return 0.0
    size = np.abs(array)
    largest = float(size.max())
    if np.isfinite(largest):
        return largest
    finite = size[np.isfinite(size)]
    return float(finite.max()) if finite.size else 0.0
