"""Disagreements with PyTorch that the rows found once, each kept as the smallest call that shows it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minitorch_cifar
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
    "product of everything with an infinity or NaN": (
        lambda x, y: (x.prod(), x.prod(0), y.prod(), y.prod(1)),
        np.array([[math.inf, 2.0], [3.0, -1.5]]),
        np.array([[math.nan, 0.0], [0.0, 2.0]]),
    ),
    "roots of -0 and of minus infinity": (
        lambda x: (x**0.5, x**-0.5, x**1.5, x**-1.5),
        np.array([0.0, -0.0, -math.inf, -1.0, math.inf, 2.0]),
    ),
    "alpha times what is added must not overflow on the way": (
        lambda x, i, y: x.index_add(0, i, y, alpha=2),
        np.array([math.inf, 1.0]),
        np.array([0]),
        np.array([-3e38]),
    ),
    "beta times what is added must not overflow on the way": (
        lambda b, x, y: b.addmm(x, y, beta=2, alpha=0.5),
        np.array([[3e38]]),
        np.array([[-1.5]]),
        np.array([[math.inf]]),
    ),
    "a number as index of a vector, as in one-hot targets by zeros(10).scatter_(0, tensor(y), value=1)": (
        lambda x, i, y: (
            x.scatter(0, i, value=7.0),
            x.detach().clone().scatter_(0, i, 1.0),
            x.scatter(0, i, y),
            x.scatter_add(0, i, y),
        ),
        np.array([0.5, 1.5, 2.5]),
        np.array(1),
        np.array(4.0),
    ),
    "a vector of length 1 as index of a number": (
        lambda x, i, y: (x.scatter(0, i, value=7.0), x.scatter(0, i, y), x.scatter_add(0, i, y)),
        np.array(2.0),
        np.array([0]),
        np.array([4.0]),
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


EXPANDED: dict[str, Callable[[Any], Any]] = {
    "(2, 3) from a row": lambda torch: torch.arange(3.0).expand(2, 3),
    "(3, 4) from a column": lambda torch: torch.arange(3.0).reshape(3, 1).expand(3, 4),
    "in the middle": lambda torch: torch.arange(6.0).reshape(3, 1, 2).expand(3, 4, 2),
    "turned": lambda torch: torch.arange(6.0).reshape(3, 1, 2).expand(3, 4, 2).transpose(0, 2),
    "permuted": lambda torch: torch.arange(6.0).reshape(2, 1, 3).expand(2, 4, 3).permute(1, 2, 0),
    "with gaps": lambda torch: torch.arange(24.0).reshape(2, 3, 4).permute(1, 2, 0)[:, ::2],
    "a transpose": lambda torch: torch.arange(6.0).reshape(3, 2).t(),
}
COPIES: dict[str, Callable[[Any, Any], Any]] = {
    "clone": lambda torch, x: x.clone(),
    "to": lambda torch, x: x.to(torch.float64),
    "empty_like": lambda torch, x: torch.zeros_like(torch.empty_like(x)),
    "full_like": lambda torch, x: torch.full_like(x, 3),
    "rand_like": lambda torch, x: torch.rand_like(x),
    "randn_like": lambda torch, x: torch.randn_like(x),
    "randint_like": lambda torch, x: torch.randint_like(x, 9),
    "dropout in place": lambda torch, x: torch.nn.functional.dropout(x.clone(), 0.4, inplace=True),
}


@pytest.mark.parametrize("make", EXPANDED.values(), ids=list(EXPANDED))
@pytest.mark.parametrize("copied", COPIES.values(), ids=list(COPIES))
def test_copies_lie_in_memory_as_pytorchs(make: Any, copied: Any) -> None:
    """Random numbers are drawn in the order of the memory, so a mask depends on it."""
    outcomes = []
    for library in (torch, minitorch_cifar):
        library.manual_seed(0)
        copy = copied(library, make(library))
        outcomes.append((tuple(copy.stride()), copy.tolist()))
    assert outcomes[1] == outcomes[0]
