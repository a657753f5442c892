"""Ready-made layers, one file per family. They hold settings and parameters; the mathematics is in
`nn.functional`.
"""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    """A layer by its name: `compat.py` gives programs this package as `torch.nn.modules`."""
    return getattr(importlib.import_module("minitorch_cifar.nn"), name)
