"""The matrix unit of recent Intel CPUs (AMX): its vocabulary, and the tile of a matrix product in float32.

The unit has eight registers, *tiles*, of 16 rows of 64 bytes. One instruction multiplies two tiles of 16 x 32
numbers and adds the products to 16 x 16 sums in float32: 16,384 operations in 16 cycles, where the vector
registers do 64 in a cycle. But its numbers are bfloat16, the upper half of a float32: 8 binary digits instead
of 24. So each number is cut into three,

    x = high + middle + low,

each of 8 digits: what is left, rounded to the nearest (nothing is lost: 3 · 8 = 24). Of the nine products of
parts the six largest are added up: high · high, high · middle, middle · middle, high · low and the two that
mirror these. What is left out is at most 2^-23 of the product, of either sign, about as much as float32
rounds off anyway; so the sums are no worse than those of float32 (`tests/kernels/test_matrix.py`). That is
six times the work, on a unit that does 16 times as much a cycle.

What float32 can and this cannot: the unit takes numbers below 2^-126 for zero, so of numbers below 2^-110 the
last digits are lost; and the parts of an infinity make NaN. The loops look for infinities and NaN first, and
leave them to the vectors.

The numbers lie in pairs: a *word* of 32 bits holds the parts of two numbers that are summed up one after the
other, and the three parts of a word lie one plane apart. Linux lends the unit only to processes that ask.
Who changes this file must touch the files that use it too: Numba's cache on disk looks at theirs only.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .vectors import FEATURES, Vectors, constant, given

PARTS = 3
ROWS = 16  # of a tile
WORDS = 16  # of a row of a tile

_int = types.intp
_byte, _word = ir.IntType(8), ir.IntType(32)
_words = ir.VectorType(_word, WORDS)
_address = _byte.as_pointer()
_nothing = ir.VoidType()

# The pairs of parts that are multiplied, in an order in which from one to the next mostly one is loaded.
_PRODUCTS = ((0, 2), (0, 1), (1, 1), (1, 0), (2, 0), (0, 0))


def _is_lent() -> bool:
    """Ask Linux for the matrix unit: arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)."""
    arch_prctl, request_permission, tile_data = 158, 0x1023, 18
    return bool(ctypes.CDLL(None).syscall(arch_prctl, request_permission, tile_data) == 0)


def _is_there() -> bool:
    wanted = os.environ.get("MINITORCH_CIFAR_AMX", "1")
    if wanted not in ("0", "1"):
        raise ValueError(f"MINITORCH_CIFAR_AMX must be 0 (leave the matrix unit alone) or 1, got {wanted!r}")
    return (
        wanted == "1"
        and {"+amx-tile", "+amx-bf16", "+avx512f"} <= FEATURES
        and sys.platform.startswith("linux")
        and platform.machine() == "x86_64"
        and _is_lent()
    )


HAS_MATRIX_UNIT = _is_there()


def _shape_of_tiles() -> Any:
    """What `configure` loads: all eight tiles have 16 rows of 64 bytes."""
    shape = np.zeros(64, np.uint8)
    shape[0] = 1  # the palette
    shape[16:32:2] = 4 * WORDS  # bytes of a row, of each tile (two bytes each)
    shape[48:56] = ROWS
    return shape


TILES = _shape_of_tiles()


def _emit(builder: Any, name: str, *arguments: Any) -> None:
    kinds = [argument.type for argument in arguments]
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_nothing, kinds), name)
    builder.call(function, arguments)


def _tile(number: int) -> Any:
    return ir.Constant(_byte, number)


@intrinsic  # type: ignore[untyped-decorator]
def configure(typing_context: Any, shapes: Any) -> tuple[Any, Callable[..., Any]]:
    """Switch the unit on for this thread, with the shapes in `TILES`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (shapes,) = given(context, builder, signature, arguments)
        _emit(builder, "llvm.x86.ldtilecfg", builder.bitcast(shapes, _address))
        return context.get_dummy_value()

    return types.void(shapes), generate


@intrinsic  # type: ignore[untyped-decorator]
def release(typing_context: Any) -> tuple[Any, Callable[..., Any]]:
    """Switch the unit off: the system need not keep its registers any more."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _emit(builder, "llvm.x86.tilerelease")
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic  # type: ignore[untyped-decorator]
def split_words(
    typing_context: Any,
    lower: Any,
    lower_start: Any,
    upper: Any,
    upper_start: Any,
    target: Any,
    target_start: Any,
    part_step: Any,
) -> tuple[Any, Callable[..., Any]]:
    """The parts of 16 numbers from `lower` and 16 from `upper`, one of each in a word, in three vectors
    `part_step` apart.

    A part is what is left of a number, rounded to the upper half of its bits: half a unit of these is added
    to the bits, then the lower half is dropped. The largest numbers are cut instead of rounded up to
    infinity. All positions count elements.
    """
    signature = types.void(lower, _int, upper, _int, target, _int, _int)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lower, lower_start, upper, upper_start, target, target_start, part_step = given(
            context, builder, signature, arguments
        )
        of = Vectors(context, builder, types.float32)
        rests = [of.load(of.pointer(lower, lower_start)), of.load(of.pointer(upper, upper_start))]
        upper_half, sign, magnitude, half_a_unit, largest, half = (
            ir.Constant(_words, [number] * WORDS)
            for number in (-(1 << 16), -(1 << 31), (1 << 31) - 1, 1 << 15, 0x7F7FFFFF, 16)
        )

        def rounded(number: Any, part: int) -> Any:
            bits = builder.bitcast(number, _words)
            if part == 0:
                size = builder.add(builder.and_(bits, magnitude), half_a_unit)
                size = builder.select(builder.icmp_unsigned("<", size, largest), size, largest)
                bits = builder.or_(size, builder.and_(bits, sign))
            elif part < PARTS - 1:
                bits = builder.add(bits, half_a_unit)
            return builder.and_(bits, upper_half)

        for part in range(PARTS):
            bits = [rounded(rest, part) for rest in rests]
            word = builder.or_(builder.lshr(bits[0], half), bits[1])
            rests = [builder.fsub(r, builder.bitcast(b, of.type)) for r, b in zip(rests, bits, strict=True)]
            place = of.pointer(target, target_start, (constant(part), part_step))
            of.store(builder.bitcast(word, of.type), place)
        return context.get_dummy_value()

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]
def copy_row(
    typing_context: Any, source: Any, source_start: Any, count: Any, target: Any, target_start: Any
) -> tuple[Any, Callable[..., Any]]:
    """target[target_start + i] = source[source_start + i] for i below `count`, which is at most 16."""
    signature = types.void(source, _int, _int, target, _int)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, source_start, count, target, target_start = given(context, builder, signature, arguments)
        of = Vectors(context, builder, types.float32)
        lane = ir.Constant(_words, list(range(WORDS)))
        undefined = ir.Constant(_words, ir.Undefined)
        first = builder.insert_element(undefined, builder.trunc(count, _word), ir.Constant(_word, 0))
        mask = builder.icmp_signed(
            "<", lane, builder.shuffle_vector(first, undefined, ir.Constant(_words, None))
        )
        flags, pointer = ir.VectorType(ir.IntType(1), WORDS), of.type.as_pointer()
        load = ir.FunctionType(of.type, [pointer, _word, flags, of.type])
        store = ir.FunctionType(_nothing, [of.type, pointer, _word, flags])
        align = ir.Constant(_word, 4)
        value = builder.call(
            cgutils.get_or_insert_function(builder.module, load, "llvm.masked.load.v16f32.p0"),
            [
                builder.bitcast(of.pointer(source, source_start), pointer),
                align,
                mask,
                ir.Constant(of.type, None),
            ],
        )
        builder.call(
            cgutils.get_or_insert_function(builder.module, store, "llvm.masked.store.v16f32.p0"),
            [value, builder.bitcast(of.pointer(target, target_start), pointer), align, mask],
        )
        return context.get_dummy_value()

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]
def matrix_tile(
    typing_context: Any,
    memory: Any,
    a_start: Any,
    a_next: Any,
    a_row: Any,
    a_part: Any,
    a_steps: Any,
    b_start: Any,
    b_next: Any,
    b_row: Any,
    b_part: Any,
    b_steps: Any,
    first: Any,
    last: Any,
    before: Any,
    before_row: Any,
    before_next: Any,
    out: Any,
    out_row: Any,
    out_next: Any,
    scratch: Any,
) -> tuple[Any, Callable[..., Any]]:
    """out = before + Σ A(s) · B(s) over first ≤ s < last, for 32 rows and 32 columns.

    A(s) is two tiles of words, from `a_start` and `a_next` on plus a_steps[s], with their rows `a_row` and
    their parts `a_part` apart; B(s) likewise, a row for every word of a row of A. The sums for the second
    tile of A begin `out_next` behind the first, and so with `before`. In the tiles every sum begins at zero,
    and vectors add it to `before`: long sums in float32 lose digits. `scratch` has room for four tiles.
    Everything lies in `memory`, and positions count elements.
    """
    signature = types.void(
        memory, _int, _int, _int, _int, a_steps, _int, _int, _int, _int, b_steps, _int, _int, _int, _int,
        _int, _int, _int, _int, _int,
    )  # fmt: skip

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        memory, a_start, a_next, a_row, a_part, a_steps, b_start, b_next, b_row, b_part, b_steps, *rest = (
            given(context, builder, signature, arguments)
        )
        first, last, before, before_row, before_next, out, out_row, out_next, scratch = rest
        of = Vectors(context, builder, types.float32)
        size = constant(4)
        a_bytes, b_bytes = (builder.mul(row, size) for row in (a_row, b_row))

        def place(start: Any, *offsets: Any) -> Any:
            for offset in offsets:
                start = builder.add(start, offset)
            return builder.bitcast(builder.gep(memory, [start]), _address)

        tiles = [(i, j, _tile(2 * i + j)) for i in range(2) for j in range(2)]
        for _, _, tile in tiles:
            _emit(builder, "llvm.x86.tilezero", tile)
        with cgutils.for_range_slice(builder, first, last, constant(1), inc=True) as (s, _):
            a_step = builder.load(builder.gep(a_steps, [s]))
            b_step = builder.load(builder.gep(b_steps, [s]))
            sides = (
                (4, (a_start, a_next), a_step, a_part, a_bytes),
                (6, (b_start, b_next), b_step, b_part, b_bytes),
            )
            loaded = [-1, -1]
            for product in _PRODUCTS:
                for side, (register, starts, step, part_step, row_bytes) in enumerate(sides):
                    part = product[side]
                    if part == loaded[side]:
                        continue
                    loaded[side] = part
                    offset = builder.mul(constant(part), part_step)
                    for k, start in enumerate(starts):
                        pointer = place(start, step, offset)
                        _emit(builder, "llvm.x86.tileloadd64", _tile(register + k), pointer, row_bytes)
                for i, j, tile in tiles:
                    _emit(builder, "llvm.x86.tdpbf16ps", tile, _tile(4 + i), _tile(6 + j))
        for i, j, tile in tiles:
            start = place(scratch, constant((2 * i + j) * ROWS * WORDS))
            _emit(builder, "llvm.x86.tilestored64", tile, start, constant(4 * WORDS))
        with cgutils.for_range(builder, constant(ROWS)) as row:
            for i, j, _ in tiles:
                addend = of.pointer(
                    memory,
                    builder.add(scratch, constant((2 * i + j) * ROWS * WORDS)),
                    (row.index, constant(WORDS)),
                )
                earlier, place_of_sum = (
                    of.pointer(
                        memory,
                        builder.add(start, constant(j * WORDS)),
                        (constant(i), next_),
                        (row.index, step),
                    )
                    for start, next_, step in ((before, before_next, before_row), (out, out_next, out_row))
                )
                of.store(builder.fadd(of.load(earlier), of.load(addend)), place_of_sum)
        return context.get_dummy_value()

    return signature, generate
