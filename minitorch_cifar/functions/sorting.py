"""Sorting and counting: `sort`, `topk`, `unique`, `bincount` and their kin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import TensorBase
from ..dtypes import FROM_NUMPY
from ..ops.indexing import Sort
from ..ops.reduction import Unique
from .arguments import (
    as_dim,
    as_dims,
    as_int,
    check_flag,
    check_tensor,
    constant,
    finish_pair,
    numpy_names,
    refuse,
)
from .results import sort_result, topk_result

if TYPE_CHECKING:
    from ..tensor import Tensor


@numpy_names
def sort(
    input: Tensor, dim: Any = -1, descending: bool = False, stable: bool | None = None, *, out: Any = None
) -> Any:
    """The pair (values, indices) in rising order along `dim`; NaN counts as largest. Always stable.

    >>> import minitorch_cifar as torch
    >>> torch.sort(torch.tensor([3.0, 1.0, 2.0])).indices
    tensor([1, 2, 0])
    """
    check_tensor(input, "sort")
    d = as_dim(dim, input._array.ndim, "sort")
    node = f"SortBackward{0 if stable is None else 1}"
    pair = Sort.apply(input, dim=d, descending=bool(descending), length=None, node_name=node)
    return finish_pair(sort_result, pair, out)


@numpy_names
def argsort(input: Tensor, dim: Any = -1, descending: bool = False, stable: bool | None = None) -> Tensor:
    """The indices that sort along `dim`. Always stable."""
    check_tensor(input, "argsort")
    return sort(input, dim, descending).indices  # type: ignore[no-any-return]


@numpy_names
def topk(
    input: Tensor, k: int, dim: Any = -1, largest: bool = True, sorted: bool = True, *, out: Any = None
) -> Any:
    """The k largest (or smallest) elements along `dim`, best first, and their indices.

    >>> import minitorch_cifar as torch
    >>> torch.topk(torch.tensor([3.0, 1.0, 2.0]), 2).values
    tensor([3., 2.])
    """
    check_tensor(input, "topk")
    count = as_int(k, "topk", "k")
    d = as_dim(dim, input._array.ndim, "topk")
    if input._array.dtype.kind == "b":
        raise NotImplementedError("topk does not support bool dtypes on CPU")
    length = input._array.shape[d] if input._array.ndim else 1
    if not 0 <= count <= length:
        raise RuntimeError(
            f"selected index k out of range: k is {count}, the size of dimension {d} is {length}"
        )
    pair = Sort.apply(input, dim=d, descending=largest, length=count, node_name="TopkBackward0")
    return finish_pair(topk_result, pair, out)


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: Any = None,
) -> Any:
    """The different elements in rising order; on request where each went and how often it occurs.

    >>> import minitorch_cifar as torch
    >>> torch.unique(torch.tensor([2, 1, 2]), return_counts=True)
    (tensor([1, 2]), tensor([1, 2]))
    """
    check_tensor(input, "unique")
    for name, flag in (
        ("sorted", sorted),
        ("return_inverse", return_inverse),
        ("return_counts", return_counts),
    ):
        check_flag(flag, "unique", name)
    axis = None if dim is None else as_dim(dim, input._array.ndim, "unique")
    values, inverse, counts = Unique.apply(input, dim=axis)
    results = [values, *([inverse] if return_inverse else []), *([counts] if return_counts else [])]
    return results[0] if len(results) == 1 else tuple(results)


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each whole number from 0 occurs in a vector, or the sum of its weights."""
    check_tensor(input, "bincount")
    x = input._array
    if x.dtype.kind not in "iu":
        refuse("bincount_cpu", FROM_NUMPY[x.dtype])
    if x.ndim != 1 or (x < 0).any():
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if as_int(minlength, "bincount", "minlength") < 0:
        raise RuntimeError(f"minlength should be >= 0, got {minlength}")
    if weights is None:
        return constant(np.bincount(x, None, minlength))
    if not isinstance(weights, TensorBase) or weights._array.shape != x.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    if not x.size:  # PyTorch then counts nothing instead of summing nothing
        return constant(np.zeros(minlength, np.int64))
    sums = np.bincount(x, weights._array, minlength)
    return constant(sums.astype(np.float32) if weights._array.dtype == np.float32 else sums)


@numpy_names
def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """How many elements are not zero."""
    check_tensor(input, "count_nonzero")
    dims = as_dims(dim, input._array.ndim, "count_nonzero")
    return constant(np.asarray(np.count_nonzero(input._array, axis=dims), order="C"))
