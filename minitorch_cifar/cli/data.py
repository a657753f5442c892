"""`minitorch-cifar data info`: what lies at a path, and whether it is what its authors published."""

from __future__ import annotations

import argparse
from typing import Any

from ..learn.errors import UserError
from .options import add_command

__all__ = ["add_parser", "info"]

EXAMPLES = """\
examples:
  minitorch-cifar data info data
  minitorch-cifar data info cifar-10-python.tar.gz
"""


def add_parser(commands: Any) -> None:
    """Adds the subcommand and its one action."""
    parser = add_command(commands, "data", "look at a data set before training on it", EXAMPLES)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    about = add_command(
        actions,
        "info",
        "say which data set is at PATH, how many pictures, and if it is official",
        EXAMPLES,
    )
    about.add_argument("path", metavar="PATH", help="a folder that holds a data set, or an archive")
    about.set_defaults(run=info)


def info(options: argparse.Namespace) -> int:
    """Prints a report; returns the exit status."""
    from ..vision.datasets import describe

    try:
        reports = describe(options.path)
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(str(error)) from error
    for report in reports:
        print(report.findings())
    problems = [f"{report.path} cannot be used: {report.problem}" for report in reports if report.problem]
    problems += [
        f"{report.path}: {copy} is a copy of {original}"
        for report in reports
        for copy, original in report.copies()
    ]
    if problems:
        raise UserError("; ".join(problems))
    return 0
