"""`cross_entropy`, `nll_loss` and `one_hot` against PyTorch: values, gradients, graph, edges and errors."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minitorch_cifar

from ..kernels.comparing import DTYPES, numbers
from .both import assert_same, assert_same_error
from .functional_comparison import LAYOUTS, compare, run

QUIET = [HealthCheck.function_scoped_fixture]
REDUCTIONS = ("mean", "sum", "none")
# Shapes of the input; the classes are in dimension 1, or the only one.
SHAPES = ((4,), (1, 3), (5, 4), (3, 1), (2, 3, 4), (2, 3, 4, 5), (2, 3, 2, 2, 2))


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, dict]:
    """Scores, class numbers, perhaps weights, and the other arguments."""
    shape = draw(st.sampled_from(SHAPES))
    classes = shape[0] if len(shape) == 1 else shape[1]
    scores = draw(numbers(shape, special=False, scale=draw(st.sampled_from([1.0, 50.0]))))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    target_shape = () if len(shape) == 1 else (shape[0], *shape[2:])
    target = np.asarray(generator.integers(0, classes, size=target_shape))
    ignore_index = draw(st.sampled_from([-100, 0, 1]))
    if draw(st.booleans()):
        target = np.where(generator.random(target_shape) < 0.4, ignore_index, target)
    weight = np.abs(generator.normal(size=classes)) if draw(st.booleans()) else None
    arguments = {"ignore_index": ignore_index, "reduction": draw(st.sampled_from(REDUCTIONS))}
    return scores, np.asarray(target), weight, arguments


def with_weight(function: str, weight: np.ndarray | None, arguments: dict):
    """The call; the weight is no input, as no gradient goes to it."""

    def call(lib, x, target):
        factors = None
        if weight is not None:
            factors = lib.from_numpy(weight.astype(x.detach().numpy().dtype))
        return getattr(lib.nn.functional, function)(x, target, weight=factors, **arguments)

    return call


@pytest.mark.parametrize("function", ["cross_entropy", "nll_loss"])
@settings(max_examples=20, suppress_health_check=QUIET)
@given(problem=problems(), dtype=st.sampled_from(DTYPES), layout=st.sampled_from(LAYOUTS))
def test_class_numbers(backend: str, function: str, problem, dtype, layout: str) -> None:
    scores, target, weight, arguments = problem
    scale = max(1.0, np.abs(scores).max()) * max(1.0, 0 if weight is None else weight.max())
    call = with_weight(function, weight, arguments)
    # PyTorch copies other layouts by other nodes.
    compare(
        call,
        scores,
        target,
        dtype=dtype,
        layout=layout,
        scale=scale,
        check_graph=layout == "contiguous",
    )


@settings(max_examples=20, suppress_health_check=QUIET)
@given(
    problem=problems(),
    smoothing=st.sampled_from([0.1, 0.5, 1.0]),
    dtype=st.sampled_from(DTYPES),
    layout=st.sampled_from(LAYOUTS),
)
def test_label_smoothing(backend: str, problem, smoothing: float, dtype, layout: str) -> None:
    scores, target, weight, arguments = problem
    scale = scores.shape[min(scores.ndim, 2) - 1] * max(1.0, np.abs(scores).max())
    call = with_weight("cross_entropy", weight, {**arguments, "label_smoothing": smoothing})
    compare(call, scores, target, dtype=dtype, layout=layout, scale=scale, check_graph=False)


@settings(max_examples=20, suppress_health_check=QUIET)
@given(
    problem=problems(),
    smoothing=st.sampled_from([0.0, 0.3]),
    dtype=st.sampled_from(DTYPES),
    data=st.data(),
)
def test_probabilities(backend: str, problem, smoothing: float, dtype, data: st.DataObject) -> None:
    """The target has a gradient too."""
    scores, _, weight, arguments = problem
    target = np.abs(data.draw(numbers(scores.shape, special=False)))
    scale = scores.size * max(1.0, np.abs(scores).max()) * max(1.0, target.max())
    call = with_weight(
        "cross_entropy", weight, {"reduction": arguments["reduction"], "label_smoothing": smoothing}
    )
    compare(call, scores, target, dtype=dtype, scale=scale, check_graph=False)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_gradcheck(backend: str, reduction: str) -> None:
    generator = np.random.default_rng(2)
    target = minitorch_cifar.from_numpy(generator.integers(0, 4, size=(3, 2)))
    weight = minitorch_cifar.from_numpy(np.abs(generator.normal(size=4)))
    scores = minitorch_cifar.from_numpy(generator.normal(size=(3, 4, 2))).requires_grad_()

    def function(x):
        return minitorch_cifar.nn.functional.cross_entropy(
            x, target, weight, reduction=reduction, ignore_index=1, label_smoothing=0.2
        )

    assert minitorch_cifar.autograd.gradcheck(function, (scores,))


def test_graph_is_that_of_pytorch() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3))
    loss = run(
        minitorch_cifar,
        lambda lib, x: lib.nn.functional.cross_entropy(x, lib.tensor([0, 2])),
        [x],
        0,
        "contiguous",
    )
    assert loss[2] == ("NllLossBackward0", ("LogSoftmaxBackward0", ("AccumulateGrad",)))


def scores(lib, *shape):
    return lib.from_numpy(np.random.default_rng(5).normal(size=shape).astype(np.float32))


def cross_entropy(lib, *arguments, **named):
    return lib.nn.functional.cross_entropy(*arguments, **named)


def nll_loss(lib, *arguments, **named):
    return lib.nn.functional.nll_loss(*arguments, **named)


EDGES = {
    "all ignored": lambda m: cross_entropy(m, scores(m, 3, 4), m.tensor([-100] * 3)),
    "all ignored, sum": lambda m: cross_entropy(m, scores(m, 3, 4), m.tensor([-100] * 3), reduction="sum"),
    "all ignored, smooth": lambda m: cross_entropy(
        m, scores(m, 3, 4), m.tensor([-100] * 3), label_smoothing=0.1
    ),
    "all ignored, smooth, weights": lambda m: cross_entropy(
        m, scores(m, 3, 4), m.tensor([-100] * 3), m.ones(4), label_smoothing=0.1
    ),
    "empty batch": lambda m: cross_entropy(m, scores(m, 0, 4), m.tensor([], dtype=m.int64)),
    "empty batch, sum": lambda m: cross_entropy(
        m, scores(m, 0, 4), m.tensor([], dtype=m.int64), reduction="sum"
    ),
    "empty batch, none": lambda m: cross_entropy(
        m, scores(m, 0, 4), m.tensor([], dtype=m.int64), reduction="none"
    ),
    "empty pictures": lambda m: nll_loss(m, scores(m, 0, 3, 2, 2), m.zeros(0, 2, 2, dtype=m.int64)),
    "empty probabilities": lambda m: cross_entropy(m, scores(m, 0, 4), scores(m, 0, 4)),
    "logits of 1e4": lambda m: cross_entropy(m, m.tensor([[1e4, 0.0, -1e4]]), m.tensor([1])),
    "-inf elsewhere": lambda m: cross_entropy(m, m.tensor([[0.0, float("-inf")]]), m.tensor([0])),
    "-inf at the target": lambda m: cross_entropy(m, m.tensor([[0.0, float("-inf")]]), m.tensor([1])),
    "inf": lambda m: cross_entropy(m, m.tensor([[0.0, float("inf")]]), m.tensor([0])),
    "weights of 0": lambda m: nll_loss(m, scores(m, 2, 3), m.tensor([0, 1]), m.zeros(3)),
    "bytes": lambda m: cross_entropy(m, scores(m, 2, 3), m.tensor([0, 2], dtype=m.uint8)),
    "one row, target of one element": lambda m: nll_loss(m, scores(m, 3), m.tensor([1]), reduction="none"),
    "older arguments": lambda m: cross_entropy(m, scores(m, 2, 3), m.tensor([0, 1]), size_average=False),
    "older arguments, none": lambda m: nll_loss(m, scores(m, 2, 3), m.tensor([0, 1]), reduce=False),
    "negative smoothing is none": lambda m: cross_entropy(
        m, scores(m, 2, 3), m.tensor([0, 1]), label_smoothing=-1.0
    ),
    "one_hot": lambda m: m.nn.functional.one_hot(m.tensor([[0, 2], [1, 0]])),
    "one_hot with room": lambda m: m.nn.functional.one_hot(m.tensor([0, 2]), 5),
    "one_hot of a number": lambda m: m.nn.functional.one_hot(m.tensor(2)),
    "one_hot of nothing": lambda m: m.nn.functional.one_hot(m.zeros(0, 2, dtype=m.int64), 3),
}


@pytest.mark.filterwarnings("ignore:size_average and reduce")
@pytest.mark.parametrize("edge", EDGES)
def test_edges(backend: str, edge: str) -> None:
    assert_same(EDGES[edge])


def test_logits_of_ten_thousand_lose_nothing() -> None:
    loss = cross_entropy(minitorch_cifar, minitorch_cifar.tensor([[1e4, 0.0]]), minitorch_cifar.tensor([1]))
    assert loss.item() == 10000


def test_gradient_of_ignored_rows_is_zero_even_when_the_loss_is_nan(backend: str) -> None:
    x = minitorch_cifar.ones(2, 3, requires_grad=True)
    loss = cross_entropy(minitorch_cifar, x, minitorch_cifar.tensor([-100, -100]))
    loss.backward()
    assert np.isnan(loss.item())
    assert x.grad.tolist() == [[0, 0, 0], [0, 0, 0]]


ERRORS = {
    "class too large": lambda m: cross_entropy(m, scores(m, 4, 3), m.tensor([0, 1, 3, 0])),
    "negative class": lambda m: cross_entropy(m, scores(m, 4, 3), m.tensor([0, 1, -1, 0])),
    "class too large, smooth": lambda m: cross_entropy(
        m, scores(m, 2, 3), m.tensor([0, 5]), label_smoothing=0.1
    ),
    "class too large, 3-D": lambda m: cross_entropy(m, scores(m, 2, 3, 4), m.full((2, 4), 5)),
    "class too large, 4-D": lambda m: nll_loss(m, scores(m, 1, 3, 2, 2), m.full((1, 2, 2), 3)),
    "class too large, one row": lambda m: cross_entropy(m, scores(m, 3), m.tensor(7)),
    "no classes": lambda m: nll_loss(m, scores(m, 2, 0), m.zeros(2, dtype=m.int64)),
    "float labels": lambda m: cross_entropy(m, scores(m, 2, 3), m.tensor([0.0, 1.0])),
    "int32 labels": lambda m: cross_entropy(m, scores(m, 2, 3), m.tensor([0, 1], dtype=m.int32)),
    "bool labels": lambda m: cross_entropy(m, scores(m, 2, 3), m.tensor([True, False])),
    "bytes for pictures": lambda m: nll_loss(m, scores(m, 1, 3, 2, 2), m.zeros(1, 2, 2, dtype=m.uint8)),
    "float labels and weights": lambda m: nll_loss(m, scores(m, 2, 3), m.tensor([0.0, 1.0]), m.ones(4)),
    "fewer labels": lambda m: cross_entropy(m, scores(m, 4, 3), m.tensor([0, 1, 2])),
    "labels of two dimensions": lambda m: cross_entropy(m, scores(m, 2, 3), m.tensor([[0], [1]])),
    "3-D sizes": lambda m: cross_entropy(m, scores(m, 2, 3, 4), m.zeros(2, 5, dtype=m.int64)),
    "3-D without positions": lambda m: nll_loss(m, scores(m, 2, 3, 4), m.zeros(2, dtype=m.int64)),
    "4-D sizes": lambda m: cross_entropy(m, scores(m, 2, 3, 4, 4), m.zeros(2, 4, 5, dtype=m.int64)),
    "4-D dimensions": lambda m: cross_entropy(m, scores(m, 2, 3, 4, 4), m.zeros(2, 4, dtype=m.int64)),
    "5-D sizes": lambda m: cross_entropy(m, scores(m, 2, 3, 2, 2, 2), m.zeros(2, 2, 2, 3, dtype=m.int64)),
    "one row, two labels": lambda m: nll_loss(m, scores(m, 3), m.tensor([0, 1])),
    "no dimensions": lambda m: nll_loss(m, m.tensor(1.0), m.tensor(0)),
    "no dimensions, class numbers": lambda m: cross_entropy(m, m.tensor(1.0), m.tensor(0)),
    "no dimensions, probabilities": lambda m: cross_entropy(m, m.tensor(1.0), m.tensor(0.5)),
    "weights of wrong length": lambda m: cross_entropy(m, scores(m, 2, 3), m.tensor([0, 1]), m.ones(4)),
    "weights of two dimensions": lambda m: cross_entropy(m, scores(m, 2, 3), m.tensor([0, 1]), m.ones(3, 1)),
    "float64 weights": lambda m: cross_entropy(
        m, scores(m, 2, 3), m.tensor([0, 1]), m.ones(3, dtype=m.float64)
    ),
    "weights that want a gradient": lambda m: nll_loss(
        m, scores(m, 2, 3), m.tensor([0, 1]), m.ones(3, requires_grad=True)
    ),
    "weights for probabilities": lambda m: cross_entropy(m, scores(m, 2, 3), scores(m, 2, 3), m.ones(4)),
    "unknown reduction": lambda m: cross_entropy(m, scores(m, 2, 3), m.tensor([0, 1]), reduction="foo"),
    "too smooth": lambda m: cross_entropy(m, scores(m, 2, 3), m.tensor([0, 1]), label_smoothing=1.5),
    "too smooth, probabilities": lambda m: cross_entropy(
        m, scores(m, 2, 3), scores(m, 2, 3), label_smoothing=2.0
    ),
    "integer probabilities": lambda m: cross_entropy(m, scores(m, 2, 3), m.ones(2, 3, dtype=m.int64)),
    "probabilities and ignore_index": lambda m: cross_entropy(
        m, scores(m, 2, 3), scores(m, 2, 3), ignore_index=1
    ),
    "integer scores": lambda m: cross_entropy(m, m.ones(2, 3, dtype=m.int64), m.tensor([0, 1])),
    "integer log-probabilities": lambda m: nll_loss(m, m.ones(2, 3, dtype=m.int64), m.tensor([0, 1])),
    "one_hot of negative numbers": lambda m: m.nn.functional.one_hot(m.tensor([-1, 2])),
    "one_hot without room": lambda m: m.nn.functional.one_hot(m.tensor([0, 2]), 2),
    "one_hot of floats": lambda m: m.nn.functional.one_hot(m.tensor([0.0, 2.0])),
    "one_hot of nothing": lambda m: m.nn.functional.one_hot(m.zeros(0, dtype=m.int64)),
    "one_hot of -2 classes": lambda m: m.nn.functional.one_hot(m.tensor([0, 2]), -2),
}


@pytest.mark.parametrize("mistake", ERRORS)
def test_errors_are_pytorchs(mistake: str) -> None:
    assert_same_error(ERRORS[mistake])


@pytest.mark.parametrize(
    "call",
    [
        lambda m: cross_entropy(m, [1.0], m.tensor([0])),
        lambda m: cross_entropy(m, scores(m, 2, 3), [0, 1]),
        lambda m: nll_loss(m, scores(m, 2, 3), m.tensor([0, 1]), weight=[1.0, 1.0, 1.0]),
        lambda m: cross_entropy(m, scores(m, 2, 3), m.tensor([0, 1]), ignore_index=1.5),
        lambda m: cross_entropy(m, scores(m, 2, 3), m.tensor([0, 1]), label_smoothing="a"),
    ],
)
def test_arguments_of_the_wrong_type(call) -> None:
    for lib in (minitorch_cifar, torch):
        with pytest.raises(TypeError):
            call(lib)


@pytest.mark.parametrize("older", [{"size_average": True}, {"size_average": False}, {"reduce": False}])
def test_older_arguments_warn_where_they_are_used(older: dict) -> None:
    with warnings.catch_warnings(record=True) as records:
        warnings.simplefilter("always")
        nll_loss(minitorch_cifar, scores(minitorch_cifar, 2, 3), minitorch_cifar.tensor([0, 1]), **older)
    assert [record.category for record in records] == [UserWarning]
    assert records[0].filename == __file__
