"""Lockstep: correct networks keep the tolerance, a broken rule is found and its layer named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import minitorch_cifar
from minitorch_cifar import models, ops
from minitorch_cifar.autograd.lazy import LazyGradient
from minitorch_cifar.optim import SGD
from minitorch_cifar.testing import runner
from minitorch_cifar.testing.lockstep import Lockstep, NetworkError, run_lockstep
from reference import networks

Batch = tuple[np.ndarray, np.ndarray]


def pictures(steps: int, shape: tuple[int, ...] = (4, 3, 32, 32), classes: int = 10) -> Iterator[Batch]:
    rng = np.random.default_rng(0)
    for _ in range(steps):
        yield rng.normal(size=shape), rng.integers(0, classes, shape[0])


def both(make: Callable[[Any], Any]) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """A function of the library as a factory for each side."""
    return lambda: make(minitorch_cifar), lambda: make(torch)


def lockstep(make: Callable[[Any], Any], batches: Any, **options: Any) -> Lockstep:
    return run_lockstep(*both(make), batches, **options)


def model(name: str) -> tuple[Callable[[], Any], Callable[[], Any]]:
    return models.NETWORKS[name], networks.NETWORKS[name]


# Correct networks


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["lenet", "quick", "bn"])
def test_the_three_networks_keep_the_tolerance(name: str, dtype: str) -> None:
    found = run_lockstep(*model(name), pictures(3), dtype=dtype, lr=0.01)
    assert found.holds, found.failure or found.free_problem
    assert found.steps == 3
    assert 0 < found.tightest[1].share < 1
    # Rounding is at work: a comparison of a thing with itself would show nothing.
    assert max(d.ulp for d in found.places.values()) > 0
    np.testing.assert_allclose(found.losses, found.torch_losses, rtol=1e-5 if dtype == "float32" else 1e-13)
    assert found.losses[0] != found.losses[1]


def test_every_layer_call_and_every_parameter_has_its_places() -> None:
    found = run_lockstep(*model("lenet"), pictures(2))
    layers = {place.row for place in found.places if place.quantity == "output"}
    assert layers == {"pictures", "conv1", "pool", "conv2", "pool #2", "fc1", "fc2", "fc3", "loss"}
    for layer in layers - {"pictures"}:
        quantities = {place.quantity for place in found.places if place.row == layer}
        assert quantities == {"input", "output", "gradient by input", "gradient by output"}
    names = [name for name, _ in models.lenet().named_parameters()]
    for quantity in ("gradient", "after the step"):
        assert [place.layer for place in found.places if place.quantity == quantity] == names
    assert sorted(found.drift) == sorted(names)


def residual(library: Any) -> Any:
    """Reuse, a block within a block, functions between layers, in-place layers, dropout, a frozen layer."""
    nn = library.nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(4, 4, 3, padding=1, bias=False)
            self.norm = nn.BatchNorm2d(4)
            self.relu = nn.ReLU(inplace=True)

        def forward(self, x: Any) -> Any:
            return self.relu(self.norm(self.conv(x)) + x)

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(3, 4, 1)
            self.block = Block()
            self.drop = nn.Dropout(0.3)
            self.scale = nn.Parameter(library.ones(4, 1, 1))
            self.last = nn.Linear(4, 5)
            for parameter in self.first.parameters():
                parameter.requires_grad_(False)

        def forward(self, x: Any) -> Any:
            x = x.clone()
            x -= 0.5
            x = library.tanh(self.first(x)) * self.scale
            x = self.block(self.block(x))
            return self.last(self.drop(x.mean(dim=(2, 3)))) + library.zeros(5)

    return Network()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_of_everything(dtype: str) -> None:
    found = lockstep(residual, pictures(4, (4, 3, 8, 8), 5), dtype=dtype, lr=0.1)
    assert found.holds, found.failure or found.free_problem
    rows = {place.row for place in found.places}
    assert {"block.conv", "block.conv #2", "block.relu #2", "drop", "scale", "block.norm.running_var"} <= rows


def test_layers_with_several_inputs_and_outputs() -> None:
    def make(library: Any) -> Any:
        class Both(library.nn.Module):
            def forward(self, x: Any, y: Any) -> Any:
                return x + y, {"difference": [x - y]}

        class Network(library.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inner, self.both = library.nn.Linear(3, 2), Both()

            def forward(self, x: Any) -> Any:
                total, rest = self.both(self.inner(x), self.inner(x * 2))
                return total * rest["difference"][0]

        return Network()

    found = lockstep(make, pictures(2, (4, 3), 2))
    assert found.holds
    parts = [p.part for p in found.places if p.layer == "both" and p.quantity == "gradient by input"]
    assert sorted(parts) == [0, 1]


def test_a_network_that_is_one_layer() -> None:
    found = lockstep(lambda library: library.nn.Linear(3, 2), pictures(2, (4, 3), 2))
    assert {"network", "weight", "bias"} <= {place.layer for place in found.places}
    assert found.holds


def test_what_cancels_is_judged_by_pytorchs_own_error() -> None:
    """A bias in front of a batch norm has the gradient zero but for rounding; with two samples, so has the
    norm's input.
    """

    def make(library: Any) -> Any:
        nn = library.nn
        return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))

    for dtype in ("float32", "float64"):
        for samples in (2, 7):
            found = lockstep(make, pictures(5, (samples, 6), 3), dtype=dtype, lr=0.1)
            assert found.failure is None, found.failure
        assert any(d.cancels for place, d in found.places.items() if place.layer == "0.bias")


# Broken rules


def scaled(position: int | None, factor: float = 1.001) -> Callable[[Any], Any]:
    """Makes a wrong backward rule of a right one: one of its gradients is a thousandth too large."""

    def change(rule: Any) -> Any:
        def wrong(ctx: Any, *grads: Any) -> Any:
            right = rule(ctx, *grads)
            if isinstance(right, LazyGradient):
                right = right.dense()
            if position is None:
                return right * right.dtype.type(factor)
            changed = list(right)
            if changed[position] is not None:
                changed[position] = changed[position] * changed[position].dtype.type(factor)
            return tuple(changed)

        return wrong

    return change


BROKEN = [
    (ops.conv.Convolution, scaled(0), "bn", "conv3, gradient by input"),
    (ops.conv.Convolution, scaled(1), "bn", "conv1.weight, gradient"),
    (ops.conv.Convolution, scaled(2), "lenet", "conv1.bias, gradient"),
    (ops.pool.MaxPool2d, scaled(None), "lenet", "pool #2, gradient by input"),
    (ops.norm.NativeBatchNorm, scaled(0), "bn", "bn3, gradient by input"),
    (ops.norm.NativeBatchNorm, scaled(1), "bn", "bn1.weight, gradient"),
    (ops.linear.LinearRows, scaled(1), "quick", "model.8, gradient by input"),
    (ops.linear.LinearRows, scaled(0), "lenet", "fc1.bias, gradient"),
    (ops.activation.Relu, scaled(None), "lenet", "the functions behind fc2, on the way back"),
    (ops.loss.NllLoss, scaled(None), "lenet", "loss, gradient by input"),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("operation", "change", "name", "place"), BROKEN)
def test_a_broken_backward_rule_is_found_and_its_layer_named(
    operation: Any, change: Any, name: str, place: str, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation, "backward", staticmethod(change(operation.backward)))
    found = run_lockstep(*model(name), pictures(1), dtype=dtype)
    assert not found.holds
    assert found.failure is not None
    assert str(found.failure.place) == place
    assert found.failure.step == 1
    # Nothing is carried along: whatever leaves the tolerance is the same quantity.
    quantities = {other.quantity for other, measured in found.places.items() if measured.problem}
    assert quantities == {found.failure.place.quantity}


def test_a_broken_forward_rule_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = ops.pool.MaxPool2d.forward

    def wrong(ctx: Any, x: Any, **parameters: Any) -> Any:
        y = right(ctx, x, **parameters)
        first = y[0] if isinstance(y, tuple) else y
        first.flat[7] += 1e-4
        return y

    monkeypatch.setattr(ops.pool.MaxPool2d, "forward", staticmethod(wrong))
    found = run_lockstep(*model("lenet"), pictures(1))
    assert str(found.failure and found.failure.place) == "pool, output"


def test_a_broken_running_mean_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = minitorch_cifar.nn.BatchNorm2d.forward

    def wrong(self: Any, x: Any) -> Any:
        y = right(self, x)
        self.running_mean += 1e-3
        return y

    monkeypatch.setattr(minitorch_cifar.nn.BatchNorm2d, "forward", wrong)
    found = run_lockstep(*model("bn"), pictures(1))
    assert str(found.failure and found.failure.place) == "bn1.running_mean, after the step"


@pytest.mark.parametrize("at_step", [1, 3])
def test_a_broken_optimizer_is_found(at_step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also late: what went right before is forgotten at the beginning of a step."""
    right = SGD.step
    taken = 0

    def wrong(self: Any, closure: Any = None) -> Any:
        nonlocal taken
        taken += 1
        right(self, closure)
        if taken == at_step:
            with minitorch_cifar.no_grad():
                self.param_groups[0]["params"][2].mul_(1.0001)

    monkeypatch.setattr(SGD, "step", wrong)
    found = run_lockstep(*model("lenet"), pictures(3), dtype="float64")
    assert found.failure is not None
    assert (str(found.failure.place), found.failure.step) == ("conv2.weight, after the step", at_step)


def test_a_missing_gradient_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = ops.linear.LinearRows.backward

    def wrong(ctx: Any, grad: Any) -> Any:
        return (None, *right(ctx, grad)[1:])

    monkeypatch.setattr(ops.linear.LinearRows, "backward", staticmethod(wrong))
    found = run_lockstep(*model("lenet"), pictures(1))
    assert found.failure is not None
    assert str(found.failure.place) == "fc1.bias, gradient"
    assert "minitorch_cifar has none" in found.failure.problem


@pytest.mark.parametrize(
    ("dtype", "message"), [("float32", "the mean loss"), ("float64", "the loss of step")]
)
def test_trainings_that_part_are_noticed_though_each_layer_is_right(
    dtype: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = runner.Runner.train_step

    def wrong(self: Any, *arguments: Any) -> float:
        return right(self, *arguments) + 0.01

    monkeypatch.setattr(runner.Runner, "train_step", wrong)
    found = run_lockstep(*model("lenet"), pictures(2), dtype=dtype)
    assert found.failure is None
    assert not found.holds
    assert message in str(found.free_problem)


def test_parameters_that_part_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = runner.Runner.state

    def wrong(self: Any) -> Any:
        state = right(self)
        if self.taps is None:
            state["fc1.bias"] = state["fc1.bias"] * (1 + 1e-8)
        return state

    monkeypatch.setattr(runner.Runner, "state", wrong)
    found = run_lockstep(*model("lenet"), pictures(2), dtype="float64")
    assert "after 2 steps fc1.bias differs by" in str(found.free_problem)


# Networks that cannot be compared


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda library: library.nn.Linear(5, 2), "PyTorch cannot train the network: RuntimeError:"),
        (
            lambda library: library.nn.Linear(3, 1),
            "PyTorch cannot train the network: IndexError: Target 1 is",
        ),
        (lambda library: 3, "minitorch_cifar cannot make the network: TypeError: it returned int"),
        (lambda library: library.nn.ReLU(), "empty parameter list"),
        (
            lambda library: library.nn.Linear(3, 2 if library is torch else 4),
            "the networks differ: weight is of shape (4, 3) in minitorch_cifar, of shape (2, 3) in PyTorch",
        ),
        (
            lambda library: library.nn.Linear(3, 2, bias=library is torch),
            "the networks differ: bias is missing in minitorch_cifar, of shape (2,) in PyTorch",
        ),
    ],
)
def test_networks_that_cannot_be_compared(make: Any, message: str) -> None:
    with pytest.raises(NetworkError) as raised:
        lockstep(make, pictures(1, (4, 3), 2))
    assert message in str(raised.value)


def test_only_two_dtypes() -> None:
    with pytest.raises(ValueError, match="float16"):
        lockstep(residual, pictures(1), dtype="float16")


# What a run leaves behind


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_left_changed(fails: bool) -> None:
    def state() -> list[Any]:
        return [
            minitorch_cifar.get_rng_state().numpy().tobytes(),
            torch.get_rng_state().numpy().tobytes(),
            str(minitorch_cifar.get_default_dtype()),
            str(torch.get_default_dtype()),
            torch.backends.cudnn.allow_tf32,
            torch.backends.cuda.matmul.allow_tf32,
            torch.get_num_threads(),
        ]

    before = state()
    shape = (4, 5) if fails else (4, 3)
    try:
        lockstep(lambda library: library.nn.Linear(3, 2), pictures(2, shape, 2), dtype="float64")
    except NetworkError:
        assert fails
    assert state() == before


def test_the_seed_decides() -> None:
    runs = [run_lockstep(*model("lenet"), pictures(1), seed=seed).losses for seed in (0, 0, 1)]
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_with_pytorch_on_a_gpu(dtype: str) -> None:
    if not torch.cuda.is_available():
        pytest.skip("PyTorch sees no GPU here")
    found = run_lockstep(*model("bn"), pictures(5), dtype=dtype, lr=0.01, device="cuda")
    assert found.holds, found.failure or found.free_problem
