"""What lies at a path: the report behind `minitorch-cifar data info`.

It reads the data set as training would, counts what is there, and compares MD5 sums with the official ones. A
file with another sum may still be a sound one, for example when the pictures were re-encoded; the report
keeps the two questions apart.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from . import cifar_files
from .cifar_files import CIFAR10_FORMAT, CIFAR100_FORMAT, Source
from .download import md5_of
from .folder import IMG_EXTENSIONS
from .vision import DatasetError


@dataclass(frozen=True)
class FileReport:
    """One file: its MD5 sum, and whether it is the official one (None: none is published for it)."""

    name: str
    size: int
    md5: str
    official: bool | None


@dataclass
class DataReport:
    """One data set found at a path; `problem` says why it cannot be used, if it cannot."""

    title: str
    path: Path
    files: list[FileReport] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)  # split -> class -> pictures
    problem: str | None = None

    @property
    def official(self) -> bool | None:
        """True when every file has its official sum, False when one has not, None when none is published."""
        known = [file.official for file in self.files if file.official is not None]
        return all(known) if known else None

    def copies(self) -> list[tuple[str, str]]:
        """(name, name of an earlier file) for each file with the same sum as one before it."""
        first: dict[str, str] = {}
        return [
            (file.name, first[file.md5])
            for file in self.files
            if first.setdefault(file.md5, file.name) != file.name
        ]

    def __str__(self) -> str:
        if self.problem is not None:
            return f"{self.findings()}\n  cannot be used: {self.problem}"
        return self.findings()

    def findings(self) -> str:
        """The report without `problem`."""
        lines = [f"{self.title}: {self.path}"]
        width = max((len(file.name) for file in self.files), default=0)
        for file in self.files:
            verdict = {True: "official", False: "not the official file", None: "no official sum is published"}
            lines.append(
                f"  {file.name:<{width}}  {file.size:>12,} bytes  MD5 {file.md5}  {verdict[file.official]}"
            )
        for split, counts in self.counts.items():
            total = sum(counts.values())
            few = set(counts.values())
            each = f"{few.pop():,} of each" if len(few) == 1 else f"{min(few):,} to {max(few):,} of each"
            names = f" ({', '.join(counts)})" if len(counts) <= 20 else ""
            lines.append(f"  {split}: {total:,} pictures, {len(counts)} classes{names}, {each}")
        for copy, original in self.copies():
            lines.append(f"  {copy} is a copy of {original}: pictures are missing")
        if self.problem is None and self.official is not None:
            answer = "yes" if self.official else "no; it can be used, but is not byte for byte the authors'"
            lines.append(f"  official: {answer}")
        return "\n".join(lines)


def describe(path: str | os.PathLike[str]) -> list[DataReport]:
    """Report on every data set found at `path`, a folder or an archive.

    Raises DatasetError when nothing is there, or nothing that is known.
    """
    root = Path(path).expanduser()
    if not root.exists():
        raise DatasetError(f"{path}: there is no such file or folder")
    reports = []
    for format in (CIFAR10_FORMAT, CIFAR100_FORMAT):
        reports += [_describe_cifar(source) for source in _all_forms(root, format)]
    if not reports and root.is_dir():
        reports += _describe_pictures(root)
    if not reports:
        wanted = [*CIFAR10_FORMAT.folders.values(), *CIFAR10_FORMAT.archives.values()]
        raise DatasetError(
            f"{path}: holds no data set that is known here: looked for {', '.join(wanted)}, "
            "the same of CIFAR-100, and folders of pictures"
        )
    return reports


def _all_forms(root: Path, format: cifar_files.CifarFormat) -> list[Source]:
    """Every form of a data set at `root`, where `find` stops at the first."""
    first = cifar_files.find(root, format)
    if first is None or first.path == root:
        return [first] if first is not None else []
    forms: tuple[cifar_files.Form, ...] = ("python", "binary")
    folders = [Source(format, form, root / format.folders[form], False) for form in forms]
    archives = [Source(format, form, root / format.archives[form], True) for form in forms]
    return [source for source in (*folders, *archives) if source.path.exists()]


def _describe_cifar(source: Source) -> DataReport:
    format = source.format
    report = DataReport(
        f"{format.name}, {source.form} form, {'archive' if source.archived else 'folder'}", source.path
    )
    for path, official in _official_sums(source):
        if path.is_file():
            md5 = md5_of(path)
            report.files.append(
                FileReport(path.name, path.stat().st_size, md5, None if official is None else md5 == official)
            )
    try:
        for train in (True, False):
            _, labels, classes = cifar_files.read(source, train)
            counted = Counter(labels)
            report.counts["train" if train else "test"] = {name: counted[i] for i, name in enumerate(classes)}
    except DatasetError as error:
        report.problem = str(error)
    return report


def _official_sums(source: Source) -> list[tuple[Path, str | None]]:
    """The files of a source and the sums their authors, or torchvision, publish."""
    format = source.format
    if source.archived:
        return [(source.path, format.archive_md5[source.form])]
    if source.form == "python":
        batches = [(source.path / batch.name, batch.md5) for batch in (*format.train, *format.test)]
        return [(source.path / format.meta[0], format.meta[1]), *batches]
    names = [format.meta_name("binary")]
    names += [format.file_name(batch, "binary") for batch in (*format.train, *format.test)]
    return [(source.path / name, None) for name in names]


def _describe_pictures(root: Path) -> list[DataReport]:
    """A folder of picture folders, as `ImageFolder` reads it."""
    counts = {}
    for folder in sorted(entry for entry in root.iterdir() if entry.is_dir()):
        count = sum(
            name.lower().endswith(IMG_EXTENSIONS) for _, _, names in os.walk(folder) for name in names
        )
        if count:
            counts[folder.name] = count
    return [DataReport("Folder of pictures", root, counts={"all": counts})] if counts else []
