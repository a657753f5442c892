"""How a loader gets a batch: from indices to samples to collated tensors.

Where a dataset can prepare a whole batch at once with the same result (`batch_reader`), the samples are never
made one by one. That is what makes small batches of small pictures fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .collate import default_collate

Fetch = Callable[[Any], Any]


def map_fetcher(dataset: Any, batches: bool, collate: Callable[[Any], Any]) -> Fetch:
    """For map-style datasets: from an index (or, with `batches`, a list of them) to what is yielded."""
    if not batches:
        return lambda index: collate(dataset[index])
    if collate is default_collate:
        reader = batch_reader(dataset)
        if reader is not None:
            return reader
    whole_batch = getattr(dataset, "__getitems__", None)
    if callable(whole_batch):
        return lambda indices: collate(whole_batch(indices))
    return lambda indices: collate([dataset[index] for index in indices])


def batch_reader(dataset: Any) -> Fetch | None:
    """The dataset's own function from a list of indices to a collated batch, if it has one, else None."""
    own = getattr(dataset, "batch_reader", None)
    reader: Fetch | None = own() if callable(own) else None
    return reader


class IterableFetcher:
    """For iterable datasets: takes as many samples as there are indices; raises StopIteration at the end."""

    def __init__(self, dataset: Any, batches: bool, collate: Callable[[Any], Any], drop_last: bool) -> None:
        self.samples: Iterator[Any] = iter(dataset)
        self.batches = batches
        self.collate = collate
        self.drop_last = drop_last
        self.ended = False

    def __call__(self, indices: Any) -> Any:
        if self.ended:
            raise StopIteration
        if not self.batches:
            return self.collate(next(self.samples))
        taken = []
        for _ in indices:
            try:
                taken.append(next(self.samples))
            except StopIteration:
                self.ended = True
                break
        if not taken or (self.drop_last and len(taken) < len(indices)):
            raise StopIteration
        return self.collate(taken)
