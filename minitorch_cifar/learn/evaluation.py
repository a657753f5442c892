"""Tests a network on labelled pictures: the loss, and how many pictures of each class it gets right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..autograd import no_grad
from ..nn import CrossEntropyLoss, Module
from ..utils.data import DataLoader
from .data import Pictures

__all__ = ["BATCH_SIZE", "Evaluation", "evaluate"]

BATCH_SIZE = 250  # large enough for the kernels, small enough to stay in the cache


@dataclass(frozen=True)
class Evaluation:
    """The mean loss, and for each class how many pictures there were and how many were recognised."""

    loss: float
    counts: tuple[int, ...]
    correct: tuple[int, ...]

    @property
    def total(self) -> int:
        """How many pictures were tested."""
        return sum(self.counts)

    @property
    def accuracy(self) -> float:
        """The share of pictures that were recognised, 0 ... 1."""
        return sum(self.correct) / self.total


def evaluate(
    network: Module, pictures: Pictures, on_batch: Callable[[int], None] = lambda count: None
) -> Evaluation:
    """Runs `network` in evaluation mode over all pictures; `on_batch` is told how many each batch held.

    The mode the network was in is restored.
    """
    criterion = CrossEntropyLoss(reduction="sum")
    classes = len(pictures.classes)
    counts = np.zeros(classes, np.int64)
    correct = np.zeros(classes, np.int64)
    loss = 0.0
    was_training = network.training
    network.eval()
    try:
        with no_grad():
            for images, labels in DataLoader(pictures.dataset, batch_size=BATCH_SIZE):
                scores = network(images)
                loss += criterion(scores, labels).item()
                truth = labels.numpy()
                hits = scores.argmax(1).numpy() == truth
                counts += np.bincount(truth, minlength=classes)
                correct += np.bincount(truth[hits], minlength=classes)
                on_batch(len(truth))
    finally:
        network.train(was_training)
    return Evaluation(loss / int(counts.sum()), tuple(counts.tolist()), tuple(correct.tolist()))
