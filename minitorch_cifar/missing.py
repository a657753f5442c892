"""What to say when a program asks for a name of PyTorch's that the engine does not have."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn

from .nearest import NEAREST

LIKENESS = 0.6  # from here on a name may be a slip of the pen; below, it is only the nearest there is


def explain_missing(module: str, name: str, present: Iterable[str]) -> AttributeError:
    """The error for `module.name`: that it is not part of the engine, and the nearest name that is.

    >>> print(explain_missing("minitorch", "matmull", ["matmul", "mul"]))
    module 'minitorch' has no attribute 'matmull': it is not part of minitorch_cifar. Did you mean: 'matmul'?
    """
    return AttributeError(f"module {module!r} has no attribute {name!r}: {not_part(name, present)}")


def explain_missing_in(module: str, present: Iterable[str]) -> None:
    """Give a module the `__getattr__` that Python calls for names the module does not have.

    It is set here, out of sight of type checkers, which shall go on finding misspelt names.
    """

    def explain(name: str) -> NoReturn:
        raise explain_missing(module, name, present)

    vars(sys.modules[module])["__getattr__"] = explain


class ExplainsMissing:
    """Gives objects of a class an AttributeError that says so when the engine lacks what is asked for."""

    __slots__ = ()

    if not TYPE_CHECKING:  # type checkers shall go on finding misspelt names

        def __getattr__(self, name: str) -> NoReturn:
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
            if not name.startswith("_"):  # Python asks for many names with underscores
                present = {*dir(type(self)), *getattr(self, "__dict__", ())}
                message += f": {not_part(name, sorted(n for n in present if not n.startswith('_')))}"
            raise AttributeError(message)


def not_part(name: str, present: Iterable[str]) -> str:
    """The half sentence that all messages about missing names end with.

    >>> not_part("fill", ["matmul", "tile"])
    "it is not part of minitorch_cifar. The nearest name that is: 'tile'."
    >>> not_part("ger", ["outer", "ge"])
    'it is not part of minitorch_cifar. torch.outer is the same.'
    """
    message = "it is not part of minitorch_cifar."
    if name in NEAREST:
        return f"{message} {NEAREST[name]}."
    nearest = difflib.get_close_matches(name, list(present), n=1, cutoff=0.0)
    if not nearest:
        return message
    if difflib.SequenceMatcher(None, nearest[0], name).ratio() >= LIKENESS:
        return f"{message} Did you mean: {nearest[0]!r}?"
    return f"{message} The nearest name that is: {nearest[0]!r}."
