"""Transforms as functions: `to_tensor(picture)`, `resize(picture, 256)`, ...

Each takes a PIL picture or a tensor (..., C, H, W) and gives the same kind back. Here are the colours;
conversions and geometry come from their own files. Which numbers a random transform draws is decided in
`random_transforms.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance

from ...autograd import wrap
from ...dtypes import Array
from ...missing import explain_missing_in
from . import color
from .affine import affine
from .conversion import convert_image_dtype, normalize, pil_to_tensor, to_pil_image, to_tensor
from .crops import five_crop, ten_crop
from .geometry import center_crop, crop, erase, hflip, pad, resize, resized_crop, rotate, vflip
from .pictures import (
    InterpolationMode,
    Picture,
    array_of,
    check_pil,
    get_dimensions,
    get_image_num_channels,
    get_image_size,
    is_tensor,
)
from .tones import (
    adjust_gamma,
    adjust_sharpness,
    autocontrast,
    equalize,
    gaussian_blur,
    invert,
    posterize,
    solarize,
)

__all__ = [
    "InterpolationMode",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "adjust_sharpness",
    "affine",
    "autocontrast",
    "center_crop",
    "convert_image_dtype",
    "crop",
    "equalize",
    "erase",
    "five_crop",
    "gaussian_blur",
    "get_dimensions",
    "get_image_num_channels",
    "get_image_size",
    "hflip",
    "invert",
    "normalize",
    "pad",
    "pil_to_tensor",
    "posterize",
    "resize",
    "resized_crop",
    "rgb_to_grayscale",
    "rotate",
    "solarize",
    "ten_crop",
    "to_grayscale",
    "to_pil_image",
    "to_tensor",
    "vflip",
]


def rgb_to_grayscale(img: Picture, num_output_channels: int = 1) -> Picture:
    """Grey, as one channel or as three equal ones."""
    if num_output_channels not in (1, 3):
        raise ValueError("num_output_channels should be either 1 or 3")
    if not is_tensor(img):
        check_pil(img)
        single = img.convert("L")
        return single if num_output_channels == 1 else Image.merge("RGB", (single, single, single))
    if img.ndim < 3:
        raise TypeError(f"Input image tensor should have at least 3 dimensions, but found {img.ndim}")
    _check_channels(img)
    grey = wrap(color.grey(array_of(img, "rgb_to_grayscale")))
    return grey.expand(img.shape) if num_output_channels == 3 else grey


to_grayscale = rgb_to_grayscale


def _check_channels(img: Any) -> None:
    channels = get_image_num_channels(img)
    if channels not in (1, 3):
        raise TypeError(f"Input image tensor permitted channel values are [1, 3], but found {channels}")


def _adjust(
    name: str,
    img: Picture,
    factor: float,
    pillow: Callable[[Image.Image], Any],
    array: Callable[[Array, float], Array],
) -> Picture:
    if not is_tensor(img):
        check_pil(img)
        return pillow(img).enhance(factor)
    if factor < 0:
        raise ValueError(f"{name}_factor ({factor}) is not non-negative.")
    _check_channels(img)
    return wrap(array(array_of(img, f"adjust_{name}"), factor))


def adjust_brightness(img: Picture, brightness_factor: float) -> Picture:
    """0 gives black, 1 the picture, 2 twice as bright."""
    return _adjust("brightness", img, brightness_factor, ImageEnhance.Brightness, color.adjust_brightness)


def adjust_contrast(img: Picture, contrast_factor: float) -> Picture:
    """0 gives a grey area, 1 the picture."""
    return _adjust("contrast", img, contrast_factor, ImageEnhance.Contrast, color.adjust_contrast)


def adjust_saturation(img: Picture, saturation_factor: float) -> Picture:
    """0 gives a grey picture, 1 the picture."""
    return _adjust("saturation", img, saturation_factor, ImageEnhance.Color, color.adjust_saturation)


def adjust_hue(img: Picture, hue_factor: float) -> Picture:
    """Colours moved round the colour circle by `hue_factor` turns, -0.5 ... 0.5."""
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    if is_tensor(img):
        _check_channels(img)
        return wrap(color.adjust_hue(array_of(img, "adjust_hue"), hue_factor))
    check_pil(img)
    if img.mode in {"L", "1", "I", "F"}:
        return img
    hue, saturation, value = img.convert("HSV").split()
    # Bytes wrap round, as the circle does.
    moved = np.array(hue) + np.int32(hue_factor * 255).astype(np.uint8)
    return Image.merge("HSV", (Image.fromarray(moved), saturation, value)).convert(img.mode)


explain_missing_in(__name__, __all__)
