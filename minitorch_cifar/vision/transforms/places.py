"""Transforms that only move pixels, as maps of places: for whole batches.

Padding, cropping and mirroring change no pixel. What they do to a picture is told by two short lists: from
which row each row of the result comes, and from which column each column; -1 stands for a border of one
colour. `moves_of` turns a chain of such transforms into `Moves`, whose `places` gives the lists for a whole
batch and draws the random words that the transforms would have drawn picture by picture, in their order. The
pixels themselves are fetched by the kernel that turns them into floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...dtypes import Array
from ...random import default_generator
from .geometry import _middle
from .random_transforms import RandomCrop, RandomHorizontalFlip, RandomVerticalFlip
from .transforms import CenterCrop, Pad


class Move(Protocol):
    """One step."""

    @property
    def words(self) -> int:
        """How many random words it takes for a picture."""
        ...

    def __call__(self, rows: Array, columns: Array, words: Array) -> tuple[Array, Array]:
        """New rows (B, h) and columns (B, w) from the old ones and the words, uint32 (B, self.words).

        Either may be (1, ...) instead, as long as it is the same for all pictures.
        """
        ...


@dataclass(frozen=True)
class Flip:
    """Mirrors pictures whose word, as a float32 in 0 ... 1, is below `p`."""

    p: float
    vertical: bool
    words: int = 1

    def __call__(self, rows: Array, columns: Array, words: Array) -> tuple[Array, Array]:
        uniform = (words & np.uint32(0xFFFFFF)).astype(np.float32) * np.float32(2.0**-24)
        happens = uniform < np.float32(self.p)  # (B, 1)
        if self.vertical:
            return np.where(happens, rows[:, ::-1], rows), columns
        return rows, np.where(happens, columns[:, ::-1], columns)


@dataclass(frozen=True)
class Border:
    """Adds lines on the (left, top, right, bottom)."""

    sides: tuple[int, int, int, int]
    mode: str
    words: int = 0

    def __call__(self, rows: Array, columns: Array, words: Array) -> tuple[Array, Array]:
        left, top, right, bottom = self.sides
        mode: Any = self.mode
        colour = {"constant_values": -1} if mode == "constant" else {}
        widened = (
            np.pad(lines, ((0, 0), ends), mode=mode, **colour)
            for lines, ends in ((rows, (top, bottom)), (columns, (left, right)))
        )
        return next(widened), next(widened)


@dataclass(frozen=True)
class Part:
    """Keeps `height` rows and `width` columns from `start` on, or from a random place."""

    height: int
    width: int
    start: tuple[int, int] | None = None
    words: int = 0

    def __call__(self, rows: Array, columns: Array, words: Array) -> tuple[Array, Array]:
        if self.start is not None:
            top, left = self.start
            return rows[:, top : top + self.height], columns[:, left : left + self.width]
        kept = []
        for lines, size, word in ((rows, self.height, words[:, :1]), (columns, self.width, words[:, 1:])):
            first = (word % np.uint32(lines.shape[1] - size + 1)).astype(np.int64)  # (B, 1)
            wanted = first + np.arange(size)  # (B, size)
            alike = len(lines) == 1
            kept.append(lines[0][wanted] if alike else np.take_along_axis(lines, wanted, axis=1))
        return kept[0], kept[1]


class Moves:
    """Steps on pictures of one size (height, width).

    Attributes: `steps` that draw, and those behind them; `rows` (1, h) and `columns` (1, w), what the steps
    before these have done; the size `after` all; `fill`, the border's byte.
    """

    def __init__(self, steps: Sequence[Move], before: tuple[int, int], after: tuple[int, int], fill: int):
        fixed = next((i for i, step in enumerate(steps) if step.words), len(steps))
        rows, columns = (np.arange(length)[None] for length in before)
        for step in steps[:fixed]:
            rows, columns = step(rows, columns, np.empty((1, 0), np.uint32))
        self.rows, self.columns = rows, columns
        self.steps = steps[fixed:]
        self.after = after
        self.fill = fill
        self.words = sum(step.words for step in steps)  # of one picture

    def places(self, count: int) -> tuple[Array, Array, int]:
        """Rows (count, h) and columns (count, w), int64, for so many pictures, and the border's byte."""
        rows, columns = self.rows, self.columns
        # Picture by picture, each draws for all its steps: a row of words is one picture's.
        words = default_generator.words(count * self.words).reshape(count, self.words)
        used = 0
        for step in self.steps:
            rows, columns = step(rows, columns, words[:, used : used + step.words])
            used += step.words
        rows, columns = (x if len(x) == count else x.repeat(count, axis=0) for x in (rows, columns))
        return rows, columns, self.fill


def moves_of(transforms: Sequence[Any], height: int, width: int) -> Moves | None:
    """What a chain does to byte pictures (height, width); None when a transform is of another kind.

    None also for arguments that are errors, which are left for the transforms themselves to raise.
    """
    steps: list[Move] = []
    fills: set[int] = set()
    size = (height, width)

    def widen(padding: Any, fill: Any, mode: Any) -> bool:
        nonlocal size
        sides = _sides(padding)
        if sides is None or mode not in ("constant", "edge", "reflect", "symmetric"):
            return False
        left, top, right, bottom = sides
        if mode == "constant":
            if type(fill) is not int or not 0 <= fill <= 255:
                return False
            fills.add(fill)
        elif 0 in size or (mode == "reflect" and min(size) < 2):
            return False
        steps.append(Border(sides, mode))
        size = (size[0] + top + bottom, size[1] + left + right)
        return True

    for transform in transforms:
        kind = type(transform)
        if kind in (RandomHorizontalFlip, RandomVerticalFlip):
            if type(transform.p) not in (int, float):
                return None
            steps.append(Flip(transform.p, vertical=kind is RandomVerticalFlip))
        elif kind is Pad:
            if not widen(transform.padding, transform.fill, transform.padding_mode):
                return None
        elif kind in (RandomCrop, CenterCrop):
            wanted = _two(transform.size)
            if wanted is None:
                return None
            if kind is RandomCrop:
                borders = [] if transform.padding is None else [transform.padding]
                if not all(widen(border, transform.fill, transform.padding_mode) for border in borders):
                    return None
                lacking = wanted[0] - size[0], wanted[1] - size[1]
                borders = [[lacking[1], 0]] if lacking[1] > 0 else []
                borders += [[0, lacking[0]]] if lacking[0] > 0 else []
                if borders and not transform.pad_if_needed:
                    return None
                if not all(widen(border, transform.fill, transform.padding_mode) for border in borders):
                    return None
            else:
                lacking = max(wanted[0] - size[0], 0), max(wanted[1] - size[1], 0)
                top, left = lacking[0] // 2, lacking[1] // 2
                if any(lacking) and not widen(
                    (left, top, lacking[1] - left, lacking[0] - top), 0, "constant"
                ):
                    return None
            if wanted[0] > size[0] or wanted[1] > size[1]:
                return None
            if kind is CenterCrop:
                start = _middle(size[0], wanted[0]), _middle(size[1], wanted[1])
                steps.append(Part(wanted[0], wanted[1], start))
            elif wanted != size:
                steps.append(Part(wanted[0], wanted[1], words=2))
            size = wanted
        else:
            return None
    if len(fills) > 1:
        return None
    return Moves(steps, (height, width), size, min(fills, default=0))


def _two(size: Any) -> tuple[int, int] | None:
    """(height, width) if that is what it is, else None."""
    if not isinstance(size, (tuple, list)) or len(size) != 2:
        return None
    height, width = size
    right = type(height) is int and type(width) is int and height > 0 and width > 0
    return (height, width) if right else None


def _sides(padding: Any) -> tuple[int, int, int, int] | None:
    """(left, top, right, bottom), as `Pad` reads its argument; None for what it refuses or cuts off."""
    sides = list(padding) if isinstance(padding, (tuple, list)) else [padding]
    if len(sides) not in (1, 2, 4) or any(type(side) is not int or side < 0 for side in sides):
        return None
    left, top, right, bottom = (sides * (4 // len(sides)))[:4]
    return left, top, right, bottom
