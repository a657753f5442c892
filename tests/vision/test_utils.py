"""`make_grid` and `save_image` against torchvision."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
import torchvision.utils as theirs
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import minitorch_cifar
from minitorch_cifar.vision import utils as ours


def both(*shape: int, seed: int = 0) -> tuple[minitorch_cifar.Tensor, torch.Tensor]:
    array = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return minitorch_cifar.from_numpy(array.copy()), torch.from_numpy(array.copy())


@given(
    st.integers(1, 9),
    st.sampled_from([1, 3]),
    st.integers(1, 5),
    st.integers(0, 3),
    st.floats(-1, 1, width=32),
    st.booleans(),
    st.booleans(),
    st.none() | st.just((-0.5, 1.5)),
)
def test_grids_are_torchvisions(count, channels, nrow, padding, value, normalize, each, value_range):
    mine, other = both(count, channels, 4, 5)
    before = mine.numpy().copy()
    options = {"nrow": nrow, "padding": padding, "pad_value": value}
    options |= {"normalize": normalize, "scale_each": each}
    result = ours.make_grid(mine, **options, value_range=value_range)
    expected = theirs.make_grid(other, **options, value_range=value_range)
    assert np.allclose(result.numpy(), expected.numpy(), rtol=0, atol=1e-6)
    assert result.shape == expected.shape
    assert np.array_equal(mine.numpy(), before)


@pytest.mark.parametrize("shape", [(4, 5), (1, 4, 5), (3, 4, 5), (1, 3, 4, 5)])
def test_single_pictures(shape):
    mine, other = both(*shape)
    assert np.array_equal(ours.make_grid(mine).numpy(), theirs.make_grid(other).numpy())


def test_lists_and_bytes():
    mine, other = both(3, 3, 4, 5)
    assert np.array_equal(ours.make_grid(list(mine)).numpy(), theirs.make_grid(list(other)).numpy())
    array = np.random.default_rng(0).integers(0, 256, (3, 3, 4, 5), dtype=np.uint8)
    result = ours.make_grid(minitorch_cifar.from_numpy(array), pad_value=7)
    assert str(result.dtype) == "torch.uint8"
    assert np.array_equal(result.numpy(), theirs.make_grid(torch.from_numpy(array), pad_value=7).numpy())


def test_errors():
    for wrong in (3, (1, 2), [1, 2]):
        with pytest.raises(TypeError, match="tensor or list of tensors expected"):
            ours.make_grid(wrong)
    with pytest.raises(TypeError, match="value_range has to be a tuple"):
        ours.make_grid(both(2, 3, 4, 5)[0], normalize=True, value_range=[0, 1])


def test_saved_pictures_are_torchvisions(tmp_path):
    mine, other = both(5, 3, 8, 8)
    for format in ("PNG", "BMP"):
        files = io.BytesIO(), io.BytesIO()
        ours.save_image(mine, files[0], format=format, normalize=True, nrow=2)
        theirs.save_image(other, files[1], format=format, normalize=True, nrow=2)
        pictures = [np.asarray(Image.open(file)) for file in files]
        assert np.array_equal(*pictures)
    ours.save_image(mine, tmp_path / "grid.png")
    assert Image.open(tmp_path / "grid.png").size == (52, 12)
