"""Draws the pictures of Shapes10 once for all tests of a folder, which ask for them often."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import pytest

from minitorch_cifar.vision.datasets import shapes10


@pytest.fixture(scope="package", autouse=True)
def shapes_once() -> Iterator[None]:
    """Remembers what `draw` returned."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapes10, "draw", functools.cache(shapes10.draw))
        yield
