"""Operations that read or write at places given by tensors: advanced indexing, gather, scatter, masks.

The gradient of reading is adding at the same places; a place that was read twice gets both gradients.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.arrays import broadcasts_to
from ..autograd.layout import in_rows, like_operands
from ..autograd.operation import Operation
from ..dtypes import Array
from .arithmetic import like


def add_at(shape: tuple[int, ...], index: Any, grad: Array) -> Array:
    """Zeros of `shape` with `grad` added at `index`, repeated places added up, in float64 inside."""
    total = np.zeros(shape, np.float64)
    with np.errstate(all="ignore"):
        np.add.at(total, index, grad)
        return total.astype(grad.dtype)


def along(indices: Array, dim: int) -> Any:
    """The index that stands for "`indices` along `dim`, one's own place elsewhere"."""
    if not indices.ndim:
        return ...
    places: list[Array] = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
    places[dim] = indices
    return tuple(places)


def slices_at(indices: Array, dim: int, ndim: int) -> Any:
    """The index that picks whole slices along `dim`; all there is when there is no dimension."""
    return (slice(None),) * dim + (indices.reshape(-1),) if ndim else ...


class Index(Operation):
    """Advanced indexing, y = x[index] with integer or boolean arrays.  dL/dx = g added at index."""

    @staticmethod
    def forward(ctx: Any, x: Array, *, index: list[Any]) -> Array:
        ctx.save(*index)
        ctx.shape = x.shape
        return np.asarray(x[tuple(index)])

    @classmethod
    def lay_out(cls, result: Any, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
        return like_operands(result, _as_operands(inputs[0], parameters["index"], result.shape))

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        return add_at(ctx.shape, ctx.saved, grad)


def _as_operands(x: Array, index: list[Any], shape: tuple[int, ...]) -> list[Array]:
    """`x` and the index arrays as PyTorch reads them element by element: repeated where others pick."""
    kept: list[int] = []  # strides of the dimensions that no array picks
    places: list[int] = []
    first = dim = 0
    for place, item in enumerate(index):
        is_array = isinstance(item, np.ndarray)
        if is_array:
            first = first if places else len(kept)
            places.append(place)
        else:
            kept.append(x.strides[dim])
        dim += item.ndim if is_array and item.dtype.kind == "b" else 1
    kept += x.strides[dim:]
    if places[-1] - places[0] >= len(places):
        first = 0
    picked = len(shape) - len(kept)
    strides = (*kept[:first], *(0,) * picked, *kept[first:])
    arrays = [item for item in index if isinstance(item, np.ndarray) and item.dtype.kind != "b"]
    behind = (None,) * (len(kept) - first)
    return [np.lib.stride_tricks.as_strided(x, shape, strides), *(item[(..., *behind)] for item in arrays)]


class IndexPut(Operation):
    """x with `values` written at index.  dL/dx = g, but 0 where written; dL/dvalues = g[index]."""

    writes_expanded = "index_put_"

    @staticmethod
    def forward(ctx: Any, x: Array, values: Array, *, index: list[Any], node_name: str) -> Array:
        ctx.node_name = node_name
        ctx.save(*index)
        result = x.copy()
        result[tuple(index)] = values
        return result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> tuple[Array, Array]:
        by_x = grad.copy()
        by_x[ctx.saved] = 0
        return by_x, np.array(grad[ctx.saved])


class IndexFill(IndexPut):
    """`IndexPut` of a number along one dimension: in place PyTorch words its warning by another function."""

    writes_expanded = "index_fill_"


class IndexAdd(Operation):
    """x with alpha times the slices of src added at the indices along dim.  dL/dx = g, dL/dsrc = alpha g
    there.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, src: Array, *, dim: int, indices: Array, alpha: Any) -> Array:
        ctx.save(indices)
        ctx.dim, ctx.alpha = dim, alpha
        # float32 is added in float64, so that alpha times src does not overflow on the way.
        wide = np.float64 if alpha != 1 and x.dtype.kind == "f" else x.dtype
        result, terms = x.astype(wide), src.astype(wide)
        with np.errstate(all="ignore"):
            np.add.at(
                result, slices_at(indices, dim, x.ndim), terms if alpha == 1 else terms * like(terms, alpha)
            )
            return result.astype(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> tuple[Array, Array]:
        (indices,) = ctx.saved
        taken = np.array(grad[slices_at(indices, ctx.dim, grad.ndim)])
        with np.errstate(all="ignore"):
            return grad, taken if ctx.alpha == 1 else taken * like(grad, ctx.alpha)


class IndexSelect(Operation):
    """The slices of x along dim at the given indices.  dL/dx = each slice's g added back."""

    @staticmethod
    def forward(ctx: Any, x: Array, *, dim: int, indices: Array) -> Array:
        ctx.save(indices)
        ctx.shape, ctx.dim = x.shape, dim
        return np.take(x, indices.reshape(-1), axis=dim) if x.ndim else x.copy()

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (indices,) = ctx.saved
        return add_at(ctx.shape, slices_at(indices, ctx.dim, grad.ndim), grad)


class Embedding(Operation):
    """y = the rows of the weight at the given indices.  dL/dweight = each row's g added back.

    Shapes: weight (V, D), indices (*), y (*, D). The row `padding_idx` gets no gradient. With `by_frequency`
    each row's gradient is divided by how often the row was read.
    """

    @staticmethod
    def forward(ctx: Any, weight: Array, *, indices: Array, padding_idx: int, by_frequency: bool) -> Array:
        ctx.save(indices)
        ctx.shape, ctx.padding_idx, ctx.by_frequency = weight.shape, padding_idx, by_frequency
        return np.take(weight, indices, axis=0)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (indices,) = ctx.saved
        rows = indices.reshape(-1)
        by_row = grad.reshape(rows.size, *ctx.shape[1:])  # (*, D) -> (number of indices, D)
        if ctx.by_frequency:
            counts = np.bincount(rows, minlength=ctx.shape[0])[rows]
            by_row = by_row / counts.astype(grad.dtype)[:, None]
        read = rows != ctx.padding_idx
        return add_at(ctx.shape, rows[read], by_row[read])


class Take(Operation):
    """y = x at places in the flattened tensor.  dL/dx = g added at the places."""

    @staticmethod
    def forward(ctx: Any, x: Array, *, places: Array) -> Array:
        ctx.save(places)
        ctx.shape = x.shape
        return np.asarray(x.reshape(-1)[places])

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (places,) = ctx.saved
        return add_at((math.prod(ctx.shape),), places, grad).reshape(ctx.shape)


class Gather(Operation):
    """y[.., i, ..] = x[.., indices[.., i, ..], ..] along dim.  dL/dx = g added at the indices."""

    @staticmethod
    def forward(ctx: Any, x: Array, *, dim: int, indices: Array) -> Array:
        ctx.save(indices)
        ctx.shape, ctx.dim = x.shape, dim
        if not x.ndim or not indices.ndim:  # a number and a vector of length 1 are taken for each other
            return np.asarray(x.reshape(-1)[indices.reshape(-1)]).reshape(indices.shape)
        return np.asarray(x[along(indices, dim)])

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (indices,) = ctx.saved
        if not ctx.shape or not indices.ndim:
            total = add_at((math.prod(ctx.shape),), indices.reshape(-1), grad.reshape(-1))
            return total.reshape(ctx.shape)
        return add_at(ctx.shape, along(indices, ctx.dim), grad)


class Scatter(Operation):
    """x with src written along dim at the indices.  dL/dx = g, 0 where written; dL/dsrc = g at the
    indices.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, src: Array, *, dim: int, indices: Array, node_name: str) -> Array:
        ctx.node_name = node_name
        ctx.save(indices)
        ctx.dim, ctx.src_shape = dim, src.shape
        result = x.copy()
        # A number and a vector of length 1 are taken for each other, here and in the views below.
        indices = np.atleast_1d(indices)
        np.atleast_1d(result)[along(indices, dim)] = _leading(src, indices.shape)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> tuple[Array, Array]:
        (indices,) = ctx.saved
        places = along(np.atleast_1d(indices), ctx.dim)
        by_x = grad.copy()
        np.atleast_1d(by_x)[places] = 0
        return by_x, _into_leading(np.atleast_1d(grad)[places], ctx.src_shape)


class ScatterAdd(Operation):
    """x with src added along dim at the indices.  dL/dx = g; dL/dsrc = g at the indices."""

    @staticmethod
    def forward(ctx: Any, x: Array, src: Array, *, dim: int, indices: Array) -> Array:
        ctx.save(indices)
        ctx.dim, ctx.src_shape = dim, src.shape
        result = x.copy()
        indices = np.atleast_1d(indices)
        with np.errstate(all="ignore"):
            np.add.at(np.atleast_1d(result), along(indices, dim), _leading(src, indices.shape))
        return result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> tuple[Array, Array]:
        (indices,) = ctx.saved
        places = along(np.atleast_1d(indices), ctx.dim)
        return grad, _into_leading(np.atleast_1d(grad)[places], ctx.src_shape)


def _leading(src: Array, shape: tuple[int, ...]) -> Array:
    # Only the corner of src that has an index is used.
    return np.atleast_1d(src)[tuple(slice(n) for n in shape)]


def _into_leading(values: Array, shape: tuple[int, ...]) -> Array:
    result = np.zeros(shape, values.dtype)
    np.atleast_1d(result)[tuple(slice(n) for n in values.shape)] = values
    return result


class MaskedFill(Operation):
    """x with a value where the mask holds.  dL/dx = g, 0 under the mask; dL/dvalue = the sum of g there."""

    node_name = "MaskedFillBackward1"
    reads_a_number = True
    writes_expanded = "masked_fill_"

    @staticmethod
    def forward(ctx: Any, x: Array, value: Any, *, mask: Array) -> Array:
        ctx.save(mask)
        return np.where(mask, np.asarray(value).astype(x.dtype), x)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> tuple[Array, Array | None]:
        (mask,) = ctx.saved
        zero = grad.dtype.type(0)
        by_value = np.where(mask, grad, zero) if ctx.needs_input_grad[1] else None
        return np.where(mask, zero, grad), by_value


class MaskedFillWithNumber(Operation):
    """x with a number where the mask holds.  dL/dx = g, 0 under the mask."""

    node_name = "MaskedFillBackward0"
    writes_expanded = "masked_fill_"

    @staticmethod
    def forward(ctx: Any, x: Array, *, value: Any, mask: Array) -> Array:
        return MaskedFill.forward(ctx, x, value, mask=mask)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (mask,) = ctx.saved
        return np.where(mask, grad.dtype.type(0), grad)


class MaskedSelect(Operation):
    """The elements where the mask holds, as a vector; x and mask broadcast.  dL/dx = g at those places, else
    0.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, *, mask: Array) -> Array:
        ctx.save(mask)
        ctx.shape = np.broadcast_shapes(x.shape, mask.shape)
        return np.asarray(np.broadcast_to(x, ctx.shape)[np.broadcast_to(mask, ctx.shape)])

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        (mask,) = ctx.saved
        result = np.zeros(ctx.shape, grad.dtype)
        result[np.broadcast_to(mask, ctx.shape)] = grad
        return result


class Copy(Operation):
    """`x.copy_(src)`: src, repeated to the shape of x and in its dtype.  dL/dx = 0, dL/dsrc = g."""

    node_name = "CopyBackwards"

    @staticmethod
    def forward(ctx: Any, x: Array, src: Array) -> Array:
        if not broadcasts_to(src.shape, x.shape):
            raise RuntimeError(
                f"shape mismatch: value tensor of shape {list(src.shape)} cannot be broadcast to indexing "
                f"result of shape {list(x.shape)}"
            )
        return np.broadcast_to(src, x.shape).astype(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> tuple[Array, Array]:
        return np.zeros_like(grad), grad


class Fill(Operation):
    """`x.fill_(value)`: the same number everywhere.  dL/dx = 0, dL/dvalue = the sum of g (engine)."""

    reads_a_number = True
    writes_expanded = True

    @staticmethod
    def forward(ctx: Any, x: Array, value: Array, *, node_name: str) -> Array:
        ctx.node_name = node_name
        return np.full_like(x, value)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> tuple[Array, Array | None]:
        return np.zeros_like(grad), grad if ctx.needs_input_grad[1] else None


class FillWithTensor(Fill):
    """`Fill` with the number in a tensor, which PyTorch does not write into an expanded tensor."""

    writes_expanded = False


class Sort(Operation):
    """(values, indices) sorted along dim, NaN counted largest.  dL/dx = g at the places the values came
    from.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Array, *, dim: int, descending: bool, length: int | None, node_name: str
    ) -> tuple[Array, Array]:
        ctx.node_name = node_name
        if not x.ndim:
            ctx.where = x.shape, ...
            return x.copy(), np.zeros((), np.int64)
        if descending:  # stable: sort the reversed order and reverse again
            order = np.flip(x.shape[dim] - 1 - np.argsort(np.flip(x, dim), axis=dim, kind="stable"), dim)
        else:
            order = np.argsort(x, axis=dim, kind="stable")
        order = order[(slice(None),) * dim + (slice(length),)].astype(np.int64)
        ctx.where = x.shape, along(order, dim)
        return x[ctx.where[1]], order

    @classmethod
    def lay_out(cls, result: Any, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
        return like_operands(result, inputs) if parameters["length"] is None else in_rows(result)

    @staticmethod
    def backward(ctx: Any, grad: Array, _: Any = None) -> Array:
        shape, index = ctx.where
        return add_at(shape, index, grad)
