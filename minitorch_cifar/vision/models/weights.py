"""Trained weights of the models in this folder: where they lie, how they are checked, what goes with them.

A `WeightsEnum` lists the sets of weights of one model. Files are fetched into the folder PyTorch itself uses,
so that what one has downloaded the other finds; a file counts only once the checksum in its name is right.
"""

from __future__ import annotations

import functools
import os
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from importlib import resources
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlparse

from ...serialization import load
from ..datasets.download import fetch
from ..transforms.presets import ImageClassification

Family = TypeVar("Family", bound="WeightsEnum")
CHECKSUM = re.compile(r"-([a-f0-9]+)\.")  # torchvision's names end in the first digits of the SHA-256 sum


@dataclass(frozen=True, eq=False)
class Weights:
    """One set of weights: its address, the transform its pictures need, and facts about it."""

    url: str
    transforms: Callable[[], Any]
    meta: dict[str, Any]


class WeightsEnum(Enum):
    """The sets of weights of one model; `DEFAULT` is the best of them.

    >>> from minitorch_cifar.vision.models import ResNet18_Weights
    >>> ResNet18_Weights.DEFAULT
    ResNet18_Weights.IMAGENET1K_V1
    >>> ResNet18_Weights.DEFAULT.meta["categories"][:2]
    ['tench', 'goldfish']
    """

    @classmethod
    def verify(cls, obj: Any) -> Self | None:
        """The member for a member or its name, such as "DEFAULT"; None for None.

        KeyError for an unknown name, TypeError for anything else, weights of other models among it.
        """
        if obj is None:
            return None
        if isinstance(obj, str):
            return cls[obj.replace(cls.__name__ + ".", "")]
        if not isinstance(obj, cls):
            raise TypeError(
                f"Invalid Weight class provided; expected {cls.__name__} but received {type(obj).__name__}."
            )
        return obj

    @property
    def url(self) -> str:
        """Where the file lies."""
        return str(self.value.url)

    @property
    def transforms(self) -> Callable[[], Any]:
        """Makes the transform that turns a picture into the model's input."""
        made: Callable[[], Any] = self.value.transforms
        return made

    @property
    def meta(self) -> dict[str, Any]:
        """Facts: `categories` (names of the classes), `num_params`, `min_size`."""
        facts: dict[str, Any] = self.value.meta
        return facts

    def get_state_dict(self, progress: bool = True, check_hash: bool = False) -> Any:
        """The weights as a state dict, fetched when they are not on this machine yet.

        The checksum of a fetched file is always proved; `check_hash` proves it for one that was there, too.
        """
        return load_state_dict_from_url(self.url, progress=progress, check_hash=check_hash)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"


def checkpoint_folder() -> Path:
    """Where fetched weights are kept: `$TORCH_HOME/hub/checkpoints`, by default under `~/.cache/torch`."""
    cache = os.getenv("XDG_CACHE_HOME", "~/.cache")
    return Path(os.getenv("TORCH_HOME", str(Path(cache) / "torch"))).expanduser() / "hub" / "checkpoints"


def load_state_dict_from_url(
    url: str, model_dir: str | Path | None = None, progress: bool = True, check_hash: bool = False
) -> Any:
    """Fetch a file of weights, unless it is there, and load it.

    Args:
        url: its address; the name must end in the first digits of its SHA-256 sum, `name-0123abcd.pth`.
        model_dir: where to keep it, by default `checkpoint_folder()`.
        progress: whether to show how far the transfer is.
        check_hash: whether to prove the checksum of a file that is there already.
    """
    name = Path(urlparse(url).path).name
    path = (checkpoint_folder() if model_dir is None else Path(model_dir)) / name
    if check_hash or not path.is_file():
        checksum = CHECKSUM.search(name)
        if checksum is None:
            raise ValueError(f"{url}: the name does not hold a checksum, name-0123abcd.pth")
        fetch([url], path, checksum[1], None, algorithm="sha256", progress=progress)
    return load(path)


@functools.cache
def imagenet_categories() -> list[str]:
    """The 1000 classes of ImageNet, in the order of the scores."""
    text = resources.files(__package__).joinpath("imagenet_categories.txt").read_text(encoding="utf-8")
    return text.splitlines()


def chosen_weights(family: type[Family], weights: Any, options: dict[str, Any]) -> Family | None:
    """The weights a builder was asked for, by their present or their old name `pretrained=True`.

    Takes `pretrained` out of `options`, with torchvision's warning, and puts in what the weights ask of the
    model: as many classes as they have, which a `num_classes` of another value contradicts (ValueError).
    """
    if "pretrained" in options:
        weights = bool(options.pop("pretrained"))
        warnings.warn(
            "The parameter 'pretrained' is deprecated since 0.13 and may be removed in the future, "
            "please use 'weights' instead.",
            stacklevel=3,
        )
    if isinstance(weights, bool):
        meant = family["DEFAULT"] if weights else None
        warnings.warn(
            "Arguments other than a weight enum or `None` for 'weights' are deprecated since 0.13 and may be "
            f"removed in the future. The current behavior is equivalent to passing `weights={meant}`.",
            stacklevel=3,
        )
        weights = meant
    found = family.verify(weights)
    if found is not None and found.meta["categories"] is not None:
        classes = len(found.meta["categories"])
        given = options.setdefault("num_classes", classes)
        if given != classes:
            raise ValueError(f"The parameter 'num_classes' expected value {classes} but got {given} instead.")
    return found


def imagenet_weights(name: str, num_params: int, min_size: int, resize_size: int = 256) -> Weights:
    """Weights trained on ImageNet.

    Args:
        name: of the file at PyTorch's address.
        num_params: how many numbers the model has.
        min_size: the least height and width of a picture.
        resize_size: of the shorter side, before 224x224 pixels are cut out.
    """
    meta = {"min_size": (min_size, min_size), "categories": imagenet_categories(), "num_params": num_params}
    preset = functools.partial(ImageClassification, crop_size=224, resize_size=resize_size)
    return Weights(f"https://download.pytorch.org/models/{name}", preset, meta)
