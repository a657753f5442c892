"""MNIST's idx files, FakeData and ImageFolder, against torchvision."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torchvision
from PIL import Image

from minitorch_cifar.vision.datasets import MNIST, DatasetError, FakeData, FashionMNIST, ImageFolder, describe
from minitorch_cifar.vision.datasets.mnist import parse_idx


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_mnist(root: Path, name: str = "MNIST", compressed: bool = False, seed: int = 0) -> Path:
    """Four small files of random content under `root/name/raw`."""
    random = np.random.default_rng(seed)
    raw = root / name / "raw"
    raw.mkdir(parents=True)
    for split, count in (("train", 30), ("t10k", 20)):
        pictures = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = random.integers(0, 10, count, dtype=np.uint8)
        for file, array in ((f"{split}-images-idx3-ubyte", pictures), (f"{split}-labels-idx1-ubyte", labels)):
            if compressed:
                (raw / f"{file}.gz").write_bytes(gzip.compress(idx(array)))
            else:
                (raw / file).write_bytes(idx(array))
    return root


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("kind", ["MNIST", "FashionMNIST"])
def test_mnist_reads_as_in_torchvision(tmp_path, kind, train):
    write_mnist(tmp_path, kind)
    ours = {"MNIST": MNIST, "FashionMNIST": FashionMNIST}[kind](str(tmp_path), train)
    theirs = getattr(torchvision.datasets, kind)(str(tmp_path), train)
    assert np.array_equal(ours.data.numpy(), theirs.data.numpy())
    assert np.array_equal(ours.targets.numpy(), theirs.targets.numpy())
    assert str(ours.targets.dtype) == str(theirs.targets.dtype)
    assert (ours.classes, ours.class_to_idx) == (theirs.classes, theirs.class_to_idx)
    assert repr(ours) == repr(theirs)
    (picture, label), (expected, expected_label) = ours[7], theirs[7]
    assert (picture.mode, picture.tobytes()) == (expected.mode, expected.tobytes())
    assert (type(label), label) == (int, expected_label)


def test_mnist_reads_compressed_files(tmp_path):
    plain = MNIST(write_mnist(tmp_path / "a"))
    packed = MNIST(write_mnist(tmp_path / "b", compressed=True))
    assert np.array_equal(plain.data.numpy(), packed.data.numpy())


def test_mnist_official_sums_are_torchvisions():
    for ours in (MNIST, FashionMNIST):
        theirs = getattr(torchvision.datasets, ours.__name__)
        assert [(name, md5) for name, md5, _ in ours.resources] == theirs.resources


def test_mnist_refuses_damaged_files(tmp_path):
    with pytest.raises(DatasetError, match="Dataset not found"):
        MNIST(tmp_path)
    raw = write_mnist(tmp_path) / "MNIST" / "raw"
    pictures, labels = raw / "train-images-idx3-ubyte", raw / "train-labels-idx1-ubyte"
    whole_pictures, whole_labels = pictures.read_bytes(), labels.read_bytes()
    for content, message in (
        (whole_pictures[:-1], "23,519 bytes of data; its header says 30x28x28 = 23,520"),
        (whole_pictures[:9], "not an idx file"),
        (whole_labels, "not an idx file"),
        (b"", "not an idx file"),
        (struct.pack(">BBBB3I", 0, 0, 8, 3, 2**31, 2**31, 2**31), "its header says"),
        (struct.pack(">BBBB3I", 0, 0, 8, 3, 0, 2**32 - 1, 2**32 - 1), "0x4294967295x4294967295 numbers"),
    ):
        pictures.write_bytes(content)
        with pytest.raises(DatasetError, match=message):
            MNIST(tmp_path)
    pictures.write_bytes(whole_pictures)
    labels.write_bytes(idx(np.zeros(29, np.uint8)))
    with pytest.raises(DatasetError, match="30 pictures with 29 labels"):
        MNIST(tmp_path)
    labels.write_bytes(whole_labels[:-1] + b"\x0b")
    with pytest.raises(DatasetError, match="label 11 at picture 29"):
        MNIST(tmp_path)
    labels.unlink()
    labels.with_name(labels.name + ".gz").write_bytes(gzip.compress(whole_labels)[:-5])
    with pytest.raises(DatasetError, match="truncated"):
        MNIST(tmp_path)


def test_parse_idx_checks_the_number_of_dimensions():
    content = idx(np.zeros((2, 3), np.uint8))
    assert parse_idx(content, 2, "here").shape == (2, 3)
    with pytest.raises(DatasetError, match="here: not an idx file"):
        parse_idx(content, 1, "here")


def test_fake_data_is_torchvisions():
    ours = FakeData(5, (3, 8, 8), 7, random_offset=11)
    theirs = torchvision.datasets.FakeData(5, (3, 8, 8), 7, random_offset=11)
    assert repr(ours) == repr(theirs)
    for i in range(5):
        (picture, label), (expected, expected_label) = ours[i], theirs[i]
        difference = np.abs(np.asarray(picture).astype(int) - np.asarray(expected))
        assert np.isin(difference, [0, 1, 255]).all()  # normals agree within 2 ulp, then are cut to bytes
        assert (difference == 0).mean() > 0.99
        assert (type(label), label) == (type(expected_label), expected_label)
    with pytest.raises(IndexError):
        ours[5]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    for name in ("cat/1.png", "cat/2.PNG", "bee/deep/er/x.jpg", "bee/y.bmp"):
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (9, 7, 3), dtype=np.uint8)).save(path)
    (tmp_path / "pictures" / "cat" / "notes.txt").write_text("no picture")
    return tmp_path / "pictures"


def test_image_folder_is_torchvisions(folder):
    ours, theirs = ImageFolder(str(folder)), torchvision.datasets.ImageFolder(str(folder))
    assert (ours.classes, ours.class_to_idx) == (theirs.classes, theirs.class_to_idx)
    assert (ours.samples, ours.imgs, ours.targets) == (theirs.samples, theirs.imgs, theirs.targets)
    assert repr(ours) == repr(theirs)
    for (picture, label), (expected, expected_label) in zip(ours, theirs, strict=False):
        assert np.array_equal(np.asarray(picture), np.asarray(expected))
        assert label == expected_label


def test_image_folder_errors_are_torchvisions(folder, tmp_path):
    (folder / "empty").mkdir()
    for root in (folder, tmp_path / "nowhere", folder / "empty"):
        with pytest.raises(FileNotFoundError) as theirs:
            torchvision.datasets.ImageFolder(str(root))
        with pytest.raises(FileNotFoundError) as ours:
            ImageFolder(str(root))
        assert str(ours.value) == str(theirs.value)
    assert len(ImageFolder(folder, allow_empty=True)) == 4


@pytest.mark.parametrize("content", [b"", b"no picture at all", None])
def test_a_file_that_is_no_picture(folder, content):
    path = folder / "cat" / "1.png"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    dataset = ImageFolder(folder)
    index = [name for name, _ in dataset.samples].index(str(path))
    with pytest.raises(DatasetError, match="picture") as caught:
        dataset[index]
    assert str(path) in str(caught.value)


def test_describe_counts_a_folder_of_pictures(folder):
    (report,) = describe(folder)
    assert report.counts == {"all": {"bee": 2, "cat": 2}}
    assert "4 pictures, 2 classes (bee, cat), 2 of each" in str(report)
