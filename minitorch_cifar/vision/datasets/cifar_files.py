"""The files of CIFAR-10 and CIFAR-100, in the forms their authors publish.

Three forms hold the same pictures: a folder of Python 2 pickles, a folder of binary records, and a `.tar.gz`
of either, which is read without being unpacked. `find` says which form a path holds; `read` gives its
pictures. Everything is checked on the way in (sizes, keys, shapes, range of the labels), because a truncated
or mislabelled file would otherwise train a network on nonsense. Whether the files are the authors' own, byte
for byte, is a different question; `data_report.py` answers it.
"""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, cast

import numpy as np

from ...dtypes import Array
from ...serialization.restricted_pickle import NUMPY_NAMES, PickledArray, RestrictedUnpickler, described
from .vision import DatasetError

PIXELS: Final = 3 * 32 * 32
MAX_UNPACKED: Final = 400_000_000  # bytes; the official archives hold about 190,000,000
MAX_MEMBERS: Final = 10_000  # of an archive; the official ones have 9
MAX_REMARK: Final = 100_000  # bytes
REMARKS: Final = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
Form = Literal["python", "binary"]


@dataclass(frozen=True)
class BatchFile:
    """One file of the pickled form: its name there, its title inside, how many pictures, its official MD5."""

    name: str
    title: bytes
    pictures: int
    md5: str


@dataclass(frozen=True)
class CifarFormat:
    """Names, sizes and checksums of one of the two data sets."""

    name: str
    folders: dict[Form, str]
    archives: dict[Form, str]
    archive_md5: dict[Form, str]
    archive_size: dict[Form, int]
    train: tuple[BatchFile, ...]
    test: tuple[BatchFile, ...]
    meta: tuple[str, str]  # file of the class names in the pickled form, and its MD5
    meta_key: bytes
    binary_meta: str
    label_key: bytes
    label_bytes: int  # labels in front of each binary record; the last one is used
    classes: int

    def files(self, train: bool) -> tuple[BatchFile, ...]:
        """The files of one split, in order."""
        return self.train if train else self.test

    def file_name(self, batch: BatchFile, form: Form) -> str:
        """What a batch's file is called in a form."""
        return batch.name if form == "python" else f"{batch.name}.bin"

    def meta_name(self, form: Form) -> str:
        """What the file of the class names is called in a form."""
        return self.meta[0] if form == "python" else self.binary_meta

    def check_size(self, batch: BatchFile, form: Form, size: int, where: str) -> None:
        """Refuse a file whose size cannot be right; pickles also hold file names, of some 20 bytes each."""
        least = batch.pictures * PIXELS
        if form == "binary":
            exact = batch.pictures * (PIXELS + self.label_bytes)
            if size != exact:
                raise DatasetError(
                    f"{where}: {size:,} bytes, expected {exact:,} "
                    f"({batch.pictures:,} records of {PIXELS + self.label_bytes:,} bytes)"
                )
        most = least + least // 10
        if form == "python" and size < least:
            raise DatasetError(
                f"{where}: truncated: {size:,} bytes; {batch.pictures:,} pictures take at least {least:,}"
            )
        if form == "python" and size > most:
            raise DatasetError(
                f"{where}: too large: {size:,} bytes; {batch.pictures:,} pictures take at most {most:,}"
            )


@dataclass(frozen=True)
class Source:
    """Where a data set was found: a folder or an archive, in one of the two forms."""

    format: CifarFormat
    form: Form
    path: Path
    archived: bool

    def __str__(self) -> str:
        kind = "archive" if self.archived else "folder"
        return f"{self.path} ({self.form} form, {kind})"


def find(root: Path, format: CifarFormat) -> Source | None:
    """The first form of the data set at `root`, or None.

    `root` may be the folder that holds the official folders or archives, such a folder itself, or an archive.
    Extracted forms come first, because they load faster.
    """
    if root.is_file():
        if root.name in _names_of_batches(format):
            raise DatasetError(
                f"{root}: one file of {format.name}, which needs its neighbours too; give the folder that "
                f"holds it, {root.parent}"
            )
        form = _form_of_archive(root, format)
        return Source(format, form, root, True) if form else None
    forms: tuple[Form, ...] = ("python", "binary")
    for form in forms:
        for folder in (root / format.folders[form], root):
            names = [format.file_name(batch, form) for batch in (*format.train, *format.test)]
            if any((folder / name).is_file() for name in names):
                return Source(format, form, folder, False)
    for form in forms:
        archive = root / format.archives[form]
        if archive.is_file():
            return Source(format, form, archive, True)
    return None


def _names_of_batches(format: CifarFormat) -> set[str]:
    """What the files of pictures are called in either form."""
    forms: tuple[Form, ...] = ("python", "binary")
    return {format.file_name(batch, form) for form in forms for batch in (*format.train, *format.test)}


def _form_of_archive(path: Path, format: CifarFormat) -> Form | None:
    """Look for the first file of either form among the members of an archive."""
    members: dict[str, Form] = {}
    for form in ("python", "binary"):
        for batch in (*format.train, *format.test):
            members[f"{format.folders[form]}/{format.file_name(batch, form)}"] = form
    with _open_archive(path) as archive:
        for member in _members(archive):
            if member.isfile() and member.name.removeprefix("./") in members:
                return members[member.name.removeprefix("./")]
    return None


class _Member(tarfile.TarInfo):
    """A member of an archive whose long names and other remarks, which `tarfile` reads whole, are short."""

    @classmethod
    def frombuf(cls, buf: Any, encoding: str, errors: str) -> _Member:
        member = super().frombuf(buf, encoding, errors)
        if member.type in REMARKS and member.size > MAX_REMARK:
            raise DatasetError(f"a remark of {member.size:,} bytes on a member of the archive")
        return member


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members of an archive in turn, which it need not remember."""
    for count, member in enumerate(archive):
        if count >= MAX_MEMBERS:
            raise DatasetError(f"the archive has more than {MAX_MEMBERS:,} members")
        archive.members = []  # type: ignore[attr-defined]
        yield member


class _Bounded(io.RawIOBase):
    """A stream that stops a decompression bomb: an error past `limit` bytes, and no huge single reads."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self.stream = stream
        self.left = limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > 40_000_000:
            raise DatasetError("a member of the archive is larger than any file of the data set")
        chunk = self.stream.read(size)
        self.left -= len(chunk)
        if self.left < 0:
            raise DatasetError(f"the archive unpacks to more than {MAX_UNPACKED:,} bytes")
        return chunk


@contextmanager
def _open_archive(path: Path) -> Iterator[tarfile.TarFile]:
    """A `.tar.gz` as a stream of members; what is wrong with it comes out as a DatasetError that names it."""
    try:
        with gzip.open(path, "rb") as stream:
            bounded = cast(Any, _Bounded(cast(BinaryIO, stream), MAX_UNPACKED))
            with tarfile.open(fileobj=bounded, mode="r|", bufsize=1 << 18, tarinfo=_Member) as archive:
                yield archive
    except DatasetError as error:
        message = str(error)
        raise DatasetError(message if str(path) in message else f"{path}: {message}") from error
    except EOFError as error:
        raise DatasetError(f"{path}: the archive is truncated") from error
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, OverflowError, ValueError) as error:
        raise DatasetError(f"{path}: not a readable .tar.gz archive: {error}") from error


def contents(source: Source, wanted: dict[str, BatchFile | None]) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of each wanted file of a source, in the order they lie there; sizes are checked first.

    `wanted` maps file names to their batch, or to None for the small file of the class names.
    """
    missing = dict(wanted)
    if source.archived:
        prefix = source.format.folders[source.form] + "/"
        with _open_archive(source.path) as archive:
            for member in _members(archive):
                name = member.name.removeprefix("./").removeprefix(prefix)
                if name not in missing or not member.isfile():
                    continue
                where = f"{source.path}: {member.name}"
                _check_size(source, missing.pop(name), member.size, where)
                file = archive.extractfile(member)
                content = file.read() if file is not None else b""
                if len(content) != member.size:
                    raise DatasetError(f"{source.path}: the archive is truncated")
                yield name, content
                if not missing:
                    return
    else:
        for name, batch in wanted.items():
            path = source.path / name
            if not path.is_file():
                continue
            size = path.stat().st_size
            _check_size(source, batch, size, str(path))
            missing.pop(name)
            with open(path, "rb") as file:  # no more than was checked, should it grow
                yield name, file.read(size)
    if missing:
        raise DatasetError(
            f"Dataset not found or corrupted. {source.path} lacks {', '.join(missing)} "
            f"of {source.format.name}"
        )


def _check_size(source: Source, batch: BatchFile | None, size: int, where: str) -> None:
    if batch is not None:
        source.format.check_size(batch, source.form, size, where)
    elif size > 100_000:
        raise DatasetError(f"{where}: {size:,} bytes for a list of class names")


def read(source: Source, train: bool) -> tuple[Array, list[int], list[str]]:
    """Pictures, uint8 (N, 32, 32, 3), their labels, and the class names of one split.

    The pictures are a view of memory in the order (N, 3, 32, 32), as torchvision's are.
    """
    format = source.format
    files = format.files(train)
    wanted: dict[str, BatchFile | None] = {format.file_name(batch, source.form): batch for batch in files}
    starts = dict(zip(wanted, np.cumsum([0, *(batch.pictures for batch in files)]).tolist(), strict=False))
    total = sum(batch.pictures for batch in files)
    pictures = np.empty((total, 3, 32, 32), np.uint8)  # in the files' own order: nothing is rearranged
    labels = np.empty(total, np.int64)
    meta = format.meta_name(source.form)
    classes: list[str] = []
    for name, content in contents(source, {meta: None, **wanted}):
        where = f"{source.path}: {name}" if source.archived else str(source.path / name)
        batch = wanted.get(name)
        if batch is None:
            classes = parse_classes(content, source, where)
            continue
        parse = parse_pickle if source.form == "python" else parse_records
        planes, batch_labels = parse(content, batch, format, where)
        span = slice(starts[name], starts[name] + batch.pictures)
        pictures[span] = planes.reshape(-1, 3, 32, 32)
        labels[span] = batch_labels
    return pictures.transpose(0, 2, 3, 1), labels.tolist(), classes  # (N, 3, 32, 32) -> (N, 32, 32, 3)


def parse_records(content: bytes, batch: BatchFile, format: CifarFormat, where: str) -> tuple[Array, Array]:
    """Pixels (N, 3072) and labels (N,) of a binary file: records of label bytes and 3,072 pixels."""
    records = np.frombuffer(content, np.uint8).reshape(batch.pictures, format.label_bytes + PIXELS)
    labels = records[:, format.label_bytes - 1]
    check_labels(labels, format, where)
    return records[:, format.label_bytes :], labels


def parse_pickle(content: bytes, batch: BatchFile, format: CifarFormat, where: str) -> tuple[Array, Array]:
    """Pixels (N, 3072) and labels (N,) of a pickled batch: a dict with `data` and `labels`."""
    entries = _unpickle_dict(content, where)
    for key in (b"data", format.label_key):
        if key not in entries:
            raise DatasetError(f"{where}: not a batch of {format.name}: no {key.decode()!r} in it")
    title = entries.get(b"batch_label", batch.title)
    if title not in (batch.title, batch.title.decode()):
        raise DatasetError(
            f"{where}: mislabelled: it says it is {described(title)}, expected {batch.title!r}"
        )
    data = entries[b"data"]
    pixels = data.array if isinstance(data, PickledArray) else None
    if pixels is None or pixels.shape != (batch.pictures, PIXELS):
        shape = "no array" if pixels is None else f"shape {pixels.shape}"
        raise DatasetError(f"{where}: 'data' has {shape}, expected ({batch.pictures}, {PIXELS})")
    labels = entries[format.label_key]
    if not isinstance(labels, list) or len(labels) != batch.pictures:
        count = len(labels) if isinstance(labels, list) else "no list of"
        raise DatasetError(f"{where}: {count} labels for {batch.pictures} pictures")
    if not all(type(label) is int and -(2**31) <= label < 2**31 for label in labels):
        raise DatasetError(f"{where}: a label that is not an integer")
    array = np.array(labels, np.int64)
    check_labels(array, format, where)
    return pixels, array


def check_labels(labels: Array, format: CifarFormat, where: str) -> None:
    """Refuse labels outside 0 ... classes-1, naming the first."""
    wrong = np.flatnonzero((labels < 0) | (labels >= format.classes))
    if wrong.size:
        i = int(wrong[0])
        raise DatasetError(
            f"{where}: label {int(labels[i])} at picture {i}; "
            f"{format.name} has labels 0 to {format.classes - 1}"
        )


def parse_classes(content: bytes, source: Source, where: str) -> list[str]:
    """The class names, from a pickled dict or from a text file of one name per line."""
    format = source.format
    if source.form == "python":
        names = _unpickle_dict(content, where).get(format.meta_key)
        if not isinstance(names, list) or not all(isinstance(name, (bytes, str)) for name in names):
            raise DatasetError(f"{where}: no list of class names under {format.meta_key.decode()!r}")
        classes = [name if isinstance(name, str) else name.decode("latin1") for name in names]
    else:
        classes = content.decode("latin1").split()
    if len(classes) != format.classes:
        raise DatasetError(f"{where}: {len(classes)} class names, expected {format.classes}")
    return classes


def _unpickle_dict(content: bytes, where: str) -> dict[Any, Any]:
    """A pickled dict with its text keys as bytes, whichever Python wrote it."""
    try:
        value = RestrictedUnpickler(content, NUMPY_NAMES, byte_strings=True).load()
    except pickle.UnpicklingError as error:
        raise DatasetError(f"{where}: {error}") from error
    if not isinstance(value, dict):
        raise DatasetError(f"{where}: a {type(value).__name__}, expected a dict")
    return {key.encode() if isinstance(key, str) else key: entry for key, entry in value.items()}


CIFAR10_FORMAT: Final = CifarFormat(
    name="CIFAR-10",
    folders={"python": "cifar-10-batches-py", "binary": "cifar-10-batches-bin"},
    archives={"python": "cifar-10-python.tar.gz", "binary": "cifar-10-binary.tar.gz"},
    archive_md5={"python": "c58f30108f718f92721af3b95e74349a", "binary": "c32a1d4ab5d03f1284b67883e8d87530"},
    archive_size={"python": 170_498_071, "binary": 170_052_171},
    train=tuple(
        BatchFile(f"data_batch_{i}", b"training batch %d of 5" % i, 10_000, md5)
        for i, md5 in enumerate(
            (
                "c99cafc152244af753f735de768cd75f",
                "d4bba439e000b95fd0a9bffe97cbabec",
                "54ebc095f3ab1f0389bbae665268c751",
                "634d18415352ddfa80567beed471001a",
                "482c414d41f54cd18b22e5b47cb7c3cb",
            ),
            start=1,
        )
    ),
    test=(BatchFile("test_batch", b"testing batch 1 of 1", 10_000, "40351d587109b95175f43aff81a1287e"),),
    meta=("batches.meta", "5ff9c542aee3614f3951f8cda6e48888"),
    meta_key=b"label_names",
    binary_meta="batches.meta.txt",
    label_key=b"labels",
    label_bytes=1,
    classes=10,
)

CIFAR100_FORMAT: Final = CifarFormat(
    name="CIFAR-100",
    folders={"python": "cifar-100-python", "binary": "cifar-100-binary"},
    archives={"python": "cifar-100-python.tar.gz", "binary": "cifar-100-binary.tar.gz"},
    archive_md5={"python": "eb9058c3a382ffc7106e4002c42a8d85", "binary": "03b5dce01913d631647c71ecec9e9cb8"},
    archive_size={"python": 169_001_437, "binary": 168_513_733},
    train=(BatchFile("train", b"training batch 1 of 1", 50_000, "16019d7e3df5f24257cddd939b257f8d"),),
    test=(BatchFile("test", b"testing batch 1 of 1", 10_000, "f0ef6b0ae62326f3e7ffdfab6717acfc"),),
    meta=("meta", "7973b15100ade9c7d40fb424638fde48"),
    meta_key=b"fine_label_names",
    binary_meta="fine_label_names.txt",
    label_key=b"fine_labels",
    label_bytes=2,
    classes=100,
)
