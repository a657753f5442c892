"""The kernels besides convolution, at the sizes of the three networks: what `benchmarks kernels` adds.

Each is called as a program calls it, the same text in both libraries, so that the figures contain the way to
the kernel. Backward is timed on a graph that is kept. Pictures are scaled as a loader does for a whole batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .engines import libraries

Call = Callable[[], Any]

POOLS = {"lenet": (64, 6, 28, 28), "quick": (64, 32, 32, 32), "bn": (64, 64, 16, 16)}
NORMS = {"bn 1": (64, 32, 32, 32), "bn 2": (64, 64, 16, 16), "bn 3": (64, 128, 8, 8)}
RELUS = {"lenet": (64, 6, 28, 28), "bn": (64, 32, 32, 32)}
LINEARS = {"lenet": (400, 120), "quick": (1024, 64), "bn": (2048, 120)}
BATCHES = (4, 64)
FAMILIES = ("max pool", "batch norm", "relu", "linear", "cross-entropy", "sgd", "adam", "normalise")


def calls(engine: str, threads: int) -> dict[str, Call]:
    """By name: functions to be timed."""
    torch, networks = libraries(engine)
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    functional = torch.nn.functional
    found: dict[str, Call] = {}

    def add(name: str, function: Callable[..., Any], *shapes: tuple[int, ...]) -> None:
        """Forward without a graph, and backward from a random gradient to all inputs."""
        inputs = [torch.randn(shape).requires_grad_() for shape in shapes]
        y = function(*inputs)
        gradient = torch.randn(y.shape)

        def forward() -> None:
            with torch.no_grad():
                function(*inputs)

        def backward() -> None:
            for tensor in inputs:
                tensor.grad = None
            y.backward(gradient, retain_graph=True)

        found[f"{name}, forward"], found[f"{name}, backward"] = forward, backward

    for name, shape in POOLS.items():
        add(f"max pool {name}", lambda x: functional.max_pool2d(x, 2), shape)
    for name, shape in NORMS.items():
        add(
            f"batch norm {name}",
            lambda x, w, b: functional.batch_norm(x, None, None, w, b, training=True),
            shape,
            *[shape[1:2]] * 2,
        )
    for name, shape in RELUS.items():
        add(f"relu {name}", functional.relu, shape)
    for name, (inputs, outputs) in LINEARS.items():
        add(f"linear {name}", functional.linear, (64, inputs), (outputs, inputs), (outputs,))
    for batch in BATCHES:
        labels = torch.randint(0, 10, (batch,))
        add(
            f"cross-entropy batch {batch}",
            lambda x, labels=labels: functional.cross_entropy(x, labels),
            (batch, 10),
        )
    for model in ("lenet", "quick", "bn"):
        for kind in ("sgd", "adam"):
            found[f"{kind} {model}"] = _optimizer_step(torch, getattr(networks, model)(), kind)
    for batch in BATCHES:
        found[f"normalise batch {batch}"] = _normalise(engine, torch, batch)
    return found


def _optimizer_step(torch: Any, network: Any, kind: str) -> Call:
    parameters = list(network.parameters())
    for parameter in parameters:
        parameter.grad = torch.randn(parameter.shape) * 1e-3
    if kind == "sgd":
        step: Call = torch.optim.SGD(parameters, lr=1e-4, momentum=0.9).step
    else:
        step = torch.optim.Adam(parameters, lr=1e-4).step
    return step


def _normalise(engine: str, torch: Any, batch: int) -> Call:
    """Pictures, uint8 (N, H, W, C), of a set of 1,000, to scaled float32 (N, C, H, W)."""
    import numpy as np

    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (1000, 32, 32, 3), dtype=np.uint8)
    chosen = generator.integers(0, len(pixels), batch)
    if engine == "minitorch":
        from minitorch_cifar.learn.data import scaling
        from minitorch_cifar.models import Normalization
        from minitorch_cifar.utils.data.whole_batch import reader_of
        from minitorch_cifar.vision.datasets.arrays import ArrayDataset

        pictures = ArrayDataset(".", transform=scaling(Normalization()))
        pictures.data, pictures.targets = pixels, [0] * len(pixels)
        read = reader_of(pictures)
        assert read is not None
        indices = chosen.tolist()
        return lambda: read(indices)
    data, places = torch.from_numpy(pixels), torch.from_numpy(chosen)
    mean, std = (torch.tensor([0.5, 0.5, 0.5]).view(3, 1, 1) for _ in range(2))
    return lambda: (
        data[places].permute(0, 3, 1, 2).contiguous().float().div_(255).sub_(mean).div_(std),
        torch.zeros(batch, dtype=torch.int64),
    )
