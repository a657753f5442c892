"""`torch.utils.tensorboard`: writing what TensorBoard shows. Needs the `tensorboard` package.

`writer.py` holds `SummaryWriter`, `messages.py` turns values into TensorBoard's messages, `graph.py` turns a
model into a drawing. Files are written by TensorBoard's own writer.
"""

from __future__ import annotations

try:
    import tensorboard as _tensorboard  # noqa: F401
except ImportError as error:
    raise ImportError(
        "minitorch_cifar.utils.tensorboard needs the package tensorboard: "
        "pip install 'minitorch-cifar[tensorboard]', or pip install tensorboard"
    ) from error

from .writer import SummaryWriter

__all__ = ["SummaryWriter"]
