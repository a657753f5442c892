"""The border in front of the compiled loops, which do not look whether an index lies within an array.

The functions that hand arrays to a loop compare their shapes first. Users do not get here with arrays that
do not fit, as the functions of `functions/` and `nn/functional/` have said so before; except with the state
of an optimizer, which they may fill with what they like.
"""

from __future__ import annotations

from typing import Any, NoReturn

from ..dtypes import Array


def refuse_shape(first: Array, other: Any) -> NoReturn:
    """RuntimeError that names two shapes which should be one."""
    raise RuntimeError(
        f"arrays of shapes {list(first.shape)} and {list(other.shape)} where one shape is expected: "
        "was the state of an optimizer, or the data of a parameter, replaced by another?"
    )
