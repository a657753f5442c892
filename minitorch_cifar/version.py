"""Versions: the engine's own, and those of PyTorch and torchvision whose names and numbers it follows.

`torch.version`, as programs read it: `torch.version.cuda` is None.
"""

from __future__ import annotations

import re
from typing import Any, Final

from .missing import explain_missing_in

__all__ = ["Version", "cuda", "hip"]

__version__ = "0.1.0"

cuda: None = None
hip: None = None


class Version(str):
    """A version that compares by its numbers, with another one or with a tuple, as `torch.__version__` does.

    >>> Version("2.15.0+cpu") > "2.9", Version("2.15.0+cpu") >= (2, 15), "2.15.0" > "2.9"
    (True, True, False)
    """

    def _numbers(self, other: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Those of both, padded with zeros to the same length."""
        ours, theirs = _release(self), _release(other)
        length = max(len(ours), len(theirs))
        return ours + (0,) * (length - len(ours)), theirs + (0,) * (length - len(theirs))

    def __lt__(self, other: Any) -> bool:
        ours, theirs = self._numbers(other)
        return ours < theirs

    def __le__(self, other: Any) -> bool:
        ours, theirs = self._numbers(other)
        return ours <= theirs

    def __gt__(self, other: Any) -> bool:
        ours, theirs = self._numbers(other)
        return ours > theirs

    def __ge__(self, other: Any) -> bool:
        ours, theirs = self._numbers(other)
        return ours >= theirs


def _release(version: Any) -> tuple[int, ...]:
    """`(2, 15, 0)` of "2.15.0+cpu" or of a tuple that starts so."""
    text = version if isinstance(version, str) else ".".join(map(str, version))
    numbers = re.match(r"\s*v?(\d+(?:\.\d+)*)", text)
    if numbers is None:
        raise ValueError(f"a version that starts with numbers was expected, got {version!r}")
    return tuple(map(int, numbers[1].split(".")))


# What `torch.__version__` and `torchvision.__version__` are after `compat.install()`.
FOLLOWED: Final = {
    "torch": Version(f"2.15.0+minitorch.cifar.{__version__}"),
    "torchvision": Version(f"0.29.0+minitorch.cifar.{__version__}"),
}

explain_missing_in(__name__, __all__)
