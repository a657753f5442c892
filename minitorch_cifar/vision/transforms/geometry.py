"""Sizes, borders, parts, mirror images and turns of pictures.

PIL pictures are handed to Pillow. On tensors, what only selects pixels (crop, flip) is made of tensor
operations and can be differentiated; resizing, turning and padding work on the array and say so if a gradient
is asked for.
"""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from PIL import Image, ImageOps

from ...autograd import wrap
from . import resampling
from .pictures import (
    PILLOW_FILTERS,
    InterpolationMode,
    Picture,
    array_of,
    as_interpolation_mode,
    check_pil,
    check_tensor,
    get_dimensions,
    get_image_num_channels,
    is_tensor,
)


def resize(
    img: Picture,
    size: int | Sequence[int],
    interpolation: Any = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Picture:
    """To (height, width), or, given one number, until the shorter edge has that length.

    `max_size` bounds the longer edge. Tensors: nearest, nearest-exact, bilinear, bicubic; PIL pictures: any
    mode, always with antialiasing.
    """
    interpolation = as_interpolation_mode(interpolation)
    if isinstance(size, (list, tuple)):
        if len(size) not in (1, 2):
            raise ValueError(
                f"Size must be an int or a 1 or 2 element tuple/list, not a {len(size)} element tuple/list"
            )
        if max_size is not None and len(size) != 1:
            raise ValueError(
                "max_size should only be passed if size specifies the length of the smaller edge, "
                "i.e. size should be an int or a sequence of length 1 in torchscript mode."
            )
    _, height, width = get_dimensions(img)
    new_height, new_width = _resized(height, width, [size] if isinstance(size, int) else list(size), max_size)
    if (new_height, new_width) == (height, width):
        return img
    if not is_tensor(img):
        if antialias is False:
            warnings.warn(
                "Anti-alias option is always applied for PIL Image input. Argument antialias is ignored.",
                stacklevel=2,
            )
        return img.resize((new_width, new_height), PILLOW_FILTERS[interpolation])
    if interpolation.value not in ("nearest", "nearest-exact", "bilinear", "bicubic"):
        raise NotImplementedError(f"resize of a tensor with interpolation mode {interpolation.value!r}")
    array = array_of(img, "resize")
    return wrap(resampling.resize_array(array, new_height, new_width, interpolation.value, bool(antialias)))


def _resized(height: int, width: int, size: list[int], max_size: int | None) -> tuple[int, int]:
    if len(size) == 2:
        return size[0], size[1]
    short, long = sorted((height, width))
    new_short, new_long = size[0], int(size[0] * long / short)
    if max_size is not None:
        if max_size <= size[0]:
            raise ValueError(
                f"max_size = {max_size} must be strictly greater than the requested "
                f"size for the smaller edge size = {size}"
            )
        if new_long > max_size:
            new_short, new_long = int(max_size * new_short / new_long), max_size
    return (new_long, new_short) if width <= height else (new_short, new_long)


PADDING_MODES: Final = {
    "constant": "constant",
    "edge": "edge",
    "reflect": "reflect",
    "symmetric": "symmetric",
}


def pad(img: Picture, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> Picture:
    """A border of `padding` pixels: all round, (left/right, top/bottom), or (left, top, right, bottom).

    `padding_mode` is constant (with `fill`), edge, reflect (the edge not repeated) or symmetric (repeated).
    """
    if not isinstance(padding, (numbers.Number, tuple, list)):
        raise TypeError("Got inappropriate padding arg")
    if not isinstance(fill, (numbers.Number, tuple, list)):
        raise TypeError("Got inappropriate fill arg")
    if not isinstance(padding_mode, str):
        raise TypeError("Got inappropriate padding_mode arg")
    sides: list[int] = list(padding) if isinstance(padding, (tuple, list)) else [padding]  # type: ignore[list-item]
    if len(sides) not in (1, 2, 4):
        raise ValueError(
            f"Padding must be an int or a 1, 2, or 4 element tuple, not a {len(sides)} element tuple"
        )
    if padding_mode not in PADDING_MODES:
        raise ValueError("Padding mode should be either constant, edge, reflect or symmetric")
    left, top, right, bottom = (sides * (4 // len(sides)))[:4]
    if min(left, top, right, bottom) < 0:
        _, height, width = get_dimensions(img)  # a negative border cuts off
        height, width = height + min(top, 0) + min(bottom, 0), width + min(left, 0) + min(right, 0)
        img = crop(img, max(-top, 0), max(-left, 0), height, width)
        left, top, right, bottom = (max(side, 0) for side in (left, top, right, bottom))
    if not is_tensor(img):
        check_pil(img)
        return _pad_pil(img, (left, top, right, bottom), fill, padding_mode)
    check_tensor(img)
    if isinstance(fill, (tuple, list)):
        raise TypeError("Got inappropriate fill arg")
    array = array_of(img, "pad")
    border = [(0, 0)] * (array.ndim - 2) + [(top, bottom), (left, right)]
    mode: Any = padding_mode
    return wrap(np.pad(array, border, mode=mode, **({"constant_values": fill} if mode == "constant" else {})))


def _pad_pil(img: Image.Image, sides: tuple[int, int, int, int], fill: Any, padding_mode: str) -> Image.Image:
    left, top, right, bottom = sides
    if padding_mode == "constant":
        expanded = ImageOps.expand(img, border=sides, fill=pil_fill(fill, img))
        if img.mode == "P":
            expanded.putpalette(img.getpalette() or [])
        return expanded
    array = np.asarray(img)
    border = [(top, bottom), (left, right), (0, 0)][: array.ndim]
    mode: Any = padding_mode
    padded = Image.fromarray(np.pad(array, border, mode=mode))
    if img.mode == "P":
        padded.putpalette(img.getpalette() or [])
    return padded


def pil_fill(fill: Any, img: Image.Image) -> Any:
    """A fill value as Pillow wants it for this picture: one number, or one per channel."""
    channels = len(img.getbands())
    values = list(fill) if isinstance(fill, (tuple, list)) else [0 if fill is None else fill]
    if len(values) == 1:
        values *= channels
    if len(values) != channels:
        raise ValueError(
            "The number of elements in 'fill' does not match the number of channels of the image "
            f"({len(values)} != {channels})"
        )
    if img.mode != "F":
        values = [int(value) for value in values]
    return tuple(values) if channels > 1 else values[0]


def crop(img: Picture, top: int, left: int, height: int, width: int) -> Picture:
    """The part of that size that starts at (top, left); what lies outside of the picture is 0."""
    if not is_tensor(img):
        check_pil(img)
        return img.crop((left, top, left + width, top + height))
    _, old_height, old_width = get_dimensions(img)
    bottom, right = top + height, left + width
    inner = img[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    missing = [
        max(-left + min(0, right), 0),
        max(-top + min(0, bottom), 0),
        max(right - max(old_width, left), 0),
        max(bottom - max(old_height, top), 0),
    ]
    return pad(inner, missing) if any(missing) else inner


def center_crop(img: Picture, output_size: Any) -> Picture:
    """The middle part, (height, width) or one number for both; smaller pictures are padded with 0 first."""
    if isinstance(output_size, numbers.Number):
        output_size = (int(output_size), int(output_size))  # type: ignore[call-overload]
    elif len(output_size) == 1:
        output_size = (output_size[0], output_size[0])
    height, width = output_size
    _, old_height, old_width = get_dimensions(img)
    return crop(img, _middle(old_height, height), _middle(old_width, width), height, width)


def _middle(old: int, new: int) -> int:
    """Where the middle `new` of `old` pixels start; negative, rounded towards 0, when they are more."""
    return round((old - new) / 2.0) if new <= old else -((new - old) // 2)


def resized_crop(
    img: Picture,
    top: int,
    left: int,
    height: int,
    width: int,
    size: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Picture:
    """`crop`, then `resize`."""
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


def hflip(img: Picture) -> Picture:
    """Left and right exchanged."""
    if is_tensor(img):
        check_tensor(img)
        return img.flip(-1)
    check_pil(img)
    return img.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def vflip(img: Picture) -> Picture:
    """Top and bottom exchanged."""
    if is_tensor(img):
        check_tensor(img)
        return img.flip(-2)
    check_pil(img)
    return img.transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def rotate(
    img: Picture,
    angle: float,
    interpolation: Any = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Any = None,
    fill: Any = None,
) -> Picture:
    """Turned by `angle` degrees counter-clockwise round `center` (x, y), by default the middle.

    With `expand` the result is large enough for the whole turned picture. `fill` is for what was outside.
    """
    interpolation = as_interpolation_mode(interpolation)
    if not isinstance(angle, (int, float)):
        raise TypeError("Argument angle should be int or float")
    if center is not None and not isinstance(center, (list, tuple)):
        raise TypeError("Argument center should be a sequence")
    if not is_tensor(img):
        check_pil(img)
        method: Any = PILLOW_FILTERS[interpolation]
        return img.rotate(angle, method, expand, center, fillcolor=pil_fill(fill, img))
    if interpolation.value not in ("nearest", "bilinear"):
        raise ValueError(f"Interpolation mode '{interpolation.value}' is unsupported with Tensor input")
    array = array_of(img, "rotate")
    values = list(fill) if isinstance(fill, (tuple, list)) else [0.0 if fill is None else float(fill)]
    if len(values) not in (1, get_image_num_channels(img)):
        raise ValueError(
            "The number of elements in 'fill' cannot broadcast to match the number of "
            f"channels of the image ({len(values)} != {get_image_num_channels(img)})"
        )
    middle = None if center is None else [float(c) for c in center]
    planes = array[None] if array.ndim == 2 else array
    turned = resampling.rotate_array(planes, angle, interpolation.value, expand, middle, values)
    return wrap(turned[0] if array.ndim == 2 else turned)


def erase(img: Any, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Any:
    """A tensor with the rectangle of (h, w) pixels at (i, j) set to `v`."""
    if not is_tensor(img):
        raise TypeError(f"img should be Tensor Image. Got {type(img)}")
    if not inplace:
        img = img.clone()
    img[..., i : i + h, j : j + w] = v
    return img
