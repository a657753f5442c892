"""`minitorch-cifar parity`: trains a network with the engine and with PyTorch in lockstep and compares them.

This file turns options into two networks and batches of pictures, and leaves the comparison to
`testing.lockstep` and what is printed to `parity_report`. Status 0: inside the tolerance; 1: not, with the
first layer that left it named.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..learn.errors import UserError
from ..learn.settings import DEFAULTS
from .options import DATA_HELP, add_command

__all__ = ["add_parser", "run"]

EXAMPLES = """\
examples:
  minitorch-cifar parity
  minitorch-cifar parity --model bn --dtype float64 --steps 100
  minitorch-cifar parity --network mine.py:network --data mine.py:batch

A network file is Python written against PyTorch or against
`import minitorch_cifar as torch`; it is run under both. Its function takes no
arguments and returns the network, an nn.Module. A function named in --data
returns one batch: inputs of floats and class numbers. Both must give the same
on both sides. Status 0: inside the tolerance; 1: not.
"""


def add_parser(commands: Any) -> None:
    """Adds the subcommand."""
    parser = add_command(
        commands, "parity", "compare the engine with PyTorch, layer by layer, while both train", EXAMPLES
    )
    parser.add_argument(
        "--model", choices=list(DEFAULTS), help="which of the built-in networks (default: lenet)"
    )
    parser.add_argument(
        "--network",
        metavar="FILE.py:FUNCTION",
        help="a network of your own instead: a file, and the function in it that makes the network",
    )
    parser.add_argument(
        "--steps", type=int, default=20, metavar="N", help="how many training steps (default: 20)"
    )
    parser.add_argument(
        "--batch-size",
        type=int,
        metavar="B",
        help="pictures per step (default: as in train; 4 for --network)",
    )
    parser.add_argument(
        "--dtype", choices=("float32", "float64"), default="float32", help="precision (default: float32)"
    )
    parser.add_argument(
        "--data",
        default="shapes10",
        metavar="shapes10|cifar10|PATH|FILE.py:FUNCTION",
        help=DATA_HELP + "; or a function that returns a batch (default: shapes10)",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="use the first N training pictures only")
    parser.add_argument(
        "--device", choices=("cpu", "cuda"), default="cpu", help="where PyTorch computes (default: cpu)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="of weights, order of pictures, dropout (default: 0)"
    )
    parser.add_argument("--json", metavar="FILE", help="write all numbers into FILE too")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compares and prints; returns the exit status."""
    check(options)
    # Both engines compute by turns on the same processors: threads that wait must leave them to the other.
    # The libraries read this when they are loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    torch = import_torch()
    if options.device == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: PyTorch sees no GPU here")
    from ..testing.lockstep import NetworkError, run_lockstep
    from ..testing.network_file import NetworkFileError
    from .parity_report import Progress, print_report, report_as_dict

    model = options.model or "lenet"
    defaults = DEFAULTS[model]
    batch_size = options.batch_size or defaults["batch_size"]
    settings = {
        "network": options.network or model,
        "steps": options.steps,
        "batch_size": batch_size,
        "dtype": options.dtype,
        "data": options.data,
        "limit": options.limit,
        "device": options.device,
        "seed": options.seed,
        "lr": defaults["lr"],
        "momentum": defaults["momentum"],
    }
    try:
        networks = own_networks(options.network) if options.network else built_in_networks(model)
        batches = choose_batches(options, batch_size)
        with Progress(sys.stdout, options.steps) as progress:
            found = run_lockstep(
                *networks,
                batches,
                dtype=options.dtype,
                lr=defaults["lr"],
                momentum=defaults["momentum"],
                device=options.device,
                seed=options.seed,
                on_step=progress.step,
            )
    except (NetworkError, NetworkFileError) as error:
        raise UserError(str(error)) from error
    if options.json:
        write_json(options.json, report_as_dict(found, settings))
    print_report(found, settings, sys.stdout)
    return 0 if found.holds else 1


def check(options: argparse.Namespace) -> None:
    """UserError for values that make no sense."""
    if options.model and options.network:
        raise UserError("--model and --network exclude each other: one network is compared")
    for name in ("steps", "batch_size", "limit"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UserError(f"--{name.replace('_', '-')} must be at least 1, not {value}")
    if not 0 <= options.seed < 2**63 - options.steps:
        raise UserError(f"--seed must be at least 0 and less than 2**63 - steps, not {options.seed}")


def import_torch() -> Any:
    """PyTorch; UserError with the line that installs it."""
    try:
        import torch
    except ImportError as error:
        raise UserError(
            f"parity compares with PyTorch, which is not installed ({error}): pip install "
            "'minitorch-cifar[reference]'"
        ) from error
    return torch


Factory = Callable[[], Any]
Batches = Iterator[tuple[Any, Any]]


def built_in_networks(model: str) -> tuple[Factory, Factory]:
    """What makes a built-in network for the engine and for PyTorch."""
    from reference.networks import NETWORKS as PYTORCH_NETWORKS

    from ..models import NETWORKS

    return NETWORKS[model], PYTORCH_NETWORKS[model]


def own_networks(named: str) -> tuple[Factory, Factory]:
    """The function `FILE.py:FUNCTION` under the engine and under PyTorch."""
    from ..testing.network_file import load_function
    from ..testing.sides import engine_side, torch_side

    path, function = split(named, "--network")
    return load_function(path, function, engine_side()), load_function(path, function, torch_side())


def split(named: str, option: str) -> tuple[str, str]:
    """`FILE.py:FUNCTION` in two."""
    path, colon, function = named.rpartition(":")
    if not colon or not path or not function.isidentifier():
        raise UserError(f"{option} takes FILE.py:FUNCTION, not {named}")
    return path, function


def choose_batches(options: argparse.Namespace, batch_size: int) -> Batches:
    """One batch of arrays, pictures and class numbers, per step."""
    if ".py:" in options.data:
        if options.batch_size or options.limit:
            raise UserError("--batch-size and --limit are the batch function's own business; leave them out")
        return function_batches(options.data, options.steps, options.seed)
    from ..learn.data import open_pictures
    from ..models import Normalization

    pictures = open_pictures(options.data, True, Normalization(), options.limit)
    return shuffled_batches(pictures.dataset, batch_size, options.steps, options.seed)


def shuffled_batches(dataset: Any, batch_size: int, steps: int, seed: int) -> Batches:
    """As many batches as there are steps, in shuffled order, again and again."""
    from ..random import Generator
    from ..utils.data import DataLoader

    generator = Generator()
    generator.manual_seed(seed)
    loader: Any = DataLoader(dataset, batch_size=batch_size, shuffle=True, generator=generator)
    taken = 0
    while True:
        for images, labels in loader:
            if taken == steps:
                return
            taken += 1
            yield images.numpy(), labels.numpy()


def function_batches(named: str, steps: int, seed: int) -> Batches:
    """The batches that a user's function returns, called once per step."""
    from ..testing.functions import seeded
    from ..testing.network_file import load_function
    from ..testing.sides import as_array, engine_side

    engine = engine_side()
    function = load_function(*split(named, "--data"), engine)
    for step in range(steps):
        try:
            with seeded(engine, seed + step):
                batch = function()
            images, labels = (as_array(v) if engine.is_tensor(v) else np.asarray(v) for v in batch)
        except Exception as error:
            raise UserError(
                f"{named} did not return a batch, a pair of inputs and class numbers: "
                f"{type(error).__name__}: {error}"
            ) from error
        if images.dtype.kind != "f" or labels.dtype.kind != "i":
            raise UserError(
                f"{named} must return inputs of floats and whole class numbers, not {images.dtype} and "
                f"{labels.dtype}"
            )
        yield images, labels.astype(np.int64)


def write_json(path: str, report: dict[str, Any]) -> None:
    """The report as a file that appears whole or not at all."""
    from ..serialization import whole_file

    try:
        with whole_file(path) as file:
            file.write((json.dumps(report, indent=2) + "\n").encode())
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
