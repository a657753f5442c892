"""Shapes: `view`, `reshape`, `transpose`, `cat`, `expand` and their kin.

Those marked "a view" share memory with their input: what is written into one is seen in the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import TensorBase
from ..dtypes import FROM_NUMPY, dtype, promote
from ..ops import shape as ops
from .arguments import (
    as_dim,
    as_dims,
    as_int,
    as_shape,
    check_broadcast,
    check_tensor,
    constant,
    finish,
    numpy_names,
    refuse,
    refuse_memory_format,
    to_dtype,
)

if TYPE_CHECKING:
    from ..tensor import Tensor


def _infer(shape: tuple[int, ...], size: int) -> tuple[int, ...]:
    """Fill in a -1; RuntimeError when the elements do not fit the shape."""
    if -1 not in shape and math.prod(shape) == size and min(shape, default=0) >= 0:
        return shape
    if len(shape) == 2 and shape[0] == -1 and shape[1] > 0 and size % shape[1] == 0:  # `view(-1, 400)`
        return size // shape[1], shape[1]
    if shape.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    for position, n in enumerate(shape):
        if n < -1:
            raise RuntimeError(f"invalid shape dimension {n} at index {position} of shape {list(shape)}")
    known = math.prod(n for n in shape if n != -1)
    if -1 in shape:
        if known == 0 and size == 0:
            raise RuntimeError(
                f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified "
                f"dimension size -1 can be any value and is ambiguous"
            )
        if known == 0 or size % known:
            raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {size}")
        return tuple(size // known if n == -1 else n for n in shape)
    if known != size:
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {size}")
    return shape


def view(input: Tensor, *size: Any, **named: Any) -> Tensor:
    """The same elements under another shape; a view, and an error where that is impossible. One size may be
    -1.

    >>> import minitorch_cifar as torch
    >>> torch.arange(6).view(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    if named:
        for name in named:
            if name not in ("size", "dtype") or size or len(named) > 1:
                raise TypeError(f"view() got an unexpected keyword argument '{name}'")
        size = size or tuple(named.values())
    if len(size) == 1 and isinstance(size[0], dtype):
        raise NotImplementedError(
            "view(dtype) is not part of minitorch_cifar; .to(dtype) converts the numbers"
        )
    return ops.View.apply(input, shape=_infer(as_shape(size, "view"), input._array.size))  # type: ignore[no-any-return]


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """`view` with the shape of another tensor."""
    check_tensor(other, "view_as", "other")
    return view(input, *other._array.shape)


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same elements under another shape; a view where possible, else a copy."""
    check_tensor(input, "reshape")
    if not shape:
        raise TypeError("reshape() missing 1 required positional arguments: 'shape'")
    wanted = _infer(as_shape(shape, "reshape"), input._array.size)
    if ops.as_view(input._array, wanted) is not None:
        node = "ViewBackward0" if input._array.flags.c_contiguous else "ReshapeAliasBackward0"
        return ops.View.apply(input, shape=wanted, node_name=node)  # type: ignore[no-any-return]
    return ops.UnsafeView.apply(input, shape=wanted)  # type: ignore[no-any-return]


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """`reshape` with the shape of another tensor."""
    check_tensor(other, "reshape_as", "other")
    return reshape(input, other._array.shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The dimensions from start_dim to end_dim made into one; a view where possible."""
    check_tensor(input, "flatten")
    shape = input._array.shape
    start, end = as_dim(start_dim, len(shape)), as_dim(end_dim, len(shape))
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not shape:
        return reshape(input, (1,))
    if start == end:
        return input
    return reshape(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def unflatten(input: Tensor, dim: Any, sizes: Any) -> Tensor:
    """One dimension made into several; a view."""
    check_tensor(input, "unflatten")
    shape = input._array.shape
    d = as_dim(dim, len(shape))
    try:
        inner = _infer(as_shape((sizes,), "unflatten"), shape[d])
    except RuntimeError:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {d} ({shape[d]}) "
            f"in the input tensor"
        ) from None
    return view(input, (*shape[:d], *inner, *shape[d + 1 :]))


def ravel(input: Tensor) -> Tensor:
    """One dimension; a view where the elements lie in row order."""
    check_tensor(input, "ravel")
    return view(contiguous(input), -1)


def permute(input: Tensor, *dims: Any) -> Tensor:
    """The dimensions in another order; a view."""
    check_tensor(input, "permute")
    if not dims:
        raise TypeError('permute() missing 1 required positional arguments: "dims"')
    given = as_shape(dims, "permute")
    n = input._array.ndim
    if len(given) != n:
        raise RuntimeError(
            f"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the "
            f"desired ordering of dimensions i.e. input.dim() = {n} is not equal to len(dims) = {len(given)}"
        )
    order = tuple(as_dim(d, n) for d in given)
    if len(set(order)) != n:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return ops.Permute.apply(input, dims=order)  # type: ignore[no-any-return]


def transpose(input: Tensor, dim0: Any, dim1: Any) -> Tensor:
    """Two dimensions exchanged; a view."""
    return _transpose(input, dim0, dim1, "TransposeBackward0")


def _transpose(input: Tensor, dim0: Any, dim1: Any, node: str) -> Tensor:
    check_tensor(input, "transpose")
    first, second = (as_dim(d, input._array.ndim, "transpose") for d in (dim0, dim1))
    return ops.Transpose.apply(input, dim0=first, dim1=second, node_name=node)  # type: ignore[no-any-return]


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; vectors and numbers stay as they are; a view."""
    return _t(input, "TBackward0")


def _t(input: Tensor, node: str) -> Tensor:
    check_tensor(input, "t")
    if input._array.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input._array.ndim}D")
    return ops.T.apply(input, node_name=node)  # type: ignore[no-any-return]


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Dimensions moved to other positions; a view."""
    check_tensor(input, "movedim")
    n = input._array.ndim
    sources = as_dims(source, n, "movedim") if isinstance(source, Sequence) else (as_dim(source, n),)
    targets = (
        as_dims(destination, n, "movedim") if isinstance(destination, Sequence) else (as_dim(destination, n),)
    )
    if len(sources) != len(targets):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(sources)} dims) should contain the "
            f"same number of dims as destination ({list(targets)} dims)"
        )
    order = [d for d in range(n) if d not in sources]
    for target, moved in sorted(zip(targets, sources, strict=True)):
        order.insert(target, moved)
    return permute(input, *order)


@numpy_names
def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Dimensions of size 1 dropped, all or the given ones; a view."""
    return _squeeze(input, dim, 0)


def _squeeze(input: Tensor, dim: Any, first_node: int) -> Tensor:
    check_tensor(input, "squeeze")
    shape = input._array.shape
    if dim is None:
        dims, form = tuple(i for i, n in enumerate(shape) if n == 1), 0
    else:
        several = isinstance(dim, Sequence)
        given = as_dims(dim, len(shape), "squeeze") if several else (as_dim(dim, len(shape), "squeeze"),)
        dims, form = tuple(d for d in given if shape and shape[d] == 1), 2 if several else 1
    return ops.Squeeze.apply(input, dims=dims, node_name=f"SqueezeBackward{first_node + form}")  # type: ignore[no-any-return]


@numpy_names
def unsqueeze(input: Tensor, dim: Any) -> Tensor:
    """A dimension of size 1 put in at `dim`; a view."""
    return _unsqueeze(input, dim, "UnsqueezeBackward0")


def _unsqueeze(input: Tensor, dim: Any, node: str) -> Tensor:
    check_tensor(input, "unsqueeze")
    place = as_dim(dim, input._array.ndim + 1, "unsqueeze")
    return ops.Unsqueeze.apply(input, dim=place, node_name=node)  # type: ignore[no-any-return]


def _reshape_inplace(input: Tensor, result: Tensor) -> Tensor:
    from ..autograd.grad_mode import state

    if state.enabled and input.requires_grad and input.is_leaf:
        raise RuntimeError("in-place reshaping of a leaf that requires grad is not supported")
    input._array = result._array
    if result._grad_fn is not None:
        input.set_grad_fn(result._grad_fn, result._output_index)
    input.bump_version()
    if input._view is not None:  # it stays a view of the same base, by one step more
        input._view = result._view
        result._view.version = input._version_counter.value  # type: ignore[union-attr]
    return input


def squeeze_(input: Tensor, dim: Any = None) -> Tensor:
    """`squeeze`, changing `input`'s own shape."""
    return _reshape_inplace(input, _squeeze(input, dim, 3))


def unsqueeze_(input: Tensor, dim: Any) -> Tensor:
    """`unsqueeze`, changing `input`'s own shape."""
    return _reshape_inplace(input, _unsqueeze(input, dim, "UnsqueezeBackward1"))


def t_(input: Tensor) -> Tensor:
    """`t`, changing `input`'s own shape."""
    return _reshape_inplace(input, _t(input, "TBackward1"))


def transpose_(input: Tensor, dim0: Any, dim1: Any) -> Tensor:
    """`transpose`, changing `input`'s own shape."""
    return _reshape_inplace(input, _transpose(input, dim0, dim1, "TransposeBackward1"))


def expand(input: Tensor, *size: Any) -> Tensor:
    """Dimensions of size 1 repeated without a copy; -1 keeps a size; a view that must not be written to."""
    given = as_shape(size, "expand")
    old = input._array.shape
    extra = len(given) - len(old)
    if extra < 0:
        raise RuntimeError(
            f"expand({_type(input)}{{{list(old)}}}, size={list(given)}): the number of sizes provided "
            f"({len(given)}) must be greater or equal to the number of dimensions in the tensor ({len(old)})"
        )
    shape = []
    for position, n in enumerate(given):
        have = old[position - extra] if position >= extra else None
        if n == -1:
            if have is None:
                raise RuntimeError(
                    "The expanded size of the tensor (-1) isn't allowed in a leading, non-existing "
                    f"dimension {position}"
                )
            n = have
        elif have is not None and have not in (1, n):
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({have}) at "
                f"non-singleton dimension {position}.  Target sizes: {list(given)}.  Tensor sizes: "
                f"{list(old)}"
            )
        shape.append(n)
    return ops.Expand.apply(input, shape=tuple(shape))  # type: ignore[no-any-return]


def _type(input: Tensor) -> str:
    return f"torch.{FROM_NUMPY[input._array.dtype].legacy_name}Tensor"


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """`expand` to the shape of another tensor."""
    check_tensor(other, "expand_as", "other")
    return expand(input, *other._array.shape)


def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """`expand` to the given size."""
    check_tensor(input, "broadcast_to")
    return expand(input, *as_shape((size,), "broadcast_to"))


def repeat(input: Tensor, *repeats: Any) -> Tensor:
    """The tensor laid out like tiles, `repeats[i]` times along dimension i; a copy."""
    given = as_shape(repeats, "repeat")
    if len(given) < input._array.ndim:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor"
        )
    if any(n < 0 for n in given):
        sizes = [
            n * r
            for n, r in zip((1,) * (len(given) - input._array.ndim) + input._array.shape, given, strict=True)
        ]
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(sizes)}: {sizes}")
    return ops.Repeat.apply(input, repeats=given)  # type: ignore[no-any-return]


def tile(input: Tensor, dims: Any) -> Tensor:
    """`repeat`, with missing leading repeats counted as 1."""
    given = as_shape((dims,), "tile")
    return repeat(input, *((1,) * (input._array.ndim - len(given)) + given))


@numpy_names
def repeat_interleave(input: Tensor, repeats: Any, dim: Any = None) -> Tensor:
    """Each element (or slice along `dim`) repeated next to itself: as often as a number or a vector says."""
    check_tensor(input, "repeat_interleave")
    source = input if dim is not None else flatten(input)
    d = 0 if dim is None else as_dim(dim, input._array.ndim, "repeat_interleave")
    if not isinstance(repeats, TensorBase):
        count = as_int(repeats, "repeat_interleave", "repeats")
        if count < 0:
            raise RuntimeError(f"Repeats must be non-negative, got {count}")
        wide = list(source._array.shape)
        wide.insert(d + 1, count)
        return flatten(contiguous(clone(expand(unsqueeze(source, d + 1), *wide))), d, d + 1)
    counts = repeats._array
    if counts.dtype.kind != "i":
        refuse("repeat_interleave_cpu", FROM_NUMPY[counts.dtype])
    if (counts < 0).any():
        raise RuntimeError("repeats can not be negative")
    length = source._array.shape[d]
    if counts.size not in (1, length):
        raise RuntimeError(
            f"repeats must have the same size as input along dim, but got repeats.size(0) = {counts.size} "
            f"and input.size({d}) = {length}"
        )
    places = np.repeat(np.arange(length), counts.reshape(-1))
    return source.index_select(d, constant(places))


def _as_tensors(tensors: Any, function: str) -> list[Tensor]:
    if isinstance(tensors, TensorBase) or not isinstance(tensors, Sequence):
        raise TypeError(
            f"{function}(): argument 'tensors' (position 1) must be tuple of Tensors, not "
            f"{type(tensors).__name__}"
        )
    if not tensors:
        if function == "cat":
            raise ValueError("torch.cat(): expected a non-empty list of Tensors")
        raise RuntimeError(f"{function} expects a non-empty TensorList")
    for position, tensor in enumerate(tensors):
        if not isinstance(tensor, TensorBase):
            raise TypeError(
                f"expected Tensor as element {position} in argument 0, but got {type(tensor).__name__}"
            )
    common = FROM_NUMPY[tensors[0]._array.dtype]
    for tensor in tensors[1:]:
        common = promote(common, FROM_NUMPY[tensor._array.dtype])
    return [to_dtype(tensor, common) for tensor in tensors]


@numpy_names
def cat(tensors: Any, dim: Any = 0, *, out: Tensor | None = None) -> Tensor:
    """Tensors joined along a dimension; their other sizes must agree.

    >>> import minitorch_cifar as torch
    >>> torch.cat([torch.zeros(1, 2), torch.ones(1, 2)], dim=0)
    tensor([[0., 0.],
            [1., 1.]])
    """
    parts = _as_tensors(tensors, "cat")
    for position, part in enumerate(parts):
        if part._array.ndim == 0:
            raise RuntimeError(f"zero-dimensional tensor (at position {position}) cannot be concatenated")
    # An empty vector joins anything: a leftover in PyTorch that programs rely on.
    kept = [p for p in parts if p._array.shape != (0,)] or parts[:1]
    first = kept[0]._array.shape
    d = as_dim(dim, len(first), "cat")
    for position, part in enumerate(kept):
        shape = part._array.shape
        if len(shape) != len(first):
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}"
            )
        for i, (a, b) in enumerate(zip(first, shape, strict=True)):
            if i != d and a != b:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {d}. Expected size {a} but got size "
                    f"{b} for tensor number {position} in the list."
                )
    return finish(ops.Cat.apply(*parts, dim=d), out)


concat = concatenate = cat


@numpy_names
def stack(tensors: Any, dim: Any = 0, *, out: Tensor | None = None) -> Tensor:
    """Tensors of one shape joined along a new dimension."""
    parts = _as_tensors(tensors, "stack")
    first = parts[0]._array.shape
    d = as_dim(dim, len(first) + 1)
    for position, part in enumerate(parts):
        if part._array.shape != first:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(first)} at entry 0 and "
                f"{list(part._array.shape)} at entry {position}"
            )
    return finish(ops.Stack.apply(*parts, dim=d), out)


def hstack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Tensors joined side by side (along dimension 1; vectors along 0); numbers become vectors."""
    parts = _as_tensors(tensors, "hstack")
    parts = [reshape(part, 1) if not part._array.ndim else part for part in parts]
    return cat(parts, dim=0 if parts[0]._array.ndim == 1 else 1, out=out)


def vstack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Tensors joined one below the other; vectors become rows."""
    parts = _as_tensors(tensors, "vstack")
    return cat([reshape(part, 1, -1) if part._array.ndim < 2 else part for part in parts], dim=0, out=out)


@numpy_names
def split(tensor: Tensor, split_size_or_sections: Any, dim: Any = 0) -> tuple[Tensor, ...]:
    """Pieces of one size (the last may be smaller), or of the given sizes, along `dim`; views."""
    check_tensor(tensor, "split", "tensor")
    if not tensor._array.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    node = "SplitBackward0"
    d = as_dim(dim, tensor._array.ndim, "split")
    length = tensor._array.shape[d]
    if isinstance(split_size_or_sections, Sequence):
        node = "SplitWithSizesBackward0"
        sizes = tuple(as_int(n, "split", "split_size") for n in split_size_or_sections)
        if sum(sizes) != length or any(n < 0 for n in sizes):
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {length} (input tensor's size at "
                f"dimension {d}), but got split_sizes={list(sizes)}"
            )
    else:
        size = as_int(split_size_or_sections, "split", "split_size")
        if size < 0:
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
        if size == 0 and length:
            raise RuntimeError(
                f"split_size can only be 0 if dimension size is 0, but got dimension size of {length}"
            )
        count = max(-(-length // size), 1) if size else 1
        sizes = tuple(min(size, length - i * size) for i in range(count))
    return ops.Split.apply(tensor, sizes=sizes, dim=d, node_name=node)  # type: ignore[no-any-return]


@numpy_names
def chunk(input: Tensor, chunks: int, dim: Any = 0) -> tuple[Tensor, ...]:
    """At most `chunks` pieces of equal size (the last may be smaller); views."""
    check_tensor(input, "chunk")
    count = as_int(chunks, "chunk", "chunks")
    if count <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {count}")
    if not input._array.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    length = input._array.shape[as_dim(dim, input._array.ndim, "chunk")]
    if not length:
        return split(input, [0] * count, dim)
    return split(input, -(-length // count), dim)


@numpy_names
def unbind(input: Tensor, dim: Any = 0) -> tuple[Tensor, ...]:
    """The slices along `dim`; views."""
    check_tensor(input, "unbind")
    if not input._array.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return ops.Unbind.apply(input, dim=as_dim(dim, input._array.ndim))  # type: ignore[no-any-return]


def diagonal(input: Tensor, offset: int = 0, dim1: Any = 0, dim2: Any = 1) -> Tensor:
    """The diagonal of two dimensions, put last; a view."""
    check_tensor(input, "diagonal")
    n = input._array.ndim
    d1, d2 = as_dim(dim1, n), as_dim(dim2, n)
    if d1 == d2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return ops.Diagonal.apply(input, offset=offset, dim1=d1, dim2=d2)  # type: ignore[no-any-return]


def unfold(input: Tensor, dimension: Any, size: int, step: int) -> Tensor:
    """All windows of `size` elements along a dimension, each `step` further, put last; a view.

    >>> import minitorch_cifar as torch
    >>> torch.arange(5).unfold(0, 3, 2)
    tensor([[0, 1, 2],
            [2, 3, 4]])
    """
    size, step = as_int(size, "unfold", "size"), as_int(step, "unfold", "step")
    dim = as_dim(dimension, input._array.ndim)
    longest = input._array.shape[dim] if input._array.ndim else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > longest:
        raise RuntimeError(f"maximum size for tensor at dimension {dim} is {longest} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    return ops.Unfold.apply(input, dim=dim, size=size, step=step)  # type: ignore[no-any-return]


def diag(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The matrix with a vector on its diagonal, or the diagonal of a matrix as a copy."""
    check_tensor(input, "diag")
    offset = as_int(diagonal, "diag", "diagonal")
    if input._array.ndim == 1:
        return finish(ops.DiagEmbed.apply(input, offset=offset), out)
    if input._array.ndim == 2:
        return finish(ops.DiagonalCopy.apply(input, offset=offset), out)
    raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input._array.ndim}D")


def flip(input: Tensor, dims: Any) -> Tensor:
    """The order along the given dimensions, a sequence of them, reversed; a copy."""
    check_tensor(input, "flip")
    if not isinstance(dims, Sequence):
        kind = type(dims).__name__
        raise TypeError(f"flip(): argument 'dims' (position 2) must be tuple of ints, not {kind}")
    return _flipped(input, tuple(dims))


def flip_along(input: Tensor, *sizes: Any, dims: Any = None) -> Tensor:
    """`flip` as a method, to which the dimensions may come one by one."""
    if dims is not None:
        return flip(input, dims)
    if not sizes:
        raise TypeError('flip() missing 1 required positional arguments: "dims"')
    return _flipped(input, as_shape(sizes, "flip"))


def _flipped(input: Tensor, dims: tuple[Any, ...]) -> Tensor:
    n = input._array.ndim
    given = tuple(as_dim(d, n, "flip") for d in dims)
    for d in given:
        if given.count(d) > 1:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return ops.Flip.apply(input, dims=given if n else ())  # type: ignore[no-any-return]


def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Elements shifted along dimensions, coming back in at the other end; without `dims`, in row order."""
    check_tensor(input, "roll")
    by = tuple(shifts) if isinstance(shifts, Sequence) else (as_int(shifts, "roll", "shifts"),)
    along = () if dims is None else tuple(dims) if isinstance(dims, Sequence) else (dims,)
    if len(by) != len(along) and (along or len(by) != 1):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(by)}, dims:{len(along)}")
    if along and not input._array.ndim:
        raise IndexError(f"Dimension specified as {along[0]} but tensor has no dimensions")
    if not along:
        return ops.Roll.apply(input, shifts=by[0], dims=None)  # type: ignore[no-any-return]
    places = tuple(as_dim(d, input._array.ndim, "roll") for d in along)
    return ops.Roll.apply(input, shifts=by, dims=places)  # type: ignore[no-any-return]


def tril(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The lower triangle of each matrix, zeros above."""
    return finish(_triangle(input, diagonal, lower=True), out)


def triu(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The upper triangle of each matrix, zeros below."""
    return finish(_triangle(input, diagonal, lower=False), out)


def _triangle(input: Tensor, diagonal: int, lower: bool) -> Tensor:
    check_tensor(input, "tril" if lower else "triu")
    if input._array.ndim < 2:
        raise RuntimeError(f"tri{'l' if lower else 'u'}: input tensor must have at least 2 dimensions")
    return ops.Triangle.apply(input, diagonal=diagonal, lower=lower)  # type: ignore[no-any-return]


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy with memory of its own, still in the graph."""
    check_tensor(input, "clone")
    refuse_memory_format(memory_format, "clone")
    return ops.Clone.apply(input)  # type: ignore[no-any-return]


def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor itself when its elements lie in row order, else a copy in which they do."""
    refuse_memory_format(memory_format, "contiguous")
    return input if input._array.flags.c_contiguous else ops.Contiguous.apply(input)


def numel(input: Tensor) -> int:
    """How many elements there are."""
    check_tensor(input, "numel")
    return input._array.size


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """All tensors expanded to their common shape; views."""
    shape: tuple[int, ...] = ()
    for tensor in tensors:
        check_tensor(tensor, "broadcast_tensors", "tensors")
        check_broadcast(np.broadcast_to(np.empty(()), shape), tensor._array)
        shape = np.broadcast_shapes(shape, tensor._array.shape)
    return tuple(x if x._array.shape == shape else expand(x, *shape) for x in tensors)


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """The coordinates of a grid spanned by vectors; views.

    With "ij" the first vector runs along the first dimension, with "xy" along the second.
    """
    vectors = tensors[0] if len(tensors) == 1 and not isinstance(tensors[0], TensorBase) else tensors
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    for vector in vectors:
        check_tensor(vector, "meshgrid", "tensors")
        if vector._array.ndim > 1:
            raise RuntimeError(
                f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {vector._array.ndim}D"
            )
        if vector._array.dtype != vectors[0]._array.dtype:
            raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    places = list(range(len(vectors)))
    if indexing == "xy" and len(vectors) > 1:
        places[:2] = [1, 0]
    shape = [0] * len(vectors)
    for place, vector in zip(places, vectors, strict=True):
        shape[place] = vector._array.size
    columns = [
        view(vector, *(-1 if d == place else 1 for d in range(len(shape))))
        for place, vector in zip(places, vectors, strict=True)
    ]
    return tuple(expand(column, *shape) for column in columns)
