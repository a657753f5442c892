"""Forked and spawned processes compute, and rightly; each under a watchdog.

GNU's OpenMP ends a forked process that asks it for threads, so there the engine computes on one thread; with
Numba's own threads (`workqueue`, all there is on some machines) that is not needed.
"""

from __future__ import annotations

import os
import sys

import pytest

from .watched import run, run_program

WORK = """
import faulthandler, os, sys, threading
import minitorch_cifar as torch
from minitorch_cifar.models import NETWORKS

def work(seed=0):
    generator = torch.Generator().manual_seed(seed)
    network = NETWORKS["lenet"](num_classes=10)
    for p in network.parameters():
        torch.nn.init.uniform_(p, -0.1, 0.1, generator=generator)
    x = torch.rand(256, 3, 32, 32, generator=generator)
    network(x).square().sum().backward()
    return [p.grad.numpy().tobytes() for p in network.parameters()]
"""

LAYERS = ("omp", "workqueue")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
FORKED = (
    WORK
    + """
def forked(task):
    faulthandler.cancel_dump_traceback_later()  # its thread would be missing in the child, which would wait
    child = os.fork()
    if not child:
        faulthandler.dump_traceback_later(150, exit=True)
        try:
            task()
            os._exit(0)
        except BaseException as error:
            sys.stderr.write(repr(error))
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0, "the forked process failed"

def check(expected):
    assert work() == expected, "other numbers in the forked process"
"""
)


@needs_fork
@pytest.mark.parametrize("layer", LAYERS)
def test_fork_after_kernels_ran(layer: str) -> None:
    """Child and grandchild compute the same bits; the parent goes on with all of its threads."""
    program = """
    expected = work()
    import numba
    print(numba.threading_layer())
    forked(lambda: check(expected))
    forked(lambda: (check(expected), forked(lambda: check(expected))))
    check(expected)
    """
    if layer == "omp" and sys.platform == "darwin":
        pytest.skip("Numba brings no OpenMP here")
    out = run_program(FORKED + _dedent(program), NUMBA_THREADING_LAYER=layer)
    assert out.split() == [layer]


@needs_fork
def test_fork_after_import_and_before_the_first_kernel() -> None:
    run_program(FORKED + "forked(work)\nexpected = work()\nforked(lambda: check(expected))")


@needs_fork
def test_fork_while_another_thread_computes_and_draws() -> None:
    """The locks of the engine are not held for ever in the child."""
    program = """
    expected = work()
    torch.rand(1)
    stop = threading.Event()
    leaf = torch.zeros(300, 300, requires_grad=True)

    def busy():
        while not stop.is_set():
            torch.rand(300, 300)
            (leaf * 2).sum().backward()

    threads = [threading.Thread(target=busy) for _ in range(3)]
    for thread in threads:
        thread.start()

    def task():
        torch.rand(1)
        check(expected)

    for _ in range(15):
        forked(task)
    stop.set()
    for thread in threads:
        thread.join()
    """
    run_program(FORKED + _dedent(program))


@needs_fork
def test_multiprocessing_by_fork() -> None:
    program = """
    import multiprocessing
    expected = work()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        results = pool.map(work, [0, 1, 0])
    assert results[0] == results[2] == expected
    assert results[1] != expected
    """
    run_program(WORK + _dedent(program))


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_multiprocessing_by_new_processes(method: str, tmp_path: object) -> None:
    if method == "forkserver" and not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    run(["-m", "tests.reliability.pool", method])


def _dedent(program: str) -> str:
    import textwrap

    return textwrap.dedent(program)
