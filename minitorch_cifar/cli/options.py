"""What several subcommands share: the options for data and threads, and how help texts are laid out."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ..learn.errors import UserError

__all__ = ["DATA_HELP", "add_command", "add_threads", "set_threads"]

DATA_HELP = (
    "which pictures: shapes10 (ten drawn shapes, built in), cifar10 (photographs, kept in ./data and "
    "downloaded when absent), or the PATH of a folder or archive that holds CIFAR-10 in any official form"
)


def add_command(commands: Any, name: str, help: str, epilog: str) -> argparse.ArgumentParser:
    """A subcommand whose `help` is also its description; `epilog` keeps its line breaks."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=help,
        description=help[0].upper() + help[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(parser=parser)
    return parser


def add_threads(parser: argparse._ActionsContainer) -> None:
    """The option `--threads`."""
    parser.add_argument(
        "--threads", type=int, metavar="T", help="how many processor threads to compute with (default: all)"
    )


def set_threads(threads: int | None) -> None:
    """Limits the engine to so many threads; None leaves the choice to it."""
    if threads is None:
        return
    if threads < 1:
        raise UserError(f"--threads must be at least 1, not {threads}")
    from ..threads import get_num_threads, set_num_threads

    set_num_threads(threads)
    if (used := get_num_threads()) < threads:
        print(
            f"minitorch-cifar: --threads {threads}: this machine has {used} to compute with; all are used",
            file=sys.stderr,
        )
