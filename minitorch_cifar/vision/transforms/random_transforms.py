"""Transforms that draw at random, from the default generator.

They draw the numbers torchvision's draw, in the same order and by the same functions, so that a program with
the same seed sees the same pictures on both. What is done with the numbers is in `functional.py`.
"""

from __future__ import annotations

import math
import numbers
import random
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...autograd import wrap
from ...dtypes import Array, get_default_dtype
from ...nn import Module
from ...random import default_generator
from . import functional as F
from .pictures import InterpolationMode, as_interpolation_mode, is_tensor
from .transforms import listed, pair


def _room() -> Array:
    """For one number of the default dtype, as `torch.empty(1)`: a float64 takes more random bits."""
    return np.empty(1, get_default_dtype().numpy_dtype)


def draw_uniform(low: float, high: float) -> float:
    """One number of the default dtype from low ... high."""
    return float(default_generator.uniform_(_room(), low, high)[0])


def draw_integer(low: int, high: int) -> int:
    """One integer from low ... high-1."""
    return int(default_generator.random_(np.empty(1, np.int64), low, high)[0])


def happens(p: float) -> bool:
    """True with probability `p`."""
    drawn = default_generator.uniform_(_room())
    return bool(drawn[0] < drawn.dtype.type(p))


def draw_aspect(ratio: Sequence[float]) -> float:
    """An aspect ratio whose logarithm is uniform, in the default dtype."""
    room = _room()
    low, high = np.log(np.asarray(ratio, room.dtype)).tolist()
    return float(np.exp(default_generator.uniform_(room, low, high))[0])


def check_fill(fill: Any) -> Any:
    """0 for None; TypeError for what is neither a number nor a sequence."""
    if fill is None:
        return 0
    if not isinstance(fill, (Sequence, numbers.Number)):
        raise TypeError("Fill should be either a sequence or a number.")
    return fill


class RandomCrop(Module):
    """A part of that size from a random place.

    Args:
        size: (height, width), or one number for both.
        padding: a border to add first, as for `Pad`.
        pad_if_needed: widen pictures that are smaller than `size`; without it they are a ValueError.
        fill, padding_mode: what the border holds, as for `Pad`.
    """

    def __init__(
        self,
        size: Any,
        padding: Any = None,
        pad_if_needed: bool = False,
        fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        self.size = tuple(pair(size))
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    @staticmethod
    def get_params(img: Any, output_size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Top, left, height and width of a random part."""
        _, height, width = F.get_dimensions(img)
        new_height, new_width = output_size
        if height < new_height or width < new_width:
            raise ValueError(
                f"Required crop size {(new_height, new_width)} is larger than "
                f"input image size {(height, width)}"
            )
        if (height, width) == (new_height, new_width):
            return 0, 0, height, width
        top = draw_integer(0, height - new_height + 1)
        left = draw_integer(0, width - new_width + 1)
        return top, left, new_height, new_width

    def forward(self, img: Any) -> Any:
        if self.padding is not None:
            img = F.pad(img, self.padding, self.fill, self.padding_mode)
        _, height, width = F.get_dimensions(img)
        if self.pad_if_needed and width < self.size[1]:
            img = F.pad(img, [self.size[1] - width, 0], self.fill, self.padding_mode)
        if self.pad_if_needed and height < self.size[0]:
            img = F.pad(img, [0, self.size[0] - height], self.fill, self.padding_mode)
        return F.crop(img, *self.get_params(img, self.size))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, padding={self.padding})"


class RandomHorizontalFlip(Module):
    """Left and right exchanged with probability `p`."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        return F.hflip(img) if happens(self.p) else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomVerticalFlip(Module):
    """Top and bottom exchanged with probability `p`."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        return F.vflip(img) if happens(self.p) else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomRotation(Module):
    """Turned by a random angle from `degrees`: (low, high), or one number for (-number, number)."""

    def __init__(
        self,
        degrees: Any,
        interpolation: Any = InterpolationMode.NEAREST,
        expand: bool = False,
        center: Any = None,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        if isinstance(degrees, numbers.Number):
            if degrees < 0:  # type: ignore[operator]
                raise ValueError("If degrees is a single number, it must be positive.")
            degrees = [-degrees, degrees]  # type: ignore[operator]
        _check_two("degrees", degrees)
        if center is not None:
            _check_two("center", center)
        self.degrees = [float(degree) for degree in degrees]
        self.interpolation = as_interpolation_mode(interpolation)
        self.expand = expand
        self.center = center
        self.fill = check_fill(fill)

    @staticmethod
    def get_params(degrees: Sequence[float]) -> float:
        """A random angle."""
        return draw_uniform(float(degrees[0]), float(degrees[1]))

    def forward(self, img: Any) -> Any:
        fill = self.fill
        if is_tensor(img):
            channels = F.get_image_num_channels(img)
            fill = [float(fill)] * channels if isinstance(fill, (int, float)) else [float(f) for f in fill]
        angle = self.get_params(self.degrees)
        return F.rotate(img, angle, self.interpolation, self.expand, self.center, fill)

    def __repr__(self) -> str:
        text = f"{type(self).__name__}(degrees={self.degrees}, interpolation={self.interpolation.value}"
        text += f", expand={self.expand}"
        if self.center is not None:
            text += f", center={self.center}"
        return f"{text}, fill={self.fill})"


def _check_two(name: str, value: Any) -> None:
    if not isinstance(value, Sequence):
        raise TypeError(f"{name} should be a sequence of length 2.")
    if len(value) != 2:
        raise ValueError(f"{name} should be a sequence of length 2.")


class RandomResizedCrop(Module):
    """A random part, of `scale` of the area and an aspect ratio from `ratio`, resized to `size`."""

    def __init__(
        self,
        size: Any,
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: Any = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.size = pair(size)
        for name, value in (("Scale", scale), ("Ratio", ratio)):
            if not isinstance(value, Sequence):
                raise TypeError(f"{name} should be a sequence")
        if scale[0] > scale[1] or ratio[0] > ratio[1]:
            warnings.warn("Scale and ratio should be of kind (min, max)", stacklevel=2)
        self.interpolation = as_interpolation_mode(interpolation)
        self.antialias = antialias
        self.scale = scale
        self.ratio = ratio

    @staticmethod
    def get_params(img: Any, scale: Sequence[float], ratio: Sequence[float]) -> tuple[int, int, int, int]:
        """Top, left, height and width of a random part; of the middle, when ten draws do not fit."""
        _, height, width = F.get_dimensions(img)
        for _ in range(10):
            area = height * width * draw_uniform(scale[0], scale[1])
            aspect = draw_aspect(ratio)
            new_width, new_height = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < new_width <= width and 0 < new_height <= height:
                top = draw_integer(0, height - new_height + 1)
                left = draw_integer(0, width - new_width + 1)
                return top, left, new_height, new_width
        new_height, new_width = height, width
        if width / height < min(ratio):
            new_height = round(width / min(ratio))
        elif width / height > max(ratio):
            new_width = round(height * max(ratio))
        return (height - new_height) // 2, (width - new_width) // 2, new_height, new_width

    def forward(self, img: Any) -> Any:
        place = self.get_params(img, self.scale, self.ratio)
        return F.resized_crop(img, *place, self.size, self.interpolation, antialias=self.antialias)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(size={self.size}, scale={tuple(round(s, 4) for s in self.scale)}, "
            f"ratio={tuple(round(r, 4) for r in self.ratio)}, interpolation={self.interpolation.value}, "
            f"antialias={self.antialias})"
        )


class ColorJitter(Module):
    """Brightness, contrast, saturation and hue changed at random, in random order.

    Each argument is the half width of the range of factors round 1 (hue: of turns round 0), or the range
    itself.
    """

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0) -> None:
        super().__init__()
        self.brightness = self._range("brightness", brightness)
        self.contrast = self._range("contrast", contrast)
        self.saturation = self._range("saturation", saturation)
        self.hue = self._range("hue", hue, centre=0.0, bounds=(-0.5, 0.5))

    @staticmethod
    def _range(
        name: str, value: Any, centre: float = 1.0, bounds: tuple[float, float] = (0, math.inf)
    ) -> tuple[float, float] | None:
        """The range of factors, or None when nothing is to be done."""
        if isinstance(value, numbers.Number):
            half = float(value)  # type: ignore[arg-type]
            if half < 0:
                raise ValueError(f"If {name} is a single number, it must be non negative.")
            low, high = centre - half, centre + half
            if centre:
                low = max(low, 0.0)
        elif isinstance(value, (tuple, list)) and len(value) == 2:
            low, high = float(value[0]), float(value[1])
        else:
            raise TypeError(f"{name} should be a single number or a list/tuple with length 2.")
        if not bounds[0] <= low <= high <= bounds[1]:
            raise ValueError(f"{name} values should be between {bounds}, but got {[low, high]}.")
        return None if low == high == centre else (low, high)

    @staticmethod
    def get_params(brightness: Any, contrast: Any, saturation: Any, hue: Any) -> tuple[Any, ...]:
        """The order of the four changes, then a factor or None for each."""
        order = default_generator.randperm(4)
        ranges = (brightness, contrast, saturation, hue)
        return order, *(None if bounds is None else draw_uniform(*bounds) for bounds in ranges)

    def forward(self, img: Any) -> Any:
        order, *factors = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        changes = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)
        for i in order.tolist():
            if factors[i] is not None:
                img = changes[i](img, factors[i])
        return img

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(brightness={self.brightness}, contrast={self.contrast}, "
            f"saturation={self.saturation}, hue={self.hue})"
        )


class RandomGrayscale(Module):
    """Grey with probability `p`, in as many channels as before."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        channels = F.get_image_num_channels(img)
        return F.rgb_to_grayscale(img, num_output_channels=channels) if happens(self.p) else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomErasing(Module):
    """A random rectangle of a tensor set to `value`, with probability `p`.

    `value` is a number, one number per channel, or "random".
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: Any = 0,
        inplace: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(value, (numbers.Number, str, tuple, list)):
            raise TypeError("Argument value should be either a number or str or a sequence")
        if isinstance(value, str) and value != "random":
            raise ValueError("If value is str, it should be 'random'")
        for name, bounds in (("Scale", scale), ("Ratio", ratio)):
            if not isinstance(bounds, Sequence):
                raise TypeError(f"{name} should be a sequence")
        if scale[0] > scale[1] or ratio[0] > ratio[1]:
            warnings.warn("Scale and ratio should be of kind (min, max)", stacklevel=2)
        if scale[0] < 0 or scale[1] > 1:
            raise ValueError("Scale should be between 0 and 1")
        if p < 0 or p > 1:
            raise ValueError("Random erasing probability should be between 0 and 1")
        self.value: Any = value
        self.p = p
        self.scale = scale
        self.ratio = ratio
        self.inplace = inplace

    @staticmethod
    def get_params(
        img: Any, scale: Sequence[float], ratio: Sequence[float], value: list[float] | None = None
    ) -> tuple[int, int, int, int, Any]:
        """Top, left, height, width and content of the rectangle; the whole picture after ten misfits."""
        channels, height, width = img.shape[-3:]
        for _ in range(10):
            area = height * width * draw_uniform(scale[0], scale[1])
            aspect = draw_aspect(ratio)
            h, w = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if not (h < height and w < width):
                continue
            if value is None:
                content = default_generator.normal_(np.empty((channels, h, w), np.float32))
            else:
                content = np.asarray(value, np.float32)[:, None, None]
            top, left = draw_integer(0, height - h + 1), draw_integer(0, width - w + 1)
            return top, left, h, w, wrap(content)
        return 0, 0, height, width, img

    def forward(self, img: Any) -> Any:
        if not happens(self.p):
            return img
        value: list[float] | None = None
        if isinstance(self.value, (int, float)):
            value = [float(self.value)]
        elif not isinstance(self.value, str):
            value = [float(v) for v in self.value]
        if value is not None and len(value) not in (1, img.shape[-3]):
            raise ValueError(
                "If value is a sequence, it should have either a single value or "
                f"{img.shape[-3]} (number of input channels)"
            )
        place = self.get_params(img, self.scale, self.ratio, value)
        return F.erase(img, *place, self.inplace)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(p={self.p}, scale={self.scale}, ratio={self.ratio}, value={self.value}, "
            f"inplace={self.inplace})"
        )


class RandomApply(Module):
    """All of `transforms` with probability `p`, or none."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]], p: float = 0.5) -> None:
        super().__init__()
        self.transforms = transforms
        self.p = p

    def forward(self, img: Any) -> Any:
        drawn = default_generator.uniform_(_room())
        if drawn.dtype.type(self.p) < drawn[0]:
            return img
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return listed(type(self).__name__, self.transforms, f"\n    p={self.p}")


class RandomChoice:
    """One of `transforms`, with weights `p`; drawn from Python's `random`, as in torchvision."""

    def __init__(self, transforms: Sequence[Callable[..., Any]], p: Sequence[float] | None = None) -> None:
        if not isinstance(transforms, Sequence):
            raise TypeError("Argument transforms should be a sequence")
        if p is not None and not isinstance(p, Sequence):
            raise TypeError("Argument p should be a sequence")
        self.transforms = transforms
        self.p = p

    def __call__(self, *args: Any) -> Any:
        return random.choices(self.transforms, weights=self.p)[0](*args)

    def __repr__(self) -> str:
        return f"{listed(type(self).__name__, self.transforms)}(p={self.p})"


class RandomOrder:
    """All of `transforms` in random order; drawn from Python's `random`, as in torchvision."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        if not isinstance(transforms, Sequence):
            raise TypeError("Argument transforms should be a sequence")
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        order = list(range(len(self.transforms)))
        random.shuffle(order)
        for i in order:
            img = self.transforms[i](img)
        return img

    def __repr__(self) -> str:
        return listed(type(self).__name__, self.transforms)
