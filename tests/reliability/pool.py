"""`python -m tests.reliability.pool METHOD`: gradients computed in processes that multiprocessing starts."""

from __future__ import annotations

import multiprocessing
import sys

import minitorch_cifar as torch
from minitorch_cifar.models import NETWORKS


def gradients(seed: int) -> list[bytes]:
    """The gradients of a small network with weights and pictures of this seed."""
    torch.manual_seed(seed)
    network = NETWORKS["lenet"](num_classes=10)
    network(torch.rand(64, 3, 32, 32)).square().sum().backward()
    return [p.grad.numpy().tobytes() for p in network.parameters() if p.grad is not None]


def main(method: str) -> None:
    """Computes here and there, and compares."""
    here = [gradients(seed) for seed in (0, 1, 2)]
    with multiprocessing.get_context(method).Pool(2) as pool:
        there = pool.map(gradients, [0, 1, 2])
    assert here == there, "other numbers in another process"


if __name__ == "__main__":
    main(sys.argv[1])
