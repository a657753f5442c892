"""Resizing and turning pictures held in arrays.

Resizing is linear and works on one axis at a time, so it is a product with two small matrices, whose rows
hold the weights with which input pixels make up an output pixel. Turning looks up, for each output pixel, the
place in the input that it comes from. PIL pictures do not pass through here; Pillow resamples them itself.
"""

from __future__ import annotations

import math

import numpy as np

from ...dtypes import Array


def resize_array(pictures: Array, height: int, width: int, mode: str, antialias: bool) -> Array:
    """(..., H, W) -> (..., height, width), in PyTorch's rules for `align_corners=False`.

    `mode` is nearest, nearest-exact, bilinear or bicubic. Integers are computed in float32 and rounded to the
    nearest, halves to even.
    """
    if mode.startswith("nearest"):
        rows = nearest_indices(pictures.shape[-2], height, mode)
        columns = nearest_indices(pictures.shape[-1], width, mode)
        return pictures[..., rows[:, None], columns[None, :]]
    exact = pictures if pictures.dtype.kind == "f" else pictures.astype(np.float32)
    vertical = weights(exact.shape[-2], height, mode, antialias).astype(exact.dtype)
    horizontal = weights(exact.shape[-1], width, mode, antialias).astype(exact.dtype)
    resized: Array = vertical @ (exact @ horizontal.T)  # (h, H) @ (..., H, W) @ (W, w)
    if pictures.dtype == resized.dtype:
        return resized
    if pictures.dtype == np.uint8:
        resized = resized.clip(0, 255)  # bicubic overshoots
    return resized.round().astype(pictures.dtype)


def nearest_indices(old: int, new: int, mode: str) -> Array:
    """Which old pixel each new one copies; `nearest` measures from corners, `nearest-exact` from centres."""
    offset = 0.5 if mode == "nearest-exact" else 0.0
    scale = np.float32(old) / np.float32(new)
    indices: Array = np.floor((np.arange(new, dtype=np.float32) + np.float32(offset)) * scale).astype(
        np.int64
    )
    return indices.clip(None, old - 1)


def weights(old: int, new: int, mode: str, antialias: bool) -> Array:
    """Matrix (new, old): row i holds how much each old pixel contributes to new pixel i. Rows sum to 1.

    With antialiasing, a picture that shrinks is averaged over all the pixels that a new one covers: the
    filter is widened by the factor of shrinking, and what sticks out at the borders is cut off. Without, the
    filter keeps its width, and pixels beyond the border repeat those at the border.
    """
    scale = old / new
    matrix = np.zeros((new, old))
    widening = max(scale, 1.0) if antialias else 1.0
    kernel, radius = (triangle, 1.0) if mode == "bilinear" else (cubic, 2.0)
    sharpness = -0.5 if antialias else -0.75  # Pillow's and PyTorch's choices for the cubic
    for i in range(new):
        centre = scale * (i + 0.5) - 0.5
        if antialias:
            first = max(int(centre - radius * widening + 1.0), 0)
            last = min(int(centre + radius * widening + 1.0), old)
        else:
            centre = max(centre, 0.0) if mode == "bilinear" else centre
            first, last = math.floor(centre) - 1, math.floor(centre) + 3
        for j in range(first, last):
            matrix[i, min(max(j, 0), old - 1)] += kernel((j - centre) / widening, sharpness)
        matrix[i] /= matrix[i].sum()
    return matrix


def triangle(distance: float, _: float) -> float:
    """The linear kernel."""
    return max(0.0, 1.0 - abs(distance))


def cubic(distance: float, a: float) -> float:
    """Keys' cubic kernel with sharpness `a`."""
    x = abs(distance)
    if x < 1.0:
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    if x < 2.0:
        return (((x - 5.0) * x + 8.0) * x - 4.0) * a
    return 0.0


def rotate_array(
    pictures: Array, angle: float, mode: str, expand: bool, centre: list[float] | None, fill: list[float]
) -> Array:
    """(..., C, H, W) turned by `angle` degrees counter-clockwise round `centre` (x, y), by default the
    middle.

    `mode` is nearest or bilinear; `fill` has one value or one per channel for what was outside; with `expand`
    the result is as large as the turned picture.
    """
    height, width = pictures.shape[-2:]
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    # Coordinates are measured from the middle of the picture; y grows downwards.
    x0, y0 = (0.0, 0.0) if centre is None else (centre[0] - width * 0.5, centre[1] - height * 0.5)
    # An output point (x, y) shows the input point (a x + b y + c, d x + e y + f).
    a, b, d, e = cosine, -sine, sine, cosine
    c, f = x0 - a * x0 - b * y0, y0 - d * x0 - e * y0
    new_size = turned_size(height, width, (a, b, c), (d, e, f)) if expand else (height, width)
    return move_array(pictures, (a, b, c, d, e, f), mode, fill, new_size)


def move_array(
    pictures: Array, matrix: tuple[float, ...], mode: str, fill: list[float] | None, size: tuple[int, int]
) -> Array:
    """(..., C, H, W) -> (..., C, *size): the point (x, y) shows the input at (a x + b y + c, d x + e y + f).

    Points are measured from the middle of each picture; `matrix` is (a, b, c, d, e, f). `mode` and `fill` as
    for `rotate_array`; without `fill`, what was outside counts as 0 and is mixed in at the border.
    """
    a, b, c, d, e, f = matrix
    height, width = pictures.shape[-2:]
    new_height, new_width = size
    if fill is None:
        fill = [0.0]
    dtype = pictures.dtype if pictures.dtype.kind == "f" else np.dtype(np.float32)
    x = np.arange(new_width, dtype=dtype) - (new_width * 0.5 - 0.5)
    y = np.arange(new_height, dtype=dtype)[:, None] - (new_height * 0.5 - 0.5)
    source_x = (a * x + b * y + c).astype(dtype) + dtype.type(width * 0.5 - 0.5)
    source_y = (d * x + e * y + f).astype(dtype) + dtype.type(height * 0.5 - 0.5)
    ground = np.array(fill, dtype)[:, None, None]
    if mode == "nearest":
        values, covered = look_up(pictures, np.rint(source_y), np.rint(source_x))
        return np.where(covered, values, ground).astype(pictures.dtype)
    low_x, low_y = np.floor(source_x), np.floor(source_y)
    shape = (*pictures.shape[:-2], new_height, new_width)
    total: Array = np.zeros(shape, dtype)
    coverage: Array = np.zeros((new_height, new_width), dtype)
    for corner_y, corner_x in ((0, 0), (0, 1), (1, 0), (1, 1)):
        share = (1 - abs(source_x - low_x - corner_x)) * (1 - abs(source_y - low_y - corner_y))
        values, covered = look_up(pictures, low_y + corner_y, low_x + corner_x)
        total += values * (share * covered)
        coverage += share * covered
    total = total * coverage + (1 - coverage) * ground
    if pictures.dtype == dtype:
        return total
    return total.round().astype(pictures.dtype)


def look_up(pictures: Array, y: Array, x: Array) -> tuple[Array, Array]:
    """Pixels at whole coordinates, and where these lie inside of the picture."""
    height, width = pictures.shape[-2:]
    covered = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    rows = y.clip(0, height - 1).astype(np.int64)
    columns = x.clip(0, width - 1).astype(np.int64)
    return pictures[..., rows, columns], covered


def turned_size(
    height: int, width: int, to_x: tuple[float, float, float], to_y: tuple[float, float, float]
) -> tuple[int, int]:
    """Height and width of the box round the picture's corners after turning."""
    corners = [(x * width, y * height, 1.0) for x in (-0.5, 0.5) for y in (-0.5, 0.5)]
    sizes = []
    for row, middle in ((to_y, height * 0.5), (to_x, width * 0.5)):
        ends = np.array(corners, np.float32) @ np.array(row, np.float32) + np.float32(middle)
        # Rounded to 1e-4, so that a corner at 32.000001 does not ask for another pixel.
        exact = np.trunc(ends / np.float32(1e-4)) * np.float32(1e-4)
        sizes.append(int(math.ceil(exact.max()) - math.floor(exact.min())))
    return sizes[0], sizes[1]
