"""Several Python threads at once: right answers and no deadlock. Each program runs in a process of its own,
under a watchdog, with each of the layers that Numba may have for its own threads.
"""

from __future__ import annotations

import sys
import textwrap
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minitorch_cifar

from .watched import run_program

HEAD = """
import faulthandler, threading
faulthandler.dump_traceback_later(150, exit=True)
import minitorch_cifar as torch
from minitorch_cifar.models import NETWORKS
F = torch.nn.functional

def in_threads(*tasks):
    errors = []
    start = threading.Barrier(len(tasks))
    def run(task):
        try:
            start.wait()
            task()
        except BaseException as error:
            errors.append(error)
    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    if errors: raise errors[0]

def train(model, seed, steps, results):
    generator = torch.Generator().manual_seed(seed)
    network = NETWORKS[model](num_classes=10)
    for p in network.parameters():
        torch.nn.init.uniform_(p, -0.1, 0.1, generator=generator)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    for _ in range(steps):
        x = torch.rand(32, 3, 32, 32, generator=generator)
        y = torch.randint(0, 10, (32,), generator=generator)
        optimizer.zero_grad()
        F.cross_entropy(network(x), y).backward()
        optimizer.step()
    results.append([p.detach().numpy().tobytes() for p in network.parameters()])
    return network
"""

TWO_MODELS = """
alone, together = ([], []), ([], [])
in_threads(lambda: train("lenet", 1, 3, together[0]), lambda: train("bn", 2, 3, together[1]))
train("lenet", 1, 3, alone[0])
train("bn", 2, 3, alone[1])
assert alone == together, "other parameters with another thread beside"
"""

TRAIN_AND_EVALUATE = """
evaluated = train("bn", 3, 1, []).eval()
x = torch.rand(64, 3, 32, 32)
with torch.no_grad():
    expected = evaluated(x).numpy().copy()
alone, together, done = [], [], []
train("lenet", 1, 20, alone)

def training():
    train("lenet", 1, 20, together)
    done.append(True)

def evaluating():
    while not done:
        with torch.no_grad():
            y = evaluated(x)
        assert not y.requires_grad
        assert (y.numpy() == expected).all(), "another answer while another thread trains"

in_threads(training, evaluating)
assert alone == together, "other parameters while another thread evaluates"
"""


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
@pytest.mark.parametrize(
    "program", [TWO_MODELS, TRAIN_AND_EVALUATE], ids=["two models", "train and evaluate"]
)
def test_networks_in_two_threads(program: str, layer: str) -> None:
    """Numba's workqueue ends the process when two threads enter it; the kernels keep Python's lock."""
    if layer == "omp" and sys.platform == "darwin":
        pytest.skip("Numba brings no OpenMP here")
    run_program(HEAD + program, NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="4")


def together(*tasks: Callable[[], None]) -> None:
    """Run the tasks in threads that start at once. RuntimeError for one that does not end."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(tasks))

    def run(task: Callable[[], None]) -> None:
        try:
            barrier.wait(60)
            task()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(task,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        if thread.is_alive():
            raise RuntimeError("a thread does not end")
    if errors:
        raise errors[0]


def test_gradients_of_several_threads_meet_in_shared_leaves() -> None:
    leaf = minitorch_cifar.zeros(50, 50, dtype=minitorch_cifar.float64, requires_grad=True)
    weights = np.random.default_rng(0).integers(-9, 9, (8, 50, 50)).astype(np.float64)

    def task(weight: np.ndarray) -> Callable[[], None]:
        def run() -> None:
            for _ in range(100):
                (leaf * minitorch_cifar.from_numpy(weight)).sum().backward()

        return run

    together(*[task(weight) for weight in weights])
    assert leaf.grad is not None
    np.testing.assert_array_equal(leaf.grad.numpy(), 100 * weights.sum(axis=0))


def test_no_draw_is_lost_or_given_twice() -> None:
    """What the threads drew together is what one thread would have drawn, cut into the same pieces."""
    rounds, size, count = 50, 1000, 4
    drawn: list[Any] = []

    def task() -> None:
        for _ in range(rounds):
            drawn.append(minitorch_cifar.rand(size).numpy().tobytes())

    minitorch_cifar.manual_seed(7)
    together(*[task] * count)
    minitorch_cifar.manual_seed(7)
    expected = [minitorch_cifar.rand(size).numpy().tobytes() for _ in range(rounds * count)]
    assert Counter(drawn) == Counter(expected)


def _modes(t: Any) -> list[Any]:
    """What a thread sees of the modes that another has set."""
    anomaly = t if t is torch else minitorch_cifar.autograd.anomaly
    flags = [t.is_grad_enabled(), t.is_inference_mode_enabled(), anomaly.is_anomaly_enabled()]
    return [*flags, t.get_default_dtype()]


def _modes_seen_elsewhere(t: Any) -> list[str]:
    seen: list[Any] = []
    before = t.get_default_dtype()

    def look() -> None:
        seen.extend(_modes(t))

    try:
        with t.autograd.set_detect_anomaly(True), t.no_grad(), t.inference_mode():
            t.set_default_dtype(t.float64)
            together(look)
    finally:
        t.set_default_dtype(before)
    return [str(value) for value in seen]


def test_which_modes_are_per_thread() -> None:
    """Recording and inference are the thread's own; anomaly mode and the default dtype the process's."""
    assert _modes_seen_elsewhere(minitorch_cifar) == _modes_seen_elsewhere(torch)


def test_no_grad_of_one_thread_does_not_stop_the_others() -> None:
    inside, done = threading.Event(), threading.Event()
    found: list[Any] = []

    def evaluating() -> None:
        with minitorch_cifar.no_grad():
            inside.set()
            assert done.wait(60)
            found.append(minitorch_cifar.ones(1, requires_grad=True).exp().requires_grad)

    def training() -> None:
        assert inside.wait(60)
        x = minitorch_cifar.ones(3, requires_grad=True)
        x.exp().sum().backward()
        found.append(x.grad is not None)
        done.set()

    together(evaluating, training)
    assert found == [True, False]


def test_first_kernel_in_several_threads_at_once() -> None:
    """They import Numba and load the kernels only once, and wait for each other."""
    program = """
    found = []
    def first():
        x = torch.linspace(-1, 1, 5).requires_grad_()
        torch.relu(x).sum().backward()
        found.append(x.grad.tolist())
    in_threads(*[first] * 8)
    assert found == [[0, 0, 0, 1, 1]] * 8, found
    """
    run_program(HEAD + textwrap.dedent(program))
