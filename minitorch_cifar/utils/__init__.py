"""`torch.utils`: tools round the engine. `data` holds datasets and loaders; `tensorboard`, which has to be
imported by name because it needs a package of its own, writes what TensorBoard shows.
"""

from ..missing import explain_missing_in
from . import data

__all__ = ["data"]

explain_missing_in(__name__, __all__)
