"""What to say when a program asks for a name of PyTorch's that the engine does not have."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def explain_missing(module: str, name: str, present: Iterable[str]) -> AttributeError:
    """The error for `module.name`: that it is not part of the engine, and the nearest name that is.

    >>> print(explain_missing("minitorch", "matmull", ["matmul", "mul"]))
    module 'minitorch' has no attribute 'matmull': it is not part of minitorch_cifar. Did you mean: 'matmul'?
    """
    message = f"module {module!r} has no attribute {name!r}: it is not part of minitorch_cifar."
    near = difflib.get_close_matches(name, list(present), n=1)
    if near:
        message += f" Did you mean: {near[0]!r}?"
    return AttributeError(message)
