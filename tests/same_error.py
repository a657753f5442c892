"""A wrong call must fail as PyTorch's does: same class, same words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def error_of(call: Callable[[], Any]) -> BaseException | None:
    """What a call raises, or None."""
    try:
        call()
    except Exception as error:
        return error
    return None


def assert_same_error(ours: Callable[[], Any], theirs: Callable[[], Any]) -> None:
    """Both calls raise the same class of exception with the same message."""
    expected, found = error_of(theirs), error_of(ours)
    assert expected is not None, "PyTorch raises nothing"
    assert (type(found), str(found)) == (type(expected), str(expected))
