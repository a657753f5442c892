"""The vocabulary of vector code: loads, stores and arithmetic on the registers of this CPU, and transposing.

Numba's own vectoriser keeps no block of sums in registers, so the inner loops of convolution are built of
LLVM instructions by Numba intrinsics: functions that can be called from compiled code only (`tiles.py`,
`pooled_tiles.py`, `pixel_tiles.py`). What they have in common is here. With AVX-512 there are 32 registers of
64 bytes, elsewhere 16 of 32 bytes; on a CPU with shorter vectors LLVM splits each of ours into several.

Who changes this file must touch the files that call those loops too: Numba's cache on disk looks at theirs
only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, codegen, config, types
from numba.extending import intrinsic

_features = config.CPU_FEATURES if config.CPU_FEATURES is not None else codegen.get_host_cpu_features()
FEATURES = frozenset(_features.split(","))  # "+avx2", ...: what code is compiled for
IS_WIDE = "+avx512f" in FEATURES

VECTOR_BYTES = 64 if IS_WIDE else 32
REGISTERS = 32 if IS_WIDE else 16

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

    def transposed(self, rows: list[Any]) -> list[Any]:
        """As many vectors as there are lanes, seen as a matrix: its columns.

        Row i of the first half and row i of the second are interleaved, and become rows 2i and 2i + 1. That
        turns the bits of (row, lane) by one place; after log2(lanes) rounds rows and lanes have swapped.
        """
        count = len(rows)
        numbers = ir.VectorType(ir.IntType(32), count)
        low, high = (
            ir.Constant(numbers, [half + i // 2 + count * (i % 2) for i in range(count)])
            for half in (0, count // 2)
        )
        for _ in range(count.bit_length() - 1):
            pairs = zip(rows[: count // 2], rows[count // 2 :], strict=True)
            rows = [self.builder.shuffle_vector(a, b, mask) for a, b in pairs for mask in (low, high)]
        return rows

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


def given(context: Any, builder: Any, signature: Any, arguments: Any) -> list[Any]:
    """The arguments of an intrinsic: of an array the pointer to its first element, of others the value."""
    return [
        context.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value
        for kind, value in zip(signature.args, arguments, strict=True)
    ]


@intrinsic  # type: ignore[untyped-decorator]
def address_of(typing_context: Any, array: Any) -> tuple[Any, Callable[..., Any]]:
    """Where the memory of an array begins. (`array.ctypes.data` is the same, and takes longer to compile.)"""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (pointer,) = given(context, builder, signature, arguments)
        return builder.ptrtoint(pointer, _INDEX)

    return types.intp(array), generate
