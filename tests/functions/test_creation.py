"""Making tensors: dtypes, values and errors are PyTorch's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch as pytorch
from hypothesis import given
from hypothesis import strategies as st

import minitorch_cifar as torch
from tests.same_answer import assert_same_answer

DATA = """
torch.tensor(1)
torch.tensor(1.5)
torch.tensor(True)
torch.tensor([])
torch.tensor([[], []])
torch.tensor([1, 2.5])
torch.tensor([True, 2])
torch.tensor([True, 2.5])
torch.tensor([[1, 2], [3, 4]])
torch.tensor(((1, 2), (3, 4)), dtype=float)
torch.tensor([1, 2], dtype=torch.bool)
torch.tensor([np.float64(1.0)])
torch.tensor([np.float32(1.0), 2.0])
torch.tensor([np.int32(1)])
torch.tensor([np.int32(1), 2])
torch.tensor(np.float64(1))
torch.tensor(np.array([1, 2], np.int32))
torch.tensor([np.array([1, 2], np.int32)])
torch.tensor([torch.tensor(1.0, dtype=torch.float64)])
torch.tensor([0.4], dtype=torch.float64).item()
torch.tensor(0.1, dtype=torch.float64).item()
torch.as_tensor([0.4], dtype=torch.float64).item()
torch.DoubleTensor([0.4]).item()
torch.Tensor([1, 2])
torch.Tensor(2, 3).shape
torch.Tensor()
torch.LongTensor([1, 2])
torch.FloatTensor(2, 3).shape
torch.tensor([300], dtype=torch.uint8)
torch.tensor([-1], dtype=torch.uint8)
torch.tensor([300.7], dtype=torch.uint8)
torch.tensor([2**40], dtype=torch.int32)
torch.tensor([1.9, -1.9], dtype=torch.int64)
torch.tensor([float("nan")], dtype=torch.int64)
torch.tensor([1e300])
torch.tensor([2**63])
torch.tensor([2**63], dtype=torch.float64)
torch.tensor([[1, 2], [3]])
torch.tensor([[1, 2], 3])
torch.tensor("abc")
torch.tensor(None)
torch.tensor([1, None])
torch.tensor({})
torch.tensor([1], dtype="float32")
torch.tensor([1], requires_grad=True)
torch.tensor([1.0], requires_grad=True)
torch.from_numpy([1, 2])
torch.from_numpy(np.ones(2))
torch.from_numpy(np.ones(2, np.complex64).real)
torch.from_numpy(np.ones(3)[::-1])
torch.as_tensor(np.ones(2))
""".strip().splitlines()

RULES = """
torch.zeros(2, 3)
torch.zeros((2, 3), dtype=torch.long)
torch.zeros(torch.Size([2]))
torch.zeros()
torch.zeros(2, -1)
torch.zeros(2.0)
torch.ones(2, requires_grad=True)
torch.ones(0, 3)
torch.ones(2, dtype=torch.int32, requires_grad=True)
torch.empty(2, 3).shape
torch.full((2,), 3)
torch.full((2,), 3.0)
torch.full((2,), True)
torch.full((2, 2), 1.5, dtype=torch.float64)
torch.full((), 7)
torch.zeros_like(torch.ones(2, dtype=torch.float64))
torch.ones_like(torch.ones(2), dtype=torch.long)
torch.full_like(torch.ones(2), 3)
torch.rand_like(torch.ones(3))
torch.randn_like(torch.ones(3, dtype=torch.float64))
torch.arange(5)
torch.arange(1, 2.5, 0.5)
torch.arange(5, 0, -2)
torch.arange(0)
torch.arange(0, 5, -1)
torch.arange(0, 5, 0)
torch.arange(3, dtype=torch.float32)
torch.arange(1.0)
torch.linspace(0, 1, 5)
torch.linspace(1, 0, 3)
torch.linspace(0, 1, 1)
torch.linspace(0, 1, 0)
torch.linspace(0, 10, 4, dtype=torch.int64)
torch.eye(3)
torch.eye(2, 3, dtype=torch.int64)
torch.eye(-1)
torch.diag(torch.tensor([1.0, 2.0]))
torch.diag(torch.ones(2, 2))
torch.rand(3)
torch.rand(2, 2, dtype=torch.float64)
torch.rand(2, dtype=torch.int64)
torch.randn(3)
torch.randn(20, dtype=torch.float64)
torch.randint(10, (5,))
torch.randint(3, 10, (2, 2))
torch.randint(5, 5, (1,))
torch.randint(10, 3)
torch.tensor([torch.ones(1), torch.ones(1)])
torch.tensor([[torch.ones(1, dtype=torch.float64), torch.tensor([[2]])]])
torch.tensor([torch.ones(1), 3])
torch.tensor([3, torch.ones(1)])
torch.tensor([torch.ones(2), torch.ones(2)])
torch.tensor([torch.ones(0)])
torch.randint(10, size=(5,))
torch.randint(high=10, size=(5,))
torch.randint(low=2, high=5, size=(5,))
torch.randint(5, (3,), dtype=torch.float32, requires_grad=True)
torch.randint(high=5)
torch.randint(0, 5)
torch.randint_like(torch.ones(3), 5, device="cpu", requires_grad=True)
torch.randint_like(torch.ones(3), high=5, generator=torch.Generator().manual_seed(3))
torch.randperm(10)
torch.randperm(0)
torch.randperm(-1)
torch.normal(0.0, 1.0, (3,))
torch.normal(torch.zeros(3), 2.0)
torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
torch.normal(mean=0.0, std=1.0, size=(2,), device="cpu", dtype=torch.float64)
torch.normal(0.0, 1.0, 3)
torch.normal(0.0, 1.0)
torch.normal(torch.zeros(2), 1.0, requires_grad=True)
torch.normal(torch.zeros(2), 1.0, size=(2,))
torch.normal(torch.zeros(2), -1.0)
torch.logspace(0, 1, 3, requires_grad=True)
torch.arange(3, pin_memory=False)
torch.bernoulli(torch.tensor([0.0, 1.0, 0.5]))
torch.bernoulli(torch.tensor([2.0]))
torch.multinomial(torch.tensor([1.0, 2.0, 3.0]), 2)
torch.ones(2, device="cpu")
torch.ones(2, device=torch.device("cpu"))
torch.ones(2).new_ones(3, dtype=torch.double)
torch.ones(2, dtype=torch.float64).new_zeros((2, 2))
torch.ones(2).new_tensor([1, 2])
torch.ones(2, dtype=torch.int32).new_full((2,), 7)
""".strip().splitlines()


@pytest.mark.parametrize("program", DATA + RULES)
def test_as_pytorch(program: str) -> None:
    assert_same_answer(program)


@given(
    st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(0.01, 50), st.sampled_from(["float32", "float64"])
)
def test_arange_and_linspace_to_the_last_digits(start: float, span: float, step: float, dtype: str) -> None:
    end = start + abs(span)
    for make in ("arange", "linspace"):
        last = step if make == "arange" else int(step)
        ours = getattr(torch, make)(start, end, last, dtype=getattr(torch, dtype)).numpy()
        theirs = getattr(pytorch, make)(start, end, last, dtype=getattr(pytorch, dtype)).numpy()
        # PyTorch rounds once more at the start of each of its vectors: its last digit varies by machine.
        ulp = np.finfo(dtype).eps * max(abs(start), abs(end), 1)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2 * ulp)


def test_from_numpy_shares_memory_and_tensor_copies() -> None:
    array = np.arange(4.0)
    shared, copied = torch.from_numpy(array), torch.tensor(array)
    array += 1
    shared.mul_(2)
    assert array.tolist() == shared.tolist() == [2, 4, 6, 8]
    assert copied.tolist() == [0, 1, 2, 3]
    assert shared.numpy() is array


def test_cuda_is_refused_with_advice() -> None:
    with pytest.raises(RuntimeError, match="--engine torch"):
        torch.zeros(2, device="cuda")


@pytest.mark.parametrize(
    "call",
    [
        lambda option: torch.empty(2, memory_format=option),
        *(
            lambda option, like=like: like(torch.ones(2), memory_format=option)
            for like in (
                torch.zeros_like,
                torch.ones_like,
                torch.empty_like,
                torch.rand_like,
                torch.randn_like,
            )
        ),
        lambda option: torch.randn_like(torch.ones(2), memory_format=option),
        lambda option: torch.full_like(torch.ones(2), 3, memory_format=option),
        lambda option: torch.ones(2).clone(memory_format=option),
        lambda option: torch.ones(2).contiguous(memory_format=option),
        lambda option: torch.ones(2).is_contiguous(memory_format=option),
    ],
)
def test_a_memory_layout_is_refused_and_not_ignored(call: Callable[[object], object]) -> None:
    """Guards against options that are taken and have no effect."""
    call(None)
    with pytest.raises(NotImplementedError, match=r"channels_last.* is not part of minitorch_cifar"):
        call("torch.channels_last")


@pytest.mark.parametrize("content", [np.array([None, 1], object), np.array(["1"]), np.array([b"1"])], ids=str)
@pytest.mark.parametrize("make", ["new", "new_tensor", "FloatTensor", "tensor"])
def test_arrays_of_no_numbers_are_refused(make: str, content: np.ndarray) -> None:
    """Guards a silent NaN: `None` became one where a dtype was wanted."""
    for library in (torch, pytorch):
        call = getattr(library.ones(2) if make.startswith("new") else library, make)
        with pytest.raises(TypeError, match=r"can't convert np.ndarray of type .*only supported types are"):
            call(content)
