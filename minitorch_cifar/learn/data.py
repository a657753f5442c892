"""Opens the pictures that `--data` names, scaled for a network.

Three kinds of names: `shapes10` (drawn on the spot), `cifar10` (in ./data, downloaded when absent), or the
path of CIFAR-10 in any of its official forms. Whatever goes wrong comes out as a `UserError` of one line.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..models import Normalization
from ..utils.data import Subset
from ..vision import transforms
from ..vision.datasets import CIFAR10, Shapes10, cifar_files
from .errors import UserError

__all__ = ["CIFAR10_FOLDER", "Pictures", "open_pictures", "scaling"]

CIFAR10_FOLDER = "data"


@dataclass(frozen=True)
class Pictures:
    """One split of a data set: pairs of scaled picture and class number, and the names of the classes."""

    dataset: Any
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.dataset)


def scaling(normalization: Normalization, augment: bool = False) -> transforms.Compose:
    """From a PIL picture to a scaled tensor (3, H, W).

    With `augment`, the picture is first moved by up to four pixels and mirrored, both at random.
    """
    augmentation = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()]
    return transforms.Compose(
        [
            *(augmentation if augment else []),
            transforms.ToTensor(),
            transforms.Normalize(normalization.mean, normalization.std),
        ]
    )


def open_pictures(
    data: str, train: bool, normalization: Normalization, limit: int | None = None, augment: bool = False
) -> Pictures:
    """The training or test pictures of `data`, the first `limit` of them; with `augment`, varied at random.

    Raises:
        UserError: the path does not exist, holds no CIFAR-10, or holds files that are damaged.
    """
    transform = scaling(normalization, augment)
    dataset: Any
    try:
        if data == "shapes10":
            dataset = Shapes10(train=train, transform=transform)
        elif data == "cifar10":
            dataset = CIFAR10(CIFAR10_FOLDER, train=train, transform=transform, download=True)
        elif not Path(data).exists():
            raise UserError(
                f"there is no file or folder {data}; --data takes shapes10, cifar10, or the path of a "
                "folder or "
                "archive that holds CIFAR-10"
            )
        elif cifar_files.find(Path(data), cifar_files.CIFAR10_FORMAT) is None:
            raise UserError(
                f"{data} holds no CIFAR-10: --data takes the folder that holds "
                f"{' or '.join(cifar_files.CIFAR10_FORMAT.folders.values())}, this folder itself, or "
                f"{' or '.join(cifar_files.CIFAR10_FORMAT.archives.values())}"
            )
        else:
            dataset = CIFAR10(data, train=train, transform=transform)
    except (OSError, RuntimeError, ValueError) as error:
        named = str(error) if data in str(error) else f"{data}: {error}"
        raise UserError(f"cannot read the pictures: {named}") from error
    classes = tuple(dataset.classes)
    if limit is not None and limit < len(dataset):
        dataset = Subset(dataset, range(limit))
    return Pictures(dataset, classes)
