"""Convolution with the channels of a pixel side by side: forward, and the gradient by the input.

A picture is written into a frame (H + padding, W + padding, C), zeros around it, as in `frames.py`. The
window under an output pixel is then a few *stretches* of memory: its rows, KW pixels of C numbers each (or,
where the kernel has gaps or the channels are in groups, every pixel of it). Where a window begins, a table
says for every output pixel: `places`. So nothing here depends on the picture's width, on stride or dilation.

The sums of 8 pixels by 32 output channels stay in registers (`pixel_tiles.py`): for each number t of a
stretch, two vectors of weights are loaded, and 8 numbers of the frame, each broadcast to all lanes, for 16
multiply-adds. Loads of weights are aligned, and broadcasts cross no boundary of the cache, so the
multiply-adds are what takes time. Weights are packed as [group][block][stretch][t][channel of the block].

The order of the loops: for a strip of some 64 pixels, for each block of output channels, for each chunk of
stretches, for each tile of the strip. A chunk of weights (10 KB in quick's second layer), the rows of the
frame under the strip (10 KB) and the strip's sums (8 KB) fit into the first-level cache (48 KB). The first
chunk is added to the bias, every other to the strip: long sums in float32 lose digits. A finished strip is
transposed in registers into the planes of the output.

Pictures, and where there are fewer of them than threads also their strips, are shared among threads. No sum
is divided, so no result depends on the number of threads.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import prange

from ...dtypes import Array
from .elements import fill
from .flat import part
from .frames import aligned, write_frame
from .layout import behaved, deliver, target
from .pixel_tiles import PIXELS, pixel_tile, transpose_tile
from .runtime import Shared, in_parallel
from .vectors import REGISTERS, VECTOR_BYTES

Pair = tuple[int, int]
Shape = tuple[int, ...]

_TERMS = 128  # at most so many products are summed up in a register
_STRIP = 8 * PIXELS  # pixels; a multiple of the lanes of a vector
_SHARES = 8  # of the pictures, however many threads there are
_ENOUGH = 1 << 20  # products that are worth the start of threads, some 30 microseconds


class Axis(NamedTuple):
    """One dimension, height or width, of a convolution."""

    length: int  # of the frame
    inside: Array  # where each row (or column) of the picture lies in the frame; outside it, it is not needed
    corners: Array  # where the window of each row of the output begins
    taps: Array  # steps from there to what the rows of the kernel meet, in ascending order


class _Layout(NamedTuple):
    """Where things lie, in elements."""

    size: int  # of a frame
    inside: Array  # (H · W,): each pixel of the picture in the frame, or -1
    is_whole: bool  # the frame needs every pixel
    places: Array  # (OH · OW,) and some more: where the windows of the output pixels begin
    stretches: Array  # steps from there to each stretch
    chunks: Array  # (chunks, 4): first and last stretch, length of each, number of the first term
    terms: Array  # (C · KH · KW,): where in a block each weight of an output channel goes
    planes: Array  # (lanes,): channels of the output
    vectors: int  # of output channels in a block
    blocks: int


@functools.lru_cache(maxsize=256)
def forward_axis(size: int, kernel: int, stride: int, padding: int, dilation: int, out: int) -> Axis:
    """Of the convolution itself."""
    return Axis(
        size + 2 * padding, np.arange(size) + padding, np.arange(out) * stride, np.arange(kernel) * dilation
    )


@functools.lru_cache(maxsize=256)
def backward_axis(size: int, kernel: int, stride: int, padding: int, dilation: int, x_size: int) -> Axis:
    """Of the gradient by an input of `x_size`, made of a gradient of `size`.

    It is the convolution of that gradient, spread out by the stride, with the kernel turned round:
    grad_x[h] = Σ_i weight[i] · grad_out[(h + padding − i · dilation) / stride] where the quotient is whole.
    """
    reach = dilation * (kernel - 1)
    inside = np.arange(size) * stride + reach - padding
    return Axis(x_size + reach, inside, np.arange(x_size), np.arange(kernel) * dilation)


def _cuts(length: int) -> list[int]:
    """Where the pieces of a stretch begin, and where the last one ends: as many as make none too long."""
    pieces = -(-length // _TERMS)
    return [p * length // pieces for p in range(pieces + 1)]


def _chunks(stretches: int, length: int) -> list[tuple[int, int, int, int]]:
    """First and last stretch, length, first term.

    Stretches longer than _TERMS are cut into pieces, each a stretch of its own; shorter ones go together.
    """
    cuts = _cuts(length)
    if len(cuts) == 2:
        together = max(1, _TERMS // length)
        starts = range(0, stretches, together)
        return [(s, min(s + together, stretches), length, s * length) for s in starts]
    parts = [(s, p) for s in range(stretches) for p in range(len(cuts) - 1)]
    return [(k, k + 1, cuts[p + 1] - cuts[p], s * length + cuts[p]) for k, (s, p) in enumerate(parts)]


def _block(out_rows: int, lanes: int) -> Pair:
    """How many vectors make up a block of output channels, and how many blocks there are."""
    choices = [(v, -(-out_rows // (v * lanes))) for v in range(1, 4 if REGISTERS == 32 else 3)]
    return min(choices, key=lambda c: c[1] * max(PIXELS * c[0], PIXELS + c[0]))


@functools.lru_cache(maxsize=256)
def _layout(
    make_axis: Callable[..., Axis], sides: tuple[tuple[int, ...], tuple[int, ...]], channels: int,
    groups: int, out_rows: int, lanes: int,
) -> _Layout:  # fmt: skip
    """The tables for pictures of `channels` channels and a group of `out_rows` output channels."""
    rows, columns = (make_axis(*side) for side in sides)
    inside = rows.inside[:, None] * columns.length + columns.inside
    needed = [(axis.inside >= 0) & (axis.inside < axis.length) for axis in (rows, columns)]
    inside = np.where(needed[0][:, None] & needed[1], inside * channels, -1)
    places = ((rows.corners[:, None] * columns.length + columns.corners) * channels).ravel()
    starts = (rows.taps[:, None] * columns.length + columns.taps) * channels
    length = channels // groups
    if groups == 1 and (columns.taps.size == 1 or columns.taps[1] == 1):
        starts, length = starts[:, :1], columns.taps.size * channels
    taps = np.arange(rows.taps.size * columns.taps.size)[:: -1 if make_axis is backward_axis else 1]
    terms = np.arange(channels // groups)[:, None] + taps * (channels // groups)
    size = rows.length * columns.length * channels
    vectors, blocks = _block(out_rows, lanes)
    return _Layout(
        size=-(-size // lanes) * lanes,
        inside=inside.ravel(),
        is_whole=bool((inside >= 0).all()),
        places=np.concatenate([places, np.zeros(-places.size % PIXELS, np.int64)]),
        stretches=(starts.reshape(-1, 1) + _cuts(length)[:-1]).ravel(),
        chunks=np.array(_chunks(starts.size, length)),
        terms=terms.ravel() * vectors * lanes,
        planes=np.arange(lanes) * places.size,
        vectors=vectors,
        blocks=blocks,
    )


@part
def pack_weights(
    weight: Array, groups: int, turned: bool, terms: Array, term_count: int, width: int, lanes: int,
    blocks: int, memory: Array, start: int,
) -> bool:  # fmt: skip
    """weight (G · O, C, KH, KW) -> [group][block][term][output channel of the block], zeros in between and
    behind the last.

    The output channels are the O, or the C if `turned`; `terms` says for each number of the weights of an
    output channel where in a block, of `term_count` terms, its term begins. If
    `turned`, returns whether all are finite.
    """
    outputs, channels = weight.shape[0] // groups, weight.shape[1]
    taps = weight.shape[2] * weight.shape[3]
    flat = weight.reshape(-1)
    count = channels * taps
    size = term_count * width
    finite = True
    fill(memory, start, groups * blocks * size, 0)
    for g in range(groups):
        corner, first = start + g * blocks * size, g * outputs * count
        if turned:
            for o in range(outputs):
                for t in range(taps):
                    for b in range(blocks):
                        place = corner + b * size + terms[o * taps + t] - b * width
                        for c in range(b * width, min((b + 1) * width, channels)):
                            value = flat[first + o * count + c * taps + t]
                            finite &= np.isfinite(value)
                            memory[place + c] = value
            continue
        whole, in_order = outputs // lanes * lanes, count // lanes * lanes
        for o in range(0, whole, lanes):
            block = corner + o // width * size + o % width
            for k in range(0, in_order, lanes):
                transpose_tile(flat, first + o * count + k, count, memory, block, terms, k)
        for o in range(outputs):
            for k in range(in_order if o < whole else 0, count):
                memory[corner + o // width * size + terms[k] + o % width] = flat[first + o * count + k]
    return finite


@part
def _write_strip(
    memory: Array,
    strip: int,
    width: int,
    lanes: int,
    count: int,
    rows: int,
    planes: Array,
    out: Array,
    start: int,
) -> None:
    """Copy `count` pixels of `rows` channels from the strip, [pixel][width], into planes."""
    plane = planes[1]
    whole = rows // lanes * lanes
    for p in range(0, count, lanes):
        pixels = min(lanes, count - p)
        first = 0
        if pixels == lanes:
            first = whole
            for c in range(0, whole, lanes):
                transpose_tile(memory, strip + p * width + c, width, out, start + c * plane + p, planes, 0)
        for c in range(first, rows):
            for i in range(p, p + pixels):
                out[start + c * plane + i] = memory[strip + i * width + c]


@functools.cache
def _loop(vectors: int, vector_bytes: int) -> Shared[Any]:
    @in_parallel(enough=_ENOUGH)
    def loop(
        x: Array, weight: Array, turned: bool, term_places: Array, inside: Array, is_whole: bool, size: int,
        places: Array, stretches: Array, chunks: Array, bias: Array, groups: int, blocks: int, planes: Array,
        splits: int, out: Array,
    ) -> bool:  # fmt: skip
        """False, and nothing done, if it is a gradient (`turned`) and its weights are not all finite."""
        images, channels, height, columns = x.shape
        all_rows = out.shape[1]
        rows = all_rows // groups
        lanes = vector_bytes // x.itemsize
        width = blocks * vectors * lanes
        shares, terms = min(images, _SHARES), term_places.size
        packed_size = groups * terms * width
        strips_size = shares * splits * _STRIP * width
        memory, packed = aligned(packed_size + groups * width + strips_size + shares * splits * size, x)
        biases = packed + packed_size
        strips = biases + groups * width
        frames = strips + strips_size
        fill(memory, biases, groups * width, 0)
        for g in range(groups):
            for o in range(rows):
                memory[biases + g * width + o] = bias[g * rows + o]
        if not pack_weights(
            weight, groups, turned, term_places, terms, vectors * lanes, lanes, blocks, memory, packed
        ):
            return False
        picture, result = x.reshape(-1), out.reshape(-1)
        pixels = out.shape[2] * out.shape[3]
        strip_count = (pixels + _STRIP - 1) // _STRIP
        for task in prange(shares * splits):
            share, split = task // splits, task % splits
            frame = frames + task * size
            strip = strips + task * _STRIP * width
            fill(memory, frame, size, 0)
            for n in range(share * images // shares, (share + 1) * images // shares):
                plane = height * columns
                write_frame(
                    picture, n * channels * plane, plane, channels, lanes, inside, is_whole, memory, frame
                )
                for g in range(groups):
                    corner = frame + g * (channels // groups)
                    for s in range(split * strip_count // splits, (split + 1) * strip_count // splits):
                        count = min(_STRIP, pixels - s * _STRIP)
                        for b in range(blocks):
                            weights = packed + (g * blocks + b) * terms * vectors * lanes
                            block = b * vectors * lanes
                            before, step = biases + g * width + block, 0  # what the first chunk is added to
                            for c in range(chunks.shape[0]):
                                first, last, length, term = chunks[c]
                                for p in range(0, count, PIXELS):
                                    pixel_tile(
                                        memory, weights + term * vectors * lanes, vectors * lanes, memory,
                                        corner, places, s * _STRIP + p, stretches, first, last, length,
                                        memory, before + p * step, step, memory, strip + p * width + block,
                                        width, PIXELS, vectors,
                                    )  # fmt: skip
                                before, step = strip + block, width
                        start = (n * all_rows + g * rows) * pixels + s * _STRIP
                        _write_strip(memory, strip, width, lanes, count, rows, planes, result, start)
        return True

    return loop


class Plan(NamedTuple):
    """All that is known of a convolution from the shapes of its arrays."""

    layout: _Layout
    turned: bool
    groups: int
    loop: Shared[Any]
    work: int
    shares: int
    strips: int

    def correlate(self, x: Array, weight: Array, bias: Array, out: Array) -> bool:
        """Pack the weights and convolve. False, and nothing done, if a gradient's weights are not finite."""
        layout = self.layout
        result = target(out)
        if not self.loop.of(self.work)(
            behaved(x), behaved(weight), self.turned, layout.terms, layout.inside, layout.is_whole,
            layout.size, layout.places, layout.stretches, layout.chunks, bias, self.groups, layout.blocks,
            layout.planes, self.loop.splits(self.work, self.shares, self.strips), result,
        ):  # fmt: skip
            return False
        deliver(result, out)
        return True


def plan(
    make_axis: Callable[..., Axis], sides: tuple[tuple[int, ...], tuple[int, ...]], groups: int, x: Shape,
    out: Shape, lanes: int,
) -> Plan:  # fmt: skip
    """The plan for arrays of these shapes; `sides` are the arguments of `make_axis` for height and width."""
    layout = _layout(make_axis, sides, x[1], groups, out[1] // groups, lanes)
    return Plan(
        layout,
        make_axis is backward_axis,
        groups,
        loop=_loop(layout.vectors, VECTOR_BYTES),
        work=math.prod(out) * layout.terms.size,
        shares=min(x[0], _SHARES),
        strips=-(-layout.places.size // _STRIP),
    )
