"""`make_grid` and `save_image`: batches of pictures as one picture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from ..autograd import TensorBase, wrap
from ..dtypes import Array
from ..missing import explain_missing_in

__all__ = ["make_grid", "save_image"]


def make_grid(
    tensor: Any,
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Any:
    """Pictures side by side in one picture.

    Args:
        tensor: (B, C, H, W), or a list of tensors (C, H, W) of one size. One channel becomes three.
        nrow: pictures per row.
        padding, pad_value: width and value of the lines between them.
        normalize: shift and scale to 0 ... 1, from `value_range` or else from the least and greatest value.
        scale_each: do so for each picture on its own.

    Returns a tensor (3, height, width); a batch of one comes back as it is, without lines.
    """
    for name, flag in (("normalize", normalize), ("scale_each", scale_each)):
        if not isinstance(flag, bool):
            raise TypeError(f"make_grid(): argument '{name}' must be bool, not {type(flag).__name__}")
    array = _batch(tensor)
    if normalize:
        if value_range is not None and not isinstance(value_range, tuple):
            raise TypeError("value_range has to be a tuple (min, max) if specified. min and max are numbers")
        array = array.copy()
        for part in array if scale_each else [array]:
            low, high = value_range if value_range is not None else (float(part.min()), float(part.max()))
            part.clip(low, high, out=part)
            part -= part.dtype.type(low)
            part /= part.dtype.type(max(high - low, 1e-5))
    if len(array) == 1:
        return wrap(array[0])
    count, channels, height, width = array.shape
    columns = min(nrow, count)
    rows = math.ceil(count / columns)
    shape = (channels, (height + padding) * rows + padding, (width + padding) * columns + padding)
    grid = np.full(shape, pad_value, array.dtype)
    for k in range(count):
        top = (k // columns) * (height + padding) + padding
        left = (k % columns) * (width + padding) + padding
        grid[:, top : top + height, left : left + width] = array[k]
    return wrap(grid)


def _batch(tensor: Any) -> Array:
    """The pictures as an array (B, C, H, W) with C = 3 where it was 1."""
    if isinstance(tensor, list):
        for picture in tensor:
            if not isinstance(picture, TensorBase):
                raise TypeError(f"tensor or list of tensors expected, got a list containing {type(picture)}")
        shapes = {picture._array.shape for picture in tensor}
        if len(shapes) != 1:
            raise RuntimeError(f"stack expects each tensor to be equal size, but got {sorted(shapes)}")
        array = np.stack([picture._array for picture in tensor])
    elif isinstance(tensor, TensorBase):
        array = tensor._array
    else:
        raise TypeError(f"tensor or list of tensors expected, got {type(tensor)}")
    if array.ndim == 2:
        array = array[None]
    if array.ndim == 3:
        array = array[None]
    if array.ndim != 4:
        raise ValueError(f"expected pictures (B, C, H, W), got shape {array.shape}")
    return np.repeat(array, 3, axis=1) if array.shape[1] == 1 else array


def save_image(tensor: Any, fp: str | Path | BinaryIO, format: str | None = None, **kwargs: Any) -> None:
    """Write a tensor in 0 ... 1, or a grid of several, to a file; `kwargs` are those of `make_grid`."""
    grid = make_grid(tensor, **kwargs)._array
    scaled = np.clip(grid * 255 + 0.5, 0, 255).transpose(1, 2, 0)  # (C, H, W) -> (H, W, C)
    Image.fromarray(scaled.astype(np.uint8)).save(fp, format=format)


explain_missing_in(__name__, __all__)
