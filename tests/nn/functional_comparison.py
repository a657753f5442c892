"""Runs one function of `nn.functional` on the engine and on PyTorch: values, gradients, dtypes and graph."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

import minitorch_cifar

from ..kernels.comparing import assert_accurate, laid_out

Call = Callable[..., Any]
LAYOUTS = ("contiguous", "transposed", "strided", "offset")  # torch.from_numpy knows no negative strides


def graph(node: Any) -> Any:
    """The nodes below `node` as nested tuples of names."""
    if node is None:
        return None
    name = node.name().removeprefix("torch::autograd::")
    return (name, *(graph(below) for below, _ in node.next_functions))


def run(library: Any, call: Call, inputs: Sequence[np.ndarray], seed: int, layout: str) -> Any:
    """The result of `call(library, *tensors)`, the gradients of the floating-point tensors, and the graph.

    Another random number is drawn for each element of the upstream gradient.
    """
    tensors = [library.from_numpy(laid_out(array, layout)) for array in inputs]
    for tensor in tensors:
        if tensor.is_floating_point():
            tensor.requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = call(library, *tensors)
    names = graph(result.grad_fn)
    shape = tuple(result.shape)
    if result.requires_grad:
        upstream = np.asarray(np.random.default_rng(seed).normal(size=shape))
        upstream = upstream.astype(result.detach().numpy().dtype)
        result.backward(library.from_numpy(laid_out(upstream, layout)))
    return result.detach().numpy(), [None if t.grad is None else t.grad.numpy() for t in tensors], names


def compare(
    call: Call,
    *inputs: np.ndarray,
    dtype: Any = np.float64,
    seed: int = 0,
    layout: str = "contiguous",
    scale: float = 1.0,
    check_graph: bool = True,
) -> None:
    """`call(library, *tensors)` gives the same in both libraries; float32 errs little more than PyTorch's.

    `scale`: the size of the largest intermediate result, by which rounding errors are measured.
    """
    given = [array.astype(dtype) if array.dtype.kind == "f" else array for array in inputs]
    wide = [array.astype(np.float64) if array.dtype.kind == "f" else array for array in given]
    value, grads, names = run(minitorch_cifar, call, given, seed, layout)
    peer_value, peer_grads, peer_names = run(torch, call, given, seed, layout)
    exact_value, exact_grads, _ = run(torch, call, wide, seed, layout)
    assert value.dtype == peer_value.dtype
    assert_accurate(value, peer_value, exact_value, scale)
    for grad, peer, exact in zip(grads, peer_grads, exact_grads, strict=True):
        assert (grad is None) == (peer is None)
        if grad is not None:
            assert grad.dtype == peer.dtype
            assert_accurate(grad, peer, exact, scale)
    if check_graph:
        assert names == peer_names
