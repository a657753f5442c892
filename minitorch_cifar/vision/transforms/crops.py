"""Several parts of one picture: its corners and its middle, and the same mirrored."""

from __future__ import annotations

import numbers
from typing import Any

from .geometry import center_crop, crop, hflip, vflip
from .pictures import Picture, get_dimensions


def five_crop(img: Picture, size: Any) -> tuple[Picture, ...]:
    """The corners, top left, top right, bottom left, bottom right, and the middle, each of `size`."""
    sizes = _sizes(size)
    _, height, width = get_dimensions(img)
    part_height, part_width = sizes
    if part_width > width or part_height > height:
        raise ValueError(f"Requested crop size {sizes} is bigger than input size {(height, width)}")
    bottom, right = height - part_height, width - part_width
    corners = ((0, 0), (0, right), (bottom, 0), (bottom, right))
    return *(crop(img, top, left, part_height, part_width) for top, left in corners), center_crop(img, sizes)


def ten_crop(img: Picture, size: Any, vertical_flip: bool = False) -> tuple[Picture, ...]:
    """`five_crop` of the picture and of its mirror image, left and right or top and bottom exchanged."""
    sizes = _sizes(size)
    mirrored = vflip(img) if vertical_flip else hflip(img)
    return five_crop(img, sizes) + five_crop(mirrored, sizes)


def _sizes(size: Any) -> Any:
    """(height, width): of one number, of a sequence of one, or as given."""
    if isinstance(size, numbers.Number):
        return int(size), int(size)  # type: ignore[call-overload]
    if len(size) == 1:
        return size[0], size[0]
    if len(size) != 2:
        raise ValueError("Please provide only two dimensions (h, w) for size.")
    return size
