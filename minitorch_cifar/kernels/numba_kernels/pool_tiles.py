"""The inner loop of a max pool of 2 x 2 windows, as LLVM code for this CPU.

Who changes this file must touch `pool.py` too: Numba's cache on disk looks at that one only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from .vectors import Vectors, given

_int = types.intp
_NUMBER = ir.IntType(32)


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def pool_tile(
    typing_context: Any,
    x: Any,
    upper: Any,
    lower: Any,
    place: Any,
    width: Any,
    out: Any,
    indices: Any,
    target: Any,
    windows: Any,
) -> tuple[Any, Callable[..., Any]]:
    """The largest of each of so many `windows`, side by side, and its place.

    The rows of the first window begin at `upper` and `lower` of the flat array x. Its first element has the
    number `place` in its plane, whose rows are `width` long. Results go to `target` of out and of indices,
    which is int32. A NaN wins, of several the last; of equal numbers the first.
    """
    signature = types.void(x, _int, _int, _int, _int, out, indices, _int, windows)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, upper, lower, place, width, out, indices, target, _ = given(context, builder, signature, arguments)
        element = signature.args[0].dtype
        lanes = signature.args[8].literal_value
        of = Vectors(context, builder, element, lanes * element.bitwidth // 8)
        even, odd = (
            ir.Constant(ir.VectorType(_NUMBER, lanes), [2 * i + first for i in range(lanes)])
            for first in (0, 1)
        )
        numbers = ir.VectorType(_NUMBER, lanes)
        steps = ir.Constant(numbers, [2 * i for i in range(lanes)])

        def every_lane(value: Any) -> Any:
            one = builder.insert_element(
                ir.Constant(numbers, ir.Undefined), builder.trunc(value, _NUMBER), ir.Constant(_NUMBER, 0)
            )
            return builder.shuffle_vector(one, ir.Constant(numbers, ir.Undefined), ir.Constant(numbers, None))

        best = winner = None
        first = builder.add(every_lane(place), steps)
        for row, start in ((0, upper), (1, lower)):
            pointer = builder.gep(x, [start])
            left, right = of.load(pointer), of.load(pointer, 1)
            for column, mask in ((0, even), (1, odd)):
                value = builder.shuffle_vector(left, right, mask)
                number = builder.add(first, ir.Constant(numbers, [column] * lanes))
                if row:
                    number = builder.add(number, every_lane(width))
                if best is None:
                    best, winner = value, number
                    continue
                larger = builder.fcmp_ordered(">", value, best)
                better = builder.or_(larger, builder.fcmp_unordered("uno", value, value))
                best = builder.select(better, value, best)
                winner = builder.select(better, number, winner)
        of.store(best, builder.gep(out, [target]))
        places = builder.bitcast(builder.gep(indices, [target]), numbers.as_pointer())
        builder.store(winner, places, align=4)
        return context.get_dummy_value()

    return signature, generate
