"""Three multiply-add loops in vector registers, the inner loops of convolution, as LLVM code for this CPU.

Numba's own vectoriser keeps none of them in registers, so each is built here, instruction by
instruction, by a Numba intrinsic: a function that can be called from compiled code only. A tile is a block
of sums that stays in registers during the loop. Its size follows the CPU: with AVX-512 there are 32
registers of 64 bytes, and 24 of them hold sums; elsewhere 16 registers of 32 bytes, of which 12 or 10 do.
On a CPU with shorter vectors LLVM splits each of ours into several. Nothing here knows what a convolution
is.

Who changes this file must touch the files that use it too: Numba's cache on disk looks at theirs only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, codegen, config, types
from numba.extending import intrinsic

_FEATURES = config.CPU_FEATURES if config.CPU_FEATURES is not None else codegen.get_host_cpu_features()
_WIDE = "+avx512f" in _FEATURES.split(",")

VECTOR_BYTES = 64 if _WIDE else 32
ROWS, VECTORS = (8, 3) if _WIDE else (4, 3)  # of the tile of `multiply_tile`
DOT_ROWS, DOT_COLUMNS = (4, 5) if _WIDE else (2, 5)  # of the tile of `dot_tile`

_INDEX = ir.IntType(64)
_CONTRACT = ("contract",)  # a · b + c may be rounded once


def constant(value: int) -> Any:
    return ir.Constant(_INDEX, value)


class Vectors:
    """Loads, stores and arithmetic on vectors of one element type, as calls to an LLVM builder."""

    def __init__(self, context: Any, builder: Any, element: Any, vector_bytes: int = VECTOR_BYTES) -> None:
        self.builder = builder
        self.element_bytes = element.bitwidth // 8
        self.lanes = vector_bytes // self.element_bytes
        self.type = ir.VectorType(context.get_value_type(element), self.lanes)

    def pointer(self, array: Any, start: Any, *steps: tuple[Any, Any]) -> Any:
        """Where element `start + Σ count · stride` of a contiguous array lies, for the (count, stride) of
        `steps`."""
        for count, stride in steps:
            start = self.builder.add(start, self.builder.mul(count, stride))
        return self.builder.gep(array, [start])

    def load(self, pointer: Any, vector: int = 0) -> Any:
        """The `vector`-th vector behind `pointer`, which need not be aligned."""
        address = self.builder.bitcast(pointer, self.type.as_pointer())
        return self.builder.load(self.builder.gep(address, [constant(vector)]), align=self.element_bytes)

    def store(self, value: Any, pointer: Any, vector: int = 0) -> None:
        address = self.builder.bitcast(pointer, self.type.as_pointer())
        self.builder.store(value, self.builder.gep(address, [constant(vector)]), align=self.element_bytes)

    def broadcast(self, pointer: Any) -> Any:
        """The number at `pointer` in every lane."""
        undefined = ir.Constant(self.type, ir.Undefined)
        first = self.builder.insert_element(
            undefined, self.builder.load(pointer), ir.Constant(ir.IntType(32), 0)
        )
        every_lane_takes_lane_0 = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), None)
        return self.builder.shuffle_vector(first, undefined, every_lane_takes_lane_0)

    def zeros(self, count: int) -> list[Any]:
        """Variables for `count` sums. LLVM keeps them in registers."""
        return [cgutils.alloca_once_value(self.builder, ir.Constant(self.type, None)) for _ in range(count)]

    def add_product(self, variable: Any, a: Any, b: Any) -> None:
        """variable += a · b."""
        product = self.builder.fmul(a, b, flags=_CONTRACT)
        self.builder.store(self.builder.fadd(product, self.builder.load(variable), flags=_CONTRACT), variable)

    def sum_of_lanes(self, value: Any) -> Any:
        """The lanes added up in pairs of halves: log2(lanes) additions, in a fixed order."""
        lanes = self.lanes
        undefined = ir.Constant(self.type, ir.Undefined)
        while lanes > 1:
            lanes //= 2
            upper = [ir.Constant(ir.IntType(32), lanes + i if i < lanes else 0) for i in range(self.lanes)]
            mask = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), upper)
            value = self.builder.fadd(value, self.builder.shuffle_vector(value, undefined, mask))
        return self.builder.extract_element(value, ir.Constant(ir.IntType(32), 0))


def data_of(context: Any, builder: Any, array_type: Any, array: Any) -> Any:
    return context.make_array(array_type)(context, builder, array).data


_int = types.intp


@intrinsic  # type: ignore[untyped-decorator]
def multiply_tile(
    typing_context: Any,
    weights: Any,
    weights_start: Any,
    frame: Any,
    frame_start: Any,
    offsets: Any,
    first: Any,
    last: Any,
    out: Any,
    out_start: Any,
    out_stride: Any,
) -> tuple[Any, Callable[..., Any]]:
    """out[r, p] += Σ_k weights[k, r] · frame[p + offsets[k]] for first ≤ k < last, ROWS rows, VECTORS
    vectors of p.

    The matrix whose rows are stretches of `frame` need not exist: `offsets` says where each row starts, and
    rows may overlap. Each k costs VECTORS loads of the frame and ROWS loads of weights for ROWS · VECTORS
    multiply-adds. `weights` is stored as [k][r] without gaps, row r of `out` starts at out_start + r ·
    out_stride; all arrays are contiguous, all positions count elements.
    """
    signature = types.void(weights, _int, frame, _int, offsets, _int, _int, out, _int, _int)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given = [
            data_of(context, builder, kind, value) if isinstance(kind, types.Array) else value
            for kind, value in zip(signature.args, arguments, strict=True)
        ]
        weights, weights_start, frame, frame_start, offsets, first, last, out, out_start, out_stride = given
        vectors = Vectors(context, builder, signature.args[2].dtype)
        sums = vectors.zeros(ROWS * VECTORS)
        with cgutils.for_range_slice(builder, first, last, constant(1), inc=True) as (k, _):
            offset = builder.load(builder.gep(offsets, [k]))
            stretch = builder.gep(frame, [builder.add(frame_start, offset)])
            column = [vectors.load(stretch, v) for v in range(VECTORS)]
            for r in range(ROWS):
                position = vectors.pointer(
                    weights, builder.add(weights_start, constant(r)), (k, constant(ROWS))
                )
                weight = vectors.broadcast(position)
                for v in range(VECTORS):
                    vectors.add_product(sums[r * VECTORS + v], weight, column[v])
        for r in range(ROWS):
            row = vectors.pointer(out, out_start, (constant(r), out_stride))
            for v in range(VECTORS):
                total = builder.fadd(vectors.load(row, v), builder.load(sums[r * VECTORS + v]))
                vectors.store(total, row, v)
        return context.get_dummy_value()

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]
def dot_tile(
    typing_context: Any,
    grid: Any,
    grid_start: Any,
    grid_stride: Any,
    grid_image: Any,
    frame: Any,
    frame_start: Any,
    frame_image: Any,
    offsets: Any,
    first: Any,
    images: Any,
    length: Any,
    out: Any,
    out_start: Any,
    out_stride: Any,
) -> tuple[Any, Callable[..., Any]]:
    """out[r, k] += Σ_n Σ_p grid[n, r, p] · frame[n, p + offsets[first + k]], DOT_ROWS rows, DOT_COLUMNS
    columns.

    p runs to `length`, a multiple of the vector's lanes, n to `images`. Every lane sums its own p; at the
    end the lanes are added up. grid[n, r, 0] lies at grid_start + n · grid_image + r · grid_stride,
    frame[n, 0] at frame_start + n · frame_image, out[r, 0] at out_start + r · out_stride, counted in
    elements.
    """
    signature = types.void(
        grid, _int, _int, _int, frame, _int, _int, offsets, _int, _int, _int, out, _int, _int
    )

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given = [
            data_of(context, builder, kind, value) if isinstance(kind, types.Array) else value
            for kind, value in zip(signature.args, arguments, strict=True)
        ]
        grid, grid_start, grid_stride, grid_image, frame, frame_start, frame_image, *rest = given
        offsets, first, images, length, out, out_start, out_stride = rest
        vectors = Vectors(context, builder, signature.args[4].dtype)
        starts = [
            builder.load(builder.gep(offsets, [builder.add(first, constant(c))])) for c in range(DOT_COLUMNS)
        ]
        sums = vectors.zeros(DOT_ROWS * DOT_COLUMNS)
        with cgutils.for_range(builder, images) as image:
            rows = [
                vectors.pointer(grid, grid_start, (image.index, grid_image), (constant(r), grid_stride))
                for r in range(DOT_ROWS)
            ]
            stretch = vectors.pointer(frame, frame_start, (image.index, frame_image))
            columns = [builder.gep(stretch, [start]) for start in starts]
            step = constant(vectors.lanes)
            with cgutils.for_range_slice(builder, constant(0), length, step, inc=True) as (p, _):
                left = [vectors.load(builder.gep(row, [p])) for row in rows]
                for c, column in enumerate(columns):
                    right = vectors.load(builder.gep(column, [p]))
                    for r in range(DOT_ROWS):
                        vectors.add_product(sums[r * DOT_COLUMNS + c], left[r], right)
        for r in range(DOT_ROWS):
            for c in range(DOT_COLUMNS):
                total = vectors.sum_of_lanes(builder.load(sums[r * DOT_COLUMNS + c]))
                place = vectors.pointer(out, builder.add(out_start, constant(c)), (constant(r), out_stride))
                builder.store(builder.fadd(builder.load(place), total), place)
        return context.get_dummy_value()

    return signature, generate


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def outer_tile(
    typing_context: Any,
    gradient: Any,
    gradient_start: Any,
    gradient_plane: Any,
    frame: Any,
    frame_start: Any,
    lines: Any,
    pixels: Any,
    line_step: Any,
    pixel_step: Any,
    window_row: Any,
    out: Any,
    out_start: Any,
    out_plane: Any,
    out_row: Any,
    rows: Any,
    window_rows: Any,
    vectors: Any,
) -> tuple[Any, Callable[..., Any]]:
    """out[r, i, t] += Σ_hw gradient[r, h, w] · frame[h · line_step + w · pixel_step + i · window_row + t].

    `rows` r, `window_rows` i, all t in `vectors` vectors; h runs to `lines`, w to `pixels`. gradient[r, 0, 0]
    lies at gradient_start + r · gradient_plane, its lines follow one another without gaps; out[r, i, 0] lies
    at out_start + r · out_plane + i · out_row. Each pixel costs `rows` loads of the gradient and
    window_rows · vectors of the frame for rows · window_rows · vectors multiply-adds.
    """
    signature = types.void(
        gradient, _int, _int, frame, _int, _int, _int, _int, _int, _int, out, _int, _int, _int,
        rows, window_rows, vectors,
    )  # fmt: skip

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given = [
            data_of(context, builder, kind, value) if isinstance(kind, types.Array) else value
            for kind, value in zip(signature.args, arguments, strict=True)
        ]
        gradient, gradient_start, gradient_plane, frame, frame_start, lines, pixels, *steps = given[:14]
        line_step, pixel_step, window_row, out, out_start, out_plane, out_row = steps
        row_count, window_count, vector_count = (kind.literal_value for kind in signature.args[14:])
        vectors_of = Vectors(context, builder, signature.args[3].dtype)
        places = [(i, v) for i in range(window_count) for v in range(vector_count)]
        sums = [vectors_of.zeros(len(places)) for _ in range(row_count)]
        with cgutils.for_range(builder, lines) as line:
            rows_here = [
                vectors_of.pointer(
                    gradient, gradient_start, (constant(r), gradient_plane), (line.index, pixels)
                )
                for r in range(row_count)
            ]
            start = builder.add(frame_start, builder.mul(line.index, line_step))
            with cgutils.for_range(builder, pixels) as pixel:
                corner = builder.add(start, builder.mul(pixel.index, pixel_step))
                stretches = [
                    vectors_of.pointer(frame, corner, (constant(i), window_row)) for i in range(window_count)
                ]
                windows = [vectors_of.load(stretches[i], v) for i, v in places]
                for r in range(row_count):
                    weight = vectors_of.broadcast(builder.gep(rows_here[r], [pixel.index]))
                    for total, window in zip(sums[r], windows, strict=True):
                        vectors_of.add_product(total, weight, window)
        for r in range(row_count):
            for total, (i, v) in zip(sums[r], places, strict=True):
                place = vectors_of.pointer(out, out_start, (constant(r), out_plane), (constant(i), out_row))
                before = vectors_of.load(place, v)
                vectors_of.store(builder.fadd(before, builder.load(total)), place, v)
        return context.get_dummy_value()

    return signature, generate
