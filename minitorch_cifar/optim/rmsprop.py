"""`RMSprop`: steps scaled by the size of recent gradients. The arithmetic is in the kernel `rmsprop_step`."""

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

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """p ← p - lr · g / (sqrt(v) + eps), with v ← alpha · v + (1 - alpha) · g² for the gradient g.

    `centered`: v - a² instead of v, with a ← alpha · a + (1 - alpha) · g, an estimate of the variance of g.
    `momentum`: a buffer b ← momentum · b + g / (sqrt(v) + eps) takes the place of the scaled gradient.
    `weight_decay`: g ← g + weight_decay · p first. `maximize`: climb instead of descending.
    ValueError for negative settings. `capturable`, `foreach` and `differentiable` can only be left out.

    >>> import minitorch_cifar as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.RMSprop([w], lr=0.01)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check_not_negative(epsilon=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("momentum", 0)
            group.setdefault("centered", False)
            group.setdefault("foreach", None)
            group.setdefault("maximize", False)
            group.setdefault("differentiable", False)
            group.setdefault("capturable", False)

    def step(self, closure: Closure | None = None) -> Any:
        """Change the parameters once, and return the loss when a `closure` computes it."""
        loss = evaluate(closure)
        for group in self.param_groups:
            has_buffer, centered = group["momentum"] > 0, group["centered"]
            names = ("lr", "alpha", "eps", "weight_decay", "momentum")
            settings = (*(float(group[name]) for name in names), bool(group["maximize"]))
            for param in group["params"]:
                if param._grad is None:
                    continue
                state = self.state[param]
                if not state:
                    state["step"] = zero_step()
                    state["square_avg"] = zeros_like(param)
                    if has_buffer:
                        state["momentum_buffer"] = zeros_like(param)
                    if centered:
                        state["grad_avg"] = zeros_like(param)
                next_step(state)
                active.rmsprop_step(
                    param._array,
                    param._grad._array,
                    state["square_avg"]._array,
                    state["grad_avg"]._array if centered else None,
                    state["momentum_buffer"]._array if has_buffer else None,
                    *settings,
                )
                param._version_counter.value += 1
        return loss
