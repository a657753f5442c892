"""Transforms against torchvision: same pictures, same random draws, same printed forms, same errors."""

from __future__ import annotations

import random
import warnings
from typing import Any

import numpy as np
import pytest
import torch
import torchvision.transforms as theirs
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import minitorch_cifar
from minitorch_cifar.vision import transforms as ours

from ...same_error import assert_same_error


def pixels(seed: int, height: int = 11, width: int = 14, channels: int = 3) -> np.ndarray:
    """Bytes (H, W, C) with areas of one colour besides noise."""
    array = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    array[: height // 2] = array[0, 0]
    return array


def pictures(seed: int, height: int = 11, width: int = 14) -> dict[str, tuple[Any, Any]]:
    """(ours, theirs) of one picture in every kind that transforms take."""
    rgb, grey = pixels(seed, height, width), pixels(seed, height, width, 1)[:, :, 0]
    rgba = pixels(seed, height, width, 4)
    made: dict[str, tuple[Any, Any]] = {
        "RGB": (Image.fromarray(rgb),) * 2,
        "L": (Image.fromarray(grey),) * 2,
        "RGBA": (Image.fromarray(rgba),) * 2,
    }
    planes = np.ascontiguousarray(rgb.transpose(2, 0, 1))
    for name, array in {
        "uint8": planes,
        "float32": (planes / 255).astype(np.float32),
        "float64": planes / 255,
        "batch": np.stack([planes, planes[:, ::-1]]),
    }.items():
        made[name] = (minitorch_cifar.from_numpy(array.copy()), torch.from_numpy(array.copy()))
    return made


TENSORS = ("uint8", "float32", "float64", "batch")
PIL_KINDS = ("RGB", "L", "RGBA")


def plain(picture: Any) -> tuple[str, np.ndarray]:
    """What kind a result is, and its values."""
    if isinstance(picture, Image.Image):
        return f"PIL {picture.mode}", np.asarray(picture)
    return str(picture.dtype), picture.detach().numpy()


def assert_same(mine: Any, other: Any, tolerance: float = 0.0, mismatches: float = 0.0) -> None:
    """Equal kinds and shapes; values within `tolerance`, but for a share of `mismatches`."""
    (kind, values), (expected_kind, expected) = plain(mine), plain(other)
    assert kind == expected_kind
    assert values.shape == expected.shape
    difference = np.abs(values.astype(np.float64) - expected.astype(np.float64))
    if tolerance and values.dtype == np.uint8:  # rounding may fall on the other side
        assert difference.max(initial=0) <= 1
        mismatches = max(mismatches, 0.06)
    far = difference > tolerance
    assert far.mean() <= mismatches if far.size else True


# name: (constructor, kinds of pictures, tolerance, share of pixels that may differ)
CASES: dict[str, tuple[Any, tuple[str, ...], float, float]] = {
    "PILToTensor": (lambda t: t.PILToTensor(), PIL_KINDS, 0, 0),
    "ToTensor": (lambda t: t.ToTensor(), PIL_KINDS, 0, 0),
    "ToPILImage": (lambda t: t.ToPILImage(), ("uint8", "float32", "float64"), 0, 0),
    "Normalize": (lambda t: t.Normalize((0.5, 0.4, 0.3), (0.2, 0.3, 0.4)), ("float32", "float64"), 0, 0),
    "Normalize one": (lambda t: t.Normalize([0.5], [0.2]), ("float32", "float64"), 0, 0),
    "Resize int": (lambda t: t.Resize(7), PIL_KINDS + TENSORS, 1e-5, 0),
    "Resize up": (lambda t: t.Resize(23), PIL_KINDS + TENSORS, 1e-5, 0),
    "Resize pair": (lambda t: t.Resize((5, 21)), PIL_KINDS + TENSORS, 1e-5, 0),
    "Resize max": (lambda t: t.Resize(20, max_size=22), PIL_KINDS + TENSORS, 1e-5, 0),
    "Resize sharp": (lambda t: t.Resize((5, 21), antialias=False), TENSORS, 1e-5, 0),
    "Resize nearest": (
        lambda t: t.Resize((5, 23), t.InterpolationMode.NEAREST),
        PIL_KINDS + TENSORS,
        0,
        0,
    ),
    "Resize exact": (lambda t: t.Resize((5, 23), t.InterpolationMode.NEAREST_EXACT), TENSORS, 0, 0),
    "Resize bicubic": (
        lambda t: t.Resize((5, 21), t.InterpolationMode.BICUBIC),
        PIL_KINDS + TENSORS,
        1e-5,
        0,
    ),
    "Resize bicubic sharp": (
        lambda t: t.Resize((5, 21), t.InterpolationMode.BICUBIC, antialias=False),
        TENSORS,
        1e-5,
        0,
    ),
    "Resize lanczos": (lambda t: t.Resize(9, t.InterpolationMode.LANCZOS), PIL_KINDS, 0, 0),
    "Resize number": (lambda t: t.Resize(9, 3), PIL_KINDS, 0, 0),
    "CenterCrop": (lambda t: t.CenterCrop(6), PIL_KINDS + TENSORS, 0, 0),
    "CenterCrop pad": (lambda t: t.CenterCrop((20, 7)), PIL_KINDS + TENSORS, 0, 0),
    "CenterCrop large": (lambda t: t.CenterCrop((16, 19)), PIL_KINDS + TENSORS, 0, 0),
    "Pad": (lambda t: t.Pad(3), PIL_KINDS + TENSORS, 0, 0),
    "Pad fill": (lambda t: t.Pad((1, 2), fill=9), PIL_KINDS + TENSORS, 0, 0),
    "Pad colour": (lambda t: t.Pad((1, 2, 3, 4), fill=(9, 8, 7)), ("RGB",), 0, 0),
    "Pad edge": (lambda t: t.Pad((1, 2, 3, 4), padding_mode="edge"), PIL_KINDS + TENSORS, 0, 0),
    "Pad reflect": (lambda t: t.Pad((1, 2, 3, 4), padding_mode="reflect"), PIL_KINDS + TENSORS, 0, 0),
    "Pad symmetric": (lambda t: t.Pad((1, 2, 3, 4), padding_mode="symmetric"), PIL_KINDS + TENSORS, 0, 0),
    "Pad negative": (lambda t: t.Pad((-1, 2, -3, 0)), PIL_KINDS + TENSORS, 0, 0),
    "Grayscale": (lambda t: t.Grayscale(), ("RGB", "L", "uint8", "float32", "float64", "batch"), 1e-6, 0.02),
    "Grayscale 3": (lambda t: t.Grayscale(3), ("RGB", "L", "uint8", "float32"), 1e-6, 0.02),
    "ConvertImageDtype": (lambda t: t.ConvertImageDtype(dtype_of(t, "float64")), TENSORS, 0, 0),
    "ConvertImageDtype bytes": (
        lambda t: t.ConvertImageDtype(dtype_of(t, "uint8")),
        ("uint8", "float32", "float64"),
        0,
        0,
    ),
    "Lambda": (lambda t: t.Lambda(lambda picture: picture), PIL_KINDS + TENSORS, 0, 0),
    "RandomCrop": (lambda t: t.RandomCrop(5), PIL_KINDS + TENSORS, 0, 0),
    "RandomCrop whole": (lambda t: t.RandomCrop((11, 14)), PIL_KINDS + TENSORS, 0, 0),
    "RandomCrop padded": (lambda t: t.RandomCrop((11, 14), padding=4), PIL_KINDS + TENSORS, 0, 0),
    "RandomCrop sides": (lambda t: t.RandomCrop(9, (1, 2, 3, 4), fill=5), PIL_KINDS + TENSORS, 0, 0),
    "RandomCrop needed": (lambda t: t.RandomCrop((19, 5), pad_if_needed=True), PIL_KINDS + TENSORS, 0, 0),
    "RandomCrop reflect": (
        lambda t: t.RandomCrop(11, 4, padding_mode="reflect"),
        PIL_KINDS + TENSORS,
        0,
        0,
    ),
    "RandomHorizontalFlip": (lambda t: t.RandomHorizontalFlip(), PIL_KINDS + TENSORS, 0, 0),
    "RandomHorizontalFlip p": (lambda t: t.RandomHorizontalFlip(0.2), PIL_KINDS + TENSORS, 0, 0),
    "RandomVerticalFlip": (lambda t: t.RandomVerticalFlip(), PIL_KINDS + TENSORS, 0, 0),
    "RandomRotation": (lambda t: t.RandomRotation(30), PIL_KINDS + TENSORS, 0, 0.02),
    "RandomRotation expand": (
        lambda t: t.RandomRotation((10, 80), expand=True, fill=7),
        PIL_KINDS + TENSORS,
        0,
        0.02,
    ),
    "RandomRotation centre": (
        lambda t: t.RandomRotation(90, center=(3, 2), fill=1),
        PIL_KINDS + TENSORS,
        0,
        0.02,
    ),
    "RandomRotation bilinear": (
        lambda t: t.RandomRotation(30, t.InterpolationMode.BILINEAR),
        PIL_KINDS + TENSORS,
        1e-4,
        0.03,
    ),
    "RandomResizedCrop": (lambda t: t.RandomResizedCrop(8), PIL_KINDS + TENSORS, 1e-5, 0),
    "RandomResizedCrop hard": (
        lambda t: t.RandomResizedCrop((8, 6), (0.9, 1.0), (5.0, 6.0)),
        PIL_KINDS + TENSORS,
        1e-5,
        0,
    ),
    "ColorJitter": (lambda t: t.ColorJitter(0.4, 0.4, 0.4, 0.3), ("RGB", "L"), 0, 0),
    "ColorJitter tensors": (lambda t: t.ColorJitter(0.4, 0.4, 0.4), TENSORS, 1e-5, 0.05),
    "ColorJitter hue": (lambda t: t.ColorJitter(hue=0.4), ("float32",), 1e-5, 0),
    "ColorJitter one": (lambda t: t.ColorJitter(brightness=(0.5, 2.0)), ("RGB", "float32"), 1e-6, 0),
    "RandomGrayscale": (lambda t: t.RandomGrayscale(0.5), ("RGB", "float32"), 1e-6, 0),
    "RandomErasing": (lambda t: t.RandomErasing(0.7, value=0.5), ("float32", "float64"), 0, 0),
    "RandomErasing colours": (lambda t: t.RandomErasing(1.0, value=(0.1, 0.2, 0.3)), ("float32",), 0, 0),
    "RandomErasing random": (lambda t: t.RandomErasing(1.0, value="random"), ("float32",), 1e-5, 0),
    "RandomApply": (lambda t: t.RandomApply([t.Pad(1), t.RandomCrop(5)], p=0.4), ("RGB", "float32"), 0, 0),
    "RandomChoice": (lambda t: t.RandomChoice([t.Pad(1), t.Pad(2)]), ("RGB",), 0, 0),
    "RandomOrder": (lambda t: t.RandomOrder([t.Pad(1), t.CenterCrop(8)]), ("RGB",), 0, 0),
    "Compose": (
        lambda t: t.Compose(
            [t.RandomCrop(8, 2), t.RandomHorizontalFlip(), t.ToTensor(), t.Normalize([0.5], [0.5])]
        ),
        ("RGB", "L"),
        0,
        0,
    ),
}


def dtype_of(module: Any, name: str) -> Any:
    return getattr(minitorch_cifar if module is ours else torch, name)


def seeded(seed: int) -> None:
    minitorch_cifar.manual_seed(seed)
    torch.manual_seed(seed)


@pytest.mark.parametrize("name", CASES)
def test_results_and_draws_are_torchvisions(name):
    make, kinds, tolerance, mismatches = CASES[name]
    mine, other = make(ours), make(theirs)
    for seed in range(4):
        made = pictures(seed)
        for kind in kinds:
            seeded(seed)
            random.seed(seed)
            result = mine(made[kind][0])
            random.seed(seed)
            expected = other(made[kind][1])
            assert_same(result, expected, tolerance, mismatches)
            assert minitorch_cifar.rand(1).item() == torch.rand(1).item(), "one draws more than the other"


@pytest.mark.parametrize("name", CASES)
def test_printed_forms_are_torchvisions(name):
    make = CASES[name][0]
    assert repr(make(ours)) == repr(make(theirs))


@pytest.mark.parametrize("name", [name for name in CASES if "Random" not in name and name != "Lambda"])
def test_pictures_are_not_changed(name):
    make, kinds, *_ = CASES[name]
    for kind in kinds:
        picture = pictures(1)[kind][0]
        before = plain(picture)[1].copy()
        result = make(ours)(picture)
        assert np.array_equal(plain(picture)[1], before)
        assert result is not None


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 50), st.integers(1, 50), st.data())
def test_resizing_tensors_of_any_size(height, width, new_height, new_width, data):
    mode = data.draw(st.sampled_from(["nearest", "nearest-exact", "bilinear", "bicubic"]))
    antialias = data.draw(st.booleans())
    array = np.random.default_rng(0).random((2, height, width), dtype=np.float64)
    size = [new_height, new_width]
    mine = ours.functional.resize(
        minitorch_cifar.from_numpy(array), size, ours.InterpolationMode(mode), antialias=antialias
    )
    other = theirs.functional.resize(
        torch.from_numpy(array), size, theirs.InterpolationMode(mode), antialias=antialias
    )
    assert_same(mine, other, 1e-9)


@given(st.integers(-5, 20), st.integers(-5, 20), st.integers(6, 20), st.integers(6, 20))
def test_crops_anywhere(top, left, height, width):
    """Parts that touch the picture; for those wholly above or left of it torchvision's tensors are not 0."""
    for mine, other in pictures(0).values():
        assert_same(
            ours.functional.crop(mine, top, left, height, width),
            theirs.functional.crop(other, top, left, height, width),
        )


def test_to_tensor_of_arrays_and_modes():
    for array in (pixels(0), pixels(0)[:, :, 0], pixels(0).astype(np.float32), np.arange(6).reshape(2, 3)):
        assert_same(ours.ToTensor()(array), theirs.ToTensor()(array))
    for mode in ("1", "I", "F", "CMYK", "YCbCr", "LA", "P"):
        picture = (
            Image.fromarray(pixels(0)).convert("L").convert(mode)
            if mode != "CMYK"
            else Image.fromarray(pixels(0)).convert(mode)
        )
        assert_same(ours.ToTensor()(picture), theirs.ToTensor()(picture))
        assert_same(ours.PILToTensor()(picture), theirs.PILToTensor()(picture))
    with pytest.raises(NotImplementedError, match="int16"):
        ours.ToTensor()(Image.new("I;16", (2, 2)))


def test_to_tensor_follows_the_default_dtype():
    before = minitorch_cifar.get_default_dtype()
    try:
        for library in (minitorch_cifar, torch):
            library.set_default_dtype(library.float64)
        assert_same(ours.ToTensor()(pixels(0)), theirs.ToTensor()(pixels(0)))
    finally:
        minitorch_cifar.set_default_dtype(before)
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("mode", [None, "RGB", "HSV", "YCbCr", "L", "F", "RGBA"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_to_pil_image_modes(mode, channels):
    for dtype in (np.uint8, np.float32, np.int32):
        array = (pixels(0, channels=channels) / (255 if dtype == np.float32 else 1)).astype(dtype)
        try:
            expected: Any = theirs.ToPILImage(mode)(array)
        except Exception as error:
            expected = error
        if isinstance(expected, Exception):
            with pytest.raises(type(expected)):
                ours.ToPILImage(mode)(array)
        else:
            assert_same(ours.ToPILImage(mode)(array), expected)
            tensor = minitorch_cifar.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))
            assert_same(ours.ToPILImage(mode)(tensor), expected)


CALLS: list[tuple[Any, Any]] = [
    (lambda t, _: t.Resize(7.5), None),
    (lambda t, _: t.Resize((1, 2, 3)), None),
    (lambda t, _: t.CenterCrop((1, 2, 3)), None),
    (lambda t, _: t.Pad("3"), None),
    (lambda t, _: t.Pad((1, 2, 3)), None),
    (lambda t, _: t.Pad(1, fill="x"), None),
    (lambda t, _: t.Pad(1, padding_mode="round"), None),
    (lambda t, _: t.Lambda(3), None),
    (lambda t, _: t.RandomCrop((1, 2, 3)), None),
    (lambda t, p: t.RandomCrop(30)(p), "RGB"),
    (lambda t, p: t.RandomCrop(30)(p), "float32"),
    (lambda t, _: t.RandomRotation(-1), None),
    (lambda t, _: t.RandomRotation((1, 2, 3)), None),
    (lambda t, _: t.RandomRotation(1, center=1), None),
    (lambda t, _: t.RandomRotation(1, fill={1: 2}), None),
    (lambda t, _: t.ColorJitter(-1), None),
    (lambda t, _: t.ColorJitter((2, 1)), None),
    (lambda t, _: t.ColorJitter("x"), None),
    (lambda t, _: t.ColorJitter(hue=0.7), None),
    (lambda t, _: t.RandomErasing(2), None),
    (lambda t, _: t.RandomErasing(value="x"), None),
    (lambda t, _: t.RandomErasing(scale=1), None),
    (lambda t, p: t.RandomErasing(1.0, value=(1, 2))(p), "float32"),
    (lambda t, _: t.RandomResizedCrop(3, scale=1), None),
    (lambda t, _: t.RandomChoice(3), None),
    (lambda t, _: t.RandomOrder(3), None),
    (lambda t, _: t.ToTensor()("x"), None),
    (lambda t, _: t.ToTensor()(np.zeros(3)), None),
    (lambda t, _: t.PILToTensor()("x"), None),
    (lambda t, _: t.ToPILImage()("x"), None),
    (lambda t, _: t.ToPILImage()(np.zeros((2, 2, 5))), None),
    (lambda t, p: t.Normalize([0.5], [0.0])(p), "float32"),
    (lambda t, p: t.Normalize([0.5], [0.5])(p[0]), "float32"),
    (lambda t, p: t.Grayscale(2)(p), "RGB"),
    (lambda t, p: t.Grayscale()(p[:2]), "float32"),
    (lambda t, p: t.functional.resize(p, (1, 2, 3)), "RGB"),
    (lambda t, p: t.functional.resize(p, (1, 2), max_size=3), "RGB"),
    (lambda t, p: t.functional.resize(p, 9, max_size=9), "RGB"),
    (lambda t, p: t.functional.resize(p, 9, "bilinear"), "RGB"),
    (lambda t, p: t.functional.rotate(p, "x"), "RGB"),
    (lambda t, p: t.functional.rotate(p, 3, center=3), "RGB"),
    (lambda t, p: t.functional.rotate(p, 3, t.InterpolationMode.BICUBIC), "float32"),
    (lambda t, p: t.functional.adjust_hue(p, 0.6), "RGB"),
    (lambda t, p: t.functional.adjust_contrast(p, -1), "float32"),
    (lambda t, p: t.functional.adjust_brightness(p[:2], 1), "float32"),
]


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_errors_are_torchvisions(number):
    call, kind = CALLS[number]
    mine, other = pictures(0)[kind] if kind else (None, None)
    assert_same_error(lambda: call(ours, mine), lambda: call(theirs, other))


@pytest.mark.parametrize("name", ["ToTensor", "Resize", "RandomCrop", "Grayscale", "hflip", "pad"])
def test_what_is_no_picture(name):
    for wrong in (3, "text", None, [1, 2]):
        make = {"Resize": lambda t: t.Resize(3), "RandomCrop": lambda t: t.RandomCrop(3)}.get(
            name, lambda t, name=name: getattr(t, name)() if name[0].isupper() else None
        )
        call = (
            make(ours) or {"hflip": ours.functional.hflip, "pad": lambda p: ours.functional.pad(p, 1)}[name]
        )
        with pytest.raises(TypeError):
            call(wrong)


def test_normalize_in_place_and_gradients():
    array = np.random.default_rng(0).random((3, 4, 5), dtype=np.float32)
    tensor = minitorch_cifar.from_numpy(array.copy())
    result = ours.Normalize([0.5], [0.25], inplace=True)(tensor)
    assert result is tensor
    assert np.allclose(tensor.numpy(), (array - 0.5) / 0.25)
    leaf = minitorch_cifar.from_numpy(array.copy()).requires_grad_()
    chain = ours.Compose(
        [ours.Normalize([0.5], [0.25]), ours.CenterCrop((2, 3)), ours.RandomHorizontalFlip(1.0)]
    )
    upstream = np.random.default_rng(1).random((3, 2, 3), dtype=np.float32)
    chain(leaf).backward(minitorch_cifar.from_numpy(upstream))
    expected = np.zeros_like(array)
    expected[:, 1:3, 1:4] = upstream[:, :, ::-1] / 0.25
    assert np.allclose(leaf.grad.numpy(), expected)
    with pytest.raises(NotImplementedError, match=r"resize of a tensor that requires a gradient; detach\(\)"):
        ours.Resize(2)(leaf)


def test_modes_of_interpolation():
    assert [(m.name, m.value) for m in ours.InterpolationMode] == [
        (m.name, m.value) for m in theirs.InterpolationMode
    ]
    with pytest.warns(UserWarning, match="Anti-alias option is always applied"):
        ours.functional.resize(Image.fromarray(pixels(0)), 5, antialias=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours.functional.resize(Image.fromarray(pixels(0)), 5)


def test_every_public_name_is_torchvisions():
    for name in ours.__all__:
        assert hasattr(theirs, name), name
    for name in ours.functional.__all__:
        assert hasattr(theirs.functional, name), name
