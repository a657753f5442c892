"""The command line: `minitorch-cifar`, also `python -m minitorch_cifar`.

One file per subcommand; each adds its arguments and has a `run`. They print, and leave the work to `learn/`.
A mistake of the user is one line on stderr and status 2; Ctrl-C is status 130; everything else that goes
wrong is a bug and keeps its traceback.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from ..learn.errors import UserError

__all__ = ["main"]

DESCRIPTION = "Train, test and use small image classifiers on an engine that was written to be read."

EXAMPLES = """\
examples:
  minitorch-cifar train                           learn ten shapes; no download, done within a minute
  minitorch-cifar train --data cifar10            learn real photographs (downloads 170 MB into ./data)
  minitorch-cifar eval runs/lenet-shapes10        test the network of that run
  minitorch-cifar predict runs/lenet-shapes10 my.png
  minitorch-cifar COMMAND --help                  all about one command
"""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: error: {message} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)


def build_parser() -> Parser:
    """The parser of all subcommands."""
    from . import data, evaluate, info, parity, predict, train

    parser = Parser(
        prog="minitorch-cifar",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for module in (train, evaluate, predict, parity, data, info):
        module.add_parser(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0, 2 for a mistake of the user, 130 when interrupted."""
    parser = build_parser()
    try:
        options = parser.parse_args(arguments)
        if options.command is None:
            parser.print_help()
            return 0
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except SystemExit as leaving:  # argparse: --help, or a mistake that it has reported
        return leaving.code if isinstance(leaving.code, int) else 2
    except UserError as error:
        print(f"minitorch-cifar: error: {one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("minitorch-cifar: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has gone (| head)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def one_line(error: BaseException) -> str:
    """The message of an exception and its notes, without line breaks."""
    return " ".join(" ".join([str(error), *getattr(error, "__notes__", [])]).split())
