"""The dropout layers: in training mode they zero random elements, in evaluation mode they pass everything."""

from __future__ import annotations

from minitorch_cifar.nn import functional as F
from minitorch_cifar.nn.module import Module
from minitorch_cifar.tensor import Tensor

__all__ = ["Dropout", "Dropout2d"]


class _Dropout(Module):
    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Zeroes each element with probability `p` and multiplies the others by 1/(1 − p), so that the mean
    stays.

    >>> import minitorch_cifar as torch
    >>> layer = torch.nn.Dropout(0.2).eval()
    >>> layer(torch.ones(3))
    tensor([1., 1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """Zeroes whole channels, (N, C, H, W), with probability `p`, and multiplies the others by 1/(1 − p).

    >>> from minitorch_cifar import nn
    >>> nn.Dropout2d(0.3)
    Dropout2d(p=0.3, inplace=False)
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace)
