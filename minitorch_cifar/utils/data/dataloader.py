"""`DataLoader`: batches of a dataset, in order, prepared in the loop itself or ahead of it by workers.

The loader checks its arguments and builds the samplers. An iterator of its own goes through the sampler,
fetches (`fetch.py`) and collates (`collate.py`); with `num_workers` it hands the fetching to threads
(`worker.py`).
"""

from __future__ import annotations

import itertools
import queue
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from functools import partial
from typing import Any, Generic, TypeVar

from ...autograd import inference_mode, is_inference_mode_enabled
from ...missing import ExplainsMissing
from ...random import Generator
from .collate import default_collate, default_convert
from .dataset import IterableDataset, length_of
from .fetch import Fetch, IterableFetcher, map_fetcher, sample_fetcher
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, draw_seed
from .whole_batch import BatchReader, reader_of
from .worker import End, Failure, InPlaceWorkers, Restart, Worker

# So many samples are read at a time by workers in place, one batch right after the other, so that not every
# batch has to bring back into the caches what reading needs.
SAMPLES_AHEAD = 64

T_co = TypeVar("T_co", covariant=True)


class _EndlessSampler(Sampler[None]):
    """None for ever: an iterable dataset has no indices and ends by itself."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


class DataLoader(ExplainsMissing, Generic[T_co]):
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
            in the loop, a few at a time, with the workers' random streams and so with the same results. (What
            the loop changes in the dataset shows in the batches after these; in PyTorch's never.)
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
    _iterator: _WorkerIterator | _InPlaceIterator | None = None

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
        if self.persistent_workers and self._iterator is not None:
            self._iterator.restart()
            return self._iterator
        read = _reader_in_place(self)
        iterator = _WorkerIterator(self) if read is None else _InPlaceIterator(self, read)
        if self.persistent_workers:
            self._iterator = iterator
        return iterator

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
        count = loader.num_workers
        self._workers = [
            Worker(
                number,
                count,
                self._base_seed,
                loader.dataset,
                loader.fetch_maker(),
                loader.worker_init_fn,
                copy_dataset=loader._iterable,
            )
            for number in range(count)
        ]
        self._finalizer = weakref.finalize(self, _stop, self._workers)
        self._begin()

    def _begin(self) -> None:
        self._pending: deque[Worker] = deque()  # whose answer comes next, in order
        self._working = deque(self._workers)  # those whose dataset is not exhausted, next one first
        for _ in range((self._loader.prefetch_factor or 0) * len(self._workers)):
            self._ask()

    def restart(self) -> None:
        """Begin another pass with the same threads; their random streams go on."""
        for worker in self._pending:
            worker.results.get()
        self._indices = iter(self._loader._index_sampler)
        for worker in self._workers:
            worker.tasks.put(Restart())
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
        worker.tasks.put(indices)
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

    def _answer(self, worker: Worker) -> Any:
        timeout = self._loader.timeout
        try:
            return worker.results.get(timeout=timeout or None)
        except queue.Empty:
            raise RuntimeError(f"DataLoader timed out after {timeout} seconds") from None

    def _retire(self, worker: Worker) -> None:
        """Ask this worker no more: its dataset is exhausted."""
        if worker in self._working:
            self._working.remove(worker)
        self._ask()


class _InPlaceIterator(_LoaderIterator):
    """Reads whole batches in the loop's own thread, some at a time, as workers in turn would have.

    Of a sampler of the user's, `prefetch_factor` times `num_workers` lists of indices are taken at first and
    one with every batch, as workers would be given them. From the engine's own samplers, of which nobody can
    tell when they were asked, as many are taken as are read at a time.
    """

    def __init__(self, loader: DataLoader[Any], read: BatchReader) -> None:
        super().__init__(loader)
        samples = sample_fetcher(loader.dataset, True, loader.collate_fn)
        self._workers = InPlaceWorkers(loader.num_workers, self._base_seed, loader.dataset, read, samples)
        self._ahead = (loader.prefetch_factor or 0) * loader.num_workers
        # What is asked for is drawn for: where the streams go on after an epoch left early, that has to be as
        # much as PyTorch's workers are asked for.
        self._paced = not _unobserved(loader.batch_sampler) or (loader.persistent_workers and read.draws)
        if not self._paced:
            self._ahead = max(self._ahead, SAMPLES_AHEAD // (loader.batch_size or 1))
        self._begin()

    def _begin(self) -> None:
        self._asked: deque[Any] = deque()
        self._results: deque[Any] = deque()
        self._turn = 0  # which worker's the next batch is
        self._ask(self._ahead)

    def restart(self) -> None:
        """Begin another pass; the random streams go on, from behind the batches that were asked for."""
        self._read_asked()
        self._indices = iter(self._loader._index_sampler)
        self._begin()

    def _ask(self, count: int) -> None:
        """Take so many lists of indices, or what there is, from the sampler."""
        self._asked.extend(itertools.islice(self._indices, count))

    def _read_asked(self) -> None:
        """Read all that is asked for; outside of inference mode, as not all of it may be used inside."""
        with inference_mode(False) if is_inference_mode_enabled() else nullcontext():
            while self._asked:
                self._results.append(self._workers.result(self._asked.popleft(), self._turn))
                self._turn = (self._turn + 1) % self._loader.num_workers

    def __next__(self) -> Any:
        results = self._results
        if not results:
            if not self._asked:
                self._ask(max(self._ahead, 1))
            self._read_asked()
            if not results:
                raise StopIteration
        if self._paced:
            self._ask(1)
        batch = results.popleft()
        if type(batch) is Failure:
            batch.reraise()
        return batch


def _unobserved(batch_sampler: Any) -> bool:
    """Whether nobody can tell when indices are taken: they are counted up, or drawn from an own generator."""
    if type(batch_sampler) is not BatchSampler:
        return False
    sampler = batch_sampler.sampler
    if type(sampler) is RandomSampler:
        return sampler.generator is None
    return type(sampler) is SequentialSampler


def _reader_in_place(loader: DataLoader[Any]) -> BatchReader | None:
    """The dataset's reader where no code but the engine's own takes part in fetching, else None."""
    if loader.batch_sampler is None or loader._iterable or loader.worker_init_fn is not None:
        return None
    read = reader_of(loader.dataset) if loader.collate_fn is default_collate else None
    return read if isinstance(read, BatchReader) else None


def _stop(workers: list[Worker]) -> None:
    for worker in workers:
        worker.stop()
