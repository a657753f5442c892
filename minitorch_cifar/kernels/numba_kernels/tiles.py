"""Three multiply-add loops in vector registers, the inner loops of convolution, as LLVM code for this CPU.

They are built of the instructions of `vectors.py`. A tile is a block of sums that stays in registers during
the loop. Its size follows the CPU: of 32 registers 24 hold sums, of 16 registers 12 or 10 do. Nothing here
knows what a convolution is.

Who changes this file must touch the files that use it too: Numba's cache on disk looks at theirs only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core import cgutils, types
from numba.extending import intrinsic

from .vectors import IS_WIDE, Vectors, constant, given

DOT_ROWS, DOT_COLUMNS = (4, 5) if IS_WIDE else (2, 5)  # of the tile of `dot_tile`

_int = types.intp


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def multiply_tile(
    typing_context: Any,
    weights: Any,
    weights_start: Any,
    frame: Any,
    frame_start: Any,
    frame_vector: Any,
    offsets: Any,
    first: Any,
    last: Any,
    out: Any,
    out_start: Any,
    out_row: Any,
    out_vector: Any,
    rows: Any,
    vectors: Any,
) -> tuple[Any, Callable[..., Any]]:
    """out[r, p] += Σ_k weights[k, r] · frame[p + offsets[k]] for first ≤ k < last, `rows` rows r, and the
    pixels p of `vectors` vectors.

    The matrix whose rows are stretches of `frame` need not exist: `offsets` says where each row starts, and
    rows may overlap. The vectors lie `frame_vector` apart in the frame, and `out_vector` in `out`, whose rows
    are `out_row` apart. Each k costs `vectors` loads of the frame and `rows` loads of weights for rows ·
    vectors multiply-adds. `weights` is stored as [k][r] without gaps; all arrays are contiguous, all
    positions count elements.
    """
    signature = types.void(
        weights, _int, frame, _int, _int, offsets, _int, _int, out, _int, _int, _int, rows, vectors
    )

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values = given(context, builder, signature, arguments)
        weights, weights_start, frame, frame_start, frame_vector, offsets, first, last, *rest = values
        out, out_start, out_row, out_vector = rest[:4]
        row_count, vector_count = (kind.literal_value for kind in signature.args[12:])
        of = Vectors(context, builder, signature.args[2].dtype)
        sums = of.zeros(row_count * vector_count)
        with cgutils.for_range_slice(builder, first, last, constant(1), inc=True) as (k, _):
            start = builder.add(frame_start, builder.load(builder.gep(offsets, [k])))
            column = [
                of.load(of.pointer(frame, start, (constant(v), frame_vector))) for v in range(vector_count)
            ]
            weight = of.pointer(weights, weights_start, (k, constant(row_count)))
            for r in range(row_count):
                factor = of.broadcast(builder.gep(weight, [constant(r)]))
                for v in range(vector_count):
                    of.add_product(sums[r * vector_count + v], factor, column[v])
        for r in range(row_count):
            for v in range(vector_count):
                place = of.pointer(out, out_start, (constant(r), out_row), (constant(v), out_vector))
                total = builder.fadd(of.load(place), builder.load(sums[r * vector_count + v]))
                of.store(total, place)
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
        values = given(context, builder, signature, arguments)
        grid, grid_start, grid_stride, grid_image, frame, frame_start, frame_image, *rest = values
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
        values = given(context, builder, signature, arguments)
        gradient, gradient_start, gradient_plane, frame, frame_start, lines, pixels, *steps = values[:14]
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
