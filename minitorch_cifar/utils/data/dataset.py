"""Datasets: what holds the samples.

A map-style `Dataset` answers `dataset[i]` and `len(dataset)`; an `IterableDataset` is only walked through.
The other classes put datasets together or take them apart. Nothing is copied: a `Subset` is a list of
indices. Batches, order and workers belong to the `DataLoader`.
"""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ...random import Generator, default_generator
from .whole_batch import BatchReader, ConcatReader, Read, RowReader, SubsetReader, reader_of

if TYPE_CHECKING:
    from ...tensor import Tensor

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


def length_of(dataset: Any) -> int:
    """`len(dataset)`, for datasets whose class only promises `__getitem__`."""
    return len(dataset)


class Dataset(Generic[T_co]):
    """A map from indices to samples. Subclasses write `__getitem__` and, for most uses, `__len__`.

    A subclass may also write `__getitems__(indices) -> list of samples`; the loader then asks for a whole
    batch at once.

    >>> import minitorch_cifar as torch
    >>> class Squares(torch.utils.data.Dataset):
    ...     def __getitem__(self, index): return index**2
    ...     def __len__(self): return 4
    >>> len(Squares() + Squares()), (Squares() + Squares())[5]
    (8, 1)
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co]):
    """A stream of samples: subclasses write `__iter__`.

    With workers, each of them walks through the whole stream unless `__iter__` asks `get_worker_info()` which
    part is its own.
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError("Subclasses of IterableDataset should implement __iter__.")

    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Any, ...]]):
    """Samples are the rows of one or more tensors: `dataset[i]` is `(tensors[0][i], tensors[1][i], ...)`.

    Raises AssertionError when the tensors have different numbers of rows.
    """

    def __init__(self, *tensors: Tensor) -> None:
        if any(tensors[0].size(0) != tensor.size(0) for tensor in tensors):
            raise AssertionError("Size mismatch between tensors")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return int(self.tensors[0].size(0))

    def batch_reader(self) -> BatchReader:
        """Reads rows at a list of indices, all at once."""
        return RowReader(self)


class ConcatDataset(Dataset[T_co]):
    """Several datasets one after the other; `a + b` is the short form."""

    def __init__(self, datasets: Iterable[Dataset[Any]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(itertools.accumulate(map(length_of, self.datasets)))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def locate(self, index: int) -> tuple[int, int]:
        """Which dataset holds sample `index`, and at which place in it."""
        if index < 0:
            if -index > len(self):
                raise ValueError("absolute value of index should not exceed dataset length")
            index += len(self)
        which = bisect.bisect_right(self.cumulative_sizes, index)
        return which, index - (self.cumulative_sizes[which - 1] if which else 0)

    def __getitem__(self, index: int) -> T_co:
        which, place = self.locate(index)
        item: T_co = self.datasets[which][place]
        return item

    def batch_reader(self) -> BatchReader | None:
        """Puts batches together when every part has a reader of the engine's own."""
        readers = [reader_of(dataset) for dataset in self.datasets]
        own = [reader for reader in readers if isinstance(reader, BatchReader)]
        return ConcatReader(self, own) if len(own) == len(readers) else None


class ChainDataset(IterableDataset[T_co]):
    """Several iterable datasets, walked through one after the other."""

    def __init__(self, datasets: Iterable[Dataset[Any]]) -> None:
        self.datasets = datasets

    def _checked(self) -> Iterator[IterableDataset[Any]]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError("ChainDataset only supports IterableDataset")
            yield dataset

    def __iter__(self) -> Iterator[T_co]:
        for dataset in self._checked():
            yield from dataset

    def __len__(self) -> int:
        return sum(map(length_of, self._checked()))


class Subset(Dataset[T_co]):
    """The samples of `dataset` at `indices`, in that order."""

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices
        own = type(self)
        if own.__getitem__ is not Subset.__getitem__ and own.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"{own.__name__} overrides __getitem__ but not __getitems__, which DataLoader calls. Add:\n"
                "def __getitems__(self, indices):\n"
                "    return [self.__getitem__(idx) for idx in indices]"
            )

    def __getitem__(self, idx: Any) -> T_co:
        if isinstance(idx, list):
            return self.dataset[[self.indices[i] for i in idx]]
        return self.dataset[self.indices[idx]]

    def __getitems__(self, indices: list[int]) -> list[T_co]:
        chosen = [self.indices[i] for i in indices]
        whole_batch = getattr(self.dataset, "__getitems__", None)
        if callable(whole_batch):
            batch: list[T_co] = whole_batch(chosen)
            return batch
        return [self.dataset[i] for i in chosen]

    def __len__(self) -> int:
        return len(self.indices)

    def batch_reader(self) -> Read | None:
        """The whole dataset's, on the chosen indices."""
        reader = reader_of(self.dataset)
        if isinstance(reader, BatchReader):
            return SubsetReader(self, reader)
        return None if reader is None else lambda indices: reader([self.indices[i] for i in indices])


class StackDataset(Dataset[Any]):
    """Several datasets side by side: a sample is the tuple (or, given by name, the dict) of their samples."""

    def __init__(self, *args: Dataset[Any], **kwargs: Dataset[Any]) -> None:
        if args and kwargs:
            raise ValueError("StackDataset takes datasets by position or by name, not both")
        if not args and not kwargs:
            raise ValueError("At least one dataset should be passed")
        self.datasets: tuple[Dataset[Any], ...] | dict[str, Dataset[Any]] = args or kwargs
        lengths = {length_of(dataset) for dataset in (args or tuple(kwargs.values()))}
        if len(lengths) > 1:
            raise ValueError("Size mismatch between datasets")
        self._length = lengths.pop()

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __len__(self) -> int:
        return self._length


def random_split(
    dataset: Dataset[T], lengths: Sequence[int | float], generator: Generator | None = None
) -> list[Subset[T]]:
    """Divide a dataset at random into parts of the given lengths.

    `lengths` are counts that sum to `len(dataset)`, or fractions that sum to 1 (what rounding leaves over
    goes to the first parts, one each). Raises ValueError when they do not.

    >>> import minitorch_cifar as torch
    >>> parts = torch.utils.data.random_split(range(10), [0.7, 0.3], torch.Generator().manual_seed(42))
    >>> [len(part) for part in parts], sorted(list(parts[0]) + list(parts[1])) == list(range(10))
    ([7, 3], True)
    """
    total = length_of(dataset)
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        for i, fraction in enumerate(lengths):
            if fraction < 0 or fraction > 1:
                raise ValueError(f"Fraction at index {i} is not between 0 and 1")
        counts = [math.floor(total * fraction) for fraction in lengths]
        for i in range(total - sum(counts)):
            counts[i % len(counts)] += 1
        for i, count in enumerate(counts):
            if count == 0:
                warnings.warn(
                    f"Length of split at index {i} is 0. This might result in an empty dataset.", stacklevel=2
                )
        lengths = counts
    if sum(lengths) != total:
        raise ValueError("Sum of input lengths does not equal the length of the input dataset!")
    counts = [int(length) for length in lengths]
    order = (generator or default_generator).randperm(total).tolist()
    ends = itertools.accumulate(counts)
    return [Subset(dataset, order[end - count : end]) for end, count in zip(ends, counts, strict=True)]
