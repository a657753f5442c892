"""What all optimisers share, against PyTorch: groups, state dicts, hooks, closures and errors."""

from __future__ import annotations

import copy
import importlib
import pickle
import warnings

import numpy as np
import pytest
import torch

import minitorch_cifar as mini

from .comparing import assert_same_state, both, give_gradients

OPTIMIZERS = {
    "SGD": {"lr": 0.1, "momentum": 0.9},
    "Adam": {"amsgrad": True},
    "AdamW": {},
    "RMSprop": {"momentum": 0.9, "centered": True},
    "Adagrad": {},
    "Adadelta": {},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_groups_with_settings_of_their_own(name: str) -> None:
    generator = np.random.default_rng(0)
    ours, theirs = both(generator, np.float64)
    pair = []
    for module, leaves in ((mini, ours), (torch, theirs)):
        groups = [{"params": leaves[:2]}, {"params": leaves[2], "lr": 0.5, "weight_decay": 0.1}]
        optimizer = getattr(module.optim, name)(groups, **OPTIMIZERS[name])
        optimizer.add_param_group({"params": [leaves[3]], "lr": 0.01})
        pair.append(optimizer)
    assert repr(pair[0]) == repr(pair[1])
    for _ in range(5):
        give_gradients(generator, ours, theirs)
        for optimizer in pair:
            optimizer.step()
    assert_same_state(*pair, 1e-12)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("way", ["state_dict", "pickle", "deepcopy"])
def test_resumed_run_equals_the_uninterrupted_one(name: str, way: str) -> None:
    def run(interrupted: bool) -> np.ndarray:
        generator = np.random.default_rng(3)
        p = mini.from_numpy(generator.normal(size=5)).requires_grad_()
        optimizer = getattr(mini.optim, name)([p], **OPTIMIZERS[name])
        for step in range(10):
            if interrupted and step == 5:
                if way == "state_dict":
                    saved = copy.deepcopy(optimizer.state_dict())
                    optimizer = getattr(mini.optim, name)([p], lr=123.0)
                    optimizer.load_state_dict(saved)
                else:
                    optimizer = (
                        pickle.loads(pickle.dumps(optimizer)) if way == "pickle" else copy.deepcopy(optimizer)
                    )
                    p = optimizer.param_groups[0]["params"][0]
            p.grad = mini.from_numpy(generator.normal(size=5))
            optimizer.step()
        return p.detach().numpy()

    np.testing.assert_array_equal(run(interrupted=True), run(interrupted=False))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_state_of_pytorch_continues_here(name: str) -> None:
    """Tensors are passed on as arrays: reading files is tested with `serialization`."""
    generator = np.random.default_rng(4)
    ours, theirs = both(generator, np.float32)
    peer = getattr(torch.optim, name)(theirs, **OPTIMIZERS[name])
    for _ in range(3):
        give_gradients(generator, ours, theirs)
        peer.step()
    for p, q in zip(ours, theirs, strict=True):
        p.detach().numpy()[...] = q.detach().numpy()
    state = peer.state_dict()
    state["state"] = {
        number: {key: mini.from_numpy(value.numpy().copy()) for key, value in values.items()}
        for number, values in state["state"].items()
    }
    optimizer = getattr(mini.optim, name)(ours)
    optimizer.load_state_dict(state)
    give_gradients(generator, ours, theirs)
    optimizer.step()
    peer.step()
    assert_same_state(optimizer, peer, 1e-5)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_loading_casts_to_the_dtype_of_the_parameter_but_not_the_count() -> None:
    p64 = mini.ones(2, dtype=mini.float64, requires_grad=True)
    p64.grad = mini.ones(2, dtype=mini.float64)
    source = mini.optim.Adam([p64])
    source.step()
    p32 = mini.ones(2, requires_grad=True)
    target = mini.optim.Adam([p32])
    target.load_state_dict(source.state_dict())
    assert target.state[p32]["exp_avg"].dtype is mini.float32
    assert target.state[p32]["step"].dtype is mini.float32
    assert source.state[p64]["exp_avg"].dtype is mini.float64
    source.load_state_dict(target.state_dict())
    assert source.state[p64]["exp_avg"].dtype is mini.float64
    assert source.state[p64]["step"].dtype is mini.float32


def make(module, **settings):
    return module.optim.SGD([module.ones(2, requires_grad=True)], **settings)


def leaf(module):
    return module.ones(2, requires_grad=True)


MISTAKES = {
    "tensor": lambda m: m.optim.SGD(leaf(m)),
    "nothing": lambda m: m.optim.SGD([]),
    "strings": lambda m: m.optim.SGD(["a"]),
    "none": lambda m: m.optim.SGD([None]),
    "number": lambda m: m.optim.SGD(5),
    "no leaf": lambda m: m.optim.SGD([leaf(m) * 2]),
    "no params": lambda m: m.optim.SGD([{"lr": 1.0}]),
    "set in a group": lambda m: m.optim.SGD([{"params": {leaf(m)}}]),
    "one twice": lambda m: (lambda p: m.optim.SGD([{"params": [p]}, {"params": p}]))(leaf(m)),
    "dict later": lambda m: m.optim.SGD([leaf(m), {"params": []}]),
    "names missing": lambda m: m.optim.SGD([("a", leaf(m)), leaf(m)]),
    "no names later": lambda m: m.optim.SGD([("a", leaf(m))]).add_param_group({"params": leaf(m)}),
    "group is a list": lambda m: make(m).add_param_group([leaf(m)]),
    "empty state": lambda m: make(m).load_state_dict({}),
    "groups missing": lambda m: make(m).load_state_dict({"state": {}, "param_groups": []}),
    "params missing": lambda m: make(m).load_state_dict({"state": {}, "param_groups": [{"params": []}]}),
    "no step": lambda m: m.optim.Optimizer([leaf(m)], {}).step(),
    "setting missing": lambda m: m.optim.Optimizer([leaf(m)], {"lr": required(m)}),
}


def required(module):
    return importlib.import_module(f"{module.__name__}.optim.optimizer").required


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_get_pytorchs_error(mistake: str) -> None:
    with pytest.raises(Exception) as expected:  # noqa: PT011
        MISTAKES[mistake](torch)
    with pytest.raises(expected.type) as caught:
        MISTAKES[mistake](mini)
    text = str(expected.value).replace(
        "torch.nn.parameter.Parameter", "minitorch_cifar.nn.parameter.Parameter"
    )
    assert str(caught.value) == text


@pytest.mark.parametrize(
    "build", [lambda m: m.optim.SGD({leaf(m)}), lambda m: (lambda p: m.optim.SGD([p, p]))(leaf(m))]
)
def test_doubtful_parameters_get_pytorchs_warning(build) -> None:
    caught = []
    for module in (mini, torch):
        with warnings.catch_warnings(record=True) as records:
            warnings.simplefilter("always")
            build(module)
        caught.append([(record.category, str(record.message)) for record in records])
    assert caught[0] == caught[1]
    assert caught[0]


def test_names_are_kept() -> None:
    optimizer = mini.optim.SGD([("w", leaf(mini)), ("b", leaf(mini))])
    peer = torch.optim.SGD([("w", leaf(torch)), ("b", leaf(torch))])
    assert optimizer.state_dict() == peer.state_dict()
    other = mini.optim.SGD([("v", leaf(mini)), ("c", leaf(mini))])
    other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["param_names"] == ["w", "b"]


def test_loaded_groups_get_the_settings_that_old_files_lack() -> None:
    ours, theirs = make(mini), make(torch)
    for optimizer in (ours, theirs):
        optimizer.load_state_dict({"state": {}, "param_groups": [{"params": [0], "lr": 0.5}]})
    assert repr(ours) == repr(theirs)


def test_loading_does_not_share_groups_with_the_dict() -> None:
    optimizer = make(mini, lr=0.5)
    state = optimizer.state_dict()
    optimizer.load_state_dict(state)
    optimizer.param_groups[0]["lr"] = 7.0
    assert state["param_groups"][0]["lr"] == 0.5


def test_zero_grad() -> None:
    p, q = leaf(mini), leaf(mini)
    optimizer = mini.optim.SGD([p, q])
    p.grad = mini.tensor([1.0, 2.0])
    kept = p.grad
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is kept
    assert kept.tolist() == [0, 0]
    assert q.grad is None
    optimizer.zero_grad()
    assert p.grad is None


def test_closure_records_and_its_loss_comes_back() -> None:
    p = mini.tensor([1.0, 2.0], requires_grad=True)
    optimizer = mini.optim.SGD([p], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with mini.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 5
    assert p.tolist() == [0, 0]
    assert optimizer.step() is None


def test_hooks_run_around_a_step() -> None:
    calls = []
    optimizer = make(mini)
    optimizer.register_step_pre_hook(lambda o, args, kwargs: calls.append(("before", o is optimizer)))
    handle = optimizer.register_step_post_hook(
        lambda o, args, kwargs: calls.append(("after", o is optimizer))
    )
    optimizer.step()
    handle.remove()
    optimizer.step()
    assert calls == [("before", True), ("after", True), ("before", True)]
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 5)
    with pytest.raises(RuntimeError, match="must return None or a tuple"):
        optimizer.step()


def test_pre_hook_may_change_the_arguments() -> None:
    optimizer = make(mini)
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((lambda: 42,), {}))
    assert optimizer.step() == 42


def test_loading_a_switch_is_refused() -> None:
    optimizer = make(mini)
    state = optimizer.state_dict()
    state["param_groups"][0]["fused"] = True
    with pytest.raises(NotImplementedError, match="fused"):
        optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["fused"] is None
