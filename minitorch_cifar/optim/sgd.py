"""`SGD`: stochastic gradient descent, with momentum. The arithmetic is in the kernel `sgd_step`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import wrap
from ..kernels import active
from .optimizer import Closure, Optimizer, ParamsT, check_lr, check_not_negative, evaluate

__all__ = ["SGD"]


class SGD(Optimizer):
    """p ← p - lr · d, where the direction d is made of the gradient g.

    `weight_decay`: g ← g + weight_decay · p first, which pulls the parameters towards zero.
    `momentum`: a buffer b remembers earlier gradients: b ← momentum · b + (1 - dampening) · g, on the first
    step b ← g; d = b, or with `nesterov` d = g + momentum · b. Without momentum d = g.
    `maximize`: climb instead of descending.
    ValueError for negative settings, and for `nesterov` without momentum or with dampening. `foreach`,
    `differentiable` and `fused` can only be left out.

    >>> import minitorch_cifar as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     (w * w).sum().backward()
    ...     optimizer.step()
    >>> w
    tensor([0.4600], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check_not_negative(momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("nesterov", False)
            group.setdefault("maximize", False)
            group.setdefault("foreach", None)
            group.setdefault("differentiable", False)
            group.setdefault("fused", False)

    def step(self, closure: Closure | None = None) -> Any:
        """Change the parameters once, and return the loss when a `closure` computes it."""
        loss = evaluate(closure)
        sgd_step = active.sgd_step
        for group in self.param_groups:
            lr = float(group["lr"])
            momentum = float(group["momentum"])
            settings = (
                lr,
                momentum,
                float(group["dampening"]),
                float(group["weight_decay"]),
                bool(group["nesterov"]),
                bool(group["maximize"]),
            )
            for param in group["params"]:
                if param._grad is None:
                    continue
                array = param._array
                buffer, first = None, False
                if momentum != 0:
                    state = self.state[param]
                    kept = state.get("momentum_buffer")
                    if kept is None:
                        kept, first = wrap(np.empty_like(array)), True
                        state["momentum_buffer"] = kept
                    buffer = kept._array
                sgd_step(array, param._grad._array, buffer, first, *settings)
                param._version_counter.value += 1
        return loss
