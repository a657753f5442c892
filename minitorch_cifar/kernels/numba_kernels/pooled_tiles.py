"""The inner loops of convolution's gradients behind a max pool, as LLVM code for this CPU.

The gradient is a list of cells (see `numpy_kernels.pooled`): where the winner's window starts in a frame, and
the gradient there. Both loops run over the cells of one plane, with a tile of ROWS rows of VECTORS vectors in
registers: of sums in `gather_tile`, of weights in `scatter_tile`.

Per cell and vector, `gather_tile` loads one vector for one multiply-add, and `scatter_tile` also stores one,
so they run at half and at a quarter of the speed of a dense product. But behind a pool of 2 x 2 windows there
are four times fewer products, and after a ReLU half of these again.

Who changes this file must touch `pooled.py` too: Numba's cache on disk looks at that one only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core import cgutils, types
from numba.extending import intrinsic

from .vectors import VECTOR_BYTES, Vectors, constant, given

# Vectors of a tile: with AVX-512, of 32 registers; elsewhere of 16.
TILE_VECTORS = 25 if VECTOR_BYTES == 64 else 12

_int = types.intp


class _Tile:
    """What both tiles have in common: the arguments, and a walk over the cells."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        values = given(context, builder, signature, arguments)
        (self.frame, self.frame_start, self.frame_row, self.offsets, self.values, self.first, self.count,
         self.tile, self.tile_start, self.tile_row, *_) = values  # fmt: skip
        rows, vectors, vector_bytes = (kind.literal_value for kind in signature.args[10:])
        self.builder = builder
        self.vectors = Vectors(context, builder, signature.args[0].dtype, vector_bytes)
        self.places = [(r, v) for r in range(rows) for v in range(vectors)]

    def row(self, array: Any, start: Any, row: Any, r: int) -> Any:
        """Where row `r` begins."""
        return self.vectors.pointer(array, start, (constant(r), row))

    def rows_of_tile(self) -> list[Any]:
        """Where each row of the tile begins in memory."""
        count = self.places[-1][0] + 1
        return [self.row(self.tile, self.tile_start, self.tile_row, r) for r in range(count)]

    def each_cell(self, visit: Callable[[list[Any], Any], None]) -> None:
        """For each cell call visit(where the rows of its window begin, its gradient in every lane)."""
        builder, vectors = self.builder, self.vectors
        last = builder.add(self.first, self.count)
        with cgutils.for_range_slice(builder, self.first, last, constant(1), inc=True) as (cell, _):
            offset = builder.sext(builder.load(builder.gep(self.offsets, [cell])), self.first.type)
            corner = builder.add(self.frame_start, offset)
            gradient = vectors.broadcast(builder.gep(self.values, [cell]))
            rows = self.places[-1][0] + 1
            visit([self.row(self.frame, corner, self.frame_row, r) for r in range(rows)], gradient)


def _signature(*kinds: Any) -> Any:
    frame, _, _, offsets, values, _, _, tile, *_, rows, vectors, vector_bytes = kinds
    return types.void(
        frame, _int, _int, offsets, values, _int, _int, tile, _int, _int, rows, vectors, vector_bytes
    )


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def gather_tile(
    typing_context: Any,
    frame: Any,
    frame_start: Any,
    frame_row: Any,
    offsets: Any,
    values: Any,
    first: Any,
    count: Any,
    tile: Any,
    tile_start: Any,
    tile_row: Any,
    rows: Any,
    vectors: Any,
    vector_bytes: Any,
) -> tuple[Any, Callable[..., Any]]:
    """tile[r, t] += Σ_cell values[cell] · frame[offsets[cell] + r · frame_row + t], for rows r and all t in
    `vectors` vectors. The cells are those from `first`; all positions count elements.
    """
    signature = _signature(
        frame, frame_start, frame_row, offsets, values, first, count, tile, tile_start, tile_row,
        rows, vectors, vector_bytes,
    )  # fmt: skip

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        loop = _Tile(context, builder, signature, arguments)
        sums = loop.vectors.zeros(len(loop.places))

        def visit(starts: list[Any], gradient: Any) -> None:
            for total, (r, v) in zip(sums, loop.places, strict=True):
                loop.vectors.add_product(total, loop.vectors.load(starts[r], v), gradient)

        loop.each_cell(visit)
        rows = loop.rows_of_tile()
        for total, (r, v) in zip(sums, loop.places, strict=True):
            loop.vectors.store(builder.fadd(loop.vectors.load(rows[r], v), builder.load(total)), rows[r], v)
        return context.get_dummy_value()

    return signature, generate


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def scatter_tile(
    typing_context: Any,
    frame: Any,
    frame_start: Any,
    frame_row: Any,
    offsets: Any,
    values: Any,
    first: Any,
    count: Any,
    tile: Any,
    tile_start: Any,
    tile_row: Any,
    rows: Any,
    vectors: Any,
    vector_bytes: Any,
) -> tuple[Any, Callable[..., Any]]:
    """frame[offsets[cell] + r · frame_row + t] += values[cell] · tile[r, t] for each cell in turn."""
    signature = _signature(
        frame, frame_start, frame_row, offsets, values, first, count, tile, tile_start, tile_row,
        rows, vectors, vector_bytes,
    )  # fmt: skip

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        loop = _Tile(context, builder, signature, arguments)
        rows = loop.rows_of_tile()
        weights = [loop.vectors.load(rows[r], v) for r, v in loop.places]

        def visit(starts: list[Any], gradient: Any) -> None:
            for weight, (r, v) in zip(weights, loop.places, strict=True):
                product = builder.fmul(weight, gradient, flags=("contract",))
                before = loop.vectors.load(starts[r], v)
                loop.vectors.store(builder.fadd(product, before, flags=("contract",)), starts[r], v)

        loop.each_cell(visit)
        return context.get_dummy_value()

    return signature, generate
