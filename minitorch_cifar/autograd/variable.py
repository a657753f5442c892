"""What the graph knows of a tensor: `TensorBase`.

A `TensorBase` is one NumPy array and its place in the graph: which node computed it, whether it asks for a
gradient, how often its memory was changed, and of which tensor it is a view. `Tensor` adds the mathematics
and registers itself here, so that operations can wrap their results.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from ..dtypes import FROM_NUMPY, Array
from .grad_mode import state

if TYPE_CHECKING:
    from ..tensor import Tensor
    from .accumulate import AccumulateGrad
    from .hooks import Hooks, RemovableHandle
    from .node import Node
    from .views import View


class VersionCounter:
    """How often a piece of memory was written to; shared by all tensors that share the memory."""

    value = 0
    is_inference = False  # made in inference mode: writes outside are refused, so nobody has to count them


class TensorBase:
    """One array and its place in the graph."""

    _array: Array
    _version_counter: VersionCounter

    # Most tensors need none of the rest, hence defaults of the class: making a tensor must be cheap.
    _requires_grad: bool = False  # the wish of a leaf; what is computed requires grad by its _grad_fn
    _grad: Tensor | None = None
    _grad_fn: Node | None = None
    _output_index: int = 0  # which output of `_grad_fn` this tensor is
    _view: View | None = None
    _retains_grad: bool = False
    _accumulator: weakref.ref[AccumulateGrad] | None = None
    _leaf_hooks: Hooks | None = None  # kept here because the accumulator lives only as long as a graph
    _post_accumulate_hooks: dict[int, Callable[[Any], Any]] | None = None

    # Its place in the graph -----------------------------------------------------------------------------

    @property
    def grad_fn(self) -> Node | None:
        """The node that computed this tensor, or None for a leaf."""
        if self._view is not None:
            self._view.refresh(self)
        return self._grad_fn

    @property
    def is_leaf(self) -> bool:
        """True when no recorded operation computed this tensor."""
        return self.grad_fn is None

    @property
    def output_nr(self) -> int:
        """Which output of its node this tensor is."""
        return self._output_index

    def set_grad_fn(self, node: Node | None, output_index: int = 0) -> None:
        """Say that from now on this tensor is that output of `node`. `retain_grad` moves with the tensor."""
        if self._retains_grad and self._grad_fn is not None and self._grad_fn.hooks is not None:
            self._grad_fn.hooks.retained.pop(self._output_index, None)
            if node is not None:
                node.some_hooks().retained[output_index] = weakref.ref(self)
        self._grad_fn, self._output_index = node, output_index

    # Its memory -----------------------------------------------------------------------------------------

    @property
    def _version(self) -> int:
        """How often this tensor's memory was changed in place."""
        if self._version_counter.is_inference:
            raise RuntimeError("Inference tensors do not track version counter.")
        return self._version_counter.value

    def bump_version(self) -> None:
        """Say that this tensor's memory was written to."""
        self._version_counter.value += 1

    @property
    def _base(self) -> TensorBase | None:
        """The tensor of which this one is a view."""
        return None if self._view is None else self._view.base

    def _is_view(self) -> bool:
        return self._view is not None

    @property
    def data(self) -> Tensor:
        """The same memory outside the graph; changes through it are not guarded."""
        return wrap(self._array.view())

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, TensorBase):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        self._array = value._array
        self._accumulator = None  # it knows the old shape and dtype

    def is_inference(self) -> bool:
        """Whether this tensor was made in `inference_mode`."""
        return self._version_counter.is_inference

    def detach(self) -> Tensor:
        """The same memory outside the graph; changes through it are guarded like the tensor's own."""
        shared = wrap(self._array)
        shared._version_counter = self._version_counter
        return shared

    def detach_(self) -> Self:
        """Take this tensor itself out of the graph."""
        if self._view is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self.set_grad_fn(None)
        self._requires_grad = self._retains_grad = False
        return self

    # Its gradient ---------------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded."""
        if self._requires_grad or self._grad_fn is not None:
            return True
        return self._view is not None and self._view.base.requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise RuntimeError("requires_grad must be a bool")
        if not value and self.grad_fn is not None:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed "
                "variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        if value and self._array.dtype.kind != "f":
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        if value and self._version_counter.is_inference and not state.inference:
            raise RuntimeError(
                "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."
            )
        if self.grad_fn is None:
            self._requires_grad = value

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Record operations on this leaf from now on (or stop), and return it."""
        self.requires_grad = requires_grad
        return self

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward added up here; None before."""
        if self._grad is None and self._grad_fn is not None and not self._retains_grad:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad "
                "attribute won't be populated during autograd.backward(). If you indeed want the .grad "
                "field to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. "
                "If you access the non-leaf Tensor by mistake, make sure you access the leaf Tensor "
                "instead.",
                UserWarning,
                stacklevel=2,
            )
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, TensorBase):
                raise TypeError(
                    "assigned grad expected to be a Tensor or None but got grad of type "
                    f"{type(value).__name__}"
                )
            if value is self:
                raise RuntimeError("can't assign Variable as its own grad")
            if value._array.shape != self._array.shape:
                raise RuntimeError(
                    f"attempting to assign a gradient of size '{list(value._array.shape)}' to a tensor of "
                    f"size '{list(self._array.shape)}'. Please ensure that the gradient and the tensor are "
                    "the same size"
                )
            if value._array.dtype != self._array.dtype:
                raise RuntimeError(
                    f"attempting to assign a gradient with dtype '{FROM_NUMPY[value._array.dtype]}' to a "
                    f"tensor with dtype '{FROM_NUMPY[self._array.dtype]}'. The gradient must match the "
                    "tensor's dtype"
                )
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called on this tensor that is no leaf."""
        return self._retains_grad

    def retain_grad(self) -> None:
        """Keep the gradient of this tensor in `.grad` although it is no leaf."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        node = self.grad_fn
        if node is not None and not self._retains_grad:
            node.some_hooks().retained[self._output_index] = weakref.ref(self)
            self._retains_grad = True

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call `hook(grad)` when this tensor's gradient is ready; what it returns, if not None, replaces it.

        >>> import minitorch_cifar as torch
        >>> x = torch.ones(2, requires_grad=True)
        >>> handle = x.register_hook(lambda grad: grad * 10)
        >>> x.sum().backward()
        >>> x.grad
        tensor([10., 10.])
        """
        from .accumulate import edge_of
        from .hooks import Hooks

        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        node, index = edge_of(self)
        hooks = Hooks() if node is None else node.some_hooks()
        if self._grad_fn is None:
            self._leaf_hooks = hooks
        return hooks.add_to_tensor(index, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Call `hook(tensor)` after a gradient was added to this leaf's `.grad`."""
        from .hooks import add_hook

        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self.grad_fn is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if self._post_accumulate_hooks is None:
            self._post_accumulate_hooks = {}
        return add_hook(self._post_accumulate_hooks, hook)


_tensor_class: type[Any] = TensorBase
_new = object.__new__


def register_tensor_class(cls: type[Any]) -> type[Any]:
    """Let operations return instances of `cls`. Called once, by `tensor.py`."""
    global _tensor_class
    _tensor_class = cls
    return cls


def wrap(array: Array, requires_grad: bool = False) -> Tensor:
    """A new leaf tensor round `array`, which is not copied."""
    tensor: Any = _new(_tensor_class)
    tensor._array = array
    tensor._version_counter = counter = VersionCounter()
    if state.inference:
        counter.is_inference = True
    if requires_grad:
        tensor._requires_grad = True
    return tensor  # type: ignore[no-any-return]


def type_name(array: Any) -> str:
    """`torch.FloatTensor`, as error messages put it."""
    return f"torch.{FROM_NUMPY[array.dtype].legacy_name}Tensor"


class _AnyTensor(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, TensorBase)


class Variable(metaclass=_AnyTensor):
    """A leftover from before tensors and variables became one thing: every tensor is a Variable.

    `Variable(data)` is `data.detach()`, and requires grad when asked to.

    >>> import minitorch_cifar as torch
    >>> torch.autograd.Variable(torch.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Any, requires_grad: bool = False) -> Any:
        if not isinstance(data, TensorBase):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        return data.detach().requires_grad_(requires_grad)
