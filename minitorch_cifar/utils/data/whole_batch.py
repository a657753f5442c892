"""Whole batches: how a dataset that keeps its samples in arrays hands out a batch without making samples.

Such a dataset has a method `batch_reader()`. It returns a function from a list of indices to what
`default_collate` would have made of the samples, bit for bit and with the same random draws; or None when it
cannot, and the function itself returns None for a batch that it cannot make so (before anything is drawn).
The loader then asks for the samples one by one. A reader that is a `BatchReader` besides runs no code but
the engine's own, so that nobody can tell in which thread it ran: for it, no workers are started.

A class answers for those that inherit from it only as long as they make their samples as it does: in
`reader_of`, a subclass with a `__getitem__` of its own goes sample by sample.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...autograd import wrap
from ...dtypes import Array

if TYPE_CHECKING:
    from .dataset import ConcatDataset, Subset, TensorDataset

Read = Callable[[list[int]], Any]

_INTEGERS = frozenset({int, np.int64})
_SAMPLING = ("__getitem__", "__getitems__", "__getattribute__")


class BatchReader:
    """Reads batches by the engine's own code alone.

    Attributes: `draws`, whether a batch takes numbers from the default generator.
    """

    draws = False

    def __call__(self, indices: list[int]) -> list[Any] | None:
        """The batch, a list of tensors; None when it has to be made sample by sample."""
        raise NotImplementedError


def reader_of(dataset: Any) -> Read | None:
    """The dataset's function from a list of indices to a collated batch, if it has one, else None."""
    for kind in type(dataset).__mro__:
        own = vars(kind)
        if "batch_reader" in own:
            reader: Read | None = dataset.batch_reader()
            return reader
        if any(name in own for name in _SAMPLING):
            return None
    return None


def positions(indices: Sequence[Any], count: int) -> Array | None:
    """Indices as int64 (B,) when all are integers from 0 ... count-1, else None."""
    right = indices and _INTEGERS.issuperset(map(type, indices)) and 0 <= min(indices) <= max(indices) < count
    return np.array(indices, np.int64) if right else None


class RowReader(BatchReader):
    """Rows of the tensors of a `TensorDataset`."""

    def __init__(self, dataset: TensorDataset) -> None:
        self.dataset = dataset

    def __call__(self, indices: list[int]) -> list[Any] | None:
        from ...tensor import Tensor

        tensors = self.dataset.tensors
        # Stacked rows of a tensor that requires grad would be part of the graph.
        if not tensors or any(type(t) is not Tensor or t.requires_grad for t in tensors):
            return None
        chosen = positions(indices, min(len(tensor) for tensor in tensors))
        return None if chosen is None else [wrap(tensor._array.take(chosen, axis=0)) for tensor in tensors]


class SubsetReader(BatchReader):
    """Another reader's batches, at the indices of a `Subset`."""

    def __init__(self, dataset: Subset[Any], reader: BatchReader) -> None:
        self.dataset = dataset
        self.reader = reader

    @property
    def draws(self) -> bool:  # type: ignore[override]
        return self.reader.draws

    def __call__(self, indices: list[int]) -> list[Any] | None:
        chosen = self.dataset.indices
        if type(chosen) not in (list, tuple, range, np.ndarray):
            return None
        try:
            return self.reader([chosen[i] for i in indices])
        except (IndexError, TypeError):  # sample by sample, the same comes out with its own message
            return None


class ConcatReader(BatchReader):
    """Batches put together from the readers of the parts of a `ConcatDataset`.

    Neighbours from one part are read together; so the draws come in the order of the samples.
    """

    def __init__(self, dataset: ConcatDataset[Any], readers: list[BatchReader]) -> None:
        self.dataset = dataset
        self.readers = readers

    @property
    def draws(self) -> bool:  # type: ignore[override]
        return any(reader.draws for reader in self.readers)

    def __call__(self, indices: list[int]) -> list[Any] | None:
        from ...random import default_generator

        if positions(indices, len(self.dataset)) is None:
            return None
        before = default_generator.state_bytes() if self.draws else None
        batch = self._together(indices)
        if batch is None and before is not None:
            default_generator.set_state_bytes(before)
        return batch

    def _together(self, indices: list[int]) -> list[Any] | None:
        places = [self.dataset.locate(index) for index in indices]
        order: list[int] = list(range(len(places)))
        if not self.draws:  # then the order of reading is free
            order.sort(key=lambda i: places[i][0])
        pieces: list[list[Any]] = []
        start = 0
        while start < len(order):
            part = places[order[start]][0]
            end = start + 1
            while end < len(order) and places[order[end]][0] == part:
                end += 1
            piece = self.readers[part]([places[i][1] for i in order[start:end]])
            if piece is None:
                return None
            pieces.append(piece)
            start = end
        kinds = {tuple((tensor.dtype, tensor.shape[1:]) for tensor in piece) for piece in pieces}
        if len(kinds) > 1:
            return None
        back = np.argsort(order)
        return [
            wrap(np.concatenate([tensor._array for tensor in column])[back])
            for column in zip(*pieces, strict=True)
        ]
