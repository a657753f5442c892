"""`Parameter` and `Buffer`: the two kinds of tensor that a `Module` registers when they are assigned to it.

A parameter is learned: `module.parameters()` finds it and an optimizer moves it. A buffer is state that is
saved and moved with the module but never learned, such as the running mean of a batch norm. Both are ordinary
tensors; only their class tells `Module.__setattr__` where to file them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from ..functions.arguments import check_flag
from ..tensor import Tensor

__all__ = ["Buffer", "Parameter"]


def _share(cls: type[Any], data: Tensor | None) -> Any:
    """A tensor of class `cls` on the memory of `data`, outside any graph; writes through either count for
    both.
    """
    tensor = object.__new__(cls)
    if data is None:
        data = Tensor()
    if not isinstance(data, Tensor):
        raise TypeError(
            f"{cls.__name__}(): argument 'data' must be Tensor, not {type(data).__name__}; "
            "make one with torch.tensor(...)"
        )
    tensor._array = data._array
    tensor._version_counter = data._version_counter
    return tensor


class Parameter(Tensor):
    """A tensor that a `Module` learns: a leaf of the graph which requires grad unless told otherwise.

    It shares memory with `data`, so `Parameter(w)` copies nothing. Results of operations on it are plain
    tensors.

    Args:
        data: the values (float32 or float64; other dtypes only with `requires_grad=False`). Default: an empty
            tensor.
        requires_grad: False freezes the parameter; it stays in `parameters()` and in the state dict.

    >>> import minitorch_cifar as torch
    >>> torch.nn.Parameter(torch.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Self:
        check_flag(requires_grad, "Parameter", "requires_grad")
        parameter: Self = _share(cls, data)
        if requires_grad and not np.issubdtype(parameter._array.dtype, np.floating):
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        parameter.requires_grad = bool(requires_grad)
        return parameter

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        """Nothing left to do: `__new__` made the tensor."""

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), self.requires_grad)
        copied: Parameter = memo[id(self)]
        return copied

    def __reduce_ex__(self, protocol: Any) -> tuple[Callable[..., Parameter], tuple[Any, ...]]:
        return _rebuild_parameter, (self.detach(), self.requires_grad, OrderedDict())


def _rebuild_parameter(data: Tensor, requires_grad: bool, backward_hooks: Any) -> Parameter:
    """What unpickling a parameter calls, with the arguments of PyTorch's files. Hooks are never stored."""
    return Parameter(data, requires_grad)


class Buffer(Tensor):
    """A tensor that a `Module` keeps without learning it: assigned to an attribute, it becomes a buffer.

    Args:
        data: the values, any dtype. Memory is shared.
        persistent: whether the buffer is part of the module's `state_dict`.

    >>> import minitorch_cifar as torch
    >>> layer = torch.nn.Identity()
    >>> layer.steps = torch.nn.Buffer(torch.zeros(1))
    >>> list(layer.state_dict())
    ['steps']
    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Self:
        buffer: Self = _share(cls, data)
        buffer.persistent = persistent
        return buffer

    def __init__(self, data: Tensor | None = None, *, persistent: bool = True) -> None:
        """Nothing left to do: `__new__` made the tensor."""
