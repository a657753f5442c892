"""What a user's module adds to saving and loading, as in PyTorch: extra state, hooks, methods, a version."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from typing import Any

import pytest

import minitorch_cifar as mt

from .both import assert_same


def counting(t: Any, log: list[Any]) -> Any:
    """A network whose inner module counts its calls, and keeps the count in the state dict."""

    class Counter(t.nn.Module):
        _version = 3

        def __init__(self) -> None:
            super().__init__()
            self.weight = t.nn.Parameter(t.arange(2.0))
            self.calls = 0

        def forward(self, x: Any) -> Any:
            self.calls += 1
            return x * self.weight

        def get_extra_state(self) -> Any:
            return {"calls": self.calls}

        def set_extra_state(self, state: Any) -> None:
            log.append(("set", state))
            self.calls = state["calls"]

    return t.nn.Sequential(Counter(), t.nn.Linear(2, 2))


def entries(state: Any) -> list[Any]:
    """Names and values, tensors by their shapes, and the versions of the modules."""
    listed = [(k, tuple(v.shape) if hasattr(v, "shape") else v) for k, v in state.items()]
    return [listed, dict(getattr(state, "_metadata", {}))]


def extra_state_goes_along(t: Any) -> Any:
    log: list[Any] = []
    source, target = counting(t, log), counting(t, log)
    for _ in range(3):
        source(t.ones(1, 2))
    file = io.BytesIO()
    t.save(source.state_dict(), file)
    file.seek(0)
    result = target.load_state_dict(t.load(file))
    return entries(source.state_dict()), result, target[0].calls, log


def extra_state_is_missing(t: Any) -> Any:
    net = counting(t, [])
    state = net.state_dict()
    del state["0._extra_state"]
    lenient = net.load_state_dict(state, strict=False)
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(state)
    return lenient, str(caught.value)


def extra_state_is_unexpected(t: Any) -> Any:
    layer = t.nn.Linear(2, 2)
    state = {**layer.state_dict(), "_extra_state": 5}
    with pytest.raises(RuntimeError) as caught:
        layer.load_state_dict(state)
    return layer.load_state_dict(state, strict=False), str(caught.value)


def hooks_of_saving(t: Any) -> Any:
    log: list[Any] = []
    net = counting(t, log)

    def before(module: Any, prefix: str, keep_vars: bool) -> None:
        log.append(("before", type(module).__name__, prefix, keep_vars))

    def after(module: Any, state: Any, prefix: str, local_metadata: Any) -> None:
        log.append(("after", type(module).__name__, prefix, list(state), dict(local_metadata)))
        state[prefix + "note"] = "added"
        local_metadata["by"] = "hook"

    handles = [m.register_state_dict_pre_hook(before) for m in net.modules()]
    handles += [m.register_state_dict_post_hook(after) for m in net.modules()]
    first = entries(net.state_dict(prefix="net.", keep_vars=True))
    for handle in handles:
        handle.remove()
    return first, entries(net.state_dict()), log


def a_hook_of_saving_that_returns_something(t: Any) -> Any:
    layer = t.nn.Linear(2, 2)
    layer.register_state_dict_post_hook(lambda module, state, prefix, metadata: {})
    with pytest.raises(RuntimeError) as caught:
        layer.state_dict()
    return str(caught.value)


def hooks_of_loading(t: Any) -> Any:
    """A file with an old name is loaded by a hook that renames, and a key that is missing is forgiven."""
    net, log = counting(t, []), []

    def rename(module: Any, state: Any, prefix: str, metadata: Any, strict: bool, *lists: Any) -> None:
        log.append((prefix, sorted(state), dict(metadata), strict, lists))
        if prefix + "scale" in state:
            state[prefix + "weight"] = state.pop(prefix + "scale")

    def forgive(module: Any, misfits: Any) -> None:
        log.append((type(module).__name__, list(misfits.missing_keys), list(misfits.unexpected_keys)))
        misfits.missing_keys.clear()

    handle = net[0].register_load_state_dict_pre_hook(rename)
    net[1].register_load_state_dict_post_hook(forgive)
    state = net.state_dict()
    state["0.scale"] = state.pop("0.weight") + 5
    del state["1.bias"]
    result = net.load_state_dict(state)
    handle.remove()
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(state)
    return result, net[0].weight.tolist(), list(state), log, str(caught.value)


def a_hook_of_loading_that_returns_something(t: Any) -> Any:
    layer = t.nn.Linear(2, 2)
    layer.register_load_state_dict_post_hook(lambda module, misfits: misfits)
    with pytest.raises(AssertionError) as caught:
        layer.load_state_dict(layer.state_dict())
    return str(caught.value)


def own_methods(t: Any) -> Any:
    """A layer that stores its weight doubled since version 2, and reads both formats."""
    log: list[Any] = []

    class Doubled(t.nn.Linear):
        _version = 2

        def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
            super()._save_to_state_dict(destination, prefix, keep_vars)
            destination[prefix + "weight"] = destination[prefix + "weight"] * 2

        def _load_from_state_dict(
            self, state_dict: Any, prefix: str, local_metadata: Any, *rest: Any
        ) -> None:
            log.append(local_metadata.get("version"))
            factor = 0.5 if local_metadata.get("version", 1) >= 2 else 1.0
            state_dict[prefix + "weight"] = state_dict[prefix + "weight"] * factor
            super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    source, target = t.nn.Sequential(Doubled(1, 1)), t.nn.Sequential(Doubled(1, 1))
    t.nn.init.constant_(source[0].weight, 3.0)
    state = source.state_dict()
    target.load_state_dict(state)
    new = target[0].weight.item()
    target.load_state_dict(dict(state))  # a plain dict has no versions
    return state["0.weight"].item(), new, target[0].weight.item(), state["0.weight"].item(), log


def a_deepcopy_keeps_hooks(t: Any) -> Any:
    layer = t.nn.Linear(1, 1)
    layer.register_state_dict_post_hook(lambda module, state, prefix, metadata: state.pop("bias") and None)
    return list(copy.deepcopy(layer).state_dict())


SCENARIOS: list[Callable[[Any], Any]] = [
    extra_state_goes_along,
    extra_state_is_missing,
    extra_state_is_unexpected,
    hooks_of_saving,
    a_hook_of_saving_that_returns_something,
    hooks_of_loading,
    a_hook_of_loading_that_returns_something,
    own_methods,
    a_deepcopy_keeps_hooks,
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_what_a_module_adds_is_honoured_as_in_pytorch(scenario: Callable[[Any], Any]) -> None:
    assert_same(scenario)


def test_a_module_without_extra_state_says_so() -> None:
    layer = mt.nn.Linear(1, 1)
    with pytest.raises(RuntimeError, match="Linear defines no get_extra_state"):
        layer.get_extra_state()
    with pytest.raises(RuntimeError, match="Linear defines no set_extra_state"):
        layer.set_extra_state({})
