"""Background workers of a `DataLoader`: threads that fetch batches ahead of time.

Worker w of W gets batches w, w+W, w+2W, ... and answers in that order, so reading from the workers in turn
gives the loader's order back. Each worker has a random stream of its own, seeded with base_seed + w as
PyTorch seeds its worker processes: what a random transform draws does not depend on how fast the threads
happen to run.

Where the dataset is read by the engine's own code alone (`whole_batch.BatchReader`), nobody could tell which
thread ran it, and a batch takes less time than two threads take to hand it over. Then `InPlaceWorkers` do in
the loop itself, with the same streams, what threads would have done.
"""

from __future__ import annotations

import copy
import queue
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...random import default_generator
from ...random.mersenne_twister import MersenneTwister
from .fetch import Fetch
from .whole_batch import BatchReader


@dataclass(frozen=True)
class WorkerInfo:
    """What `get_worker_info()` tells a worker about itself."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


_local = threading.local()


def get_worker_info() -> WorkerInfo | None:
    """The current worker's `id`, `num_workers`, `seed` and `dataset`; None outside of workers."""
    return getattr(_local, "info", None)


@dataclass(frozen=True)
class Failure:
    """An exception in a worker, to be raised again in the loop over the loader."""

    error: BaseException
    text: str
    worker: int

    def reraise(self) -> None:
        """Raise an exception of the same class whose message holds the worker's traceback."""
        message = (
            f"Caught {type(self.error).__name__} in DataLoader worker thread {self.worker}.\n"
            f"Original {self.text}"
        )
        try:
            error: BaseException = type(self.error)(message)
        except Exception:  # its constructor wants something else
            raise RuntimeError(message) from self.error
        raise error from self.error


class End:
    """A worker's iterable dataset is exhausted."""


class Restart:
    """The loader starts another epoch with the same workers."""


class Stop:
    """The worker is not needed any more."""


class Worker:
    """One thread with a queue of index lists coming in and a queue of batches going out."""

    def __init__(
        self,
        number: int,
        count: int,
        base_seed: int,
        dataset: Any,
        make_fetch: Callable[[Any], Callable[[Any], Any]],
        init: Callable[[int], Any] | None,
        copy_dataset: bool,
    ) -> None:
        self.tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        # Each worker may change an iterable dataset to walk through a part of its own.
        own = copy.copy(dataset) if copy_dataset else dataset
        info = WorkerInfo(number, count, base_seed + number, own)
        # The thread knows the queues but not the loader, which can thus be dropped in the middle of an epoch.
        arguments = (info, self.tasks, self.results, make_fetch, init)
        self.thread = threading.Thread(
            target=_run, args=arguments, name=f"DataLoader worker {number}", daemon=True
        )
        self.thread.start()

    def stop(self) -> None:
        """Let the thread end once it has done what is asked so far."""
        self.tasks.put(Stop())


class InPlaceWorkers:
    """Reads the batches of all workers in the loop's own thread, each with its worker's stream.

    A batch that the reader cannot make is fetched sample by sample, by what may be a user's code: it sees
    the same `get_worker_info()` and the same stream as in a thread, and its exceptions are told the same way.
    """

    def __init__(
        self, count: int, base_seed: int, dataset: Any, read: BatchReader, fetch_samples: Fetch
    ) -> None:
        self.infos = [WorkerInfo(number, count, base_seed + number, dataset) for number in range(count)]
        self.streams = [MersenneTwister(info.seed % 2**64) for info in self.infos]
        self.read = read
        self.fetch_samples = fetch_samples

    def result(self, indices: Any, number: int) -> Any:
        """The batch that worker `number` makes of these indices, or the `Failure` that comes of them."""
        try:
            if not self.read.draws:
                batch = self.read(indices)
                if batch is not None:
                    return batch
            with default_generator.stream(self.streams[number]):
                batch = self.read(indices)
                return self._samples(indices, number) if batch is None else batch
        except Exception as error:
            return Failure(error, traceback.format_exc(), number)

    def _samples(self, indices: Any, number: int) -> Any:
        outer = get_worker_info()
        _local.info = self.infos[number]
        try:
            return self.fetch_samples(indices)
        finally:
            _local.info = outer


def _run(
    info: WorkerInfo,
    tasks: queue.SimpleQueue[Any],
    results: queue.SimpleQueue[Any],
    make_fetch: Callable[[Any], Callable[[Any], Any]],
    init: Callable[[int], Any] | None,
) -> None:
    """What a worker thread does: answer each task with a batch, a `Failure` or an `End`, until `Stop`."""
    _local.info = info
    with default_generator.own_stream(info.seed):
        fetch: Callable[[Any], Any] | None = None
        started = False
        while not isinstance(task := tasks.get(), Stop):
            try:
                if not started:
                    started = True
                    if init is not None:
                        init(info.id)
                if isinstance(task, Restart):
                    fetch = None
                    continue
                if fetch is None:
                    fetch = make_fetch(info.dataset)
                results.put(fetch(task))
            except StopIteration:
                results.put(End())
            except BaseException as error:
                results.put(Failure(error, traceback.format_exc(), info.id))
