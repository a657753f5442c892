"""What torchvision is to PyTorch: data sets, transforms and small helpers for pictures."""

from . import datasets, transforms, utils

__all__ = ["datasets", "transforms", "utils"]
