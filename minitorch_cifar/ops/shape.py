"""Operations that move elements and change none: reshapes, transposes, joins, repeats.

Where `is_view` is true the result shares the input's memory (NumPy's strides make that possible), and a write
through one is seen through the other. The gradient of moving elements is moving them back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.layout import channels_last, empty_in, in_rows, like_pictures, order_of_dimensions
from ..autograd.operation import Elementwise, Operation
from ..dtypes import Array

Shape = tuple[int, ...]


class View(Operation):
    """The same elements in the same order under another shape; a view.  dL/dx = g in the old shape.

    RuntimeError when no strides describe the result without a copy.
    """

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, *, shape: Shape, node_name: str = "ViewBackward0") -> Array:
        ctx.node_name = node_name
        ctx.old_shape = x.shape
        result = as_view(x, shape)
        if result is None:
            raise RuntimeError(
                "view size is not compatible with input tensor's size and stride (at least one dimension "
                "spans across two contiguous subspaces). Use .reshape(...) instead."
            )
        return result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        return grad.reshape(ctx.old_shape)


def as_view(x: Array, shape: Shape) -> Array | None:
    """`x` under another shape sharing its memory, or None where that needs a copy."""
    if x.flags.c_contiguous:
        return x.reshape(shape)
    try:
        return np.reshape(x, shape, copy=False)
    except ValueError:
        return None


class UnsafeView(Operation):
    """`reshape` where a copy is needed.  dL/dx = g in the old shape."""

    @staticmethod
    def forward(ctx: Any, x: Array, *, shape: Shape) -> Array:
        ctx.old_shape = x.shape
        return np.ascontiguousarray(x).reshape(shape)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        return grad.reshape(ctx.old_shape)


class Permute(Operation):
    """Dimensions in another order; a view.  dL/dx = g in the inverse order."""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, *, dims: Shape) -> Array:
        ctx.inverse = tuple(int(i) for i in np.argsort(dims))
        return x.transpose(dims)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        return grad.transpose(ctx.inverse)


class Transpose(Operation):
    """Two dimensions exchanged; a view.  dL/dx = g with the two exchanged back."""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, *, dim0: int, dim1: int, node_name: str) -> Array:
        ctx.node_name = node_name
        ctx.dims = dim0, dim1
        return x.swapaxes(dim0, dim1) if x.ndim else x.view()

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        return grad.swapaxes(*ctx.dims) if grad.ndim else grad


class T(Operation):
    """The transpose of a matrix (a vector stays); a view.  dL/dx = g^T."""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, *, node_name: str = "TBackward0") -> Array:
        ctx.node_name = node_name
        return x.T

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        return grad.T


class Squeeze(Operation):
    """Dimensions of size 1 dropped; a view.  dL/dx = g in the old shape."""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, *, dims: Shape, node_name: str = "SqueezeBackward0") -> Array:
        ctx.node_name = node_name
        ctx.old_shape = x.shape
        return x.squeeze(dims)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        return grad.reshape(ctx.old_shape)


class Unsqueeze(Operation):
    """A dimension of size 1 put in at `dim`; a view.  dL/dx = g without it."""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, *, dim: int, node_name: str) -> Array:
        ctx.node_name = node_name
        ctx.dim = dim
        return np.expand_dims(x, dim)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        return grad.squeeze(ctx.dim)


class Expand(Operation):
    """Dimensions of size 1 repeated without a copy; a view.  dL/dx = sums of g over the repeats (engine)."""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, *, shape: Shape) -> Array:
        # np.broadcast_to is read-only; the engine guards writing by itself.
        return np.lib.stride_tricks.as_strided(x, shape, _broadcast_strides(x, shape))

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        return grad


def _broadcast_strides(x: Array, shape: Shape) -> Shape:
    extra = len(shape) - x.ndim
    kept = tuple(
        0 if old == 1 and new != 1 else stride
        for old, stride, new in zip(x.shape, x.strides, shape[extra:], strict=True)
    )
    return (0,) * extra + kept


class Slice(Operation):
    """Basic indexing: integers, slices, None and `...`; a view.  dL/dx = g at the places taken, else 0."""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, *, index: Any, node_name: str) -> Array:
        ctx.node_name = node_name
        ctx.where = index, x.shape
        result = x[index]
        return result if isinstance(result, np.ndarray) else x[(*_as_index_tuple(index), ...)]

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        index, shape = ctx.where
        result = np.zeros(shape, grad.dtype)
        result[index] = grad
        return result


def _as_index_tuple(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


class Split(Operation):
    """Pieces along a dimension, each a view.  dL/dx = the pieces' gradients joined."""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, *, sizes: Shape, dim: int, node_name: str) -> tuple[Array, ...]:
        ctx.node_name = node_name
        ctx.dim = dim
        if not sizes:
            return ()
        return tuple(np.split(x, np.cumsum(sizes[:-1]), axis=dim))

    @staticmethod
    def backward(ctx: Any, *grads: Array) -> Array:
        return np.concatenate(grads, axis=ctx.dim)


class Unbind(Operation):
    """The slices along a dimension, each a view.  dL/dx = their gradients stacked."""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, *, dim: int) -> tuple[Array, ...]:
        ctx.dim = dim
        moved = np.moveaxis(x, dim, 0)
        return tuple(moved[i, ...] for i in range(moved.shape[0]))

    @staticmethod
    def backward(ctx: Any, *grads: Array) -> Array:
        return np.stack(grads, axis=ctx.dim)


class Diagonal(Operation):
    """The diagonal of two dimensions, put last; a view.  dL/dx = g on the diagonal, else 0."""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, *, offset: int, dim1: int, dim2: int) -> Array:
        ctx.where = offset, dim1, dim2, x.shape
        return diagonal_view(x, offset, dim1, dim2)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        offset, dim1, dim2, shape = ctx.where
        result = np.zeros(shape, grad.dtype)
        diagonal_view(result, offset, dim1, dim2)[...] = grad
        return result


def diagonal_view(x: Array, offset: int, dim1: int, dim2: int) -> Array:
    """`np.diagonal`, writable: one step along the diagonal is a step down and a step to the right."""
    matrices = np.moveaxis(x, (dim1, dim2), (-2, -1))
    matrices = matrices[..., max(-offset, 0) :, max(offset, 0) :]
    *shape, rows, columns = matrices.shape
    *strides, down, right = matrices.strides
    return np.lib.stride_tricks.as_strided(matrices, (*shape, min(rows, columns)), (*strides, down + right))


class Unfold(Operation):
    """Windows along `dim`, `step` apart; a view, in which neighbouring windows may share elements.

    (..., n, ...) -> (..., (n - size) / step + 1, ..., size).  y[..., w, ..., k] = x[..., step w + k, ...];
    dL/dx = the sum of g over all windows in which an element lies.
    """

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Array, *, dim: int, size: int, step: int) -> Array:
        ctx.where = dim, size, step, x.shape
        return windows(x, dim, size, step)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        dim, size, step, shape = ctx.where
        result = np.zeros(shape, grad.dtype)
        for k in range(size):  # the k-th elements of all windows are different ones
            windows(result, dim, size, step)[..., k] += grad[..., k]
        return result


def windows(x: Array, dim: int, size: int, step: int) -> Array:
    """A writable view of all windows along `dim`, their elements put last."""
    if not x.ndim:
        return x.reshape(1)[:size]
    shape, strides = list(x.shape), list(x.strides)
    shape[dim] = (shape[dim] - size) // step + 1
    strides[dim] *= step
    return np.lib.stride_tricks.as_strided(x, (*shape, size), (*strides, x.strides[dim]))


class DiagonalCopy(Operation):
    """The diagonal of a matrix as a copy.  dL/dx = g on the diagonal, else 0."""

    node_name = "DiagonalBackward0_copy"

    @staticmethod
    def forward(ctx: Any, x: Array, *, offset: int) -> Array:
        ctx.where = offset, x.shape
        return diagonal_view(x, offset, 0, 1).copy()

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        offset, shape = ctx.where
        result = np.zeros(shape, grad.dtype)
        diagonal_view(result, offset, 0, 1)[...] = grad
        return result


class DiagEmbed(Operation):
    """The square matrix with a vector on its diagonal, else zeros.  dL/dx = the diagonal of g."""

    @staticmethod
    def forward(ctx: Any, x: Array, *, offset: int) -> Array:
        ctx.offset = offset
        side = x.size + abs(offset)
        result = np.zeros((side, side), x.dtype)
        diagonal_view(result, offset, 0, 1)[...] = x
        return result

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        return diagonal_view(grad, ctx.offset, 0, 1)


class Cat(Operation):
    """Tensors joined along a dimension; empty vectors join anything.  Each gets its own piece of g."""

    @staticmethod
    def forward(ctx: Any, *xs: Array, dim: int) -> Array:
        ctx.dim = dim
        joined = [x for x in xs if x.shape != (0,)] or xs[:1]
        ctx.sizes = [None if x.shape == (0,) else x.shape[dim] for x in xs]
        return np.concatenate(joined, axis=dim)

    @classmethod
    def lay_out(cls, result: Any, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
        return like_joined(result, inputs)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> tuple[Array, ...]:
        ends = np.cumsum([size or 0 for size in ctx.sizes])[:-1]
        pieces = np.split(grad, ends, axis=ctx.dim)
        empty = np.zeros(0, grad.dtype)
        return tuple(empty if size is None else piece for size, piece in zip(ctx.sizes, pieces, strict=True))


class Stack(Operation):
    """Tensors of one shape joined along a new dimension.  Each gets its own slice of g."""

    @staticmethod
    def forward(ctx: Any, *xs: Array, dim: int) -> Array:
        ctx.dim = dim
        return np.stack(xs, axis=dim)

    @classmethod
    def lay_out(cls, result: Any, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
        dim, x = parameters["dim"], inputs[0]
        if dim == x.ndim:
            return in_rows(result)
        joined = (*x.shape[:dim], len(inputs) * x.shape[dim], *x.shape[dim + 1 :])
        return like_joined(np.reshape(result, joined), inputs).reshape(result.shape)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> tuple[Array, ...]:
        moved = np.moveaxis(grad, ctx.dim, 0)
        return tuple(moved[i, ...] for i in range(moved.shape[0]))


def like_joined(result: Any, pieces: Sequence[Array]) -> Any:
    """Joined pieces in rows, or with channels last if all the pieces are."""
    pieces = [piece for piece in pieces if piece.shape != (0,)]
    return like_pictures(result, *(pieces[:1] if all(map(channels_last, pieces)) else ()))


class Repeat(Operation):
    """The tensor laid out like tiles.  dL/dx = the sum of g over all tiles."""

    @staticmethod
    def forward(ctx: Any, x: Array, *, repeats: Shape) -> Array:
        ctx.shapes = x.shape, repeats
        return np.tile(x, repeats) if repeats else x.copy()

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        shape, repeats = ctx.shapes
        padded = (1,) * (len(repeats) - len(shape)) + shape
        split = [size for pair in zip(repeats, padded, strict=True) for size in pair]  # (r0, s0, r1, s1, ...)
        tiles = tuple(range(0, 2 * len(repeats), 2))
        total = np.add.reduce(grad.reshape(split), axis=tiles, dtype=np.float64)
        return np.asarray(total, dtype=grad.dtype).reshape(shape)


class Flip(Elementwise):
    """The order along some dimensions reversed.  dL/dx = g reversed back."""

    @staticmethod
    def forward(ctx: Any, x: Array, *, dims: Shape) -> Array:
        ctx.dims = dims
        return np.flip(x, dims).copy()

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        return np.flip(grad, ctx.dims)


class Roll(Operation):
    """Elements shifted along dimensions, those pushed out coming back in.  dL/dx = g shifted back."""

    @staticmethod
    def forward(ctx: Any, x: Array, *, shifts: Any, dims: Any) -> Array:
        ctx.back = shifts, dims
        return np.roll(x, shifts, dims)

    @classmethod
    def lay_out(cls, result: Any, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
        is_one = not isinstance(parameters["dims"], tuple) or len(parameters["dims"]) == 1
        return like_pictures(result, *(inputs if is_one and parameters["dims"] is not None else ()))

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        shifts, dims = ctx.back
        return np.roll(grad, tuple(-s for s in shifts) if isinstance(shifts, tuple) else -shifts, dims)


class Triangle(Operation):
    """tril, triu: the part of each matrix on one side of a diagonal, zeros elsewhere.  dL/dx: the same of
    g.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, *, diagonal: int, lower: bool) -> Array:
        ctx.node_name = "TrilBackward0" if lower else "TriuBackward0"
        ctx.part = np.tril if lower else np.triu
        ctx.diagonal = diagonal
        return np.asarray(ctx.part(x, diagonal))

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        return np.asarray(ctx.part(grad, ctx.diagonal))


class Pad(Operation):
    """A border of one value (`constant`), or of mirrored, repeated or wrapped elements, round the tensor.

    dL/dx = g without the border; for the other modes each border element adds its g to the one it copies.
    """

    node_name = "ConstantPadNdBackward0"

    @staticmethod
    def forward(
        ctx: Any,
        x: Array,
        *,
        widths: tuple[tuple[int, int], ...],
        mode: str,
        value: float,
        node_name: str = node_name,
    ) -> Array:
        ctx.node_name = node_name
        ctx.x_shape = x.shape
        if not x.ndim:
            ctx.places = np.zeros(1, np.int64)
            return x.copy()
        cut = tuple(
            slice(max(-low, 0), n - max(-high, 0)) for n, (low, high) in zip(x.shape, widths, strict=True)
        )
        grown = [(max(low, 0), max(high, 0)) for low, high in widths]
        places = np.arange(x.size).reshape(x.shape)[cut]
        if mode == "constant":
            ctx.places = np.pad(places, grown, constant_values=-1).ravel()
            return np.pad(x[cut], grown, constant_values=value)
        numpy_mode: Any = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
        ctx.places = np.pad(places, grown, mode=numpy_mode).ravel()
        return np.pad(x[cut], grown, mode=numpy_mode)

    @classmethod
    def lay_out(cls, result: Any, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
        return like_pictures(result, inputs[0])

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        inside = ctx.places >= 0
        size = int(np.prod(ctx.x_shape))
        total = np.bincount(ctx.places[inside], grad.ravel()[inside], size)
        return total.astype(grad.dtype).reshape(ctx.x_shape)


def memory_order(x: Array) -> list[int]:
    """The dimensions of `x` as they lie in memory, the outermost first.

    A dimension along which one element is repeated (stride 0) keeps its place among the others, as in
    PyTorch; NumPy would make it the innermost one.

    >>> memory_order(np.zeros((3, 2)).T), memory_order(np.broadcast_to(np.zeros(3), (2, 3)))
    ([1, 0], [0, 1])
    """
    return (
        order_of_dimensions(x.shape, [x.strides])
        if x.ndim > 1 and not x.flags.c_contiguous
        else list(range(x.ndim))
    )


def empty_in_order(x: Array, dtype: Any) -> Array:
    """New memory for an array of the shape of `x`, without gaps, its dimensions in the same order."""
    return empty_in(x.shape, memory_order(x), dtype)


def dense_copy(x: Array, dtype: Any) -> Array:
    """A copy in memory from `empty_in_order`."""
    if 0 not in x.strides or x.size < 2:
        return x.astype(dtype)  # NumPy's order is the same then
    copy = empty_in_order(x, dtype)
    with np.errstate(all="ignore"):
        copy[...] = x
    return copy


class Clone(Elementwise):
    """A copy.  dL/dx = g."""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        return dense_copy(x, x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        return grad


class Contiguous(Operation):
    """A copy with the elements in row order.  dL/dx = g."""

    node_name = "CloneBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        return x.copy(order="C")

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        return grad


class ToCopy(Elementwise):
    """The same numbers in another dtype.  dL/dx = g in the old dtype (the engine converts it back)."""

    @staticmethod
    def forward(ctx: Any, x: Array, *, numpy_dtype: Any) -> Array:
        return cast(x, numpy_dtype)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Array:
        return grad


def cast(x: Array, numpy_dtype: Any) -> Array:
    """A copy of `x` in another dtype. What does not fit wraps or becomes arbitrary, as in C."""
    with np.errstate(all="ignore"):
        if x.dtype.kind == "f" and numpy_dtype == np.uint8:
            return dense_copy(x, np.int64).astype(np.uint8)  # -1.0 -> 255, on every machine
        return dense_copy(x, numpy_dtype)
