"""The batches of an epoch: in a random order that can be entered in its middle, augmented if wished.

Nothing here depends on which thread prepares a batch, nor on the batches before it. So a run that is resumed
in the middle of an epoch, and one with another number of workers, sees the same pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

import numpy as np

from ..random import default_generator
from ..utils.data import BatchSampler, Dataset, RandomSampler, Sampler, default_collate

__all__ = ["AugmentedPictures", "ShuffledBatches"]


class ShuffledBatches(Sampler[list[int]]):
    """Lists of `batch_size` indices in a new random order each time, as `DataLoader(shuffle=True)` draws it.

    `skip` batches are left out of the next pass, and of that alone.

    >>> import minitorch_cifar as torch
    >>> batches = ShuffledBatches(range(5), 2)
    >>> _ = torch.manual_seed(0)
    >>> whole = list(batches)
    >>> _ = torch.manual_seed(0)
    >>> batches.skip = 1
    >>> list(batches) == whole[1:]
    True
    """

    def __init__(self, pictures: Any, batch_size: int) -> None:
        self.batches = BatchSampler(RandomSampler(pictures), batch_size, drop_last=False)
        self.skip = 0

    def __iter__(self) -> Iterator[list[int]]:
        skip, self.skip = self.skip, 0
        yield from islice(self.batches, skip, None)

    def __len__(self) -> int:
        return len(self.batches)


class AugmentedPictures(Dataset[Any]):
    """Pictures whose transforms draw at random, with a stream of random numbers for each batch.

    Args:
        pictures: the dataset whose transforms draw.
        seed: the run's. A batch's stream starts from it, from `epoch` and from the batch's first index, which
            no other batch of the epoch has.
    """

    def __init__(self, pictures: Any, seed: int) -> None:
        self.pictures = pictures
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Any:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: list[int]) -> list[Any]:
        with self._stream(indices):
            return [self.pictures[i] for i in indices]

    def batch_reader(self) -> Callable[[list[int]], Any]:
        """From indices to a collated batch, by the pictures' own way to whole batches where they have one."""
        whole = getattr(self.pictures, "batch_reader", None)
        reader = whole() if callable(whole) else None

        def read(indices: list[int]) -> Any:
            with self._stream(indices):
                batch = None if reader is None else reader(indices)
                return default_collate([self.pictures[i] for i in indices]) if batch is None else batch

        return read

    def _stream(self, indices: list[int]) -> AbstractContextManager[None]:
        """Inside of it, this thread draws the random numbers of the batch with these indices."""
        return default_generator.own_stream(batch_seed(self.seed, self.epoch, indices[0]))


def batch_seed(seed: int, epoch: int, first: int) -> int:
    """A number of 64 bits that looks random, from a run's seed, an epoch and a batch's first index."""
    mixed = np.random.SeedSequence([seed % 2**32, seed // 2**32, epoch, first])
    return int(mixed.generate_state(1, np.uint64)[0])
