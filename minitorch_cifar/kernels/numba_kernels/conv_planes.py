"""Convolution with one channel after the other: forward, and the gradient by the input.

A picture is written into a *frame*: its planes with the zeros of the padding around them, rows `pitch`
apart. Seen from there, moving from output pixel to output pixel and moving from weight to weight of a
kernel are both steps of fixed size: output pixel p = h · pitch + w meets weight k at frame[p + offsets[k]].
So the matrix of patches of the NumPy kernel is never built, and a convolution is a matrix product whose
right-hand rows are stretches of the frame. With a stride, the frame keeps the rows and columns of each
remainder (modulo the stride) in a plane of their own, and the steps are of fixed size again.

The product is computed in tiles of some output channels by a few vectors of pixels, whose sums stay in
registers (`tiles.py`). A tile is either a block of pixels, its vectors below each other; or it is a stretch
of the frame from row to row, where the pixels that no output has, at the ends of rows, are computed and
dropped. What wastes least is taken (`_tiling`): blocks where 16 pixels make up a row, stretches for the 10
pixels of LeNet's second convolution.

Pictures, and of a batch with fewer of them than threads also the output channels, are shared among
threads. No sum is divided, so no result depends on the number of threads.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numba import prange

from ...dtypes import Array
from .elements import fill
from .flat import part
from .layout import behaved, deliver, target
from .runtime import Shared, in_parallel
from .tiles import multiply_tile
from .vectors import REGISTERS, VECTOR_BYTES

Pair = tuple[int, int]
Shape = tuple[int, ...]

# Products summed in one register before the sum is added to the result: long sums in float32 lose digits.
_TERMS = 128
# Rows and vectors of a tile: their sums fit into the registers. Few, as each takes seconds to compile.
_TILES = ((4, 3), (6, 3), (8, 3), (8, 2)) if REGISTERS == 32 else ((4, 3), (6, 2))
_SHARES = 8  # of the pictures, however many threads there are
_ENOUGH = 1 << 20  # products that are worth the start of threads, some 30 microseconds


class Geometry(NamedTuple):
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
def forward_geometry(
    channels: int, size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, out: Pair
) -> Geometry:
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
    return Geometry(rows, columns, offsets.ravel(), int(offsets.max()), pitch, plane * stride[0] * stride[1])


@functools.lru_cache(maxsize=256)
def backward_geometry(
    channels: int, size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, x_size: Pair
) -> Geometry:
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
    return Geometry(rows, columns, offsets.ravel(), int(offsets.max()), pitch, height * pitch)


@part
def _pack(weight: Array, transposed: bool, packed: Array) -> bool:
    """weight (G · O, C, KH, KW) -> packed (G, tiles, K, R), the order in which `multiply_tile` reads.

    The rows are the O and K = (C, T), or the rows are the C and K = (O, T) if `transposed`. Rows beyond the
    last are zero. Returns whether all weights are finite.
    """
    groups, rows = packed.shape[0], packed.shape[3]
    out_channels, in_channels = weight.shape[0] // groups, weight.shape[1]
    taps = weight.shape[2] * weight.shape[3]
    flat = weight.reshape(-1)
    finite = True
    fill(packed.reshape(-1), 0, packed.size, 0)
    for g in range(groups):
        for o in range(out_channels):
            for c in range(in_channels):
                row, k = (c, o) if transposed else (o, c)
                for t in range(taps):
                    value = flat[((g * out_channels + o) * in_channels + c) * taps + t]
                    finite &= np.isfinite(value)
                    packed[g, row // rows, k * taps + t, row % rows] = value
    return finite


@part
def write_planes(planes: Array, rows: Array, columns: Array, plane: int, frame: Array, start: int) -> None:
    """Copy (C, H, W) into the frame; the zeros around are there already."""
    channels, height, width = planes.shape
    in_one_piece = columns[0] >= 0
    for w in range(1, width):
        in_one_piece &= columns[w] == columns[w - 1] + 1
    for c in range(channels):
        for h in range(height):
            if rows[h] >= 0:
                row = start + c * plane + rows[h]
                source = planes[c, h]
                if in_one_piece:
                    target = frame[row + columns[0] :]
                    for w in range(width):
                        target[w] = source[w]
                else:
                    for w in range(width):
                        if columns[w] >= 0:
                            frame[row + columns[w]] = source[w]


class _Tiling(NamedTuple):
    """How the output is cut into tiles, and where these lie."""

    rows: int  # output channels of a tile
    vectors: int
    corners: Array  # (2, tiles): where each tile of pixels begins, in the frame and in the grid
    steps: Pair  # from vector to vector, in the frame and in the grid
    pitch: int  # of the grid: the output with the columns and rows that stick out
    plane: int
    reach: int  # the last pixel of a tile in the frame
    is_exact: bool  # the grid is the output itself


@functools.lru_cache(maxsize=256)
def _tiling(out_rows: int, out: Pair, pitch: int, lanes: int) -> _Tiling:
    """The tiles that take the least time.

    A step of the loop takes as long as its multiply-adds or its loads; a load of a vector mostly crosses a
    boundary of the cache and counts twice.
    """
    best: tuple[float, Any] = (math.inf, None)
    extent = (out[0] - 1) * pitch + out[1]
    for rows, vectors in _TILES:
        step = max(rows * vectors, rows + 2 * vectors) + 1
        stretches = -(-extent // (vectors * lanes))
        blocks = -(-out[0] // vectors) * -(-out[1] // lanes)
        for tiles, is_block in (stretches, False), (blocks, True):
            cost = -(-out_rows // rows) * tiles * step
            if cost < best[0]:
                best = cost, (rows, vectors, tiles, is_block)
    rows, vectors, tiles, is_block = best[1]
    fits = not out_rows % rows
    if not is_block:
        starts = np.arange(tiles) * vectors * lanes
        plane = tiles * vectors * lanes
        is_exact = fits and pitch == out[1] and plane == out[0] * out[1]
        return _Tiling(
            rows, vectors, np.stack([starts, starts]), (lanes, lanes), pitch, plane, plane, is_exact
        )
    across, down = -(-out[1] // lanes), -(-out[0] // vectors)
    width, height = across * lanes, down * vectors
    top = np.repeat(np.arange(down) * vectors, across)
    left = np.tile(np.arange(across) * lanes, down)
    corners = np.stack([top * pitch + left, top * width + left])
    is_exact = fits and (height, width) == out
    reach = (height - 1) * pitch + width
    return _Tiling(rows, vectors, corners, (pitch, width), width, height * width, reach, is_exact)


@functools.cache
def _loop(row_count: int, vectors: int, vector_bytes: int) -> Shared[Any]:
    @in_parallel(enough=_ENOUGH)
    def loop(
        x: Array, rows: Array, columns: Array, plane: int, weight: Array, transposed: bool, groups: int,
        offsets: Array, bias: Array, frame_size: int, corners: Array, steps: Pair, grid_pitch: int,
        grid_plane: int, is_exact: bool, splits: int, out: Array,
    ) -> bool:  # fmt: skip
        """out[n, row, h, w] = bias[row] + Σ_k weight[row, k] · frame(x[n])[h · pitch + w + offsets[k]].

        Group g of rows sees group g of the channels. False, and nothing done, if it is a gradient
        (`transposed`) and its weights are not all finite.
        """
        images, all_rows, out_h, out_w = out.shape
        channels = x.shape[1] // groups
        out_rows = all_rows // groups
        tiles, terms = (out_rows + row_count - 1) // row_count, offsets.size
        shares = min(images, _SHARES)
        packed = np.empty((groups, tiles, terms, row_count), x.dtype)
        if not _pack(weight, transposed, packed) and transposed:
            return False
        frames = np.empty((shares * splits, frame_size), x.dtype)
        rows_at_once = (tiles + splits - 1) // splits * row_count
        grids = np.empty((shares * splits, 0 if is_exact else rows_at_once * grid_plane), x.dtype)
        for task in prange(shares * splits):
            share, split = task // splits, task % splits
            first_tile, end_tile = split * tiles // splits, (split + 1) * tiles // splits
            first_row, end_row = first_tile * row_count, min(end_tile * row_count, out_rows)
            frame = frames[task]
            fill(frame, 0, frame_size, 0)
            for n in range(share * images // shares, (share + 1) * images // shares):
                for g in range(groups):
                    write_planes(x[n, g * channels : (g + 1) * channels], rows, columns, plane, frame, 0)
                    grid, start = grids[task], 0
                    if is_exact:
                        grid, start = out.reshape(-1), (n * all_rows + g * out_rows + first_row) * grid_plane
                    for row in range(first_row, end_row):
                        corner = start + (row - first_row) * grid_plane
                        fill(grid, corner, grid_plane, bias[g * out_rows + row])
                    # Few pixels at a time: their part of the frame stays in the first-level cache.
                    for t in range(corners.shape[1]):
                        for tile in range(first_tile, end_tile):
                            weights = (g * tiles + tile) * terms * row_count
                            corner = start + (tile - first_tile) * row_count * grid_plane + corners[1, t]
                            for k in range(0, terms, _TERMS):
                                multiply_tile(
                                    packed, weights, frame, corners[0, t], steps[0], offsets, k,
                                    min(k + _TERMS, terms), grid, corner, grid_plane, steps[1],
                                    row_count, vectors,
                                )  # fmt: skip
                    if not is_exact:
                        for row in range(first_row, end_row):
                            for h in range(out_h):
                                pixels = grid[(row - first_row) * grid_plane + h * grid_pitch :]
                                line = out[n, g * out_rows + row, h]
                                for w in range(out_w):
                                    line[w] = pixels[w]
        return True

    return loop


class Plan(NamedTuple):
    """All that is known of a convolution from the shapes of its arrays."""

    geometry: Geometry
    tiling: _Tiling
    transposed: bool
    groups: int
    frame_size: int
    loop: Shared[Any]
    work: int
    shares: int
    tiles: int

    def correlate(self, x: Array, weight: Array, bias: Array, out: Array) -> bool:
        """Pack the weights and convolve. False, and nothing done, if a gradient's weights are not finite."""
        geometry, tiling = self.geometry, self.tiling
        result = target(out)
        if not self.loop.of(self.work)(
            behaved(x), geometry.rows, geometry.columns, geometry.plane, behaved(weight), self.transposed,
            self.groups, geometry.offsets, bias, self.frame_size, tiling.corners, tiling.steps, tiling.pitch,
            tiling.plane, tiling.is_exact, self.loop.splits(self.work, self.shares, self.tiles), result,
        ):  # fmt: skip
            return False
        deliver(result, out)
        return True


def plan(geometry: Geometry, transposed: bool, groups: int, x: Shape, out: Shape, lanes: int) -> Plan:
    """The plan for arrays of these shapes."""
    out_rows, terms = out[1] // groups, geometry.offsets.size
    tiling = _tiling(out_rows, (out[2], out[3]), geometry.pitch, lanes)
    return Plan(
        geometry,
        tiling,
        transposed,
        groups,
        frame_size=max(x[1] // groups * geometry.plane, tiling.reach + geometry.reach),
        loop=_loop(tiling.rows, tiling.vectors, VECTOR_BYTES),
        work=math.prod(out) // groups * terms,
        shares=min(x[0], _SHARES),
        tiles=-(-out_rows // tiling.rows),
    )
