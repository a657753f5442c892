"""Runs programs on one side, in a process of its own: `driver.py {torch,engine} DATA RESULTS PROGRAM...`.

A PROGRAM is its precision and its path, `float32:path`. Each finds the same start: the same seeds, that
default dtype, an empty folder to work in, the variable NOTES_DATA that names the folder of the data sets.
What it printed, left and computed goes to `RESULTS/PROGRAM.json` and `.npz`. The programs import torch and
torchvision; for the engine, `compat.install()` is called before.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

SEED = 0
PICTURES = {"data_batch_1": 2000, "test_batch": 260}


def use_small_cifar10(side: str) -> None:
    """Let `CIFAR10` take a folder with the two files of `PICTURES`; theirs are not the official checksums."""
    if side == "torch":
        from torchvision.datasets import CIFAR10

        CIFAR10.train_list, CIFAR10.test_list = [["data_batch_1", None]], [["test_batch", None]]
        CIFAR10.meta = {**CIFAR10.meta, "md5": None}
    else:
        from dataclasses import replace

        from minitorch_cifar.vision.datasets import CIFAR10

        train, test = (
            tuple(replace(file, pictures=PICTURES[file.name]) for file in files[:1])
            for files in (CIFAR10.format.train, CIFAR10.format.test)
        )
        CIFAR10.format = replace(CIFAR10.format, train=train, test=test)


def tensors_in(value: Any, name: str, torch: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Every tensor that a value holds: of a module its state and gradients, of an optimizer its state."""
    if isinstance(value, torch.Tensor):
        yield name, value.detach().numpy()
        if value.is_leaf and value.grad is not None:
            yield f"{name}.grad", value.grad.detach().numpy()
    elif isinstance(value, torch.nn.Module):
        for key, tensor in {**dict(value.named_parameters()), **dict(value.named_buffers())}.items():
            yield from tensors_in(tensor, f"{name}.{key}", torch)
    elif isinstance(value, torch.optim.Optimizer):
        yield from tensors_in(value.state_dict(), name, torch)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from tensors_in(item, f"{name}[{key!r}]", torch)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from tensors_in(item, f"{name}[{index}]", torch)
    elif isinstance(value, np.ndarray) and value.dtype != object:
        yield name, value


def drawn_figures() -> Iterator[tuple[str, np.ndarray]]:
    """The pixels of all open matplotlib figures; they are closed."""
    if "matplotlib.pyplot" not in sys.modules:
        return
    from matplotlib import pyplot

    for number in pyplot.get_fignums():
        canvas = pyplot.figure(number).canvas
        canvas.draw()
        yield f"figure {number}", np.asarray(canvas.buffer_rgba()).copy()
    pyplot.close("all")


def run(path: Path, precision: str, torch: Any, results: Path) -> None:
    """Run one program in the current folder and write down what came of it."""
    torch.set_default_dtype(getattr(torch, precision))
    torch.manual_seed(SEED)
    np.random.seed(SEED)
    random.seed(SEED)
    main = ModuleType("__main__")  # where the classes of whole saved models are looked for
    main.__file__ = str(path)
    own, sys.modules["__main__"] = sys.modules["__main__"], main
    output = io.StringIO()
    start = time.process_time()
    error = None
    arrays: dict[str, np.ndarray] = {}
    try:
        with contextlib.redirect_stdout(output):
            exec(compile(path.read_text(), str(path), "exec"), vars(main))
        for name, value in vars(main).items():
            if not name.startswith("_"):
                arrays.update(tensors_in(value, name, torch))
        arrays.update(drawn_figures())
        for file in sorted(Path().rglob("*.pth")):
            saved = torch.load(file, weights_only=False)
            arrays.update(tensors_in(saved, f"{file}:", torch))
    except Exception:
        error = traceback.format_exc()
    finally:
        sys.modules["__main__"] = own
    files = sorted(str(file) for file in Path().rglob("*") if file.is_file())
    seconds = time.process_time() - start
    report = {"seconds": seconds, "printed": output.getvalue(), "files": files, "error": error}
    (results / f"{path.stem}.json").write_text(json.dumps(report))
    # The names go along as a list: as names of records some would not do.
    np.savez(results / f"{path.stem}.npz", np.array(list(arrays)), *arrays.values())


def main(side: str, data: str, results: str, *programs: str) -> None:
    """Run the programs one after the other; `results` also holds a folder for each to work in."""
    os.environ.update(NOTES_DATA=data, MPLBACKEND="Agg")
    if side == "engine":
        from minitorch_cifar import compat

        compat.install()
    import torch

    torch.set_num_threads(1)
    use_small_cifar10(side)
    for program in programs:
        precision, _, path = program.partition(":")
        folder = Path(results) / Path(path).stem
        folder.mkdir()
        os.chdir(folder)
        run(Path(path), precision, torch, Path(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
