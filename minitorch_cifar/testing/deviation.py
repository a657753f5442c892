"""How far an array of the engine lies from PyTorch's, and how far it may.

Three measures of the difference to PyTorch's result in the same dtype: absolute, relative to the largest
value of the array, and in ulp, the number of floating point numbers between two elements. And a judgement
that needs no list of exceptions: the measuring stick is PyTorch itself, whose float32 result is held against
its float64 result on the same inputs. Where sums cancel (the gradient by a bias in front of a batch norm is
zero but for rounding) both are inexact and the stick is long; everywhere else it is short.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..dtypes import Array
from .sides import largest_magnitude

TIMES = 8.0
"""So many times PyTorch's own error the engine's may be; the same in float64, where PyTorch's own error is
its float32 error scaled to float64's shorter steps."""

FLOOR = {"float32": 2e-6, "float64": 1e-12}
"""And at least so much of the array's largest value. PyTorch may be exact by luck (in float32, 2e-6 is 16
ulp); and long sums of float32 are made in float64, but those of float64 in nothing wider."""

SOURCE_ULPS = 4.0
"""And so many ulp of the largest gradient that a gradient is summed up from, when the caller knows it: where
few numbers cancel, PyTorch's own error may be nothing by luck."""

CANCELS = 1e-3
"""PyTorch's own float32 error in units of the largest value from which an array counts as cancelled."""


@dataclass(frozen=True)
class Deviation:
    """How far apart two arrays are.

    `absolute`, `relative` and `ulp` are the largest differences of an element; `own` is PyTorch's own float32
    error, relative to the largest value; `share` is how much of the tolerance is used, more than 1 when it
    is left; then `problem` says where and by how much, or what else is wrong.
    """

    absolute: float = 0.0
    relative: float = 0.0
    ulp: float = 0.0
    own: float = 0.0
    share: float = 0.0
    problem: str | None = None

    def worst(self, other: Deviation) -> Deviation:
        """The larger of each measure; the problem of whichever has one, `self` first."""
        return Deviation(
            max(self.absolute, other.absolute),
            max(self.relative, other.relative),
            max(self.ulp, other.ulp),
            max(self.own, other.own),
            max(self.share, other.share),
            self.problem or other.problem,
        )

    @property
    def cancels(self) -> bool:
        """Whether PyTorch's own error is so large that the result is mostly rounding."""
        return self.own > CANCELS


def broken(problem: str) -> Deviation:
    """The deviation of what cannot be compared."""
    return Deviation(math.inf, math.inf, math.inf, 0.0, math.inf, problem)


def deviation(
    engine: Array | None,
    same: Array | None,
    narrow: Array | None,
    wide: Array | None,
    source: float = 0.0,
) -> Deviation:
    """Compare the engine's array with PyTorch's.

    Args:
        engine: the engine's, float32 or float64; whole numbers and booleans must be equal.
        same: PyTorch's in the same dtype.
        narrow, wide: PyTorch's in float32 and in float64, from the same inputs. One of them is `same`.
        source: the largest gradient that the array was summed up from.

    The engine's error is its distance from `wide`; allowed are TIMES the largest error of `narrow`, in
    float64 scaled by the ratio of the dtypes' eps, but at least FLOOR of the largest value and SOURCE_ULPS
    of `source`.

    >>> import numpy as np
    >>> wide = np.array([1.0, 2.0])
    >>> same = wide.astype(np.float32)
    >>> deviation(np.nextafter(same, np.float32(3)), same, same, wide).ulp
    1.0
    >>> deviation(same * np.float32(1.001), same, same, wide).share > 1
    True
    """
    if engine is None or same is None or narrow is None or wide is None:
        if engine is None and same is None:
            return Deviation()
        return broken("PyTorch has none" if same is None else "minitorch_cifar has none")
    if engine.shape != same.shape or engine.dtype != same.dtype:
        return broken(
            f"minitorch_cifar's is {engine.dtype} of shape {engine.shape}, PyTorch's {same.dtype} of shape "
            f"{same.shape}"
        )
    if not engine.size:
        return Deviation()
    if engine.dtype.kind != "f":
        wrong = np.asarray(engine != same)
        return broken(_at(wrong.argmax(), engine, same, "equal numbers")) if wrong.any() else Deviation()
    return _of_floats(engine, same, narrow, wide, source)


def _of_floats(engine: Array, same: Array, narrow: Array, wide: Array, source: float) -> Deviation:
    difference, error = _distance(engine, same), _distance(engine, wide)
    scale = largest_magnitude(wide)
    step = float(np.finfo(engine.dtype).eps)
    own = largest_magnitude(_distance(narrow, wide))
    stick = own * step / float(np.finfo(np.float32).eps)
    floor = max(
        FLOOR[engine.dtype.name] * scale, SOURCE_ULPS * step * source, float(np.finfo(engine.dtype).tiny)
    )
    allowed = max(TIMES * stick, floor)
    absolute, worst = float(difference.max()), float(error.max())
    found = Deviation(
        absolute,
        absolute / scale if scale else (math.inf if absolute else 0.0),
        float(ulp_distances(engine, same).max()),
        own / scale if scale else 0.0,
        worst / allowed,
    )
    if found.share <= 1:
        return found
    return replace(found, problem=_at(error.argmax(), engine, wide.astype(same.dtype), f"{allowed:.3g}"))


def _distance(x: Array, y: Array) -> Any:
    """|x - y| in float64; 0 between equal infinities and between NaN and NaN, inf to a single NaN."""
    with np.errstate(all="ignore"):
        distance = np.abs(np.subtract(x, y, dtype=np.float64))
        same = (x == y) | (np.isnan(x) & np.isnan(y))
    return np.where(same, 0.0, np.where(np.isnan(distance), np.inf, distance))


def _at(flat: Any, engine: Array, other: Array, allowed: str) -> str:
    place = tuple(int(i) for i in np.unravel_index(int(flat), engine.shape))
    where = f" at {place}" if place else ""
    return f"minitorch_cifar {engine[place]!s}, PyTorch {other[place]!s}{where}; allowed: {allowed}"


def ulp_distances(x: Array, y: Array) -> Any:
    """For each pair of elements how many floating point numbers lie between them; inf to a single NaN.

    >>> import numpy as np
    >>> ulp_distances(np.float32([1, -0.0, np.nan]), np.float32([1 + 2**-22, 0, np.nan])).tolist()
    [2.0, 0.0, 0.0]
    """
    bits, low = (np.int32, -(2**31)) if x.dtype == np.float32 else (np.int64, -(2**63))

    def rank(values: Array) -> Any:
        # Negative floats count downwards from the bits of -0.0; seen from 0 they must go on where 0 ends.
        whole: Any = np.ascontiguousarray(values).view(bits).reshape(values.shape)
        return np.where(whole >= 0, whole, np.asarray(low, bits) - whole)

    first, second = rank(x), rank(y)
    if bits is np.int64:
        # Distances beyond the range of int64, between numbers of opposite signs, are rounded to a float.
        apart = np.abs(first.astype(np.float64) - second.astype(np.float64))
        near = (first >= 0) == (second >= 0)
        distance = np.where(near, np.abs(np.where(near, first - second, 0)), apart)
    else:
        distance = np.abs(first.astype(np.int64) - second.astype(np.int64)).astype(np.float64)
    missing = np.isnan(x), np.isnan(y)
    distance = np.where(missing[0] & missing[1], 0.0, distance)
    return np.where(missing[0] != missing[1], np.inf, distance)
