"""The one kind of exception that is meant for the user's eyes."""

from __future__ import annotations

__all__ = ["UserError"]


class UserError(Exception):
    """Something that the user can mend, said in one line: a missing file, a wrong setting, a file of another
    kind.

    The command line prints it without a traceback and leaves with status 2.
    """
