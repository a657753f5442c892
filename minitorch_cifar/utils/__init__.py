"""`torch.utils`: tools round the engine; `data` holds datasets and loaders."""

from . import data

__all__ = ["data"]
