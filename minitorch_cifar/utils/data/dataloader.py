"""`DataLoader`: batches of a dataset, in order, prepared in the loop itself or ahead of it by workers.

The loader checks its arguments and builds the samplers. An iterator of its own goes through the sampler,
fetches (`fetch.py`) and collates (`collate.py`); with `num_workers` it hands the fetching to threads
(`worker.py`).
"""

from __future__ import annotations

import queue
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from ...random import Generator
from .collate import default_collate, default_convert
from .dataset import IterableDataset, length_of
from .fetch import Fetch, IterableFetcher, map_fetcher, sample_fetcher
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, draw_seed
from .whole_batch import BatchReader, reader_of
from .worker import End, Failure, InPlaceWorker, Restart, Worker

AnyWorker = Worker | InPlaceWorker
T_co = TypeVar("T_co", covariant=True)


class _EndlessSampler(Sampler[None]):
    """None for ever: an iterable dataset has no indices and ends by itself."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


class DataLoader(Generic[T_co]):
    """An iterable over batches of `dataset`.

    Args:
        dataset: map-style or iterable.
        batch_size: samples per batch; None yields single samples.
        shuffle: a new random order in every epoch.
        sampler, batch_sampler: the order of the indices, or of lists of them, instead of the above.
        num_workers: how many background threads fetch batches ahead. NumPy, Pillow and the kernels let other
            threads run while they work. 0 fetches in the loop. Python's and NumPy's global random states are
            shared by all threads and not seeded; the engine's own is seeded per worker, as in PyTorch.
            Where no code of the user's takes part (the engine's own datasets of arrays and known transforms,
            the default `collate_fn`, no `worker_init_fn`), no threads are started: whole batches are made
            when the loop asks for them, with the workers' random streams and so with the same results.
        collate_fn: from a list of samples to a batch; `default_collate` by default.
        pin_memory: accepted, with PyTorch's warning: there is no accelerator to pin memory for.
        drop_last: leave out a last batch that is shorter.
        timeout: seconds to wait for a worker's batch; 0 waits for ever.
        worker_init_fn: called in each worker with its number before it fetches.
        generator: draws the order and the workers' base seed.
        prefetch_factor: batches that each worker is ahead, and the sampler with it; 2 by default.
        persistent_workers: keep the threads from one epoch to the next.

    An exception in a worker is raised again in the loop, with the worker's traceback in its message.

    >>> import minitorch_cifar as torch
    >>> loader = torch.utils.data.DataLoader(range(5), batch_size=2)
    >>> len(loader), list(loader)
    (3, [tensor([0, 1]), tensor([2, 3]), tensor([4])])
    """

    _initialized = False
    _iterator: _LoaderIterator | None = None

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Any = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers, multiprocessing_context)
        if not in_order:
            raise NotImplementedError(
                "in_order=False is not part of minitorch_cifar: batches come in the sampler's order"
            )
        if pin_memory_device:
            raise NotImplementedError(
                "pin_memory_device is not part of minitorch_cifar: the engine has no accelerator"
            )
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.generator = generator
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        self._iterable = isinstance(dataset, IterableDataset)
        if self._iterable:
            _check_iterable(shuffle, sampler, batch_sampler)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and "
                    "drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError(
                "batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
            )
        if sampler is None:
            if self._iterable:
                sampler = _EndlessSampler()
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)
            else:
                sampler = SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.collate_fn = collate_fn
        self._initialized = True

    def __setattr__(self, name: str, value: Any) -> None:
        fixed = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")
        if self._initialized and name in fixed:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Any]:
        if self.num_workers == 0:
            return _DirectIterator(self)
        if not self.persistent_workers:
            return _WorkerIterator(self)
        if isinstance(self._iterator, _WorkerIterator):
            self._iterator.restart()
        else:
            self._iterator = _WorkerIterator(self)
        return self._iterator

    @property
    def _index_sampler(self) -> Any:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def fetch_maker(self) -> Callable[[Any], Fetch]:
        """From a dataset to the function from what the sampler yields to what the loader yields.

        It does not refer to the loader, so that workers who hold it do not keep the loader alive.
        """
        batches = self.batch_sampler is not None
        if self._iterable:
            return partial(
                IterableFetcher, batches=batches, collate=self.collate_fn, drop_last=self.drop_last
            )
        return partial(map_fetcher, batches=batches, collate=self.collate_fn)

    def __len__(self) -> int:
        if not self._iterable:
            return length_of(self._index_sampler)
        length = length_of(self.dataset)
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent: bool, context: Any
) -> None:
    if num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0 to disable multiprocessing."
        )
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing."
            "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")
    if context is not None:
        if num_workers == 0:
            raise ValueError(
                "multiprocessing_context can only be used with multi-process loading (num_workers > 0), "
                f"but got num_workers={num_workers}"
            )
        raise NotImplementedError(
            "multiprocessing_context is not part of minitorch_cifar: workers are threads"
        )


def _check_iterable(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    start = "DataLoader with IterableDataset: expected unspecified"
    if shuffle not in {False, None}:
        raise ValueError(f"{start} shuffle option, but got shuffle={shuffle}")
    if sampler is not None:
        raise ValueError(f"{start} sampler option, but got sampler={sampler}")
    if batch_sampler is not None:
        raise ValueError(f"{start} batch_sampler option, but got batch_sampler={batch_sampler}")


class _LoaderIterator:
    """One pass through a loader. It draws a base seed, as PyTorch does, with workers or without."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        if loader.pin_memory:
            warnings.warn(
                "'pin_memory' argument is set as true but no accelerator is found, "
                "then device pinned memory won't be used.",
                stacklevel=3,
            )
        self._loader = loader
        self._indices = iter(loader._index_sampler)
        self._base_seed = draw_seed(loader.generator)

    def __iter__(self) -> _LoaderIterator:
        return self

    def __next__(self) -> Any:
        raise NotImplementedError

    def __len__(self) -> int:
        return length_of(self._loader._index_sampler)


class _DirectIterator(_LoaderIterator):
    """Fetches each batch when it is asked for."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        self._fetch = loader.fetch_maker()(loader.dataset)

    def __next__(self) -> Any:
        return self._fetch(next(self._indices))


class _WorkerIterator(_LoaderIterator):
    """Keeps `prefetch_factor` batches per worker under way and takes them in turn."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        self._workers = _make_workers(loader, self._base_seed)
        self._finalizer = weakref.finalize(self, _stop, self._workers)
        self._begin()

    def _begin(self) -> None:
        self._pending: deque[AnyWorker] = deque()  # whose answer comes next, in order
        self._working = deque(self._workers)  # those whose dataset is not exhausted, next one first
        for _ in range((self._loader.prefetch_factor or 0) * len(self._workers)):
            self._ask()

    def restart(self) -> None:
        """Begin another pass with the same threads; their random streams go on."""
        for worker in self._pending:
            worker.answer(None)
        self._indices = iter(self._loader._index_sampler)
        for worker in self._workers:
            worker.ask(Restart())
        self._begin()

    def _ask(self) -> None:
        """Give the next indices to the next worker."""
        if not self._working:
            return
        try:
            indices = next(self._indices)
        except StopIteration:
            return
        worker = self._working[0]
        self._working.rotate(-1)
        worker.ask(indices)
        self._pending.append(worker)

    def __next__(self) -> Any:
        while True:
            if not self._pending:
                self._ask()
            if not self._pending:
                if not self._loader.persistent_workers:
                    self._finalizer()
                raise StopIteration
            worker = self._pending.popleft()
            answer = self._answer(worker)
            if isinstance(answer, End):
                self._retire(worker)
                continue
            self._ask()
            if isinstance(answer, Failure):
                answer.reraise()
            return answer

    def _answer(self, worker: AnyWorker) -> Any:
        timeout = self._loader.timeout
        try:
            return worker.answer(timeout or None)
        except queue.Empty:
            raise RuntimeError(f"DataLoader timed out after {timeout} seconds") from None

    def _retire(self, worker: AnyWorker) -> None:
        """Ask this worker no more: its dataset is exhausted."""
        if worker in self._working:
            self._working.remove(worker)
        self._ask()


def _make_workers(loader: DataLoader[Any], base_seed: int) -> Sequence[AnyWorker]:
    """Threads, or where it makes no difference that anybody could see, workers in the loop's own thread."""
    count, dataset = loader.num_workers, loader.dataset
    batches = loader.batch_sampler is not None
    known = batches and not loader._iterable and loader.worker_init_fn is None
    if known and loader.collate_fn is default_collate and isinstance(read := reader_of(dataset), BatchReader):
        samples = sample_fetcher(dataset, batches, loader.collate_fn)
        return [InPlaceWorker(w, count, base_seed, dataset, read, samples) for w in range(count)]
    return [
        Worker(w, count, base_seed, dataset, loader.fetch_maker(), loader.worker_init_fn, loader._iterable)
        for w in range(count)
    ]


def _stop(workers: Sequence[AnyWorker]) -> None:
    for worker in workers:
        worker.stop()
