"""The experiments with which the learners' notes end, run anew: `python -m benchmarks experiments PATH`.

The notes try momentum, more epochs, batch norm and dropout on CIFAR-10. Each row is one of these trainings,
the same program text on the engine and on PyTorch, from the same seed: the same weights, batches and dropout
masks. Of trainings that differ only in their length the longest is run, and the others are its first epochs.
Rows print as they finish; `--rows` chooses some, `--json` keeps the figures, and `--page PAGE --from
JSON` writes kept figures beside those of the notes, without training.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from . import experiments_page, measuring
from .machine import describe, head, thread_environment


class Row(NamedTuple):
    """One training."""

    what: str
    model: str
    epochs: int
    batch: int
    lr: float
    momentum: float
    dropout: tuple[float, ...] = ()  # before each fully connected layer but the first: its probability


ROWS = {
    "lenet-2": Row("LeNet, 2 epochs", "lenet", 2, 4, 0.001, 0.9),
    "lenet-0.99": Row("LeNet, 2 epochs, momentum 0.99", "lenet", 2, 4, 0.001, 0.99),
    "lenet-10": Row("LeNet, 10 epochs", "lenet", 10, 4, 0.001, 0.9),
    "lenet-20": Row("LeNet, 20 epochs", "lenet", 20, 4, 0.001, 0.9),
    "bn-10": Row("batch norm, 10 epochs", "bn", 10, 64, 0.01, 0.9),
    "bn-dropout-1": Row("batch norm, dropout behind the first of three", "bn", 10, 64, 0.01, 0.9, (0.5,)),
    "bn-dropout-2": Row("batch norm, dropout behind the first two", "bn", 10, 64, 0.01, 0.9, (0.5, 0.5)),
    "bn-50": Row("batch norm, 50 epochs", "bn", 50, 64, 0.01, 0.9),
}


def train(engine: str, row: Row, data: str, threads: int, seed: int) -> dict[str, Any]:
    """Train in this process; the losses and accuracies of each epoch."""
    torch, network = _network(engine, row, seed)
    torch.set_num_threads(threads)
    pictures = [_pictures(torch, data, train) for train in (True, False)]
    (images, labels), (test_images, test_labels) = pictures
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(network.parameters(), lr=row.lr, momentum=row.momentum)
    losses, accuracies = [], []
    start = time.perf_counter()
    for _ in range(row.epochs):
        network.train()
        total = 0.0
        order = torch.randperm(len(images))
        for first in range(0, len(images), row.batch):
            chosen = order[first : first + row.batch]
            optimizer.zero_grad()
            loss = criterion(network(images[chosen]), labels[chosen])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(chosen)
        losses.append(total / len(images))
        network.eval()
        right = 0
        with torch.no_grad():
            for first in range(0, len(test_images), 500):
                guess = network(test_images[first : first + 500]).argmax(1)
                right += int((guess == test_labels[first : first + 500]).sum().item())
        accuracies.append(right / len(test_images))
    return {"losses": losses, "accuracies": accuracies, "seconds": time.perf_counter() - start}


def _network(engine: str, row: Row, seed: int) -> tuple[Any, Any]:
    if engine == "minitorch":
        import minitorch_cifar as torch
        from minitorch_cifar import models as networks
    else:
        import torch

        from reference import networks
    torch.manual_seed(seed)
    network = getattr(networks, row.model)()
    for name, probability in zip(("fc1", "fc2"), row.dropout, strict=False):
        layer = getattr(network, name)
        setattr(network, name, torch.nn.Sequential(layer, torch.nn.Dropout(probability)))
    return torch, network


def _pictures(torch: Any, data: str, train: bool) -> tuple[Any, Any]:
    import numpy as np

    from minitorch_cifar.vision.datasets import CIFAR10

    pictures = CIFAR10(data, train=train)
    pixels = (pictures.data.astype(np.float32) / 255 - 0.5) / 0.5  # (N, H, W, C)
    images = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
    return torch.from_numpy(images), torch.tensor(list(pictures.targets))


def run(engine: str, name: str, data: str, threads: int, seed: int) -> dict[str, Any]:
    """`train` in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.experiments", "--train", engine, name, data]
    command += [str(threads), str(seed)]
    result = subprocess.run(
        command, env=thread_environment(threads), capture_output=True, text=True, check=True
    )
    answer: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return answer


def longest_like(name: str, names: list[str]) -> str:
    """The longest of the rows `names` that begins as the row `name` does: from one seed, with one setting."""

    def beginning(row: Row) -> Row:
        return row._replace(what="", epochs=0)

    alike = [other for other in names if beginning(ROWS[other]) == beginning(ROWS[name])]
    return max(alike, key=lambda other: ROWS[other].epochs)


def first_epochs(training: dict[str, Any], epochs: int) -> dict[str, Any]:
    """What `train` would have returned after so many epochs; of the time, the share."""
    share = epochs / len(training["losses"])
    return {
        "losses": training["losses"][:epochs],
        "accuracies": training["accuracies"][:epochs],
        "seconds": training["seconds"] * share,
    }


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks experiments", description=__doc__.split("\n")[0]
    )
    parser.add_argument("data", nargs="?", help="a folder that holds CIFAR-10")
    parser.add_argument("--rows", default=",".join(ROWS), help=f"of {', '.join(ROWS)} (default: all)")
    parser.add_argument("--engines", default="minitorch,torch", help="comma-separated (default: both)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--plot", type=Path, help="draw the accuracies into this file (needs matplotlib)")
    parser.add_argument("--page", type=Path, help="write this page from kept figures, and train nothing")
    parser.add_argument("--from", dest="kept", help="the files of figures for --page, comma-separated")
    options = parser.parse_args(arguments)
    if bool(options.page) is not bool(options.kept) or bool(options.page) is bool(options.data):
        parser.error("give either a folder of CIFAR-10, or --page and --from")
    if options.page:
        figures = experiments_page.read(map(Path, options.kept.split(",")))
        options.page.write_text(experiments_page.page(figures, ROWS), encoding="utf-8")
        return 0
    names = options.rows.split(",")
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        parser.error(f"unknown rows: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    print(head(options.threads))
    print(f"CIFAR-10, all pictures, seed {options.seed}; loss of the last epoch, test accuracy after it\n")
    print(f"{'training':46} {'engine':>10} {'loss':>7} {'accuracy':>9} {'best':>8} {'seconds':>8}")
    found = []
    trainings: dict[tuple[str, str], dict[str, Any]] = {}
    for name in names:
        for engine in options.engines.split(","):
            source = longest_like(name, names)
            if (engine, source) not in trainings:
                trainings[engine, source] = run(engine, source, options.data, options.threads, options.seed)
            result = first_epochs(trainings[engine, source], ROWS[name].epochs)
            print(
                f"{ROWS[name].what:46} {engine:>10} {result['losses'][-1]:7.3f} "
                f"{result['accuracies'][-1]:8.2%} {max(result['accuracies']):8.2%} {result['seconds']:8.0f}",
                flush=True,
            )
            found.append({"row": name, "engine": engine, **result})
            if options.json:
                options.json.write_text(
                    json.dumps({"machine": describe(options.threads), "rows": found}, indent=1)
                )
    if options.plot:
        draw(options.plot, found)
    return 0


def draw(path: Path, trainings: list[dict[str, Any]]) -> None:
    """Test accuracy after each epoch: a colour per training, PyTorch dashed."""
    names = list(dict.fromkeys(training["row"] for training in trainings))
    with measuring.figure(path) as (axes,):
        for training in trainings:
            ours = training["engine"] == "minitorch"
            epochs = range(1, len(training["accuracies"]) + 1)
            axes.plot(
                epochs,
                [100 * accuracy for accuracy in training["accuracies"]],
                "-" if ours else "--",
                color=f"C{names.index(training['row'])}",
                label=ROWS[training["row"]].what if ours else None,
                linewidth=1.4,
            )
        axes.set_xlabel("epoch (dashed: PyTorch)", fontsize=8)
        axes.set_ylabel("test accuracy, %", fontsize=8)
        axes.legend(frameon=False, fontsize=7)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--train"]:
        engine, name, data, threads, seed = sys.argv[2:]
        print(json.dumps(train(engine, ROWS[name], data, int(threads), int(seed))))
