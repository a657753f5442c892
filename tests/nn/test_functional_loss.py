"""Losses of numbers against PyTorch: values, gradients by input and target, graph, warnings and errors."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minitorch_cifar

from ..kernels.comparing import DTYPES, numbers
from .both import assert_same, assert_same_error
from .functional_comparison import LAYOUTS, compare

QUIET = [HealthCheck.function_scoped_fixture]
REDUCTIONS = ("mean", "sum", "none")
SHAPES = st.sampled_from([(), (1,), (4, 3), (2, 3, 4), (2, 1, 3, 2)])
FUNCTIONS = {
    "mse_loss": {},
    "l1_loss": {},
    "smooth_l1_loss": {"beta": 0.7},
    "smooth_l1_loss with beta 0": {"beta": 0.0},
    "huber_loss": {"delta": 1.3},
    "binary_cross_entropy": {},
    "binary_cross_entropy_with_logits": {},
    "kl_div": {},
    "kl_div of logarithms": {"log_target": True},
}


def named(function: str):
    return function.partition(" ")[0]


@pytest.mark.parametrize("function", FUNCTIONS)
@settings(max_examples=20, suppress_health_check=QUIET)
@given(
    shape=SHAPES,
    dtype=st.sampled_from(DTYPES),
    layout=st.sampled_from(LAYOUTS),
    reduction=st.sampled_from(REDUCTIONS),
    weighted=st.booleans(),
    data=st.data(),
)
def test_matches_torch(backend: str, function: str, shape, dtype, layout, reduction, weighted, data) -> None:
    x, y = (data.draw(numbers(shape, special=False)) for _ in range(2))
    name = named(function)
    if name == "binary_cross_entropy":
        x = np.clip(0.5 + x / 20, 0.01, 0.99)
    if name.startswith("binary") or function == "kl_div":
        y = np.clip(0.5 + y / 20, 0.01, 0.99)
    if name == "kl_div":
        x = -np.abs(x)
    settings_of_call = {**FUNCTIONS[function], "reduction": reduction}
    takes_weight = name in ("mse_loss", "l1_loss", "huber_loss") or name.startswith("binary")
    weight = np.abs(data.draw(numbers(shape, special=False))) if weighted and takes_weight else None
    positive = name.endswith("logits") and weighted

    def call(lib, x, y):
        arguments = dict(settings_of_call)
        kind = x.detach().numpy().dtype
        if weight is not None:
            arguments["weight"] = lib.from_numpy(np.asarray(weight, kind))
        if positive:
            arguments["pos_weight"] = lib.from_numpy(np.asarray(weight * 2, kind))
        return getattr(lib.nn.functional, name)(x, y, **arguments)

    scale = 10.0 * max(1, x.size) * max(1.0, 0 if weight is None else float(weight.max(initial=0)))
    # PyTorch divides the weighted losses by other nodes, and log_target uses its own.
    plain = weight is None and layout == "contiguous"
    compare(call, np.asarray(x), np.asarray(y), dtype=dtype, layout=layout, scale=scale, check_graph=plain)


def test_gradcheck(backend: str) -> None:
    generator = np.random.default_rng(3)
    x, y = (
        minitorch_cifar.from_numpy(generator.uniform(0.1, 0.9, size=(3, 2))).requires_grad_()
        for _ in range(2)
    )
    weight = minitorch_cifar.from_numpy(generator.uniform(0.1, 2.0, size=2))
    functional = minitorch_cifar.nn.functional
    for function in (
        lambda x, y: functional.mse_loss(x, y, reduction="none"),
        lambda x, y: functional.smooth_l1_loss(x, y, beta=0.3),
        lambda x, y: functional.huber_loss(x, y, delta=0.3, reduction="sum"),
        lambda x, y: functional.binary_cross_entropy(x, y, weight),
        lambda x, y: functional.binary_cross_entropy_with_logits(x, y, weight, pos_weight=weight),
        lambda x, y: functional.kl_div(x, y, reduction="batchmean"),
        lambda x, y: functional.kl_div(x, y, reduction="sum", log_target=True),
    ):
        assert minitorch_cifar.autograd.gradcheck(function, (x, y))


@pytest.mark.parametrize("function", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
@pytest.mark.parametrize("shapes", [((4, 3), (3,)), ((4, 1), (4, 3)), ((), (2,))])
def test_other_shapes_broadcast_with_a_warning(function: str, shapes) -> None:
    x, y = (np.random.default_rng(i).normal(size=shape) for i, shape in enumerate(shapes))
    x, y = np.asarray(x), np.asarray(y)
    compare(lambda lib, x, y: getattr(lib.nn.functional, function)(x, y), x, y, check_graph=False)
    seen = []
    for lib in (minitorch_cifar, torch):
        with warnings.catch_warnings(record=True) as records:
            warnings.simplefilter("always")
            getattr(lib.nn.functional, function)(lib.from_numpy(x), lib.from_numpy(y))
        seen.append([(record.category, str(record.message), record.filename) for record in records])
    assert seen[0] == seen[1]
    assert len(seen[0]) == 1


KINDS = ("float32", "float64", "int64", "uint8", "bool")


@pytest.mark.parametrize("weighted", [None, "float32", "float64"])
@pytest.mark.parametrize("function", [*FUNCTIONS, "nll_loss", "cross_entropy"])
def test_two_dtypes_meet_as_in_pytorch(function: str, weighted: str | None) -> None:
    """The result's dtype, its numbers, the gradients and the refusals, for each pair of dtypes."""
    name = named(function)
    takes = (
        {"weight"} if name in ("mse_loss", "l1_loss", "huber_loss", "nll_loss", "cross_entropy") else set()
    )
    takes |= {"weight", "pos_weight"} if name.endswith("logits") else set()
    takes |= {"weight"} if name == "binary_cross_entropy" else set()
    for kinds in itertools.product(KINDS, KINDS):
        for reduction, with_grad in itertools.product(REDUCTIONS, (False, True)):
            if name == "huber_loss" and with_grad and kinds[0] != kinds[1]:
                continue  # PyTorch computes it and then refuses its backward: "Found dtype Double but ..."

            def mixed(lib, kinds=kinds, reduction=reduction, with_grad=with_grad):
                numbers = ([0.25, 0.5, 0.75], [0.125, 0.5, 1.0])
                x, y = (
                    lib.tensor(values, dtype=getattr(lib, kind)).reshape(1, 3)
                    for values, kind in zip(numbers, kinds, strict=True)
                )
                for tensor in (x, y):
                    tensor.requires_grad_(with_grad and tensor.is_floating_point())
                arguments = {**FUNCTIONS.get(function, {}), "reduction": reduction}
                if weighted is not None:
                    weight = lib.tensor([0.5, 1.5, 2.0], dtype=getattr(lib, weighted))
                    broadcast = name in ("nll_loss", "cross_entropy")
                    arguments |= {key: weight if broadcast else weight.reshape(1, 3) for key in takes}
                target = y[0, :1] if name == "nll_loss" else y
                result = getattr(lib.nn.functional, name)(x, target, **arguments)
                if result.requires_grad:
                    result.backward(lib.full_like(result, 0.75))
                return [
                    (str(t.dtype), np.float32(t.detach().numpy()).round(5).tolist())
                    for t in (result, x.grad, y.grad)
                    if t is not None
                ]

            found = []
            for lib in (minitorch_cifar, torch):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    try:
                        found.append(mixed(lib))
                    except (RuntimeError, IndexError, TypeError, ValueError) as error:
                        found.append((type(error), str(error)))
            if isinstance(found[1], tuple):
                assert found[0] == found[1], (kinds, reduction)
                continue
            ours, theirs = (list(zip(*side, strict=True)) for side in found)
            assert ours[0] == theirs[0], (kinds, reduction)
            for ours_values, theirs_values in zip(ours[1], theirs[1], strict=True):
                np.testing.assert_allclose(ours_values, theirs_values, atol=3e-5)


def f(library):
    return library.nn.functional


NAN = float("nan")
EDGES = {
    "mse of nothing": lambda m: f(m).mse_loss(m.zeros(0, 3), m.zeros(0, 3)),
    "mse of nothing, sum": lambda m: f(m).mse_loss(m.zeros(0, 3), m.zeros(0, 3), reduction="sum"),
    "l1 of nothing": lambda m: f(m).l1_loss(m.zeros(0), m.zeros(0)),
    "bce of nothing": lambda m: f(m).binary_cross_entropy(m.zeros(0), m.zeros(0)),
    "bce of certainties": lambda m: f(m).binary_cross_entropy(
        m.tensor([0.0, 1.0, 0.0, 1.0]), m.tensor([0.0, 0.0, 1.0, 1.0]), reduction="none"
    ),
    "bce, weights of float64": lambda m: f(m).binary_cross_entropy(
        m.tensor([0.5]), m.tensor([1.0]), m.ones(1, dtype=m.float64)
    ),
    "logits of any size": lambda m: f(m).binary_cross_entropy_with_logits(
        m.tensor([1e4, -1e4, 1e4, -1e4, 0.0]), m.tensor([1.0, 0.0, 0.0, 1.0, 0.5]), reduction="none"
    ),
    "nan": lambda m: f(m).smooth_l1_loss(m.tensor([NAN, 1.0]), m.zeros(2), reduction="none"),
    "huber of inf": lambda m: f(m).huber_loss(m.tensor([float("inf"), 1e30]), m.zeros(2), reduction="none"),
    "kl of a target of 0": lambda m: f(m).kl_div(
        m.tensor([-1.0, -2.0]), m.tensor([0.0, 1.0]), reduction="none"
    ),
    "kl of a number by batch": lambda m: f(m).kl_div(m.tensor(-1.0), m.tensor(0.5), reduction="batchmean"),
    "kl broadcasts": lambda m: f(m).kl_div(-m.ones(2, 3), m.full((2, 1), 0.25), reduction="sum"),
    "older arguments": lambda m: f(m).mse_loss(m.ones(2), m.zeros(2), size_average=False),
    "oldest reduction": lambda m: f(m).mse_loss(m.ones(2), m.zeros(2), reduction="elementwise_mean"),
    "integer target": lambda m: f(m).mse_loss(m.ones(2), m.tensor([3, 4])),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("edge", EDGES)
def test_edges(backend: str, edge: str) -> None:
    assert_same(EDGES[edge])


@pytest.mark.parametrize("function", ["binary_cross_entropy", "binary_cross_entropy_with_logits"])
def test_gradients_at_certainties(backend: str, function: str) -> None:
    seen = []
    for lib in (minitorch_cifar, torch):
        x = lib.tensor([0.0, 1.0, 0.5, 1.0], requires_grad=True)
        y = lib.tensor([0.25, 0.25, 0.25, 1.0], requires_grad=True)
        getattr(lib.nn.functional, function)(x, y, reduction="sum").backward()
        seen.append((x.grad.numpy(), y.grad.numpy()))
    for ours, theirs in zip(*seen, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("function", ["l1_loss", "smooth_l1_loss", "huber_loss"])
def test_gradient_is_zero_where_input_equals_target(backend: str, function: str) -> None:
    x = minitorch_cifar.ones(3, requires_grad=True)
    getattr(minitorch_cifar.nn.functional, function)(x, minitorch_cifar.ones(3)).backward()
    assert x.grad.tolist() == [0, 0, 0]


ERRORS = {
    "no tensor": lambda m: f(m).mse_loss(m.ones(2), 1.0),
    "no tensor either": lambda m: f(m).l1_loss([1.0], m.ones(1)),
    "shapes": lambda m: f(m).mse_loss(m.ones(4, 3), m.ones(4, 2)),
    "integers": lambda m: f(m).mse_loss(m.tensor([1]), m.tensor([2])),
    "integers, smooth": lambda m: f(m).smooth_l1_loss(m.tensor([1]), m.tensor([2])),
    "integers, huber": lambda m: f(m).huber_loss(m.tensor([1]), m.tensor([2])),
    "beta": lambda m: f(m).smooth_l1_loss(m.ones(2), m.ones(2), beta=-1.0),
    "delta": lambda m: f(m).huber_loss(m.ones(2), m.ones(2), delta=0.0),
    "reduction": lambda m: f(m).mse_loss(m.ones(2), m.ones(2), reduction="foo"),
    "reduction of l1": lambda m: f(m).l1_loss(m.ones(2), m.ones(2), reduction="foo"),
    "reduction of kl": lambda m: f(m).kl_div(m.ones(2), m.ones(2), reduction="foo"),
    "weight of mse": lambda m: f(m).mse_loss(m.ones(2), m.ones(2), weight=m.ones(3)),
    "weight of huber": lambda m: f(m).huber_loss(m.ones(2), m.ones(2), weight=m.ones(3)),
    "bce shapes": lambda m: f(m).binary_cross_entropy(m.ones(4, 3), m.ones(4, 1)),
    "bce range": lambda m: f(m).binary_cross_entropy(m.tensor([1.5]), m.ones(1)),
    "bce range of the target": lambda m: f(m).binary_cross_entropy(m.ones(1), m.tensor([-0.5])),
    "bce nan": lambda m: f(m).binary_cross_entropy(m.tensor([NAN]), m.ones(1)),
    "bce dtypes": lambda m: f(m).binary_cross_entropy(m.ones(1), m.ones(1, dtype=m.float64)),
    "bce integer target": lambda m: f(m).binary_cross_entropy(m.ones(1), m.tensor([1])),
    "bce integers": lambda m: f(m).binary_cross_entropy(m.tensor([1]), m.tensor([1])),
    "bce weight": lambda m: f(m).binary_cross_entropy(m.ones(4, 3), m.ones(4, 3), m.ones(2, 4, 3)),
    "bce weight wants a gradient": lambda m: f(m).binary_cross_entropy(
        m.ones(2), m.ones(2), m.ones(2, requires_grad=True)
    ),
    "logits shapes": lambda m: f(m).binary_cross_entropy_with_logits(m.ones(4, 3), m.ones(4, 1)),
    "logits integer target": lambda m: f(m).binary_cross_entropy_with_logits(m.ones(1), m.tensor([1])),
    "logits integers": lambda m: f(m).binary_cross_entropy_with_logits(m.tensor([1]), m.tensor([1])),
    "logits pos_weight wants a gradient": lambda m: f(m).binary_cross_entropy_with_logits(
        m.ones(2), m.ones(2), pos_weight=m.ones(2, requires_grad=True)
    ),
    "kl integers": lambda m: f(m).kl_div(m.ones(2), m.tensor([1, 2]), reduction="sum"),
}


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("mistake", ERRORS)
def test_errors_are_pytorchs(mistake: str) -> None:
    assert_same_error(ERRORS[mistake])


def test_pos_weight_that_does_not_broadcast() -> None:
    for lib in (minitorch_cifar, torch):
        with pytest.raises(RuntimeError):
            f(lib).binary_cross_entropy_with_logits(lib.ones(4, 3), lib.ones(4, 3), pos_weight=lib.ones(4))


def test_mean_of_kl_div_warns() -> None:
    seen = []
    for lib in (minitorch_cifar, torch):
        with warnings.catch_warnings(record=True) as records:
            warnings.simplefilter("always")
            f(lib).kl_div(lib.zeros(2), lib.ones(2))
        seen.append([(record.category, str(record.message), record.filename) for record in records])
    assert seen[0] == seen[1]
    assert len(seen[0]) == 1
