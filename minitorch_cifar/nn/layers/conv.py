"""The convolution layer `Conv2d`: it holds weight and bias, and calls `nn.functional.conv2d`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from minitorch_cifar.functions.creation import empty
from minitorch_cifar.nn import functional as F
from minitorch_cifar.nn import init
from minitorch_cifar.nn.functional.sizes import Size2d
from minitorch_cifar.nn.module import Module
from minitorch_cifar.nn.parameter import Parameter
from minitorch_cifar.tensor import Tensor

__all__ = ["Conv2d"]


def pair(value: Size2d) -> tuple[int, ...]:
    """`3` becomes `(3, 3)`; a sequence becomes a tuple."""
    return tuple(value) if isinstance(value, Iterable) else (value, value)


_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class Conv2d(Module):
    """Slides `out_channels` learned kernels over pictures of `in_channels` channels.

    out[n, o, y, x] = bias[o] + Σ over i, u, v of weight[o, i, u, v] · input[n, i, y·stride + u·dilation −
    padding, …]

    Shapes: input (N, in_channels, H, W) or (in_channels, H, W); output (N, out_channels, H', W') with
    H' = ⌊(H + 2·padding − dilation·(kernel_size − 1) − 1) / stride⌋ + 1.

    Args:
        in_channels, out_channels: channels of input and output.
        kernel_size, stride, padding, dilation: a number, or a pair (height, width). `padding` may also be
            "valid" (none) or "same" (output as large as the input; stride 1 only).
        groups: input and output channels are split into this many groups, each output seeing its own group
            only.
        bias: whether a learned number per output channel is added.
        padding_mode: "zeros"; PyTorch's other modes raise NotImplementedError.
        device, dtype: of the parameters.

    Raises:
        ValueError: groups that do not divide the channels, or an unknown padding.

    >>> import minitorch_cifar as torch
    >>> layer = torch.nn.Conv2d(3, 6, 5)
    >>> layer
    Conv2d(3, 6, kernel_size=(5, 5), stride=(1, 1))
    >>> layer(torch.zeros(4, 3, 32, 32)).shape
    torch.Size([4, 6, 28, 28])
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size2d,
        stride: Size2d = 1,
        padding: str | Size2d = 0,
        dilation: Size2d = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups != 0:
            raise ValueError("out_channels must be divisible by groups")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = padding if isinstance(padding, str) else pair(padding)
        self.dilation = pair(dilation)
        self.groups = groups
        self.padding_mode = padding_mode
        self._check_padding()
        self.weight = Parameter(
            empty((out_channels, in_channels // groups, *self.kernel_size), device=device, dtype=dtype)
        )
        if bias:
            self.bias = Parameter(empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _check_padding(self) -> None:
        if isinstance(self.padding, str):
            if self.padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {self.padding!r}, should be one of 'same', 'valid'")
            if self.padding == "same" and any(step != 1 for step in self.stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if self.padding_mode not in _PADDING_MODES:
            raise ValueError(
                f"padding_mode must be one of {_PADDING_MODES}, but got padding_mode='{self.padding_mode}'"
            )

    def reset_parameters(self) -> None:
        """Draws weight and bias anew, both uniform within ±1/√(in_channels/groups · kernel height · kernel
        width).
        """
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in != 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._border(), self.padding_mode), 0
        return F.conv2d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _border(self) -> tuple[int, ...]:
        """The padding as `F.pad` wants it: (left, right, top, bottom)."""
        if not isinstance(self.padding, str):
            height, width = self.padding
            return width, width, height, height
        if self.padding == "valid":
            return 0, 0, 0, 0
        spare = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        top, left = spare[0] // 2, spare[1] // 2  # the odd pixel goes to the end
        return left, spare[1] - left, top, spare[0] - top

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}"]
        parts += [f"kernel_size={self.kernel_size}", f"stride={self.stride}"]
        if self.padding != (0,) * len(self.padding):
            parts.append(f"padding={self.padding}")
        if self.dilation != (1,) * len(self.dilation):
            parts.append(f"dilation={self.dilation}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)
