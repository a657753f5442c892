"""Convolution as Numba loops; the formulas are explained in `numpy_kernels`.

A picture is written into a *frame*: its planes with the zeros of the padding around them, rows `pitch`
apart. Seen from there, moving from output pixel to output pixel and moving from weight to weight of a
kernel are both steps of fixed size: output pixel p = h · pitch + w meets weight k at frame[p + offsets[k]].
So the matrix of patches of the NumPy kernel is never built, and a convolution is a matrix product whose
right-hand rows are stretches of the frame. At the end of each row of pixels the loop runs over a few
columns that no output has; they are computed and dropped, which is cheaper than stopping. With a stride,
the frame keeps the rows and columns of each remainder (modulo the stride) in a plane of their own, and the
steps are of fixed size again.

All three kernels work on one picture at a time and share their pictures among threads. No sum is divided in
a way that depends on the number of threads, so neither does any result.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numba import prange

from ...dtypes import Array
from ..numpy_kernels import conv as specification
from .conv_weight import outer_grad_weight
from .flat import compiled
from .layout import behaved, deliver, target
from .runtime import in_parallel
from .tiles import DOT_COLUMNS, DOT_ROWS, ROWS, VECTOR_BYTES, VECTORS, dot_tile, multiply_tile

Pair = tuple[int, int]

# Products summed in one register before the sum is added to the result: long sums in float32 lose digits.
_TERMS = 128
# The pictures of a batch are dealt out in so many shares, each worked through by one thread, however many
# threads there are. The weight gradient is summed over each share in order, then over the shares.
_SHARES = 8
# Elements that a block of pictures may take up in the weight gradient: part of a core's second-level cache.
_BLOCK = 1 << 17

# Work that is worth the start of threads, a tenth of a millisecond: multiplications, and terms of sums.
_ENOUGH = 1 << 22
_ENOUGH_SUMS = 1 << 19


class _Geometry(NamedTuple):
    """Where things lie in a frame."""

    rows: Array  # (H,): where each row of the picture starts in its plane, -1 if it is not needed
    columns: Array  # (W,): where each element lies in its row, -1 if it is not needed
    offsets: Array  # (channels · KH · KW,): the steps from output pixel 0 to what it meets
    reach: int  # the largest of the offsets
    pitch: int  # from row to row
    plane: int  # from channel to channel


def _row_length(size: int, before: int, after: int, out_size: int) -> int:
    """From row to row when zeros surround the rows: those behind one row serve as those before the next."""
    return max(before + size + after - min(before, after), out_size)


@functools.lru_cache(maxsize=256)
def _forward_geometry(
    channels: int, size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, out: Pair
) -> _Geometry:
    """For the convolution of a picture of `size`, and for the gradient of its weights."""
    padded = [n + 2 * p for n, p in zip(size, padding, strict=True)]
    heights = -(-padded[0] // stride[0])
    pitch = max(-(-padded[1] // stride[1]), out[1])
    if stride == (1, 1):
        pitch = _row_length(size[1], padding[1], padding[1], out[1])
    plane = heights * pitch  # of one remainder

    def place(row: Array, column: Array) -> tuple[Array, Array]:
        """Row and column of the padded picture -> what each contributes to the place in the frame."""
        return (
            row % stride[0] * stride[1] * plane + row // stride[0] * pitch,
            column % stride[1] * plane + column // stride[1],
        )

    rows, columns = place(np.arange(size[0]) + padding[0], np.arange(size[1]) + padding[1])
    down, right = place(np.arange(kernel[0]) * dilation[0], np.arange(kernel[1]) * dilation[1])
    channel = np.arange(channels) * plane * stride[0] * stride[1]
    offsets = channel[:, None, None] + down[:, None] + right
    return _Geometry(rows, columns, offsets.ravel(), int(offsets.max()), pitch, plane * stride[0] * stride[1])


@functools.lru_cache(maxsize=256)
def _backward_geometry(
    channels: int, size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, x_size: Pair
) -> _Geometry:
    """For the gradient of a picture of `x_size` from a gradient of `size`.

    It is the convolution of that gradient, spread out by the stride, with the kernel turned by 180 degrees:
    grad_x[h] = Σ_i weight[i] · grad_out[(h + padding − i · dilation) / stride] where the quotient is whole.
    """
    reach = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    before = [r - p for r, p in zip(reach, padding, strict=True)]  # negative: begin inside
    height = x_size[0] + reach[0]
    pitch = x_size[1] + reach[1]
    if stride == (1, 1) and before[1] >= 0:
        pitch = _row_length(size[1], before[1], before[1], x_size[1])
    rows = np.arange(size[0]) * stride[0] + before[0]
    columns = np.arange(size[1]) * stride[1] + before[1]
    rows = np.where((rows >= 0) & (rows < height), rows * pitch, -1)
    columns = np.where((columns >= 0) & (columns < x_size[1] + reach[1]), columns, -1)
    down = np.arange(kernel[0])[::-1] * dilation[0] * pitch
    right = np.arange(kernel[1])[::-1] * dilation[1]
    offsets = np.arange(channels)[:, None, None] * height * pitch + down[:, None] + right
    return _Geometry(rows, columns, offsets.ravel(), int(offsets.max()), pitch, height * pitch)


@compiled
def _pack(weight: Array, transposed: bool, packed: Array) -> bool:
    """weight (G, O, C, T) -> packed (G, tiles, K, ROWS), the order in which `multiply_tile` reads.

    The rows are the O and K = (C, T), or the rows are the C and K = (O, T) if `transposed`. Rows beyond the
    last are zero. Returns whether all weights are finite.
    """
    groups, out_channels, in_channels, taps = weight.shape
    finite = True
    packed[:] = 0
    for g in range(groups):
        for o in range(out_channels):
            for c in range(in_channels):
                row, k = (c, o) if transposed else (o, c)
                for t in range(taps):
                    value = weight[g, o, c, t]
                    finite &= np.isfinite(value)
                    packed[g, row // ROWS, k * taps + t, row % ROWS] = value
    return finite


@compiled
def _write_frame(planes: Array, rows: Array, columns: Array, plane: int, frame: Array, start: int) -> None:
    """Copy (C, H, W) into the frame; the zeros around are there already."""
    channels, height, width = planes.shape
    in_one_piece = columns[0] >= 0
    for w in range(1, width):
        in_one_piece &= columns[w] == columns[w - 1] + 1
    for c in range(channels):
        for h in range(height):
            if rows[h] >= 0:
                row = start + c * plane + rows[h]
                if in_one_piece:
                    for w in range(width):
                        frame[row + columns[0] + w] = planes[c, h, w]
                else:
                    for w in range(width):
                        if columns[w] >= 0:
                            frame[row + columns[w]] = planes[c, h, w]


@in_parallel(enough=_ENOUGH)
def _correlate(
    x: Array,
    rows: Array,
    columns: Array,
    plane: int,
    packed: Array,
    offsets: Array,
    bias: Array,
    reach: int,
    pitch: int,
    shares: int,
    out: Array,
) -> None:
    """out[n, row, h, w] = bias[row] + Σ_k packed[row, k] · frame(x[n])[h · pitch + w + offsets[k]].

    Group g of rows sees group g of the channels.
    """
    groups, tiles, terms, _ = packed.shape
    images, all_rows, out_h, out_w = out.shape
    channels = x.shape[1] // groups
    out_rows = all_rows // groups
    width = VECTORS * VECTOR_BYTES // x.itemsize
    pixels = ((out_h - 1) * pitch + out_w + width - 1) // width * width
    frames = np.empty((shares, max(channels * plane, pixels + reach)), x.dtype)
    grids = np.empty((shares, tiles * ROWS * pixels), x.dtype)
    for share in prange(shares):
        frame = frames[share]
        grid = grids[share]
        frame[:] = 0
        for n in range(share * images // shares, (share + 1) * images // shares):
            for g in range(groups):
                _write_frame(x[n, g * channels : (g + 1) * channels], rows, columns, plane, frame, 0)
                for row in range(out_rows):
                    grid[row * pixels : (row + 1) * pixels] = bias[g * out_rows + row]
                # Few pixels at a time: their part of the frame stays in the first-level cache for all rows.
                for p in range(0, pixels, width):
                    for tile in range(tiles):
                        weights = (g * tiles + tile) * terms * ROWS
                        corner = tile * ROWS * pixels + p
                        for k in range(0, terms, _TERMS):
                            last = min(k + _TERMS, terms)
                            multiply_tile(packed, weights, frame, p, offsets, k, last, grid, corner, pixels)
                for row in range(out_rows):
                    for h in range(out_h):
                        corner = row * pixels + h * pitch
                        for w in range(out_w):
                            out[n, g * out_rows + row, h, w] = grid[corner + w]


@in_parallel(enough=_ENOUGH)
def _correlate_gradients(
    grad_out: Array,
    x: Array,
    rows: Array,
    columns: Array,
    plane: int,
    offsets: Array,
    reach: int,
    pitch: int,
    totals: Array,
) -> None:
    """totals[share, g, o, k] = Σ_n Σ_p grid(grad_out[n, g])[o, p] · frame(x[n, g])[p + offsets[k]].

    The grid holds the gradient with its rows `pitch` apart and zeros between them.
    """
    shares, groups, out_rows, terms = totals.shape
    images, all_rows, out_h, out_w = grad_out.shape
    channels = x.shape[1] // groups
    group_rows = all_rows // groups
    lanes = VECTOR_BYTES // x.itemsize
    pixels = ((out_h - 1) * pitch + out_w + lanes - 1) // lanes * lanes
    frame_size = max(channels * plane, pixels + reach)
    grid_size = out_rows * pixels
    block = max(1, min(_BLOCK // (frame_size + grid_size), (images + shares - 1) // shares))
    frames = np.empty((shares, block * frame_size), x.dtype)
    grids = np.empty((shares, block * grid_size), x.dtype)
    grid_rows = np.arange(out_h) * pitch
    grid_columns = np.arange(out_w)
    for share in prange(shares):
        frame = frames[share]
        grid = grids[share]
        frame[:] = 0
        grid[:] = 0
        totals[share] = 0
        end = (share + 1) * images // shares
        for first in range(share * images // shares, end, block):
            count = min(block, end - first)
            for g in range(groups):
                for n in range(count):
                    planes = x[first + n, g * channels : (g + 1) * channels]
                    _write_frame(planes, rows, columns, plane, frame, n * frame_size)
                    gradient = grad_out[first + n, g * group_rows : (g + 1) * group_rows]
                    _write_frame(gradient, grid_rows, grid_columns, pixels, grid, n * grid_size)
                total = totals[share, g].reshape(-1)
                # The few rows of gradients stay in the first-level cache while the whole frame passes by.
                for o in range(0, out_rows, DOT_ROWS):
                    for k in range(0, terms, DOT_COLUMNS):
                        dot_tile(
                            grid, o * pixels, pixels, grid_size, frame, 0, frame_size,
                            offsets, k, count, pixels, total, o * terms + k, terms,
                        )  # fmt: skip


def _run_correlation(
    x: Array, weight: Array, transposed: bool, geometry: _Geometry, bias: Array, groups: int, out: Array
) -> bool:
    """Pack the weights and convolve. False, and nothing done, if a gradient's weights are not all finite."""
    out_channels, in_channels, kernel_h, kernel_w = weight.shape
    taps = kernel_h * kernel_w
    group_rows, terms = out_channels // groups, in_channels * taps
    if transposed:
        group_rows, terms = in_channels, out_channels // groups * taps
    packed = np.empty((groups, -(-group_rows // ROWS), terms, ROWS), x.dtype)
    by_group = behaved(weight).reshape(groups, out_channels // groups, in_channels, taps)
    if not _pack(by_group, transposed, packed) and transposed:
        return False
    result = target(out)
    work = out.size // groups * terms
    _correlate.of(work)(
        behaved(x), geometry.rows, geometry.columns, geometry.plane, packed, geometry.offsets, bias,
        geometry.reach, geometry.pitch, min(len(x), _SHARES), result,
    )  # fmt: skip
    deliver(result, out)
    return True


def conv2d_forward(
    x: Array,
    weight: Array,
    bias: Array | None,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    out: Array,
) -> None:
    if out.dtype.kind != "f" or not out.size or not weight.size:
        specification.conv2d_forward(x, weight, bias, stride, padding, dilation, groups, out)
        return
    height, width = x.shape[2:]
    kernel = (weight.shape[2], weight.shape[3])
    out_size = (out.shape[2], out.shape[3])
    geometry = _forward_geometry(
        weight.shape[1], (height, width), kernel, stride, padding, dilation, out_size
    )
    start = np.zeros(weight.shape[0], x.dtype) if bias is None else behaved(bias)
    _run_correlation(x, weight, False, geometry, start, groups, out)


def conv2d_grad_input(
    grad_out: Array, weight: Array, stride: Pair, padding: Pair, dilation: Pair, groups: int, grad_x: Array
) -> None:
    finished = False
    if grad_out.size and weight.size and grad_x.size:
        size = (grad_out.shape[2], grad_out.shape[3])
        kernel = (weight.shape[2], weight.shape[3])
        x_size = (grad_x.shape[2], grad_x.shape[3])
        channels = weight.shape[0] // groups
        geometry = _backward_geometry(channels, size, kernel, stride, padding, dilation, x_size)
        start = np.zeros(grad_x.shape[1], grad_x.dtype)
        finished = _run_correlation(grad_out, weight, True, geometry, start, groups, grad_x)
    if not finished:  # an infinite weight would meet zeros of the frame that stand for no gradient
        specification.conv2d_grad_input(grad_out, weight, stride, padding, dilation, groups, grad_x)


def conv2d_grad_weight(
    grad_out: Array, x: Array, stride: Pair, padding: Pair, dilation: Pair, groups: int, grad_weight: Array
) -> None:
    finished = False
    if not (grad_out.size and x.size and grad_weight.size):
        pass
    elif groups == 1 and dilation == (1, 1):
        finished = outer_grad_weight(grad_out, x, stride, padding, grad_weight)
    else:
        out_channels, in_channels, *kernel = grad_weight.shape
        size = (x.shape[2], x.shape[3])
        out_size = (grad_out.shape[2], grad_out.shape[3])
        taps = (kernel[0], kernel[1])
        geometry = _forward_geometry(in_channels, size, taps, stride, padding, dilation, out_size)
        terms = len(geometry.offsets)
        group_rows = out_channels // groups
        padded_terms = -(-terms // DOT_COLUMNS) * DOT_COLUMNS
        padded_rows = -(-group_rows // DOT_ROWS) * DOT_ROWS
        offsets = np.zeros(padded_terms, np.int64)
        offsets[:terms] = geometry.offsets
        totals = np.empty((min(len(x), _SHARES), groups, padded_rows, padded_terms), x.dtype)
        _correlate_gradients.of(grad_out.size // groups * terms)(
            behaved(grad_out), behaved(x), geometry.rows, geometry.columns, geometry.plane, offsets,
            geometry.reach, geometry.pitch, totals,
        )  # fmt: skip
        with np.errstate(all="ignore"):
            total = totals.sum(axis=0)[:, :group_rows, :terms]
        grad_weight[...] = total.reshape(grad_weight.shape)
        finished = bool(np.isfinite(total).all())
    if not finished:  # an infinity or NaN of x may have met the zeros between the rows of the grid
        specification.conv2d_grad_weight(grad_out, x, stride, padding, dilation, groups, grad_weight)


@in_parallel(enough=_ENOUGH_SUMS, fastmath={"reassoc"})
def _sum_planes(grad_out: Array, grad_bias: Array) -> None:
    """Sums of planes in float32 or float64, of which the sum is taken in float64."""
    images, channels, pixels = grad_out.shape
    for o in prange(channels):
        total = 0.0
        for n in range(images):
            plane = grad_out[n, o]
            partial = plane.dtype.type(0)
            for p in range(pixels):
                partial += plane[p]
            total += partial
        grad_bias[o] = total


def conv2d_grad_bias(grad_out: Array, grad_bias: Array) -> None:
    images, channels, height, width = grad_out.shape
    result = target(grad_bias)
    _sum_planes.of(grad_out.size)(behaved(grad_out).reshape(images, channels, height * width), result)
    deliver(result, grad_bias)
