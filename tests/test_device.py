"""`device`, `require_cpu` and the `cuda` module against PyTorch's."""

from __future__ import annotations

import copy
import itertools
import pickle
from typing import Any

import pytest
import torch

from minitorch_cifar import cuda
from minitorch_cifar.device import device, require_cpu

GOOD: list[tuple[Any, ...]] = [
    ("cpu",),
    ("cuda",),
    ("cuda:0",),
    ("cuda", 1),
    ("cuda", None),
    ("cpu", 0),
    ("mps",),
    ("xpu:12",),
    ("meta",),
]
BAD: list[tuple[Any, ...]] = [
    ("",),
    ("foo",),
    ("CPU",),
    (" cpu",),
    ("cuda:",),
    ("cuda:x",),
    ("cuda:-1",),
    ("cuda:01",),
    ("cuda:1.5",),
    ("cuda:1:2",),
    ("cuda:1", 1),
    ("cpu", -1),
    ("cuda", -2),
    (-1,),
]
WRONG_TYPE: list[tuple[Any, ...]] = [(None,), (1.5,), (True,), ([],), ("cuda", "x"), ("cuda", True), ()]


@pytest.mark.parametrize("arguments", GOOD)
def test_prints_and_reads_as_in_pytorch(arguments: tuple[Any, ...]) -> None:
    ours, theirs = device(*arguments), torch.device(*arguments)
    assert repr(ours) == repr(theirs)
    assert str(ours) == str(theirs)
    assert (ours.type, ours.index) == (theirs.type, theirs.index)
    for twin in (device(ours), copy.copy(ours), copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert twin == ours
        assert hash(twin) == hash(ours)


def test_a_number_is_the_index_of_a_gpu() -> None:
    assert repr(device(1)) == "device(type='cuda', index=1)"
    assert repr(device(type="cuda", index=0)) == repr(torch.device(type="cuda", index=0))


def test_equality_as_in_pytorch() -> None:
    for first, second in itertools.product(GOOD, GOOD):
        assert (device(*first) == device(*second)) == (torch.device(*first) == torch.device(*second))
    assert device("cpu") != "cpu"
    assert len({device("cuda:1"), device("cuda", 1), device("cuda")}) == 2


@pytest.mark.parametrize("arguments", BAD)
def test_malformed_devices_get_pytorchs_message(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(RuntimeError) as theirs:
        torch.device(*arguments)
    with pytest.raises(RuntimeError) as ours:
        device(*arguments)
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize("arguments", WRONG_TYPE)
def test_arguments_of_another_kind_are_type_errors(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        torch.device(*arguments)
    with pytest.raises(TypeError):
        device(*arguments)


def test_a_device_cannot_be_changed() -> None:
    cpu = device("cpu")
    with pytest.raises(AttributeError, match=r"attribute 'type' of .* is not writable"):
        cpu.type = "cuda"
    assert cpu.type == "cpu"


def test_only_the_cpu_is_available() -> None:
    for value in (None, "cpu", device("cpu"), "cpu:0"):
        assert require_cpu(value) == device("cpu")
    for value in ("cuda", "cuda:1", device("mps"), 0):
        with pytest.raises(RuntimeError, match=r"computes on the CPU.*--engine torch"):
            require_cpu(value)
    with pytest.raises(TypeError):
        require_cpu(2.5)


def test_cuda_is_absent_and_seeding_it_is_harmless() -> None:
    assert cuda.is_available() is False
    assert cuda.is_initialized() is False
    assert cuda.device_count() == 0
    assert cuda.memory_allocated() == cuda.max_memory_allocated() == cuda.memory_reserved() == 0
    quiet = (cuda.manual_seed(0), cuda.manual_seed_all(0), cuda.seed(), cuda.seed_all(), cuda.empty_cache())
    assert quiet == (None,) * 5


@pytest.mark.parametrize(
    "name", ["current_device", "synchronize", "get_device_name", "get_device_capability"]
)
def test_what_needs_a_gpu_says_where_to_use_one(name: str) -> None:
    with pytest.raises(RuntimeError, match=rf"torch\.cuda\.{name}\(\) needs a GPU.*--engine torch"):
        getattr(cuda, name)()
    for refused in (cuda.set_device, cuda.get_device_properties):
        with pytest.raises(RuntimeError, match="needs a GPU"):
            refused(0)
