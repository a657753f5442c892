"""What is here but not all of it: for a name, how it differs, and a call that shows it.

Each call is refused by the engine with NotImplementedError and done by PyTorch; `test_table.py` makes them.
They get a library (PyTorch, or the engine under the same names) and a folder for files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Call = Callable[[Any, Path], Any]


@dataclass(frozen=True)
class Difference:
    """A sentence for the table, and the call that PyTorch alone does."""

    how: str
    call: Call


def _saved(torch: Any, folder: Path) -> Path:
    path = folder / "saved.pth"
    torch.save({"x": torch.ones(2)}, path)
    return path


def _parameter(torch: Any) -> Any:
    return [torch.nn.Parameter(torch.ones(2))]


def _loader(**options: Any) -> Call:
    return lambda torch, folder: torch.utils.data.DataLoader([1, 2], **options)


def _graph_of_gradients(torch: Any, folder: Path) -> Any:
    return torch.ones(1, requires_grad=True).backward(create_graph=True)


def _optimizer(name: str) -> Difference:
    return Difference(
        "one implementation: `foreach=True` is refused (as are `fused`, `capturable`, `differentiable` where "
        "PyTorch has them)",
        lambda torch, folder: getattr(torch.optim, name)(_parameter(torch), lr=0.1, foreach=True),
    )


DIFFERENCES: dict[str, dict[str, Difference]] = {
    "torch": {
        "load": Difference(
            "no `mmap=True`, no `pickle_module`; tensors go to the CPU only",
            lambda torch, folder: torch.load(_saved(torch, folder), mmap=True),
        ),
        "norm": Difference("no nuclear norm", lambda torch, folder: torch.norm(torch.ones(2, 2), p="nuc")),
        "scatter": Difference(
            "no `reduce=`; `scatter_add` adds",
            lambda torch, folder: torch.scatter(
                torch.zeros(2), 0, torch.tensor([0]), torch.ones(1), reduce="add"
            ),
        ),
    },
    "torch.Tensor": {
        "backward": Difference("no `create_graph=True`", _graph_of_gradients),
        "norm": Difference("no nuclear norm", lambda torch, folder: torch.ones(2, 2).norm(p="nuc")),
        "scatter": Difference(
            "no `reduce=`; `scatter_add` adds",
            lambda torch, folder: torch.zeros(2).scatter(0, torch.tensor([0]), torch.ones(1), reduce="add"),
        ),
        "view": Difference(
            "no view of the memory as another dtype; `.to(dtype)` converts",
            lambda torch, folder: torch.ones(2).view(torch.int32),
        ),
        "fill_diagonal_": Difference(
            "matrices only, no `wrap=True`",
            lambda torch, folder: torch.zeros(4, 2).fill_diagonal_(1.0, wrap=True),
        ),
    },
    "torch.nn": {
        "Embedding": Difference(
            "no `sparse=True`: gradients are dense",
            lambda torch, folder: torch.nn.Embedding(3, 2, sparse=True),
        ),
        "Module": Difference(
            "no `share_memory`: training takes place in one process",
            lambda torch, folder: torch.nn.Linear(1, 1).share_memory(),
        ),
    },
    "torch.nn.functional": {
        "pad": Difference(
            "no negative widths except in mode `constant`",
            lambda torch, folder: torch.nn.functional.pad(torch.ones(2, 3), (-1, 1), "reflect"),
        ),
        "embedding": Difference(
            "no `sparse=True`: gradients are dense",
            lambda torch, folder: torch.nn.functional.embedding(
                torch.tensor([0]), torch.ones(2, 2), sparse=True
            ),
        ),
    },
    "torch.optim": {
        name: _optimizer(name) for name in ("SGD", "Adam", "AdamW", "Adagrad", "Adadelta", "RMSprop")
    },
    "torch.utils.data": {
        "DataLoader": Difference(
            "workers are threads: no `multiprocessing_context`, no `in_order=False`, no `pin_memory_device`",
            _loader(num_workers=1, in_order=False),
        ),
    },
    "torchvision.transforms": {},
}
