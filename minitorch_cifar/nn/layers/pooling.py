"""The pooling layers: they hold the settings and call `nn.functional`; nothing in them is learned."""

from __future__ import annotations

from typing import Any

from minitorch_cifar.nn import functional as F
from minitorch_cifar.nn.functional.sizes import Size2d
from minitorch_cifar.nn.module import Module
from minitorch_cifar.tensor import Tensor

__all__ = ["AdaptiveAvgPool2d", "AvgPool2d", "MaxPool2d"]


class MaxPool2d(Module):
    """The largest value of each window.

    Shapes: input (N, C, H, W) or (C, H, W); output (N, C, H', W') with
    H' = ⌊(H + 2·padding − dilation·(kernel_size − 1) − 1) / stride⌋ + 1, rounded up instead when `ceil_mode`.
    The gradient goes to the first largest value of a window.

    Args:
        kernel_size: size of the window, a number or a pair (height, width).
        stride: steps between windows; default: `kernel_size`.
        padding: rows and columns of minus infinity put around the input, at most half the window.
        dilation: distance between the elements of a window.
        return_indices: return the positions of the largest values as well.
        ceil_mode: let windows stick out at the right and bottom edge.

    >>> import minitorch_cifar as torch
    >>> torch.nn.MaxPool2d(2)(torch.zeros(4, 6, 28, 28)).shape
    torch.Size([4, 6, 14, 14])
    """

    def __init__(
        self,
        kernel_size: Size2d,
        stride: Size2d | None = None,
        padding: Size2d = 0,
        dilation: Size2d = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        return F.max_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class AvgPool2d(Module):
    """The mean of each window.

    Shapes: as `MaxPool2d` with dilation 1.

    Args:
        kernel_size, stride, padding, ceil_mode: as for `MaxPool2d`, except that the padding is zeros.
        count_include_pad: whether padded zeros count in the mean.
        divisor_override: divide the window's sum by this instead of by the number of its elements.

    >>> import minitorch_cifar as torch
    >>> torch.nn.AvgPool2d(2)(torch.ones(1, 1, 4, 4))
    tensor([[[[1., 1.],
              [1., 1.]]]])
    """

    def __init__(
        self,
        kernel_size: Size2d,
        stride: Size2d | None = None,
        padding: Size2d = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AdaptiveAvgPool2d(Module):
    """Means over windows chosen so that the output has the size asked for.

    Shapes: input (N, C, H, W) or (C, H, W); output (N, C, *output_size).

    Args:
        output_size: (height, width), or one number for both; None keeps the input's size in that direction.

    >>> import minitorch_cifar as torch
    >>> torch.nn.AdaptiveAvgPool2d((5, 1))(torch.zeros(2, 8, 10, 7)).shape
    torch.Size([2, 8, 5, 1])
    """

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"
