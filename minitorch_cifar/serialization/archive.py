"""The container of a `.pth` file: a zip archive of uncompressed records in one folder.

`data.pkl` holds the pickled structure, `data/0`, `data/1`, ... the raw bytes of the storages, and a few small
records say version and byte order. Each record starts at a multiple of 64 bytes, padded through the header's
extra field, so that a reader may map the file into memory. What the records mean is not known here.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import BinaryIO, Final, cast

from ..dtypes import Array
from .restricted_pickle import described

ALIGNMENT: Final = 64
LOCAL_HEADER: Final = 30  # bytes in front of a record's name
PADDING_TAG: Final = b"FB"  # marks the padding, so that readers skip it
MAX_PICKLE: Final = 1 << 25  # bytes; text of four bytes a character may take four times that
MAX_DIRECTORY: Final = 1 << 22  # bytes of the zip's list of records, some 80 for each
# Above this zipfile reserves 20 more bytes in the header, for sizes of 64 bits.
ZIP64_FROM: Final = zipfile.ZIP64_LIMIT / 1.05


class ArchiveWriter:
    """Writes records into an open seekable file; as a context manager, it ends the file with the block."""

    def __init__(self, file: BinaryIO, folder: str) -> None:
        self.zip = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED)
        self.folder = folder

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.zip.close()
        else:  # the file is thrown away: ZipFile is not to end it when the object goes
            self.zip.fp = None

    def write(self, name: str, content: bytes | memoryview) -> None:
        """Add a record."""
        info = zipfile.ZipInfo(f"{self.folder}/{name}")
        info.file_size = content.nbytes if isinstance(content, memoryview) else len(content)
        info.create_system = 0
        start = self.zip.start_dir + LOCAL_HEADER + len(info.filename.encode())
        start += 4 + (20 if info.file_size > ZIP64_FROM else 0)
        gap = -start % ALIGNMENT
        info.extra = PADDING_TAG + struct.pack("<H", gap) + b"Z" * gap
        with self.zip.open(info, "w") as record:
            record.write(content)


class _BoundedFile:
    """A file for `zipfile`, which takes a file's word for how long its list of records is."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.seek, self.tell = file.seek, file.tell
        self.limit = MAX_DIRECTORY

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        content = self.file.read(self.limit + 1 if size < 0 else min(size, self.limit + 1))
        if len(content) > self.limit:
            raise ValueError(f"more than {self.limit:,} bytes where its list of records should be")
        return content


class ArchiveReader:
    """Reads records of a `.pth` file; `source` is its name in error messages.

    Raises RuntimeError when the file is no such archive, is damaged, or claims more than it holds: records
    must be stored uncompressed, so none can be larger than the file.
    """

    def __init__(self, file: BinaryIO, source: str) -> None:
        self.source = source
        size = file.seek(0, 2)
        try:
            bounded = _BoundedFile(file)
            self.zip = zipfile.ZipFile(cast(BinaryIO, bounded))
            bounded.limit = MAX_PICKLE
        except (zipfile.BadZipFile, ValueError, OverflowError, struct.error, NotImplementedError) as error:
            raise RuntimeError(
                f"{source}: damaged or truncated: it starts as a zip archive, but {str(error)[:200]}"
            ) from error
        self.records: dict[str, zipfile.ZipInfo] = {}
        for info in self.zip.infolist():
            if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
                raise RuntimeError(
                    f"{source}: record {described(info.filename)} is compressed; .pth files store"
                )
            if info.flag_bits & 1:
                raise RuntimeError(f"{source}: record {described(info.filename)} is encrypted")
            if info.filename in self.records:
                raise RuntimeError(f"{source}: two records named {described(info.filename)}")
            self.records[info.filename] = info
        if sum(info.file_size for info in self.records.values()) > size:
            raise RuntimeError(f"{source}: its records are larger than the file")
        pickles = [name for name in self.records if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise RuntimeError(
                f"{source}: a zip archive, but not one that torch.save wrote: no data.pkl in it"
            )
        self.folder = pickles[0].removesuffix("data.pkl")
        if self.folder in ("/", "./", "../"):
            raise RuntimeError(
                f"{source}: its records lie in {described(self.folder)}, which no .pth file's do"
            )

    def __contains__(self, name: str) -> bool:
        return self.folder + name in self.records

    def size(self, name: str) -> int:
        """Bytes in a record."""
        if name not in self:
            raise RuntimeError(f"{self.source}: damaged: it has no record {described(name)}")
        return self.records[self.folder + name].file_size

    def read(self, name: str, limit: int = MAX_PICKLE) -> bytes:
        """A whole record; RuntimeError when it is longer than `limit` or its check sum is wrong."""
        size = self.size(name)
        if size > limit:
            raise RuntimeError(
                f"{self.source}: record {described(name)} of {size:,} bytes; at most {limit:,} are read"
            )
        try:
            return self.zip.read(self.records[self.folder + name])
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
            raise RuntimeError(
                f"{self.source}: damaged: record {described(name)}: {str(error)[:200]}"
            ) from error

    def read_into(self, name: str, target: Array) -> None:
        """Fill a flat array with a record of exactly its size."""
        view = memoryview(target.data).cast("B") if target.size else memoryview(bytearray())
        if self.size(name) != view.nbytes:
            raise RuntimeError(
                f"{self.source}: damaged: record {described(name)} has {self.size(name):,} bytes, "
                f"expected {view.nbytes:,}"
            )
        done = 0
        try:
            with self.zip.open(self.records[self.folder + name]) as record:
                while done < view.nbytes:
                    chunk = record.read(min(1 << 20, view.nbytes - done))
                    if not chunk:
                        raise EOFError("it ends early")
                    view[done : done + len(chunk)] = chunk
                    done += len(chunk)
                record.read(1)  # the check sum is compared at the end
        except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
            raise RuntimeError(
                f"{self.source}: damaged: record {described(name)}: {str(error)[:200]}"
            ) from error
