"""The hooks of a `Module`: registering them, and a call that honours them.

`Module.__call__` goes straight to `forward` while a module has no hooks; this file is the slower road it
takes otherwise: forward pre-hooks see (and may replace) the inputs, forward hooks the output, and full
backward hooks the gradients that arrive at the output and leave through the inputs. The backward hooks are
caught by two identity operations of the graph, one put around the inputs and one around the outputs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from minitorch_cifar.autograd import Function, RemovableHandle, is_grad_enabled
from minitorch_cifar.tensor import Tensor

if TYPE_CHECKING:
    from minitorch_cifar.nn.module import Module

__all__ = ["Hook", "HookDict", "add", "call_with_hooks", "register"]


class Hook(NamedTuple):
    """A registered hook and how it wants to be called."""

    function: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False


HookDict = OrderedDict[int, Hook]  # the hooks of one kind, in calling order


def register(hooks: HookDict, hook: Hook, prepend: bool) -> RemovableHandle:
    """Adds `hook` at the end of `hooks`, or in front of them all, and returns its handle."""
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def add(hooks: OrderedDict[int, Callable[..., Any]], hook: Callable[..., Any]) -> RemovableHandle:
    """Adds a hook around saving or loading (`state_dict.py` calls it), and returns its handle."""
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`module.forward(*args, **kwargs)` between the module's hooks, in PyTorch's order."""
    args, kwargs = _run_forward_pre_hooks(module, args, kwargs)
    called: set[int] = set()
    try:
        backward_hooks = None
        if (module._backward_hooks or module._backward_pre_hooks) and is_grad_enabled():
            backward_hooks = _BackwardHooks(module)
            args = backward_hooks.watch_inputs(args)
        result = module.forward(*args, **kwargs)
        for hook_id, hook in list(module._forward_hooks.items()):
            called.add(hook_id)
            result = _run_forward_hook(module, hook, args, kwargs, result)
        if backward_hooks is not None:
            result = backward_hooks.watch_outputs(result)
        return result
    except Exception:
        # Hooks registered with always_call=True run even when the module fails, with the output None.
        for hook_id, hook in list(module._forward_hooks.items()):
            if hook.always_call and hook_id not in called:
                _run_forward_hook(module, hook, args, kwargs, None)
        raise


def _run_forward_pre_hooks(
    module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    for hook in list(module._forward_pre_hooks.values()):
        if hook.with_kwargs:
            changed = hook.function(module, args, kwargs)
            if changed is None:
                continue
            if not (isinstance(changed, tuple) and len(changed) == 2):
                raise RuntimeError(
                    f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got "
                    f"{changed}."
                )
            args, kwargs = changed
        else:
            changed = hook.function(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    return args, kwargs


def _run_forward_hook(
    module: Module, hook: Hook, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
) -> Any:
    if hook.with_kwargs:
        changed = hook.function(module, args, kwargs, result)
    else:
        changed = hook.function(module, args, result)
    return result if changed is None else changed


class _BackwardHooks:
    """One call's backward hooks: what arrived at the outputs waits here until the inputs' gradients are
    known.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.grad_outputs: tuple[Any, ...] = ()
        self.input_count = 0
        self.watched: list[int] = []

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Passes the tensor arguments through an identity whose backward runs the hooks."""
        self.input_count = len(args)
        self.watched = [
            i for i, value in enumerate(args) if isinstance(value, Tensor) and value.requires_grad
        ]
        if not self.watched:
            return args
        passed = _pass_through(self.leave_through_inputs, [args[i] for i in self.watched])
        replaced = list(args)
        for i, tensor in zip(self.watched, passed, strict=True):
            replaced[i] = tensor
        return tuple(replaced)

    def watch_outputs(self, result: Any) -> Any:
        """Passes the output tensors through an identity whose backward records their gradients."""
        outputs = result if isinstance(result, tuple) else (result,)
        positions = [
            i for i, value in enumerate(outputs) if isinstance(value, Tensor) and value.requires_grad
        ]
        if not positions:
            return result

        def arrive(grads: tuple[Any, ...]) -> tuple[Any, ...]:
            return self.arrive_at_outputs(grads, positions, len(outputs))

        passed = _pass_through(arrive, [outputs[i] for i in positions])
        replaced = list(outputs)
        for i, tensor in zip(positions, passed, strict=True):
            replaced[i] = tensor
        return tuple(replaced) if isinstance(result, tuple) else replaced[0]

    def arrive_at_outputs(self, grads: tuple[Any, ...], positions: list[int], count: int) -> tuple[Any, ...]:
        grad_outputs = _spread(grads, positions, count)
        for hook in list(self.module._backward_pre_hooks.values()):
            changed = hook.function(self.module, grad_outputs)
            if changed is not None:
                grad_outputs = _as_gradients(changed, count, "grad_output")
        self.grad_outputs = grad_outputs
        if not self.watched:  # no input needs a gradient, so this is the only moment to call the hooks
            for hook in list(self.module._backward_hooks.values()):
                changed = hook.function(self.module, (None,) * self.input_count, grad_outputs)
                if changed is not None and any(gradient is not None for gradient in changed):
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should always "
                        "return None or None for all gradients."
                    )
        return tuple(grad_outputs[i] for i in positions)

    def leave_through_inputs(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        grad_inputs = _spread(grads, self.watched, self.input_count)
        for hook in list(self.module._backward_hooks.values()):
            changed = hook.function(self.module, grad_inputs, self.grad_outputs)
            if changed is not None:
                grad_inputs = _as_gradients(changed, self.input_count, "grad_input")
        return tuple(grad_inputs[i] for i in self.watched)


def _spread(grads: tuple[Any, ...], positions: list[int], count: int) -> tuple[Any, ...]:
    """Gradients at their places among all arguments, None where no gradient belongs."""
    spread: list[Any] = [None] * count
    for i, gradient in zip(positions, grads, strict=True):
        spread[i] = gradient
    return tuple(spread)


def _as_gradients(changed: Any, count: int, name: str) -> tuple[Any, ...]:
    gradients = changed if isinstance(changed, tuple) else (changed,)
    if len(gradients) != count:
        raise RuntimeError(
            f"Backward hook returned an invalid number of {name}, got {len(gradients)}, but expected {count}"
        )
    return gradients


def _pass_through(
    on_backward: Callable[[tuple[Any, ...]], tuple[Any, ...]], tensors: list[Tensor]
) -> tuple[Tensor, ...]:
    passed = BackwardHookFunction.apply(on_backward, *tensors)
    return passed if isinstance(passed, tuple) else (passed,)


class BackwardHookFunction(Function):
    """The identity, whose backward hands the gradients to a callback and passes on what that returns."""

    @staticmethod
    def forward(ctx: Any, on_backward: Callable[..., Any], *tensors: Tensor) -> Any:
        ctx.on_backward = on_backward
        views = tuple(tensor.view_as(tensor) for tensor in tensors)
        return views if len(views) > 1 else views[0]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        return (None, *ctx.on_backward(grads))
