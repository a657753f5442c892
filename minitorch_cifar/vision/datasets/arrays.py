"""Datasets whose pictures all lie in one array: `CIFAR10`, `Shapes10` and their kin.

They hand out single samples as every dataset does. Besides, where the transforms are known ones, they prepare
a whole batch straight from the array, with the same random draws and the same bits as sample by sample, but
without a PIL picture and half a dozen small tensors for each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from ...autograd import wrap
from ...dtypes import Array, float32, get_default_dtype
from ...kernels import active
from .vision import VisionDataset


class ArrayDataset(VisionDataset):
    """Base class; subclasses set `data`, uint8 (N, H, W, 3), and `targets`, a list of N ints."""

    data: Array
    targets: list[int]
    train: bool

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        picture: Any = Image.fromarray(self.data[index])
        target: Any = self.targets[index]
        if self.transform is not None:
            picture = self.transform(picture)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return picture, target

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        """Which split."""
        return f"Split: {'Train' if self.train is True else 'Test'}"

    def batch_reader(self) -> Callable[[list[int]], list[Any]] | None:
        """From indices to [pictures, float32 (B, 3, H, W); targets, int64 (B,)]; None for unknown transforms.

        Known are: any of `RandomCrop` and `RandomHorizontalFlip`, then `ToTensor`, then perhaps `Normalize`.
        """
        if type(self).__getitem__ is not ArrayDataset.__getitem__ or self.target_transform is not None:
            return None
        steps = known_steps(self.transform)
        if steps is None or get_default_dtype() is not float32:
            return None
        on_pixels, mean, std = steps

        def read(indices: list[int]) -> list[Any]:
            pictures = self.data[indices]
            if on_pixels:
                pictures = np.stack([_in_turn(on_pixels, picture) for picture in pictures])
            batch = np.empty((len(pictures), 3, *pictures.shape[1:3]), np.float32)
            # (B, H, W, 3) seen as (B, 3, H, W)
            active.uint8_to_float(pictures.transpose(0, 3, 1, 2), mean, std, batch)
            targets = np.array([self.targets[i] for i in indices], np.int64)
            return [wrap(batch), wrap(targets)]

        return read


PixelStep = Callable[[Array], Array]


def _in_turn(steps: Sequence[PixelStep], pixels: Array) -> Array:
    for step in steps:
        pixels = step(pixels)
    return pixels


def known_steps(transform: Any) -> tuple[list[PixelStep], Array | None, Array | None] | None:
    """Steps on pixels, mean and std that a transform amounts to; None when there is something else in it."""
    from ..transforms import Compose, Normalize, RandomCrop, RandomHorizontalFlip, ToTensor

    chain: list[Any] = list(transform.transforms) if type(transform) is Compose else [transform]
    on_pixels: list[PixelStep] = []
    while chain and type(chain[0]) in (RandomCrop, RandomHorizontalFlip):
        step = chain.pop(0)
        if not step.works_on_pixels():
            return None
        on_pixels.append(step.on_pixels)
    if not chain or type(chain.pop(0)) is not ToTensor:
        return None
    if not chain:
        return on_pixels, None, None
    if len(chain) > 1 or type(chain[0]) is not Normalize:
        return None
    mean, std = (per_channel(values) for values in (chain[0].mean, chain[0].std))
    if mean is None or std is None or (std == 0).any():
        return None
    return on_pixels, mean, std


def per_channel(values: Any) -> Array | None:
    """One float32 for each of three channels, from a sequence of one or three numbers; None for all else."""
    try:
        array = np.asarray(values, np.float32)
        return np.broadcast_to(array, (3,)).copy() if array.ndim == 1 else None
    except (TypeError, ValueError):
        return None
