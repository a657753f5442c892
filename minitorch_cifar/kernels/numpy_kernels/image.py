"""Pictures to the arrays that networks eat, on NumPy arrays: the readable specification.

Rounding follows torchvision's `ToTensor` and `Normalize` step by step, each in float32, so that the same
picture gives the same bits.
"""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from . import silently


@silently
def uint8_to_float(images: Array, mean: Array | None, std: Array | None, out: Array) -> None:
    """out = (images / 255 − mean[c]) / std[c].

    images: uint8 (N, C, H, W), of any strides (a transposed view of pictures stored as (N, H, W, C), say).
    mean, std: float32 (C,), or None to leave that step out. out: float32 (N, C, H, W).
    """
    np.divide(images, np.float32(255), out=out, dtype=np.float32)
    if mean is not None:
        np.subtract(out, mean[:, None, None], out=out)
    if std is not None:
        np.divide(out, std[:, None, None], out=out)
