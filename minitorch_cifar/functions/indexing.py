"""Reading and writing at places given by tensors: `gather`, `scatter`, `index_select`, masks; `select`,
`narrow`.

Square brackets are in `subscript.py`.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ..autograd import Operation, apply_inplace
from ..autograd.variable import TensorBase
from ..dtypes import FROM_NUMPY
from ..ops import indexing as ops
from ..ops.shape import Slice
from .arguments import (
    as_constant,
    as_dim,
    as_int,
    check_broadcast,
    check_fits,
    check_flag,
    check_number,
    check_storable,
    check_tensor,
    constant,
    finish,
    numpy_names,
    to_dtype,
)

if TYPE_CHECKING:
    from ..dtypes import Array
    from ..tensor import Tensor


@numpy_names
def select(input: Tensor, dim: Any, index: int) -> Tensor:
    """The slice at one position along `dim`; a view without that dimension."""
    check_tensor(input, "select")
    if not input._array.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    d = as_dim(dim, input._array.ndim, "select")
    n = input._array.shape[d]
    i = as_int(index, "select", "index")
    if not -n <= i < n:
        raise IndexError(
            f"select(): index {i} out of range for tensor of size {list(input._array.shape)} at dimension {d}"
        )
    return Slice.apply(input, index=(slice(None),) * d + (i,), node_name="SelectBackward0")  # type: ignore[no-any-return]


@numpy_names
def narrow(input: Tensor, dim: Any, start: Any, length: int) -> Tensor:
    """`length` slices from `start` along `dim`; a view."""
    check_tensor(input, "narrow")
    if not input._array.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    d, begin = as_dim(dim, input._array.ndim, "narrow"), as_int(start, "narrow", "start")
    count = as_int(length, "narrow", "length")
    n = input._array.shape[d]
    if count < 0:
        raise RuntimeError(f"narrow(): length must be non-negative, got {count}.")
    if not -n <= begin <= n:
        raise IndexError(f"start out of range (expected to be in range of [-{n}, {n}], but got {begin})")
    begin = begin + n if begin < 0 else begin
    if begin + count > n:
        raise RuntimeError(f"start ({begin}) + length ({count}) exceeds dimension size ({n}).")
    index = (slice(None),) * d + (slice(begin, begin + count),)
    return Slice.apply(input, index=index, node_name="SliceBackward0")  # type: ignore[no-any-return]


def _as_indices(index: Any, function: str) -> Array:
    check_tensor(index, function, "index")
    array: Array = index._array
    if array.dtype.kind != "i":
        raise RuntimeError(
            f"{function}(): Expected dtype int32/int64 for index, but got "
            f"{FROM_NUMPY[array.dtype].legacy_name}"
        )
    return array


def _first_outside(indices: Array, size: int) -> int | None:
    outside = (indices < 0) | (indices >= size)
    return int(indices[outside].ravel()[0]) if outside.any() else None


def _refuse_place(place: int, d: int, size: int, kind: type[Exception] = RuntimeError) -> NoReturn:
    raise kind(f"index {place} is out of bounds for dimension {d} with size {size}")


def _size_along(input: Tensor, d: int) -> int:
    return input._array.shape[d] if input._array.ndim else 1


@numpy_names
def index_select(input: Tensor, dim: Any, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The slices at the given indices along `dim`; a copy.

    >>> import minitorch_cifar as torch
    >>> torch.index_select(torch.tensor([[1, 2], [3, 4]]), 1, torch.tensor([1]))
    tensor([[2],
            [4]])
    """
    check_tensor(input, "index_select")
    d = as_dim(dim, input._array.ndim, "index_select")
    indices = _as_indices(index, "index_select")
    if indices.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if not input._array.ndim and indices.size != 1:
        raise RuntimeError(
            f"index_select(): Index to scalar can have only 1 value, got {indices.size} value(s)"
        )
    place = _first_outside(indices, _size_along(input, d))
    if place is not None:
        _refuse_place(place, d, _size_along(input, d), IndexError)
    return finish(ops.IndexSelect.apply(input, dim=d, indices=index), out)


def _along(input: Tensor, dim: Any, index: Any, function: str) -> tuple[int, Array]:
    """The dimension and the indices of gather and scatter, checked against the input."""
    check_tensor(input, function)
    d = as_dim(dim, input._array.ndim, function)
    indices = _as_indices(index, function)
    if max(indices.ndim, 1) != max(input._array.ndim, 1):
        kind = "input" if function == "gather" else "self"
        raise RuntimeError(f"Index tensor must have the same number of dimensions as {kind} tensor")
    place = _first_outside(indices, _size_along(input, d))
    if place is not None:
        _refuse_place(place, d, _size_along(input, d))
    return d, indices


def _too_large(indices: Array, shape: tuple[int, ...], d: int) -> int | None:
    """The first dimension other than `d` in which there are more indices than places."""
    pairs = zip(indices.shape, shape, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if i != d and a > b), None)


@numpy_names
def gather(input: Tensor, dim: Any, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """out[i][j] = input[index[i][j]][j] for dim 0, and so on along other dimensions.

    >>> import minitorch_cifar as torch
    >>> torch.gather(torch.tensor([[1, 2], [3, 4]]), 1, torch.tensor([[1], [0]]))
    tensor([[2],
            [3]])
    """
    d, indices = _along(input, dim, index, "gather")
    wrong = _too_large(indices, input._array.shape, d)
    if wrong is not None:
        raise RuntimeError(
            f"Size does not match at dimension {wrong} expected index {list(indices.shape)} to be no larger "
            f"than self {list(input._array.shape)} apart from dimension {d}"
        )
    return finish(ops.Gather.apply(input, dim=d, indices=index), out)


def _scattering(input: Tensor, dim: Any, index: Any, src: Any, function: str) -> tuple[int, Any]:
    """The dimension and what is to be written: a tensor, or an array made of a number."""
    d, indices = _along(input, dim, index, function)
    shape = input._array.shape
    misfit = _too_large(indices, shape, d) is not None
    expected = f"Expected index {list(indices.shape)} to be no larger than self {list(shape)} apart from "
    expected += f"dimension {d}"
    if not isinstance(src, TensorBase):
        check_number(src, function, "value")
        if misfit:
            raise RuntimeError(expected)
        return d, np.full(indices.shape, as_constant(src, input._array.dtype))
    if src._array.dtype != input._array.dtype:
        raise RuntimeError(f"{function}(): Expected self.dtype to be equal to src.dtype")
    if max(src._array.ndim, 1) != max(indices.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    if misfit or _too_large(indices, src._array.shape or (1,), -1) is not None:
        raise RuntimeError(f"{expected} and to be no larger size than src {list(src._array.shape)}")
    return d, src


def _source(src: Any, value: Any, reduce: Any, function: str) -> Any:
    if reduce is not None:
        raise NotImplementedError(f"{function}(reduce=...) is not part of minitorch_cifar; use scatter_add")
    if (src is None) == (value is None):
        raise TypeError(f"{function}() takes either 'src' or 'value'")
    if value is None:
        return src
    return value.item() if isinstance(value, TensorBase) else value  # type: ignore[attr-defined]


def _scatter_node(source: Any) -> str:
    return f"ScatterBackward{0 if isinstance(source, TensorBase) else 1}"


@numpy_names
def scatter(
    input: Tensor, dim: Any, index: Tensor, src: Any = None, *, value: Any = None, reduce: Any = None
) -> Tensor:
    """A copy of `input` with `src` (a tensor or a number) written along `dim`: out[index[i][j]][j] =
    src[i][j].

    >>> import minitorch_cifar as torch
    >>> torch.scatter(torch.zeros(3), 0, torch.tensor([2, 0]), torch.tensor([5.0, 7.0]))
    tensor([7., 0., 5.])
    """
    d, source = _scattering(input, dim, index, _source(src, value, reduce, "scatter"), "scatter")
    node = _scatter_node(source)
    return ops.Scatter.apply(input, source, dim=d, indices=index, node_name=node)  # type: ignore[no-any-return]


@numpy_names
def scatter_(
    input: Tensor, dim: Any, index: Tensor, src: Any = None, *, value: Any = None, reduce: Any = None
) -> Tensor:
    """`scatter`, stored in `input`."""
    d, source = _scattering(input, dim, index, _source(src, value, reduce, "scatter_"), "scatter")
    parameters = {"dim": d, "indices": index, "node_name": _scatter_node(source)}
    return apply_inplace(input, ops.Scatter, input, source, **parameters)  # type: ignore[no-any-return]


@numpy_names
def scatter_add(input: Tensor, dim: Any, index: Tensor, src: Tensor) -> Tensor:
    """A copy of `input` with src added along `dim` at the indices."""
    check_tensor(src, "scatter_add", "src")
    d, source = _scattering(input, dim, index, src, "scatter_add")
    return ops.ScatterAdd.apply(input, source, dim=d, indices=index)  # type: ignore[no-any-return]


@numpy_names
def scatter_add_(input: Tensor, dim: Any, index: Tensor, src: Tensor) -> Tensor:
    """`scatter_add`, stored in `input`."""
    check_tensor(src, "scatter_add_", "src")
    d, source = _scattering(input, dim, index, src, "scatter_add")
    return apply_inplace(input, ops.ScatterAdd, input, source, dim=d, indices=index)  # type: ignore[no-any-return]


def _index_adding(input: Any, dim: Any, index: Any, source: Any) -> int:
    """The dimension, when all that `index_add` is given fits together."""
    check_tensor(input, "index_add")
    check_tensor(source, "index_add", "source")
    d = as_dim(dim, input._array.ndim, "index_add")
    indices = _as_indices(index, "index_add_")
    if indices.ndim > 1:
        raise IndexError(f"index_add_(): Index is supposed to be a vector, but got dim: {indices.ndim}")
    ours, theirs = (FROM_NUMPY[x._array.dtype].legacy_name for x in (input, source))
    if ours != theirs:
        raise RuntimeError(
            f"index_add_(): self ({ours}) and source ({theirs}) must have the same scalar type"
        )
    shapes = [list(input._array.shape), list(source._array.shape)]
    others = [shape[:d] + shape[d + 1 :] for shape in shapes]
    if len(shapes[0]) != len(shapes[1]) or others[0] != others[1]:
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got "
            f"self.shape = {shapes[0]} source.shape = {shapes[1]}"
        )
    if indices.size != _size_along(source, d):
        raise RuntimeError(
            f"index_add_(): Number of indices ({indices.size}) should be equal to source.size(dim): "
            f"({_size_along(source, d)}), for dim: {d}"
        )
    place = _first_outside(indices, _size_along(input, d))
    if place is not None:
        _refuse_place(place, d, _size_along(input, d), IndexError)
    return d


@numpy_names
def index_add_(input: Tensor, dim: Any, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """Slices of `source`, times `alpha`, added to the slices of `input` at the given indices along `dim`."""
    d = _index_adding(input, dim, index, source)
    return apply_inplace(input, ops.IndexAdd, input, source, dim=d, indices=index, alpha=alpha)  # type: ignore[no-any-return]


@numpy_names
def index_add(input: Tensor, dim: Any, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """A copy of `input` with slices of `source`, times `alpha`, added."""
    d = _index_adding(input, dim, index, source)
    return ops.IndexAdd.apply(input, source, dim=d, indices=index, alpha=alpha)  # type: ignore[no-any-return]


def take(input: Tensor, index: Tensor) -> Tensor:
    """Elements by their position in the flattened tensor."""
    check_tensor(input, "take")
    check_tensor(index, "take", "index")
    places, size = index._array, input._array.size
    if places.dtype != np.int64:
        kind = FROM_NUMPY[places.dtype].legacy_name
        raise RuntimeError(f"take(): Expected a long tensor for index, but got {kind}")
    if places.size and not size:
        raise IndexError("take(): tried to take from an empty tensor")
    outside = (places < -size) | (places >= size)
    if outside.any():
        raise IndexError(
            f"out of range: tried to access index {places[outside].ravel()[0]} on a tensor of {size} "
            "elements."
        )
    return ops.Take.apply(input, places=index)  # type: ignore[no-any-return]


def _masked_filling(input: Any, mask: Any, value: Any) -> tuple[type[Operation], list[Any], dict[str, Any]]:
    """The operation that fills, its inputs and its parameters."""
    check_tensor(input, "masked_fill")
    check_tensor(mask, "masked_fill", "mask")
    if mask._array.dtype.kind != "b":
        raise RuntimeError(
            "masked_fill_ only supports boolean masks, but got mask with dtype "
            f"{FROM_NUMPY[mask._array.dtype]}"
        )
    check_broadcast(mask._array, input._array)
    kind = FROM_NUMPY[input._array.dtype]
    if not isinstance(value, TensorBase):
        check_number(value, "masked_fill", "value")
        check_fits(value, kind)
        return ops.MaskedFillWithNumber, [input], {"mask": mask, "value": value}
    if value._array.ndim:
        raise RuntimeError(
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value._array.ndim} dimension(s)."
        )
    return ops.MaskedFill, [input, to_dtype(value, kind)], {"mask": mask}  # type: ignore[arg-type]


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """A copy of `input` with `value`, a number or a 0-dimensional tensor, where the mask holds.

    >>> import minitorch_cifar as torch
    >>> torch.masked_fill(torch.tensor([1.0, 2.0]), torch.tensor([True, False]), 0)
    tensor([0., 2.])
    """
    operation, inputs, parameters = _masked_filling(input, mask, value)
    return operation.apply(*inputs, **parameters)  # type: ignore[no-any-return]


def masked_fill_(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """`masked_fill`, stored in `input`."""
    operation, inputs, parameters = _masked_filling(input, mask, value)
    shape = np.broadcast_shapes(input._array.shape, mask._array.shape)
    check_storable(input, shape, FROM_NUMPY[input._array.dtype])
    return apply_inplace(input, operation, *inputs, **parameters)  # type: ignore[no-any-return]


def masked_select(input: Tensor, mask: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The elements where the mask holds, as a vector."""
    check_tensor(input, "masked_select")
    check_tensor(mask, "masked_select", "mask")
    if mask._array.dtype.kind != "b":
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    check_broadcast(mask._array, input._array)
    return finish(ops.MaskedSelect.apply(input, mask=mask), out)


def nonzero(input: Tensor, *, out: Tensor | None = None, as_tuple: bool = False) -> Any:
    """The places of the elements that are not zero: a matrix of indices, or one vector per dimension."""
    check_tensor(input, "nonzero")
    check_flag(as_tuple, "nonzero", "as_tuple")
    if as_tuple:
        if out is not None:
            raise RuntimeError("nonzero does not support the out kwarg when as_tuple is True")
        source = input._array if input._array.ndim else input._array.reshape(1)
        return tuple(constant(places.astype(np.int64)) for places in np.nonzero(source))
    return finish(constant(np.argwhere(input._array).astype(np.int64)), out)


def argwhere(input: Tensor) -> Tensor:
    """The places of the elements that are not zero, one row of indices each."""
    return nonzero(input)  # type: ignore[no-any-return]


def fill_diagonal_(input: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """The main diagonal of a matrix becomes `fill_value`."""
    from .inplace import fill_
    from .shape import diagonal

    check_tensor(input, "fill_diagonal_")
    if input._array.ndim < 2:
        raise RuntimeError("dimensions must larger than 1")
    if wrap or input._array.ndim > 2:
        raise NotImplementedError("fill_diagonal_ supports matrices with wrap=False only")
    fill_(diagonal(input), fill_value)
    return input


MAX_COMBINATIONS = 50_000_000  # rows


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of r elements of a vector, in order."""
    check_tensor(input, "combinations")
    if input._array.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input._array.shape)}")
    count = as_int(r, "combinations", "r")
    if count < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {count}")
    if count == 0:
        return constant(np.empty(0, input._array.dtype))
    check_flag(with_replacement, "combinations", "with_replacement")
    size = input._array.size
    rows = math.comb(size + count - 1, count) if with_replacement and size else math.comb(size, count)
    if rows > MAX_COMBINATIONS:
        raise RuntimeError(f"combinations(): {rows:,} rows; at most {MAX_COMBINATIONS:,} are made")
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = np.asarray(list(choose(range(input._array.size), count)), np.int64)
    return ops.Index.apply(input, index=[places.reshape(-1, count)])  # type: ignore[no-any-return]
