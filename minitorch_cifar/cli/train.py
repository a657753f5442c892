"""`minitorch-cifar train`: turns options into `Settings`, finds the run folder, calls `learn.run`."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ..learn.errors import UserError
from ..learn.run_folder import RunFolder, choose_folder, folder_to_resume
from ..learn.settings import DEFAULTS, SCHEDULES, Settings, make_settings, refuse_other_settings
from .options import DATA_HELP, add_command, add_threads, set_threads
from .wording import count

__all__ = ["add_parser", "run"]

EXAMPLES = """\
examples:
  minitorch-cifar train
  minitorch-cifar train --model bn --data cifar10 --epochs 10
  minitorch-cifar train --run runs/mine --lr 0.002
  minitorch-cifar train --run runs/mine --resume --epochs 20
  minitorch-cifar train --model bn --augment --schedule cosine --save-every 500

On a terminal a bar shows how far it is. Elsewhere there is a line
`[epoch, step] loss: mean loss since the line before` every 8,000 pictures.

The run folder then holds checkpoint.pth (for eval, predict and --resume),
metrics.jsonl (a line per epoch) and config.json (the settings). Ctrl-C and
SIGTERM end the run after the running step and save it; a second one does not
wait. --resume goes on from the last checkpoint and ends with the same network
as a run that was never stopped. A process that is killed has lost what it did
since the last epoch, or with --save-every N since the last N steps.
"""

# Options that decide what a run computes, as `Settings` names them. None means: not given.
SETTINGS = (
    "model", "data", "epochs", "batch_size", "lr", "momentum", "seed", "limit", "augment", "schedule",
    "deterministic",
)  # fmt: skip


def _default(name: str) -> str:
    return "(default: " + ", ".join(f"{model} {values[name]}" for model, values in DEFAULTS.items()) + ")"


def add_parser(commands: Any) -> None:
    """Adds the subcommand."""
    parser = add_command(commands, "train", "train a network and test it after each epoch", EXAMPLES)
    what = parser.add_argument_group("what to train")
    what.add_argument(
        "--model",
        choices=list(DEFAULTS),
        help="which network: lenet (small and fast), quick (three convolutions) or bn (batch norm; the most "
        "accurate) (default: lenet)",
    )
    what.add_argument("--data", metavar="shapes10|cifar10|PATH", help=DATA_HELP + " (default: shapes10)")
    what.add_argument(
        "--limit",
        type=int,
        metavar="N",
        help="use the first N training and test pictures only, for a quick try",
    )
    what.add_argument(
        "--augment",
        action="store_true",
        default=None,
        help="move each training picture by up to 4 pixels and mirror every other one, at random",
    )
    how = parser.add_argument_group("how to train")
    how.add_argument(
        "--epochs", type=int, metavar="N", help=f"how often to go through all pictures {_default('epochs')}"
    )
    how.add_argument(
        "--batch-size", type=int, metavar="B", help=f"pictures per training step {_default('batch_size')}"
    )
    how.add_argument("--lr", type=float, metavar="X", help=f"learning rate {_default('lr')}")
    how.add_argument(
        "--schedule",
        choices=SCHEDULES,
        help="what becomes of the learning rate: constant, or along half a cosine to 0 over all epochs "
        "(default: constant)",
    )
    how.add_argument(
        "--momentum",
        type=float,
        metavar="M",
        help=f"momentum of the gradient descent, 0 to below 1 {_default('momentum')}",
    )
    how.add_argument(
        "--seed",
        type=int,
        metavar="S",
        help="start of the random numbers: the same seed, the same run (default: 0)",
    )
    where = parser.add_argument_group("where to keep it")
    where.add_argument(
        "--run",
        dest="folder",
        metavar="DIR",
        help="folder to write into (default: runs/MODEL-DATA, numbered if taken)",
    )
    where.add_argument(
        "--resume",
        action="store_true",
        help="go on from the last checkpoint of the run in the run folder, with its settings; only "
        "--epochs may be another",
    )
    where.add_argument(
        "--save-every",
        type=int,
        metavar="N",
        help="write a checkpoint every N steps, and not only after each epoch; a run that is resumed keeps "
        "to it",
    )
    how.add_argument(
        "--deterministic",
        action="store_true",
        default=None,
        help="the same bits on every CPU, not only on this one; takes two to seven times as long",
    )
    speed = parser.add_argument_group("what to compute with (the result does not depend on it)")
    speed.add_argument(
        "--workers",
        type=int,
        default=0,
        metavar="W",
        help="background threads that prepare pictures (default: 0)",
    )
    add_threads(speed)
    other = parser.add_argument_group("for comparison")
    other.add_argument(
        "--engine",
        choices=("minitorch", "torch"),
        default="minitorch",
        help="torch: the same training in PyTorch; a run keeps to one engine (default: minitorch)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Trains; returns the exit status."""
    if options.workers < 0:
        raise UserError(f"--workers must be at least 0, not {options.workers}")
    if options.save_every is not None and options.save_every < 1:
        raise UserError(f"--save-every must be at least 1, not {options.save_every}")
    if options.save_every is not None and options.engine == "torch":
        raise UserError("--save-every is for --engine minitorch only: torch saves after each epoch")
    set_threads(options.threads)
    settings, folder = _settings_and_folder(options)
    if (done := _epochs_done(folder)) >= settings.epochs:
        print(
            f"The run in {folder} already has {count(done, 'epoch')}; --epochs with a larger number goes on"
        )
        return 0
    try:
        if options.engine == "torch":
            if settings.deterministic:
                raise UserError("--deterministic is for --engine minitorch only")
            with folder.held():
                return _run_pytorch(settings, folder, options)

        from ..learn.run import train
        from .progress import make_reporter

        save_every = options.save_every
        if options.resume and save_every is None:
            save_every = folder.read_save_every()
        with make_reporter(sys.stdout) as reporter:
            train(settings, folder, reporter, options.resume, options.workers, save_every)
        return 0
    except KeyboardInterrupt as stop:
        raise type(stop)(*_what_is_saved(folder, settings)) from stop


def _epochs_done(folder: RunFolder) -> int:
    """How many epochs the folder's checkpoint has seen; 0 without one."""
    from ..learn.checkpoint import load_checkpoint

    return load_checkpoint(folder.checkpoint).epoch if folder.has_checkpoint() else 0


def _what_is_saved(folder: RunFolder, settings: Settings) -> tuple[str, ...]:
    """Lines that say where the run can be resumed."""
    from ..learn.checkpoint import load_checkpoint

    if not folder.has_checkpoint():
        return ("nothing is saved, because no step was finished",)
    checkpoint = load_checkpoint(folder.checkpoint)
    if checkpoint.epoch >= settings.epochs:
        return ("the whole run is saved",)
    return (
        f"the run is saved up to {checkpoint.place}",
        f"go on with: minitorch-cifar train --run {folder} --resume",
    )


def _settings_and_folder(options: argparse.Namespace) -> tuple[Settings, RunFolder]:
    given = {name: getattr(options, name) for name in SETTINGS if getattr(options, name) is not None}
    settings = make_settings(**given)
    if not options.resume:
        return settings, choose_folder(settings, options.folder)
    folder = folder_to_resume(settings, options.folder)
    if folder.has_checkpoint():
        return _settings_to_resume(given, folder, options.engine), folder
    print(f"{folder} has no checkpoint yet: starting from the beginning", flush=True)
    stored = folder.read_config()
    assert stored is not None  # `folder_to_resume` saw one of the two files
    return make_settings(**{**stored.as_dict(), **given}), folder


def _settings_to_resume(given: dict[str, Any], folder: RunFolder, engine: str) -> Settings:
    """The settings of the run in `folder`; UserError when it cannot go on as wished."""
    from ..learn.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(folder.checkpoint)
    if checkpoint.engine != engine:
        raise UserError(
            f"the run in {folder} was started with --engine {checkpoint.engine} and cannot be resumed with "
            f"--engine {engine}: its results would be neither's"
        )
    # config.json knows the wish of the last command, also when it was killed before it could save.
    return resumed_settings(folder.read_config() or checkpoint.settings, given, folder)


def resumed_settings(stored: Settings, given: dict[str, Any], folder: RunFolder) -> Settings:
    """The stored settings, with another number of epochs when one is given; nothing else may change."""
    wanted = make_settings(**{**stored.as_dict(), **given})
    refuse_other_settings(wanted, stored, str(folder))
    return wanted


def _run_pytorch(settings: Settings, folder: RunFolder, options: argparse.Namespace) -> int:
    try:
        from reference import train as reference
    except ImportError as error:
        raise UserError(
            f"--engine torch needs PyTorch and torchvision ({error}): pip install "
            "'minitorch-cifar[reference]'"
        ) from error
    arguments = ["--run", str(folder), "--workers", str(options.workers)]
    for name, value in settings.as_dict().items():
        option = "--" + name.replace("_", "-")
        if value is True:
            arguments.append(option)
        elif value is not None and value is not False:
            arguments += [option, str(value)]
    if options.threads is not None:
        arguments += ["--threads", str(options.threads)]
    if options.resume:
        arguments.append("--resume")
    status: int = reference.main(arguments)
    return status
