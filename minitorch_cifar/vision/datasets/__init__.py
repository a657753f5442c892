"""Picture data sets: `torchvision.datasets` under its own names, and `Shapes10`, which needs no file."""

from ...missing import explain_missing_in
from .cifar import CIFAR10, CIFAR100
from .data_report import DataReport, describe
from .fake import FakeData
from .folder import DatasetFolder, ImageFolder
from .mnist import MNIST, FashionMNIST
from .shapes10 import Shapes10
from .vision import DatasetError, VisionDataset

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "MNIST",
    "DataReport",
    "DatasetError",
    "DatasetFolder",
    "FakeData",
    "FashionMNIST",
    "ImageFolder",
    "Shapes10",
    "VisionDataset",
    "describe",
]

explain_missing_in(__name__, __all__)
