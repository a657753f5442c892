"""Datasets whose pictures all lie in one array: `CIFAR10`, `Shapes10`, `MNIST` and their kin.

They hand out single samples as every dataset does. Besides, where the transforms are known ones, they prepare
a whole batch straight from the array, with the same random draws and the same bits as sample by sample, but
without a PIL picture and half a dozen small tensors for each.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from ...autograd import wrap
from ...dtypes import Array, float32, get_default_dtype
from ...kernels import active
from ...utils.data.whole_batch import BatchReader, positions
from ..transforms.places import Moves, moves_of
from ..transforms.transforms import Compose, Normalize, ToTensor
from .vision import VisionDataset

_INT = frozenset({int})


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

    def batch_reader(self) -> BatchReader | None:
        """Reads [pictures, float32 (B, 3, h, w); targets, int64 (B,)]; None for unknown transforms."""

        def pictures() -> Array | None:
            data = self.data
            right = type(data) is np.ndarray and data.ndim == 4 and data.shape[3] == 3
            return data.transpose(0, 3, 1, 2) if right else None  # (N, H, W, 3) -> (N, 3, H, W)

        def targets(indices: list[int]) -> Array | None:
            known = self.targets
            if type(known) is not list:
                return None
            try:
                values = [known[i] for i in indices]
                return np.array(values, np.int64) if _INT.issuperset(map(type, values)) else None
            except (IndexError, OverflowError):
                return None

        return picture_reader(self, pictures, targets)


class State(NamedTuple):
    """What an object's attributes were; `contents` are those of its lists, which may be changed in place."""

    attributes: dict[str, Any]
    before: dict[str, Any]
    lists: list[list[Any]]
    contents: list[list[Any]]
    hooks: list[Any]

    @classmethod
    def of(cls, part: Any) -> State:
        """The present state."""
        own = vars(part)
        lists = [value for value in own.values() if type(value) is list]
        hooks = [value for name, value in own.items() if name.endswith("_hooks")]
        return cls(own, own.copy(), lists, copy.deepcopy(lists), hooks)

    def still(self) -> bool:
        """Whether it is the present one."""
        return self.attributes == self.before and self.lists == self.contents and not any(self.hooks)


class Known(NamedTuple):
    """What a transform of known parts amounts to, and what it looked like when that was found out."""

    transform: Any
    parts: list[Any]
    states: list[State]
    size: tuple[int, ...]  # (C, H, W) of the pictures
    moves: Moves | None
    mean: Array | None
    std: Array | None

    def still(self, transform: Any, size: tuple[int, ...]) -> bool:
        """Whether nothing has been changed since, in the transform or in its parts."""
        if transform is not self.transform or size != self.size or parts_of(transform) != self.parts:
            return False
        return all(state.still() for state in self.states)


class PictureReader(BatchReader):
    """Pictures from an array, moved and scaled by one kernel.

    Args:
        dataset: has `transform` and `target_transform`.
        pictures: returns uint8 (N, C, H, W), of any strides; None when what is there is something else.
        targets: from checked indices, a list of ints, to int64 (B,); None likewise.
        known: what the transform amounts to at present.
    """

    def __init__(
        self,
        dataset: VisionDataset,
        pictures: Callable[[], Array | None],
        targets: Callable[[list[int]], Array | None],
        known: Known,
    ) -> None:
        self.dataset = dataset
        self.pictures = pictures
        self.targets = targets
        self.known: Known | None = known

    @property
    def draws(self) -> bool:  # type: ignore[override]
        known = self.known
        return known is not None and known.moves is not None and known.moves.draws

    def __call__(self, indices: list[int]) -> list[Any] | None:
        pictures = self.pictures()
        if pictures is None or pictures.dtype != np.uint8 or self.dataset.target_transform is not None:
            return None
        known, transform = self.known, self.dataset.transform
        if known is None or not known.still(transform, pictures.shape[1:]):
            known = self.known = known_transform(transform, pictures.shape[1:])
        chosen = positions(indices, len(pictures))
        if known is None or chosen is None or get_default_dtype() is not float32:
            return None
        targets = self.targets(indices)
        if targets is None:
            return None
        channels, *size = pictures.shape[1:]
        places = None
        if known.moves is not None:
            places = known.moves.places(len(chosen))
            size = list(known.moves.after)
        batch = np.empty((len(chosen), channels, *size), np.float32)
        active.uint8_to_float(pictures, chosen, places, known.mean, known.std, batch)
        return [wrap(batch), wrap(targets)]


def picture_reader(
    dataset: VisionDataset, pictures: Callable[[], Array | None], targets: Callable[[list[int]], Array | None]
) -> PictureReader | None:
    """A `PictureReader`, unless a transform is one that only the user knows."""
    array = pictures()
    if array is None or dataset.target_transform is not None:
        return None
    known = known_transform(dataset.transform, array.shape[1:])
    return None if known is None else PictureReader(dataset, pictures, targets, known)


def parts_of(transform: Any) -> list[Any]:
    """The transforms of a `Compose`, or the one there is."""
    parts = transform.transforms if type(transform) is Compose else [transform]
    return list(parts) if isinstance(parts, (list, tuple)) else [transform]


def known_transform(transform: Any, size: tuple[int, ...]) -> Known | None:
    """What a transform does to byte pictures (C, H, W); None when there is something else in it.

    Known are any of the transforms of `places.py`, then `ToTensor`, then perhaps `Normalize`.
    """
    channels, height, width = size
    parts = parts_of(transform)
    kinds = [type(part) for part in parts]
    if ToTensor not in kinds or not all(map(untouched, parts)) or 0 in size:
        return None
    scaled = kinds.index(ToTensor)
    moves = moves_of(parts[:scaled], height, width)
    if moves is None or kinds[scaled + 1 :] not in ([], [Normalize]):
        return None
    mean = std = None
    if kinds[-1] is Normalize:
        mean, std = (per_channel(values, channels) for values in (parts[-1].mean, parts[-1].std))
        if mean is None or std is None or (std == 0).any():
            return None
    states = [State.of(part) for part in parts if vars(part)]
    return Known(transform, parts, states, size, moves if moves.steps else None, mean, std)


def untouched(transform: Any) -> bool:
    """Whether an object does what its class does: no hooks, and no method replaced on the object itself."""
    own = getattr(transform, "__dict__", None)
    if own is None:  # a function of Python's own, say
        return False
    hooked = any(own[name] for name in own if name.endswith("_hooks"))
    return not hooked and not any(callable(getattr(type(transform), name, None)) for name in own)


def per_channel(values: Any, channels: int) -> Array | None:
    """One float32 per channel, from a list or tuple of one number or as many; None for all else."""
    if type(values) not in (list, tuple) or any(type(value) not in (int, float) for value in values):
        return None
    if len(values) not in (1, channels):
        return None
    return np.broadcast_to(np.array(values, np.float64).astype(np.float32), (channels,)).copy()
