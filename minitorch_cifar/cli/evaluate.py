"""`minitorch-cifar eval`: tests the network of a checkpoint, in all and per class."""

from __future__ import annotations

import argparse
from typing import Any

from ..learn.errors import UserError
from .options import DATA_HELP, add_command, add_threads, set_threads

__all__ = ["add_parser", "run"]

EXAMPLES = """\
examples:
  minitorch-cifar eval runs/lenet-shapes10
  minitorch-cifar eval runs/mine/checkpoint.pth --data path/to/cifar10
"""


def add_parser(commands: Any) -> None:
    """Adds the subcommand."""
    parser = add_command(commands, "eval", "test the network of a checkpoint, in all and per class", EXAMPLES)
    parser.add_argument(
        "checkpoint", metavar="CHECKPOINT", help="a checkpoint.pth, or the run folder that holds one"
    )
    parser.add_argument(
        "--data", metavar="shapes10|cifar10|PATH", help=DATA_HELP + " (default: the data it was trained on)"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="test on the first N test pictures only")
    add_threads(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Tests and prints; returns the exit status."""
    from ..learn.checkpoint import load_checkpoint
    from ..learn.data import open_pictures
    from ..learn.evaluation import evaluate

    if options.limit is not None and options.limit < 1:
        raise UserError(f"--limit must be at least 1, not {options.limit}")
    set_threads(options.threads)
    checkpoint = load_checkpoint(options.checkpoint)
    data = options.data or checkpoint.settings.data
    pictures = open_pictures(data, False, checkpoint.normalization, options.limit)
    if pictures.classes != checkpoint.classes:
        raise UserError(
            f"{options.checkpoint} was trained to tell apart {', '.join(checkpoint.classes)}; {data} holds "
            "pictures of "
            f"{', '.join(pictures.classes)}"
        )
    result = evaluate(checkpoint.network(), pictures)
    print(f"Accuracy of the network on the {result.total} test images: {100 * result.accuracy:.1f} %")
    width = max(len(name) for name in pictures.classes)
    for name, correct, count in zip(pictures.classes, result.correct, result.counts, strict=True):
        share = f"{100 * correct / count:5.1f} %" if count else "no test images"
        print(f"Accuracy of {name:<{width}} : {share}")
    return 0
