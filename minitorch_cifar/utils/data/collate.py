"""From a list of samples to a batch.

`default_collate` stacks tensors, arrays and numbers, and goes into tuples, lists and dicts, each place of
which becomes a batch of its own. `default_convert` is for loaders without batches: it only turns arrays into
tensors.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from ...autograd import TensorBase
from ...dtypes import float64


def _is_text_array(array: Any) -> bool:
    return array.dtype.kind in "SUO"


def _error(found: Any) -> TypeError:
    return TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {found}"
    )


def default_collate(batch: Any) -> Any:
    """One batch from a list of samples of one structure.

    Tensors and arrays are stacked along a new first dimension, floats become a float64 tensor, ints an int64
    tensor; strings stay a list. A batch of tuples becomes a list with one batch per place, a batch of dicts a
    dict of batches. Raises TypeError for other objects, RuntimeError for lists of different lengths and for
    tensors of different shapes.

    >>> import minitorch_cifar as torch
    >>> torch.utils.data.default_collate([(torch.ones(2), 3), (torch.zeros(2), 4)])
    [tensor([[1., 1.],
            [0., 0.]]), tensor([3, 4])]
    """
    from ...functions.creation import as_tensor, tensor
    from ...functions.shape import stack

    first = batch[0]
    if isinstance(first, TensorBase):
        return stack(list(batch), 0)
    if isinstance(first, np.ndarray):
        if _is_text_array(first):
            raise _error(first.dtype)
        return default_collate([as_tensor(array) for array in batch])
    if isinstance(first, (np.bool_, np.number)):
        return as_tensor(np.array(batch))
    if isinstance(first, float):
        return tensor(batch, dtype=float64)
    if isinstance(first, int):
        return tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return _rebuild_mapping(first, {key: default_collate([d[key] for d in batch]) for key in first})
    if isinstance(first, tuple) and hasattr(first, "_fields"):  # a namedtuple
        return type(first)(*map(default_collate, zip(*batch, strict=False)))
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        places = list(map(default_collate, zip(*batch, strict=True)))
        return places if isinstance(first, tuple) else _rebuild_sequence(first, places)
    raise _error(type(first))


def default_convert(data: Any) -> Any:
    """`data` with its arrays and NumPy numbers as tensors; everything else as it is."""
    from ...functions.creation import as_tensor

    if isinstance(data, TensorBase):
        return data
    if isinstance(data, (np.ndarray, np.bool_, np.number)):
        return data if _is_text_array(data) else as_tensor(data)
    if isinstance(data, Mapping):
        return _rebuild_mapping(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    if isinstance(data, tuple):
        return [default_convert(value) for value in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _rebuild_sequence(data, [default_convert(value) for value in data])
    return data


def _rebuild_mapping(original: Any, items: dict[Any, Any]) -> Any:
    """`items` in a mapping of the original's type, where that type allows it, else in a dict."""
    try:
        if isinstance(original, MutableMapping):
            clone = copy.copy(original)  # keeps what else the object holds, such as a default factory
            clone.update(items)
            return clone
        return type(original)(items)
    except TypeError:
        return items


def _rebuild_sequence(original: Any, items: list[Any]) -> Any:
    """`items` in a sequence of the original's type, where that type allows it, else in a list."""
    make: Callable[[Any], Any] = type(original)
    try:
        if isinstance(original, MutableSequence):
            clone = copy.copy(original)
            for i, item in enumerate(items):
                clone[i] = item
            return clone
        return make(items)
    except TypeError:
        return items
