"""Reductions: `sum`, `mean`, `max`, `argmax`, `var`, `norm` and their kin; running sums.

`dim` is one dimension, several, or None for all; `keepdim` leaves reduced dimensions in place with size 1.
NumPy's names `axis` and `keepdims` are understood too. Sorting and counting are in `sorting.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import TensorBase
from ..dtypes import FROM_NUMPY, as_dtype
from ..ops import reduction as ops
from .arguments import (
    as_dim,
    as_dims,
    check_tensor,
    constant,
    finish,
    finish_pair,
    floating,
    numpy_names,
    reduced_dtype,
    refuse,
    to_dtype,
)
from .elementwise import maximum, minimum
from .results import max_result, median_result, min_result

if TYPE_CHECKING:
    from ..tensor import Tensor


@numpy_names
def sum(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Tensor | None = None
) -> Tensor:
    """The sum; whole numbers and booleans are added up as int64.

    >>> import minitorch_cifar as torch
    >>> torch.sum(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1)
    tensor([3., 7.])
    """
    check_tensor(input, "sum")
    x = reduced_dtype(input, dtype)
    dims = as_dims(dim, x._array.ndim, "sum")
    result = ops.Sum.apply(x, dims=dims, keepdim=keepdim, whole=dim is None)
    return finish(to_dtype(result, as_dtype(dtype)) if x._array.dtype.kind == "b" else result, out)


@numpy_names
def mean(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Tensor | None = None
) -> Tensor:
    """The mean of floats; NaN of nothing.

    >>> import minitorch_cifar as torch
    >>> torch.mean(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0, keepdim=True)
    tensor([[2., 3.]])
    """
    check_tensor(input, "mean")
    kind = FROM_NUMPY[input._array.dtype] if dtype is None else as_dtype(dtype)
    if not kind.is_floating_point:
        raise NotImplementedError(
            f"mean(): could not infer output dtype. {'Input' if dtype is None else 'Optional'} dtype must be "
            f"either a floating point or complex dtype. Got: {kind.legacy_name}"
        )
    x = input if dtype is None else reduced_dtype(input, dtype)
    dims = as_dims(dim, x._array.ndim, "mean")
    return finish(ops.Mean.apply(x, dims=dims, keepdim=keepdim, whole=dim is None), out)


def _spread_arguments(dim: Any, unbiased: bool | None, correction: Any) -> tuple[Any, float]:
    # var(True) means unbiased=True, var(0) means dim=0: PyTorch has both signatures.
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError("var() and std() take either 'unbiased' or 'correction', not both")
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    return dim, correction


def _check_floating(input: Tensor, name: str) -> None:
    check_tensor(input, name)
    if input._array.dtype.kind != "f":
        raise NotImplementedError("std and var only support floating point and complex dtypes")


@numpy_names
def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """The variance, divided by n - correction (default 1: unbiased).

    >>> import minitorch_cifar as torch
    >>> torch.var(torch.tensor([1.0, 2.0, 3.0])), torch.var(torch.tensor([1.0, 3.0]), correction=0)
    (tensor(1.), tensor(1.))
    """
    _check_floating(input, "var")
    dim, correction = _spread_arguments(dim, unbiased, correction)
    dims = as_dims(dim, input._array.ndim, "var")
    whole = dim is None or not input._array.ndim
    variance = ops.Var.apply(input, dims=dims, keepdim=keepdim, correction=correction, whole=whole)
    return finish(variance, out)


@numpy_names
def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """The standard deviation, the root of the variance."""
    _check_floating(input, "std")
    dim, correction = _spread_arguments(dim, unbiased, correction)
    dims = as_dims(dim, input._array.ndim, "std")
    whole = dim is None or not input._array.ndim
    deviation = ops.Std.apply(input, dims=dims, keepdim=keepdim, correction=correction, whole=whole)
    return finish(deviation, out)


@numpy_names
def prod(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Tensor | None = None
) -> Tensor:
    """The product, of everything or along one dimension; whole numbers and booleans as int64."""
    check_tensor(input, "prod")
    x = reduced_dtype(input, dtype)
    one = dim is not None
    dims = (as_dim(dim, x._array.ndim, "prod"),) if one and x._array.ndim else tuple(range(x._array.ndim))
    if one and not x._array.ndim:
        as_dim(dim, 0, "prod")
    node = f"ProdBackward{1 if one else 0}"
    return finish(ops.Prod.apply(x, dims=dims, keepdim=keepdim, node_name=node), out)


def _unspecified(name: str) -> str:
    return (
        f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim "
        f"with the 'dim' argument."
    )


def check_not_empty(input: Tensor, dims: tuple[int, ...], name: str) -> None:
    """IndexError when one of the dimensions has size 0: nothing cannot have a largest element."""
    for d in dims:
        if input._array.ndim and input._array.shape[d] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")


def _extreme(input: Tensor, dim: Any, keepdim: bool, out: Any, largest: bool) -> Any:
    name = "max" if largest else "min"
    check_tensor(input, name)
    if isinstance(dim, TensorBase):
        return finish((maximum if largest else minimum)(input, dim), out)  # type: ignore[arg-type]
    if dim is None:
        if not input._array.size:
            raise RuntimeError(_unspecified(name))
        parameters = {"keepdim": False, "largest": largest, "nan_shares": True}
        node, dims = f"{name.capitalize()}Backward1", tuple(range(input._array.ndim))
        return finish(ops.Extreme.apply(input, dims=dims, node_name=node, **parameters), out)
    d = as_dim(dim, input._array.ndim, name)
    check_not_empty(input, (d,), name)
    node = f"{name.capitalize()}Backward0"
    pair = ops.ExtremeAlong.apply(input, dim=d, keepdim=keepdim, largest=largest, node_name=node)
    return finish_pair(max_result if largest else min_result, pair, out)


@numpy_names
def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None, out: Any = None) -> Any:
    """The largest element; along `dim` the pair (values, indices); with a second tensor, `maximum`.

    Over everything, equal maxima share the gradient; along a dimension the first one gets it.

    >>> import minitorch_cifar as torch
    >>> values, indices = torch.max(torch.tensor([[1.0, 5.0], [7.0, 2.0]]), 1)
    >>> values, indices
    (tensor([5., 7.]), tensor([1, 0]))
    """
    return _extreme(input, other if other is not None else dim, keepdim, out, largest=True)


@numpy_names
def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None, out: Any = None) -> Any:
    """The smallest element; along `dim` the pair (values, indices); with a second tensor, `minimum`."""
    return _extreme(input, other if other is not None else dim, keepdim, out, largest=False)


def _extremes(input: Tensor, dim: Any, keepdim: bool, out: Any, largest: bool) -> Tensor:
    name = "amax" if largest else "amin"
    check_tensor(input, name)
    dims = as_dims(dim, input._array.ndim, name)
    if not input._array.size and dim in (None, (), []):
        raise RuntimeError(_unspecified(name))
    check_not_empty(input, dims, name)
    parameters = {"keepdim": keepdim, "largest": largest, "nan_shares": False}
    node = f"{name.capitalize()}Backward0"
    return finish(ops.Extreme.apply(input, dims=dims, node_name=node, **parameters), out)


@numpy_names
def amax(input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The largest elements; equal ones share the gradient."""
    return _extremes(input, dim, keepdim, out, largest=True)


@numpy_names
def amin(input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The smallest elements; equal ones share the gradient."""
    return _extremes(input, dim, keepdim, out, largest=False)


def _position(input: Tensor, dim: Any, keepdim: bool, pick: Any, name: str) -> Tensor:
    check_tensor(input, name)
    x = input._array
    if x.dtype.kind == "b":
        raise NotImplementedError(f"{name}(): does not support bool input")
    if dim is None:
        if not x.size:
            raise IndexError(_unspecified(name))
        return constant(np.asarray(pick(x.ravel())).reshape((1,) * x.ndim if keepdim else ()))
    d = as_dim(dim, x.ndim, name)
    if not x.ndim:
        return constant(np.zeros((), np.int64))
    check_not_empty(input, (d,), name)
    return constant(np.asarray(pick(x, axis=d, keepdims=keepdim)))


@numpy_names
def argmax(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """The position of the (first) largest element, of the flattened tensor or along `dim`.

    >>> import minitorch_cifar as torch
    >>> torch.argmax(torch.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
    tensor([1, 0])
    """
    return _position(input, dim, keepdim, np.argmax, "argmax")


@numpy_names
def argmin(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """The position of the (first) smallest element, of the flattened tensor or along `dim`."""
    return _position(input, dim, keepdim, np.argmin, "argmin")


@numpy_names
def median(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The lower median; along `dim` the pair (values, indices)."""
    check_tensor(input, "median")
    x = input._array
    if dim is None and not x.size:
        lowest = {"f": np.nan, "b": True}.get(x.dtype.kind)
        return constant(np.asarray(np.iinfo(x.dtype).min if lowest is None else lowest, x.dtype))
    if dim is not None:
        d = as_dim(dim, x.ndim, "median")
        check_not_empty(input, (d,), "median")
    if x.dtype.kind == "b":
        refuse("median_cpu" if dim is None else "median_out", FROM_NUMPY[x.dtype])
    if dim is None:
        return ops.Median.apply(input)
    return median_result(*ops.MedianAlong.apply(input, dim=d, keepdim=keepdim))


@numpy_names
def logsumexp(input: Tensor, dim: Any, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """ln sum exp, without overflow."""
    check_tensor(input, "logsumexp")
    dims = as_dims(dim, input._array.ndim, "logsumexp")
    return finish(ops.LogSumExp.apply(floating(input), dims=dims, keepdim=keepdim), out)


@numpy_names
def norm(input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    """The p-norm of vectors, (sum |x|^p)^(1/p); "fro" is p = 2.

    >>> import minitorch_cifar as torch
    >>> torch.norm(torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    check_tensor(input, "norm")
    if p == "nuc":
        raise NotImplementedError(
            "norm(): the nuclear norm is not part of minitorch_cifar; p may be 'fro' or a number"
        )
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"linalg.matrix_norm: Order {p} not supported.")
    if input._array.dtype.kind != "f":
        raise NotImplementedError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{FROM_NUMPY[input._array.dtype].legacy_name}"
        )
    x = input if dtype is None else reduced_dtype(input, dtype)
    dims = as_dims(dim, x._array.ndim, "norm")
    power = 2.0 if p in ("fro", None) else float(p)
    if power < 0 and not x._array.size and dim is None:
        raise RuntimeError(f"linalg.vector_norm cannot compute the {power} norm on an empty tensor")
    return ops.Norm.apply(x, p=power, dims=dims, keepdim=keepdim)  # type: ignore[no-any-return]


@numpy_names
def cumsum(input: Tensor, dim: Any, *, dtype: Any = None, out: Tensor | None = None) -> Tensor:
    """Running sums along `dim`."""
    check_tensor(input, "cumsum")
    x = reduced_dtype(input, dtype)
    return finish(ops.Cumsum.apply(x, dim=as_dim(dim, x._array.ndim, "cumsum")), out)


@numpy_names
def cumprod(input: Tensor, dim: Any, *, dtype: Any = None, out: Tensor | None = None) -> Tensor:
    """Running products along `dim`."""
    check_tensor(input, "cumprod")
    x = reduced_dtype(input, dtype)
    return finish(ops.Cumprod.apply(x, dim=as_dim(dim, x._array.ndim, "cumprod")), out)


def trace(input: Tensor) -> Tensor:
    """The sum of a matrix's diagonal."""
    check_tensor(input, "trace")
    if input._array.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input._array.ndim}")
    if input._array.dtype.kind == "b":
        refuse("trace", FROM_NUMPY[input._array.dtype])
    return ops.Trace.apply(reduced_dtype(input, None))  # type: ignore[no-any-return]
