"""What the functions of this folder ask of a picture: is it Pillow's or a tensor, and how large is it.

Also the ways of computing pixels between pixels, under torchvision's names and Pillow's.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

from PIL import Image

from ...autograd import TensorBase
from ...dtypes import Array

Picture = Any  # a PIL picture or a tensor


class InterpolationMode(Enum):
    """How pixels between pixels are computed."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


PILLOW_FILTERS: Final = {
    InterpolationMode.NEAREST: Image.Resampling.NEAREST,
    InterpolationMode.NEAREST_EXACT: Image.Resampling.NEAREST,
    InterpolationMode.BILINEAR: Image.Resampling.BILINEAR,
    InterpolationMode.BICUBIC: Image.Resampling.BICUBIC,
    InterpolationMode.BOX: Image.Resampling.BOX,
    InterpolationMode.HAMMING: Image.Resampling.HAMMING,
    InterpolationMode.LANCZOS: Image.Resampling.LANCZOS,
}
FROM_PILLOW: Final = {
    int(value): mode for mode, value in PILLOW_FILTERS.items() if mode is not InterpolationMode.NEAREST_EXACT
}


def as_interpolation_mode(interpolation: Any) -> InterpolationMode:
    """The mode for a mode or one of Pillow's numbers; TypeError for anything else."""
    if isinstance(interpolation, InterpolationMode):
        return interpolation
    if isinstance(interpolation, int) and interpolation in FROM_PILLOW:
        return FROM_PILLOW[interpolation]
    raise TypeError(
        "Argument interpolation should be a InterpolationMode or a corresponding Pillow integer constant"
    )


def is_tensor(picture: Any) -> bool:
    """Whether `picture` is a tensor."""
    return isinstance(picture, TensorBase)


def check_pil(picture: Any) -> None:
    if not isinstance(picture, Image.Image):
        raise TypeError(f"img should be PIL Image. Got {type(picture)}")


def check_tensor(picture: Any) -> None:
    if picture.ndim < 2:
        raise TypeError("Tensor is not a torch image.")


def array_of(picture: Any, function: str) -> Array:
    """The array of a tensor picture, for functions that do not record what they do."""
    check_tensor(picture)
    if picture.requires_grad:
        raise NotImplementedError(f"{function} of a tensor that requires a gradient; detach() it first")
    array: Array = picture._array
    return array


def get_dimensions(img: Picture) -> list[int]:
    """[channels, height, width]."""
    if is_tensor(img):
        check_tensor(img)
        return [1 if img.ndim == 2 else img.shape[-3], *img.shape[-2:]]
    if isinstance(img, Image.Image):
        return [len(img.getbands()), img.height, img.width]
    raise TypeError(f"Unexpected type {type(img)}")


def get_image_size(img: Picture) -> list[int]:
    """[width, height]."""
    _, height, width = get_dimensions(img)
    return [width, height]


def get_image_num_channels(img: Picture) -> int:
    """How many channels."""
    return get_dimensions(img)[0]
