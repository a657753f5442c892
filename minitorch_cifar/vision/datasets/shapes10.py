"""`Shapes10`: a data set that needs no file, ten classes of 32x32 RGB pictures drawn when asked for.

Each picture shows one shape on a cluttered background; colours, place, size, rotation, clutter and noise are
drawn at random, so that no single pixel says much about the class. A shape is a function f(u, v) that is
positive inside and falls off like the distance to its edge; turning and scaling the picture is done to (u,
v). All arithmetic is on integers and the random words come from PCG64's raw stream, which NumPy keeps for
ever: the same seed gives the same bytes on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from ...dtypes import Array
from .arrays import ArrayDataset
from .vision import Transform

SIDE: Final = 32
UNIT: Final = 1024  # a shape's radius in its own coordinates
TURN: Final = 256  # angles are counted in 1/256 of a full turn
SHIFT: Final = 34  # the middle of a shape lies this far from the picture's, at most, in 1/8 pixel
TILT: Final = 22  # and it is turned this far either way
BLOCK: Final = 50  # pictures drawn together: few enough for their planes to stay in the cache

# Rounded to integers: no value lies near enough to a half for two libms to disagree.
COSINE: Final = np.array([round(UNIT * math.cos(2 * math.pi * k / TURN)) for k in range(TURN)], np.int32)
SINE: Final = np.roll(COSINE, TURN // 4)


def both(first: Array, second: Array) -> Array:
    """What lies in both of two shapes."""
    return np.minimum(first, second)


def either(first: Array, second: Array) -> Array:
    """What lies in at least one of two shapes."""
    return np.maximum(first, second)


# The shapes, as functions of integer coordinates; positive inside, UNIT is the radius.


def circle(u: Array, v: Array, radius: int = UNIT) -> Array:
    """(r² - u² - v²) / 2r: the distance to the edge, to first order."""
    distance: Array = (radius * radius - (u * u + v * v)) // (2 * radius)
    return distance


def ring(u: Array, v: Array) -> Array:
    return both(circle(u, v), -circle(u, v, 600))


def square(u: Array, v: Array) -> Array:
    return 780 - np.maximum(np.abs(u), np.abs(v))


def half_planes(u: Array, v: Array, count: int, distance: int) -> list[Array]:
    """For each side of a regular polygon round 0: how far a point lies on its inner side."""
    angles = [TURN * (2 * k + 1) // (2 * count) for k in range(count)]
    return [distance - (u * int(COSINE[angle]) + v * int(SINE[angle])) // UNIT for angle in angles]


def triangle(u: Array, v: Array) -> Array:
    a, b, c = half_planes(-v, u, 3, 540)
    return both(both(a, b), c)


def diamond(u: Array, v: Array) -> Array:
    """|u| / 0.55 + |v| <= 1: about half as wide as it is high."""
    distance: Array = (UNIT - np.abs(v) - (np.abs(u) * 20) // 11) // 2
    return distance


def cross(u: Array, v: Array) -> Array:
    across, along = np.abs(u), np.abs(v)
    thin, long = 270, 960
    return either(both(thin - across, long - along), both(long - across, thin - along))


def star(u: Array, v: Array) -> Array:
    """Five points: all that lies on the inner side of at least four of a pentagon's five sides."""
    first, second, *rest = half_planes(-v, u, 5, 340)
    least, next_least = both(first, second), either(first, second)
    for plane in rest:
        next_least = both(next_least, either(least, plane))
        least = both(least, plane)
    return next_least


def crescent(u: Array, v: Array) -> Array:
    return both(circle(u, v), -circle(u - 480, v, 820))


def arrow(u: Array, v: Array) -> Array:
    """A head on a shaft, pointing up: to negative v, as y grows downwards."""
    across, v = np.abs(u), -v
    head = both((UNIT - v - (across * 5) // 4) * 5 // 8, v + 60)
    shaft = both(240 - across, both(v + 960, 200 - v))
    return either(head, shaft)


def semicircle(u: Array, v: Array) -> Array:
    return both(circle(u, v - 420), 420 - v)


SHAPES: Final[dict[str, Callable[[Array, Array], Array]]] = {
    shape.__name__: shape
    for shape in (circle, ring, square, triangle, diamond, cross, star, crescent, arrow, semicircle)
}


class RandomIntegers:
    """Uniform integers from the raw 64-bit words of PCG64."""

    def __init__(self, *seed: int) -> None:
        self.words = np.random.PCG64(np.random.SeedSequence(seed))

    def between(self, low: int, high: int, *shape: int) -> Array:
        """int32 in low ... high-1: the upper half of a word, times the width, divided by 2³²."""
        words = self.words.random_raw(math.prod(shape))
        scaled = (words >> np.uint64(32)) * np.uint64(high - low) >> np.uint64(32)
        return scaled.astype(np.int32).reshape(shape) + low

    def order(self, count: int) -> Array:
        """A permutation of 0 ... count-1: how random words sort."""
        return np.argsort(self.words.random_raw(count), kind="stable")

    def bytes(self, count: int) -> Array:
        """`count` uniform bytes, as uint8."""
        words = self.words.random_raw(-(-count // 8))
        return words.astype("<u8").view(np.uint8)[:count]


def draw(train: bool, seed: int = 0) -> tuple[Array, Array]:
    """Pictures, uint8 (N, 32, 32, 3), and labels, int64 (N,): N = 10,000 for training, 2,000 for testing."""
    random = RandomIntegers(seed, 0 if train else 1)
    count = 10_000 if train else 2_000
    labels = np.arange(count) % len(SHAPES)
    pictures = np.empty((count, SIDE, SIDE, 3), np.uint8)
    functions = tuple(SHAPES.values())
    per_class = count // len(functions)
    order = random.order(count)
    for label, shape in enumerate(functions):
        places = order[label * per_class : (label + 1) * per_class]
        labels[places] = label
        for start in range(0, per_class, BLOCK):
            block = places[start : start + BLOCK]
            pictures[block] = draw_block(shape, len(block), random)
    return pictures, labels


def draw_block(shape: Callable[[Array, Array], Array], count: int, random: RandomIntegers) -> Array:
    """`count` pictures of one shape, uint8 (count, 32, 32, 3)."""
    # Distances are in 1/8 pixel; pixel x has its centre at 8x + 4.
    centres = np.arange(SIDE, dtype=np.int32) * 8 + 4
    x = centres[None, None, :]
    y = centres[None, :, None]

    light, dark = paired_colours(count, random)
    canvas = background(dark, x, y, count, random)
    for _ in range(3):
        colour = random.between(0, 256, count, 3)
        blend(canvas, colour, line(x, y, count, random))

    radius = random.between(64, 105, count, 1, 1)
    middle_x, middle_y = (random.between(128 - SHIFT, 129 + SHIFT, count, 1, 1) for _ in range(2))
    u, v = turned(x - middle_x, y - middle_y, random.between(-TILT, TILT + 1, count, 1, 1))
    # In the shape's own coordinates the radius is UNIT; back in 1/8 pixels, 8 of them are one pixel of blur.
    f = shape(u * UNIT // radius, v * UNIT // radius) * radius // UNIT
    blend(canvas, light, np.clip(f * 32 + 128, 0, 256))

    noise = random.bytes(count * SIDE * SIDE * 3 * 2).reshape(2, count, 3, SIDE, SIDE)
    canvas += (noise[0].astype(np.int32) + noise[1] - 255) // 8
    return np.clip(canvas, 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)  # (N, 3, H, W) -> (N, H, W, 3)


def paired_colours(count: int, random: RandomIntegers) -> tuple[Array, Array]:
    """A light colour for the shape and a darker one for the ground, (count, 3) each."""
    ground = random.between(0, 128, count, 3)
    shape = np.clip(ground + random.between(40, 168, count, 3), 0, 255)
    return shape, ground


def background(colour: Array, x: Array, y: Array, count: int, random: RandomIntegers) -> Array:
    """The ground, int32 (count, 3, 32, 32): a colour that changes a little across the picture."""
    slope_x, slope_y = (random.between(-32, 33, count, 3, 1, 1) for _ in range(2))
    gradient = (slope_x * (x[:, None] - 128) + slope_y * (y[:, None] - 128)) // 128
    ground: Array = colour[:, :, None, None] + gradient
    return ground


def line(x: Array, y: Array, count: int, random: RandomIntegers) -> Array:
    """Coverage 0 ... 256 of one piece of clutter per picture: a bar of random place, direction and length."""
    middle_x, middle_y = (random.between(0, 256, count, 1, 1) for _ in range(2))
    along, across = turned(x - middle_x, y - middle_y, random.between(0, TURN, count, 1, 1))
    length, width = random.between(16, 72, count, 1, 1), random.between(4, 12, count, 1, 1)
    inside = both(length - np.abs(along), width - np.abs(across))
    return (inside * 32 + 128).clip(0, 256)


def turned(x: Array, y: Array, angle: Array) -> tuple[Array, Array]:
    """Coordinates in a frame turned by `angle`."""
    cosine, sine = COSINE[angle], SINE[angle]
    return (x * cosine + y * sine) // UNIT, (y * cosine - x * sine) // UNIT


def blend(canvas: Array, colour: Array, coverage: Array) -> None:
    """Paint `colour` (N, 3) over `canvas` (N, 3, H, W) where `coverage` (N, H, W) of 256 says so."""
    canvas += (colour[:, :, None, None] - canvas) * coverage[:, None] // 256


class Shapes10(ArrayDataset):
    """10,000 training or 2,000 test pictures of ten shapes, with the interface of `CIFAR10`.

    Args:
        train: the training pictures, or the test pictures.
        transform: a function of the PIL picture.
        target_transform: a function of the label.
        seed: another seed gives other pictures of the same kind.

    Attributes: `data`, uint8 (N, 32, 32, 3); `targets`, a list of N ints; `classes`; `class_to_idx`.

    >>> from minitorch_cifar.vision.datasets import Shapes10
    >>> test = Shapes10(train=False)
    >>> len(test), test.data.shape, test.targets.count(6), test.classes[6]
    (2000, (2000, 32, 32, 3), 200, 'star')
    """

    classes: Final = list(SHAPES)

    def __init__(
        self,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(None, transform=transform, target_transform=target_transform)
        if not isinstance(seed, int) or seed < 0:
            raise ValueError(f"seed should be a non-negative integer, but got seed={seed!r}")
        self.train = train
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        self.data, labels = draw(train, seed)
        self.targets = labels.tolist()
