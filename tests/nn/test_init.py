"""`nn.init` against PyTorch: the same seed gives the same weights and leaves the same state behind."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch_cifar as engine

EXACT = ("uniform_", "xavier_uniform_", "kaiming_uniform_", "constant_", "ones_", "zeros_", "eye_", "dirac_")
NORMAL = ("normal_", "xavier_normal_", "kaiming_normal_", "sparse_")
SHAPES = [(3, 5), (1, 1), (4, 16), (17, 9), (6, 3, 5, 5), (4, 2, 3), (2, 3, 2, 3, 2), (120, 400)]


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, tuple[int, ...], dict[str, Any]]:
    """A function of `nn.init`, the shape of a weight it accepts, and arguments."""
    name = draw(st.sampled_from(EXACT + NORMAL))
    accepted = {"eye_": (2,), "sparse_": (2,), "dirac_": (3, 4, 5)}.get(name, (2, 3, 4, 5))
    shape = draw(st.sampled_from([shape for shape in SHAPES if len(shape) in accepted]))
    arguments: dict[str, Any] = {}
    if name == "uniform_":
        arguments = draw(st.sampled_from([{}, {"a": -0.25, "b": 0.5}]))
    elif name == "normal_":
        arguments = draw(st.sampled_from([{}, {"mean": 1.0, "std": 0.1}]))
    elif name == "constant_":
        arguments = {"val": draw(st.floats(-10, 10))}
    elif name.startswith("xavier"):
        arguments = {"gain": draw(st.sampled_from([1.0, 5.0 / 3]))}
    elif name.startswith("kaiming"):
        arguments = {
            "a": draw(st.sampled_from([0, 0.2, 5**0.5])),
            "mode": draw(st.sampled_from(["fan_in", "fan_out"])),
            "nonlinearity": draw(st.sampled_from(["leaky_relu", "relu", "tanh", "selu", "conv2d"])),
        }
    elif name == "sparse_":
        arguments = {"sparsity": draw(st.sampled_from([0.0, 0.1, 0.9, 1.0])), "std": 0.5}
    elif name == "dirac_":
        arguments = {"groups": draw(st.sampled_from([g for g in (1, 2, 3) if shape[0] % g == 0]))}
    return name, shape, arguments


def ulps(ours: Any, theirs: Any, scale: float = 0.0) -> float:
    unit = np.spacing(np.maximum(np.abs(theirs), theirs.dtype.type(scale)))
    return float(np.max(np.abs(ours - theirs) / unit))


def agree_on_state() -> bool:
    return bytes(engine.get_rng_state().numpy()) == bytes(torch.get_rng_state().numpy())


def initialise(
    side: Any, name: str, shape: tuple[int, ...], dtype: str, layout: str, **arguments: Any
) -> Any:
    """The values after `init.name` on fresh memory of this shape and layout."""
    side.manual_seed(17)
    if layout == "transposed":
        weight = side.empty(*shape[::-1], dtype=getattr(side, dtype)).permute(*range(len(shape))[::-1])
    else:
        weight = side.empty(*shape, dtype=getattr(side, dtype))
    result = getattr(side.nn.init, name)(weight, **arguments)
    assert result is weight
    return result.numpy()


@given(calls(), st.sampled_from(["float32", "float64"]), st.sampled_from(["contiguous", "transposed"]))
def test_same_seed_same_weights(call: Any, dtype: str, layout: str) -> None:
    name, shape, arguments = call
    theirs = initialise(torch, name, shape, dtype, layout, **arguments)
    ours = initialise(engine, name, shape, dtype, layout, **arguments)
    assert ours.dtype == theirs.dtype
    if name in EXACT:
        np.testing.assert_array_equal(ours, theirs)
    else:
        assert ulps(ours, theirs, abs(arguments.get("mean", 0.0))) <= 2
    assert agree_on_state()


TRUNCATED = [
    *({}, {"std": 0.02}, {"std": 3.0}, {"a": 2.0, "b": 3.0}, {"a": -4.0, "b": -2.0, "std": 1.5}),
    {"mean": 0.5, "std": 2.0, "a": -0.1, "b": 0.1},
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("arguments", TRUNCATED)
def test_truncated_normals(dtype: str, arguments: dict[str, float]) -> None:
    for shape in ((7,), (40, 50)):
        theirs = initialise(torch, "trunc_normal_", shape, dtype, "contiguous", **arguments)
        ours = initialise(engine, "trunc_normal_", shape, dtype, "contiguous", **arguments)
        assert ulps(ours, theirs, abs(arguments.get("mean", 0.0))) <= 2
        assert agree_on_state()


@pytest.mark.parametrize("mean", [10.0, -10.0])
def test_truncation_far_from_the_mean_is_warned_about(mean: float) -> None:
    warned = []
    for side in (torch, engine):
        with pytest.warns(UserWarning, match=r"mean is more than 2 std from \[a, b\]") as caught:
            initialise(side, "trunc_normal_", (3, 3), "float32", "contiguous", mean=mean)
        warned.append([str(entry.message) for entry in caught])
    assert warned[0] == warned[1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(5, 5), (3, 8), (8, 3), (6, 2, 3, 3), (1, 4)])
def test_orthogonal_matrices(shape: tuple[int, ...], dtype: str) -> None:
    theirs = initialise(torch, "orthogonal_", shape, dtype, "contiguous", gain=1.5)
    ours = initialise(engine, "orthogonal_", shape, dtype, "contiguous", gain=1.5)
    assert agree_on_state()
    tolerance = 1e-5 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)
    matrix = ours.reshape(shape[0], -1) / 1.5
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, np.eye(len(product)), rtol=0, atol=tolerance)


@pytest.mark.parametrize("sparsity", [0.1, 0.5, 0.9])
def test_sparse_columns_with_a_generator_of_their_own(sparsity: float) -> None:
    results = []
    for side in (engine, torch):
        side.manual_seed(4)
        generator = side.Generator().manual_seed(5)
        results.append(side.nn.init.sparse_(side.empty(7, 9), sparsity, generator=generator).numpy())
    assert ulps(results[0], results[1]) <= 2
    assert agree_on_state()  # the zeros come from the default generator all the same


DRAWING = ["uniform_", "normal_", "trunc_normal_", "xavier_uniform_", "xavier_normal_", "kaiming_uniform_"]


@pytest.mark.parametrize("name", [*DRAWING, "kaiming_normal_", "orthogonal_"])
def test_a_generator_may_be_passed(name: str) -> None:
    engine.manual_seed(1)
    before = bytes(engine.get_rng_state().numpy())
    mine, theirs = engine.Generator().manual_seed(5), torch.Generator().manual_seed(5)
    ours = getattr(engine.nn.init, name)(engine.empty(20, 30), generator=mine)
    expected = getattr(torch.nn.init, name)(torch.empty(20, 30), generator=theirs)
    np.testing.assert_allclose(ours.numpy(), expected.numpy(), rtol=1e-6, atol=1e-5 if "ortho" in name else 0)
    assert bytes(engine.get_rng_state().numpy()) == before
    assert mine.state_bytes() == bytes(theirs.get_state().numpy())


ALL = {
    **{name: {} for name in (*EXACT, *NORMAL, "trunc_normal_", "orthogonal_")},
    "constant_": {"val": 0.3},
    "sparse_": {"sparsity": 0.2},
}


@pytest.mark.parametrize("name", ALL)
def test_a_leaf_changes_in_place_and_the_graph_notices(name: str) -> None:
    shape = (4, 2, 3) if name == "dirac_" else (4, 6)
    weight = engine.ones(*shape).requires_grad_()
    product = (weight * weight).sum()
    assert getattr(engine.nn.init, name)(weight, **ALL[name]) is weight
    assert weight.is_leaf
    assert weight.requires_grad
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        product.backward()


@pytest.mark.parametrize(
    "nonlinearity", ["linear", "conv1d", "conv_transpose3d", "sigmoid", "tanh", "relu", "selu"]
)
def test_gains(nonlinearity: str) -> None:
    ours, theirs = engine.nn.init.calculate_gain, torch.nn.init.calculate_gain
    assert ours(nonlinearity) == theirs(nonlinearity)
    assert ours("leaky_relu") == theirs("leaky_relu")
    for slope in (0, 1, 0.2, -3):
        assert ours("leaky_relu", slope) == theirs("leaky_relu", slope)


@pytest.mark.parametrize("shape", SHAPES)
def test_fans(shape: tuple[int, ...]) -> None:
    for name, rest in (
        ("_calculate_fan_in_and_fan_out", ()),
        *(("_calculate_correct_fan", (m,)) for m in ("fan_in", "FAN_OUT")),
    ):
        ours = getattr(engine.nn.init, name)(engine.empty(*shape), *rest)
        assert ours == getattr(torch.nn.init, name)(torch.empty(*shape), *rest)


BAD: list[tuple[str, tuple[int, ...], tuple[Any, ...]]] = [
    ("xavier_uniform_", (3,), ()),
    ("xavier_normal_", (), ()),
    ("kaiming_uniform_", (3,), ()),
    ("kaiming_normal_", (3, 4), (0, "fan_avg")),
    ("kaiming_uniform_", (3, 4), (0, "fan_in", "softplus")),
    ("kaiming_uniform_", (3, 4), ("a",)),
    ("kaiming_uniform_", (3, 4), (True,)),
    ("eye_", (3,), ()),
    ("eye_", (3, 3, 3), ()),
    ("dirac_", (3, 3), ()),
    ("dirac_", (3, 3, 3), (2,)),
    ("orthogonal_", (3,), ()),
    ("sparse_", (3,), (0.1,)),
    ("normal_", (3,), (0.0, -1.5)),
    ("uniform_", (3,), (1.0, 0.0)),
]


@pytest.mark.parametrize(("name", "shape", "arguments"), BAD)
def test_what_pytorch_refuses(name: str, shape: tuple[int, ...], arguments: tuple[Any, ...]) -> None:
    with pytest.raises((ValueError, RuntimeError)) as theirs:
        getattr(torch.nn.init, name)(torch.zeros(shape), *arguments)
    weight = engine.zeros(shape)
    with pytest.raises(theirs.type) as ours:
        getattr(engine.nn.init, name)(weight, *arguments)
    assert str(ours.value) == str(theirs.value)
    assert not weight.numpy().any()


@pytest.mark.parametrize("name", ["kaiming_uniform_", "kaiming_normal_"])
def test_empty_weights_are_left_alone_with_a_warning(name: str) -> None:
    engine.manual_seed(3)
    before = bytes(engine.get_rng_state().numpy())
    with pytest.warns(UserWarning, match="Initializing zero-element tensors is a no-op") as caught:
        getattr(engine.nn.init, name)(engine.empty(0, 3))
    assert caught[0].filename == __file__
    assert bytes(engine.get_rng_state().numpy()) == before
    assert engine.nn.init.orthogonal_(engine.empty(0, 3)).shape == (0, 3)


OLD = (
    "uniform",
    "normal",
    "xavier_uniform",
    "xavier_normal",
    "kaiming_uniform",
    "kaiming_normal",
    "orthogonal",
)


@pytest.mark.parametrize("name", OLD)
def test_old_names_warn_and_do_the_same(name: str) -> None:
    messages, results = [], []
    for side in (torch, engine):
        side.manual_seed(2)
        with pytest.warns(FutureWarning) as caught:
            results.append(getattr(side.nn.init, name)(side.empty(4, 5)).numpy())
        messages.append(str(caught[0].message))
        assert caught[0].filename == __file__
    assert messages[0] == messages[1]
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5, atol=1e-6)


def test_old_names_with_arguments() -> None:
    init = engine.nn.init
    with pytest.warns(FutureWarning, match="in favor of `nn.init.constant_`"):
        assert init.constant(engine.empty(2), 3.0).tolist() == [3.0, 3.0]
    with pytest.warns(FutureWarning, match="in favor of `nn.init.eye_`"):
        assert init.eye(engine.empty(2, 2)).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    with pytest.warns(FutureWarning, match="in favor of `nn.init.dirac_`"):
        assert init.dirac(engine.empty(1, 1, 3)).tolist() == [[[0.0, 1.0, 0.0]]]
    with pytest.warns(FutureWarning, match="in favor of `nn.init.sparse_`"):
        assert init.sparse(engine.empty(4, 2), 1.0).tolist() == [[0.0, 0.0]] * 4


def test_default_initialisation_of_layers() -> None:
    def weights(side: Any) -> list[Any]:
        side.manual_seed(0)
        layers = [side.nn.Conv2d(3, 6, 5), side.nn.Conv2d(4, 8, 3, groups=2), side.nn.Linear(7, 3)]
        layers.append(side.nn.BatchNorm2d(5))
        return [parameter.detach().numpy() for layer in layers for parameter in layer.parameters()]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for ours, theirs in zip(weights(engine), weights(torch), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert agree_on_state()
