"""What all tests share: Hypothesis profiles, the real pictures, the choice of a backend.

The profile `ci` (default) draws the same examples every time and prints what reproduces a failure; `thorough`
draws many more, by chance: `HYPOTHESIS_PROFILE=thorough pytest`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from .real_cifar10 import UNPACK, cifar10_folder

settings.register_profile(
    "ci",
    derandomize=True,
    print_blob=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "thorough", print_blob=True, deadline=None, max_examples=1000, suppress_health_check=list(HealthCheck)
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session", autouse=True)
def one_torch_thread() -> None:
    """PyTorch's small operations in one thread: on a busy machine its threads mostly wait for each other."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture(scope="session")
def cifar_root() -> Path:
    """A folder with CIFAR-10 in the pickled and the binary form; without one, the test is skipped."""
    folder = cifar10_folder()
    if folder is None:
        pytest.skip(f"no CIFAR-10: MINITORCH_CIFAR10 is not set and there is no {UNPACK}")
    return folder


@pytest.fixture(params=["numpy", "numba"])
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs a test once with each backend."""
    import minitorch_cifar as torch

    with torch.backends.use(request.param):
        yield request.param
