"""Activation functions that are also tensor methods: `relu`, `sigmoid`, `tanh`, `softmax`, `log_softmax`.

Those found only in `nn.functional` (`leaky_relu`, `gelu`, ...) are there. `f_` stores the result in `input`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..autograd import apply_inplace
from ..dtypes import FROM_NUMPY, as_dtype
from ..ops import activation as ops
from .arguments import as_dim, check_tensor, finish, floating, refuse, to_dtype
from .shape import clone

if TYPE_CHECKING:
    from ..tensor import Tensor


def _check_relu(input: Tensor) -> None:
    check_tensor(input, "relu")
    if input._array.dtype.kind == "b":
        raise NotImplementedError("Boolean inputs not supported for relu")


def relu(input: Tensor) -> Tensor:
    """max(input, 0), element by element.

    >>> import minitorch_cifar as torch
    >>> torch.relu(torch.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    _check_relu(input)
    return ops.Relu.apply(input)  # type: ignore[no-any-return]


def relu_(input: Tensor) -> Tensor:
    """`relu`, stored in `input`."""
    _check_relu(input)
    return apply_inplace(input, ops.Relu, input)  # type: ignore[no-any-return]


def sigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """1 / (1 + exp(-input)), element by element.

    >>> import minitorch_cifar as torch
    >>> torch.sigmoid(torch.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """
    check_tensor(input, "sigmoid")
    return finish(ops.Sigmoid.apply(floating(input)), out)


def sigmoid_(input: Tensor) -> Tensor:
    """`sigmoid`, stored in `input`."""
    _refuse_whole_numbers(input)
    return apply_inplace(input, ops.Sigmoid, input)  # type: ignore[no-any-return]


def tanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The hyperbolic tangent, element by element.

    >>> import minitorch_cifar as torch
    >>> torch.tanh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    check_tensor(input, "tanh")
    return finish(ops.Tanh.apply(floating(input)), out)


def tanh_(input: Tensor) -> Tensor:
    """`tanh`, stored in `input`."""
    _refuse_whole_numbers(input)
    return apply_inplace(input, ops.Tanh, input)  # type: ignore[no-any-return]


def _refuse_whole_numbers(input: Tensor) -> None:
    if input._array.dtype.kind != "f":
        name = FROM_NUMPY[input._array.dtype].legacy_name
        raise RuntimeError(f"result type Float can't be cast to the desired output type {name}")


def softmax(input: Tensor, dim: int, *, dtype: Any = None, out: Tensor | None = None) -> Tensor:
    """exp(input) divided by its sum along `dim`: positive numbers that sum to 1 there.

    `dtype`: convert the input to it first. IndexError when there is no such dimension, NotImplementedError
    for whole numbers.

    >>> import minitorch_cifar as torch
    >>> torch.softmax(torch.tensor([[1.0, 2.0, 3.0]]), dim=1)
    tensor([[0.0900, 0.2447, 0.6652]])
    """
    input, axis = _softmax_arguments(input, dim, dtype, "softmax")
    if not input._array.size and input._array.dtype.kind != "f":
        return finish(clone(input), out)
    return finish(ops.Softmax.apply(input, dim=axis), out)


def log_softmax(input: Tensor, dim: int, *, dtype: Any = None, out: Tensor | None = None) -> Tensor:
    """The logarithm of `softmax`, computed without loss of digits.

    >>> import minitorch_cifar as torch
    >>> torch.log_softmax(torch.tensor([[1.0, 2.0, 3.0]]), dim=1)
    tensor([[-2.4076, -1.4076, -0.4076]])
    """
    input, axis = _softmax_arguments(input, dim, dtype, "log_softmax")
    if not input._array.size and input._array.dtype.kind != "f":
        return finish(clone(input), out)
    return finish(ops.LogSoftmax.apply(input, dim=axis), out)


def _softmax_arguments(input: Tensor, dim: int, dtype: Any, name: str) -> tuple[Tensor, int]:
    check_tensor(input, name)
    if dtype is not None:
        input = to_dtype(input, as_dtype(dtype))
    kind = FROM_NUMPY[input._array.dtype]
    axis = as_dim(dim, input._array.ndim, name)
    if not kind.is_floating_point and input._array.size:
        part = "_lastdim" if axis == max(input._array.ndim, 1) - 1 else ""
        refuse(f"{name}{part}_kernel_impl", kind)
    return input, axis
