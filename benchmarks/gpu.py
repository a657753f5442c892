"""The engine on a CPU beside PyTorch on a GPU: `python -m benchmarks gpu`.

A training step of each network at batch 4 and 64: the engine on the CPU; the reference on the GPU, eager;
and the reference on the GPU with the whole step recorded as a CUDA graph and replayed. Small networks keep a
GPU waiting for Python, and a graph takes Python away. Without a GPU it says so, and that is no failure.
"""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable
from typing import Any

from . import measuring
from .engines import LEARNING_RATE, MOMENTUM, training_step

WAYS = {"minitorch": "minitorch_cifar, CPU", "gpu": "PyTorch, GPU", "gpu-graph": "PyTorch, GPU, CUDA graph"}
WORKLOADS = [(model, batch) for model in ("lenet", "quick", "bn") for batch in (4, 64)]


def no_gpu() -> str | None:
    """Why nothing can be measured; None if there is a GPU."""
    if importlib.util.find_spec("torch") is None:
        return "PyTorch is not installed"
    import torch

    return None if torch.cuda.is_available() else "PyTorch sees no GPU here"


def measure(engine: str, model: str, batch: int, seconds: float, threads: int) -> dict[str, float]:
    """Milliseconds per step."""
    if engine == "minitorch":
        step: Callable[[], Any] = training_step(engine, model, batch, threads)
    else:
        step = _on_gpu(model, batch, engine == "gpu-graph")
    end = time.perf_counter() + seconds / 4
    count = 0
    while time.perf_counter() < end or count < 3:
        step()
        count += 1
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(10):
            step()
        times.append((time.perf_counter() - start) * 100)
    return {"ms": statistics.median(times)}


def _on_gpu(model: str, batch: int, recorded: bool) -> Callable[[], float]:
    import torch

    from reference import networks

    torch.manual_seed(0)
    network = getattr(networks, model)().cuda()
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)
    batches = [
        (torch.randn(batch, 3, 32, 32).pin_memory(), torch.randint(0, 10, (batch,)).pin_memory())
        for _ in range(16)
    ]
    images, labels = (tensor.cuda() for tensor in batches[0])
    turn = iter(range(1 << 62))

    def compute() -> Any:
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(network(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    def load() -> None:
        picture, label = batches[next(turn) % len(batches)]
        images.copy_(picture, non_blocking=True)
        labels.copy_(label, non_blocking=True)

    if not recorded:

        def eager() -> float:
            load()
            return float(compute().item())

        return eager
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            compute()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    optimizer.zero_grad(set_to_none=True)
    with torch.cuda.graph(graph):
        loss = compute()

    def replayed() -> float:
        load()
        graph.replay()
        return float(loss.item())

    return replayed


def main(arguments: list[str] | None = None) -> int:
    """Print the table, or a line that says why there is none."""
    parser = measuring.parser("gpu", __doc__)
    parser.set_defaults(engines=",".join(WAYS))
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default 3)")
    parser.add_argument("--seconds", type=float, default=2.0, help="timed length of a turn (default 2)")
    options = parser.parse_args(arguments)
    reason = no_gpu()
    if reason is not None:
        print(f"gpu: nothing measured, {reason}")
        return 0
    import torch

    ways = options.engines.split(",")
    if not set(ways) <= set(WAYS):
        parser.error(f"--engines takes {', '.join(WAYS)} here")
    measuring.begin(options)
    device = torch.cuda.get_device_name()
    print(f"GPU: {device}; {options.rounds} alternating rounds, medians, milliseconds per step\n")
    print(f"{'network':8} {'batch':>5}" + "".join(f"{WAYS[way]:>26}" for way in ways))
    rows: list[dict[str, Any]] = []
    for model, batch in WORKLOADS:
        settings = {"model": model, "batch": batch, "seconds": options.seconds}
        turns = measuring.in_turns("gpu", list(ways), options.rounds, options.threads, **settings)
        times = {way: measuring.median_of(turns[way], "ms")[0] for way in ways}
        print(f"{model:8} {batch:>5}" + "".join(f"{times[way]:26.3f}" for way in ways), flush=True)
        rows.append({"model": model, "batch": batch, "gpu": device, "ms": times})
    lines = [[row["model"], row["batch"], *(f"{row['ms'][way]:.3f}" for way in ways)] for row in rows]
    table = measuring.markdown(["network", "batch", *(f"{WAYS[way]}, ms" for way in ways)], lines)
    measuring.finish("gpu", options, rows, f"GPU: {device}.\n\n{table}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
