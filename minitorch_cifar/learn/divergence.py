"""Finds where numbers stopped being finite: in which layer when a loss became NaN or infinite, and in which
weight before a checkpoint is written.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import no_grad
from ..nn import Module
from ..optim import Optimizer
from ..tensor import Tensor

__all__ = ["first_layer_not_finite", "first_state_not_finite"]


def first_layer_not_finite(network: Module, *batches: Tensor) -> str:
    """Where `network` first computes NaN or infinity, in words, in the order in which layers compute.

    `batches` are pictures (N, C, H, W); the first of them that leads to one is told of.

    >>> import minitorch_cifar as torch
    >>> network = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(2, 2))
    >>> _ = torch.nn.init.constant_(network[1].weight, float("nan"))
    >>> first_layer_not_finite(network, torch.zeros(1, 2))
    'first nan in layer 1 (Linear), whose weight is nan'

    The network runs once more in the mode it is in, so in training statistics of batch norm move on.
    """
    found = (_first_layer_not_finite(network, images) for images in batches)
    return next(filter(None, found), "every layer's output is finite, and the loss of them is not")


def _first_layer_not_finite(network: Module, images: Tensor) -> str | None:
    if (kind := _not_finite(images)) is not None:
        return f"the pictures themselves hold {kind}"
    found: list[str] = []

    def hook_for(name: str) -> Any:
        def look(module: Module, inputs: Any, output: Any) -> None:
            if found or not isinstance(output, Tensor) or (kind := _not_finite(output)) is None:
                return
            cause = "its output"
            for parameter, value in module.named_parameters():
                if (bad := _not_finite(value)) is not None:
                    kind, cause = bad, f"whose {parameter} is {bad}"
                    break
            where = f"layer {name} ({type(module).__name__})"
            found.append(
                f"first {kind} in the output of {where}"
                if cause == "its output"
                else f"first {kind} in {where}, {cause}"
            )

        return look

    layers = [(name, module) for name, module in network.named_modules() if not list(module.children())]
    handles = [module.register_forward_hook(hook_for(name)) for name, module in layers]
    try:
        with no_grad():
            network(images)
    finally:
        for handle in handles:
            handle.remove()
    return found[0] if found else None


def first_state_not_finite(network: Module, optimizer: Optimizer) -> str | None:
    """The first weight or statistic of `network` that holds NaN or infinity, else of `optimizer`'s state, in
    words.

    None when all are finite.

    >>> import minitorch_cifar as torch
    >>> network = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(2, 2))
    >>> optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    >>> first_state_not_finite(network, optimizer)
    >>> _ = torch.nn.init.constant_(network[1].bias, float("inf"))
    >>> first_state_not_finite(network, optimizer)
    'first inf in layer 1 (Linear), whose bias is inf'
    """
    for name, value in network.state_dict().items():
        if (kind := _not_finite(value)) is not None:
            layer, _, part = name.rpartition(".")
            kind_of_layer = type(network.get_submodule(layer)).__name__
            return f"first {kind} in layer {layer} ({kind_of_layer}), whose {part} is {kind}"
    for name, parameter in network.named_parameters():
        for part, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor) and (kind := _not_finite(value)) is not None:
                return f"first {kind} in the {part} of {name}"
    return None


def _not_finite(values: Tensor) -> str | None:
    """ "nan" or "inf" when there is one among `values`."""
    array = values.detach().numpy()
    if np.isfinite(array).all():
        return None
    return "nan" if np.isnan(array).any() else "inf"
