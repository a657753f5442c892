"""`MNIST` and `FashionMNIST`: 70,000 grey pictures of 28x28 pixels, from files in the idx format.

An idx file is a type code, a number of dimensions, their sizes as big-endian 32-bit integers, and the
elements. Files are read as they are or from their `.gz`; their sizes are checked against the header before
anything is allocated.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, cast

import numpy as np
from PIL import Image

from ...autograd import TensorBase, wrap
from ...dtypes import Array
from ...serialization.whole_file import whole_file
from ...utils.data.whole_batch import BatchReader
from .arrays import picture_reader
from .download import fetch
from .vision import DatasetError, Transform, VisionDataset

MAX_UNPACKED = 100_000_000  # bytes; the largest official file has 47,040,016


class MNIST(VisionDataset):
    """Handwritten digits: 60,000 training and 10,000 test pictures.

    Args:
        root: the folder above `MNIST/raw`, in which the four files lie, with or without `.gz`.
        train, transform, target_transform, download: as for `CIFAR10`.

    Attributes: `data`, a uint8 tensor (N, 28, 28); `targets`, an int64 tensor (N,); `classes`;
    `class_to_idx`.
    """

    mirrors: ClassVar[tuple[str, ...]] = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    )
    # name, MD5 and size of the compressed file
    resources: ClassVar[tuple[tuple[str, str, int], ...]] = (
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873", 9_912_422),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432", 28_881),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3", 1_648_877),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c", 4_542),
    )
    classes: ClassVar[list[str]] = [
        "0 - zero",
        "1 - one",
        "2 - two",
        "3 - three",
        "4 - four",
        "5 - five",
        "6 - six",
        "7 - seven",
        "8 - eight",
        "9 - nine",
    ]

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
        split = "train" if train else "t10k"
        pictures = self._read(f"{split}-images-idx3-ubyte", dimensions=3)
        labels = self._read(f"{split}-labels-idx1-ubyte", dimensions=1)
        if len(pictures) != len(labels):
            raise DatasetError(f"{self.raw_folder}: {len(pictures)} pictures with {len(labels)} labels")
        if labels.size and int(labels.max()) >= len(self.classes):
            raise DatasetError(
                f"{self.raw_folder}: label {int(labels.max())} at picture {int(labels.argmax())}; "
                f"{type(self).__name__} has labels 0 to {len(self.classes) - 1}"
            )
        self.data = wrap(pictures.copy())  # what was read from bytes cannot be written to
        self.targets = wrap(labels.astype(np.int64))

    @property
    def raw_folder(self) -> str:
        """Where the files lie."""
        return str(Path(str(self.root)) / type(self).__name__ / "raw")

    @property
    def class_to_idx(self) -> dict[str, int]:
        """From class names to labels."""
        return {name: i for i, name in enumerate(self.classes)}

    def _read(self, name: str, dimensions: int) -> Array:
        path = Path(self.raw_folder) / name
        packed = path.with_name(f"{name}.gz")
        if not path.is_file() and not packed.is_file():
            raise DatasetError(
                "Dataset not found. You can use download=True to download it. "
                f"There is no {path}, nor its .gz"
            )
        if not path.is_file():
            return parse_idx(unpacked(packed), dimensions, str(packed))
        with open(path, "rb") as file:
            return parse_idx(_content(file, str(path)), dimensions, str(path))

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        picture: Any = Image.fromarray(self.data[index].numpy())
        target: Any = int(self.targets[index])
        if self.transform is not None:
            picture = self.transform(picture)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return picture, target

    def batch_reader(self) -> BatchReader | None:
        """Reads [pictures, float32 (B, 1, h, w); targets, int64 (B,)]; None for unknown transforms."""

        def pictures() -> Array | None:
            data = self.data
            return data._array[:, None] if isinstance(data, TensorBase) and data.ndim == 3 else None

        def targets(indices: list[int]) -> Array | None:
            known = self.targets
            right = isinstance(known, TensorBase) and known.ndim == 1 and known._array.dtype == np.int64
            return known._array[indices] if right and max(indices) < len(known._array) else None

        return picture_reader(self, pictures, targets)

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        """Which split."""
        return f"Split: {'Train' if self.train is True else 'Test'}"

    def download(self) -> None:
        """Fetch and unpack the official files that are not there."""
        folder = Path(self.raw_folder)
        for packed, md5, size in self.resources:
            path = folder / packed.removesuffix(".gz")
            if path.is_file():
                continue
            archive = fetch([mirror + packed for mirror in self.mirrors], folder / packed, md5, size)
            with whole_file(path) as file:
                file.write(unpacked(archive))


class FashionMNIST(MNIST):
    """Articles of clothing, in MNIST's numbers and format."""

    mirrors: ClassVar[tuple[str, ...]] = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)
    resources: ClassVar[tuple[tuple[str, str, int], ...]] = (
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe", 29_515),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79", 4_422_102),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310", 5_148),
    )
    classes: ClassVar[list[str]] = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ]


def unpacked(path: Path) -> bytes:
    """The content of an idx file packed as `.gz`. No more is unpacked than its header says."""
    try:
        with gzip.open(path, "rb") as stream:
            return _content(cast(BinaryIO, stream), str(path))
    except EOFError as error:
        raise DatasetError(f"{path}: truncated") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DatasetError(f"{path}: not a readable .gz file: {error}") from error


def _content(stream: BinaryIO, where: str) -> bytes:
    """All of an idx file and one byte more, if there is one, for `parse_idx` to complain about."""
    head = stream.read(4)
    header = 4 + 4 * (head[3] if len(head) == 4 else 0)
    if header > 4 + 4 * 3:
        raise DatasetError(f"{where}: not an idx file of pictures or labels")
    head += stream.read(header - len(head))
    sizes = struct.unpack(f">{len(head) // 4 - 1}I", head[4 : len(head) // 4 * 4]) if len(head) > 4 else ()
    size = header + math.prod(sizes)
    if size > MAX_UNPACKED:
        raise DatasetError(f"{where}: its header says {size:,} bytes; at most {MAX_UNPACKED:,} are read")
    content = bytearray(head)
    while len(content) <= size and (chunk := stream.read(min(1 << 20, size + 1 - len(content)))):
        content += chunk
    return bytes(content)


def parse_idx(content: bytes, dimensions: int, where: str) -> Array:
    """The uint8 array of an idx file with that many dimensions; it shares the memory of `content`."""
    header = 4 + 4 * dimensions
    if len(content) < header or content[:4] != bytes((0, 0, 8, dimensions)):
        raise DatasetError(f"{where}: not an idx file of unsigned bytes with {dimensions} dimension(s)")
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    if len(content) - header != math.prod(shape):
        found = len(content) - header
        more = "more than " if found > math.prod(shape) else ""
        raise DatasetError(
            f"{where}: {more}{min(found, math.prod(shape)):,} bytes of data; "
            f"its header says {'x'.join(map(str, shape))} = {math.prod(shape):,}"
        )
    try:
        return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
    except ValueError as error:  # no pictures, but of a size that no array has
        raise DatasetError(f"{where}: {'x'.join(map(str, shape))} numbers: {error}") from error
