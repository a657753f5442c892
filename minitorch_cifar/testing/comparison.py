"""How far two results may lie apart, and the report when they lie further.

float64: the relative error to PyTorch's float64 result is at most 1e-10. float32: measured from PyTorch's
float64 result on the same inputs, the engine's error is at most twice PyTorch's own float32 error. Both have
a floor of 4 ulp of the largest number that occurs on the way, because no order of summation is better than
that. Whole numbers, booleans, NaN and infinities must agree exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..dtypes import Array


class ParityError(AssertionError):
    """Raised when the engine's result leaves PyTorch's by more than the rule allows."""


@dataclass(frozen=True)
class Rule:
    """The tolerance: `relative` for float64, `times` PyTorch's own error for float32, a floor of `ulps`."""

    relative: float = 1e-10
    times: float = 2.0
    ulps: float = 4.0


@dataclass(frozen=True)
class Difference:
    """One compared array: how far the engine is away, as a number that may be printed in a table.

    `what`: "output" or "gradient by input 0"; `error`: the largest absolute error; `measure`: for float64
    that error relative to the largest value on the way, for float32 in units of PyTorch's own error (or of
    half the floor, where that is more); `problem`: a report, when the rule is broken.
    """

    what: str
    dtype: str
    error: float
    measure: float
    problem: str | None = None


@dataclass
class Comparison:
    """All differences found in one call. `worst(dtype)` is the largest measure."""

    function: str
    differences: list[Difference] = field(default_factory=list)

    def worst(self, dtype: str) -> float:
        """The largest `measure` among the arrays compared in `dtype`; 0 without any."""
        return max((d.measure for d in self.differences if d.dtype == dtype), default=0.0)

    def raise_problems(self) -> None:
        """ParityError with a report on each array that breaks the rule."""
        problems = [d.problem for d in self.differences if d.problem]
        if problems:
            raise ParityError(
                f"minitorch_cifar and PyTorch differ in {self.function}:\n" + "\n".join(problems)
            )


def compare_values(
    what: str, dtype: str, engine: Any, own: Any, reference: Any, largest: float, rule: Rule
) -> Difference:
    """Compare one output or gradient.

    `own` is PyTorch's result in the same dtype, `reference` its result in float64, `largest` the largest
    magnitude that occurred on the way.
    """
    mismatch = _form_mismatch(engine, own)
    if mismatch:
        return Difference(what, dtype, np.inf, np.inf, f"  {what} ({dtype}): {mismatch}")
    if engine is None or not isinstance(engine, np.ndarray):
        return Difference(what, dtype, 0.0, 0.0)
    if engine.dtype.kind != "f":
        wrong = engine != own
        if not wrong.any():
            return Difference(what, dtype, 0.0, 0.0)
        return Difference(
            what, dtype, np.inf, np.inf, _report(what, dtype, wrong, engine, own, reference, "")
        )
    return _compare_floats(what, dtype, engine, own, reference, largest, rule)


def _form_mismatch(engine: Any, own: Any) -> str | None:
    if isinstance(engine, np.ndarray) != isinstance(own, np.ndarray):
        names = ["nothing" if v is None else type(v).__name__ for v in (engine, own)]
        return f"minitorch_cifar has {names[0]}, PyTorch {names[1]}"
    if not isinstance(engine, np.ndarray):
        return None if engine == own else f"minitorch_cifar gives {engine!r}, PyTorch {own!r}"
    if engine.shape != own.shape:
        return f"minitorch_cifar's shape is {engine.shape}, PyTorch's {own.shape}"
    if engine.dtype != own.dtype:
        return f"minitorch_cifar's dtype is {engine.dtype}, PyTorch's {own.dtype}"
    return None


def _compare_floats(
    what: str, dtype: str, engine: Array, own: Array, reference: Array, largest: float, rule: Rule
) -> Difference:
    if engine.dtype == np.float32:
        dtype = "float32"  # also among float64 inputs, where a function is told to give float32
    largest = min(largest, float(np.finfo(engine.dtype).max) / 2)
    floor = rule.ulps * float(np.spacing(np.asarray(largest, engine.dtype)))
    with np.errstate(all="ignore"):
        wide = reference.astype(np.float64)
        error = np.abs(engine - wide)
        # Equal infinities differ by NaN; a NaN is equal to a NaN here; an infinity is an overflow if
        # PyTorch's is.
        same = (engine == own) | (np.isnan(engine) & np.isnan(own)) | (engine == wide)
        # Where PyTorch's float32 overflows and float64 does not, the engine may overflow its own way.
        overflow = ~np.isfinite(own) & ~np.isfinite(engine) & np.isfinite(wide)
        error = np.where((same | overflow) & ~np.isfinite(error), 0.0, error)
        if dtype == "float64":
            allowed = np.where(np.isfinite(wide), rule.relative * np.abs(wide), 0) + floor
            scale = float(np.max(np.abs(wide), initial=0.0, where=np.isfinite(wide)))
            unit, basis = max(scale, largest) or 1.0, f"a relative error of {rule.relative:g}"
        else:
            own_errors = np.abs(own - wide)
            own_error = float(np.max(own_errors, initial=0.0, where=np.isfinite(own_errors)))
            allowed = np.full(wide.shape, max(rule.times * own_error, floor))
            unit = max(own_error, floor / rule.times)
            basis = f"{rule.times:g} times PyTorch's own largest error {own_error:.3g}"
    wrong = ~(error <= allowed)
    worst = float(np.max(error, initial=0.0, where=~np.isnan(error)))
    problem = None
    if wrong.any():
        note = (
            f"    allowed: {basis}, at least {rule.ulps:g} ulp of the largest intermediate value, {floor:.3g}"
        )
        problem = _report(what, dtype, wrong, engine, own, reference, note)
    return Difference(what, dtype, worst, worst / unit, problem)


def _report(what: str, dtype: str, wrong: Any, engine: Array, own: Array, reference: Any, note: str) -> str:
    with np.errstate(all="ignore"):
        distance = np.abs(engine.astype(np.float64) - np.asarray(reference, np.float64))
        distance = np.where(np.isnan(distance), np.inf, distance)
    place = np.unravel_index(int(np.argmax(np.where(wrong, distance, -1.0))), engine.shape)
    where = tuple(int(i) for i in place)
    line = f"  {what} ({dtype}), {int(wrong.sum())} of {wrong.size} elements; the worst at {where}:\n"
    line += f"    minitorch_cifar {engine[where]!s}, PyTorch {own[where]!s}"
    if engine.dtype.kind == "f":
        line += f" ({ulps_between(engine[where], own[where])} ulp apart)"
        if dtype == "float32":
            line += f", PyTorch in float64 {reference[where]!s}"
    return f"{line}\n{note}" if note else line


def ulps_between(x: Any, y: Any) -> int | float:
    """How many floating point numbers lie between two: 0 for equal ones, inf when one is not finite.

    >>> import numpy as np
    >>> ulps_between(np.float32(1), np.nextafter(np.float32(1), np.float32(2)))
    1
    """
    if not (np.isfinite(x) and np.isfinite(y)):
        return 0 if x == y or (np.isnan(x) and np.isnan(y)) else float("inf")
    bits = np.int32 if np.asarray(x).dtype == np.float32 else np.int64
    first, second = (int(np.asarray(v).view(bits)) for v in (x, y))
    low = int(np.iinfo(bits).min)
    return abs((first if first >= 0 else low - first) - (second if second >= 0 else low - second))
