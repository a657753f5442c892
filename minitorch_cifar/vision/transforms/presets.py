"""What trained models expect of a picture: `ImageClassification`, the transform that goes with weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...dtypes import float32
from ...nn import Module
from . import functional as F
from .pictures import InterpolationMode, is_tensor


class ImageClassification(Module):
    """A PIL picture or a tensor (..., C, H, W) as the input (..., C, crop_size, crop_size) of a classifier.

    The shorter side is resized to `resize_size`, the middle cut out, and the colours scaled to
    ((pixel / 255) - mean) / std per channel.
    """

    def __init__(
        self,
        *,
        crop_size: int,
        resize_size: int = 256,
        mean: Sequence[float] = (0.485, 0.456, 0.406),
        std: Sequence[float] = (0.229, 0.224, 0.225),
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.crop_size = [crop_size]
        self.resize_size = [resize_size]
        self.mean = list(mean)
        self.std = list(std)
        self.interpolation = interpolation
        self.antialias = antialias

    def forward(self, img: Any) -> Any:
        img = F.resize(img, self.resize_size, interpolation=self.interpolation, antialias=self.antialias)
        img = F.center_crop(img, self.crop_size)
        if not is_tensor(img):
            img = F.pil_to_tensor(img)
        return F.normalize(F.convert_image_dtype(img, float32), self.mean, self.std)

    def __repr__(self) -> str:
        lines = [
            f"    {name}={getattr(self, name)}"
            for name in ("crop_size", "resize_size", "mean", "std", "interpolation")
        ]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])
