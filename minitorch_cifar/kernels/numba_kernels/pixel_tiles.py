"""The inner loops of the convolution that has all output channels of a pixel side by side (`conv_pixels.py`),
as LLVM code for this CPU.

`pixel_tile` multiplies, `transpose_tile` brings numbers from channel after channel to pixel after pixel and
back. Who changes this file must touch the files that use it too: Numba's cache on disk looks at theirs only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .vectors import IS_WIDE, Vectors, constant, given

PIXELS = 8 if IS_WIDE else 6  # of a tile; with two vectors of channels the sums fill half of the registers

_int = types.intp


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def pixel_tile(
    typing_context: Any,
    weights: Any,
    weights_start: Any,
    weights_step: Any,
    frame: Any,
    frame_start: Any,
    places: Any,
    first_place: Any,
    stretches: Any,
    first: Any,
    last: Any,
    length: Any,
    before: Any,
    before_start: Any,
    before_pixel: Any,
    out: Any,
    out_start: Any,
    out_pixel: Any,
    pixels: Any,
    vectors: Any,
) -> tuple[Any, Callable[..., Any]]:
    """out[p, o] = before[p, o] + Σ_s Σ_t frame[places[p] + stretches[s] + t] · weights[s, t, o] for first ≤ s
    < last and t below `length`, for `pixels` pixels p, and all o in `vectors` vectors.

    Each t costs a load, broadcast, for every pixel, and a load for every vector of weights, for pixels ·
    vectors multiply-adds. The weights are stored as [s][t][o], `weights_step` from t to t, and begin at
    `weights_start` with s = first. All positions count elements.
    """
    signature = types.void(
        weights, _int, _int, frame, _int, places, _int, stretches, _int, _int, _int, before, _int, _int,
        out, _int, _int, pixels, vectors,
    )  # fmt: skip

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        weights, weights_start, step, frame, frame_start, places, first_place, *rest = given(
            context, builder, signature, arguments
        )
        stretches, first, last, length, before, before_start, before_pixel, out, out_start, out_pixel = rest[
            :10
        ]
        pixel_count, vector_count = (kind.literal_value for kind in signature.args[17:])
        of = Vectors(context, builder, signature.args[3].dtype)
        sums = [of.zeros(vector_count) for _ in range(pixel_count)]
        corners = []
        for p in range(pixel_count):
            place = builder.load(builder.gep(places, [builder.add(first_place, constant(p))]))
            corners.append(of.pointer(frame, builder.add(frame_start, place)))
        with cgutils.for_range_slice(builder, first, last, constant(1), inc=True) as (s, _):
            stretch = builder.load(builder.gep(stretches, [s]))
            terms = builder.mul(builder.sub(s, first), length)
            of_stretch = of.pointer(weights, weights_start, (terms, step))
            with cgutils.for_range(builder, length) as term:
                row = builder.gep(of_stretch, [builder.mul(term.index, step)])
                weight = [of.load(row, v) for v in range(vector_count)]
                at = builder.add(stretch, term.index)
                for p in range(pixel_count):
                    number = of.broadcast(builder.gep(corners[p], [at]))
                    for v in range(vector_count):
                        of.add_product(sums[p][v], number, weight[v])
        for p in range(pixel_count):
            earlier = of.pointer(before, before_start, (constant(p), before_pixel))
            row = of.pointer(out, out_start, (constant(p), out_pixel))
            for v in range(vector_count):
                of.store(builder.fadd(of.load(earlier, v), builder.load(sums[p][v])), row, v)
        return context.get_dummy_value()

    return signature, generate


def _transposing_function(context: Any, module: Any, element: Any) -> Any:
    """The function (source, row, target, places) that `transpose_tile` calls. It is there once and stays a
    function: where LLVM wrote its hundred instructions into every loop, each took some 0.1 s more to compile.
    """
    name = f"minitorch_cifar.transpose.{element}"
    number, index = context.get_value_type(element), ir.IntType(64)
    pointer = number.as_pointer()
    if name in module.globals:
        return module.globals[name]
    kind = ir.FunctionType(ir.VoidType(), [pointer, index, pointer, index.as_pointer()])
    function = ir.Function(module, kind, name)
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    source, row, target, places = function.args
    builder = ir.IRBuilder(function.append_basic_block())
    of = Vectors(context, builder, element)
    rows = [of.load(of.pointer(source, builder.mul(constant(j), row))) for j in range(of.lanes)]
    for i, column in enumerate(of.transposed(rows)):
        of.store(column, of.pointer(target, builder.load(builder.gep(places, [constant(i)]))))
    builder.ret_void()
    return function


@intrinsic  # type: ignore[untyped-decorator]
def transpose_tile(
    typing_context: Any,
    source: Any,
    source_start: Any,
    source_row: Any,
    target: Any,
    target_start: Any,
    places: Any,
    first_place: Any,
) -> tuple[Any, Callable[..., Any]]:
    """target[target_start + places[first_place + i] + j] = source[source_start + j · source_row + i], for all
    i and j below the number of lanes.
    """
    signature = types.void(source, _int, _int, target, _int, places, _int)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, source_start, source_row, target, target_start, places, first_place = given(
            context, builder, signature, arguments
        )
        function = _transposing_function(context, builder.module, signature.args[0].dtype)
        pointers = [
            builder.gep(array, [start])
            for array, start in ((source, source_start), (target, target_start), (places, first_place))
        ]
        builder.call(function, [pointers[0], source_row, *pointers[1:]])
        return context.get_dummy_value()

    return signature, generate
