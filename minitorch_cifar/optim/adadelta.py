"""`Adadelta`: steps in the unit of earlier steps. The arithmetic is in the kernel `adadelta_step`."""

from __future__ import annotations

from typing import Any

from ..kernels import active
from .optimizer import (
    Closure,
    Optimizer,
    ParamsT,
    check_lr,
    check_not_negative,
    evaluate,
    next_step,
    zero_step,
    zeros_like,
)

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    """p ← p - lr · d, d = g · sqrt(u + eps) / sqrt(v + eps), with running averages v of g² and u of d².

    `rho`: v ← rho · v + (1 - rho) · g² before d is computed from it, u ← rho · u + (1 - rho) · d² after.
    `weight_decay`: g ← g + weight_decay · p first. `maximize`: climb instead of descending.
    ValueError for settings out of range. `foreach`, `capturable` and `differentiable` can only be left out.
    Source: https://arxiv.org/abs/1212.5701

    >>> import minitorch_cifar as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.Adadelta([w])
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9968], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_not_negative(epsilon=eps, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("foreach", None)
            group.setdefault("maximize", False)
            group.setdefault("differentiable", False)
            group.setdefault("capturable", False)

    def step(self, closure: Closure | None = None) -> Any:
        """Change the parameters once, and return the loss when a `closure` computes it."""
        loss = evaluate(closure)
        for group in self.param_groups:
            names = ("lr", "rho", "eps", "weight_decay")
            settings = (*(float(group[name]) for name in names), bool(group["maximize"]))
            for param in group["params"]:
                if param._grad is None:
                    continue
                state = self.state[param]
                if not state:
                    state["step"] = zero_step()
                    state["square_avg"] = zeros_like(param)
                    state["acc_delta"] = zeros_like(param)
                next_step(state)
                active.adadelta_step(
                    param._array,
                    param._grad._array,
                    state["square_avg"]._array,
                    state["acc_delta"]._array,
                    *settings,
                )
                param._version_counter.value += 1
        return loss
