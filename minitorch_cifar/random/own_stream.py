"""The default generator, of which a thread can have a stream of its own.

A loader's worker threads draw from the default generator like everybody else, but PyTorch gives each worker
process a freshly seeded one. `own_stream` does that for a thread: inside the block, draws, seeds and states
are the thread's own, and all other threads keep the shared stream.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .generator import Generator
from .mersenne_twister import MersenneTwister


class DefaultGenerator(Generator):
    """A `Generator` shared by all threads except those inside of `own_stream`."""

    def __init__(self) -> None:
        self._of_this_thread = threading.local()
        super().__init__()

    @property
    def _twister(self) -> MersenneTwister:
        own: MersenneTwister = getattr(self._of_this_thread, "twister", self._shared_twister)
        return own

    @_twister.setter
    def _twister(self, twister: MersenneTwister) -> None:
        self._shared_twister = twister

    @contextmanager
    def own_stream(self, seed: int) -> Iterator[None]:
        """Inside the block, this thread draws from a stream of its own that starts from `seed`."""
        with self.stream(MersenneTwister(seed % 2**64)):
            yield

    @contextmanager
    def stream(self, twister: MersenneTwister) -> Iterator[None]:
        """Inside the block, this thread draws from a given stream, which goes on with the next block."""
        before = getattr(self._of_this_thread, "twister", None)
        self._of_this_thread.twister = twister
        try:
            yield
        finally:
            if before is None:
                del self._of_this_thread.twister
            else:
                self._of_this_thread.twister = before
