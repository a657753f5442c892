"""What torchvision is to PyTorch: data sets, transforms, known networks and small helpers for pictures."""

from ..missing import explain_missing_in
from ..version import __version__ as __version__
from . import datasets, models, transforms, utils

__all__ = ["datasets", "models", "transforms", "utils"]

explain_missing_in(__name__, __all__)
