"""Freed memory is kept: arrays of megabytes that come and go cost no page faults after the first round."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from minitorch_cifar.memory import keep_freed_memory

kept = keep_freed_memory()

def faults(rounds):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        arrays = [np.empty(size << 20) for size in (2, 2, 5)]  # the last is larger than 32 MiB
        for array in arrays:
            array[:] = 1
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults(2)
print(kept, faults(5))
"""


def run(**variables: str) -> list[str]:
    environment = {"PATH": "", **variables}
    command = [sys.executable, "-c", PROGRAM]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return result.stdout.split()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mallopt belongs to glibc")
def test_arrays_that_come_and_go_cost_no_page_faults() -> None:
    kept, faults = run()
    assert kept == "True"
    assert int(faults) < 50


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mallopt belongs to glibc")
def test_a_users_own_setting_stands() -> None:
    kept, faults = run(MALLOC_MMAP_THRESHOLD_="100000")
    assert kept == "False"
    assert int(faults) > 50  # given back and fetched again, as asked
