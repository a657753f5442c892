"""How a loader gets a batch: from indices to samples to collated tensors.

Where a dataset can prepare a whole batch at once with the same result (`whole_batch.py`), the samples are
never made one by one. That is what makes small batches of small pictures fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .collate import default_collate
from .whole_batch import reader_of as batch_reader

Fetch = Callable[[Any], Any]


def map_fetcher(dataset: Any, batches: bool, collate: Callable[[Any], Any]) -> Fetch:
    """For map-style datasets: from an index (or, with `batches`, a list of them) to what is yielded."""
    one_by_one = sample_fetcher(dataset, batches, collate)
    read = batch_reader(dataset) if batches and collate is default_collate else None
    if read is None:
        return one_by_one

    def fetch(indices: Any) -> Any:
        batch = read(indices)
        return one_by_one(indices) if batch is None else batch

    return fetch


def sample_fetcher(dataset: Any, batches: bool, collate: Callable[[Any], Any]) -> Fetch:
    """The same, always from single samples."""
    if not batches:
        return lambda index: collate(dataset[index])
    whole_batch = getattr(dataset, "__getitems__", None)
    if callable(whole_batch):
        return lambda indices: collate(whole_batch(indices))
    return lambda indices: collate([dataset[index] for index in indices])


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
