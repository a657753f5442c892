"""All states of random numbers that a training may draw from: the engine's, Python's and NumPy's.

The networks and the transforms of `train` draw from the engine's generator alone. Transforms of other people
draw from Python's `random` or from `numpy.random`, and a run that is resumed must not draw the same from them
twice.
"""

from __future__ import annotations

import random as python
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import random

__all__ = ["get_other_states", "seed_all", "set_other_states"]

WORDS = 624  # of the Mersenne Twister, which is the generator of all three


def seed_all(seed: int) -> None:
    """Starts all three from `seed`, at least 0 and below 2**63."""
    random.manual_seed(seed)
    python.seed(seed)
    np.random.seed([seed % 2**32, seed // 2**32])


def get_other_states() -> dict[str, Any]:
    """The states of Python's and NumPy's generators, in plain values."""
    version, words, cached = python.getstate()
    name, key, position, has_gauss, gauss = np.random.get_state(legacy=True)
    return {
        "python": [version, list(words), cached],
        "numpy": [str(name), np.asarray(key).tolist(), int(position), int(has_gauss), float(gauss)],
    }


def set_other_states(states: Mapping[str, Any]) -> None:
    """Goes on from states of `get_other_states`; ValueError, TypeError or KeyError when they are none."""
    version, words, cached = states["python"]
    name, key, position, has_gauss, gauss = states["numpy"]
    if len(key) != WORDS or not 0 <= position <= WORDS:  # NumPy would read beyond its words
        raise ValueError("the state of NumPy's random numbers is none")
    python.setstate((version, tuple(words), cached))
    np.random.set_state((name, np.array(key, np.uint32), position, has_gauss, gauss))
