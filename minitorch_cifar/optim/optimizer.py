"""`Optimizer`: what all optimisers share.

It holds the parameters in groups, each with its own settings, and the state that is kept for each parameter.

A subclass says how one step goes: it takes the gradients that `backward` left in `param.grad` and changes the
parameters in place, through the kernels. Parameters without a gradient are left alone. The learning rate is a
setting like others; `lr_scheduler` changes it between steps.
"""

from __future__ import annotations

import functools
import itertools
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import numpy as np

from ..autograd import RemovableHandle, enable_grad, wrap
from ..autograd.hooks import add_hook
from ..dtypes import float64, get_default_dtype
from ..missing import ExplainsMissing
from ..tensor import Tensor

__all__ = ["Optimizer", "required"]

ParamsT = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]
Closure = Callable[[], Any]


class _Required:
    """The default of a setting that each group must give."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()

# PyTorch's switches between implementations of one step; the engine has one implementation.
_SWITCHES = ("foreach", "fused", "capturable", "differentiable")


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """`step` with the registered hooks around it, noting that a step was made."""

    @functools.wraps(step)
    def wrapper(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        self._opt_called = True
        for pre_hook in list(self._step_pre_hooks.values()):
            changed = pre_hook(self, args, kwargs)
            if changed is None:
                continue
            if not isinstance(changed, tuple) or len(changed) != 2:
                raise RuntimeError(
                    f"{step} must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                )
            args, kwargs = changed
        result = step(self, *args, **kwargs)
        for post_hook in list(self._step_post_hooks.values()):
            post_hook(self, args, kwargs)
        return result

    wrapper.hooked = True  # type: ignore[attr-defined]
    return wrapper


class Optimizer(ExplainsMissing):
    """The base class of all optimisers.

    `params`: tensors, or (name, tensor) pairs, or dicts, one for each group: `{"params": [...], "lr": 0.1}`.
    `defaults`: the settings of groups that do not give their own.

    To write an optimiser, subclass it and define `step`:

    >>> import minitorch_cifar as torch
    >>> class Descent(torch.optim.Optimizer):
    ...     def __init__(self, params, lr):
    ...         super().__init__(params, {"lr": lr})
    ...
    ...     @torch.no_grad()
    ...     def step(self, closure=None):
    ...         for group in self.param_groups:
    ...             for p in group["params"]:
    ...                 if p.grad is not None:
    ...                     p.sub_(group["lr"] * p.grad)
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> (w * 3).sum().backward()
    >>> Descent([w], lr=0.1).step()
    >>> w
    tensor([0.7000], requires_grad=True)
    """

    _opt_called = False  # a scheduler warns when it is stepped before the optimiser is

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.step)  # type: ignore[method-assign]

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                + _type_name(params)
            )
        if isinstance(params, set):
            warnings.warn(
                "optimizer parameters need to be organized in ordered collections, but the ordering of "
                "tensors in sets will change between runs. Please use a list instead. This will be an "
                "error in a future release.",
                FutureWarning,
                stacklevel=3,
            )
        self.defaults = defaults
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._make_hooks()
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _make_hooks(self) -> None:
        self._step_pre_hooks: dict[int, Callable[..., Any]] = {}
        self._step_post_hooks: dict[int, Callable[..., Any]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_step_pre_hooks" not in self.__dict__:
            self._make_hooks()
        for group in self.param_groups:
            _refuse_switches(group)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines.append(("\n" if number else "") + f"Parameter Group {number}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])

    def step(self, closure: Closure | None = None) -> Any:
        """Change the parameters once, and return the loss when a `closure` computes it."""
        raise NotImplementedError

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters; with `set_to_none=False` fill them with zeros instead."""
        for group in self.param_groups:
            for param in group["params"]:
                if set_to_none:
                    param._grad = None
                elif param._grad is not None:
                    if param._grad.requires_grad:
                        param._grad = param._grad.detach()
                    param._grad.zero_()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Optimise more parameters: `{"params": tensor or tensors, setting: value, ...}`.

        TypeError for what is no tensor; ValueError for a tensor that is no leaf or in a group already.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        self._take_params(param_group)
        for param in param_group["params"]:
            if not isinstance(param, Tensor):
                raise TypeError(
                    f"optimizer can only optimize Tensors, but one of the params is {_type_name(param)}"
                )
            if not (param.is_leaf or param.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(
                    f"parameter group didn't specify a value of required optimization parameter {name}"
                )
            param_group.setdefault(name, default)
        _refuse_switches(param_group)
        added = {id(param) for param in param_group["params"]}
        if len(added) != len(param_group["params"]):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will "
                "cause an error; see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=3,
            )
        for group in self.param_groups:
            if ("param_names" in param_group) != ("param_names" in group):
                kind = "with names" if "param_names" in param_group else "without names"
                raise ValueError(
                    "all optimizer param groups should be with/without names. cannot add param group "
                    f"{kind} to the optimizer"
                )
            if any(id(param) in added for param in group["params"]):
                raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)

    @staticmethod
    def _take_params(param_group: dict[str, Any]) -> None:
        """Make a list of `params`, and of the names if they came as pairs."""
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of "
                "tensors in sets will change between runs. Please use a list instead."
            )
        given = [params] if isinstance(params, Tensor) else list(params)
        names = [item[0] for item in given if isinstance(item, tuple)]
        if names and len(names) != len(given):
            raise ValueError(
                "all optimizer params should be with/without names. Some param names are missing"
            )
        param_group["params"] = [item[1] if isinstance(item, tuple) else item for item in given]
        if names:
            param_group["param_names"] = names

    def state_dict(self) -> dict[str, Any]:
        """State and settings, with the parameters replaced by their numbers in order; for `torch.save`.

        `{"state": {0: {"momentum_buffer": ...}, ...}, "param_groups": [{"lr": 0.1, ..., "params": [0, 1]}]}`.
        The tensors are those of the optimiser, not copies.
        """
        numbers: dict[int, int] = {}
        start = 0
        for group in self.param_groups:
            # A parameter that is listed twice in a group goes by its last place, as in PyTorch.
            places = {id(param): number for number, param in enumerate(group["params"], start)}
            numbers = {**places, **numbers}
            start += len(group["params"])
        packed_groups = []
        for group in self.param_groups:
            packed = {key: value for key, value in group.items() if key != "params"}
            packed["params"] = [numbers[id(param)] for param in group["params"]]
            packed_groups.append(packed)
        packed_state = {
            numbers[id(key)] if isinstance(key, Tensor) else key: value for key, value in self.state.items()
        }
        return {"state": packed_state, "param_groups": packed_groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave, into the same number of parameters in the same order.

        State tensors get the dtype of their parameter, but for `step`. ValueError when the groups do not fit.
        """
        saved_groups = deepcopy(state_dict["param_groups"])
        if len(saved_groups) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        for group, saved in zip(self.param_groups, saved_groups, strict=True):
            if len(group["params"]) != len(saved["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of "
                    "optimizer's group"
                )
            _refuse_switches(saved)
        numbers = itertools.chain.from_iterable(saved["params"] for saved in saved_groups)
        params = itertools.chain.from_iterable(group["params"] for group in self.param_groups)
        by_number = dict(zip(numbers, params, strict=True))
        state: defaultdict[Any, Any] = defaultdict(dict)
        for number, value in state_dict["state"].items():
            if number in by_number:
                state[by_number[number]] = _as_state_of(by_number[number], value)
            else:
                state[number] = value
        for group, saved in zip(self.param_groups, saved_groups, strict=True):
            saved["params"] = group["params"]
            if "param_names" in group:
                saved.setdefault("param_names", group["param_names"])
        self.__setstate__({"state": state, "param_groups": saved_groups})

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` before each step; it may return other (args, kwargs)."""
        return add_hook(self._step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` after each step."""
        return add_hook(self._step_post_hooks, hook)


def evaluate(closure: Closure | None) -> Any:
    """The loss that `closure` computes (recording a graph, also inside `no_grad`), or None without one."""
    if closure is None:
        return None
    with enable_grad():
        return closure()


def zero_step() -> Tensor:
    """The count of steps as PyTorch keeps it: a float32 number (float64 when that is the default dtype)."""
    return wrap(np.zeros((), np.float64 if get_default_dtype() is float64 else np.float32))


def zeros_like(param: Tensor) -> Tensor:
    """A state tensor of zeros with the parameter's shape, dtype and strides."""
    return wrap(np.zeros_like(param._array))


def next_step(state: dict[str, Any]) -> int:
    """Count one more step in `state["step"]`, and return the new count."""
    step = state["step"]
    if not isinstance(step, Tensor):  # a plain number in files of old versions
        step = state["step"] = zero_step().fill_(step)
    step._array += 1
    return int(step._array)


def check_lr(lr: Any) -> None:
    """ValueError unless the learning rate is a number, or a tensor with one, that is not negative."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not lr >= 0.0:
        raise ValueError(f"Invalid learning rate: {lr}")


def check_not_negative(**settings: Any) -> None:
    """ValueError for a setting below zero; underscores in the names become spaces."""
    for name, value in settings.items():
        if not value >= 0.0:
            raise ValueError(f"Invalid {name} value: {value}")


def _refuse_switches(group: dict[str, Any]) -> None:
    for name in _SWITCHES:
        if group.get(name):
            raise NotImplementedError(
                f"{name}={group[name]!r} is not part of minitorch_cifar, which has one implementation of "
                f"each optimiser: leave `{name}` out"
            )


def _type_name(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"torch.{value.dtype.legacy_name}Tensor"
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _as_state_of(param: Tensor, value: Any, key: str | None = None) -> Any:
    """A loaded state value, its tensors in the dtype of `param`; the count of steps keeps its own."""
    if isinstance(value, Tensor):
        return value if key == "step" or not param.dtype.is_floating_point else value.to(param.dtype)
    if isinstance(value, dict):
        return {name: _as_state_of(param, item, name) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_as_state_of(param, item) for item in value)
    return value
