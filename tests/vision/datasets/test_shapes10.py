"""Shapes10: the same everywhere, balanced, and neither too hard nor too easy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from PIL import Image

from minitorch_cifar.vision.datasets import Shapes10, shapes10
from minitorch_cifar.vision.datasets.shapes10 import RandomIntegers


@pytest.fixture(scope="module")
def train() -> Shapes10:
    return Shapes10()


@pytest.fixture(scope="module")
def test() -> Shapes10:
    return Shapes10(train=False)


def test_sizes_and_interface(train, test):
    assert train.data.shape == (10_000, 32, 32, 3)
    assert test.data.shape == (2_000, 32, 32, 3)
    assert train.data.dtype == np.uint8
    assert (len(train), len(train.targets)) == (10_000, 10_000)
    assert [train.targets.count(label) for label in range(10)] == [1000] * 10
    assert [test.targets.count(label) for label in range(10)] == [200] * 10
    assert len(set(train.classes)) == 10
    assert train.class_to_idx == {name: i for i, name in enumerate(train.classes)}
    picture, label = train[5]
    assert isinstance(picture, Image.Image)
    assert (picture.size, picture.mode) == ((32, 32), "RGB")
    assert np.array_equal(np.asarray(picture), train.data[5])
    assert (type(label), label) == (int, train.targets[5])
    assert repr(test) == "Dataset Shapes10\n    Number of datapoints: 2000\n    Split: Test"


def test_same_seed_same_pictures_other_seed_others(test):
    again, other = Shapes10(train=False), Shapes10(train=False, seed=1)
    assert np.array_equal(test.data, again.data)
    assert test.targets == again.targets
    assert not np.array_equal(test.data, other.data)
    assert test.targets != other.targets


def test_splits_and_pictures_differ(train, test):
    everything = np.concatenate([train.data, test.data]).reshape(12_000, -1)
    assert len(np.unique(everything, axis=0)) == 12_000


def test_labels_are_mixed(train):
    assert all(len(set(train.targets[start : start + 100])) == 10 for start in range(0, 10_000, 100))


def test_drawing_uses_integers_only(monkeypatch):
    """Guards against a platform's rounding: no array of floats is ever made."""
    kinds = set()

    def seen(array):
        kinds.add(np.asarray(array).dtype.kind)
        return array

    for name, shape in shapes10.SHAPES.items():
        monkeypatch.setitem(shapes10.SHAPES, name, lambda u, v, shape=shape: seen(shape(seen(u), seen(v))))
    blend = shapes10.blend
    monkeypatch.setattr(shapes10, "blend", lambda *arrays: blend(*map(seen, arrays)))
    shapes10.draw(train=False)
    assert kinds == {"i"}


def test_table_of_cosines_is_far_from_ties():
    exact = 1024 * np.cos(2 * np.pi * np.arange(256, dtype=np.longdouble) / 256)
    assert np.abs(np.abs(exact - np.trunc(exact)) - 0.5).min() > 1e-4
    assert np.array_equal(shapes10.COSINE, np.rint(exact).astype(np.int32))


def test_random_integers_follow_the_raw_stream():
    drawn = RandomIntegers(3, 1).between(-5, 12, 1000)
    words = np.random.PCG64(np.random.SeedSequence((3, 1))).random_raw(1000)
    assert drawn.tolist() == [int(word >> 32) * 17 // 2**32 - 5 for word in words.tolist()]
    assert set(drawn.tolist()) == set(range(-5, 12))


def floats(dataset: Shapes10) -> tuple[torch.Tensor, torch.Tensor]:
    pictures = torch.from_numpy(dataset.data).permute(0, 3, 1, 2).float().div(127.5).sub(1)
    return pictures.contiguous(), torch.tensor(dataset.targets)


def accuracy(network: torch.nn.Module, pictures: torch.Tensor, labels: torch.Tensor) -> float:
    with torch.no_grad():
        return float((network(pictures).argmax(1) == labels).float().mean())


def trained(network: torch.nn.Module, data, epochs: int, batch: int, optimizer) -> Iterator[torch.nn.Module]:
    pictures, labels = data
    for _ in range(epochs):
        order = torch.randperm(len(labels))
        for start in range(0, len(labels), batch):
            part = order[start : start + batch]
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(pictures[part]), labels[part]).backward()
            optimizer.step()
        yield network


def test_a_linear_classifier_stays_under_70_percent(train, test):
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3072, 10))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    reached = [accuracy(n, *floats(test)) for n in trained(network, floats(train), 3, 100, optimizer)]
    assert 0.3 < max(reached) < 0.7


def test_a_convolutional_network_passes_90_percent(train, test):
    torch.manual_seed(0)
    nn = torch.nn
    network = nn.Sequential(
        *(nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    for n in trained(network, floats(train), 5, 25, optimizer):
        if accuracy(n, *floats(test)) > 0.9:
            return
    pytest.fail(f"LeNet reached {accuracy(network, *floats(test)):.1%} only")


@pytest.mark.parametrize("seed", [-1, 1.5, "x"])
def test_impossible_seeds(seed):
    with pytest.raises(ValueError, match="seed should be a non-negative integer"):
        Shapes10(seed=seed)
