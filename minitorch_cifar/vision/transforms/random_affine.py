"""`RandomAffine`: pictures turned, moved, scaled and sheared at random. The mathematics is in `affine.py`."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from ...nn import Module
from .affine import affine
from .pictures import InterpolationMode, as_interpolation_mode, get_dimensions, is_tensor
from .random_transforms import check_fill, draw_uniform


class RandomAffine(Module):
    """Turned, moved, scaled and sheared at random.

    Args:
        degrees: (low, high) of the angle, or one number for (-number, number).
        translate: greatest movement as a part (0 ... 1) of width and of height.
        scale: (low, high) of the factor.
        shear: of the angle along x as for `degrees`, or (x low, x high, y low, y high).
        interpolation, fill, center: as for `affine`.
    """

    def __init__(
        self,
        degrees: Any,
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: Any = None,
        interpolation: Any = InterpolationMode.NEAREST,
        fill: Any = 0,
        center: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.degrees = _angles("degrees", degrees, (2,))
        if translate is not None:
            _check_length("translate", translate, (2,))
            if not all(0.0 <= part <= 1.0 for part in translate):
                raise ValueError("translation values should be between 0 and 1")
        if scale is not None:
            _check_length("scale", scale, (2,))
            if min(scale) <= 0:
                raise ValueError("scale values should be positive")
        if center is not None:
            _check_length("center", center, (2,))
        self.translate = translate
        self.scale = scale
        self.shear = None if shear is None else _angles("shear", shear, (2, 4))
        self.interpolation = as_interpolation_mode(interpolation)
        self.fill = check_fill(fill)
        self.center = center

    @staticmethod
    def get_params(
        degrees: Sequence[float],
        translate: Sequence[float] | None,
        scale_ranges: Sequence[float] | None,
        shears: Sequence[float] | None,
        img_size: Sequence[int],
    ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """Angle, movement, factor and shears for a picture of size (width, height)."""
        angle = draw_uniform(float(degrees[0]), float(degrees[1]))
        moved = (0, 0)
        if translate is not None:
            reach = (float(translate[0] * img_size[0]), float(translate[1] * img_size[1]))
            moved = round(draw_uniform(-reach[0], reach[0])), round(draw_uniform(-reach[1], reach[1]))
        factor = 1.0 if scale_ranges is None else draw_uniform(scale_ranges[0], scale_ranges[1])
        shear_x = shear_y = 0.0
        if shears is not None:
            shear_x = draw_uniform(shears[0], shears[1])
            if len(shears) == 4:
                shear_y = draw_uniform(shears[2], shears[3])
        return angle, moved, factor, (shear_x, shear_y)

    def forward(self, img: Any) -> Any:
        channels, height, width = get_dimensions(img)
        fill = self.fill
        if is_tensor(img):
            fill = [float(fill)] * channels if isinstance(fill, (int, float)) else [float(f) for f in fill]
        drawn = self.get_params(self.degrees, self.translate, self.scale, self.shear, [width, height])
        return affine(img, *drawn, interpolation=self.interpolation, fill=fill, center=self.center)

    def __repr__(self) -> str:
        parts = [f"degrees={self.degrees}"]
        for name in ("translate", "scale", "shear"):
            if getattr(self, name) is not None:
                parts.append(f"{name}={getattr(self, name)}")
        if self.interpolation is not InterpolationMode.NEAREST:
            parts.append(f"interpolation={self.interpolation.value}")
        if self.fill != 0:
            parts.append(f"fill={self.fill}")
        if self.center is not None:
            parts.append(f"center={self.center}")
        return f"{type(self).__name__}({', '.join(parts)})"


def _angles(name: str, value: Any, lengths: tuple[int, ...]) -> list[float]:
    """A range of angles as floats; one number for the same to both sides."""
    if isinstance(value, numbers.Number):
        if value < 0:  # type: ignore[operator]
            raise ValueError(f"If {name} is a single number, it must be positive.")
        value = [-value, value]  # type: ignore[operator]
    else:
        _check_length(name, value, lengths)
    return [float(angle) for angle in value]


def _check_length(name: str, value: Any, lengths: tuple[int, ...]) -> None:
    text = " or ".join(map(str, lengths))
    if not isinstance(value, Sequence):
        raise TypeError(f"{name} should be a sequence of length {text}.")
    if len(value) not in lengths:
        raise ValueError(f"{name} should be a sequence of length {text}.")
