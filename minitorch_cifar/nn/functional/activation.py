"""Activation functions: `relu`, `leaky_relu`, `gelu`, `softmax`, ...

They check arguments as PyTorch does; the mathematics is in `ops.activation`. All return a tensor of the
input's shape and dtype. `inplace=True` stores the result in the input and returns it.
"""

from __future__ import annotations

import warnings
from typing import Any

from ...autograd import apply_inplace
from ...dtypes import FROM_NUMPY
from ...functions import activation as functions
from ...functions.arguments import check_tensor
from ...ops import activation as ops
from ...tensor import Tensor

__all__ = [
    "elu",
    "elu_",
    "gelu",
    "leaky_relu",
    "leaky_relu_",
    "log_softmax",
    "relu",
    "relu_",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]

relu_ = functions.relu_


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(input, 0).

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.relu(torch.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    return functions.relu_(input) if inplace else functions.relu(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """input where it is positive, negative_slope * input elsewhere.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.leaky_relu(torch.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    _check(input, "leaky_relu", "leaky_relu_cpu")
    slope = _number(negative_slope, "leaky_relu", "negative_slope")
    if inplace:
        return apply_inplace(input, ops.LeakyReluInplace, input, negative_slope=slope)  # type: ignore[no-any-return]
    return ops.LeakyRelu.apply(input, negative_slope=slope)  # type: ignore[no-any-return]


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """`leaky_relu`, stored in `input`."""
    return leaky_relu(input, negative_slope, inplace=True)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """input where it is positive, alpha * (exp(input) - 1) elsewhere.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.elu(torch.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    _check(input, "elu", "elu_cpu")
    alpha = _number(alpha, "elu", "alpha")
    if inplace:
        return apply_inplace(input, ops.EluInplace, input, alpha=alpha)  # type: ignore[no-any-return]
    return ops.Elu.apply(input, alpha=alpha)  # type: ignore[no-any-return]


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`elu`, stored in `input`."""
    return elu(input, alpha, inplace=True)


def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """input * P(input), P the normal distribution function.

    `approximate="tanh"` takes a formula close to it.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.gelu(torch.tensor([-1.0, 0.0, 2.0]))
    tensor([-0.1587,  0.0000,  1.9545])
    """
    _check(input, "gelu", "GeluKernelImpl")
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"approximate argument must be either none or tanh, but got {approximate!r}")
    return ops.Gelu.apply(input, approximate=approximate)  # type: ignore[no-any-return]


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """input * sigmoid(input), also called swish.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.silu(torch.tensor([-1.0, 0.0, 2.0]))
    tensor([-0.2689,  0.0000,  1.7616])
    """
    _check(input, "silu", "silu_cpu")
    if inplace:
        return apply_inplace(input, ops.Silu, input)  # type: ignore[no-any-return]
    return ops.Silu.apply(input)  # type: ignore[no-any-return]


def softplus(input: Tensor, beta: float = 1, threshold: float = 20) -> Tensor:
    """log(1 + exp(beta * input)) / beta, a smooth `relu`; input itself where beta * input > threshold.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.softplus(torch.tensor([-1.0, 0.0, 30.0]))
    tensor([ 0.3133,  0.6931, 30.0000])
    """
    _check(input, "softplus", "softplus_cpu")
    return ops.Softplus.apply(  # type: ignore[no-any-return]
        input,
        beta=_number(beta, "softplus", "beta"),
        threshold=_number(threshold, "softplus", "threshold"),
    )


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-input)).

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.sigmoid(torch.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """
    return input.sigmoid()


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.tanh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    return input.tanh()


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """exp(input) divided by its sum along `dim`. `dtype`: convert the input to it first.

    Without `dim`, dimension 0 of inputs with 0, 1 or 3 dimensions and dimension 1 of others is taken, with a
    warning.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.softmax(torch.tensor([[1.0, 2.0, 3.0]]), dim=1)
    tensor([[0.0900, 0.2447, 0.6652]])
    """
    if dim is None:
        dim = _implicit_dim("softmax", input.dim(), _stacklevel)
    return input.softmax(dim, dtype=dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """The logarithm of `softmax`, computed without loss of digits. Arguments as there.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.log_softmax(torch.tensor([[1.0, 2.0, 3.0]]), dim=1)
    tensor([[-2.4076, -1.4076, -0.4076]])
    """
    if dim is None:
        dim = _implicit_dim("log_softmax", input.dim(), _stacklevel)
    return input.log_softmax(dim, dtype=dtype)


def _implicit_dim(name: str, ndim: int, stacklevel: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an "
        "argument.",
        stacklevel=stacklevel,
    )
    return 0 if ndim in (0, 1, 3) else 1


def _check(input: Any, function: str, kernel: str) -> None:
    """TypeError unless `input` is a tensor, NotImplementedError for one of whole numbers."""
    check_tensor(input, function)
    kind = FROM_NUMPY[input._array.dtype]
    if not kind.is_floating_point:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind.legacy_name}'")


def _number(value: Any, function: str, argument: str) -> float:
    if isinstance(value, (int, float)):
        return float(value)
    raise TypeError(f"{function}(): argument '{argument}' must be Number, not {type(value).__name__}")
