"""Views: tensors that share their memory with another one, their base.

A view remembers the view operations that lead to it from its base. When the base is changed in place, also
through another view, the view has new values, and a new history: the base's new history, followed by these
operations. It is worked out when somebody next asks for it, by running the operations again.

Source: https://docs.pytorch.org/docs/stable/notes/autograd.html#in-place-operations-with-autograd
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ..dtypes import Array
from .grad_mode import enable_grad, state
from .node import short_name
from .variable import TensorBase

if TYPE_CHECKING:
    from .operation import Operation

Step = tuple[type["Operation"], dict[str, Any], int]  # a view operation, its parameters, which of its outputs

# How the view came about. Only one made by an operation with one output, while recording, can be rewritten.
Creation = Literal["default", "no_grad", "inference", "multiple", "function"]


class View:
    """Where a view comes from."""

    __slots__ = ("base", "creation", "steps", "version")

    def __init__(self, base: TensorBase, steps: tuple[Step, ...], creation: Creation) -> None:
        self.base = base  # never a view itself
        self.steps = steps
        self.creation = creation
        self.version = base._version_counter.value  # that for which the view's grad_fn holds

    def refresh(self, tensor: TensorBase) -> None:
        """Give `tensor`, which is this view, its new grad_fn if the memory was changed in place since."""
        version = tensor._version_counter.value
        if version == self.version or not (tensor._grad_fn is not None or self.base.requires_grad):
            return
        self.refuse_rewriting(tensor, "its base or another view of its base has been")
        self.version = version
        replayed: Any = self.base
        with enable_grad():
            for operation, parameters, index in self.steps:
                result = operation.apply(replayed, **parameters)
                replayed = result[index] if type(result) is tuple else result
        tensor.set_grad_fn(replayed._grad_fn, replayed._output_index)

    def refuse_rewriting(self, tensor: TensorBase, what: str) -> None:
        """RuntimeError when `tensor`, which is this view, cannot get another history."""
        if self.creation == "default":
            return
        node = tensor._grad_fn
        origin = f"Output {tensor._output_index} of {short_name(node)} is a view" if node is not None else ""
        if self.creation == "inference":
            made = f"{origin} of a view which was created in" if origin else "A view was created in"
            message = f"{made} inference mode and {what} modified inplace in normal mode."
        elif node is not None and self.creation != "no_grad":
            message = f"{origin} and {what} modified inplace."
        else:
            made = f"{origin} of a view which was created in" if origin else "A view was created in"
            message = f"{made} no_grad mode and {what} modified inplace with grad mode enabled."
        raise RuntimeError(f"{message} {_WHY_NOT[self.creation]}")


_AMBIGUOUS = (
    "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by "
    "moving both the view and the inplace either both inside the {} block (if you don't want the inplace to "
    "be tracked) or both outside (if you want the inplace to be tracked)."
)
_WHY_NOT = {
    "no_grad": _AMBIGUOUS.format("no_grad"),
    "inference": _AMBIGUOUS.format("inference_mode"),
    "multiple": (
        "This view is the output of a function that returns multiple views. Such functions do not allow the "
        "output views to be modified inplace. You should replace the inplace operation by an out-of-place "
        "one."
    ),
    "function": (
        "This view was created inside a custom Function (or because an input was returned as-is) and the "
        "autograd logic to handle view+inplace would override the custom backward associated with the "
        "custom Function, leading to incorrect gradients. This behavior is forbidden. You can fix this by "
        "cloning the output of the custom Function."
    ),
}


def track_view(output: TensorBase, source: TensorBase, step: Step, is_one_of_many: bool) -> None:
    """Note that `output` is what the view operation `step` made of `source`; they share a version."""
    creation: Creation = "default"
    if not state.enabled:
        creation = "inference" if state.inference else "no_grad"
    elif is_one_of_many:
        creation = "multiple"
    elif source._view is not None:
        creation = source._view.creation
    output._version_counter = source._version_counter
    if source._view is None:
        output._view = View(source, (step,), creation)
    else:
        output._view = View(source._view.base, (*source._view.steps, step), creation)


def replay(array: Array, steps: tuple[Step, ...]) -> Array:
    """The view that `steps` make of `array`, sharing its memory."""
    for operation, parameters, index in steps:
        result = operation.forward(operation(), array, **parameters)
        array = result[index] if type(result) is tuple else result
    return array
