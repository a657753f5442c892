"""The engine's three networks against those of the reference: names, initial values, forward, gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import minitorch_cifar as mt
from minitorch_cifar import models
from reference import networks

from .both import assert_close, copy_state, printed, to_engine

NAMES = sorted(models.NETWORKS)


def test_both_sides_have_the_same_networks() -> None:
    assert sorted(networks.NETWORKS) == NAMES == ["bn", "lenet", "quick"]


@pytest.mark.parametrize("name", NAMES)
def test_printed_form_and_state_agree(name: str) -> None:
    ours, theirs = models.NETWORKS[name](num_classes=7), networks.NETWORKS[name](num_classes=7)
    assert printed(ours) == printed(theirs)
    assert [(key, tuple(v.shape), str(v.dtype)) for key, v in ours.state_dict().items()] == [
        (key, tuple(v.shape), str(v.dtype)) for key, v in theirs.state_dict().items()
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_weights(name: str) -> None:
    torch.manual_seed(11)
    theirs = networks.NETWORKS[name]()
    mt.manual_seed(11)
    ours = models.NETWORKS[name]()
    for (key, p), q in zip(theirs.state_dict().items(), ours.state_dict().values(), strict=True):
        np.testing.assert_array_equal(q.numpy(), p.numpy(), err_msg=key)


@pytest.mark.parametrize("train", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("name", NAMES)
def test_forward_and_gradients_agree(name: str, train: bool) -> None:
    torch.manual_seed(0)
    theirs = networks.NETWORKS[name]().double().train(train)
    ours = models.NETWORKS[name]().double().train(train)
    copy_state(theirs, ours)
    x = torch.randn(3, 3, 32, 32, dtype=torch.float64, requires_grad=True)
    our_x = to_engine(x).requires_grad_()
    upstream = torch.randn(3, 10, dtype=torch.float64)
    out, our_out = theirs(x), ours(our_x)
    assert_close(our_out, out, "output")
    out.backward(upstream)
    our_out.backward(to_engine(upstream))
    assert_close(our_x.grad, x.grad, "gradient by the pictures")
    for (key, p), q in zip(theirs.named_parameters(), ours.parameters(), strict=True):
        assert float(p.grad.abs().max()) > 0, key
        assert_close(q.grad, p.grad, key, tolerance=1e-9)
    for (key, b), c in zip(theirs.named_buffers(), ours.buffers(), strict=True):
        assert_close(c, b, key)


@pytest.mark.parametrize("name", NAMES)
def test_a_network_can_learn_one_batch_by_heart(name: str) -> None:
    mt.manual_seed(0)
    network = models.NETWORKS[name]()
    optimizer = mt.optim.SGD(network.parameters(), lr=0.02, momentum=0.9)
    criterion = mt.nn.CrossEntropyLoss()
    x, labels = mt.randn(8, 3, 32, 32), mt.arange(8)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = criterion(network(x), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 1.5
    assert losses[-1] < 0.1


def test_networks_say_how_pictures_are_scaled() -> None:
    assert models.lenet().normalization == models.Normalization((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
