"""Compiling ahead what training needs: training steps of the networks on random pictures.

A kernel is compiled when it is first called, in the versions that the call asks for, and which these are
depends on the network and on the size of the batch: loops that are worth several threads in a large batch run
alone in a small one. So nothing is listed here: the networks train for a step at each of a few batch sizes,
and whatever that needs is compiled. The random numbers of the caller are left as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from .. import nn, optim, random
from ..autograd import no_grad
from ..functions.creation import rand, randint
from ..models import NETWORKS
from ..utils.data import DataLoader
from ..vision.datasets.arrays import ArrayDataset
from .data import scaling
from .evaluation import BATCH_SIZE

__all__ = ["BATCH_SIZES", "tasks"]

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)

Task = Callable[[], None]


class RandomPictures(ArrayDataset):
    """Pictures of noise, stored as CIFAR-10's are."""

    def __init__(self, count: int, augment: bool) -> None:
        super().__init__(".", transform=scaling(NETWORKS["lenet"]().normalization, augment))
        generator = np.random.default_rng(0)
        self.data = generator.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
        self.targets = generator.integers(0, 10, count).tolist()


def tasks(models: tuple[str, ...] = tuple(NETWORKS)) -> Iterator[tuple[str, Task]]:
    """Names and functions; each function runs, and so compiles, a part of what training needs."""
    for name in models:
        yield name, lambda name=name: train(name)  # type: ignore[misc]
    yield "loader", load_pictures


def train(name: str) -> None:
    """A step at each batch size, one with each of the other optimizers, and an evaluation."""
    state = random.get_rng_state()
    try:
        network = NETWORKS[name]()
        parameters = list(network.parameters())
        sgd = optim.SGD(parameters, lr=1e-3, momentum=0.9, weight_decay=1e-4)
        others = (optim.SGD(parameters, lr=1e-3), optim.Adam(parameters, lr=1e-3))
        criterion = nn.CrossEntropyLoss()
        for size in BATCH_SIZES:
            images, labels = rand(size, 3, 32, 32), randint(0, 10, (size,))
            sgd.zero_grad()
            criterion(network(images), labels).backward()
            sgd.step()
        for optimizer in others:  # what they need does not depend on the batch
            optimizer.step()
        network.eval()
        with no_grad():
            for size in (1, BATCH_SIZE):
                images, labels = rand(size, 3, 32, 32), randint(0, 10, (size,))
                criterion(network(images), labels).item()
                network(images).argmax(1)
    finally:
        random.set_rng_state(state)


def load_pictures() -> None:
    """Batches of scaled pictures, as they are and varied at random."""
    state = random.get_rng_state()
    try:
        for augment in (False, True):
            for size in (*BATCH_SIZES, BATCH_SIZE):
                pictures = RandomPictures(size, augment)
                for _ in DataLoader(pictures, batch_size=size, shuffle=True):
                    pass
                pictures[0]
    finally:
        random.set_rng_state(state)
