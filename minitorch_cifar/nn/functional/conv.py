"""`conv2d`: checks its arguments as PyTorch does; the mathematics is in `ops.conv`."""

from __future__ import annotations

import functools
from typing import Any

from ...autograd import TensorBase
from ...dtypes import FROM_NUMPY
from ...functions.arguments import as_int, check_tensor
from ...ops.conv import Convolution
from ...ops.shape import Pad
from ...tensor import Tensor
from .sizes import Pair, Size2d, integers

__all__ = ["conv2d"]

_C_NAMES = {
    "float32": "float",
    "float64": "double",
    "int64": "long int",
    "int32": "int",
    "uint8": "unsigned char",
    "bool": "bool",
}


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size2d = 1,
    padding: str | Size2d = 0,
    dilation: Size2d = 1,
    groups: int = 1,
) -> Tensor:
    """Slide the kernels `weight` over `input`: out[o] = bias[o] + the sum of weight[o] times the pixels
    under it.

    Shapes: input (N, C, H, W) or (C, H, W), weight (O, C/groups, KH, KW), bias (O,), output (N, O, H', W')
    or (O, H', W') with H' = ⌊(H + 2·padding − dilation·(KH − 1) − 1) / stride⌋ + 1. All of one dtype; whole
    numbers are allowed, without gradients.

    `stride`, `padding`, `dilation` are numbers or pairs (height, width). `padding="valid"` is 0, `"same"`
    pads so that the output is as large as the input (with one row or column more at the end if the sum is
    odd).

    RuntimeError for shapes, dtypes or parameters that do not fit together, TypeError for what is no tensor.

    >>> import minitorch_cifar as torch
    >>> picture = torch.arange(16.0).reshape(1, 1, 4, 4)
    >>> torch.nn.functional.conv2d(picture, torch.ones(1, 1, 3, 3))
    tensor([[[[45., 54.],
              [81., 90.]]]])
    """
    check_tensor(input, "conv2d")
    check_tensor(weight, "conv2d", "weight")
    if bias is not None:
        check_tensor(bias, "conv2d", "bias")
    x_shape, weight_shape = input._array.shape, weight._array.shape
    if len(x_shape) not in (3, 4):
        raise RuntimeError(
            f"Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: {list(x_shape)}"
        )
    if len(weight_shape) != 4:
        raise RuntimeError(
            "Expected 4-dimensional weight (out_channels, in_channels / groups, kernel height, kernel width) "
            f"for conv2d, but got weight of size {list(weight_shape)}"
        )
    if len(x_shape) == 3:
        batched = conv2d(input.unsqueeze(0), weight, bias, stride, padding, dilation, groups)
        return batched.squeeze(0)
    _check_dtypes(input, weight, bias)
    steps = _pair(stride, "stride")
    spread = _pair(dilation, "dilation")
    group_count = groups if type(groups) is int else as_int(groups, "conv2d", "groups")
    _check_steps(steps, spread, group_count)
    if isinstance(padding, str):
        input, border = _named_padding(input, padding, (weight_shape[2], weight_shape[3]), steps, spread)
        x_shape = input._array.shape
    else:
        border = _pair(padding, "padding")
        if border[0] < 0 or border[1] < 0:
            raise RuntimeError("negative padding is not supported")
    bias_shape = None if bias is None else bias._array.shape
    _check_shapes(x_shape, weight_shape, bias_shape, border, spread, group_count)
    return Convolution.apply(  # type: ignore[no-any-return]
        input, weight, bias, stride=steps, padding=border, dilation=spread, groups=group_count
    )


def _pair(value: Any, argument: str) -> Pair:
    if type(value) is tuple and len(value) == 2 and type(value[0]) is int and type(value[1]) is int:
        return value  # as the layer has it
    given = integers(value, "conv2d", argument)
    if len(given) == 1:
        return given[0], given[0]
    if len(given) != 2:
        raise RuntimeError(
            f"expected {argument} to be a single integer value or a list of 2 values to match the "
            f"convolution dimensions, but got {argument}={list(given)}"
        )
    return given[0], given[1]


def _check_dtypes(input: TensorBase, weight: TensorBase, bias: TensorBase | None) -> None:
    dtype = input._array.dtype
    if dtype.kind == "f" and weight._array.dtype == dtype and (bias is None or bias._array.dtype == dtype):
        return
    kind = FROM_NUMPY[dtype]
    if bias is not None and bias._array.dtype != dtype:
        other = FROM_NUMPY[bias._array.dtype]
        raise RuntimeError(
            f"Input type ({_C_NAMES[kind.name]}) and bias type ({_C_NAMES[other.name]}) should be the same"
        )
    if weight._array.dtype != dtype:
        other = FROM_NUMPY[weight._array.dtype]
        raise RuntimeError(
            f"expected scalar type {kind.legacy_name} but found {other.legacy_name}: "
            "input and weight of conv2d must have the same dtype"
        )
    if kind.name == "bool":
        raise NotImplementedError(
            "conv2d is not implemented for 'Bool'; convert the tensors, say with .float()"
        )


@functools.lru_cache(maxsize=256)
def _check_steps(stride: Pair, dilation: Pair, groups: int) -> None:
    if max(*stride, *dilation, groups) >= 2**31:
        raise RuntimeError(
            f"stride {list(stride)}, dilation {list(dilation)} and groups {groups} have to be below 2**31"
        )
    if min(stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(dilation) <= 0:
        raise RuntimeError(f"dilation should be greater than zero, but got {list(dilation)}")
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")


def _named_padding(
    input: Tensor, padding: str, kernel: Pair, stride: Pair, dilation: Pair
) -> tuple[Tensor, Pair]:
    """The padding that "valid" and "same" stand for; what does not divide by 2 is added here."""
    if padding == "valid":
        return input, (0, 0)
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: {padding!r}")
    if stride != (1, 1):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    if total[0] % 2 or total[1] % 2:
        widths = ((0, 0), (0, 0), (0, total[0] % 2), (0, total[1] % 2))
        input = Pad.apply(input, widths=widths, mode="constant", value=0)
    return input, (total[0] // 2, total[1] // 2)


@functools.lru_cache(maxsize=256)  # a network asks the same in every step
def _check_shapes(
    x: tuple[int, ...],
    weight: tuple[int, ...],
    bias: tuple[int, ...] | None,
    padding: Pair,
    dilation: Pair,
    groups: int,
) -> None:
    if weight[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, "
            f"but got weight of size {list(weight)} instead"
        )
    if weight[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            f"but got weight of size {list(weight)} instead"
        )
    if x[1] != weight[1] * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(weight)}, expected input{list(x)} to have "
            f"{weight[1] * groups} channels, but got {x[1]} channels instead"
        )
    if bias is not None and bias != (weight[0],):
        raise RuntimeError(
            f"Given weight of size {list(weight)}, expected bias to be 1-dimensional with {weight[0]} "
            f"elements, but got bias of size {list(bias)} instead"
        )
    if not x[1]:
        raise RuntimeError(f"conv2d needs at least one input channel, but got input of size {list(x)}")
    if not weight[2] or not weight[3]:
        raise RuntimeError(
            f"kernel size should be greater than zero, but got "
            f"kernel_height: {weight[2]} kernel_width: {weight[3]}"
        )
    padded = (x[2] + 2 * padding[0], x[3] + 2 * padding[1])
    reach = (dilation[0] * (weight[2] - 1) + 1, dilation[1] * (weight[3] - 1) + 1)
    if padded[0] < reach[0] or padded[1] < reach[1]:
        raise RuntimeError(
            f"Calculated padded input size per channel: ({padded[0]} x {padded[1]}). Kernel size: "
            f"({reach[0]} x {reach[1]}). Kernel size can't be greater than actual input size"
        )
    if not x[2] or not x[3]:
        raise RuntimeError(
            f"Only zero batch or zero channel inputs are supported, but got input shape: {list(x)}"
        )
