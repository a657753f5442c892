"""`minitorch-cifar predict`: what the network of a checkpoint takes picture files for."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ..learn.errors import UserError
from .options import add_command

__all__ = ["add_parser", "run"]

EXAMPLES = """\
examples:
  minitorch-cifar predict runs/lenet-shapes10 my.png
  minitorch-cifar predict runs/bn-cifar10/checkpoint.pth photos/*.jpg

A picture may have any size and any format that Pillow opens. It is resized to
32x32, the size of the training pictures.
"""


def add_parser(commands: Any) -> None:
    """Adds the subcommand."""
    parser = add_command(
        commands, "predict", "say what is on pictures of your own: the three likeliest classes", EXAMPLES
    )
    parser.add_argument(
        "checkpoint", metavar="CHECKPOINT", help="a checkpoint.pth, or the run folder that holds one"
    )
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="a picture file")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Predicts and prints; returns the exit status: 2 when some file was no picture."""
    from ..learn.checkpoint import load_checkpoint
    from ..learn.prediction import open_picture, predict

    checkpoint = load_checkpoint(options.checkpoint)
    network = checkpoint.network()
    wrong = False
    width = max(len(name) for name in checkpoint.classes)
    for path in options.images:
        try:
            picture = open_picture(path)
        except UserError as error:  # the other pictures are answered all the same
            sys.stdout.flush()
            print(f"minitorch-cifar: error: {' '.join(str(error).split())}", file=sys.stderr)
            wrong = True
            continue
        ranked = sorted(
            zip(predict(network, picture), checkpoint.classes, strict=True), key=lambda pair: -pair[0]
        )
        print(path)
        for probability, name in ranked[:3]:
            print(f"  {name:<{width}}  {100 * probability:5.1f} %")
    return 2 if wrong else 0
