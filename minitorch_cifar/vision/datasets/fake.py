"""`FakeData`: random pictures with random labels, for trying a program out without any data."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd import wrap
from ...random import Generator
from ..transforms.functional import to_pil_image
from .vision import Transform, VisionDataset


class FakeData(VisionDataset):
    """`size` pictures of normal noise, each the same whenever it is asked for.

    Args:
        size: how many.
        image_size: (channels, height, width).
        num_classes: labels are 0 to num_classes-1.
        transform, target_transform: functions of the PIL picture and of the label.
        random_offset: another offset gives other pictures.
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, int, int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        random_offset: int = 0,
    ) -> None:
        super().__init__(None, transform=transform, target_transform=target_transform)
        self.size = size
        self.image_size = image_size
        self.num_classes = num_classes
        self.random_offset = random_offset

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if index >= len(self):
            raise IndexError(f"{type(self).__name__} index out of range")
        generator = Generator().manual_seed(index + self.random_offset)
        noise = generator.normal_(np.empty(self.image_size, np.float32))
        target: Any = wrap(generator.random_(np.empty(1, np.int64), 0, self.num_classes)[0, ...])
        picture: Any = to_pil_image(wrap(noise))
        if self.transform is not None:
            picture = self.transform(picture)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return picture, target.item()

    def __len__(self) -> int:
        return self.size
