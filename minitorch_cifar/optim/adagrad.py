"""`Adagrad`: steps scaled by all gradients so far. The arithmetic is in the kernel `adagrad_step`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import wrap
from ..kernels import active
from ..tensor import Tensor
from .optimizer import (
    Closure,
    Optimizer,
    ParamsT,
    check_lr,
    check_not_negative,
    evaluate,
    next_step,
    zero_step,
)

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """p ← p - lr' · g / (sqrt(s) + eps), with s the sum of g² over all steps, for the gradient g.

    `lr_decay`: in step t, lr' = lr / (1 + (t - 1) · lr_decay). `initial_accumulator_value`: what s starts
    from.
    `weight_decay`: g ← g + weight_decay · p first. `maximize`: climb instead of descending.
    ValueError for negative settings. `foreach`, `differentiable` and `fused` can only be left out.
    Source: https://jmlr.org/papers/v12/duchi11a.html

    >>> import minitorch_cifar as torch
    >>> w = torch.tensor([1.0, -50.0], requires_grad=True)
    >>> optimizer = torch.optim.Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([  0.9000, -49.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check_not_negative(
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            epsilon=eps,
        )
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for param in group["params"]:
                self._start(param)

    def _start(self, param: Tensor) -> None:
        """The state before the first step."""
        initial = self.defaults["initial_accumulator_value"]
        self.state[param] = {
            "step": zero_step(),
            "sum": wrap(np.full_like(param._array, initial)),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("foreach", None)
            group.setdefault("maximize", False)
            group.setdefault("differentiable", False)
            group.setdefault("fused", None)

    def step(self, closure: Closure | None = None) -> Any:
        """Change the parameters once, and return the loss when a `closure` computes it."""
        loss = evaluate(closure)
        for group in self.param_groups:
            lr, lr_decay = float(group["lr"]), float(group["lr_decay"])
            settings = float(group["eps"]), float(group["weight_decay"]), bool(group["maximize"])
            for param in group["params"]:
                if param._grad is None:
                    continue
                if not self.state[param]:  # in a group added later
                    self._start(param)
                state = self.state[param]
                decayed = lr / (1 + (next_step(state) - 1) * lr_decay)
                active.adagrad_step(param._array, param._grad._array, state["sum"]._array, decayed, *settings)
                param._version_counter.value += 1
        return loss
