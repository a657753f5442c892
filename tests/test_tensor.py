"""Tensor: attributes, conversions, Python's protocols, indexing and sharing of memory are PyTorch's."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch as pytorch
from hypothesis import given
from hypothesis import strategies as st

import minitorch_cifar as torch
from tests.same_answer import answer, assert_same_answer

SETTING = (
    "x = torch.arange(24.0).reshape(2, 3, 4)\ni = torch.tensor([1, 0, 1])\nm = torch.tensor([True, False])\n"
)

ATTRIBUTES = """
x.shape
x.size()
x.size(1)
x.size(-1)
x.size(3)
x.dtype
x.device
x.ndim
x.dim()
x.ndimension()
x.numel()
x.nelement()
x.element_size()
x.stride()
x[:, :, 1].stride()
x.is_contiguous()
x.transpose(0, 1).is_contiguous()
x.transpose(0, 1).contiguous().is_contiguous()
x.requires_grad
x.is_leaf
x.grad
x.grad_fn
x.is_cuda
x.type()
x.is_floating_point()
x[1].storage_offset()
len(x)
len(x[0, 0, 0])
bool(x)
bool(x[0, 0, 1])
bool(torch.tensor([]))
float(x[0, 0, 1])
int(x[0, 0, 3])
int(x)
x[0, 0, 1].item()
x.item()
x.tolist()
x[0, 0, 0].tolist()
list(x[0, 0])
[len(row) for row in x]
list(x[0, 0, 0])
1.0 in x
x.T.shape
x[0].T
x[0].mT
x.data
x.detach() is x
f"{x[0, 0, 1]:.2f}"
hash(x) == hash(x)
x.to(torch.float64).dtype
x.to("cpu") is x
x.to("cpu", torch.double).dtype
x.to(torch.tensor(1)).dtype
x.to(dtype=torch.long).dtype
x.to("nonsense")
x.float() is x
x.double().dtype
x.long().dtype
x.int().dtype
x.bool().dtype
x.byte().dtype
x.type(torch.LongTensor).dtype
x.type("torch.DoubleTensor").dtype
x.type_as(torch.tensor(1)).dtype
x.cpu() is x
x.requires_grad_().requires_grad
x.long().requires_grad_()
x.numpy().dtype
x.requires_grad_().numpy()
torch.tensor([1, 2, 3])[torch.tensor(1)]
x.view(-1).shape
x.view(4, 6).shape
x.view(5, 5)
x.view(-1, -1)
x.transpose(0, 1).view(-1)
x.view_as(torch.ones(24)).shape
x.reshape(-1, 2).shape
x.flatten().shape
x.flatten(1).shape
x.flatten(0, 1).shape
x.flatten(2, 1)
x.squeeze().shape
x[:, :1].squeeze(1).shape
x[:, :1].squeeze(0).shape
x.unsqueeze(-1).shape
x.unsqueeze(5)
x.permute(2, 0, 1).shape
x.permute(0, 1)
x.permute(0, 0, 1)
x.expand(2, 3, 4).shape
x.expand(5, -1, -1, -1).shape
x.expand(3, 3, 4)
x.repeat(2, 1, 1).shape
x.repeat(2)
x.split(2, 1)[1].shape
x.split([1, 2], 1)[0].shape
x.split([1, 1], 1)
x.chunk(2, 2)[0].shape
x.unbind(1)[0].shape
x.max()
x.max(1)
x.max(dim=1, keepdim=True)
x.min(2)[1]
x.argmax()
x.argmax(1)
x.sum((0, 1))
x.mean(0, keepdim=True).shape
x.long().mean()
x.std(unbiased=False)
x.var(1)
x.norm()
x.topk(2)
x.sort(descending=True)[0][0]
x.median()
x.cumsum(1)[0]
x.prod(2)
x.all()
x.any(1)
x.clamp(1, 3)[0]
x.clip(min=2)[0, 0]
x.eq(x).all()
x + torch.ones(3)
x @ torch.ones(4)
x @ torch.ones(3)
x.mm(x)
x + "a"
"a" + x
x + None
x == None
x != "a"
x < "a"
2 - x[0, 0]
2 / x[0, 0]
2 ** x[0, 0]
7 // x[0, 0]
7 % x[0, 0]
-x[0, 0]
abs(-x[0, 0])
x[0, 0] // 2
x[0, 0] % 2
x.long() / 2
x.long() // 2
~x.bool()
~x
-x.bool()
x.bool() & x.bool()
x & x
torch.ones(2, dtype=torch.long) + 1.5
torch.ones(2, dtype=torch.uint8) + torch.ones(2, dtype=torch.int32)
torch.ones(2) + torch.tensor(1.0, dtype=torch.float64)
torch.ones(2, dtype=torch.long) + torch.tensor(1.0, dtype=torch.float64)
torch.ones(2) * np.float64(2)
np.float64(2) * torch.ones(2)
torch.ones(2).add(1, alpha=2)
torch.ones(2, dtype=torch.long).add(1, alpha=0.5)
torch.ones(2, dtype=torch.long).add_(1.5)
torch.ones(2).add_(torch.ones(3))
torch.ones(2).add_(torch.ones(2, 2))
torch.add(torch.ones(2), 1, out=torch.empty(2))
torch.add(torch.ones(2), 1.5, out=torch.empty(2, dtype=torch.long))
""".strip().splitlines()

INDICES = """
x[0]
x[-1, -1]
x[2]
x[0, 0, 0, 0]
x[:, 1]
x[..., 0]
x[None].shape
x[:, None, 0].shape
x[1:, ::2]
x[::-1]
x[i]
x[:, i]
x[i, i]
x[m]
x[m, :, 1]
x[x > 20]
x[[0, 1]]
x[[True, False]]
x[torch.tensor(0)]
x[i[:2], :, [0, 1]]
x[i, [0, 1]]
x[torch.tensor([5])]
x[torch.tensor([1.0])]
x[torch.ones(3, dtype=torch.bool)]
x["a"]
x[1.0]
x[..., ...]
x[()]
x[True].shape
x[0, 0, 0][0]
""".strip().splitlines()


@pytest.mark.parametrize("program", ATTRIBUTES + INDICES)
def test_as_pytorch(program: str) -> None:
    assert_same_answer(SETTING + program)


ASSIGNMENTS = """
x[0] = 5
x[:, 1] = torch.tensor([1.0, 2, 3, 4])
x[i] = 0
x[m] = torch.ones(3, 4)
x[x > 5] = -1
x[..., 0] = torch.arange(6).reshape(2, 3)
x[0, 0, 0] = torch.tensor(9)
x[i, i] = torch.ones(3, 4)
x[0] = torch.ones(5)
x[5] = 1
x[:, [0, 2]] = torch.zeros(2, 1, 4)
x[0] = torch.ones(1, 1, 3, 4)
x[1:1] = 3
x += 1
x[0] += 1
x[0] *= torch.tensor(2)
x[m] += 1
x[i] += 1
x[0, 1] = x[1, 0]
x[:, :2] = x[:, 1:]
""".strip().splitlines()


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_assignment_as_pytorch(assignment: str) -> None:
    assert_same_answer(f"{SETTING}{assignment}\nx")


_items = st.one_of(
    st.integers(-4, 4),
    st.slices(4).filter(lambda s: s.step is None or s.step > 0),
    st.none(),
    st.just(Ellipsis),
    st.lists(st.integers(-3, 3), min_size=1, max_size=3),
    st.lists(st.booleans(), min_size=2, max_size=4),
)


@given(st.lists(_items, max_size=4).filter(lambda items: items.count(...) < 2))
def test_any_index_reads_and_writes_as_pytorch(items: list[object]) -> None:
    index = ", ".join("..." if item is Ellipsis else repr(item) for item in items) + ("," if items else "()")
    for last in (f"x[{index}]", f"(x.__setitem__(({index}), 7), x)[1]"):
        ours, theirs = answer(torch, SETTING + last), answer(pytorch, SETTING + last)
        if ours == ("raises", "IndexError") and "size=" in str(theirs[1]):
            continue  # PyTorch does not look at indices that pick nothing; the engine does
        assert ours[0] == theirs[0], (index, ours, theirs)
        if ours[0] == "gives":
            assert ours == theirs, index


def test_views_share_memory_both_ways() -> None:
    base = torch.zeros(2, 3, 4)
    views = [
        *(base.view(6, 4), base.reshape(-1), base[1], base[:, 1:], base.transpose(0, 2)),
        *(base.permute(1, 2, 0), base.flatten(), base.unsqueeze(0), base.squeeze(), base.expand(2, 2, 3, 4)),
        *(base.detach(), base.data, base.T, base.unbind()[0], base.split(1)[1], base.narrow(1, 0, 2)),
        *(base.diagonal(), torch.from_numpy(base.numpy())),
    ]
    for number, view in enumerate(views, start=1):
        base.fill_(number)
        assert (view == number).all(), number
        if view.ndim != 4 or number == 8:
            view.zero_()
            assert (base == 0).any(), number
    copies = [
        base.clone(),
        base.contiguous().clone(),
        base.repeat(1, 1, 1),
        base[torch.tensor([0])],
        base + 0,
    ]
    for copied in copies:
        base.fill_(3)
        before = copied.clone()
        base.fill_(4)
        assert torch.equal(copied, before)


def test_copies_and_pickles() -> None:
    x = torch.tensor([[1.0, 2.0]], requires_grad=True)
    (x * 3).sum().backward()
    for made in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert made.requires_grad
        assert torch.equal(made, x)
        made.data.zero_()
    assert copy.deepcopy(x).grad is not x.grad
    assert torch.equal(copy.deepcopy(x).grad, torch.full((1, 2), 3.0))
    assert x.tolist() == [[1.0, 2.0]]
    with pytest.raises(RuntimeError, match="graph leaves"):
        copy.deepcopy(x * 2)


@given(st.sampled_from(torch.dtypes.ALL), st.sampled_from(torch.dtypes.ALL), st.booleans(), st.booleans())
def test_promotion_as_pytorch(first: torch.dtype, second: torch.dtype, flat: bool, other_flat: bool) -> None:
    shapes = [() if flat else (2,), () if other_flat else (2,)]
    ours = torch.ones(shapes[0], dtype=first) * torch.ones(shapes[1], dtype=second)
    a, b = (getattr(pytorch, kind.name) for kind in (first, second))
    theirs = pytorch.ones(shapes[0], dtype=a) * pytorch.ones(shapes[1], dtype=b)
    assert repr(ours) == repr(theirs)


def test_numpy_bridge() -> None:
    a = torch.ones(5)
    b = a.numpy()
    a.add_(1)
    assert b.tolist() == [2.0] * 5
    assert np.asarray(a) is b or np.shares_memory(np.asarray(a), b)
    assert np.add(a, 1).tolist() == [3.0] * 5


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 4), (1, 1)])
def test_strides_of_empty_tensors(shape: tuple[int, ...]) -> None:
    assert torch.empty(shape).stride() == pytorch.empty(shape).stride()
