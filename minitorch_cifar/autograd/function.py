"""`Function`: operations that a user writes, on tensors, exactly as for PyTorch.

    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, grad_output):
            (x,) = ctx.saved_tensors
            return 2 * x * grad_output

    y = Square.apply(x)

The built-in operations use `Operation`, which works on arrays; both end up as nodes of the same graph.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np

from ..dtypes import Array
from .accumulate import edge_of
from .anomaly import forward_trace
from .anomaly import mode as anomaly
from .grad_mode import no_grad, state
from .inplace import take_over
from .node import Metadata, Node
from .saved import FREED, SavedTensor
from .variable import TensorBase, wrap
from .views import View

__all__ = ["Function", "FunctionCtx", "InplaceFunction", "once_differentiable"]


class FunctionCtx(Node):
    """The `ctx` of a `Function`, and its node in the graph. Any attribute may be put on it."""

    _forward_cls: ClassVar[type[Function]]
    needs_input_grad: tuple[bool, ...] = ()
    materialize_grads = True
    is_released = False

    def __init__(self) -> None:
        self.metadata: dict[Any, Any] = {}
        self.to_save: tuple[Any, ...] = ()
        self.dirty: tuple[Any, ...] = ()
        self.non_differentiable: tuple[Any, ...] = ()
        self.saved: list[SavedTensor | None] = []
        self.input_is_tensor: list[bool] = []

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for backward: `ctx.saved_tensors` gives them back, if they were not changed since."""
        for position, tensor in enumerate(tensors):
            if tensor is not None and not isinstance(tensor, TensorBase):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument {position} is of type "
                    f"{type(tensor).__name__}; put other values on ctx as attributes"
                )
        self.to_save = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` kept. RuntimeError when it was freed, or changed in place since."""
        if self.is_released:
            raise RuntimeError(FREED)
        return tuple(None if kept is None else kept.unpack(self) for kept in self.saved)

    def mark_dirty(self, *tensors: Any) -> None:
        """Say which inputs forward changes in place; they must be returned too."""
        for position, tensor in enumerate(tensors):
            if not isinstance(tensor, TensorBase):
                raise RuntimeError(
                    f"mark_dirty can only accept variables, but argument {position} is of type "
                    f"{type(tensor).__name__}"
                )
        self.dirty = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say which outputs have no gradient."""
        for tensor in tensors:
            if not isinstance(tensor, TensorBase):
                raise RuntimeError(
                    "mark_non_differentiable only accepts variable arguments, but got "
                    f"{type(tensor).__name__}"
                )
        self.non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (the default) or None for outputs without a gradient."""
        self.materialize_grads = value

    def run(self, grads: list[Array | None]) -> Sequence[Array | None]:
        """Call the user's backward with tensors, and take the arrays out of what it returns."""
        given = [self._as_tensor(index, grad) for index, grad in enumerate(grads)]
        result = self._forward_cls._backward_rule()(self, *given)
        results = list(result) if isinstance(result, tuple) else [result]
        expected = len(self.input_is_tensor)
        while len(results) > expected and results[-1] is None:
            results.pop()
        if len(results) != expected:
            raise RuntimeError(
                f"function {self.node_name} returned an incorrect number of gradients (expected {expected}, "
                f"got {len(results)})"
            )
        return [self._as_array(i, r) for i, r in enumerate(results) if self._belongs_to_tensor(i, r)]

    def _as_tensor(self, index: int, grad: Array | None) -> Any:
        if grad is None and self.materialize_grads and self.output_metadata[index] is not NO_TENSOR:
            grad = np.zeros(*self.output_metadata[index])
        return None if grad is None else wrap(grad)

    def _as_array(self, position: int, grad: Any) -> Array | None:
        if grad is None:
            return None
        if not isinstance(grad, TensorBase):
            raise RuntimeError(
                f"expected Variable or None (got {type(grad).__name__}) as gradient {position} that "
                f"{self.node_name} returned"
            )
        return grad._array

    def _belongs_to_tensor(self, position: int, grad: Any) -> bool:
        if not self.input_is_tensor[position] and grad is not None:
            raise RuntimeError(
                f"function {self.node_name} returned a gradient different than None at position "
                f"{position + 1}, but the corresponding forward input was not a Variable"
            )
        return self.input_is_tensor[position]

    def release(self) -> None:
        """Free the saved tensors."""
        if self.saved:
            self.saved, self.is_released = [], True

    def __repr__(self) -> str:
        return f"<torch.autograd.function.{self.node_name} object at {id(self):#x}>"


NO_TENSOR: Metadata = ((), np.dtype(bool))  # stands for the shape and dtype of an output that is no tensor


class Function:
    """Base class of user-written operations: subclass it, write `forward` and `backward`, call `apply`.

    Either `forward(ctx, *args)`, or `forward(*args)` with `setup_context(ctx, inputs, output)`.
    `backward(ctx, *grad_outputs)` returns one gradient, or None, for each argument of forward.

    >>> import minitorch_cifar as torch
    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...
    ...     @staticmethod
    ...     def backward(ctx, grad_output):
    ...         (x,) = ctx.saved_tensors
    ...         return 3 * x**2 * grad_output
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x)
    tensor(8., grad_fn=<CubeBackward>)
    """

    _backward_cls: ClassVar[type[FunctionCtx]]

    def __init_subclass__(cls) -> None:
        name = f"{cls.__name__}Backward"
        cls._backward_cls = type(name, (FunctionCtx,), {"_forward_cls": cls, "node_name": name})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you "
            "should invoke them on the class itself: "
            f"{type(self).__name__}.apply(...)",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style "
            f"autograd function with static forward method: {type(self).__name__}.apply(...)"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The value. First argument: ctx, unless `setup_context` is defined."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Save on ctx what backward needs; replaces the ctx argument of forward."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """One gradient (a tensor or None) for each argument of forward."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use "
            "it with backward mode AD."
        )

    vjp = backward  # another name for it

    @classmethod
    def _backward_rule(cls) -> Callable[..., Any]:
        if cls.vjp is Function.vjp:
            return cls.backward
        if cls.backward is not Function.backward:
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should "
                "only implement one of them."
            )
        return cls.vjp

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward, and put this function into the graph when a gradient is wanted."""
        has_setup = cls.setup_context is not Function.setup_context
        if kwargs or has_setup:
            args = _bound(cls.forward, args, kwargs, has_setup)
        node = cls._backward_cls()
        node.needs_input_grad = tuple(isinstance(item, TensorBase) and item.requires_grad for item in args)
        node.input_is_tensor = [isinstance(item, TensorBase) for item in args]
        recording = state.enabled and True in node.needs_input_grad
        if recording:
            node.connect([edge_of(item) for item in args if isinstance(item, TensorBase)])
        with no_grad():
            if has_setup:
                result = cls.forward(*args)
                cls.setup_context(node, args, result)
            else:
                result = cls.forward(node, *args)
            outputs = _finished(node, result if isinstance(result, tuple) else (result,), args, recording)
        if recording and anomaly.enabled:
            node.forward_trace = forward_trace()
        return outputs if isinstance(result, tuple) else outputs[0]


def _bound(
    forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], has_setup: bool
) -> tuple[Any, ...]:
    """All arguments by position, so that each has its gradient."""
    context = () if has_setup else (None,)
    bound = inspect.signature(forward).bind(*context, *args, **kwargs)
    bound.apply_defaults()
    if bound.kwargs:
        raise TypeError(f"forward() got an unexpected keyword argument '{next(iter(bound.kwargs))}'")
    return bound.args[len(context) :]


def _is_in(tensor: Any, tensors: Sequence[Any]) -> bool:
    return any(tensor is other for other in tensors)


def _finished(
    node: FunctionCtx, results: tuple[Any, ...], args: tuple[Any, ...], recording: bool
) -> tuple[Any, ...]:
    """The results as outputs of `node`, when `recording`; as tensors outside the graph otherwise."""
    _check_dirty(node, results, args)
    differentiable = [
        recording
        and isinstance(item, TensorBase)
        and item._array.dtype.kind == "f"
        and not _is_in(item, node.non_differentiable)
        for item in results
    ]
    outputs = tuple(
        _separate(item, differentiable[index], _is_in(item, args), _is_in(item, node.dirty))
        for index, item in enumerate(results)
    )
    if recording:
        node.output_metadata = [
            (o._array.shape, o._array.dtype) if isinstance(o, TensorBase) else NO_TENSOR for o in outputs
        ]
        for index, output in enumerate(outputs):
            if differentiable[index]:
                _record(node, index, output, differentiable.count(True) > 1)
        node.saved = [None if tensor is None else SavedTensor(tensor, node) for tensor in node.to_save]
    # These would keep tensors alive that keep the node alive.
    node.to_save = node.dirty = node.non_differentiable = ()
    return outputs


def _check_dirty(node: FunctionCtx, results: tuple[Any, ...], args: tuple[Any, ...]) -> None:
    for tensor in node.dirty:
        tensor.bump_version()
        if not _is_in(tensor, results):
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as output. The "
                "inputs that are modified inplace must all be outputs of the Function."
            )
        if not _is_in(tensor, args):
            warnings.warn(
                "ctx.mark_dirty() received a tensor that was not an input. Only input Tensors that have been "
                "mutated should be passed to ctx.mark_dirty().",
                stacklevel=4,
            )


def _separate(item: Any, is_differentiable: bool, is_input: bool, is_dirty: bool) -> Any:
    """`item`, or a tensor on its memory where `item` itself must not get, or keep, a place in the graph."""
    if not isinstance(item, TensorBase):
        return item
    if is_input:
        if item.requires_grad and not is_differentiable:
            return item.detach()
        return item if is_dirty else item.view_as(item)  # type: ignore[attr-defined]
    if item.requires_grad and not is_differentiable and item._view is None:
        item.detach_()
    return item


def _record(node: FunctionCtx, index: int, output: TensorBase, is_one_of_many: bool) -> None:
    """Let `node` be what computed `output`."""
    view = output._view
    if not _is_in(output, node.dirty):
        output.set_grad_fn(node, index)
        if view is not None:
            output._view = View(view.base, view.steps, "multiple" if is_one_of_many else "function")
        return
    if output.requires_grad and output.is_leaf:
        raise RuntimeError("a leaf Variable that requires grad has been used in an in-place operation.")
    if view is not None and len(node.output_metadata) > 1:
        raise RuntimeError(
            "If your Function modifies inplace an input that is a view of another Tensor, your Function "
            "cannot return more than one Tensor. This is not supported by the current autograd engine. You "
            "should either make sure the input is not a view (using .clone() for example) or make your "
            "Function only return one Tensor (potentially splitting it into two Functions: one doing the "
            "inplace that returns a single Tensor and a second one that does the other operations)."
        )
    take_over(output, node, index)


class InplaceFunction(Function):
    """A `Function` under the name that older programs use for those that may work in place."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


Rule = TypeVar("Rule", bound=Callable[..., Any])


def once_differentiable(backward: Rule) -> Rule:
    """Decorates a `backward` that cannot be differentiated itself. None can here, so it changes nothing."""
    return no_grad()(backward)
