"""Colours of pictures held in tensors: grey, brightness, contrast, saturation, hue.

All of them mix a picture with another made from it, except hue, which goes through the HSV colour space.
PIL pictures are adjusted by Pillow, from `functional.py`.
"""

from __future__ import annotations

import numpy as np

from ...autograd import wrap
from ...dtypes import Array, float32, from_numpy_dtype
from .conversion import convert_image_dtype


def grey(picture: Array) -> Array:
    """(..., 3, H, W) -> (..., 1, H, W): 0.2989 R + 0.587 G + 0.114 B, in the picture's dtype."""
    if picture.shape[-3] == 1:
        return picture.copy()
    work = picture if picture.dtype.kind == "f" else picture.astype(np.float32)
    red, green, blue = (work[..., i : i + 1, :, :] for i in range(3))
    weight = work.dtype.type
    mixed: Array = weight(0.2989) * red + weight(0.587) * green + weight(0.114) * blue
    return mixed.astype(picture.dtype)


def blend(picture: Array, other: Array, ratio: float) -> Array:
    """ratio * picture + (1 - ratio) * other, cut off at the ends of the range."""
    work = picture.dtype if picture.dtype.kind == "f" else np.dtype(np.float32)
    bound = 1 if picture.dtype.kind == "f" else np.iinfo(picture.dtype).max
    mixed: Array = work.type(ratio) * picture.astype(work) + work.type(1.0 - ratio) * other.astype(work)
    return mixed.clip(0, bound).astype(picture.dtype, copy=False)


def adjust_brightness(picture: Array, factor: float) -> Array:
    """Mixed with black."""
    return blend(picture, np.zeros_like(picture), factor)


def adjust_contrast(picture: Array, factor: float) -> Array:
    """Mixed with its mean grey."""
    work = picture.dtype if picture.dtype.kind == "f" else np.dtype(np.float32)
    mean = grey(picture).astype(work).mean(axis=(-3, -2, -1), keepdims=True)
    return blend(picture, mean, factor)


def adjust_saturation(picture: Array, factor: float) -> Array:
    """Mixed with its own grey."""
    return picture if picture.shape[-3] == 1 else blend(picture, grey(picture), factor)


def adjust_hue(picture: Array, factor: float) -> Array:
    """Colours moved round the colour circle by `factor` turns."""

    if picture.shape[-3] == 1:
        return picture
    work: Array = convert_image_dtype(wrap(picture), float32)._array
    hue, saturation, value = rgb_to_hsv(work)
    turned = hsv_to_rgb((hue + np.float32(factor)) % np.float32(1.0), saturation, value)
    back: Array = convert_image_dtype(wrap(turned), from_numpy_dtype(picture.dtype))._array
    return back


def rgb_to_hsv(picture: Array) -> tuple[Array, Array, Array]:
    """(..., 3, H, W) -> hue, saturation and value, each (..., H, W) in 0 ... 1."""
    red, green, blue = (picture[..., i, :, :] for i in range(3))
    value, least = picture.max(axis=-3), picture.min(axis=-3)
    spread = value - least
    is_grey = spread == 0
    saturation = spread / np.where(is_grey, np.float32(1), value)
    divisor = np.where(is_grey, np.float32(1), spread)
    from_red, from_green, from_blue = ((value - plane) / divisor for plane in (red, green, blue))
    hue = (value == red) * (from_blue - from_green)
    hue += ((value == green) & (value != red)) * (np.float32(2) + from_red - from_blue)
    hue += ((value != green) & (value != red)) * (np.float32(4) + from_green - from_red)
    return np.fmod(hue / np.float32(6) + np.float32(1), np.float32(1)), saturation, value


def hsv_to_rgb(hue: Array, saturation: Array, value: Array) -> Array:
    """The way back: (..., H, W) three times -> (..., 3, H, W)."""
    sextant = np.floor(hue * np.float32(6))
    rest = hue * np.float32(6) - sextant
    one = np.float32(1)
    p = (value * (one - saturation)).clip(0, 1)
    q = (value * (one - saturation * rest)).clip(0, 1)
    t = (value * (one - saturation * (one - rest))).clip(0, 1)
    which = sextant.astype(np.int32) % 6
    red = np.choose(which, (value, q, p, p, t, value))
    green = np.choose(which, (t, value, value, q, p, p))
    blue = np.choose(which, (p, p, t, value, value, q))
    return np.stack((red, green, blue), axis=-3)
