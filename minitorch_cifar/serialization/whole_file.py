"""Files that appear whole or not at all.

Content goes to a temporary neighbour, is forced to the disk, and then takes the final name in one step.
Whoever opens the final name, also after a crash or on a full disk, sees the old file or the new one, never
half of one.
"""

from __future__ import annotations

import contextlib
import glob
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows cannot open folders
        return
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file open for writing bytes that replaces `path` when the block ends without an exception.

    Links are followed, and the permissions of a file already there are kept. What is not a regular file, such
    as `/dev/null` or a pipe, is written directly.
    """
    final = Path(os.path.realpath(path))
    try:
        mode: int | None = final.stat().st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        with open(final, "wb") as direct:
            yield direct
        return
    before, after = _around(final.name)
    descriptor, temporary = tempfile.mkstemp(dir=final.parent, prefix=before, suffix=after)
    try:
        with cast(BinaryIO, os.fdopen(descriptor, "wb")) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, stat.S_IMODE(mode) if mode is not None else 0o666 & ~_umask())
        os.replace(temporary, final)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(final.parent)


def temporary_names(name: str) -> str:
    """A pattern for `glob` of what `whole_file` calls a file until it is `name`; a kill may leave such a
    file.

    >>> temporary_names("checkpoint.pth")
    '.checkpoint.pth.*.part'
    """
    return "*".join(map(glob.escape, _around(name)))


def _around(name: str) -> tuple[str, str]:
    """What stands before and after the random part of a temporary name."""
    return f".{name[:100]}.", ".part"


def _umask() -> int:
    """The process's mask of permissions; asking for it means setting it for a moment."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
