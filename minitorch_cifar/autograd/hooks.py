"""Hooks: functions of the user that backward calls on its way.

A node has a `Hooks` object once somebody registered a hook on it or on a tensor it computed. In the order of
calling: the hooks of a tensor (`Tensor.register_hook`) see the gradient by one output and may replace it;
`retain_grad` keeps it; the node's own hooks see all gradients before (`register_prehook`) and after
(`register_hook`) the node runs. Every hook sees tensors; a gradient that never arrived is None.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..dtypes import Array
from .variable import TensorBase, type_name, wrap

if TYPE_CHECKING:
    from ..tensor import Tensor

Hook = Callable[..., Any]

_ids = itertools.count()


class RemovableHandle:
    """What registering a hook returns; `remove()` takes the hook away again. Also a context manager."""

    def __init__(self, hooks: dict[int, Any]) -> None:
        self.hooks = hooks
        self.id = next(_ids)

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        self.hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def add_hook(hooks: dict[int, Any], hook: Any) -> RemovableHandle:
    """Put `hook` last into `hooks`."""
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


class Hooks:
    """The hooks of one node and of the tensors that it computed, by output."""

    def __init__(self) -> None:
        self.of_tensors: dict[int, dict[int, Hook]] = {}
        self.retained: dict[int, weakref.ref[TensorBase]] = {}
        self.before: dict[int, Hook] = {}
        self.after: dict[int, Hook] = {}

    def add_to_tensor(self, index: int, hook: Hook) -> RemovableHandle:
        """Call `hook(grad)` with the gradient by output `index`."""
        return add_hook(self.of_tensors.setdefault(index, {}), hook)

    def add_before(self, hook: Hook) -> RemovableHandle:
        """Call `hook(grad_outputs)` before the node runs."""
        return add_hook(self.before, hook)

    def add_after(self, hook: Hook) -> RemovableHandle:
        """Call `hook(grad_inputs, grad_outputs)` after the node ran."""
        return add_hook(self.after, hook)

    def call_tensor_hooks(self, grads: list[Array | None]) -> list[Array | None]:
        """Let the tensors' hooks see and replace their gradients, then keep what `retain_grad` asked for."""
        grads = list(grads)
        for index, hooks in list(self.of_tensors.items()):
            for hook in list(hooks.values()):  # a hook may add and remove hooks
                replacement = hook(_as_tensor(grads[index]))
                if replacement is not None:
                    grads[index] = _checked(replacement, grads[index], hook)
        for index, reference in self.retained.items():
            tensor, grad = reference(), grads[index]
            if tensor is not None and grad is not None:
                tensor._grad = wrap(grad.copy() if tensor._grad is None else tensor._grad._array + grad)
        return grads

    def call_before(self, grads: list[Array | None]) -> list[Array | None]:
        """Let the pre-hooks see and replace the gradients by the node's outputs."""
        for hook in list(self.before.values()):
            grads = _replaced(hook(_as_tensors(grads)), grads, hook)
        return grads

    def call_after(
        self, results: Sequence[Array | None], grads: Sequence[Array | None]
    ) -> list[Array | None]:
        """Let the hooks see and replace the gradients by the node's inputs."""
        found = list(results)
        for hook in list(self.after.values()):
            found = _replaced(hook(_as_tensors(found), _as_tensors(grads)), found, hook)
        return found


def _as_tensor(grad: Array | None) -> Tensor | None:
    return None if grad is None else wrap(grad)


def _as_tensors(grads: Sequence[Array | None]) -> tuple[Tensor | None, ...]:
    return tuple(_as_tensor(grad) for grad in grads)


def _name(hook: Hook) -> str:
    return f"hook '{getattr(hook, '__name__', '<unknown>')}'"


def _replaced(returned: Any, grads: list[Array | None], hook: Hook) -> list[Array | None]:
    """What the hook of a node returned: None, or a tuple of gradients, each as it was or of its kind."""
    if returned is None:
        return grads
    if not isinstance(returned, tuple):
        raise TypeError(f"expected tuple, but hook returned '{type(returned).__name__}'")
    if len(returned) != len(grads):
        raise RuntimeError(
            f"{_name(hook)} has returned an incorrect number of values (got {len(returned)}, but expected "
            f"{len(grads)})"
        )
    return [
        None if new is None else _checked(new, old, hook) for new, old in zip(returned, grads, strict=True)
    ]


def _checked(replacement: Any, grad: Array | None, hook: Hook) -> Array:
    if not isinstance(replacement, TensorBase):
        raise TypeError(f"expected Variable, but hook returned '{type(replacement).__name__}'")
    if grad is None:
        raise RuntimeError("can't replace a None gradient with a non-None value")
    array = replacement._array
    if array.dtype != grad.dtype:
        raise RuntimeError(
            f"{_name(hook)} has changed the type of value (was {type_name(grad)} got {type_name(array)})"
        )
    if array.shape != grad.shape:
        raise RuntimeError(
            f"{_name(hook)} has changed the size of value (was {list(grad.shape)} got {list(array.shape)})"
        )
    return array
