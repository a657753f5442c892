"""The engines that are measured, and one training step of each: the same network, loss and optimizer.

The engine and PyTorch run the same program text. `torch-compile` is PyTorch with the network and the loss
compiled, `deterministic` the engine with the kernels that give the same bits on every CPU. JAX and MyGrad,
which have other programs, are in `peers.py`.
"""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

Step = Callable[[], float]


class Engine(NamedTuple):
    """How it is called in tables, and what has to be installed."""

    title: str
    package: str


ENGINES = {
    "minitorch": Engine("minitorch_cifar", "minitorch_cifar"),
    "deterministic": Engine("minitorch_cifar, deterministic", "minitorch_cifar"),
    "torch": Engine("PyTorch", "torch"),
    "torch-compile": Engine("PyTorch, compiled", "torch"),
    "jax": Engine("JAX", "jax"),
    "mygrad": Engine("MyGrad", "mygrad"),
}

LEARNING_RATE, MOMENTUM = 0.001, 0.9

# So many pictures take turns. One batch alone would soon be learned by heart: gradients of zero let the
# momentum fall into numbers so small that arithmetic on them is slow, in every engine.
PICTURES = 2000


def missing(name: str) -> str | None:
    """The package that an engine lacks; None when it is there."""
    package = ENGINES[name].package
    return None if importlib.util.find_spec(package) else package


def libraries(engine: str) -> tuple[Any, Any]:
    """`torch` and the module of the three networks, of the engine or of PyTorch."""
    if engine in ("minitorch", "deterministic"):
        import minitorch_cifar
        from minitorch_cifar import models

        minitorch_cifar.use_deterministic_algorithms(engine == "deterministic")
        return minitorch_cifar, models
    import torch

    from reference import networks

    return torch, networks


def training_step(engine: str, model: str, batch: int, threads: int) -> Step:
    """A function that trains for one step and returns the loss."""
    if engine in ("jax", "mygrad"):
        from . import peers

        return peers.training_step(engine, model, batch)
    torch, networks = libraries(engine)
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    network = getattr(networks, model)()
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)
    batches = [
        (torch.randn(batch, 3, 32, 32), torch.randint(0, 10, (batch,)))
        for _ in range(min(max(PICTURES // batch, 8), 200))
    ]
    turn = itertools.cycle(batches)

    def loss_of(images: Any, labels: Any) -> Any:
        return criterion(network(images), labels)

    objective = torch.compile(loss_of) if engine == "torch-compile" else loss_of

    def step() -> float:
        images, labels = next(turn)
        optimizer.zero_grad()
        loss = objective(images, labels)
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step
