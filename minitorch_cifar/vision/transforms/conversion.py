"""Between pictures and tensors: types, ranges and the order of the axes.

PIL pictures and arrays are (H, W, C), tensors (C, H, W). `normalize` is made of tensor operations and can be
differentiated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from ... import dtypes
from ...autograd import wrap
from ...dtypes import Array, dtype, get_default_dtype
from .pictures import check_tensor, is_tensor


def to_tensor(pic: Any) -> Any:
    """A PIL picture or an ndarray (H, W[, C]) as a tensor (C, H, W).

    Bytes become floats of the default dtype in 0 ... 1, by dividing by 255; other types keep their values.
    """
    if isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        array = pic[:, :, None] if pic.ndim == 2 else pic
        array = np.ascontiguousarray(array.transpose(2, 0, 1))  # (H, W, C) -> (C, H, W)
        dtypes.from_numpy_dtype(array.dtype)
        if array is pic or np.shares_memory(array, pic):
            array = array if array.dtype == np.uint8 else array.copy()
    else:
        if not isinstance(pic, Image.Image):
            raise TypeError(f"pic should be PIL Image or ndarray. Got {type(pic)}")
        array = np.ascontiguousarray(_pil_array(pic))
        if pic.mode == "1":
            array = array.astype(np.uint8) * np.uint8(255)
    if array.dtype != np.uint8:
        return wrap(array)
    floating = array.astype(get_default_dtype().numpy_dtype)
    floating /= 255
    return wrap(floating)


def _pil_array(pic: Image.Image) -> Array:
    """The pixels (C, H, W) of a PIL picture."""
    if pic.mode.startswith("I;16"):
        raise NotImplementedError(
            f"pictures of mode {pic.mode!r}: the engine has no int16; convert to 'I' first"
        )
    array = np.array(pic)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)  # (H, W, C) -> (C, H, W)


def pil_to_tensor(pic: Any) -> Any:
    """A PIL picture as a tensor (C, H, W) of its own type, unscaled."""
    if not isinstance(pic, Image.Image):
        raise TypeError(f"pic should be PIL Image. Got {type(pic)}")
    return wrap(_pil_array(pic))


def to_pil_image(pic: Any, mode: str | None = None) -> Image.Image:
    """A tensor (C, H, W) or an ndarray (H, W, C) as a PIL picture; floats are taken times 255 and cut off."""
    if is_tensor(pic):
        array: Array = pic.detach()._array
        if array.ndim == 3:
            array = array.transpose(1, 2, 0)  # (C, H, W) -> (H, W, C)
    elif isinstance(pic, np.ndarray):
        array = pic
    else:
        raise TypeError(f"pic should be Tensor or ndarray. Got {type(pic)}.")
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3:
        raise ValueError(f"pic should be 2/3 dimensional. Got {array.ndim} dimensions.")
    channels = array.shape[-1]
    if not array.size:
        raise ValueError(f"a picture of no pixels cannot be made: height, width, channels {array.shape}")
    if channels > 4:
        raise ValueError(f"pic should not have > 4 channels. Got {channels} channels.")
    if array.dtype.kind == "f" and mode != "F":
        array = (array * 255).astype(np.uint8)
    if channels == 1:
        array = array[:, :, 0]
        single = {"uint8": "L", "int16": "I;16", "int32": "I", "float32": "F"}.get(array.dtype.name)
        if mode is not None and mode != single:
            raise ValueError(
                f"Incorrect mode ({mode}) supplied for input type {array.dtype}. Should be {single}"
            )
        mode = single
    else:
        permitted = {2: ["LA"], 3: ["RGB", "YCbCr", "HSV"], 4: ["RGBA", "CMYK", "RGBX"]}[channels]
        if mode is not None and mode not in permitted:
            raise ValueError(f"Only modes {permitted} are supported for {channels}D inputs")
        if mode is None and array.dtype == np.uint8:
            mode = permitted[0]
    if mode is None:
        raise TypeError(f"Input type {array.dtype} is not supported")
    size = (array.shape[1], array.shape[0])
    return Image.frombytes(mode, size, np.ascontiguousarray(array).tobytes())


def convert_image_dtype(image: Any, dtype: dtype = dtypes.float32) -> Any:
    """A tensor in another dtype, scaled so that its range, 0 ... 1 or 0 ... max, becomes the other's."""
    if not is_tensor(image):
        raise TypeError("Input img should be Tensor Image")
    if not isinstance(dtype, dtypes.dtype):
        raise TypeError(
            f"convert_image_dtype(): argument 'dtype' must be torch.dtype, not {type(dtype).__name__}"
        )
    if image.dtype == dtype:
        return image
    if dtype.is_floating_point:
        if image.is_floating_point():
            return image.to(dtype)
        return image.to(dtype) / float(_largest(image.dtype))
    if image.is_floating_point():
        if (image.dtype == dtypes.float32 and dtype in (dtypes.int32, dtypes.int64)) or dtype == dtypes.int64:
            raise RuntimeError(f"The cast from {image.dtype} to {dtype} cannot be performed safely.")
        return image.mul(float(_largest(dtype)) + 1.0 - 1e-3).to(dtype)
    old, new = _largest(image.dtype), _largest(dtype)
    array: Array = image._array
    if old > new:
        return wrap((array // ((old + 1) // (new + 1))).astype(dtype.numpy_dtype))
    return wrap(array.astype(dtype.numpy_dtype) * ((new + 1) // (old + 1)))


def _largest(element: dtype) -> int:
    """The value that stands for white."""
    if element.is_floating_point or element == dtypes.bool:
        return 1
    return int(np.iinfo(element.numpy_dtype).max)


def normalize(tensor: Any, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> Any:
    """(tensor - mean) / std, channel by channel, for a float tensor (..., C, H, W)."""
    if not is_tensor(tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(tensor)}")
    check_tensor(tensor)
    if not tensor.is_floating_point():
        raise TypeError(f"Input tensor should be a float tensor. Got {tensor.dtype}.")
    if tensor.ndim < 3:
        raise ValueError(
            "Expected tensor to be a tensor image of size (..., C, H, W). "
            f"Got tensor.size() = {tensor.size()}"
        )
    if not inplace:
        tensor = tensor.clone()
    means, stds = (_as_array(values, tensor.dtype) for values in (mean, std))
    if (stds == 0).any():
        raise ValueError(
            f"std evaluated to zero after conversion to {tensor.dtype}, leading to division by zero."
        )
    means, stds = (values[:, None, None] if values.ndim == 1 else values for values in (means, stds))
    return tensor.sub_(wrap(means)).div_(wrap(stds))


def _as_array(values: Any, kind: dtype) -> Array:
    """Numbers, or a tensor of them, as an array."""
    return np.asarray(values._array if is_tensor(values) else values, kind.numpy_dtype)
