"""Disagreements with PyTorch that the rows found once, each kept as the smallest call that shows it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from minitorch_cifar.testing import assert_matches_torch

CALLS: dict[str, tuple[Any, ...]] = {
    "variance of one number with a correction above 1: NaN, not 0": (
        lambda x: x.var(correction=2),
        np.array(1.0),
    ),
    "variance of a whole tensor with a correction above n: infinity": (
        lambda x: (x.var(correction=2), x.std(correction=5)),
        np.array([0.0, 1.0, 2.0, 1.0])[:2],
    ),
    "but along dimensions the formula goes on": (
        lambda x: (x.var(0, correction=5), x.std(0, correction=3)),
        np.array([[0.0, 1.0], [2.0, 1.5]]),
    ),
    "running product of an infinity and a zero": (lambda x: x.cumprod(0), np.array([-math.inf, -0.0])),
    "running product from the first zero on": (lambda x: x.cumprod(0), np.array([2.0, 0.0, 3.0, 0.0, 5.0])),
    "running products of several rows": (
        lambda x: x.cumprod(1),
        np.array([[0.0, math.inf, 3.0], [2.0, math.nan, 0.0], [1.5, -2.0, 3.0]]),
    ),
    "weighted count of nothing: whole numbers": (
        lambda n, w: (n.bincount(w), n.bincount(w, 3)),
        np.zeros(0, np.int64),
        np.zeros(0),
    ),
}


@pytest.mark.filterwarnings("ignore:(var|std)\\(\\). degrees of freedom")
@pytest.mark.parametrize("what", CALLS)
def test_agrees_now(what: str) -> None:
    function, *inputs = CALLS[what]
    assert_matches_torch(function, *inputs, name=what)
