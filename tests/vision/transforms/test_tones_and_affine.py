"""Tones, blurring, several crops and affine maps against torchvision: results, draws, forms, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torchvision.transforms as theirs
import torchvision.transforms.functional as their_functional

from minitorch_cifar.vision import transforms as ours
from minitorch_cifar.vision.transforms import functional as our_functional

from ...same_error import assert_same_error
from .test_transforms import PIL_KINDS, TENSORS, assert_same, pictures, seeded

SMOOTH = ("RGB", "L", *TENSORS)

# name: (constructor, kinds of pictures, tolerance, share of pixels that may differ)
CASES: dict[str, tuple[Any, tuple[str, ...], float, float]] = {
    "GaussianBlur": (lambda t: t.GaussianBlur(3), PIL_KINDS + TENSORS, 1e-5, 0),
    "GaussianBlur pair": (lambda t: t.GaussianBlur((5, 3), sigma=(0.5, 4.0)), PIL_KINDS + TENSORS, 1e-5, 0),
    "GaussianBlur fixed": (lambda t: t.GaussianBlur([7], 1.3), ("RGB", "float32"), 1e-5, 0),
    "RandomAffine": (lambda t: t.RandomAffine(30), PIL_KINDS + TENSORS, 0, 0.02),
    "RandomAffine all": (
        lambda t: t.RandomAffine((10, 80), (0.2, 0.3), (0.7, 1.4), (-10, 10, 5, 20), fill=9, center=(3, 4)),
        PIL_KINDS + TENSORS,
        0,
        0.03,
    ),
    "RandomAffine shear": (lambda t: t.RandomAffine(0, shear=25), PIL_KINDS + TENSORS, 0, 0.02),
    "RandomAffine colours": (lambda t: t.RandomAffine(45, fill=(1, 2, 3)), ("RGB", "float32"), 0, 0.02),
    "RandomAffine bilinear": (
        lambda t: t.RandomAffine(20, (0.1, 0.1), (0.8, 1.2), 5, t.InterpolationMode.BILINEAR),
        PIL_KINDS + TENSORS,
        2e-4,
        0.03,
    ),
    "RandomInvert": (lambda t: t.RandomInvert(), ("RGB", "L", *TENSORS), 0, 0),
    "RandomPosterize": (lambda t: t.RandomPosterize(3), ("RGB", "L", "uint8", "batch"), 0, 0),
    "RandomPosterize none": (lambda t: t.RandomPosterize(0, p=0.9), ("uint8",), 0, 0),
    "RandomPosterize all": (lambda t: t.RandomPosterize(8, p=0.9), ("RGB", "uint8"), 0, 0),
    "RandomSolarize": (lambda t: t.RandomSolarize(100), ("RGB", "L", "uint8", "batch"), 0, 0),
    "RandomSolarize floats": (lambda t: t.RandomSolarize(0.4, 0.8), ("float32", "float64"), 0, 0),
    "RandomAdjustSharpness": (lambda t: t.RandomAdjustSharpness(2.5, 0.7), SMOOTH, 1e-5, 0.02),
    "RandomAdjustSharpness less": (lambda t: t.RandomAdjustSharpness(0.0, 0.7), SMOOTH, 1e-5, 0.02),
    "RandomAutocontrast": (lambda t: t.RandomAutocontrast(0.7), SMOOTH, 1e-6, 0.02),
    "RandomEqualize": (lambda t: t.RandomEqualize(0.7), ("RGB", "L", "uint8", "batch"), 0, 0),
    "FiveCrop": (lambda t: t.FiveCrop(5), PIL_KINDS + TENSORS, 0, 0),
    "FiveCrop pair": (lambda t: t.FiveCrop((11, 3)), PIL_KINDS + TENSORS, 0, 0),
    "TenCrop": (lambda t: t.TenCrop((4, 6)), PIL_KINDS + TENSORS, 0, 0),
    "TenCrop vertical": (lambda t: t.TenCrop([5], vertical_flip=True), PIL_KINDS + TENSORS, 0, 0),
}


@pytest.mark.parametrize("name", CASES)
def test_results_and_draws_are_torchvisions(name: str) -> None:
    make, kinds, tolerance, mismatches = CASES[name]
    mine, other = make(ours), make(theirs)
    assert repr(mine) == repr(other)
    compared = 0
    for seed in range(6):
        for kind in kinds:
            own, reference = pictures(seed)[kind]
            seeded(seed)
            found, expected = mine(own), other(reference)
            pairs = zip(found, expected, strict=True) if isinstance(expected, tuple) else [(found, expected)]
            for one, two in pairs:
                assert_same(one, two, tolerance, mismatches)
                compared += 1
    assert compared >= 6 * len(kinds)


CALLS: dict[str, tuple[Any, tuple[str, ...], float]] = {
    "gamma": (lambda f, p: f.adjust_gamma(p, 0.6, 1.1), PIL_KINDS[:2] + TENSORS, 1e-5),
    "gamma above": (lambda f, p: f.adjust_gamma(p, 2.2), ("RGB", "uint8", "float32"), 1e-5),
    "blur with its own sigma": (lambda f, p: f.gaussian_blur(p, [5, 3]), ("RGB", "float32"), 1e-5),
    "blur with one sigma": (lambda f, p: f.gaussian_blur(p, 3, 0.8), ("uint8", "float64"), 1e-5),
    "affine without fill": (lambda f, p: f.affine(p, 20, [2, -1], 1.2, [5.0, 3.0]), TENSORS, 0),
    "affine with one shear": (lambda f, p: f.affine(p, -20.0, (0, 0), 0.5, 10), ("RGB", "float32"), 0),
}


@pytest.mark.parametrize("name", CALLS)
def test_functions_are_torchvisions(name: str) -> None:
    call, kinds, tolerance = CALLS[name]
    for seed in range(4):
        for kind in kinds:
            own, reference = pictures(seed)[kind]
            found, expected = call(our_functional, own), call(their_functional, reference)
            assert_same(found, expected, tolerance, 0.02)


def test_pictures_of_one_tone_stay_as_they_are() -> None:
    """Autocontrast and equalize have nothing to stretch there."""
    import torch

    import minitorch_cifar as engine

    flat = np.full((3, 5, 6), 77, np.uint8)
    for name in ("autocontrast", "equalize"):
        found = getattr(our_functional, name)(engine.from_numpy(flat.copy()))
        expected = getattr(their_functional, name)(torch.from_numpy(flat.copy()))
        assert np.array_equal(found.numpy(), expected.numpy())
        assert np.array_equal(found.numpy(), flat)


ERRORS: dict[str, Any] = {
    "blur even": lambda t: t.GaussianBlur(4),
    "blur negative": lambda t: t.GaussianBlur(3, -1.0),
    "blur range": lambda t: t.GaussianBlur(3, (2.0, 1.0)),
    "blur three": lambda t: t.GaussianBlur(3, (2.0, 1.0, 3.0)),
    "blur sizes": lambda t: t.GaussianBlur((3, 3, 3)),
    "affine degrees": lambda t: t.RandomAffine(-3),
    "affine degrees length": lambda t: t.RandomAffine((1, 2, 3)),
    "affine degrees type": lambda t: t.RandomAffine(None),
    "affine translate": lambda t: t.RandomAffine(1, translate=(0.5, 2.0)),
    "affine scale": lambda t: t.RandomAffine(1, scale=(0.0, 2.0)),
    "affine shear": lambda t: t.RandomAffine(1, shear=(1, 2, 3)),
    "affine center": lambda t: t.RandomAffine(1, center=3),
    "affine fill": lambda t: t.RandomAffine(1, fill={}),
    "crops": lambda t: t.FiveCrop((1, 2, 3)),
    "crop too large": lambda t: t.functional.five_crop(pictures(0)["RGB"][0], 40),
    "ten too large": lambda t: t.functional.ten_crop(pictures(0)["RGB"][0], (3, 40)),
    "posterize": lambda t: t.functional.posterize(pictures(0)["RGB"][0], 9),
    "posterize floats": lambda t: t.functional.posterize(tensor(t, "float32"), 3),
    "equalize floats": lambda t: t.functional.equalize(tensor(t, "float32")),
    "solarize": lambda t: t.functional.solarize(tensor(t, "float32"), 2.0),
    "sharpness": lambda t: t.functional.adjust_sharpness(tensor(t, "float32"), -1),
    "gamma": lambda t: t.functional.adjust_gamma(tensor(t, "float32"), -1),
    "affine angle": lambda t: t.functional.affine(tensor(t, "float32"), "1", [0, 0], 1.0, 0),
    "affine no scale": lambda t: t.functional.affine(tensor(t, "float32"), 1, [0, 0], 0.0, 0),
    "affine moves": lambda t: t.functional.affine(tensor(t, "float32"), 1, [0], 1.0, 0),
    "affine move": lambda t: t.functional.affine(tensor(t, "float32"), 1, 0, 1.0, 0),
    "affine shears": lambda t: t.functional.affine(tensor(t, "float32"), 1, [0, 0], 1.0, [1, 2, 3]),
    "blur kernel": lambda t: t.functional.gaussian_blur(tensor(t, "float32"), [3, 3, 3]),
    "blur kernel even": lambda t: t.functional.gaussian_blur(tensor(t, "float32"), 2),
    "blur sigma": lambda t: t.functional.gaussian_blur(tensor(t, "float32"), 3, 0.0),
    "invert an array": lambda t: t.functional.invert(np.zeros((3, 3))),
}


def tensor(transforms: Any, kind: str) -> Any:
    return pictures(0)[kind][0 if transforms is ours else 1]


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_torchvisions(name: str) -> None:
    assert_same_error(lambda: ERRORS[name](ours), lambda: ERRORS[name](theirs))
