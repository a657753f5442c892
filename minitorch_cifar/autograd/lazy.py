"""Gradients that are not written out: `LazyGradient`.

Behind a max pool all but a few elements of a gradient are zero. An operation may return such a gradient in a
form of its own, and an operation that understands the form (`takes_lazy_gradients`) may work on it as it is.
Everybody else gets the array: the engine writes it out before a hook, an addition, a leaf or any other
operation sees it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import Array


class LazyGradient(ABC):
    """A gradient that can be written out when it is needed."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    base = None  # of an array: whose memory it shares

    @abstractmethod
    def dense(self) -> Array:
        """The gradient as a new array."""


def as_array(grad: Any) -> Any:
    """`grad`, written out if it is lazy."""
    return grad.dense() if isinstance(grad, LazyGradient) else grad


def written_out(grads: Sequence[Any]) -> list[Array | None]:
    """`grads` with every lazy one as an array."""
    return [as_array(grad) for grad in grads]
