"""Forked processes compute, and rightly, under a watchdog.

GNU's OpenMP ends a forked process that asks it for threads, so there the engine computes on one thread; with
Numba's own threads (`workqueue`, all there is on some machines) that is not needed.
"""

from __future__ import annotations

import os
import sys

import pytest

from .watched import run_program

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


def _dedent(program: str) -> str:
    import textwrap

    return textwrap.dedent(program)
