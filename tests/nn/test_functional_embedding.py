"""What the parity rows of `embedding` leave out: `max_norm`, which changes the weight, and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import minitorch_cifar as engine
from minitorch_cifar import nn


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.0, float("inf")])
def test_max_norm_shortens_the_rows_that_are_read(norm_type: float) -> None:
    table = np.random.default_rng(0).normal(0, 2, (6, 4))
    after = []
    for library in (engine, torch):
        weight = library.tensor(table.copy(), requires_grad=True)
        rows = library.tensor([[0, 2], [2, 5]])
        y = library.nn.functional.embedding(rows, weight, max_norm=1.25, norm_type=norm_type)
        upstream = library.tensor(np.random.default_rng(1).normal(size=(2, 2, 4)))
        y.backward(upstream)
        after.append([t.detach().numpy() for t in (weight, y, weight.grad)])
    changed = np.flatnonzero((after[0][0] != table).any(axis=1))
    assert set(changed) <= {0, 2, 5}
    assert len(changed) > 0
    for ours, theirs in zip(*after, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_a_pretrained_table_is_frozen_unless_told_otherwise() -> None:
    for library in (engine, torch):
        table = library.arange(6.0).reshape(3, 2)
        frozen = library.nn.Embedding.from_pretrained(table, padding_idx=-1)
        assert frozen.weight.requires_grad is False
        assert repr(frozen) == "Embedding(3, 2, padding_idx=2)"
        assert frozen(library.tensor([2, 0])).tolist() == [[4.0, 5.0], [0.0, 1.0]]
        trained = library.nn.Embedding.from_pretrained(table, freeze=False)
        assert trained.weight.requires_grad is True
        with pytest.raises(AssertionError, match="2-dimensional"):
            library.nn.Embedding.from_pretrained(table[0])


@pytest.mark.parametrize(
    "make",
    [
        lambda lib: lib.nn.Embedding(3, 2, padding_idx=3),
        lambda lib: lib.nn.Embedding(3, 2, padding_idx=-4),
        lambda lib: lib.nn.Embedding(3, 2, _weight=lib.ones(2, 2)),
    ],
)
def test_refusals_are_pytorchs(make: Any) -> None:
    messages = []
    for library in (engine, torch):
        with pytest.raises(AssertionError) as caught:
            make(library)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_sparse_gradients_are_refused() -> None:
    with pytest.raises(NotImplementedError, match="use sparse=False"):
        nn.Embedding(3, 2, sparse=True)
    with pytest.raises(NotImplementedError, match="use sparse=False"):
        nn.functional.embedding(engine.tensor([0]), engine.ones(1, 2), sparse=True)
