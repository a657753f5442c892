"""Small helpers for what is printed."""

from __future__ import annotations

__all__ = ["count"]


def count(number: int, thing: str) -> str:
    """A number of things, in the singular where there is one.

    >>> count(1, "picture"), count(50_000, "picture")
    ('1 picture', '50,000 pictures')
    """
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
