"""`python -m reference.train`: the training of `minitorch-cifar train`, in PyTorch and torchvision.

Options, defaults, printed lines and the files of the run folder are the same, so that two runs can be put
side by side, and a checkpoint of either opens in the other. Two options are added: `--device`, and `--fast`,
which gives up exact float32 for speed on a GPU and says so.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import DataLoader

from reference.data import MEAN, STD, AugmentedPictures, UserError, open_pictures
from reference.networks import NETWORKS

# For each network: epochs, pictures per step, learning rate, momentum.
DEFAULTS: dict[str, dict[str, Any]] = {
    "lenet": {"epochs": 6, "batch_size": 4, "lr": 0.001, "momentum": 0.9},
    "quick": {"epochs": 10, "batch_size": 64, "lr": 0.01, "momentum": 0.0},
    "bn": {"epochs": 5, "batch_size": 64, "lr": 0.01, "momentum": 0.9},
}
# What a run's result depends on, and what it is where it is not given and not the network's own.
ALIKE: dict[str, Any] = {
    "data": "shapes10",
    "seed": 0,
    "limit": None,
    "augment": False,
    "schedule": "constant",
}
SETTINGS = (
    "model", "data", "epochs", "batch_size", "lr", "momentum", "seed", "limit", "augment", "schedule"
)  # fmt: skip
BUILT_IN_DATA = ("shapes10", "cifar10")
PICTURES_PER_LINE = 8000
TEST_BATCH_SIZE = 250


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: error: {message}", file=sys.stderr)
        raise SystemExit(2)


def build_parser() -> Parser:
    """The options of `minitorch-cifar train`, `--device` and `--fast`."""
    parser = Parser(prog="python -m reference.train", description="Train a network in PyTorch.")
    parser.add_argument("--model", choices=list(NETWORKS), help="which network (default: lenet)")
    parser.add_argument("--data", metavar="shapes10|cifar10|PATH", help="which pictures (default: shapes10)")
    parser.add_argument("--epochs", type=int, metavar="N", help="default: the network's own")
    parser.add_argument("--batch-size", type=int, metavar="B", help="default: the network's own")
    parser.add_argument("--lr", type=float, metavar="X", help="default: the network's own")
    parser.add_argument("--momentum", type=float, metavar="M", help="default: the network's own")
    parser.add_argument("--schedule", choices=("constant", "cosine"), help="default: constant")
    parser.add_argument("--augment", action="store_true", default=None, help="move and mirror the pictures")
    parser.add_argument("--seed", type=int, metavar="S", help="default: 0")
    parser.add_argument(
        "--run", dest="folder", metavar="DIR", help="folder to write into (default: runs/torch-MODEL-DATA)"
    )
    parser.add_argument("--resume", action="store_true", help="go on with the run in the run folder")
    parser.add_argument("--workers", type=int, default=0, metavar="W", help="processes that load pictures")
    parser.add_argument(
        "--threads", type=int, metavar="T", help="processor threads (default: PyTorch's choice)"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="the first N training and test pictures only")
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto: a GPU when there is one"
    )
    parser.add_argument(
        "--fast",
        action="store_true",
        help="TF32, bfloat16 autocast, channels-last and CUDA graphs; needs a GPU",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains and returns the exit status: 0, 2 for a mistake of the user, 130 when interrupted."""
    try:
        train(build_parser().parse_args(arguments))
        return 0
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 2
    except UserError as error:
        print(f"reference.train: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("reference.train: interrupted", file=sys.stderr)
        return 130


def make_settings(given: dict[str, Any]) -> dict[str, Any]:
    """The settings given, completed by the network's defaults."""
    model = given.get("model", "lenet")
    settings = {"model": model, **ALIKE, **DEFAULTS[model], **given}
    if settings["data"] not in BUILT_IN_DATA:
        settings["data"] = str(Path(settings["data"]).expanduser().resolve())
    for name in ("epochs", "batch_size", "limit"):
        if settings[name] is not None and settings[name] < 1:
            raise UserError(f"--{name.replace('_', '-')} must be at least 1, not {settings[name]}")
    return {name: settings[name] for name in SETTINGS}


def choose_device(name: str, fast: bool) -> torch.device:
    """The device to train on, with the arithmetic that `fast` asks for or forbids."""
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: PyTorch sees no GPU here")
    device = torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")
    if fast and device.type != "cuda":
        raise UserError("--fast needs a GPU")
    torch.backends.cuda.matmul.allow_tf32 = fast
    torch.backends.cudnn.allow_tf32 = fast
    return device


def train(options: argparse.Namespace) -> None:
    """The whole run."""
    given = {name: getattr(options, name) for name in SETTINGS if getattr(options, name) is not None}
    settings = make_settings(given)
    data_name = (
        settings["data"] if settings["data"] in BUILT_IN_DATA else Path(settings["data"]).name.split(".")[0]
    )
    folder = Path(options.folder or f"runs/torch-{settings['model']}-{data_name}")
    files = [folder / name for name in ("config.json", "metrics.jsonl", "checkpoint.pth")]
    config_path, metrics_path, checkpoint_path = files
    if options.resume and config_path.exists():
        stored = json.loads(config_path.read_text())
        if checkpoint_path.exists() and stored.get("engine", "minitorch") != "torch":
            raise UserError(f"the run in {folder} was not started in PyTorch and cannot be resumed in it")
        settings = {**ALIKE, **stored, **given}
        if settings["schedule"] != "constant" and settings["epochs"] != stored["epochs"]:
            raise UserError(f"the run in {folder} follows a --schedule over all of its epochs")
        settings = {name: settings[name] for name in SETTINGS}
    elif checkpoint_path.exists() and not options.resume:
        raise UserError(
            f"{folder} already holds a run; add --resume to go on with it, or choose another folder with "
            "--run"
        )
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    device = choose_device(options.device, options.fast)

    train_set, classes = open_pictures(settings["data"], True, settings["limit"], settings["augment"])
    if settings["augment"]:
        train_set = AugmentedPictures(train_set, settings["seed"])
    test_set, _ = open_pictures(settings["data"], False, settings["limit"])
    torch.manual_seed(settings["seed"])
    network = NETWORKS[settings["model"]](num_classes=len(classes)).to(device)
    optimizer = torch.optim.SGD(network.parameters(), lr=settings["lr"], momentum=settings["momentum"])
    loader = DataLoader(
        train_set, batch_size=settings["batch_size"], shuffle=True, num_workers=options.workers
    )
    scheduler = None
    if settings["schedule"] == "cosine":
        scheduler = CosineAnnealingLR(optimizer, T_max=settings["epochs"] * len(loader))
    metrics: list[dict[str, Any]] = []
    if options.resume and checkpoint_path.exists():
        checkpoint = torch.load(checkpoint_path, weights_only=True, map_location="cpu")
        network.load_state_dict(checkpoint["model"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        if scheduler is not None:
            scheduler.load_state_dict(checkpoint["scheduler"])
        torch.set_rng_state(checkpoint["random_state"])
        metrics = checkpoint["metrics"]
    say(
        f"Training {settings['model']} on {data_name}: {counted(len(train_set), 'picture')}, "
        f"{len(test_set):,} to test"
    )
    say(
        f"batch {settings['batch_size']}, lr {settings['lr']:g}, momentum {settings['momentum']:g}, "
        f"seed {settings['seed']}"
        + (", augmented" if settings["augment"] else "")
        + (f", schedule {settings['schedule']}" if scheduler is not None else "")
    )
    if options.fast:
        say("--fast: TF32, bfloat16 autocast, channels-last and CUDA graphs; not comparable to float32")
    if len(metrics) >= settings["epochs"]:
        say(f"The run in {folder} already has {counted(len(metrics), 'epoch')}")
        return
    if metrics:
        say(f"Resuming after epoch {len(metrics)} of {settings['epochs']}")
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(config_path, json.dumps({**settings, "engine": "torch"}, indent=2) + "\n")

    step = make_step(network, optimizer, scheduler, device, options.fast, settings["batch_size"])
    while len(metrics) < settings["epochs"]:
        epoch = len(metrics) + 1
        if settings["augment"]:
            train_set.epoch = epoch
        start = time.perf_counter()
        train_loss = run_epoch(epoch, network, loader, step, settings)
        seconds = time.perf_counter() - start
        test_loss, accuracy = evaluate(network, test_set, device)
        row = {
            "epoch": epoch,
            "train_loss": train_loss,
            "test_loss": test_loss,
            "test_accuracy": accuracy,
            "seconds": seconds,
            "images_per_second": len(train_set) / seconds,
        }
        metrics.append(row)
        write_whole(metrics_path, "".join(json.dumps(line) + "\n" for line in metrics))
        save_checkpoint(checkpoint_path, settings, classes, network, optimizer, scheduler, metrics)
        say(
            f"epoch {epoch}: train loss {train_loss:.3f}, test loss {test_loss:.3f}, "
            f"accuracy {100 * accuracy:.1f} %, {row['images_per_second']:,.0f} images/s"
        )
    say("Finished Training")
    say(
        f"Accuracy of the network on the {len(test_set)} test images: "
        f"{100 * metrics[-1]['test_accuracy']:.1f} %"
    )
    say(f"Saved in {folder}; now try: minitorch-cifar eval {folder}")


def run_epoch(epoch: int, network: nn.Module, loader: Any, step: Any, settings: dict[str, Any]) -> float:
    """Trains on every picture once, printing as it goes; returns the mean loss."""
    network.train()
    interval = max(1, PICTURES_PER_LINE // settings["batch_size"])
    loss_sum, running_loss, pictures = 0.0, 0.0, 0
    for i, (images, labels) in enumerate(loader, start=1):
        loss = step(images, labels).item()
        if not math.isfinite(loss):
            raise UserError(
                f"the loss became {loss} in epoch {epoch}, step {i}: the learning rate is too high; "
                f"start again with --lr {min(DEFAULTS[settings['model']]['lr'], settings['lr'] / 10):g}"
            )
        loss_sum += loss * len(labels)
        pictures += len(labels)
        running_loss += loss
        if i % interval == 0:
            say(f"[{epoch}, {i:5d}] loss: {running_loss / interval:.3f}")
            running_loss = 0.0
    return loss_sum / pictures


def make_step(
    network: nn.Module, optimizer: Any, scheduler: Any, device: torch.device, fast: bool, batch_size: int
) -> Any:
    """A function of (images, labels) that takes one training step and returns the loss."""
    if fast and scheduler is not None:
        raise UserError("--fast captures one learning rate; leave --schedule out")
    criterion = nn.CrossEntropyLoss()

    def step(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        optimizer.zero_grad()
        loss = criterion(network(images.to(device)), labels.to(device))
        loss.backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        return loss

    return make_fast_step(network, optimizer, criterion, device, batch_size) if fast else step


def make_fast_step(
    network: nn.Module, optimizer: Any, criterion: nn.Module, device: torch.device, batch_size: int
) -> Any:
    """The same in bfloat16 and channels-last; full batches replay one captured CUDA graph."""
    network.to(memory_format=torch.channels_last)
    images_in = torch.zeros(batch_size, 3, 32, 32, device=device).to(memory_format=torch.channels_last)
    labels_in = torch.zeros(batch_size, dtype=torch.int64, device=device)

    def compute(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", dtype=torch.bfloat16, cache_enabled=False):
            loss = criterion(network(images), labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    # Warming up and capturing take steps on zeros; the states from before are put back in place afterwards,
    # because the graph holds the addresses of these very tensors.
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    momentum_before = [None if buffer is None else buffer.clone() for buffer in momentum_buffers(optimizer)]
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            compute(images_in, labels_in)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss_out = compute(images_in, labels_in)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            tensor.copy_(before[name])
        for buffer, value in zip(momentum_buffers(optimizer), momentum_before, strict=True):
            if buffer is not None:
                buffer.zero_() if value is None else buffer.copy_(value)

    def step(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        if len(images) < batch_size:
            rest = images.to(device).to(memory_format=torch.channels_last)
            return compute(rest, labels.to(device))
        images_in.copy_(images)
        labels_in.copy_(labels)
        graph.replay()
        return loss_out

    return step


def momentum_buffers(optimizer: Any) -> Iterator[torch.Tensor | None]:
    """The momentum buffer of each parameter; None before its first step."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            yield optimizer.state[parameter].get("momentum_buffer") if parameter in optimizer.state else None


@torch.no_grad()
def evaluate(network: nn.Module, test_set: Any, device: torch.device) -> tuple[float, float]:
    """Mean loss and accuracy."""
    network.eval()
    criterion = nn.CrossEntropyLoss(reduction="sum")
    loss, correct = 0.0, 0
    for images, labels in DataLoader(test_set, batch_size=TEST_BATCH_SIZE):
        scores = network(images.to(device))
        loss += criterion(scores, labels.to(device)).item()
        correct += int((scores.argmax(1).cpu() == labels).sum())
    return loss / len(test_set), correct / len(test_set)


def save_checkpoint(
    path: Path,
    settings: dict[str, Any],
    classes: list[str],
    network: nn.Module,
    optimizer: Any,
    scheduler: Any,
    metrics: list[dict[str, Any]],
) -> None:
    """Writes what `minitorch_cifar.learn.checkpoint` reads."""
    temporary = path.with_suffix(".part")
    torch.save(
        {
            "format": "minitorch_cifar checkpoint",
            "version": 1,
            "settings": settings,
            "classes": classes,
            "normalization": {"mean": list(MEAN), "std": list(STD)},
            "model": {name: tensor.cpu() for name, tensor in network.state_dict().items()},
            "optimizer": optimizer.state_dict(),
            "epoch": len(metrics),
            "random_state": torch.get_rng_state(),
            "metrics": metrics,
            "engine": "torch",
            "scheduler": None if scheduler is None else scheduler.state_dict(),
        },
        temporary,
    )
    os.replace(temporary, path)


def write_whole(path: Path, text: str) -> None:
    """Writes a file that appears whole or not at all."""
    temporary = path.with_suffix(".part")
    temporary.write_text(text)
    os.replace(temporary, path)


def counted(number: int, thing: str) -> str:
    """A number of things, in the singular where there is one."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def say(line: str) -> None:
    """Prints a line at once, also into a pipe."""
    print(line, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
