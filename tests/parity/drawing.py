"""How the registry's rows draw their inputs: shapes, memory layouts, values, dtypes, parameters.

A row asks a `Maker` for arrays and parameters and puts them into a `Sample`. The maker turns each wish into
Hypothesis draws that shrink to small shapes, contiguous memory and simple numbers. All floats it draws are
float32 numbers, so that float32 and float64 runs start from the same ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minitorch_cifar.testing.arrays import Leaf, as_leaves, flatten

LAYOUTS = ("contiguous", "fortran", "rolled", "stepped", "offset", "expanded")
DTYPES = ("float32", "float64", "int64", "int32", "uint8", "bool")


def _pool(*simple: float, spread: Callable[[np.random.Generator, int], Any]) -> np.ndarray:
    """256 numbers, the simple ones first: a drawn byte is an index, so smaller is simpler."""
    rest = spread(np.random.default_rng(len(simple)), 256 - len(simple))
    return np.concatenate([simple, rest]).astype(np.float32).astype(np.float64)


_TINY, _HUGE = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)

POOLS = {
    "ordinary": _pool(1, 2, -1, 0.5, -2, 3, spread=lambda rng, n: rng.normal(0, 1.5, n)),
    "positive": _pool(1, 2, 0.5, 3, spread=lambda rng, n: rng.lognormal(0, 0.7, n)),
    "unit": _pool(0.5, 0.25, spread=lambda rng, n: rng.uniform(0.02, 0.98, n)),
    "ties": _pool(0, 1, -1, 2, spread=lambda rng, n: rng.choice([0, 1, -1, 2, 0.5, -0.5, 3, -0.0], n)),
    "special": _pool(
        *(0, -0.0, 1, -1, math.inf, -math.inf, math.nan, 0.5),
        spread=lambda rng, n: rng.choice(
            [0.0, -0.0, 1, -1.5, 2, math.inf, -math.inf, math.nan, _HUGE, -_HUGE, _TINY, -_TINY / 4, 1e4], n
        ),
    ),
    "extreme": _pool(
        *(1, 1e10, 1e-10, -1e10),
        spread=lambda rng, n: rng.choice([-1, 1], n) * 10.0 ** rng.uniform(-30, 30, n),
    ),
}
_INTEGERS = np.concatenate([[1, 2, 0, 3], np.random.default_rng(0).integers(-9, 10, 252)])


@dataclass
class Sample:
    """One call: arguments (arrays where tensors go) and how the upstream gradient lies in memory."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    grad_layout: str = "contiguous"
    seed: int = 0

    def __repr__(self) -> str:
        shown = [show(a) for a in self.args] + [f"{k}={show(v)}" for k, v in self.kwargs.items()]
        note = "" if self.grad_layout == "contiguous" else f", upstream gradient {self.grad_layout}"
        return f"call({', '.join(shown)}{note})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    def leaves(self) -> list[Leaf]:
        """The tensors among the arguments."""
        found = flatten(as_leaves(self.args), "") + flatten(as_leaves(self.kwargs), "")
        return [value for _, value in found if isinstance(value, Leaf)]


def show(value: Any) -> str:
    if isinstance(value, Leaf):
        array, plain = value.array, "" if value.requires_grad else ", no gradient"
        strides = [s // array.itemsize for s in array.strides]
        lies = "" if array.flags.c_contiguous else f", strides={strides}"
        return f"tensor({array.tolist()}, shape={array.shape}, {array.dtype}{lies}{plain})"
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__}({', '.join(map(show, value))})"
    return repr(value)


@dataclass
class Maker:
    """Draws what a row asks for. `mixed`: every tensor gets a dtype of its own choice."""

    draw: Callable[[Any], Any]
    regime: str = "ordinary"
    mixed: bool = False
    layouts: Sequence[str] = LAYOUTS
    kinds: Sequence[str] = DTYPES
    all_gradients: bool = False
    drawn: int = field(default=0, init=False)  # how many tensors so far

    # Parameters ------------------------------------------------------------------------------------------

    def choice(self, *options: Any) -> Any:
        """One of the options; the first is the simplest."""
        return self.draw(st.sampled_from(options))

    def flag(self) -> bool:
        """False or True."""
        return bool(self.draw(st.booleans()))

    def integer(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return int(self.draw(st.integers(low, high)))

    def some(self, **options: Sequence[Any]) -> dict[str, Any]:
        """Keyword arguments, each present or left out, with one of the values given for it."""
        return {name: self.choice(*values) for name, values in options.items() if self.flag()}

    def dim(self, ndim: int) -> int:
        """A dimension, counted from either end."""
        reach = max(ndim, 1)
        d = self.integer(0, 2 * reach - 1)
        return d if d < reach else d - 2 * reach

    def dims(self, ndim: int) -> Any:
        """One dimension, several different ones, none (`None`)."""
        form = self.choice("one", "several", "none")
        if form == "none":
            return None
        if form == "one" or not ndim:
            return self.dim(ndim)
        chosen = [d for d in range(ndim) if self.flag()] or [0]
        return tuple(d - ndim if self.flag() else d for d in chosen)

    # Shapes ----------------------------------------------------------------------------------------------

    def shape(
        self, min_ndim: int = 0, max_ndim: int = 3, min_side: int = 0, max_side: int = 4
    ) -> tuple[int, ...]:
        """Sizes; 0 and 1 occur often."""
        ndim = self.integer(min_ndim, max_ndim)
        sides = [n for n in (2, 3, 1, 0, 4, 5, 7) if min_side <= n <= max_side]
        return tuple(self.choice(*sides) for _ in range(ndim))

    def broadcastable(self, count: int, **limits: int) -> list[tuple[int, ...]]:
        """Shapes that broadcast with each other, of different numbers of dimensions."""
        whole = self.shape(**limits)
        shapes = []
        for _ in range(count):
            start = self.integer(0, len(whole))
            shapes.append(tuple(1 if self.flag() and self.flag() else n for n in whole[start:]))
        shapes[0] = whole if self.flag() else shapes[0]
        return shapes

    # Tensors ---------------------------------------------------------------------------------------------

    def values(self, size: int, regime: str | None = None) -> np.ndarray:
        """Numbers of a regime as a vector."""
        regime = regime or self.regime
        self.drawn += 1
        drawn = np.frombuffer(self.draw(st.binary(min_size=size, max_size=size)), np.uint8)
        if regime.startswith("distinct"):
            # Far from each other, from 0, from round numbers and from other tensors' numbers: a step of eps
            # does not reach a kink.
            order = np.argsort(np.argsort(drawn, kind="stable"), kind="stable")
            sizes = 0.15713 + 0.06131 * self.drawn + 2.3 * order / max(size, 1)
            signs = 1 if regime.endswith("positive") else np.where(drawn % 2, -1, 1)
            return (sizes * signs).astype(np.float32).astype(np.float64)
        return POOLS[regime][drawn]

    def tensor(self, shape: Sequence[int], regime: str | None = None, gradient: bool | None = None) -> Leaf:
        """A tensor of the given shape, of floats or, when dtypes are mixed, of any dtype."""
        shape = tuple(shape)
        kind = self.choice(*self.kinds) if self.mixed else "float64"
        if kind.startswith("float"):
            values = self.values(math.prod(shape), regime).astype(kind)
        else:
            drawn = np.frombuffer(
                self.draw(st.binary(min_size=math.prod(shape), max_size=math.prod(shape))), np.uint8
            )
            with np.errstate(all="ignore"):
                values = _INTEGERS[drawn].astype(kind)
        array = self.laid_out(
            values.reshape(shape), repeat=not (regime or self.regime).startswith("distinct")
        )
        if gradient is None:
            gradient = self.all_gradients or not (self.flag() and self.flag())
        return Leaf(array, gradient and array.dtype.kind == "f")

    def tensors(self, shapes: Sequence[Sequence[int]], regime: str | None = None) -> list[Leaf]:
        """One tensor per shape; at least one of them asks for a gradient."""
        made = [self.tensor(shape, regime) for shape in shapes]
        floats = [leaf.array.dtype.kind == "f" for leaf in made]
        if any(floats) and not any(leaf.requires_grad for leaf in made):
            first = floats.index(True)
            made[first] = Leaf(made[first].array, True)
        return made

    def mask(self, shape: Sequence[int]) -> Leaf:
        """A tensor of booleans."""
        drawn = self.draw(st.binary(min_size=math.prod(shape), max_size=math.prod(shape)))
        bits = np.frombuffer(drawn, np.uint8) % 2 == 1
        return Leaf(self.laid_out(bits.reshape(tuple(shape))), False)

    def indices(self, shape: Sequence[int], low: int, high: int, kind: str = "int64") -> Leaf:
        """A tensor of whole numbers from low to high - 1."""
        drawn = self.draw(st.binary(min_size=math.prod(shape), max_size=math.prod(shape)))
        places = low + np.frombuffer(drawn, np.uint8).astype(kind) % max(high - low, 1)
        return Leaf(self.laid_out(places.reshape(tuple(shape))), False)

    def number(
        self, floats: Sequence[float] = (2.0, -0.5, 1.5, 0.0), integers: Sequence[int] = (2, 1, -3, 0)
    ) -> Any:
        """A Python number."""
        return self.choice(*integers, *floats)

    def laid_out(self, values: np.ndarray, repeat: bool = True) -> np.ndarray:
        """The values in a drawn memory layout; an expanded one, which repeats values, only if they may."""
        layout = self.choice(*self.layouts)
        return lay_out(values, layout if repeat or layout != "expanded" else "contiguous")

    def sample(self, *args: Any, **kwargs: Any) -> Sample:
        """The arguments as a sample with a drawn upstream gradient."""
        return Sample(
            args,
            kwargs,
            self.choice(*self.layouts, *(["reversed"] if len(self.layouts) > 1 else [])),
            self.integer(0, 3),
        )


def lay_out(values: np.ndarray, layout: str) -> np.ndarray:
    """A writable array of these values with the strides that the layout names."""
    n = values.ndim
    if layout == "fortran":
        return np.array(values, order="F")
    if layout == "rolled" and n > 1:  # (A, B, C) lies in memory as (B, C, A)
        return np.moveaxis(np.moveaxis(values, 0, -1).copy(), -1, 0)
    if layout == "stepped" and n:
        wide = np.zeros((*values.shape[:-1], 2 * values.shape[-1]), values.dtype)
        wide[..., ::2] = values
        return wide[..., ::2]
    if layout == "offset" and n:
        larger = np.zeros((values.shape[0] + 2, *(s + 1 for s in values.shape[1:])), values.dtype)
        place = larger[(slice(1, values.shape[0] + 1), *(slice(1, None),) * (n - 1))]
        place[...] = values
        return place
    if layout == "expanded" and values.size:
        wide_dims = [d for d, s in enumerate(values.shape) if s > 1]
        if wide_dims:
            one = values.take([0], axis=wide_dims[0])
            strides = tuple(0 if d == wide_dims[0] else s for d, s in enumerate(one.strides))
            return np.lib.stride_tricks.as_strided(one, values.shape, strides)
    if layout == "reversed" and n:
        return values[(slice(None, None, -1),) * n].copy()[(slice(None, None, -1),) * n]
    return values.copy()
