"""The layers and losses: printed forms, state, initial values, mistakes, and mathematics in both modes, as
PyTorch's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch_cifar as mt
from minitorch_cifar import nn

from .both import assert_close, assert_same, copy_state, outcome, to_engine

CONSTRUCTORS = """
Conv2d(3, 4, 3)
Conv2d(3, 4, (3, 5), 2, 1, 2, 1, False)
Conv2d(4, 4, 3, groups=2, padding='same')
Conv2d(4, 8, [3, 3], padding='valid', stride=(2, 1))
Conv2d(in_channels=1, out_channels=2, kernel_size=1, dtype=t.float64)
MaxPool2d(2)
MaxPool2d(2, 2)
MaxPool2d((3, 2), stride=(2, 1), padding=1, dilation=2, ceil_mode=True)
MaxPool2d(2, return_indices=True)
AvgPool2d(2)
AvgPool2d((3, 2), 2, 1, True, False, 3)
AdaptiveAvgPool2d((5, 1))
AdaptiveAvgPool2d((None, 7))
AdaptiveAvgPool2d(1)
Linear(2, 3)
Linear(2, 3, False)
Linear(2, 3, dtype=t.float64)
Linear(0, 3)
Flatten()
Flatten(0)
Flatten(2, 3)
Unflatten(1, (2, 3))
Unflatten(1, [2, 3])
Unflatten(1, t.Size([2]))
Identity()
Identity(3, a=4)
ReLU()
ReLU(True)
ReLU(inplace=False)
LeakyReLU()
LeakyReLU(0.2, True)
ELU()
ELU(2, True)
GELU()
GELU('tanh')
SiLU()
SiLU(True)
Softplus()
Softplus(2, 3)
Sigmoid()
Tanh()
Softmax()
Softmax(1)
LogSoftmax(dim=1)
BatchNorm2d(3)
BatchNorm1d(3, eps=1e-3, momentum=None, affine=False, track_running_stats=False)
BatchNorm2d(3, affine=False)
BatchNorm2d(3, track_running_stats=False)
BatchNorm2d(3, dtype=t.float64)
Dropout()
Dropout(0.2, True)
Dropout(1)
Dropout2d(0.3)
L1Loss()
MSELoss(reduction='sum')
SmoothL1Loss(beta=2)
HuberLoss(delta=2)
CrossEntropyLoss()
CrossEntropyLoss(weight=t.ones(3), label_smoothing=0.1)
NLLLoss(weight=t.ones(2))
BCELoss()
BCEWithLogitsLoss(pos_weight=t.ones(2))
""".strip().splitlines()

WRONG_CONSTRUCTORS = """
Conv2d(3, 4, 3, groups=2)
Conv2d(4, 3, 3, groups=2)
Conv2d(4, 4, 3, groups=0)
Conv2d(4, 4, 3, padding='same', stride=2)
Conv2d(4, 4)
Conv2d(4, 4, 3, dtype=t.int64)
Conv2d(-4, 4, 1)
Linear(2)
Linear(-1, 3)
Unflatten(1, 3)
Unflatten(1, (2.0,))
Sigmoid(True)
BatchNorm2d(-1)
Dropout(1.5)
Dropout(-0.1)
CrossEntropyLoss(weight=3)
""".strip().splitlines()


def built(source: str, t: Any) -> Any:
    """The layer that a line of source text makes."""
    return eval("t.nn." + source, {"t": t})


def described(layer: Any) -> Any:
    """The layer's printed form, and its state by name, shape and dtype."""
    state = [(name, tuple(v.shape), v.dtype) for name, v in layer.state_dict().items()]
    return layer, state, [(name, p.requires_grad) for name, p in layer.named_parameters()]


@pytest.mark.parametrize("source", CONSTRUCTORS)
def test_a_layer_prints_and_stores_what_pytorchs_does(source: str) -> None:
    assert_same(lambda t: described(built(source, t)))


@pytest.mark.parametrize("source", WRONG_CONSTRUCTORS)
def test_wrong_arguments_raise_what_pytorch_raises(source: str) -> None:
    expected = outcome(lambda t: built(source, t), torch)
    assert ": " in expected.partition("\n")[0]
    assert outcome(lambda t: built(source, t), mt) == expected


@pytest.mark.parametrize(
    "source", ["Conv2d(4, 4, 3, padding='wide')", "Conv2d(4, 4, 3, padding_mode='mirror')"]
)
def test_unknown_paddings_are_value_errors_that_list_the_known_ones(source: str) -> None:
    with pytest.raises(ValueError, match="one of"):  # PyTorch prints its list in the random order of a set
        built(source, mt)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("kernel", ["2", "(4, 3)", "3"])
def test_same_padding_of_even_kernels_puts_the_odd_pixel_at_the_end(mode: str, kernel: str) -> None:
    source = f"Conv2d(2, 3, {kernel}, padding='same', padding_mode='{mode}', dilation=(1, 2))"
    theirs, ours = built(source, torch), built(source, mt)
    ours.load_state_dict({k: mt.from_numpy(v.numpy()) for k, v in theirs.state_dict().items()})
    x = np.random.default_rng(0).normal(size=(2, 2, 6, 7)).astype(np.float32)
    found, expected = ours(mt.from_numpy(x)), theirs(torch.from_numpy(x))
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-4, atol=1e-5)


def test_a_conv2d_prints_its_padding_mode() -> None:
    source = "Conv2d(1, 1, 3, padding=(1, 2), padding_mode='reflect')"
    assert repr(built(source, mt)) == repr(built(source, torch))
    assert "padding_mode=reflect" in repr(built(source, mt))


@pytest.mark.parametrize(
    "source",
    [
        "Conv2d(3, 6, 5)",
        "Conv2d(4, 6, (3, 2), groups=2, dtype=t.float64)",
        "Conv2d(3, 6, 5, bias=False)",
        "Linear(400, 120)",
        "Linear(7, 3, bias=False, dtype=t.float64)",
        "Sequential(t.nn.Conv2d(3, 6, 5), t.nn.BatchNorm2d(6), t.nn.Linear(84, 10))",
    ],
)
def test_the_same_seed_gives_pytorchs_initial_values(source: str) -> None:
    torch.manual_seed(5)
    theirs = built(source, torch)
    mt.manual_seed(5)
    ours = built(source, mt)
    for (name, p), q in zip(theirs.named_parameters(), ours.parameters(), strict=True):
        np.testing.assert_array_equal(q.detach().numpy(), p.detach().numpy(), err_msg=name)


def check_layer(source: str, *inputs: torch.Tensor, train: bool = True, steps: int = 1) -> None:
    """Forward, gradients by inputs and parameters, and buffers agree with PyTorch in float64."""
    theirs = built(source, torch).double().train(train)
    ours = built(source, mt).double().train(train)
    copy_state(theirs, ours)
    ins = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
    our_ins = [to_engine(x).requires_grad_(x.requires_grad) for x in ins]
    for _ in range(steps):
        out, our_out = theirs(*ins), ours(*our_ins)
        assert_close(our_out, out, "output")
        upstream = torch.randn_like(out)
        if out.requires_grad:
            out.backward(upstream)
            our_out.backward(to_engine(upstream))
        else:
            assert not our_out.requires_grad
    for i, (x, ours_x) in enumerate(zip(ins, our_ins, strict=True)):
        if x.grad is not None:
            assert_close(ours_x.grad, x.grad, f"gradient by input {i}")
    for (name, p), q in zip(theirs.named_parameters(), ours.parameters(), strict=True):
        assert p.grad is not None
        assert_close(q.grad, p.grad, f"gradient by {name}")
    for (name, b), c in zip(theirs.named_buffers(), ours.buffers(), strict=True):
        assert_close(c, b, name)


def picture(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


ON_PICTURES = """
Conv2d(4, 6, 3)
Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2)
Conv2d(4, 4, 3, padding='same', bias=False)
Conv2d(4, 4, 3, padding='valid')
MaxPool2d(2)
MaxPool2d(3, stride=2, padding=1, ceil_mode=True)
MaxPool2d((2, 3), stride=1, dilation=(2, 1))
AvgPool2d(2)
AvgPool2d((3, 2), 2, 1, True, False)
AvgPool2d(2, divisor_override=3)
AdaptiveAvgPool2d((5, 1))
AdaptiveAvgPool2d((None, 3))
AdaptiveAvgPool2d(1)
Flatten()
Flatten(0, 1)
Unflatten(1, (2, 2))
Identity()
ReLU()
LeakyReLU(0.2)
ELU(1.5)
GELU()
GELU('tanh')
SiLU()
Softplus(2, 3)
Sigmoid()
Tanh()
Softmax(1)
LogSoftmax(dim=-1)
BatchNorm2d(4)
BatchNorm2d(4, momentum=None)
BatchNorm2d(4, momentum=0.3, eps=0.1)
BatchNorm2d(4, affine=False)
BatchNorm2d(4, bias=False)
BatchNorm2d(4, track_running_stats=False)
Linear(6, 5)
Linear(6, 5, bias=False)
Dropout(0.0)
Dropout2d(0.0)
""".strip().splitlines()


@pytest.mark.parametrize("train", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("source", ON_PICTURES)
def test_a_layer_computes_what_pytorchs_does(source: str, train: bool) -> None:
    torch.manual_seed(1)
    check_layer(source, picture(3, 4, 7, 6), train=train, steps=3)


@given(
    channels=st.sampled_from([1, 2, 4]),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    batch=st.integers(1, 3),
)
def test_convolutions_of_all_kinds(
    channels: int, kernel: tuple[int, int], stride: int, padding: int, batch: int
) -> None:
    source = (
        f"Conv2d({channels}, {2 * channels}, {kernel}, stride={stride}, padding={padding}, groups={channels})"
    )
    check_layer(source, picture(batch, channels, 5, 4, seed=kernel[0]))


@pytest.mark.parametrize("shape", [(5, 4), (3, 4, 6)])
@pytest.mark.parametrize("train", [True, False], ids=["train", "eval"])
def test_batch_norm_of_vectors_and_sequences(shape: tuple[int, ...], train: bool) -> None:
    torch.manual_seed(1)
    check_layer("BatchNorm1d(4)", picture(*shape), train=train, steps=2)


def test_a_batch_norm_told_to_stop_tracking_keeps_its_statistics() -> None:
    def scenario(t: Any) -> Any:
        layer = t.nn.BatchNorm1d(2)
        layer.track_running_stats = False
        layer(t.tensor([[1.0, 2.0], [3.0, 5.0]]))
        return layer.running_mean, layer.running_var, layer.num_batches_tracked

    assert_same(scenario)


LOSSES = {
    "L1Loss": ["", "reduction='sum'", "reduction='none'", "size_average=False"],
    "MSELoss": ["", "reduction='sum'", "reduction='none'", "reduce=False"],
    "SmoothL1Loss": ["", "beta=0.5", "reduction='sum'", "beta=0"],
    "HuberLoss": ["", "delta=0.5", "reduction='none'"],
}


@pytest.mark.filterwarnings("ignore:size_average and reduce")
@pytest.mark.parametrize(("name", "arguments"), [(n, a) for n, many in LOSSES.items() for a in many])
def test_regression_losses(name: str, arguments: str) -> None:
    check_layer(f"{name}({arguments})", picture(4, 3), picture(4, 3, seed=1))


@pytest.mark.parametrize("arguments", ["", "reduction='sum'", "weight=t.rand(3, dtype=t.float64) + 0.1"])
def test_binary_losses(arguments: str) -> None:
    mt.manual_seed(2)
    torch.manual_seed(2)
    target = picture(4, 3, seed=1).sigmoid()
    check_layer(f"BCELoss({arguments})", picture(4, 3).sigmoid(), target)
    check_layer(f"BCEWithLogitsLoss({arguments})", picture(4, 3), target)


def test_binary_loss_with_weighted_positives() -> None:
    check_layer(
        "BCEWithLogitsLoss(pos_weight=t.tensor([0.5, 2.0, 3.0]))",
        picture(4, 3),
        picture(4, 3, seed=1).sigmoid(),
    )


CLASSIFYING = [
    "",
    "reduction='sum'",
    "reduction='none'",
    "weight=t.tensor([0.5, 1.0, 2.0])",
    "ignore_index=1",
    "label_smoothing=0.2",
    "weight=t.tensor([0.5, 1.0, 2.0]), ignore_index=0, label_smoothing=0.1",
]


@pytest.mark.parametrize("arguments", CLASSIFYING)
@pytest.mark.parametrize("shape", [(5, 3), (3,), (2, 3, 4)])
def test_cross_entropy(arguments: str, shape: tuple[int, ...]) -> None:
    labels = torch.randint(
        0, 3, shape[:1] + shape[2:] if len(shape) > 1 else (), generator=torch.Generator().manual_seed(4)
    )
    check_layer(f"CrossEntropyLoss({arguments})", picture(*shape), labels)
    if "smoothing" not in arguments:
        check_layer(f"NLLLoss({arguments})", picture(*shape).log_softmax(1 if len(shape) > 1 else 0), labels)


def test_cross_entropy_of_probabilities() -> None:
    target = picture(5, 3, seed=1).softmax(1)
    for arguments in ("", "label_smoothing=0.2", "weight=t.tensor([0.5, 1.0, 2.0])"):
        check_layer(f"CrossEntropyLoss({arguments})", picture(5, 3), target)


def test_older_spellings_of_the_reduction_warn() -> None:
    for arguments, meant in (
        ({"size_average": False}, "sum"),
        ({"reduce": False}, "none"),
        ({"reduce": True}, "mean"),
    ):
        with pytest.warns(UserWarning, match=f"reduction='{meant}'"):
            assert nn.MSELoss(**arguments).reduction == meant


CALLS = {
    "bn of vectors": lambda t: t.nn.BatchNorm2d(3)(t.ones(2, 3)),
    "bn1d of pictures": lambda t: t.nn.BatchNorm1d(3)(t.ones(2, 3, 4, 4)),
    "bn of one value": lambda t: t.nn.BatchNorm2d(3)(t.ones(1, 3, 1, 1)),
    "bn of other channels": lambda t: t.nn.BatchNorm2d(3)(t.ones(2, 4, 2, 2)),
    "conv of a matrix": lambda t: t.nn.Conv2d(3, 4, 3)(t.ones(3, 2)),
    "conv of other channels": lambda t: t.nn.Conv2d(3, 4, 3)(t.ones(1, 4, 5, 6)),
    "conv of a small picture": lambda t: t.nn.Conv2d(3, 4, 3)(t.ones(1, 3, 2, 2)),
    "linear of a number": lambda t: t.nn.Linear(3, 4)(3),
    "linear of other width": lambda t: t.nn.Linear(3, 4)(t.ones(2, 5)),
    "flatten of a vector": lambda t: t.nn.Flatten()(t.ones(3)),
    "pool padded too far": lambda t: t.nn.MaxPool2d(2, padding=2)(t.ones(1, 1, 4, 4)),
    "label too large": lambda t: t.nn.CrossEntropyLoss()(t.ones(1, 3), t.tensor([3])),
    "label negative": lambda t: t.nn.CrossEntropyLoss()(t.ones(1, 3), t.tensor([-1])),
    "unknown reduction": lambda t: t.nn.CrossEntropyLoss(reduction="most")(t.ones(1, 3), t.tensor([0])),
    "other batch": lambda t: t.nn.CrossEntropyLoss()(t.ones(2, 3), t.tensor([0])),
}


@pytest.mark.parametrize("call", CALLS)
def test_what_does_not_fit_raises_what_pytorch_raises(call: str) -> None:
    expected = outcome(CALLS[call], torch)
    kind = expected.partition(":")[0]
    assert kind.endswith("Error")
    actual = outcome(CALLS[call], mt)
    assert actual.partition(":")[0] == kind, actual
    assert len(actual) > len(kind) + 10, "the message says nothing"


@pytest.mark.parametrize(
    "source",
    ["ReLU(inplace=True)", "LeakyReLU(0.1, inplace=True)", "ELU(inplace=True)", "SiLU(inplace=True)"],
)
def test_inplace_layers_overwrite_their_input(source: str) -> None:
    x = picture(2, 3)
    ours = to_engine(x)
    result = built(source, mt)(ours)
    assert result is ours
    assert_close(ours, built(source, torch)(x.clone()), source)


@pytest.mark.parametrize(
    ("layer", "shape"), [(nn.Dropout(0.3), (200, 50)), (nn.Dropout2d(0.3), (200, 50, 2, 2))]
)
def test_dropout_drops_in_training_only(layer: Any, shape: tuple[int, ...]) -> None:
    mt.manual_seed(0)
    x = mt.ones(*shape, requires_grad=True)
    out = layer.train()(x)
    values = out.detach().numpy()
    assert set(np.unique(values)) == {np.float32(0), np.float32(1 / 0.7)}
    kept = values.reshape(200 * 50, -1)
    assert np.all(kept == kept[:, :1])  # whole channels
    spread = 4 * math.sqrt(0.3 * 0.7 / len(kept))
    assert abs((kept[:, 0] > 0).mean() - 0.7) < spread
    upstream = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    out.backward(mt.from_numpy(upstream))
    np.testing.assert_allclose(x.grad.numpy(), upstream * values, rtol=1e-6)  # the same mask
    assert layer.eval()(x) is x or np.array_equal(layer.eval()(x).detach().numpy(), x.detach().numpy())


def test_dropout_draws_pytorchs_masks() -> None:
    assert_same(lambda t: t.nn.Dropout(0.4)(t.ones(3, 7)))


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.5, float("inf")])
@pytest.mark.parametrize("max_norm", [0.5, 1e6])
def test_clipping_by_norm(norm_type: float, max_norm: float) -> None:
    def clipped(t: Any) -> Any:
        weights = [
            t.zeros(3, requires_grad=True),
            t.zeros(2, 2, requires_grad=True),
            t.zeros(1, requires_grad=True),
        ]
        weights[0].grad = t.tensor([0.5, -3.0, 1.0])
        weights[1].grad = t.tensor([[0.1, 2.0], [0.0, -1.0]])
        total = t.nn.utils.clip_grad_norm_(weights, max_norm, norm_type)
        return total, [w.grad for w in weights]

    assert_same(clipped)


def test_other_helpers_for_parameters() -> None:
    def scenario(t: Any) -> Any:
        weight = t.tensor([1.0, 2.0], requires_grad=True)
        weight.grad = t.tensor([0.5, -3.0])
        t.nn.utils.clip_grad_value_(weight, 1.0)
        layer = t.nn.Linear(2, 1)
        vector = t.nn.utils.parameters_to_vector(layer.parameters())
        t.nn.utils.vector_to_parameters(t.arange(3.0), layer.parameters())
        return weight.grad, vector, layer.weight, layer.bias, t.nn.utils.clip_grad_norm_([], 1.0)

    assert_same(scenario)


def test_clipping_refuses_infinite_gradients_when_told_to() -> None:
    weight = mt.zeros(1, requires_grad=True)
    weight.grad = mt.tensor([float("inf")])
    with pytest.raises(RuntimeError, match="non-finite"):
        nn.utils.clip_grad_norm_(weight, 1.0, error_if_nonfinite=True)
