"""Changes of tone: inverted, with fewer levels, solarized, stretched, equalized, sharpened, blurred.

Each function takes a PIL picture, which Pillow changes, or a tensor (..., C, H, W). The transforms that
change a picture with some probability are in `random_tones.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import ImageEnhance, ImageOps

from ...autograd import wrap
from ...dtypes import Array
from .color import blend
from .conversion import pil_to_tensor, to_pil_image
from .pictures import Picture, array_of, check_pil, get_image_num_channels, is_tensor


def _largest(array: Array) -> int:
    """The value of white."""
    return int(np.iinfo(array.dtype).max) if array.dtype.kind in "iu" else 1


def _tones(img: Any, function: str, bytes_only: bool = False) -> Array:
    """The array of a tensor picture of one or three channels."""
    array = array_of(img, function)
    if img.ndim < 3:
        raise TypeError(f"Input image tensor should have at least 3 dimensions, but found {img.ndim}")
    if bytes_only and array.dtype != np.uint8:
        raise TypeError(f"Only torch.uint8 image tensors are supported, but found {img.dtype}")
    channels = get_image_num_channels(img)
    if channels not in (1, 3):
        raise TypeError(f"Input image tensor permitted channel values are [1, 3], but found {channels}")
    return array


def invert(img: Picture) -> Picture:
    """Black for white: white minus each value."""
    if not is_tensor(img):
        check_pil(img)
        return ImageOps.invert(img)
    array = _tones(img, "invert")
    return wrap((_largest(array) - array).astype(array.dtype))


def posterize(img: Picture, bits: int) -> Picture:
    """Only the `bits` highest bits of each byte kept."""
    if not isinstance(bits, int):
        raise TypeError(f"The number of bits should be an int. Got {type(bits).__name__}")
    if not 0 <= bits <= 8:
        raise ValueError(f"The number if bits should be between 0 and 8. Got {bits}")
    if not is_tensor(img):
        check_pil(img)
        return ImageOps.posterize(img, bits)
    array = _tones(img, "posterize", bytes_only=True)
    return wrap(array & np.uint8(256 - 2 ** (8 - bits)))


def solarize(img: Picture, threshold: float) -> Picture:
    """Values from `threshold` on inverted."""
    if not is_tensor(img):
        check_pil(img)
        return ImageOps.solarize(img, threshold)
    array = _tones(img, "solarize")
    if threshold > _largest(array):
        raise TypeError("Threshold should be less than bound of img.")
    return wrap(np.where(array >= threshold, (_largest(array) - array).astype(array.dtype), array))


def autocontrast(img: Picture) -> Picture:
    """Each channel stretched so that its least value is black and its greatest white."""
    if not is_tensor(img):
        check_pil(img)
        return ImageOps.autocontrast(img)
    array = _tones(img, "autocontrast")
    white = _largest(array)
    exact = array if array.dtype.kind == "f" else array.astype(np.float32)
    low, high = exact.min((-2, -1), keepdims=True), exact.max((-2, -1), keepdims=True)
    flat = high == low
    scale = np.where(flat, 1, white / np.where(flat, 1, high - low)).astype(exact.dtype)
    stretched = (exact - np.where(flat, 0, low)) * scale
    return wrap(stretched.clip(0, white).astype(array.dtype))


def equalize(img: Picture) -> Picture:
    """Levels moved so that each channel uses all of them about equally often."""
    if not is_tensor(img):
        check_pil(img)
        return ImageOps.equalize(img)
    array = _tones(img, "equalize", bytes_only=True)
    if img.ndim > 4:
        raise TypeError(f"Input image tensor should have 3 or 4 dimensions, but found {img.ndim}")
    result = array.copy()
    for index in np.ndindex(array.shape[:-2]):
        counts = np.bincount(array[index].reshape(-1), minlength=256)
        filled = counts[counts != 0]
        step = int(filled[:-1].sum()) // 255
        if step:
            levels = (np.cumsum(counts) + step // 2) // step
            below = np.concatenate([[0], levels[:-1]])
            result[index] = below.clip(0, 255).astype(np.uint8)[array[index]]
    return wrap(result)


def adjust_gamma(img: Picture, gamma: float, gain: float = 1) -> Picture:
    """white * gain * (value / white)^gamma."""
    if gamma < 0:
        raise ValueError("Gamma should be a non-negative real number")
    if not is_tensor(img):
        check_pil(img)
        table = [int((255 + 1 - 1e-3) * gain * pow(level / 255.0, gamma)) for level in range(256)]
        return img.convert("RGB").point(table * 3).convert(img.mode)
    array = _tones(img, "adjust_gamma")
    exact = array if array.dtype.kind == "f" else array.astype(np.float32) / np.float32(_largest(array))
    curved = (gain * exact**gamma).clip(0, 1)
    if array.dtype.kind == "f":
        return wrap(curved.astype(array.dtype))
    return wrap((curved * (_largest(array) + 1 - 1e-3)).astype(array.dtype))


# With neighbours ------------------------------------------------------------------------------------------


def adjust_sharpness(img: Picture, sharpness_factor: float) -> Picture:
    """0 gives a blurred picture, 1 the picture, 2 twice as sharp."""
    if not is_tensor(img):
        check_pil(img)
        return ImageEnhance.Sharpness(img).enhance(sharpness_factor)
    if sharpness_factor < 0:
        raise ValueError(f"sharpness_factor ({sharpness_factor}) is not non-negative.")
    array = array_of(img, "adjust_sharpness")
    channels = get_image_num_channels(img)
    if channels not in (1, 3):
        raise TypeError(f"Input image tensor permitted channel values are [1, 3], but found {channels}")
    if min(array.shape[-2:]) <= 2:
        return img
    around = np.array([1, 1, 1]) / 13
    smooth = array.copy()
    exact = array if array.dtype.kind == "f" else array.astype(np.float32)
    mixed = _slide(_slide(exact, around, -1), np.ones(3), -2) + exact[..., 1:-1, 1:-1] * exact.dtype.type(
        4 / 13
    )
    smooth[..., 1:-1, 1:-1] = mixed if array.dtype.kind == "f" else mixed.round()
    return wrap(blend(array, smooth, sharpness_factor))


def gaussian_blur(img: Picture, kernel_size: Any, sigma: Any = None) -> Picture:
    """Each pixel the mean of its neighbours, weighted by exp(-distance² / (2 sigma²)).

    `kernel_size` (width, height) or one odd number for both; `sigma` likewise, by default
    0.15 · kernel_size + 0.35. The border is mirrored, its edge not repeated.
    """
    if not isinstance(kernel_size, (int, list, tuple)):
        raise TypeError(f"kernel_size should be int or a sequence of integers. Got {type(kernel_size)}")
    sizes = [kernel_size] * 2 if isinstance(kernel_size, int) else list(kernel_size)
    if len(sizes) != 2:
        raise ValueError(f"If kernel_size is a sequence its length should be 2. Got {len(sizes)}")
    for size in sizes:
        if size % 2 == 0 or size < 0:
            raise ValueError(f"kernel_size should have odd and positive integers. Got {sizes}")
    if sigma is None:
        sigma = [size * 0.15 + 0.35 for size in sizes]
    if not isinstance(sigma, (int, float, list, tuple)):
        raise TypeError(f"sigma should be either float or sequence of floats. Got {type(sigma)}")
    spreads = [float(sigma)] * 2 if isinstance(sigma, (int, float)) else list(sigma)
    spreads = spreads * 2 if len(spreads) == 1 else spreads
    if len(spreads) != 2:
        raise ValueError(f"If sigma is a sequence, its length should be 2. Got {len(spreads)}")
    if min(spreads) <= 0.0:
        raise ValueError(f"sigma should have positive values. Got {spreads}")
    if not is_tensor(img):
        check_pil(img)
        return to_pil_image(gaussian_blur(pil_to_tensor(img), sizes, spreads), mode=img.mode)
    array = array_of(img, "gaussian_blur")
    exact = array if array.dtype.kind == "f" else array.astype(np.float32)
    for axis, size, spread in ((-1, sizes[0], spreads[0]), (-2, sizes[1], spreads[1])):
        half = size // 2
        border = [(0, 0)] * array.ndim
        border[axis] = (half, half)
        distance = np.arange(-half, half + 1) / spread
        weights = np.exp(-0.5 * distance**2)
        exact = _slide(np.pad(exact, border, mode="reflect"), weights / weights.sum(), axis)
    if array.dtype.kind == "f":
        return wrap(exact)
    return wrap(exact.round().astype(array.dtype))


def _slide(array: Array, weights: Array, axis: int) -> Array:
    """Sums along an axis of as many neighbours as there are weights, weighted; nothing beyond the ends."""
    length = array.shape[axis] - len(weights) + 1
    total: Array = np.zeros_like(np.take(array, range(length), axis))
    for offset, weight in enumerate(weights):
        total += np.take(array, range(offset, offset + length), axis) * array.dtype.type(weight)
    return total
