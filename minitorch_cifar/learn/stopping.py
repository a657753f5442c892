"""Ctrl-C and SIGTERM while a network is trained: noted first, and obeyed when what was learnt is saved.

A second one does not wait: it does at once what it would have done without all this.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["Request", "Stopped", "deferred_signals"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """Leads out of a training's loops to where the signal is obeyed."""


class Request:
    """Whether the process was asked to end, and by which signal."""

    number: int | None = None

    def __bool__(self) -> bool:
        return self.number is not None


@contextmanager
def deferred_signals() -> Iterator[Request]:
    """Notes the first SIGINT or SIGTERM in the block instead of obeying it, and obeys it behind the block.

    The block looks at the request now and then, and ends, also by `Stopped`, when it says so. Signals that
    the process ignores (as under `nohup`) stay ignored. Only the main thread hears signals; in others the
    request is never made.
    """
    request = Request()
    before: dict[int, Any] = {}

    def note(number: int, frame: FrameType | None) -> None:
        if not request:
            request.number = number
            return
        put_back()
        signal.raise_signal(number)

    def put_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, note)
    try:
        yield request
    except Stopped:
        pass
    finally:
        put_back()
    if request.number is not None:
        signal.raise_signal(request.number)
