"""Draws the pictures of the README: `python -m benchmarks.pictures [--run RUN] [--out docs]`.

`shapes10.png` shows training pictures of Shapes10, one class per column; `training.png` the test accuracy and
the losses of a run, epoch by epoch, from its `metrics.jsonl`. Needs matplotlib (the extra `plots`).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

from minitorch_cifar.vision.datasets import Shapes10

ROWS = 3
GAP = 2
SCALE = 2


def draw_shapes(path: Path) -> None:
    """The first pictures of each class, a column per class."""
    data = Shapes10()
    labels = np.array(data.targets)
    columns = [data.data[labels == k][:ROWS] for k in range(len(data.classes))]
    height = (32 + GAP) * ROWS - GAP
    width = (32 + GAP) * len(columns) - GAP
    sheet = np.full((height, width, 3), 255, np.uint8)
    for x, column in enumerate(columns):
        for y, picture in enumerate(column):
            top, left = y * (32 + GAP), x * (32 + GAP)
            sheet[top : top + 32, left : left + 32] = picture
    image = Image.fromarray(sheet).resize((width * SCALE, height * SCALE), Image.Resampling.NEAREST)
    image.quantize(256).save(path, optimize=True)  # a palette: a third of the bytes, and nobody sees it


def draw_training(run: Path, path: Path) -> None:
    """Accuracy and losses of a finished run."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    config = json.loads((run / "config.json").read_text())
    epochs = [row["epoch"] for row in rows]
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.5, 2.6), layout="constrained")
    left.plot(epochs, [100 * row["test_accuracy"] for row in rows], "o-", color="tab:green")
    left.set(xlabel="epoch", ylabel="test accuracy (%)", ylim=(0, 100))
    right.plot(epochs, [row["train_loss"] for row in rows], "o-", label="training", color="tab:blue")
    right.plot(epochs, [row["test_loss"] for row in rows], "o-", label="test", color="tab:orange")
    right.set(xlabel="epoch", ylabel="loss", ylim=(0, None))
    right.legend(frameon=False)
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{config['model']} on {Path(config['data']).name}", fontsize=10)
    figure.savefig(path, dpi=100)


def main() -> None:
    """Draws both."""
    parser = argparse.ArgumentParser(description="Draw the pictures of the README.")
    parser.add_argument("--run", type=Path, default=Path("runs/lenet-shapes10"), help="a finished run")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="where to write the two pictures")
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    draw_shapes(options.out / "shapes10.png")
    draw_training(options.run, options.out / "training.png")


if __name__ == "__main__":
    main()
