"""What torchvision is to PyTorch: data sets, transforms, known networks and small helpers for pictures."""

from . import datasets, models, transforms, utils

__all__ = ["datasets", "models", "transforms", "utils"]
