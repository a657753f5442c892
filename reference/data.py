"""The pictures that `--data` names, read by torchvision: a second road from the files to the tensors.

torchvision insists on the official MD5 sums and reads only the pickled form, so two small classes stand
beside it: one that leaves the sums out, one for pictures that are arrays already (the binary form, and the
drawn shapes, which are the engine's own because both sides must see the same).
"""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import torchvision
from PIL import Image
from torch.utils.data import Dataset, Subset
from torchvision import transforms

__all__ = ["AugmentedPictures", "UserError", "open_pictures"]

MEAN = (0.5, 0.5, 0.5)
STD = (0.5, 0.5, 0.5)
FOLDERS = ("cifar-10-batches-py", "cifar-10-batches-bin")


class UserError(Exception):
    """A mistake of the user, said in one line."""


class UncheckedCIFAR10(torchvision.datasets.CIFAR10):
    """torchvision's CIFAR10 for files with other MD5 sums than the official ones (re-encoded pictures)."""

    train_list: ClassVar[Any] = [[name, None] for name, _ in torchvision.datasets.CIFAR10.train_list]
    test_list: ClassVar[Any] = [[name, None] for name, _ in torchvision.datasets.CIFAR10.test_list]
    meta: ClassVar[Any] = {**torchvision.datasets.CIFAR10.meta, "md5": None}


class ArrayPictures(Dataset[Any]):
    """Pictures uint8 (N, 32, 32, 3) and their class numbers, presented as torchvision does."""

    def __init__(self, data: Any, targets: Any, classes: list[str], transform: Any) -> None:
        self.data, self.targets, self.classes, self.transform = data, targets, classes, transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.transform(Image.fromarray(self.data[index])), int(self.targets[index])


class AugmentedPictures(Dataset[Any]):
    """Pictures whose transforms draw at random, for each batch from numbers of its own, as in the engine.

    The seed of a batch comes from the run's, from `epoch` and from the batch's first index.
    """

    def __init__(self, pictures: Any, seed: int) -> None:
        self.pictures, self.seed, self.epoch = pictures, seed, 0

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitems__(self, indices: list[int]) -> list[Any]:
        mixed = np.random.SeedSequence([self.seed % 2**32, self.seed // 2**32, self.epoch, indices[0]])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(mixed.generate_state(1, np.uint64)[0]))
            return [self.pictures[i] for i in indices]


def open_pictures(
    data: str, train: bool, limit: int | None = None, augment: bool = False
) -> tuple[Any, list[str]]:
    """The training or test pictures of `data`, the first `limit` of them, and the names of the classes.

    With `augment`, each is moved by up to four pixels and mirrored, both at random.
    """
    augmentation = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()]
    transform = transforms.Compose(
        [*(augmentation if augment else []), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    )
    dataset: Any
    try:
        if data == "shapes10":
            from minitorch_cifar.vision.datasets import Shapes10

            drawn = Shapes10(train=train)
            dataset = ArrayPictures(drawn.data, drawn.targets, list(drawn.classes), transform)
        elif data == "cifar10":
            dataset = torchvision.datasets.CIFAR10("data", train=train, transform=transform, download=True)
        else:
            dataset = _open_path(Path(data), train, transform)
    except (OSError, RuntimeError, ValueError, tarfile.TarError) as error:
        raise UserError(f"cannot read the pictures of {data}: {error}") from error
    classes = list(dataset.classes)
    if limit is not None and limit < len(dataset):
        dataset = Subset(dataset, range(limit))
    return dataset, classes


def _open_path(path: Path, train: bool, transform: Any) -> Any:
    """CIFAR-10 at a path: a folder of one of the official forms, a folder that holds one, or an archive."""
    if not path.exists():
        raise UserError(
            f"there is no file or folder {path}; --data takes shapes10, cifar10, or the path of a folder or "
            "archive "
            "that holds CIFAR-10"
        )
    if path.is_file():
        with tempfile.TemporaryDirectory() as folder, tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")
            return _open_path(Path(folder), train, transform)
    if path.name in FOLDERS:
        path = path.parent
    pickled, binary = (path / name for name in FOLDERS)
    if pickled.is_dir():
        return UncheckedCIFAR10(str(path), train=train, transform=transform)
    if binary.is_dir():
        return _read_binary(binary, train, transform)
    raise UserError(f"{path} holds neither {FOLDERS[0]} nor {FOLDERS[1]}")


def _read_binary(folder: Path, train: bool, transform: Any) -> ArrayPictures:
    """Records of one label byte and 3,072 pixels."""
    names = [f"data_batch_{i}.bin" for i in range(1, 6)] if train else ["test_batch.bin"]
    records = np.concatenate([np.fromfile(folder / name, np.uint8) for name in names]).reshape(-1, 3073)
    pictures = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    classes = (folder / "batches.meta.txt").read_text().split()
    return ArrayPictures(np.ascontiguousarray(pictures), records[:, 0], classes, transform)
