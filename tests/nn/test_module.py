"""`Module`: registering, walking, saving, loading, hooks, printing, as PyTorch does it."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import torch

import minitorch_cifar as mt
from minitorch_cifar import nn

from .both import assert_close, assert_same, assert_same_error, copy_state, to_engine


def make_net(t: Any) -> Any:
    """A network with a nested child, a shared layer, a buffer and a reserved name."""

    class Block(t.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = t.nn.Conv2d(3, 4, 3)
            self.norm = t.nn.BatchNorm2d(4)

        def forward(self, x: Any) -> Any:
            return self.norm(self.conv(x))

    class Net(t.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block = Block()
            self.fc = t.nn.Linear(4, 4)
            self.tied = self.fc
            self.scale = t.nn.Parameter(t.ones(2))
            self.register_buffer("mask", t.zeros(3))
            self.register_buffer("hidden", t.zeros(1), persistent=False)
            self.register_parameter("absent", None)

        def forward(self, x: Any) -> Any:
            return self.tied(self.fc(self.block(x).mean((2, 3))))

    return Net()


WALKS = {
    "parameters": lambda net: [name for name, _ in net.named_parameters()],
    "parameters with duplicates": lambda net: [
        name for name, _ in net.named_parameters(remove_duplicate=False)
    ],
    "own parameters": lambda net: [name for name, _ in net.named_parameters(recurse=False)],
    "prefixed parameters": lambda net: [name for name, _ in net.named_parameters(prefix="net")],
    "buffers": lambda net: [(name, tuple(b.shape)) for name, b in net.named_buffers()],
    "children": lambda net: [name for name, _ in net.named_children()],
    "modules": lambda net: [(name, type(m).__name__) for name, m in net.named_modules()],
    "modules with duplicates": lambda net: [name for name, _ in net.named_modules(remove_duplicate=False)],
    "counts": lambda net: (
        len(list(net.parameters())),
        len(list(net.buffers())),
        len(list(net.children())),
        len(list(net.modules())),
    ),
    "state dict": lambda net: [
        (name, tuple(v.shape), v.dtype, v.requires_grad) for name, v in net.state_dict().items()
    ],
    "state dict with variables": lambda net: [
        (name, v.requires_grad) for name, v in net.state_dict(keep_vars=True).items()
    ],
    "prefixed state dict": lambda net: list(net.state_dict(prefix="module.")),
    "versions": lambda net: {name: dict(entry) for name, entry in net.state_dict()._metadata.items()},
    "repr": lambda net: net,
    "submodule": lambda net: (net.get_submodule("block.conv"), net.get_submodule("") is net),
    "parameter": lambda net: tuple(net.get_parameter("block.conv.weight").shape),
    "buffer": lambda net: tuple(net.get_buffer("block.norm.running_mean").shape),
    "dir": lambda net: [name for name in dir(net) if name in ("block", "fc", "scale", "mask", "absent")],
    "modes": lambda net: (
        [m.training for m in net.eval().modules()] + [m.training for m in net.train().modules()]
    ),
    "order of apply": lambda net: _applied(net),
    "frozen": lambda net: [p.requires_grad for p in net.requires_grad_(False).parameters()],
    "dtypes after double": lambda net: [v.dtype for v in net.double().state_dict().values()],
    "dtypes after to": lambda net: [
        v.dtype for v in net.to("cpu").to(net.scale.double()).state_dict().values()
    ],
}


def _applied(net: Any) -> list[str]:
    order: list[str] = []
    net.apply(lambda module: order.append(type(module).__name__))
    return order


@pytest.mark.parametrize("walk", WALKS)
def test_a_tree_of_modules_reads_as_in_pytorch(walk: str) -> None:
    assert_same(lambda t: WALKS[walk](make_net(t)))


def _without_init(t: Any, value: Any) -> Any:
    class Forgetful(t.nn.Module):
        def __init__(self) -> None:
            self.thing = value(t)

    return Forgetful()


def _register_without_init(t: Any, register: Any) -> Any:
    class Forgetful(t.nn.Module):
        def __init__(self) -> None:
            register(self, t)

    return Forgetful()


class _Empty:
    """Namespace for the next dict: a module of either library without forward."""

    @staticmethod
    def of(t: Any) -> Any:
        class NoForward(t.nn.Module):
            pass

        return NoForward()


MISTAKES = {
    "module before init": lambda t: _without_init(t, lambda t: t.nn.ReLU()),
    "parameter before init": lambda t: _without_init(t, lambda t: t.nn.Parameter(t.ones(1))),
    "buffer before init": lambda t: _without_init(t, lambda t: t.nn.Buffer(t.ones(1))),
    "register_buffer before init": lambda t: _register_without_init(
        t, lambda m, t: m.register_buffer("b", t.ones(1))
    ),
    "register_parameter before init": lambda t: _register_without_init(
        t, lambda m, t: m.register_parameter("p", None)
    ),
    "arguments of init": lambda t: t.nn.Module(3),
    "keywords of init": lambda t: t.nn.Module(width=3),
    "tensor as parameter": lambda t: setattr(t.nn.Linear(2, 2), "weight", t.ones(2, 2)),
    "number as parameter": lambda t: setattr(t.nn.Linear(2, 2), "weight", 3),
    "module as parameter": lambda t: setattr(t.nn.Linear(2, 2), "weight", t.nn.ReLU()),
    "number as child": lambda t: setattr(make_net(t), "fc", 3),
    "number as buffer": lambda t: setattr(make_net(t), "mask", 3),
    "dotted buffer": lambda t: t.nn.ReLU().register_buffer("a.b", t.ones(1)),
    "dotted parameter": lambda t: t.nn.ReLU().register_parameter("a.b", None),
    "dotted module": lambda t: t.nn.ReLU().add_module("a.b", None),
    "empty buffer name": lambda t: t.nn.ReLU().register_buffer("", t.ones(1)),
    "empty module name": lambda t: t.nn.ReLU().add_module("", None),
    "number as name": lambda t: t.nn.ReLU().register_buffer(3, t.ones(1)),
    "number as module name": lambda t: t.nn.ReLU().add_module(3, None),
    "taken name": lambda t: t.nn.ReLU().register_buffer("forward", t.ones(1)),
    "taken module name": lambda t: t.nn.Linear(2, 2).add_module("weight", None),
    "number registered as buffer": lambda t: t.nn.ReLU().register_buffer("x", 3),
    "number registered as parameter": lambda t: t.nn.ReLU().register_parameter("x", 3),
    "tensor registered as parameter": lambda t: t.nn.ReLU().register_parameter("x", t.ones(1)),
    "number registered as module": lambda t: t.nn.ReLU().add_module("x", 3),
    "unknown attribute": lambda t: t.nn.Linear(2, 2).weigth,
    "unknown attribute deleted": lambda t: delattr(t.nn.Linear(2, 2), "weigth"),
    "unknown submodule": lambda t: make_net(t).get_submodule("block.relu"),
    "parameter as submodule": lambda t: make_net(t).get_submodule("fc.weight"),
    "unknown parameter": lambda t: make_net(t).get_parameter("fc.gain"),
    "buffer as parameter": lambda t: make_net(t).get_parameter("mask"),
    "parameter as buffer": lambda t: make_net(t).get_buffer("fc.weight"),
    "no forward": lambda t: _Empty.of(t)(t.ones(1)),
    "mode that is no bool": lambda t: t.nn.ReLU().train("yes"),
    "integer dtype": lambda t: t.nn.Linear(2, 2).to(t.int64),
    "loading a list": lambda t: t.nn.Linear(2, 2).load_state_dict([1]),
    "loading nothing": lambda t: make_net(t).load_state_dict({}),
    "loading strangers": lambda t: make_net(t).load_state_dict(
        {**make_net(t).state_dict(), "fc.gain": t.ones(1), "head.weight": t.ones(1), "extra": t.ones(1)}
    ),
    "loading other shapes": lambda t: make_net(t).load_state_dict(
        {**make_net(t).state_dict(), "fc.weight": t.ones(3, 4), "fc.bias": t.ones(()), "mask": t.ones(9)}
    ),
    "loading a number": lambda t: make_net(t).load_state_dict({**make_net(t).state_dict(), "fc.bias": 3}),
    "loading all that is wrong": lambda t: t.nn.Sequential(
        t.nn.Linear(2, 2), t.nn.Linear(2, 2)
    ).load_state_dict(
        {"0.weight": t.ones(3, 2), "0.gain": t.ones(1), "1": t.ones(1), "1.weight": 3, "7.weight": t.ones(1)}
    ),
    "not strict, other shape": lambda t: t.nn.Linear(2, 2).load_state_dict(
        {"weight": t.ones(3, 2)}, strict=False
    ),
    "pre-hook with kwargs that returns a number": lambda t: _with_hook(
        t, "register_forward_pre_hook", lambda m, args, kwargs: 3, with_kwargs=True
    )(t.ones(1, 2)),
}


def _with_hook(t: Any, register: str, hook: Any, **options: Any) -> Any:
    layer = t.nn.Linear(2, 2)
    getattr(layer, register)(hook, **options)
    return layer


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_raise_what_pytorch_raises(mistake: str) -> None:
    assert_same_error(MISTAKES[mistake])


LOADS = {
    "all": lambda t: make_net(t).load_state_dict(make_net(t).state_dict()),
    "not strict": lambda t: make_net(t).load_state_dict(
        {"fc.weight": t.ones(4, 4), "x": t.ones(1)}, strict=False
    ),
    "scalar as vector": lambda t: t.nn.BatchNorm2d(2).load_state_dict(
        {**t.nn.BatchNorm2d(2).state_dict(), "num_batches_tracked": t.tensor([7])}
    ),
    "another dtype": lambda t: _loaded(t, t.nn.Linear(2, 2), t.nn.Linear(2, 2).double()),
    "assign": lambda t: _loaded(t, t.nn.Linear(2, 2), t.nn.Linear(2, 2).double(), assign=True),
    "old batch norm without count": lambda t: t.nn.BatchNorm2d(2).load_state_dict(
        {k: v for k, v in t.nn.BatchNorm2d(2).state_dict().items() if "num" not in k}
    ),
}


def _loaded(t: Any, target: Any, source: Any, **options: Any) -> Any:
    result = target.load_state_dict(source.state_dict(), **options)
    weight = target.weight
    return (
        result,
        weight.dtype,
        weight.requires_grad,
        type(weight).__name__,
        bool((weight == source.weight).all()),
    )


@pytest.mark.parametrize("load", LOADS)
def test_loading_reports_what_pytorch_reports(load: str) -> None:
    assert_same(LOADS[load])


def test_loading_copies_and_keeps_the_tensors() -> None:
    layer = nn.Linear(2, 3)
    weight, values = layer.weight, mt.randn(3, 2)
    layer.load_state_dict({"weight": values, "bias": mt.zeros(3)})
    assert layer.weight is weight
    values.zero_()
    assert not np.array_equal(weight.detach().numpy(), values.numpy())


def test_a_failed_load_names_everything_and_changes_no_misfit() -> None:
    layer = nn.Linear(2, 3)
    before = layer.weight.detach().clone()
    with pytest.raises(RuntimeError, match=r"size mismatch for weight.*[\s\S]*\"bias\""):
        layer.load_state_dict({"weight": mt.ones(2, 2), "bias": 3})
    np.testing.assert_array_equal(layer.weight.detach().numpy(), before.numpy())


def test_the_state_dict_shares_memory() -> None:
    layer = nn.Linear(2, 2)
    layer.state_dict()["weight"].fill_(7)
    assert layer.weight.tolist() == [[7, 7], [7, 7]]


def test_assigning_moves_a_name_between_the_kinds() -> None:
    def scenario(t: Any) -> Any:
        module = t.nn.Module()
        module.thing = 3
        module.thing = t.nn.Parameter(t.ones(1))
        kinds = [("thing" in module.__dict__, list(module._parameters))]
        del module.thing
        module.thing = t.nn.ReLU()
        kinds.append((list(module._parameters), list(module._modules)))
        module.thing = None
        kinds.append((list(module._modules), module.thing))
        module.register_buffer("kept", t.ones(1))
        module.kept = t.zeros(2)
        module.loose = t.nn.Buffer(t.ones(1), persistent=False)
        kinds.append((list(module._buffers), list(module.state_dict()), module.kept))
        del module.kept
        kinds.append(list(module._buffers))
        return kinds

    assert_same(scenario)


def test_a_weight_that_two_layers_share_is_one_parameter() -> None:
    def scenario(t: Any) -> Any:
        net = t.nn.Sequential(t.nn.Linear(2, 2), t.nn.Linear(2, 2))
        net[1].weight = net[0].weight
        every = [name for name, _ in net.named_parameters(remove_duplicate=False)]
        return [name for name, _ in net.named_parameters()], every, list(net.state_dict())

    assert_same(scenario)


def test_forward_hooks_see_and_replace() -> None:
    def scenario(t: Any) -> Any:
        seen: list[Any] = []
        net = t.nn.Sequential(t.nn.Flatten(), t.nn.ReLU())
        net.register_forward_pre_hook(lambda m, args: seen.append(("pre", len(args))))
        doubled = net[1].register_forward_pre_hook(lambda m, args: args[0] * 2)
        negated = net[1].register_forward_hook(lambda m, args, out: -out)
        net[1].register_forward_hook(lambda m, args, out: seen.append(("out", out)))
        net[1].register_forward_hook(lambda m, args, out: seen.append("first"), prepend=True)
        results = [net(t.ones(1, 2))]
        doubled.remove()
        results.append(net(t.ones(1, 2)))
        negated.remove()
        results.append(net(t.ones(1, 2)))
        return results, seen

    assert_same(scenario)


def test_hooks_with_keyword_arguments() -> None:
    def scenario(t: Any) -> Any:
        seen: list[Any] = []
        layer = t.nn.ReLU()
        layer.register_forward_pre_hook(
            lambda m, args, kwargs: (args, {"input": kwargs["input"] + 1}), with_kwargs=True
        )
        layer.register_forward_hook(
            lambda m, args, kwargs, out: seen.append((args, kwargs, out)), with_kwargs=True
        )
        return layer(input=t.ones(2)), seen

    assert_same(scenario)


def test_a_hook_that_is_always_called_sees_failures() -> None:
    def scenario(t: Any) -> Any:
        seen: list[Any] = []
        layer = t.nn.Linear(2, 2)
        layer.register_forward_hook(lambda m, args, out: seen.append(out), always_call=True)
        layer.register_forward_hook(lambda m, args, out: seen.append("never"))
        try:
            layer(t.ones(1, 3))
        except RuntimeError:
            seen.append("failed")
        return seen

    assert_same(scenario)


@pytest.mark.parametrize("inputs_need_grad", [True, False])
@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_backward_hooks_see_the_gradients(inputs_need_grad: bool) -> None:
    def scenario(t: Any) -> Any:
        seen: list[Any] = []
        net = t.nn.Sequential(t.nn.Linear(3, 2), t.nn.Tanh())
        net.load_state_dict({"0.weight": t.arange(6.0).view(2, 3) / 7, "0.bias": t.zeros(2)})
        for layer in net:
            layer.register_full_backward_pre_hook(lambda m, grads: seen.append((type(m).__name__, grads)))
            layer.register_full_backward_hook(
                lambda m, grads_in, grads_out: seen.append((type(m).__name__, grads_in, grads_out))
            )
        x = t.tensor([[0.5, -1.0, 2.0]], requires_grad=inputs_need_grad)
        net(x).backward(t.tensor([[0.25, -3.0]]))
        return seen, x.grad, net[0].weight.grad

    assert_same(scenario)


def test_backward_hooks_replace_gradients() -> None:
    def scenario(t: Any) -> Any:
        layer = t.nn.Linear(2, 1, bias=False)
        layer.load_state_dict({"weight": t.tensor([[3.0, 5.0]])})
        handle = layer.register_full_backward_hook(lambda m, grads_in, grads_out: (grads_in[0] * 10,))
        x = t.ones(1, 2, requires_grad=True)
        layer(x).backward(t.tensor([[2.0]]))
        first = x.grad.clone(), layer.weight.grad.clone()
        handle.remove()
        layer.register_full_backward_pre_hook(lambda m, grads_out: (grads_out[0] * 100,))
        layer(x).backward(t.tensor([[2.0]]))
        return first, x.grad, layer.weight.grad

    assert_same(scenario)


def test_a_backward_hook_that_returns_too_many_gradients_is_refused() -> None:
    def scenario(t: Any) -> Any:
        layer = t.nn.ReLU()
        layer.register_full_backward_hook(lambda m, grads_in, grads_out: grads_in * 2)
        layer(t.ones(2, requires_grad=True)).sum().backward()

    assert_same_error(scenario)


def test_zero_grad() -> None:
    layer = nn.Linear(2, 2)
    layer(mt.ones(1, 2)).sum().backward()
    layer.zero_grad(set_to_none=False)
    assert [p.grad.tolist() for p in layer.parameters()] == [[[0, 0], [0, 0]], [0, 0]]
    layer.zero_grad()
    assert [p.grad for p in layer.parameters()] == [None, None]


def test_conversion_keeps_the_parameters_and_their_gradients() -> None:
    """Guards an optimizer that would go on moving the parameters from before the conversion."""
    layer = nn.Linear(2, 2)
    layer(mt.ones(1, 2)).sum().backward()
    weight = layer.weight
    layer.double()
    assert layer.weight is weight
    assert (weight.dtype, weight.grad.dtype) == (mt.float64, mt.float64)


def test_moving_to_a_gpu_is_an_error_that_explains() -> None:
    for move in (lambda layer: layer.cuda(), lambda layer: layer.to("cuda")):
        with pytest.raises((RuntimeError, AssertionError), match=r"(?i)cuda"):
            move(nn.Linear(2, 2))


def test_unsupported_arguments_are_named() -> None:
    with pytest.raises(TypeError, match="speed"):
        nn.ReLU().to(speed=3)
    with pytest.raises(NotImplementedError, match="memory_format"):
        nn.ReLU().to(memory_format="channels_last")


def _failing_net(t: Any) -> Any:
    net = make_net(t)
    net.block.conv = t.nn.Sequential(t.nn.ReLU(), t.nn.Conv2d(5, 4, 3))
    return net


def test_a_failing_layer_is_named_with_its_path() -> None:
    with pytest.raises(RuntimeError) as caught:
        _failing_net(mt)(mt.zeros(1, 3, 8, 8))
    expected = "in layer block.conv.1: Conv2d(5, 4, kernel_size=(3, 3), stride=(1, 1))"
    assert caught.value.__notes__ == [expected]


def test_the_note_changes_neither_class_nor_message() -> None:
    assert_same_error(lambda t: _failing_net(t)(t.zeros(1, 3, 8, 8)))


def test_the_note_of_a_module_that_fails_itself() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(2, 2)

        def forward(self, x: Any) -> Any:
            return self.fc(x).view(7)

    with pytest.raises(RuntimeError) as caught:
        nn.Sequential(OrderedDict(body=Net()))(mt.zeros(1, 2))
    assert caught.value.__notes__ == ["in layer body: Net"]


def test_a_caught_failure_of_a_layer_is_not_blamed_on_the_next() -> None:
    layer = nn.Linear(2, 2)
    with pytest.raises(RuntimeError) as caught:
        layer(mt.zeros(1, 3))
    assert caught.value.__notes__ == ["in layer Linear(in_features=2, out_features=2, bias=True)"]
    assert layer(mt.zeros(1, 2)).shape == (1, 2)


def test_a_network_can_be_pickled_and_deepcopied() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert repr(twin) == repr(net)
        assert twin[0].weight is not net[0].weight
        for (name, theirs), (_, ours) in zip(
            net.state_dict().items(), twin.state_dict().items(), strict=True
        ):
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), err_msg=name)
        twin[0].weight.data.zero_()
        assert np.any(net[0].weight.detach().numpy() != 0)


def test_a_deepcopy_keeps_what_is_shared_shared() -> None:
    layer = nn.Linear(2, 2)
    twin = copy.deepcopy(nn.Sequential(layer, layer))
    assert twin[0].weight is twin[1].weight


def test_a_dropped_module_is_freed_at_once() -> None:
    gc.disable()
    try:
        net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
        net(mt.ones(1, 2)).sum().backward()
        reference = weakref.ref(net)
        del net
        assert reference() is None
    finally:
        gc.enable()


def test_hooks_and_training_agree_with_pytorch_on_a_whole_network() -> None:
    torch.manual_seed(3)
    theirs = make_net(torch).double()
    ours = make_net(mt).double()
    copy_state(theirs, ours)
    x = torch.randn(2, 3, 6, 6, dtype=torch.float64)
    upstream = torch.randn(2, 4, dtype=torch.float64)
    theirs(x).backward(upstream)
    ours(to_engine(x)).backward(to_engine(upstream))
    for (name, p), q in zip(theirs.named_parameters(), ours.parameters(), strict=True):
        if p.grad is None:
            assert q.grad is None, name
        else:
            assert_close(q.grad, p.grad, name)
    for (name, b), c in zip(theirs.named_buffers(), ours.buffers(), strict=True):
        assert_close(c, b, name)


def test_a_layer_that_cannot_be_shown_does_not_hide_its_error() -> None:
    """The note of which layer failed shows the layer, and what is in it may be of any kind."""
    endless: list[object] = []
    for _ in range(2_000):
        endless = [endless]
    layer = nn.Dropout(0.5, endless)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="argument 'inplace' must be bool, not list") as error:
        layer(mt.ones(2))
    assert error.value.__notes__ == ["in layer Dropout"]
