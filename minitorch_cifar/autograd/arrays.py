"""What the graph asks of arrays: how a gradient is brought to its shape, and who shares memory with whom."""

from __future__ import annotations

import numpy as np
from numpy.lib.array_utils import byte_bounds

from ..dtypes import Array


def undo_broadcast(grad: Array, shape: tuple[int, ...]) -> Array:
    """Sum `grad` to `shape`: the transpose of NumPy's broadcasting, done in this one place.

    Each element of an input that was repeated contributed to several outputs, so its gradient is their sum.
    Sums run in float64, so that many small terms are not lost.

    >>> undo_broadcast(np.ones((2, 3)), (3,)).tolist()
    [2.0, 2.0, 2.0]
    """
    extra = grad.ndim - len(shape)
    repeated = [extra + i for i, size in enumerate(shape) if size == 1 and grad.shape[extra + i] != 1]
    total = np.add.reduce(grad, axis=(*range(extra), *repeated), dtype=np.float64, keepdims=True)
    return np.asarray(total, grad.dtype).reshape(shape)


def broadcasts_to(shape: tuple[int, ...], larger: tuple[int, ...]) -> bool:
    """Whether NumPy would repeat an array of `shape` to one of the shape `larger`.

    >>> broadcasts_to((3, 1), (2, 3, 4)), broadcasts_to((2,), (3,))
    (True, False)
    """
    extra = len(larger) - len(shape)
    return extra >= 0 and all(a in (1, b) for a, b in zip(shape, larger[extra:], strict=True))


def overlaps_itself(array: Array) -> bool:
    """Whether some elements are one and the same place in memory, as in an expanded tensor."""
    return (
        0 in array.strides
        and any(stride == 0 and size > 1 for stride, size in zip(array.strides, array.shape, strict=True))
        and array.size > 0
    )


def overlap_in_part(a: Array, b: Array) -> bool:
    """Whether writing to `a` while reading `b` would read what was just written.

    True when both fill a stretch of memory and the stretches overlap without being laid out alike. (PyTorch
    looks no further either: of arrays with gaps it is not known without solving for it.)
    """
    if not np.may_share_memory(a, b) or not (is_dense(a) and is_dense(b)):
        return False
    return byte_bounds(a) != byte_bounds(b) or a.strides != b.strides


def is_dense(array: Array) -> bool:
    """Whether the elements fill one stretch of memory, in whatever order of the dimensions."""
    expected = array.itemsize
    for stride, size in sorted(zip(array.strides, array.shape, strict=True)):
        if size != 1:
            if stride != expected:
                return False
            expected *= size
    return True
