"""Predictions: the picture goes through the same steps as the training pictures, whatever its file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

from minitorch_cifar.learn.checkpoint import load_checkpoint
from minitorch_cifar.learn.data import open_pictures
from minitorch_cifar.learn.errors import UserError
from minitorch_cifar.learn.prediction import open_picture, predict
from minitorch_cifar.learn.run_folder import RunFolder
from minitorch_cifar.models import Normalization
from reference import networks


def noise(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("size", [(32, 32), (101, 57), (1, 1)])
def test_probabilities_are_those_of_pytorch_and_torchvision(
    finished: RunFolder, size: tuple[int, int]
) -> None:
    picture = noise(*size)
    ours = predict(load_checkpoint(finished.path).network(), picture)
    content = torch.load(finished.checkpoint, weights_only=True)
    network = networks.bn()
    network.load_state_dict(content["model"])
    prepare = torchvision.transforms.Compose(
        [
            torchvision.transforms.Resize((32, 32)),
            torchvision.transforms.ToTensor(),
            torchvision.transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        ]
    )
    with torch.no_grad():
        theirs = network.eval()(prepare(picture).unsqueeze(0)).softmax(1)[0].tolist()
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert sum(ours) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("mode", "name"), [("RGB", "a.png"), ("RGBA", "a.png"), ("L", "a.jpg"), ("P", "a.gif"), ("1", "a.bmp")]
)
def test_every_kind_of_picture_becomes_rgb(tmp_path: Path, mode: str, name: str) -> None:
    noise(9, 5).convert(mode).save(tmp_path / name)
    picture = open_picture(tmp_path / name)
    assert (picture.mode, picture.size) == ("RGB", (9, 5))


def test_photographs_are_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera on its side
    noise(9, 5).save(tmp_path / "a.jpg", exif=exif)
    assert open_picture(tmp_path / "a.jpg").size == (5, 9)


def test_files_that_are_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not a picture")
    noise(64, 64).save(tmp_path / "whole.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:2000])
    for name, said in (
        ("text.png", "not a picture"),
        ("half.png", "not a picture"),
        ("gone.png", "no picture"),
        (".", "folder"),
    ):
        with pytest.raises(UserError, match=said):
            open_picture(tmp_path / name)


def test_a_picture_that_claims_to_be_huge_is_refused_unopened(tmp_path: Path) -> None:
    header = b"P6 60000 60000 255\n"
    (tmp_path / "bomb.ppm").write_bytes(header + b"\0" * 100)
    with pytest.raises(UserError, match=r"too large|not a picture"):
        open_picture(tmp_path / "bomb.ppm")


@pytest.mark.parametrize("data", ["nowhere", "file.txt", "folder"])
def test_data_that_is_not_there_is_refused_by_name(away: Any, data: str) -> None:
    Path("file.txt").write_text("hello")
    Path("folder").mkdir()
    with pytest.raises(UserError, match=data):
        open_pictures(data, True, Normalization())


def test_limits_take_the_first_pictures() -> None:
    few = open_pictures("shapes10", True, Normalization(), 5)
    many = open_pictures("shapes10", True, Normalization(), 10**9)
    assert (len(few), len(many)) == (5, 10_000)
    for i in range(5):
        np.testing.assert_array_equal(few.dataset[i][0].numpy(), many.dataset[i][0].numpy())
