"""How results lie in memory: as PyTorch lays them out, so that the same views of them are possible.

Most results are in rows (contiguous). Operations that go element by element keep the order of dimensions of
their inputs, and operations on pictures keep channels last. NumPy has other customs: it keeps the order of
the inputs wherever it can. Which rule an operation follows is its `lay_out`.

Source: `reorder_dimensions` in https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/TensorIterator.cpp
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import Array

Shape = tuple[int, ...]


def in_rows(result: Any) -> Any:
    """`result` with its last dimension innermost."""
    return result if result.flags.c_contiguous else result.copy(order="C")


def like_operands(result: Any, operands: Sequence[Any]) -> Any:
    """`result`, of an operation that goes element by element, in the order of dimensions of its operands.

    >>> like_operands(np.zeros((2, 3)), [np.zeros((3, 2)).T]).strides
    (8, 16)
    """
    if result.flags.c_contiguous:
        for operand in operands:
            if isinstance(operand, np.ndarray) and not operand.flags.c_contiguous:
                break
        else:
            return result
    if result.ndim < 2:
        return in_rows(result)
    shape = result.shape
    given = [operand for operand in operands if isinstance(operand, np.ndarray)]
    order = list(range(result.ndim))
    if not _are_rows(given, shape):
        order = order_of_dimensions(shape, [_strides_in(operand, shape) for operand in given])
    return _in_order(result, order)


def _are_rows(operands: Sequence[Array], shape: Shape) -> bool:
    return all(operand.shape == shape and operand.flags.c_contiguous for operand in operands)


def _strides_in(operand: Array, shape: Shape) -> Shape:
    extra = len(shape) - operand.ndim
    return (0,) * extra + tuple(
        0 if size == 1 and new != 1 else stride
        for size, stride, new in zip(operand.shape, operand.strides, shape[extra:], strict=True)
    )


def order_of_dimensions(shape: Shape, strides: Sequence[Shape]) -> list[int]:
    """The dimensions, outermost first, in which PyTorch goes through operands with these strides.

    An insertion sort from the innermost on. The first operand that knows decides; a dimension along which
    an operand is repeated (stride 0) says nothing, and may so stop nothing.

    >>> order_of_dimensions((2, 3), [(1, 2)]), order_of_dimensions((2, 3), [(0, 1)])
    ([1, 0], [0, 1])
    """
    order = list(reversed(range(len(shape))))  # innermost first
    for i in range(1, len(order)):
        place = i
        for inner in reversed(range(i)):
            verdict = _compare(order[inner], order[place], shape, strides)
            if verdict > 0:
                order[inner], order[place] = order[place], order[inner]
                place = inner
            elif verdict < 0:
                break
    return order[::-1]


def _compare(a: int, b: int, shape: Shape, strides: Sequence[Shape]) -> int:
    """1 where dimension `a` has to lie outside `b`, -1 where inside, 0 where that is open."""
    for stride in strides:
        if not stride[a] or not stride[b]:
            continue
        if stride[a] != stride[b]:
            return 1 if stride[a] > stride[b] else -1
        if shape[a] > shape[b]:
            return 1
    return 0


def _in_order(result: Array, order: Sequence[int]) -> Array:
    if result.transpose(order).flags.c_contiguous:
        return result
    copy = empty_in(result.shape, order, result.dtype)
    copy[...] = result
    return copy


def empty_in(shape: Shape, order: Sequence[int], dtype: Any) -> Array:
    """New memory for an array of `shape`, without gaps, its dimensions in `order`, outermost first."""
    lying = np.empty([shape[d] for d in order], dtype).transpose(np.argsort(order))
    return np.empty_like(lying, order="K")  # in memory of its own


def like_pictures(result: Any, *pictures: Any) -> Any:
    """`result` (N, C, H, W), its channels innermost if those of one of `pictures` are."""
    if result.ndim == 4:
        for picture in pictures:
            if channels_last(picture):
                return _in_order(result, (0, 2, 3, 1))
    return in_rows(result)


def channels_last(picture: Any) -> bool:
    """Whether PyTorch takes the channels of an array (N, C, H, W) to be innermost, by its strides alone.

    Gaps do not matter; where sizes of 1 leave it open, the array is taken to be in rows.
    """
    if not isinstance(picture, np.ndarray) or picture.ndim != 4:
        return False
    if picture.flags.c_contiguous and picture.shape[1] > 1 and picture.shape[3] > 1:
        return False  # the usual case
    least = 0
    for d in (1, 3, 2, 0):  # from the innermost on, if it is so
        size, stride = picture.shape[d], picture.strides[d]
        if not size or stride < least or (d == 1 and not stride) or (d == 0 and least == picture.strides[1]):
            return False
        least = stride * size
    return True
