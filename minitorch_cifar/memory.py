"""What the process does with memory that arrays gave back.

A training step makes arrays of megabytes and drops them again. The C library hands so large a piece back to
the system at once and fetches a new one for the next array, and the system fills each of its pages with zeros
on the first touch, in every step again. glibc can be told to keep the pieces instead; other C libraries are
left as they are.

Source: https://man7.org/linux/man-pages/man3/mallopt.3.html
"""

from __future__ import annotations

import ctypes
import os
import sys

# Names and numbers of glibc's malloc.h, and the environment variables that a user may have set instead.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_VARIABLES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_")

KEPT_IN_ALL = 1 << 30  # bytes of free memory at the end of the heap, above which some is given back


def keep_freed_memory() -> bool:
    """Let the C library keep what arrays free: none gets a mapping of its own, which goes with it. True if it
    could be told so.

    Nothing happens when the user set one of glibc's own variables (`MALLOC_MMAP_THRESHOLD_`, ...).
    """
    if not sys.platform.startswith("linux") or any(name in os.environ for name in _VARIABLES):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # a C library without it
        return False
    return bool(mallopt(_MMAP_MAX, 0)) and bool(mallopt(_TRIM_THRESHOLD, KEPT_IN_ALL))
