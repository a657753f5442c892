"""Ctrl-C while the package is still being imported.

Importing takes half a second, before any code of the command line could catch an interruption. So when
`minitorch-cifar` or `python -m minitorch_cifar` is what imports the package, and nobody else, a first Ctrl-C
ends the process with one line and status 130. Nothing can be lost at that time. The command line takes over
as soon as it runs.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

COMMAND = "minitorch-cifar"


def is_command() -> bool:
    """Whether this process was started as the command."""
    # `python -m NAME` imports the package of NAME with "-m" in the place of the program's name.
    started_as_module = (
        sys.argv[:1] == ["-m"] and sys.orig_argv[1:] and ("minitorch_cifar" in sys.orig_argv[1:])
    )
    return bool(started_as_module) or os.path.basename(sys.argv[0] if sys.argv else "") in (
        COMMAND,
        COMMAND + ".exe",
    )


def leave(number: int, frame: FrameType | None) -> None:
    """Ends the process at once: an exception would pass through half-imported modules, which may hide it."""
    os.write(2, f"{COMMAND}: interrupted\n".encode())
    os._exit(130)


def begin() -> None:
    """Waits for Ctrl-C, unless something else does already."""
    if (
        is_command()
        and threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    ):
        signal.signal(signal.SIGINT, leave)


def end() -> None:
    """From now on Ctrl-C is the exception KeyboardInterrupt again."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


begin()
