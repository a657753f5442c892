"""The three networks for 32x32 colour pictures that the project trains: `lenet`, `quick` and `bn`.

Each is written as a learner would write it. A network also carries how its pictures were scaled
(`normalization`), so that whoever uses it later scales theirs alike; checkpoints store it too.
`reference/networks.py` holds the same three in PyTorch, with the same names of layers, so that weights
travel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import nn
from .nn import functional as F
from .tensor import Tensor

__all__ = ["NETWORKS", "BatchNormNet", "LeNet", "Normalization", "QuickNet", "bn", "lenet", "quick"]


@dataclass(frozen=True)
class Normalization:
    """How pictures were scaled for a network: (pixel / 255 - mean) / std, per channel."""

    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.5, 0.5, 0.5)


class Classifier(nn.Module):
    """A network that gives one score per class for pictures (N, 3, 32, 32)."""

    def __init__(self) -> None:
        super().__init__()
        self.normalization = Normalization()


class LeNet(Classifier):
    """Two 5x5 convolutions, 3-6-16 channels, each with ReLU and pooling, then three linear layers
    400-120-84-10.
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv1(x)))  # (N, 3, 32, 32) -> (N, 6, 14, 14)
        x = self.pool(F.relu(self.conv2(x)))  # -> (N, 16, 5, 5)
        x = x.view(-1, 16 * 5 * 5)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        scores: Tensor = self.fc3(x)
        return scores


class QuickNet(Classifier):
    """The CIFAR10-quick network: three 5x5 convolutions, 3-32-32-64, each with pooling, then 1024-64-10.

    As in the notes it has no activation functions: max pooling is all that is not linear in it.
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(3, 32, 5, padding=2),
            nn.MaxPool2d(2),  # (N, 32, 16, 16)
            nn.Conv2d(32, 32, 5, padding=2),
            nn.MaxPool2d(2),  # (N, 32, 8, 8)
            nn.Conv2d(32, 64, 5, padding=2),
            nn.MaxPool2d(2),  # (N, 64, 4, 4)
            nn.Flatten(),
            nn.Linear(64 * 4 * 4, 64),
            nn.Linear(64, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.model(x)
        return scores


class BatchNormNet(Classifier):
    """Three 3x3 convolutions, 3-32-64-128, each with batch norm, ReLU and pooling, then 2048-120-84-10."""

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(64)
        self.conv3 = nn.Conv2d(64, 128, 3, padding=1)
        self.bn3 = nn.BatchNorm2d(128)
        self.pool = nn.MaxPool2d(2, 2)
        self.fc1 = nn.Linear(128 * 4 * 4, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.bn1(self.conv1(x))))  # (N, 3, 32, 32) -> (N, 32, 16, 16)
        x = self.pool(F.relu(self.bn2(self.conv2(x))))  # -> (N, 64, 8, 8)
        x = self.pool(F.relu(self.bn3(self.conv3(x))))  # -> (N, 128, 4, 4)
        x = x.view(-1, 128 * 4 * 4)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        scores: Tensor = self.fc3(x)
        return scores


def lenet(num_classes: int = 10) -> LeNet:
    """The LeNet-style network of PyTorch's first tutorial.

    >>> import minitorch_cifar as torch
    >>> from minitorch_cifar import models
    >>> models.lenet()(torch.zeros(4, 3, 32, 32)).shape
    torch.Size([4, 10])
    """
    return LeNet(num_classes)


def quick(num_classes: int = 10) -> QuickNet:
    """The CIFAR10-quick network."""
    return QuickNet(num_classes)


def bn(num_classes: int = 10) -> BatchNormNet:
    """The network with batch norm."""
    return BatchNormNet(num_classes)


NETWORKS: dict[str, Callable[..., Classifier]] = {"lenet": lenet, "quick": quick, "bn": bn}
