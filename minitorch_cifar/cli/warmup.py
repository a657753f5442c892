"""`minitorch-cifar warmup`: compiles ahead, so that the first training need not wait."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from ..learn.errors import UserError
from .options import add_command
from .wording import count

__all__ = ["add_parser", "run"]

EXAMPLES = """\
examples:
  minitorch-cifar warmup
      compile the kernels for all three networks
  minitorch-cifar warmup --model lenet
      for one of them

Kernels are compiled for the CPU at hand when they are first needed, and kept on
the disk. This command does so ahead: what the networks need for batches of 1 to
64 pictures, training and testing, with SGD and Adam. A second run finds all of
it there. The environment variable NUMBA_CACHE_DIR moves the folder.
"""
MODELS = ("lenet", "quick", "bn")


def add_parser(commands: Any) -> None:
    """Adds the subcommand."""
    parser = add_command(commands, "warmup", "compile ahead what the networks need", EXAMPLES)
    parser.add_argument(
        "--model", choices=MODELS, metavar="M", help="only this network: lenet, quick or bn (default: all)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compiles and says what and how long; returns the exit status."""
    from ..kernels import machine_code
    from ..learn import warming

    reason = machine_code.obstacle()
    if reason is not None:
        raise UserError(f"nothing can be compiled here ({reason}); the NumPy kernels compute instead, slowly")
    models = (options.model,) if options.model else MODELS
    sizes = warming.BATCH_SIZES
    print(f"Trying training steps with batches of {sizes[0]} to {sizes[-1]} pictures:", flush=True)
    start, compiled = time.perf_counter(), 0
    for name, task in warming.tasks(models):
        with machine_code.watched() as found:
            task()
        what = f"{count(found.kernels, 'function')} compiled" if found.kernels else "all there"
        print(f"  {name:8}{what:24}{found.seconds:6.1f} s", flush=True)
        compiled += found.kernels
    seconds = time.perf_counter() - start
    if compiled:
        print(f"Ready: {count(compiled, 'function')} compiled in {seconds:.1f} s.")
    else:
        print(f"Everything was there already; looking took {seconds:.1f} s.")
    print(f"Machine code: {described(machine_code.folder())}")
    return 0


def described(folder: Any) -> str:
    """A `machine_code.Folder` in words."""
    path = str(folder.path)
    home = str(Path.home())
    if path.startswith(home + "/"):
        path = "~" + path[len(home) :]
    return f"{path} ({count(folder.files, 'file')}, {folder.size / 1e6:.1f} MB)"
