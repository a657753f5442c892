"""Pooling: `max_pool2d`, `avg_pool2d` and their adaptive forms check arguments as PyTorch does.

The mathematics is in `ops.pool`. Inputs are (N, C, H, W) or (C, H, W), outputs (N, C, H', W') or (C, H', W').
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import FROM_NUMPY
from ...functions.arguments import as_int, check_tensor
from ...ops import pool as ops
from ...tensor import Tensor
from .sizes import Pair, Size2d, integers

__all__ = [
    "adaptive_avg_pool2d",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "avg_pool2d",
    "max_pool2d",
    "max_pool2d_with_indices",
]

OutputSize = int | Sequence[int | None]


def max_pool2d(
    input: Tensor,
    kernel_size: Size2d,
    stride: Size2d | None = None,
    padding: Size2d = 0,
    dilation: Size2d = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window; NaN counts as the largest of all.

    H' = ⌊(H + 2·padding − dilation·(kernel_size − 1) − 1) / stride⌋ + 1; with `ceil_mode` the quotient is
    rounded up, unless the last window would start behind the input and its left padding. `stride` is
    `kernel_size` unless given. With `return_indices` the places h · W + w of those elements in their plane
    are returned as well.

    RuntimeError for parameters that do not fit the input, TypeError for what is no tensor or no whole number.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.max_pool2d(torch.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    check_tensor(input, "max_pool2d")
    if input._array.ndim not in (3, 4):
        raise RuntimeError(
            "non-empty 3D or 4D (batch mode) tensor expected for input of max_pool2d, "
            f"but got: {list(input._array.shape)}"
        )
    window, steps, border = _window("max_pool2d", kernel_size, stride, padding)
    spread = _pair(dilation, "max_pool2d", "dilation")
    if ceil_mode is not False:
        _check_bool(ceil_mode, "max_pool2d", "ceil_mode")
    out_size = _out_size(input._array.shape, window, steps, border, spread, ceil_mode)
    if input._array.dtype != np.float32:
        _check_dtype(input, "max_pool2d", ("Float", "Double", "Long", "Int", "Byte"))
    return ops.MaxPool2d.apply(
        input,
        kernel_size=window,
        stride=steps,
        padding=border,
        dilation=spread,
        out_size=out_size,
        return_indices=bool(return_indices),
    )


def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Size2d,
    stride: Size2d | None = None,
    padding: Size2d = 0,
    dilation: Size2d = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """`max_pool2d` with `return_indices=True`, whatever `return_indices` says."""
    return max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, True)  # type: ignore[no-any-return]


def avg_pool2d(
    input: Tensor,
    kernel_size: Size2d,
    stride: Size2d | None = None,
    padding: Size2d = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window: its sum divided by the number of its elements, or by `divisor_override`.

    H' as for `max_pool2d` with dilation 1. The padding consists of zeros, which count as elements if
    `count_include_pad`. Errors as there.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.avg_pool2d(torch.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """
    check_tensor(input, "avg_pool2d")
    if input._array.ndim not in (3, 4):
        raise (IndexError if input._array.ndim < 3 else RuntimeError)(
            f"avg_pool2d: Expected 3D or 4D (batch mode) tensor, but got: {list(input._array.shape)}"
        )
    window, steps, border = _window("avg_pool2d", kernel_size, stride, padding)
    divisor = None if divisor_override is None else as_int(divisor_override, "avg_pool2d", "divisor_override")
    if divisor == 0:
        raise RuntimeError("divisor must be not zero")
    _check_bool(ceil_mode, "avg_pool2d", "ceil_mode")
    _check_bool(count_include_pad, "avg_pool2d", "count_include_pad")
    out_size = _out_size(input._array.shape, window, steps, border, (1, 1), ceil_mode)
    _check_dtype(input, "avg_pool2d", ("Float", "Double", "Long"))
    return ops.AvgPool2d.apply(  # type: ignore[no-any-return]
        input,
        kernel_size=window,
        stride=steps,
        padding=border,
        count_include_pad=count_include_pad,
        divisor_override=divisor,
        out_size=out_size,
    )


def adaptive_avg_pool2d(input: Tensor, output_size: OutputSize) -> Tensor:
    """Means over windows of such sizes that the output is (N, C, *output_size).

    `output_size`: a number, or (H', W'), in which None stands for the input's own size. Window k of n
    covers the rows from ⌊k·H/n⌋ up to, not including, ⌈(k + 1)·H/n⌉.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.adaptive_avg_pool2d(torch.arange(16.0).reshape(1, 4, 4), 1)
    tensor([[[7.5000]]])
    """
    check_tensor(input, "adaptive_avg_pool2d")
    size = _adaptive_size(input, output_size, "adaptive_avg_pool2d")
    if size == (1, 1):
        return input.mean((-1, -2), keepdim=True)
    _check_adaptive(input, "adaptive_avg_pool2d")
    return ops.AdaptiveAvgPool2d.apply(input, out_size=size)  # type: ignore[no-any-return]


def adaptive_max_pool2d(input: Tensor, output_size: OutputSize, return_indices: bool = False) -> Any:
    """Maxima over the windows of `adaptive_avg_pool2d`; with `return_indices` also their places h · W + w.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.adaptive_max_pool2d(torch.arange(16.0).reshape(1, 4, 4), (2, 1))
    tensor([[[ 7.],
             [15.]]])
    """
    check_tensor(input, "adaptive_max_pool2d")
    size = _adaptive_size(input, output_size, "adaptive_max_pool2d")
    _check_adaptive(input, "adaptive_max_pool2d")
    return ops.AdaptiveMaxPool2d.apply(input, out_size=size, return_indices=bool(return_indices))


def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: OutputSize, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """`adaptive_max_pool2d` with `return_indices=True`, whatever `return_indices` says."""
    return adaptive_max_pool2d(input, output_size, True)  # type: ignore[no-any-return]


def _pair(value: Any, function: str, argument: str, rule: str = "either be a single int") -> Pair:
    if type(value) is int:
        return value, value
    given = integers(value, function, argument)
    if len(given) == 1:
        return given[0], given[0]
    if len(given) != 2:
        raise RuntimeError(f"{function}: {argument} must {rule}, or a tuple of two ints")
    return given[0], given[1]


def _window(function: str, kernel_size: Any, stride: Any, padding: Any) -> tuple[Pair, Pair, Pair]:
    kernel = _pair(kernel_size, function, "kernel_size")
    if stride is None or (isinstance(stride, Sequence) and not len(stride)):
        steps = kernel
    else:
        steps = _pair(stride, function, "stride", "either be omitted, a single int")
    return kernel, steps, _pair(padding, function, "padding")


def _check_bool(value: Any, function: str, argument: str) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"{function}(): argument '{argument}' must be bool, not {type(value).__name__}")


def _check_dtype(input: Tensor, function: str, allowed: tuple[str, ...]) -> None:
    name = FROM_NUMPY[input._array.dtype].legacy_name
    if name not in allowed:
        raise NotImplementedError(f"\"{function}\" not implemented for '{name}'")


@functools.lru_cache(maxsize=256)  # a network asks the same in every step
def _out_size(
    x: tuple[int, ...], kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool
) -> Pair:
    """How many windows there are in each direction; RuntimeError where none fit or make no sense."""
    if 0 in stride:
        raise RuntimeError("stride should not be zero")
    for k, p, d in zip(kernel, padding, dilation, strict=True):
        if p < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
        if p > max((k - 1) * d + 1, 0) // 2:
            raise RuntimeError(
                "pad should be at most half of effective kernel size, "
                f"but got pad={p}, kernel_size={k} and dilation={d}"
            )
    if min(kernel) <= 0:
        raise RuntimeError(
            f"kernel size should be greater than zero, but got kH: {kernel[0]} kW: {kernel[1]}"
        )
    if min(stride) <= 0:
        raise RuntimeError(f"stride should be greater than zero, but got dH: {stride[0]} dW: {stride[1]}")
    if min(dilation) <= 0:
        raise RuntimeError(
            f"dilation should be greater than zero, but got dilationH: {dilation[0]} dilationW: {dilation[1]}"
        )
    if 0 in x[1:] or (len(x) == 3 and not x[0]):
        raise RuntimeError(
            f"Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, "
            f"but got:{list(x)}"
        )
    if padding[0] > kernel[0] // 2 or padding[1] > kernel[1] // 2:
        raise RuntimeError(
            "pad should be smaller than or equal to half of kernel size, but got "
            f"padW = {padding[1]}, padH = {padding[0]}, kW = {kernel[1]}, kH = {kernel[0]}"
        )
    counts = []
    for size, k, s, p, d in zip(x[-2:], kernel, stride, padding, dilation, strict=True):
        room = size + 2 * p - d * (k - 1) - 1
        count = (room + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (count - 1) * s >= size + p:
            count -= 1  # the last window would see only padding
        counts.append(count)
    if min(counts) < 1:
        channels = x[-3]
        raise RuntimeError(
            f"Given input size: ({channels}x{x[-2]}x{x[-1]}). Calculated output size: "
            f"({channels}x{max(counts[0], 0)}x{max(counts[1], 0)}). Output size is too small"
        )
    return counts[0], counts[1]


def _adaptive_size(input: Tensor, output_size: Any, function: str) -> Pair:
    sizes = output_size if isinstance(output_size, Sequence) else (output_size, output_size)
    if output_size is None or isinstance(output_size, str):
        raise TypeError(
            f"{function}(): argument 'output_size' must be an int or two of them, "
            f"not {type(output_size).__name__}"
        )
    if len(sizes) != 2:
        raise RuntimeError(f"{function}: output_size must be 2, but got {len(sizes)} numbers")
    if None in sizes and input._array.ndim < 3:
        raise ValueError("Input dimension should be at least 3")
    own = input._array.shape[-2:]
    given = [n if size is None else size for n, size in zip(own, sizes, strict=False)]
    height, width = integers(given, function, "output_size")
    if height < 0 or width < 0:
        raise RuntimeError(
            f"{function}: elements of output_size must be greater than or equal to 0 "
            f"but received {{{height}, {width}}}"
        )
    return height, width


def _check_adaptive(input: Tensor, function: str) -> None:
    shape = input._array.shape
    if len(shape) not in (3, 4):
        raise RuntimeError(f"{function}(): Expected 3D or 4D tensor, but got {list(shape)}")
    for dimension in (-2, -1):
        if not shape[dimension]:
            raise RuntimeError(
                f"{function}(): Expected input to have non-zero size for non-batch dimensions, but input has "
                f"sizes {list(shape)} with dimension {len(shape) + dimension} being empty"
            )
    _check_dtype(input, function, ("Float", "Double"))
