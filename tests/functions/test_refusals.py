"""Odd calls: the engine answers or refuses as PyTorch does, in the same words."""

from __future__ import annotations

import io
import pickle
import warnings
from types import ModuleType
from typing import Any

import pytest
import torch as pytorch

import minitorch_cifar as torch

CALLS = """
torch.full((2,), float("nan"), dtype=torch.int64)
torch.full((2,), float("inf"), dtype=torch.uint8)
torch.full((2,), float("nan"), dtype=torch.bool)
torch.full((2,), 300, dtype=torch.uint8)
torch.full((2,), -1, dtype=torch.uint8)
torch.full((2,), 1e300)
torch.full((2,), 2.5, dtype=torch.int64)
torch.full((2,), torch.tensor(float("nan")), dtype=torch.int64)
torch.full((2,), torch.tensor(2.5))
torch.full_like(torch.ones(2).long(), float("nan"))
torch.full_like(torch.ones(2, dtype=torch.uint8), 300)
torch.ones(2).long().new_full((2,), float("nan"))
torch.ones(2).long().fill_(float("nan"))
torch.zeros(2, 3, size=(1,))
torch.ones((2, 3), size=(1,))
torch.empty(2, 3, size=(1,))
torch.ones(2, 3).mm(torch.ones(2, 3))
torch.ones(2, 3) @ torch.ones(2, 3)
torch.ones(2, 2, 3) @ torch.ones(2, 3)
torch.addmm(torch.ones(2, 3), torch.ones(2, 3), torch.ones(2, 3))
torch.ones(2, 3).bool() @ torch.ones(3, 2).bool()
torch.ones(2, 3).bool().mm(torch.ones(3, 2).bool())
torch.ones(2, 3).bool() @ torch.ones(3).bool()
torch.ones(3).bool() @ torch.ones(3, 2).bool()
torch.ones(3).bool() @ torch.ones(3).bool()
torch.ones(3).bool().dot(torch.ones(3).bool())
torch.ones(2, 2, 3).bool() @ torch.ones(2, 3, 2).bool()
torch.ones(2, 2, 3).bool() @ torch.ones(3, 2).bool()
torch.ones(2, 3).bool().mv(torch.ones(3).bool())
torch.addmm(torch.ones(2, 2).bool(), torch.ones(2, 3).bool(), torch.ones(3, 2).bool())
torch.zeros(0, 3).bool() @ torch.ones(3, 2).bool()
torch.zeros(2, 0).bool() @ torch.ones(0, 2).bool()
torch.nn.functional.linear(torch.ones(2, 3).bool(), torch.ones(3, 3).bool())
torch.flip(torch.arange(4).reshape(2, 2), 0)
torch.flip(torch.arange(4).reshape(2, 2), (0, 1))
torch.flip(torch.arange(4).reshape(2, 2), dims=[0])
torch.flip(torch.arange(4).reshape(2, 2), [])
torch.flip(torch.ones(2, 2), [0, 0])
torch.flip(torch.ones(2, 2), [5])
torch.arange(4).reshape(2, 2).flip(0)
torch.arange(4).reshape(2, 2).flip(0, 1)
torch.arange(4).reshape(2, 2).flip(dims=(1,))
torch.remainder(torch.tensor([3.0, 0.0, -0.0, -3.0, 5.0, -5.0]), -3)
torch.remainder(torch.tensor([3.0, 0.0, -0.0, -3.0, 5.0, -5.0]), 3)
torch.remainder(torch.tensor([3.0, 0.0, -0.0, -3.0]), torch.tensor([-3.0]))
torch.remainder(torch.tensor([3, 0, 1]), -0.5)
torch.remainder(torch.tensor([3, 0, 1]), -3)
torch.remainder(torch.tensor([3.0, -3.0, 0.0, 1.0]), float("inf"))
torch.remainder(torch.tensor([3.0, -3.0, 0.0, 1.0]), -float("inf"))
torch.remainder(torch.tensor([3.0, -3.0, 0.0, 1.0]), 0.0)
torch.remainder(torch.tensor([float("inf"), float("nan"), -3.0]), 2.0)
torch.remainder(-3, torch.tensor([3.0, -3.0]))
torch.tensor([3, 0, 1]) % -0.5
torch.zeros(0).long().softmax(0)
torch.zeros(0).long().log_softmax(0)
torch.zeros(0, 2).long().softmax(0)
torch.zeros(2, 0).long().log_softmax(0)
torch.zeros(2, 0).softmax(0)
torch.ones(2, 2).long().softmax(0)
torch.ones(2, 2).long().softmax(1)
torch.ones(2, 2).long().log_softmax(0)
torch.ones(2, 2).bool().softmax(0)
torch.ones(2, 1).long().softmax(-1)
torch.tensor(1).softmax(0)
torch.zeros(0).bool().median()
torch.zeros(0).median()
torch.zeros(0).long().median()
torch.zeros(0, 2).bool().median(0)
torch.zeros(0, 2).bool().median(1)
torch.ones(2).bool().median()
torch.tensor(["a"])
torch.tensor([["ab"]])
torch.tensor(["a", "b"])
torch.tensor("a")
torch.tensor([1, "a"])
torch.tensor([""])
torch.tensor([b"a"])
torch.tensor([[1], ["a"]])
(torch.ones(2, requires_grad=True) * 2).backward([1.0, 1.0])
(torch.ones(2, requires_grad=True) * 2).backward((1.0, 1.0))
(torch.ones(2, requires_grad=True) * 2).backward(1.0)
(torch.ones(2, requires_grad=True) * 2).backward([torch.ones(2)])
torch.ones(2).layout
torch.strided
torch.ones(2).layout is torch.strided
isinstance(torch.strided, torch.layout)
torch.zeros(2, layout=torch.strided)
torch.zeros(2, layout="strided")
torch.zeros_like(torch.ones(2), layout="torch.channels_last")
torch.maximum(torch.ones(2), 1)
torch.maximum(1, torch.ones(2))
torch.minimum(torch.ones(2), 1)
torch.logical_and(torch.ones(2), 1)
torch.logical_and(1, torch.ones(2))
torch.logical_not(1)
torch.exp([1.0])
torch.abs("a")
torch.sum(1)
torch.mean(1)
torch.argmax(1)
torch.softmax(1, 0)
torch.relu(1)
torch.matmul(torch.ones(2), 1)
torch.mm(torch.ones(2, 2), 1)
torch.bmm(torch.ones(1, 2, 2), 1)
torch.dot(torch.ones(2), 1)
torch.add(torch.ones(2), "a")
torch.mul([1], torch.ones(2))
torch.gather(torch.ones(2), 0, 1)
torch.index_select(torch.ones(2), 0, 1)
torch.masked_select(torch.ones(2), 1)
torch.take(torch.ones(2), 1)
torch.equal(torch.ones(2), 1)
torch.isclose(torch.ones(2), 1)
torch.zeros_like(1)
torch.sort(1)
torch.topk(1, 1)
torch.reshape(1, (1,))
torch.flatten(1)
torch.tril(1)
torch.addcmul(torch.ones(2), 1, 2)
torch.ones(2).copy_("a")
torch.ones(2).add_("a")
torch.ones(2).view_as(1)
torch.ones(2).expand_as(1)
torch.ones(2).type_as(1)
torch.nn.functional.linear([1.0], torch.ones(2, 2))
torch.nn.functional.linear(torch.ones(2, 2), 1)
torch.nn.functional.linear(torch.ones(2, 2), torch.ones(2, 2), 1)
torch.nn.functional.max_pool2d([1], 2)
torch.nn.functional.avg_pool2d(1, 2)
torch.nn.functional.cross_entropy(torch.ones(2, 2), 2)
torch.nn.functional.dropout(1)
torch.nn.functional.batch_norm(1, None, None)
"""


def outcome(namespace: ModuleType, call: str) -> str:
    """What a call gives, as it prints, or the class and the words of what it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return repr(eval(call, {"torch": namespace}))
        except Exception as error:
            return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("call", CALLS.strip().splitlines())
def test_odd_calls_answer_in_the_words_of_pytorch(call: str) -> None:
    assert outcome(torch, call) == outcome(pytorch, call)


@pytest.mark.parametrize("call", ["torch.rand(2, 3, size=(1,))", "torch.randn(2, 3, size=(1,))"])
def test_random_tensors_take_one_size(call: str) -> None:
    assert outcome(torch, call).split(":")[0] == outcome(pytorch, call).split(":")[0] == "TypeError"


def test_a_parameter_listed_twice_goes_by_its_last_number() -> None:
    packed = []
    for namespace in (torch, pytorch):
        p, q = namespace.ones(1, requires_grad=True), namespace.ones(1, requires_grad=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            optimizer = namespace.optim.SGD([{"params": [p, p, q]}], lr=0.1)
        packed.append(optimizer.state_dict()["param_groups"][0]["params"])
    assert packed[0] == packed[1]


def test_save_takes_the_arguments_of_pytorch() -> None:
    file = io.BytesIO()
    torch.save({"a": torch.ones(2)}, file, _use_new_zipfile_serialization=True, pickle_protocol=2)
    file.seek(0)
    assert pytorch.load(file)["a"].tolist() == [1.0, 1.0]
    with pytest.raises(NotImplementedError, match="read, not written"):
        torch.save({}, io.BytesIO(), _use_new_zipfile_serialization=False)
    with pytest.raises(NotImplementedError, match="pickle_protocol"):
        torch.save({}, io.BytesIO(), pickle_protocol=4)


def test_functions_without_a_name_are_not_saved() -> None:
    def outer() -> Any:
        return lambda: 0

    for made in (outer(), outer):
        kinds = []
        for namespace in (torch, pytorch):
            with pytest.raises((AttributeError, pickle.PicklingError)) as caught:
                namespace.save(made, io.BytesIO())
            kinds.append(caught.type)
        assert kinds[0] is kinds[1]


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "int8", "complex64"])
@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("weights_only", [True, False])
def test_files_of_other_dtypes_say_so_and_advise_nothing_vain(
    kind: str, zipped: bool, weights_only: bool
) -> None:
    file = io.BytesIO()
    values = pytorch.ones(2, dtype=getattr(pytorch, kind))
    pytorch.save(values, file, _use_new_zipfile_serialization=zipped)
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match=f"tensors of {kind} .*not part of") as caught:
        torch.load(file, weights_only=weights_only)
    assert "weights_only" not in str(caught.value)
