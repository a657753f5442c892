"""The command line: `minitorch-cifar`, also `python -m minitorch_cifar`.

One file per subcommand; each adds its arguments and has a `run`. They print, and leave the work to `learn/`.
A mistake of the user is one line on stderr and status 2; Ctrl-C is a line or two (what is saved, how to go
on) and status 130, SIGTERM the same and 143; everything else that goes wrong is a bug and keeps its
traceback.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from .. import __version__, starting
from ..learn.errors import UserError
from .parser import Parser

__all__ = ["main"]

DESCRIPTION = "Train, test and use small image classifiers on an engine made to be read."

EXAMPLES = """\
examples:
  minitorch-cifar train
      learn ten drawn shapes: no download, done within a minute
  minitorch-cifar train --data cifar10
      learn photographs (downloads 170 MB into ./data when they are not there)
  minitorch-cifar eval runs/lenet-shapes10
      test the network of that run
  minitorch-cifar predict runs/lenet-shapes10 my.png
      say what it sees on a picture of your own
  minitorch-cifar COMMAND --help
      all about one command
"""


class Terminated(KeyboardInterrupt):
    """The process was asked to end by SIGTERM."""


def build_parser() -> Parser:
    """The parser of all subcommands."""
    from . import data, evaluate, info, parity, predict, train, warmup

    parser = Parser(
        prog="minitorch-cifar",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"minitorch-cifar {__version__}",
        help="print the version and exit",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for module in (train, evaluate, predict, parity, data, warmup, info):
        module.add_parser(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0, 2 for a mistake of the user, 130 when interrupted."""
    try:
        starting.end()
        with sigterm_as_exception():
            return run(arguments)
    except SystemExit as leaving:  # argparse: --help, or a mistake that it has reported
        return leaving.code if isinstance(leaving.code, int) else 2
    except UserError as error:
        print(f"minitorch-cifar: error: {one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        what = "terminated" if isinstance(stop, Terminated) else "interrupted"
        told, *more = map(str, stop.args or ("",))
        print("\n".join([f"minitorch-cifar: {what}" + (told and f"; {told}"), *more]), file=sys.stderr)
        return 143 if isinstance(stop, Terminated) else 130
    except BrokenPipeError:  # the reader of our output has gone (| head)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def run(arguments: Sequence[str] | None) -> int:
    """Runs one command and returns its exit status; what goes wrong is an exception."""
    parser = build_parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        getattr(options, "parser", parser).refuse_unknown(unknown)
    if options.command is None:
        parser.print_help()
        return 0
    status: int = options.run(options)
    sys.stdout.flush()
    return status


@contextmanager
def sigterm_as_exception() -> Iterator[None]:
    """SIGTERM raises `Terminated` while the block runs, so that it is heard as Ctrl-C is."""

    def terminate(number: int, frame: FrameType | None) -> NoReturn:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def one_line(error: BaseException) -> str:
    """The message of an exception and its notes, without line breaks."""
    return " ".join(" ".join([str(error), *getattr(error, "__notes__", [])]).split())
