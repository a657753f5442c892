"""Pictures to the arrays that networks eat, on NumPy arrays: the readable specification.

Rounding follows torchvision's `ToTensor` and `Normalize` step by step, each in float32, so that the same
picture gives the same bits.
"""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from . import silently


@silently
def uint8_to_float(
    images: Array,
    chosen: Array,
    places: tuple[Array, Array, int] | None,
    mean: Array | None,
    std: Array | None,
    out: Array,
) -> None:
    """out[b] = (picture / 255 − mean[c]) / std[c], where picture is images[chosen[b]] or a part of it.

    images: uint8 (N, C, H, W), of any strides (a transposed view of pictures stored as (N, H, W, C), say).
    chosen: int64 (B,), from 0 ... N-1. places: None for whole pictures, or (rows, columns, fill): int64
    (B, h) and (B, w), from which row and column each of the result comes, −1 for a border of the byte `fill`.
    mean, std: float32 (C,), or None to leave that step out. out: float32 (B, C, h, w).
    """
    pictures = images[chosen]
    if places is not None:
        rows, columns, fill = places
        here = np.arange(len(chosen))[:, None, None]
        # (B, C, H, W) -> (B, h, w, C) -> (B, C, h, w)
        pictures = pictures[here, :, rows[:, :, None], columns[:, None, :]].transpose(0, 3, 1, 2)
        border = (rows < 0)[:, None, :, None] | (columns < 0)[:, None, None, :]
        pictures = np.where(border, np.uint8(fill), pictures)
    np.divide(pictures, np.float32(255), out=out, dtype=np.float32)
    if mean is not None:
        np.subtract(out, mean[:, None, None], out=out)
    if std is not None:
        np.divide(out, std[:, None, None], out=out)
