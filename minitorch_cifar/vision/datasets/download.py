"""Fetching a file from the first address that gives the right one.

Addresses are tried in turn. A broken or slow transfer leaves a `.part` file beside the destination, and the
next attempt, at whichever address, goes on from there; the destination itself appears only once its checksum
is right. Unpacking is not done here.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final, Protocol

from ...serialization.whole_file import sync_folder
from .vision import DatasetError

CHUNK: Final = 1 << 18
TIMEOUT_SECONDS: Final = 30.0
# An address slower than this is left for the next one, and only taken again when no faster one works.
SLOW_BYTES_PER_SECOND: Final = 300_000
PATIENCE_SECONDS: Final = 20.0
MAX_SIZE: Final = 4_000_000_000  # bytes of a file whose size is not known beforehand


class TransferError(Exception):
    """One address failed; the message says why."""


class TooSlowError(TransferError):
    """The address works, but would take very long."""


class Reader(Protocol):
    """A file open for reading bytes."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""
        ...


def md5_of(path: Path, progress: Callable[[int], None] | None = None) -> str:
    """The MD5 sum of a file, as 32 hexadecimal digits."""
    return checksum_of(path, "md5", progress)


def checksum_of(path: Path, algorithm: str, progress: Callable[[int], None] | None = None) -> str:
    """The checksum of a file in hexadecimal digits; `algorithm` is "md5" or "sha256"."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            if progress is not None:
                progress(len(chunk))
    return digest.hexdigest()


def fetch(
    addresses: Sequence[str],
    destination: Path,
    checksum: str,
    size: int | None,
    algorithm: str = "md5",
    progress: bool = True,
) -> Path:
    """Fetch a file of known checksum into `destination`, from the first address that gives it.

    Args:
        addresses: where the same bytes lie, best first.
        destination: the final path; its folder is made when absent.
        checksum: what the file must have, in hexadecimal digits; the first few are enough.
        size: what the file must have in bytes; None takes the server's word, which the checksum then proves.
        algorithm: of the checksum, "md5" or "sha256".
        progress: whether to show how far the transfer is.

    Returns `destination`. Raises DatasetError that names every address and why it failed. A file already at
    `destination` is kept when its sum is right, and otherwise replaced only by a right one.
    """

    def right(path: Path) -> str | None:
        """None for the right file, else the checksum that it has."""
        found = checksum_of(path, algorithm)
        return None if found.startswith(checksum) else found

    if destination.is_file() and size in (None, destination.stat().st_size) and right(destination) is None:
        return destination
    destination.parent.mkdir(parents=True, exist_ok=True)
    part = destination.with_name(destination.name + ".part")
    failures: dict[str, str] = {}
    for patient in (False, True):
        for address in addresses:
            if patient and not failures[address].startswith("slow"):
                continue
            try:
                wanted = _announced_size(address) if size is None else size
                _transfer(address, part, wanted, patient or len(addresses) == 1, progress)
                found = right(part)
                if found is not None:
                    part.unlink()
                    kind = algorithm.upper()
                    raise TransferError(f"wrong content: {kind} {found}, expected {checksum}")
            except TooSlowError as error:
                failures[address] = f"slow: {error}"
            except (TransferError, OSError, http.client.HTTPException, ValueError) as error:
                failures[address] = describe(error)
            else:
                with open(part, "rb+") as file:
                    os.fsync(file.fileno())
                os.replace(part, destination)
                sync_folder(destination.parent)
                return destination
            print(f"{address}: {failures[address]}", file=sys.stderr)
    reasons = "\n".join(f"  {address}: {why}" for address, why in failures.items())
    known = "" if size is None else f"{size:,} bytes, "
    raise DatasetError(
        f"could not download {destination.name} ({known}{algorithm.upper()} {checksum}). Tried:\n{reasons}\n"
        f"Fetch it by other means and put it at {destination}, or run the same command again: "
        "what has arrived so far is kept."
    )


def _announced_size(address: str) -> int:
    """How large the server says the file is."""
    request = urllib.request.Request(address, headers={"User-Agent": "minitorch-cifar"}, method="HEAD")
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
        announced = response.headers.get("Content-Length")
    if announced is None or not announced.isdigit():
        raise TransferError("the server does not say how large the file is")
    if len(announced) > 10 or int(announced) > MAX_SIZE:
        raise TransferError(f"the server offers {announced[:20]} bytes; at most {MAX_SIZE:,} are fetched")
    return int(announced)


def describe(error: Exception) -> str:
    """An error of a transfer in a few words."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return f"no connection: {error.reason}"
    return f"{error}" if isinstance(error, TransferError) else f"{type(error).__name__}: {error}"


def _transfer(address: str, part: Path, size: int, patient: bool, progress: bool) -> None:
    """Bring `part` to `size` bytes from one address, going on from what it already holds."""
    have = part.stat().st_size if part.exists() else 0
    if have > size:
        part.unlink()
        have = 0
    if have == size:
        return
    request = urllib.request.Request(address, headers={"User-Agent": "minitorch-cifar"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
        start = _start_of(response, have)
        announced = response.headers.get("Content-Length")
        if announced is not None and announced.isdigit() and start + int(announced) != size:
            raise TransferError(f"it offers {start + int(announced):,} bytes, expected {size:,}")
        with open(part, "rb+" if start else "wb") as file:
            file.truncate(start)
            file.seek(start)
            _copy(response, file, address, start, size, patient, progress)
    have = part.stat().st_size
    if have != size:
        raise TransferError(f"the connection ended after {have:,} of {size:,} bytes")


def _start_of(response: Any, have: int) -> int:
    """The position in the file at which the body of `response` starts: `have`, or 0 if it cannot resume."""
    if have and response.status == 206:
        content_range = response.headers.get("Content-Range", "")
        match = re.match(r"bytes (\d+)-", content_range)
        if match is None or int(match[1]) != have:
            raise TransferError(f"asked for byte {have} on, it sends {content_range or 'an unnamed part'}")
        return have
    return 0


def _copy(
    response: Reader, file: Any, address: str, start: int, size: int, patient: bool, progress: bool
) -> None:
    began = time.monotonic()
    done = start
    with progress_bar(address, start, size) if progress else nullcontext(lambda count: None) as advance:
        while done < size and (chunk := response.read(min(CHUNK, size - done))):
            file.write(chunk)
            done += len(chunk)
            advance(len(chunk))
            elapsed = time.monotonic() - began
            if not patient and elapsed > PATIENCE_SECONDS:
                rate = (done - start) / elapsed
                if rate < SLOW_BYTES_PER_SECOND:
                    raise TooSlowError(
                        f"{rate / 1000:.0f} kB/s, {(size - done) / rate / 60:.0f} minutes to go"
                    )


def progress_bar(title: str, done: int, total: int) -> AbstractContextManager[Callable[[int], None]]:
    """A progress bar on a terminal, one line of text elsewhere; gives the function that advances it."""
    if not sys.stderr.isatty():
        print(f"Downloading {title} ({total:,} bytes)", file=sys.stderr)
        return nullcontext(lambda count: None)
    return _terminal_bar(title, done, total)


def _terminal_bar(title: str, done: int, total: int) -> AbstractContextManager[Callable[[int], None]]:
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    @contextmanager
    def bar() -> Any:
        columns = (
            "[progress.description]{task.description}",
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task(title, total=total, completed=done)
            yield lambda count: progress.advance(task, count)

    return bar()
