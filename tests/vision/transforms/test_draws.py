"""Random transforms draw in the default dtype, as torchvision's do: a float64 takes more random bits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

import minitorch_cifar
from minitorch_cifar import vision

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 9, 3), dtype=np.uint8))

TRANSFORMS = {
    "flip": lambda t: t.RandomHorizontalFlip(),
    "crop": lambda t: t.RandomCrop(8, padding=2),
    "rotation": lambda t: t.RandomRotation(30),
    "resized crop": lambda t: t.RandomResizedCrop(6),
    "jitter": lambda t: t.ColorJitter(0.3, 0.3, 0.3, 0.1),
    "affine": lambda t: t.RandomAffine(20, (0.1, 0.2), (0.8, 1.2), 10),
    "apply": lambda t: t.RandomApply([t.RandomVerticalFlip()], p=0.4),
    "erasing": lambda t: t.Compose([t.ToTensor(), t.RandomErasing(0.8), t.ToPILImage()]),
    "blur": lambda t: t.GaussianBlur(3),
}


@pytest.fixture(params=["float32", "float64"])
def both(request: Any) -> Iterator[list[tuple[Any, Any]]]:
    """Both libraries with that default dtype, each with its vision package."""
    sides = [(minitorch_cifar, vision), (torch, torchvision)]
    for library, _ in sides:
        library.set_default_dtype(getattr(library, request.param))
    yield sides
    for library, _ in sides:
        library.set_default_dtype(library.float32)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_pictures_and_what_is_drawn_next_agree(name: str, both: list[tuple[Any, Any]]) -> None:
    ends = []
    for library, package in both:
        transform = TRANSFORMS[name](package.transforms)
        library.manual_seed(4)
        pictures = [np.asarray(transform(PICTURE)).tolist() for _ in range(4)]
        ends.append([*pictures, library.rand(1).item()])
    assert ends[0] == ends[1]
