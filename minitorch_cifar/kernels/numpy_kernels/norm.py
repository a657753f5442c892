"""Batch normalisation on NumPy arrays: the readable specification.

The input comes as x[n, c, l]: sample, channel, and all positions of a picture in one axis. Training
normalises each channel by the mean and variance of this batch and hands both back; evaluation uses stored
ones. Sums run in float64, also for float32 data. The running averages are moved by `move_average`.
"""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from . import silently


def _per_channel(values: Array, dtype: np.dtype[np.generic]) -> Array:
    """(C,) -> (C, 1), which broadcasts against (N, C, L)."""
    return values.astype(dtype, copy=False)[:, None]


def _scale_and_shift(
    x: Array, weight: Array | None, bias: Array | None, mean: Array, invstd: Array, out: Array
) -> None:
    """out = (x - mean) · invstd · weight + bias."""
    scale = invstd if weight is None else invstd * weight
    np.subtract(x, _per_channel(mean, x.dtype), out=out)
    np.multiply(out, _per_channel(scale, x.dtype), out=out)
    if bias is not None:
        np.add(out, _per_channel(bias, x.dtype), out=out)


@silently
def batch_norm_train_forward(
    x: Array,
    weight: Array | None,
    bias: Array | None,
    eps: float,
    out: Array,
    mean: Array,
    var: Array,
    invstd: Array,
) -> None:
    """y = weight · (x - mean) · invstd + bias, invstd = 1 / sqrt(var + eps), for each channel.

    `mean`, `var` (biased: the sum is divided by the count m = N · L) and `invstd` are float64 outputs of
    shape (C,). The variance is the mean of (x - mean)², which loses no digits when the mean is large.
    """
    count = x.shape[0] * x.shape[2]
    np.divide(x.sum(axis=(0, 2), dtype=np.float64), count, out=mean)
    deviation = x - mean[:, None]
    np.divide(np.square(deviation).sum(axis=(0, 2)), count, out=var)
    np.divide(1, np.sqrt(var + eps), out=invstd)
    _scale_and_shift(x, weight, bias, mean, invstd, out)


@silently
def move_average(average: Array, value: Array, factor: float, momentum: float) -> None:
    """average ← (1 - momentum) · average + momentum · factor · value, computed in float64."""
    np.copyto(average, (1 - momentum) * average.astype(np.float64) + momentum * (value * factor))


@silently
def batch_norm_eval_forward(
    x: Array,
    weight: Array | None,
    bias: Array | None,
    running_mean: Array,
    running_var: Array,
    eps: float,
    out: Array,
) -> None:
    """y = weight · (x - running_mean) / sqrt(running_var + eps) + bias, for each channel."""
    invstd = 1 / np.sqrt(running_var.astype(np.float64) + eps)
    _scale_and_shift(x, weight, bias, running_mean, invstd, out)


def _sums(grad_out: Array, x: Array, mean: Array, invstd: Array) -> tuple[Array, Array]:
    """Per channel, the sums of g and of g · (x - mean) · invstd: dL/dbias and dL/dweight."""
    wide = grad_out.astype(np.float64)
    return wide.sum(axis=(0, 2)), (wide * (x - mean[:, None])).sum(axis=(0, 2)) * invstd


@silently
def batch_norm_train_backward(
    grad_out: Array,
    x: Array,
    weight: Array | None,
    mean: Array,
    invstd: Array,
    grad_x: Array,
    grad_weight: Array,
    grad_bias: Array,
) -> None:
    """Gradients of training mode, where mean and variance depend on x too.

    With g = dL/dy, the normalised h = (x - mean) · invstd and m elements per channel:

        dL/dbias = sum g,  dL/dweight = sum g · h,
        dL/dx = weight · invstd · (g - sum(g) / m - h · sum(g · h) / m).

    The two subtracted terms are the part of g that shifting or scaling the whole channel would undo.
    """
    count = x.shape[0] * x.shape[2]
    sum_g, sum_gh = _sums(grad_out, x, mean, invstd)
    scale = invstd if weight is None else invstd * weight
    dtype = x.dtype
    centred = x - _per_channel(mean, dtype)
    np.subtract(grad_out, _per_channel(sum_g / count, dtype), out=grad_x)
    np.subtract(grad_x, centred * _per_channel(invstd * sum_gh / count, dtype), out=grad_x)
    np.multiply(grad_x, _per_channel(scale, dtype), out=grad_x)
    np.copyto(grad_weight, sum_gh)
    np.copyto(grad_bias, sum_g)


@silently
def batch_norm_eval_backward(
    grad_out: Array,
    x: Array,
    weight: Array | None,
    running_mean: Array,
    running_var: Array,
    eps: float,
    grad_x: Array,
    grad_weight: Array,
    grad_bias: Array,
) -> None:
    """Gradients of evaluation mode, an affine map: dL/dx = g · weight / sqrt(running_var + eps)."""
    mean = running_mean.astype(np.float64)
    invstd = 1 / np.sqrt(running_var.astype(np.float64) + eps)
    sum_g, sum_gh = _sums(grad_out, x, mean, invstd)
    scale = invstd if weight is None else invstd * weight
    np.multiply(grad_out, _per_channel(scale, x.dtype), out=grad_x)
    np.copyto(grad_weight, sum_gh)
    np.copyto(grad_bias, sum_g)


def pooled_batch_norm_train_backward(
    grad: Array,
    indices: Array,
    x: Array,
    weight: Array | None,
    mean: Array,
    invstd: Array,
    grad_x: Array,
    grad_weight: Array,
    grad_bias: Array,
) -> None:
    """`batch_norm_train_backward` for a gradient behind a max pool: `grad` (N, C, cells) at the places
    `indices` of the positions, zero elsewhere.
    """
    dense = np.zeros(x.shape, x.dtype)
    n, c = np.ogrid[: x.shape[0], : x.shape[1]]
    np.add.at(dense, (n[..., None], c[..., None], indices), grad)
    batch_norm_train_backward(dense, x, weight, mean, invstd, grad_x, grad_weight, grad_bias)
