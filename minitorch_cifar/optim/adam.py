"""`Adam` and `AdamW`: steps scaled by running averages. The arithmetic is in the kernel `adam_step`."""

from __future__ import annotations

from typing import Any

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
    zeros_like,
)

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """p ← p - lr · m' / (sqrt(v') + eps), with m and v the running averages of the gradient g and of g².

    `betas` = (beta1, beta2): m ← beta1 · m + (1 - beta1) · g, v ← beta2 · v + (1 - beta2) · g²; in step t,
    m' = m / (1 - beta1^t) and v' = v / (1 - beta2^t) take off the bias of starting from zero.
    `weight_decay`: g ← g + weight_decay · p first; with `decoupled_weight_decay` p ← p · (1 - lr ·
    weight_decay) instead. `amsgrad`: v' from the largest v so far. `maximize`: climb instead of descending.
    ValueError for settings out of range. `foreach`, `capturable`, `differentiable` and `fused` can only be
    left out. Source: https://arxiv.org/abs/1412.6980

    >>> import minitorch_cifar as torch
    >>> w = torch.tensor([1.0, -50.0], requires_grad=True)
    >>> optimizer = torch.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()  # the first step has length lr, whatever the gradient's size
    >>> w
    tensor([  0.9000, -49.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_lr(lr)
        check_not_negative(epsilon=eps)
        for index in (0, 1):
            if not 0.0 <= betas[index] < 1.0:
                raise ValueError(f"Invalid beta parameter at index {index}: {betas[index]}")
        check_not_negative(weight_decay=weight_decay)
        if any(isinstance(beta, Tensor) for beta in betas):
            raise NotImplementedError("tensors in `betas` are not part of minitorch_cifar: give two floats")
        if not all(isinstance(beta, float) for beta in betas):
            raise ValueError("betas must be either both floats or both Tensors")
        defaults = {
            "lr": lr,
            "betas": tuple(betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("amsgrad", False)
            group.setdefault("maximize", False)
            group.setdefault("foreach", None)
            group.setdefault("capturable", False)
            group.setdefault("differentiable", False)
            group.setdefault("decoupled_weight_decay", False)
            group.setdefault("fused", None)

    def step(self, closure: Closure | None = None) -> Any:
        """Change the parameters once, and return the loss when a `closure` computes it."""
        loss = evaluate(closure)
        adam_step = active.adam_step
        for group in self.param_groups:
            amsgrad = group["amsgrad"]
            settings = (
                float(group["lr"]),
                *map(float, group["betas"]),
                float(group["eps"]),
                float(group["weight_decay"]),
                bool(group["decoupled_weight_decay"]),
                bool(group["maximize"]),
            )
            for param in group["params"]:
                if param._grad is None:
                    continue
                state = self.state[param]
                if not state:
                    state["step"] = zero_step()
                    state["exp_avg"] = zeros_like(param)
                    state["exp_avg_sq"] = zeros_like(param)
                    if amsgrad:
                        state["max_exp_avg_sq"] = zeros_like(param)
                adam_step(
                    param._array,
                    param._grad._array,
                    state["exp_avg"]._array,
                    state["exp_avg_sq"]._array,
                    state["max_exp_avg_sq"]._array if amsgrad else None,
                    next_step(state),
                    *settings,
                )
                param._version_counter.value += 1
        return loss


class AdamW(Adam):
    """`Adam` with decoupled weight decay: p ← p · (1 - lr · weight_decay) before each step.

    All parameters decay alike, where Adam's decay is scaled by 1 / sqrt(v') like the rest of g.
    Source: https://arxiv.org/abs/1711.05101

    >>> import minitorch_cifar as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> w.grad = torch.zeros(1)
    >>> optimizer.step()
    >>> w
    tensor([0.9500], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True  # files of old versions do not say it
