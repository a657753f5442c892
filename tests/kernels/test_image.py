"""The kernel that turns bytes into normalised numbers gives torchvision's bits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.transforms import Normalize

from .comparing import BACKENDS, empty_in, kernels, laid_out

IN_MEMORY = ("NCHW", "NHWC", "NCHW transposed", "NHWC reversed", "read-only")


def stored(images: np.ndarray, order: str) -> np.ndarray:
    """The pictures (N, C, H, W) as a view of memory in another order."""
    if order.startswith("NHWC"):
        last = images.transpose(0, 2, 3, 1).copy()  # (N, C, H, W) -> (N, H, W, C)
        if order.endswith("reversed"):
            last = last[:, :, ::-1].copy()[:, :, ::-1]  # a picture flipped left to right
        return last.transpose(0, 3, 1, 2)
    copy = laid_out(images, "transposed") if order.endswith("transposed") else images.copy()
    copy.flags.writeable = order != "read-only"
    return copy


@given(
    shape=st.tuples(st.integers(0, 3), st.integers(1, 4), st.integers(1, 40), st.integers(1, 9)),
    order=st.sampled_from(IN_MEMORY),
    statistics=st.booleans(),
    layout=st.sampled_from(["contiguous", "strided"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_same_bits_as_torchvision(
    shape: tuple[int, ...], order: str, statistics: bool, layout: str, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, shape).astype(np.uint8)
    mean = generator.uniform(0, 1, shape[1]).astype(np.float32) if statistics else None
    std = generator.uniform(0.1, 2, shape[1]).astype(np.float32) if statistics else None
    their = torch.from_numpy(images).to(torch.float32).div(255)  # what ToTensor does
    if mean is not None and std is not None and shape[0]:
        their = Normalize(mean.tolist(), std.tolist())(their)
    for backend in BACKENDS:
        out = empty_in(shape, np.float32, layout)
        every = np.arange(shape[0])
        kernels(backend, "image").uint8_to_float(stored(images, order), every, None, mean, std, out)
        np.testing.assert_array_equal(out, their.numpy())


@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 9), st.integers(1, 7)),
    wanted=st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9)),
    order=st.sampled_from(IN_MEMORY),
    fill=st.integers(0, 255),
    seed=st.integers(0, 2**32 - 1),
)
def test_chosen_pictures_and_places(
    shape: tuple[int, ...], wanted: tuple[int, ...], order: str, fill: int, seed: int
) -> None:
    """Pixel by pixel: the chosen picture's at the given row and column, the border's where one is -1."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, shape).astype(np.uint8)
    chosen = generator.integers(0, shape[0], wanted[0])
    rows = generator.integers(-1, shape[2], (wanted[0], wanted[1]))
    columns = generator.integers(-1, shape[3], (wanted[0], wanted[2]))
    mean, std = generator.uniform(0.1, 1, (2, shape[1])).astype(np.float32)
    bytes_ = np.array(
        [
            [
                [[fill if y < 0 or x < 0 else picture[c, y, x] for x in xs] for y in ys]
                for c in range(shape[1])
            ]
            for picture, ys, xs in zip(images[chosen], rows, columns, strict=True)
        ],
        np.uint8,
    )
    scaled = torch.from_numpy(bytes_).to(torch.float32).div(255)
    whole = torch.from_numpy(images[chosen]).to(torch.float32).div(255)
    scale = Normalize(mean.tolist(), std.tolist())
    for backend in BACKENDS:
        kernel = kernels(backend, "image").uint8_to_float
        out = np.full(bytes_.shape, 12345, np.float32)
        kernel(stored(images, order), chosen, (rows, columns, fill), mean, std, out)
        np.testing.assert_array_equal(out, scale(scaled).numpy())
        out = np.full((wanted[0], *shape[1:]), 12345, np.float32)
        kernel(stored(images, order), chosen, None, mean, std, out)
        np.testing.assert_array_equal(out, scale(whole).numpy())


@pytest.mark.parametrize("backend", BACKENDS)
def test_large_batches_are_shared_among_threads_and_come_out_the_same(backend: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (7, 3, 32, 32)).astype(np.uint8)
    chosen = np.random.default_rng(1).integers(0, 7, 200)
    places = np.tile(np.arange(31, -1, -1), (200, 1)), np.tile(np.arange(32), (200, 1)), 0
    expected = (images.astype(np.float32) / np.float32(255))[chosen]
    out = np.empty((200, 3, 32, 32), np.float32)
    kernels(backend, "image").uint8_to_float(images, chosen, None, None, None, out)
    np.testing.assert_array_equal(out, expected)
    kernels(backend, "image").uint8_to_float(images, chosen, places, None, None, out)
    np.testing.assert_array_equal(out, expected[:, :, ::-1])


@pytest.mark.parametrize("backend", BACKENDS)
def test_statistics_are_not_mixed_up_between_calls(backend: str) -> None:
    """A table of results is kept per mean and standard deviation; the next pair needs its own."""
    module = kernels(backend, "image")
    images = np.full((1, 2, 1, 1), 51, np.uint8)
    out = np.empty((1, 2, 1, 1), np.float32)
    for mean, std in (((0.5, 0.25), (1, 1)), ((0.25, 0.5), (1, 1)), ((0.25, 0.5), (2, 4))):
        pair = np.array(mean, np.float32), np.array(std, np.float32)
        module.uint8_to_float(images, np.zeros(1, np.int64), None, *pair, out)
        np.testing.assert_allclose(out.ravel(), (0.2 - pair[0]) / pair[1], rtol=1e-6)
