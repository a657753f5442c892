"""Results lie in memory as PyTorch's do: the same strides, so the same views of them are possible.

A result in another layout makes `reshape` copy where PyTorch shares, and writes into it are silently lost.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch as pytorch

import minitorch_cifar as torch

# How inputs are laid out, from a new tensor of shape (2, 3, 4) or, for pictures, (2, 3, 4, 5).
LAYOUTS = """
x
x.transpose(0, 1)
x.transpose(0, 2)
x.transpose(1, 2)
x.permute(1, 2, 0)
x.permute(2, 0, 1)
x[:, ::2]
x[..., 1:3]
x[..., ::2].transpose(0, 1)
x[:, 1:2].transpose(0, 1)
x[:1].expand(2, 3, 4)
x[:, :1].expand(2, 3, 4)
x[:, :, :1].expand(2, 3, 4).transpose(0, 1)
x[0].expand(2, 3, 4).transpose(0, 2)
x[:1, :, :1].expand(4, 3, 2).transpose(1, 2)
x[:, :1].transpose(0, 2)
"""

OPERATIONS = """
x.exp()
-x
x.abs()
x.relu()
F.gelu(x)
F.softplus(x)
F.leaky_relu(x)
F.elu(x)
x.sigmoid()
x.tanh()
x + 1
2 * x
x ** 2
x / x
x.sqrt()
x.double()
x.long()
x.bool()
x.sign()
x.floor()
x.round()
x.clamp(0, 1)
x.clamp(min=x)
x.maximum(x)
torch.maximum(x, 2 * x)
x + torch.ones(x.shape)
torch.ones(x.shape) + x
x + torch.ones(x.shape[-1])
torch.ones(x.shape[-1]) + x
x + torch.ones(x.shape[0], 1, 1)
x + x.double()
x * torch.ones(x.shape[::-1]).transpose(0, 2)
torch.ones(x.shape[::-1]).transpose(0, 2) * x
torch.ones(x.shape[::-1]).transpose(0, 2) * x.long()
x[:1] + x
x.pow(x)
x.addcmul(x, x)
x.addcdiv(x, x)
x.lerp(x, 0.5)
torch.where(x > 1, x, 0.0)
torch.where(x > 1, 0.0, x)
torch.where(torch.ones(x.shape) > 1, x, 0.0)
torch.where(x > 1, torch.ones(x.shape), 0.0)
x > 1
x == x
x.gt(torch.ones(x.shape))
x.isnan()
x.isinf()
x.isfinite()
x.isclose(x)
x.logical_not()
x.logical_and(x)
x.long() & x.long()
~x.bool()
x.remainder(2)
x.fmod(2)
x.div(2, rounding_mode="floor")
x // 2
2 - x
torch.rsub(x, 2)
1 / x
x.sum()
x.sum(0)
x.sum(1)
x.sum(-1, keepdim=True)
x.sum((0, 2))
x.mean(1)
x.mean(0, keepdim=True)
x.prod(0)
x.prod(1, keepdim=True)
x.var(0)
x.std(1)
x.amax(0)
x.amin(1, keepdim=True)
x.max(0).values
x.max(1).indices
x.max(2, keepdim=True).values
x.min(0).values
x.argmax(0)
x.argmin(1, keepdim=True)
x.median(0).values
x.median(1).indices
x.logsumexp(0)
x.norm(dim=0)
x.norm(dim=1, keepdim=True)
x.all(0)
x.any(1, keepdim=True)
x.count_nonzero(0)
x.cumsum(0)
x.cumsum(1)
x.cumprod(2)
x.clone()
x.expand(2, *x.shape).clone()
x.contiguous()
x.repeat(1, 2, 1)
x.repeat(1, 1, 1)
x.repeat(2, 1, 1, 1)
x.repeat_interleave(2, 0)
x.tile((2,))
x.roll(1)
x.roll(1, 0)
x.roll((1, 1), (0, 1))
x.flip(0)
x.flip((0, 1))
x.flip(1)
x.tril()
x.triu()
torch.cat([x, x])
torch.cat([x, x], 1)
torch.cat([x, x], -1)
torch.cat([x, torch.ones(x.shape)])
torch.stack([x, x])
torch.stack([x, x], 1)
torch.stack([x, x], -1)
x.masked_fill(x > 1, 0.0)
x.masked_select(x > 1)
x[x > 1]
x[[0, 1]]
x[:, [0, 0]]
x[:, :, [0, 0]]
x[[0, 1], [0, 0]]
x[[0], :, [0]]
x[:, x[0, :, 0] > 0]
x[None, [0, 1]]
x[[[0, 1]], :, torch.tensor([[0], [1]])]
x[:, torch.zeros(2, 3).long().t()]
x[torch.zeros(2, 3).long().t(), torch.zeros(2, 3).long().t()]
x[torch.tensor([[0], [1]])]
x[:, torch.tensor([[0], [0]])]
x.index_select(0, torch.tensor([0, 0]))
x.index_select(1, torch.tensor([0, 0]))
x.gather(0, torch.zeros(x.shape, dtype=torch.long))
x.gather(1, torch.zeros_like(x).long())
x.take(torch.zeros_like(x).long())
x.scatter(0, torch.zeros(x.shape, dtype=torch.long), 1.0)
x.scatter_add(0, torch.zeros(x.shape, dtype=torch.long), x)
x.index_add(0, torch.tensor([0]), x[:1])
x.index_fill(0, torch.tensor([0]), 1.0)
x.index_copy(0, torch.tensor([0]), x[:1])
x.sort(0).values
x.sort(1).indices
x.sort(-1, descending=True).values
x.argsort(0)
x.topk(1, 0).values
x.topk(1, 1).indices
x.unique()
x.softmax(0)
x.softmax(-1)
x.log_softmax(1)
F.softmin(x, 1)
F.dropout(x, 0.5)
F.dropout(x, 0.5, False)
F.one_hot(x.bool().long())
F.mse_loss(x, x, reduction="none")
F.l1_loss(x, torch.ones(x.shape), reduction="none")
F.smooth_l1_loss(x, x, reduction="none")
F.binary_cross_entropy_with_logits(x, x, reduction="none")
F.binary_cross_entropy(x.sigmoid(), x.sigmoid(), reduction="none")
F.pad(x, (1, 1))
F.normalize(x, dim=0)
F.linear(x, torch.ones(5, x.shape[-1]))
x @ torch.ones(x.shape[-1], 5)
x @ torch.ones(x.shape[-1])
x @ x.transpose(1, 2)
x.bmm(x.transpose(1, 2))
x[0] @ x[0].t()
x[0].mm(x[0].t())
torch.addmm(x[0] @ x[0].t(), x[0], x[0].t())
x[0].t() @ x[0]
torch.outer(x[0, 0], x[0, 0])
torch.diag(x[0])
torch.diag(x[0, 0])
x.diagonal().clone()
x.unfold(1, 1, 1).clone()
x.flatten()
x.reshape(-1)
x.flatten(1)
x.reshape(x.shape[0], -1)
x.unsqueeze(1)
x.unsqueeze(1).squeeze(1)
x.movedim(0, 1)
torch.zeros_like(x)
torch.ones_like(x)
torch.full_like(x, 2.0)
torch.empty_like(x)
torch.rand_like(x)
torch.randn_like(x)
torch.randint_like(x, 5)
x.new_zeros(x.shape)
x.new_ones((2, 3))
x.detach().to(torch.float64)
x.type(torch.int32)
F.embedding(x.bool().long(), torch.ones(2, 3))
F.embedding(torch.tensor([0, 0]), x[0])
x.trace() if x.dim() == 2 else x.split(1)[0]
x.chunk(2)[0]
x.narrow(0, 0, 1)
x.swapaxes(0, 1)
x.mT.clone()
x.var(dim=(0, 1))
x.std(2, keepdim=True)
torch.nonzero(x)
torch.where(x > 0)[0]
torch.dot(x[0, 0], x[0, 0])
torch.mv(x[0], x[0, 0])
torch.bincount(x.reshape(-1).bool().long())
torch.bernoulli(x.sigmoid())
torch.cdist(x, x)
x.nan_to_num()
x.diff()
x.square()
x.reciprocal()
x.erf()
x.log1p()
torch.meshgrid(x[0, 0], x[0, 0], indexing="ij")[1].clone()
torch.cross(x[:, :1].expand(-1, 3, -1), x[:, :1].expand(-1, 3, -1), dim=1)
torch.tensordot(x, x, 3)
torch.einsum("ijk,ijk->ik", x, x)
torch.einsum("ijk->kji", x)
"""

PICTURES = """
x
x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)[:, :2]
x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)[:1]
x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)[:, :1]
x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)[:, :, :4, :4]
x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)[:, :, :1, :1]
x.transpose(0, 1)
x.transpose(2, 3)
x.permute(0, 1, 3, 2)
x[:, :1].expand(2, 3, 4, 5)
x[:, :, ::2]
"""

ON_PICTURES = """
F.conv2d(x, torch.ones(4, x.shape[1], 1, 1))
F.conv2d(x, torch.ones(4, x.shape[1], 1, 1), torch.ones(4), padding=1)
F.conv2d(torch.ones(x.shape), x)
F.conv2d(torch.ones(2, x.shape[1], 8, 8), x)
torch.stack([x, x], 1)
torch.stack([x, x], -1)
F.conv2d(x, torch.ones(x.shape[1], 1, 1, 1), groups=x.shape[1])
F.max_pool2d(x, 1)
F.max_pool2d(x, 1, return_indices=True)[1]
F.avg_pool2d(x, 1)
F.adaptive_avg_pool2d(x, 2)
F.adaptive_avg_pool2d(x, 1)
F.adaptive_max_pool2d(x, 2)
F.adaptive_max_pool2d(x, 2, return_indices=True)[1]
F.batch_norm(x, torch.zeros(x.shape[1]), torch.ones(x.shape[1]))
F.batch_norm(x, None, None, training=True)
F.relu(x)
F.relu(x) + x
x + torch.ones(x.shape)
torch.ones(x.shape) + x
x * torch.ones(x.shape[1], 1, 1)
torch.cat([x, x])
torch.cat([x, x], 1)
torch.cat([x, torch.ones(x.shape)], 1)
torch.cat([torch.ones(x.shape), x], 1)
torch.stack([x, x])
x.sum(1)
x.mean((2, 3), keepdim=True)
x.flatten(1)
x.clone()
torch.zeros_like(x)
x.softmax(1)
x.log_softmax(1)
x.argmax(1)
F.pad(x, (1, 1, 1, 1))
F.pad(x, (1, 1, 1, 1), mode="reflect") if min(x.shape[2:]) > 1 else x
F.pad(x, (1, 1, 1, 1), mode="replicate")
F.dropout(x, 0.5)
F.dropout2d(x, 0.5)
F.interpolate(x, scale_factor=2)
F.cross_entropy(x, torch.zeros(x.shape[0], *x.shape[2:], dtype=torch.long), reduction="none")
F.local_response_norm(x, 2)
F.group_norm(x, 1)
F.layer_norm(x, x.shape[1:])
x.flip(3)
x.roll(1, 3)
x.repeat(1, 1, 2, 2)
x.cumsum(1)
x.index_select(0, torch.tensor([0, 0]))
x[[0, 0]]
x[:, [0, 0]]
x.masked_fill(x > 1, 0)
x.sort(1).values
x.max(1).values
torch.where(x > 1, x, 0)
x.tril()
x.contiguous()
x.norm(dim=1)
"""


def strides_between(tensor: Any) -> tuple[int, ...]:
    """The strides that matter: of dimensions with more than one element."""
    return tuple(s for s, n in zip(tensor.stride(), tensor.shape, strict=True) if n != 1)


def layout(namespace: ModuleType, shape: tuple[int, ...], view: str, operation: str) -> Any:
    """Strides where there are neighbours, whether in rows, which views the result has; else its error."""
    namespace.manual_seed(0)
    names: dict[str, Any] = {"torch": namespace, "F": namespace.nn.functional}
    x: Any = namespace.arange(1.0, 1 + namespace.ones(shape).numel()).reshape(shape)
    x = eval(view, {**names, "x": x})
    try:
        result = eval(operation, {**names, "x": x})
    except (RuntimeError, IndexError, ValueError) as error:
        return type(error).__name__
    strides = strides_between(result)
    views = []
    for target in ((-1,), (*result.shape[:1], -1), (-1, *result.shape[-1:])):
        try:
            result.view(*target)
            views.append(True)
        except RuntimeError:
            views.append(False)
    return tuple(result.shape), strides, result.is_contiguous(), views


def known(operation: str) -> bool:
    """Whether every name in the operation is part of the engine: the others have nothing to lay out."""
    names: dict[str, Any] = {"torch": torch, "F": torch.nn.functional, "x": torch.ones(2, 3, 4)}
    try:
        eval(operation, names)
    except (AttributeError, NotImplementedError):
        return False
    except Exception:
        return True
    return True


def lines(table: str) -> list[str]:
    """The lines of one of the tables above."""
    return table.strip().splitlines()


@pytest.mark.parametrize("operation", [line for line in lines(OPERATIONS) if known(line)])
def test_results_are_laid_out_as_in_pytorch(operation: str) -> None:
    for view in lines(LAYOUTS):
        expected = layout(pytorch, (2, 3, 4), view, operation)
        assert layout(torch, (2, 3, 4), view, operation) == expected, view


@pytest.mark.parametrize("operation", [line for line in lines(ON_PICTURES) if known(line)])
def test_pictures_keep_channels_last(operation: str) -> None:
    for view in lines(PICTURES):
        expected = layout(pytorch, (2, 3, 4, 5), view, operation)
        assert layout(torch, (2, 3, 4, 5), view, operation) == expected, view


def test_most_operations_are_compared() -> None:
    tables = lines(OPERATIONS) + lines(ON_PICTURES)
    assert sum(known(line) for line in tables) > 220


# What a write is seen through: `v` shares the memory of `c` exactly where it does in PyTorch.
WRITTEN_THROUGH = """
torch.cat([torch.ones(2, 3).t()] * 2)
torch.ones(2, 3, 4).transpose(0, 2).sum(1)
torch.stack([torch.ones(2, 3).t()] * 2)
torch.ones(2, 3, 4).permute(2, 0, 1).mean(0, keepdim=True)
torch.ones(3, 1).expand(3, 4).clone()
torch.ones(2, 3).t().neg()
torch.ones(2, 3).t().masked_fill(torch.zeros(3, 2).bool(), 2.0)
torch.ones(2, 3).t().cumsum(0)
torch.ones(2, 3).t() + torch.ones(2, 3).t()
"""


@pytest.mark.parametrize("made", lines(WRITTEN_THROUGH))
@pytest.mark.parametrize("seen", ["c.reshape(-1)", "c.flatten()", "c.contiguous()", "c.t()"])
def test_writes_are_seen_through_the_same_views(made: str, seen: str) -> None:
    if seen == "c.t()" and torch.ones(2).dim() != eval(made, {"torch": torch}).dim() - 1:
        seen = "c.mT"
    sums = []
    for namespace in (torch, pytorch):
        names: dict[str, Any] = {"torch": namespace}
        names["c"] = eval(made, names)
        view = eval(seen, names)
        names["c"].zero_()
        sums.append(view.sum().item())
    assert sums[0] == sums[1]


@pytest.mark.parametrize("view", lines(LAYOUTS))
@pytest.mark.parametrize("draw", ["rand_like", "randn_like", "bernoulli", "dropout"])
def test_numbers_are_drawn_in_the_order_of_memory(view: str, draw: str) -> None:
    results = []
    for namespace in (torch, pytorch):
        names: dict[str, Any] = {"torch": namespace}
        x: Any = eval(view, {**names, "x": namespace.full((2, 3, 4), 0.5)})
        namespace.manual_seed(3)
        make: Any = namespace.nn.functional.dropout if draw == "dropout" else getattr(namespace, draw)
        results.append(make(x).tolist())
    assert results[0] == results[1]


@pytest.mark.parametrize("view", lines(LAYOUTS))
def test_gradients_of_leaves_are_laid_out_as_in_pytorch(view: str) -> None:
    results = []
    for namespace in (torch, pytorch):
        x: Any = eval(view, {"torch": namespace, "x": namespace.arange(24.0).reshape(2, 3, 4)}).detach()
        x.requires_grad_()
        (x * x).sum().backward()
        results.append((strides_between(x.grad), x.grad.tolist()))
    assert results[0] == results[1]
