"""Square brackets: `x[...]` and `x[...] = value`.

An index is taken in two steps, as in PyTorch. Integers, slices, None and `...` pick a view; then the arrays
among the items (index tensors, masks, lists) pick from that view. NumPy does both at once, and disagrees on
where the picked dimensions go when integers and arrays are mixed.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd import apply_inplace
from ..autograd.arrays import broadcasts_to
from ..autograd.variable import TensorBase
from ..dtypes import FROM_NUMPY
from ..ops import indexing as ops
from ..ops.shape import Slice
from .arguments import as_constant, check_fits
from .inplace import copy_, fill_
from .shape import reshape

if TYPE_CHECKING:
    from ..dtypes import Array
    from ..tensor import Tensor

_ALL = slice(None)


@dataclass
class _Subscript:
    """An index in its two steps: `basic` for the input, `arrays` for the view that it picks.

    sources: `arrays`, but with the tensor in place of an array that is a tensor's memory. node_name: what
    PyTorch calls the node of the view. is_whole: the view is all of the input.
    """

    basic: tuple[Any, ...]
    arrays: tuple[Any, ...] | None
    sources: list[Any]
    node_name: str

    @property
    def is_whole(self) -> bool:
        return self.node_name == "AliasBackward0"


def getitem(input: Tensor, index: Any) -> Tensor:
    """`input[index]`: a view for integers and slices, a copy for index tensors, masks and lists.

    >>> import minitorch_cifar as torch
    >>> x = torch.arange(6).view(2, 3)
    >>> x[1, :2], x[:, torch.tensor([2, 0])]
    (tensor([3, 4]), tensor([[2, 0],
            [5, 3]]))
    """
    subscript = _parse(index, input._array)
    if subscript.arrays is None:
        return _view(input, subscript)
    place = input if subscript.is_whole else _view(input, subscript)
    _check_arrays(subscript.arrays, place._array.shape)
    _check_range(subscript.arrays, place._array.shape)
    return ops.Index.apply(place, index=subscript.sources)  # type: ignore[no-any-return]


def setitem(input: Tensor, index: Any, value: Any) -> None:
    """`input[index] = value`: a number, or a tensor that broadcasts to the places."""
    subscript = _parse(index, input._array)
    place = input if subscript.is_whole else _view(input, subscript)
    if not isinstance(value, (TensorBase, int, float, np.generic)):
        kind = "numpy.ndarray" if isinstance(value, np.ndarray) else type(value).__name__
        raise TypeError(
            f"can't assign a {kind} to a torch.{FROM_NUMPY[input._array.dtype].legacy_name}Tensor; make it a "
            "tensor first"
        )
    if index is False:
        return  # picks nothing; PyTorch does not look at the value's shape then
    if subscript.arrays is not None:
        _check_arrays(subscript.arrays, place._array.shape)
        _put(place, subscript.arrays, subscript.sources, value)
    elif not isinstance(value, TensorBase) or (place._array.ndim and not value._array.ndim):
        fill_(place, value)
    else:
        copy_(place, _without_leading_ones(value, place._array.ndim))


def _view(input: Tensor, subscript: _Subscript) -> Tensor:
    return Slice.apply(input, index=subscript.basic, node_name=subscript.node_name)  # type: ignore[no-any-return]


def _without_leading_ones(value: Any, ndim: int) -> Tensor:
    shape = value._array.shape
    while len(shape) > ndim and shape[0] == 1:
        shape = shape[1:]
    return reshape(value, shape) if shape != value._array.shape else value


def _put(place: Tensor, arrays: tuple[Any, ...], sources: list[Any], value: Any) -> None:
    """Write a number or a tensor at the places that `arrays` pick."""
    used = [item for item in arrays if isinstance(item, np.ndarray)]
    if isinstance(value, TensorBase):
        _put_tensor(place, arrays, sources, value)  # type: ignore[arg-type]
        return
    _check_range(arrays, place._array.shape)
    kind = FROM_NUMPY[place._array.dtype]
    check_fits(value, kind)
    if len(used) == 1 and used[0].dtype.kind == "b":
        before = _position(arrays, used[0])
        behind = place._array.ndim - before - used[0].ndim
        mask = used[0].reshape(used[0].shape + (1,) * behind)
        apply_inplace(place, ops.MaskedFillWithNumber, place, value=value, mask=mask)
        return
    number = np.asarray(as_constant(value, place._array.dtype))
    is_fill = len(used) == 1 and used[0].ndim < 2
    operation, node = (
        (ops.IndexFill, "IndexFillBackward0") if is_fill else (ops.IndexPut, "IndexPutBackward0")
    )
    apply_inplace(place, operation, place, number, index=sources, node_name=node)


def _position(arrays: tuple[Any, ...], item: Any) -> int:
    return next(i for i, other in enumerate(arrays) if other is item)


def _put_tensor(place: Tensor, arrays: tuple[Any, ...], sources: list[Any], value: Tensor) -> None:
    picked = _picked_shape(arrays, place._array.shape)
    _check_range(arrays, place._array.shape, only_of_nothing=True)
    source = _without_leading_ones(value, len(picked))
    if not broadcasts_to(source._array.shape, picked):
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(value._array.shape)} cannot be broadcast to "
            f"indexing result of shape {list(picked)}"
        )
    if source._array.dtype != place._array.dtype:
        ours, theirs = FROM_NUMPY[place._array.dtype], FROM_NUMPY[source._array.dtype]
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {ours.legacy_name} for the "
            f"destination and {theirs.legacy_name} for the source."
        )
    _check_range(arrays, place._array.shape)
    apply_inplace(place, ops.IndexPut, place, source, index=sources, node_name="IndexPutBackward0")


def _parse(index: Any, array: Array) -> _Subscript:
    """Sort the items of an index into its two steps. IndexError for too many, for unknown ones, and
    outside.
    """
    items = list(index) if isinstance(index, tuple) or _is_tuple_like(index) else [index]
    owners = {id(item._array): item for item in items if isinstance(item, TensorBase)}
    items = [_as_item(item) for item in items]
    used = sum(_dimensions_used(item) for item in items)
    _check_count(items, used, array.shape)
    rest = array.ndim - used  # what `...` stands for
    basic: list[Any] = []
    arrays: list[Any] = []
    node = "AliasBackward0"
    dim = 0  # of the input
    for item in items:
        if item is Ellipsis:
            basic += [_ALL] * rest
            arrays += [_ALL] * rest
            dim, rest = dim + rest, 0
        elif item is None:
            basic.append(None)
            arrays.append(_ALL)
            node = "UnsqueezeBackward0"
        elif isinstance(item, int):
            if not -array.shape[dim] <= item < array.shape[dim]:
                raise IndexError(
                    f"index {item} is out of bounds for dimension {dim} with size {array.shape[dim]}"
                )
            basic.append(item)
            node = "SelectBackward0"
            dim += 1
        elif isinstance(item, slice):
            if isinstance(index, slice) or not _is_full(item, array.shape[dim]):
                node = "SliceBackward0"
            basic.append(item)
            arrays.append(_ALL)
            dim += 1
        elif item.ndim == 0:  # True or False: a new dimension of size 1 or 0
            basic.append(None)
            arrays.append(np.zeros(1 if item else 0, np.int64))
            node = "UnsqueezeBackward0"
        else:
            width = _dimensions_used(item)
            basic += [_ALL] * width
            arrays.append(item)
            dim += width
    has_arrays = any(isinstance(item, np.ndarray) for item in arrays)
    sources = [owners.get(id(item), item) for item in arrays]
    return _Subscript(tuple(basic), tuple(arrays) if has_arrays else None, sources, node)


def _is_tuple_like(index: Any) -> bool:
    # PyTorch takes a list that holds more than numbers for a tuple, as NumPy once did.
    return (
        isinstance(index, list)
        and len(index) < 32
        and any(
            item is None or item is Ellipsis or isinstance(item, (slice, Sequence, TensorBase))
            for item in index
        )
    )


def _as_item(item: Any) -> Any:
    """None, Ellipsis, an int, a slice of ints, or an array of integers or booleans."""
    if item is None or item is Ellipsis:
        return item
    if isinstance(item, slice):
        return _as_slice(item)
    if isinstance(item, (bool, np.bool_)):
        return np.asarray(bool(item))
    if isinstance(item, str):
        raise TypeError("new(): invalid data type 'str'")
    if isinstance(item, TensorBase):
        return _as_array(item._array)
    if isinstance(item, (Sequence, np.ndarray)):
        array = np.asarray(item if isinstance(item, np.ndarray) else _numbers(item))
        return _as_array(array.astype(np.int64) if not array.size and array.dtype.kind == "f" else array)
    try:
        return operator.index(item)
    except TypeError:
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
            f"indices (got {type(item).__name__})"
        ) from None


def _numbers(item: Any) -> Any:
    """A sequence within an index: tensors in it stand for one number each."""
    if isinstance(item, TensorBase):
        if item._array.size != 1 or item._array.dtype.kind not in "bui":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return item._array.item()
    return [_numbers(i) for i in item] if isinstance(item, Sequence) and not isinstance(item, str) else item


def _as_array(array: Array) -> Any:
    if array.dtype.kind not in "bui":
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    if array.dtype == np.uint8:
        return array.astype(bool)  # PyTorch's old masks
    return int(array) if array.ndim == 0 and array.dtype.kind == "i" else array


def _as_slice(item: slice) -> slice:
    ends: list[int | None] = []
    for end in (item.start, item.stop, item.step):
        try:
            ends.append(None if end is None else operator.index(end))
        except TypeError:
            if isinstance(end, TensorBase):
                raise
            raise TypeError("slice indices must be integers or None or have an __index__ method") from None
    if ends[2] is not None and ends[2] <= 0:
        raise ValueError("step must be greater than zero")
    return slice(*ends)


def _is_full(item: slice, size: int) -> bool:
    start, stop, step = item.indices(size)
    return (start, step) == (0, 1) and stop == size


def _dimensions_used(item: Any) -> int:
    if isinstance(item, np.ndarray):
        return item.ndim if item.dtype.kind == "b" else 1
    return 0 if item is None or item is Ellipsis else 1


def _check_count(items: list[Any], used: int, shape: tuple[int, ...]) -> None:
    if used <= len(shape):
        return
    if not shape and len(items) == 1 and isinstance(items[0], int):
        raise IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to "
            "convert a 0-dim tensor to a number"
        )
    if not shape and len(items) == 1 and isinstance(items[0], slice):
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    raise IndexError(f"too many indices for tensor of dimension {len(shape)}")


def _check_arrays(arrays: tuple[Any, ...], shape: tuple[int, ...]) -> None:
    """IndexError for a mask of another shape, or index arrays that do not broadcast."""
    dim = 0
    for item in arrays:
        if isinstance(item, np.ndarray) and item.dtype.kind == "b":
            for k, size in enumerate(item.shape):
                if size != shape[dim + k]:
                    raise IndexError(
                        f"The shape of the mask {list(item.shape)} at index {k} does not match the shape of "
                        f"the indexed tensor {list(shape)} at index {dim + k}"
                    )
        dim += _dimensions_used(item)
    shapes = [_index_shape(item) for item in arrays if isinstance(item, np.ndarray)]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        given = ", ".join(str(list(s)) for s in shapes)
        raise IndexError(
            f"shape mismatch: indexing tensors could not be broadcast together with shapes {given}"
        ) from None


def _check_range(arrays: tuple[Any, ...], shape: tuple[int, ...], only_of_nothing: bool = False) -> None:
    """IndexError for an index outside; `only_of_nothing`: only for one into a dimension of size 0."""
    dim = 0
    for item in arrays:
        if isinstance(item, np.ndarray) and item.dtype.kind != "b" and not (only_of_nothing and shape[dim]):
            outside = (item < -shape[dim]) | (item >= shape[dim])
            if outside.any():
                raise IndexError(
                    f"index {item[outside].ravel()[0]} is out of bounds for dimension {dim} with size "
                    f"{shape[dim]}"
                )
        dim += _dimensions_used(item)


def _index_shape(item: Array) -> tuple[int, ...]:
    return (int(np.count_nonzero(item)),) if item.dtype.kind == "b" else item.shape


def _picked_shape(arrays: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of x[arrays]. The dimensions that arrays pick stand together: at the place of the first array
    when the arrays are neighbours, else in front.
    """
    kept: list[int] = []
    places: list[int] = []  # among the items, of the arrays
    first, dim = 0, 0
    for place, item in enumerate(arrays):
        if isinstance(item, np.ndarray):
            first = first if places else len(kept)
            places.append(place)
        else:
            kept.append(shape[dim])
        dim += _dimensions_used(item)
    kept += shape[dim:]
    if places[-1] - places[0] >= len(places):
        first = 0
    shapes = [_index_shape(item) for item in arrays if isinstance(item, np.ndarray)]
    return (*kept[:first], *np.broadcast_shapes(*shapes), *kept[first:])
