"""The three networks of the reference, in PyTorch: `lenet`, `quick` and `bn`.

Layer names, order of construction and arithmetic are those of `minitorch_cifar/models.py`, so that weights
travel between the two and the same seed gives the same weights. Nothing of the engine is used here.
"""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["NETWORKS", "BatchNormNet", "LeNet", "QuickNet", "bn", "lenet", "quick"]


class LeNet(nn.Module):
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


class QuickNet(nn.Module):
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


class BatchNormNet(nn.Module):
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
    """The LeNet-style network of PyTorch's first tutorial."""
    return LeNet(num_classes)


def quick(num_classes: int = 10) -> QuickNet:
    """The CIFAR10-quick network."""
    return QuickNet(num_classes)


def bn(num_classes: int = 10) -> BatchNormNet:
    """The network with batch norm."""
    return BatchNormNet(num_classes)


NETWORKS: dict[str, Callable[..., nn.Module]] = {"lenet": lenet, "quick": quick, "bn": bn}
