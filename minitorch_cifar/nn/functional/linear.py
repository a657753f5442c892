"""`linear`: the fully connected layer as a function. The mathematics is in `ops.linear` and `ops.matmul`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...autograd import TensorBase
from ...dtypes import FROM_NUMPY
from ...functions.arguments import check_tensor, refuse
from ...functions.matmul import matmul
from ...ops.linear import LinearRows
from ...ops.matmul import Addmm, Mm
from ...ops.shape import T, UnsafeView
from ...tensor import Tensor

__all__ = ["linear"]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input @ weight.T + bias.

    Shapes: input (..., in_features), weight (out_features, in_features), bias (out_features); the result
    (..., out_features). RuntimeError when sizes or dtypes do not fit.

    >>> import minitorch_cifar as torch
    >>> x, weight = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0], [5.0, 6.0]])
    >>> torch.nn.functional.linear(x, weight, torch.tensor([0.0, 100.0]))
    tensor([[ 11., 117.]])
    """
    if isinstance(input, TensorBase) and isinstance(weight, TensorBase) and isinstance(bias, TensorBase):
        x, w, b = input._array, weight._array, bias._array  # the usual case
        fits = x.ndim == w.ndim == 2 and x.shape[1] == w.shape[1] and b.shape == w.shape[:1]
        if fits and x.dtype == w.dtype == b.dtype and x.dtype.kind == "f":
            return LinearRows.apply(bias, input, weight)  # type: ignore[no-any-return]
    check_tensor(input, "linear")
    check_tensor(weight, "linear", "weight")
    if bias is not None:
        check_tensor(bias, "linear", "bias")
    x, w = input._array, weight._array
    if x.ndim == 0 or w.ndim == 0:
        raise RuntimeError(
            f"both arguments to linear need to be at least 1D, but they are {x.ndim}D and {w.ndim}D"
        )
    if w.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {w.ndim}D")
    if w.ndim == 1:
        if bias is not None:
            raise RuntimeError("addmm: mat2 must be a matrix, got 1-D tensor")
        return matmul(input, weight)
    rows = math.prod(x.shape[:-1])
    if x.shape[-1] != w.shape[1]:
        function = "mm" if bias is None else "addmm"
        raise RuntimeError(
            f"{function}: mat1 and mat2 shapes cannot be multiplied ({rows}x{x.shape[-1]} and "
            f"{w.shape[1]}x{w.shape[0]})"
        )
    _check_dtypes(input, weight, bias)
    if x.dtype.kind == "b" and x.size and w.size:
        refuse("addmm_impl_cpu_", FROM_NUMPY[x.dtype])
    result_rows = _linear_rows(input if x.ndim == 2 else input.reshape(rows, x.shape[-1]), weight, bias)
    if x.ndim == 2:
        return result_rows
    return UnsafeView.apply(result_rows, shape=(*x.shape[:-1], w.shape[0]))  # type: ignore[no-any-return]


def _linear_rows(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    if bias is None:
        return Mm.apply(input, T.apply(weight))  # type: ignore[no-any-return]
    shape = (input._array.shape[0], weight._array.shape[0])
    b = bias._array.shape
    if len(b) > 2 or any(size not in (1, wanted) for size, wanted in zip(b[::-1], shape[::-1], strict=False)):
        raise RuntimeError(
            f"The expanded size of the tensor ({shape[1]}) must match the existing size ({(1, *b)[-1]}) at "
            f"non-singleton dimension 1.  Target sizes: {list(shape)}.  Tensor sizes: {list(b)}"
        )
    if b != shape[1:]:
        return Addmm.apply(bias.expand(*shape), input, T.apply(weight))  # type: ignore[no-any-return]
    return LinearRows.apply(bias, input, weight)  # type: ignore[no-any-return]


def _check_dtypes(input: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    if input._array.dtype == weight._array.dtype and (
        bias is None or bias._array.dtype == input._array.dtype
    ):
        return
    if bias is None:
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {_c_name(input)} != {_c_name(weight)}"
        )
    if input._array.dtype != weight._array.dtype:
        pair: tuple[Any, ...] = ("mat1 and mat2", input, weight)
    else:
        pair = ("self and mat2", bias, weight)
    raise RuntimeError(
        f"{pair[0]} must have the same dtype, but got {pair[1].dtype.legacy_name} and "
        f"{pair[2].dtype.legacy_name}"
    )


def _c_name(tensor: Tensor) -> str:
    """The dtype as C++ calls it, as PyTorch's message does."""
    return {
        np.dtype("f4"): "float",
        np.dtype("f8"): "double",
        np.dtype("i8"): "long",
        np.dtype("i4"): "int",
    }.get(tensor._array.dtype, tensor.dtype.name)
