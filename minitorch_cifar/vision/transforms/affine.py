"""`affine`: pictures turned, moved, scaled and sheared at once.

With R the turn by `angle`, s the scale and S the shear, the picture's point p goes to
centre + translation + s R S (p - centre). What is computed is the way back: which input point each output
pixel shows.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

from PIL import Image

from ...autograd import wrap
from . import resampling
from .geometry import pil_fill
from .pictures import (
    PILLOW_FILTERS,
    InterpolationMode,
    Picture,
    array_of,
    as_interpolation_mode,
    check_pil,
    get_dimensions,
    is_tensor,
)


def affine(
    img: Picture,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Any,
    interpolation: Any = InterpolationMode.NEAREST,
    fill: Any = None,
    center: Sequence[float] | None = None,
) -> Picture:
    """Turn by `angle` degrees clockwise, move by `translate` (x, y) pixels, scale, shear.

    `shear` is an angle in degrees along x, or one along x and one along y; `center` (x, y) stays in place, by
    default the middle; `fill` is for what comes from outside.
    """
    mode = as_interpolation_mode(interpolation)
    if not isinstance(angle, (int, float)):
        raise TypeError("Argument angle should be int or float")
    if not isinstance(translate, (list, tuple)):
        raise TypeError("Argument translate should be a sequence")
    if len(translate) != 2:
        raise ValueError("Argument translate should be a sequence of length 2")
    if scale <= 0.0:
        raise ValueError("Argument scale should be positive")
    if not isinstance(shear, (numbers.Number, list, tuple)):
        raise TypeError("Shear should be either a single value or a sequence of two values")
    shears: list[Any] = list(shear) if isinstance(shear, (list, tuple)) else [shear, 0.0]
    shears = shears * 2 if len(shears) == 1 else shears
    if len(shears) != 2:
        raise ValueError(f"Shear should be a sequence containing two values. Got {shear}")
    if center is not None and not isinstance(center, (list, tuple)):
        raise TypeError("Argument center should be a sequence")
    _, height, width = get_dimensions(img)
    middle = (width * 0.5, height * 0.5)
    around = tuple(map(float, middle if center is None else center))
    if not is_tensor(img):
        check_pil(img)
        matrix = way_back((around[0], around[1]), angle, translate, scale, shears)
        filled = None if fill is None else pil_fill(fill, img)
        return img.transform(img.size, Image.Transform.AFFINE, matrix, PILLOW_FILTERS[mode], fillcolor=filled)
    if mode.value not in ("nearest", "bilinear"):
        raise ValueError(f"Interpolation mode '{mode.value}' is unsupported with Tensor input")
    values = [float(v) for v in fill] if isinstance(fill, (list, tuple)) else fill
    values = [float(values)] if isinstance(values, (int, float)) else values
    from_middle = (around[0] - middle[0], around[1] - middle[1])
    matrix = way_back(from_middle, angle, translate, scale, shears)
    return wrap(resampling.move_array(array_of(img, "affine"), matrix, mode.value, values, (height, width)))


def way_back(
    center: tuple[float, float],
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Sequence[float],
) -> tuple[float, ...]:
    """(a, b, c, d, e, f): the output point (x, y) shows the input point (a x + b y + c, d x + e y + f).

    Turn and shear together have determinant 1, so their inverse needs no division.
    """
    turn, sx, sy = math.radians(angle), math.radians(shear[0]), math.radians(shear[1])
    a = math.cos(turn - sy) / math.cos(sy)
    b = -math.cos(turn - sy) * math.tan(sx) / math.cos(sy) - math.sin(turn)
    c = math.sin(turn - sy) / math.cos(sy)
    d = -math.sin(turn - sy) * math.tan(sx) / math.cos(sy) + math.cos(turn)
    xx, xy, yx, yy = d / scale, -b / scale, -c / scale, a / scale
    cx, cy = center
    dx, dy = -cx - translate[0], -cy - translate[1]
    return xx, xy, xx * dx + xy * dy + cx, yx, yy, yx * dx + yy * dy + cy
