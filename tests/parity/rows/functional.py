"""Rows of activations, layers and losses: what `nn.functional` holds. Most of it calls kernels."""

from __future__ import annotations

from typing import Any

from minitorch_cifar.testing.arrays import Leaf

from ..drawing import Maker, Sample
from ..registry import Failing, Row

FLOATS = ("float32", "float64")
FINITE = ("ordinary", "ties")


def _one(make: Maker) -> Sample:
    return make.sample(*make.tensors([make.shape()]))


def _activation(make: Maker, **options: Any) -> Sample:
    return make.sample(*make.tensors([make.shape()]), **make.some(inplace=(True, False), **options))


def _on_copy(name: str) -> Any:
    """`nn.functional.NAME`; with `inplace=True` on a copy, since a leaf must not be changed."""

    def call(torch: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        function = getattr(torch.nn.functional, name)
        return function(x.clone() if kwargs.get("inplace") else x, *args, **kwargs)

    return call


def _functional(name: str, draw: Any, **options: Any) -> Row:
    options.setdefault("kernels", True)
    options.setdefault("dtypes", FLOATS)
    return Row(f"nn.functional.{name}", draw, forms=("torch",), **options)


def _along(make: Maker) -> Sample:
    shape = make.shape()
    return make.sample(*make.tensors([shape]), make.dim(len(shape)))


def _no_tensor(name: str) -> tuple[Failing, ...]:
    return (
        lambda torch: getattr(torch, name)([1.0]),
        lambda torch: getattr(torch, name)(None),
    )


_ACTIVATIONS = [
    Row(
        "relu",
        _one,
        inplace=True,
        kernels=True,
        errors=(*_no_tensor("relu"), lambda torch: torch.tensor([True]).relu()),
    ),
    Row(
        "sigmoid",
        _one,
        inplace=True,
        out=True,
        out_dtypes=("same",),
        kernels=True,
        errors=_no_tensor("sigmoid"),
    ),
    Row("tanh", _one, inplace=True, out=True, out_dtypes=("same",), kernels=True, errors=_no_tensor("tanh")),
    *(
        Row(
            name,
            _along,
            kernels=True,
            dtypes=FLOATS,
            errors=(
                lambda torch, name=name: getattr(torch, name)(torch.ones(2), 1),
                lambda torch, name=name: getattr(torch, name)(torch.ones(2)),
                lambda torch, name=name: getattr(torch, name)(torch.tensor([1, 2]), 0),
            ),
        )
        for name in ("softmax", "log_softmax")
    ),
    _functional("relu", _activation, call=_on_copy("relu")),
    _functional("sigmoid", _one),
    _functional("tanh", _one),
    _functional("softmax", _along),
    _functional("log_softmax", _along),
    _functional(
        "leaky_relu",
        lambda make: _activation(make, negative_slope=(0.2, 0.01, 1.5)),
        call=_on_copy("leaky_relu"),
        aliases=(),
    ),
    _functional(
        "elu",
        regimes=(
            *FINITE,
            "extreme",
        ),  # in place, NaN has PyTorch's gradient of 1, since only the result is kept
        draw=lambda make: _activation(make, alpha=(0.5, 2.0)),
        call=_on_copy("elu"),
        aliases=(),
    ),
    *(
        _functional(
            f"{name}_",
            _one,
            regimes=(*FINITE, "extreme"),
            call=lambda torch, x, name=name: getattr(torch.nn.functional, f"{name}_")(x.clone()),
        )
        for name in ("elu", "leaky_relu")
    ),
    _functional("silu", _activation, call=_on_copy("silu")),
    _functional(
        "gelu",
        lambda make: make.sample(*make.tensors([make.shape()]), **make.some(approximate=("tanh", "none"))),
    ),
    _functional(
        "softplus",
        lambda make: make.sample(
            *make.tensors([make.shape()]), **make.some(beta=(2, 0.5), threshold=(1, 20))
        ),
        smooth=None,  # linear above the threshold, and not quite below
    ),
]

# Layers ---------------------------------------------------------------------------------------------------


def _linear(make: Maker) -> Sample:
    n, k, m = make.choice(3, 1, 4), make.choice(2, 3, 1), make.choice(2, 1, 5)
    lead = make.choice((n,), (), (2, n), (0,), (2, 1, n))
    shapes = [(*lead, k), (m, k), *([(m,)] if make.flag() else [])]
    return make.sample(*make.tensors(shapes))


def _conv(make: Maker) -> Sample:
    groups = make.choice(1, 1, 2, 3)
    inside, outside = make.choice(1, 2), make.choice(1, 2, 3)
    kernel = (make.choice(2, 1, 3), make.choice(3, 1, 2))
    dilation = (make.choice(1, 1, 2), make.choice(1, 1, 2))
    padding = (make.choice(0, 1, 2), make.choice(0, 1, 3))
    size = [
        max(d * (k - 1) + 1 - 2 * p, 1) + make.choice(0, 1, 2, 4)
        for k, d, p in zip(kernel, dilation, padding, strict=True)
    ]
    # Of no pictures, PyTorch does not compare dtypes.
    batch = make.choice((2,), (1,), ()) if make.mixed else make.choice((2,), (1,), (0,), ())
    shapes = [(*batch, groups * inside, *size), (groups * outside, inside, *kernel)]
    if make.flag():
        shapes.append((groups * outside,))
    kwargs: dict[str, Any] = make.some(stride=(2, 1, (1, 2), 3))
    if dilation != (1, 1):
        kwargs["dilation"] = dilation
    if padding != (0, 0):
        kwargs["padding"] = padding
    elif kwargs.get("stride", 1) == 1:
        kwargs.update(make.some(padding=("same", "valid")))
    if groups != 1:
        kwargs["groups"] = groups
    return make.sample(*make.tensors(shapes), **kwargs)


def _conv_same(make: Maker) -> Sample:
    kernel = (make.choice(2, 4, 3), make.choice(3, 2))
    x, weight = make.tensors([(2, 1, make.choice(3, 5), 4), (make.choice(1, 2), 1, *kernel)])
    return make.sample(x, weight, padding="same", **make.some(dilation=(2, 1)))


def _picture(make: Maker, low: int = 1) -> tuple[int, ...]:
    sides = (make.choice(4, 3, 5, 2, 7), make.choice(3, 4, 2, 6))
    return (*make.choice((2,), (1,), (0,), ()), make.choice(1, 2, 3), *(max(side, low) for side in sides))


def _max_pool(make: Maker) -> Sample:
    kernel = make.choice(2, 3, (2, 1), (1, 3), 1)
    half = (kernel if isinstance(kernel, int) else min(kernel)) // 2
    kwargs = make.some(stride=(1, 2, (2, 1), 3), padding=(half, 0), ceil_mode=(True,), return_indices=(True,))
    if make.flag() and make.flag():
        kwargs["dilation"] = make.choice(2, (1, 2))
    return make.sample(*make.tensors([_picture(make)]), kernel, **kwargs)


def _avg_pool(make: Maker) -> Sample:
    kernel = make.choice(2, 3, (2, 1), (1, 3), 1)
    half = (kernel if isinstance(kernel, int) else min(kernel)) // 2
    kwargs = make.some(
        stride=(1, 2, (2, 1), 3),
        padding=(half, 0),
        ceil_mode=(True,),
        count_include_pad=(False,),
        divisor_override=(3, 7),
    )
    return make.sample(*make.tensors([_picture(make)]), kernel, **kwargs)


def _adaptive(make: Maker) -> Sample:
    return make.sample(*make.tensors([_picture(make)]), make.choice(1, 2, (3, 2), (None, 2), (2, None), 4))


def _adaptive_max(make: Maker) -> Sample:
    sample = _adaptive(make)
    sample.kwargs.update(make.some(return_indices=(True,)))
    return sample


def _batch_norm(make: Maker) -> Sample:
    channels = make.choice(2, 1, 3)
    shape = make.choice((3, channels), (2, channels, 3, 2), (4, channels, 2), (1, channels, 2, 2))
    training = make.flag()
    x = make.tensor(shape, gradient=True)
    running = [make.tensor((channels,), gradient=False), make.tensor((channels,), "positive", gradient=False)]
    if training and make.flag():
        running = [None, None]
    kwargs: dict[str, Any] = {"training": training, **make.some(momentum=(0.5, 0.1), eps=(1e-3, 1e-5))}
    if make.flag():
        kwargs["weight"], kwargs["bias"] = make.tensors([(channels,), (channels,)])
    # PyTorch's backward in evaluation mode reads weights and statistics as if they were contiguous.
    running = [None if r is None else _contiguous(r) for r in running]
    kwargs = {
        name: _contiguous(value) if isinstance(value, Leaf) else value for name, value in kwargs.items()
    }
    return make.sample(x, *running, **kwargs)


def _contiguous(leaf: Leaf) -> Leaf:
    return Leaf(leaf.array.copy(), leaf.requires_grad)


def _batch_norm_and_statistics(torch: Any, x: Any, mean: Any, variance: Any, **kwargs: Any) -> Any:
    # On copies: the statistics change, and inputs must not.
    mean, variance = (None if s is None else s.clone() for s in (mean, variance))
    y = torch.nn.functional.batch_norm(x, mean, variance, **kwargs)
    return y, mean, variance


def _dropout(make: Maker) -> Sample:
    return _activation(make, p=(0.3, 0.0, 1.0, 0.8), training=(False, True))


def _dropout2d(make: Maker) -> Sample:
    shape = make.shape(min_ndim=4, max_ndim=4, max_side=3)
    return make.sample(
        *make.tensors([shape]), **make.some(p=(0.3, 0.0, 1.0), training=(False, True), inplace=(True,))
    )


def _dropout1d(make: Maker) -> Sample:
    shape = make.shape(min_ndim=3, max_ndim=3, max_side=3)
    return make.sample(
        *make.tensors([shape]), **make.some(p=(0.3, 0.0, 1.0), training=(False, True), inplace=(True,))
    )


def _normalize(make: Maker) -> Sample:
    shape = make.shape(min_ndim=1, min_side=1)
    return make.sample(*make.tensors([shape]), **make.some(p=(1, 2, 3)), dim=make.dim(len(shape)))


def _border(make: Maker) -> Sample:
    mode = make.choice("constant", "reflect", "replicate", "circular")
    widths = make.choice((1, 2), (0, 1, 2, 0), (1, 1, 1, 1), (0, 0), (3, 0))
    if mode == "constant" and make.flag():
        widths = make.choice((-1, 2), (1, -1, 0, 0), (0, 0, 0, 0, 1, 2), ())
    shape = make.shape(min_ndim=2 if mode != "constant" else 0, max_ndim=4, min_side=1)
    kwargs = {"mode": mode} if mode != "constant" or make.flag() else {}
    if mode == "constant" and make.flag():
        kwargs["value"] = make.choice(0.5, 0, -2)
    return make.sample(make.tensor(shape, gradient=True), widths, **kwargs)


def _embedding(make: Maker) -> Sample:
    rows, columns = make.choice(4, 1, 5), make.choice(2, 1, 3, 0)
    indices = make.indices(make.choice((2, 3), (5,), (), (0,)), 0, rows, make.choice("int64", "int32"))
    kwargs = make.some(padding_idx=(0, -1, None), scale_grad_by_freq=(True, False))
    return make.sample(indices, make.tensor((rows, columns), gradient=True), **kwargs)


_LAYERS = [
    _functional(
        "linear",
        _linear,
        nodes=False,  # PyTorch folds the batch in ways that depend on layout and bias
        regimes=FINITE,
        errors=(
            lambda torch: torch.nn.functional.linear(torch.ones(2, 3), torch.ones(4, 2)),
            lambda torch: torch.nn.functional.linear(torch.ones(2, 3), torch.ones(4, 3), torch.ones(3)),
        ),
    ),
    _functional(
        "conv2d",
        _conv,
        regimes=FINITE,
        errors=(
            lambda torch: torch.nn.functional.conv2d(torch.ones(1, 4, 5, 5), torch.ones(2, 3, 3, 3)),
            lambda torch: torch.nn.functional.conv2d(torch.ones(1, 3, 2, 2), torch.ones(2, 3, 3, 3)),
            lambda torch: torch.nn.functional.conv2d(
                torch.ones(1, 3, 5, 5), torch.ones(2, 3, 3, 3), torch.ones(3)
            ),
            lambda torch: torch.nn.functional.conv2d(
                torch.ones(1, 3, 5, 5), torch.ones(2, 3, 3, 3), stride=0
            ),
            lambda torch: torch.nn.functional.conv2d(
                torch.ones(1, 3, 5, 5), torch.ones(2, 3, 3, 3), padding=-1
            ),
            lambda torch: torch.nn.functional.conv2d(
                torch.ones(1, 3, 5, 5), torch.ones(2, 3, 3, 3), padding="same", stride=2
            ),
            lambda torch: torch.nn.functional.conv2d(torch.ones(3, 5), torch.ones(2, 3, 3, 3)),
            lambda torch: torch.nn.functional.conv2d(
                torch.ones(1, 3, 5, 5), torch.ones(2, 3, 3, 3), groups=2
            ),
        ),
    ),
    _functional(
        "conv2d (padding=same)",
        _conv_same,
        regimes=FINITE,
        nodes=False,  # an uneven border is put on by another operation in PyTorch
        call=lambda torch, *args, **kwargs: torch.nn.functional.conv2d(*args, **kwargs),
    ),
    _functional(
        "max_pool2d",
        _max_pool,
        errors=(
            lambda torch: torch.nn.functional.max_pool2d(torch.ones(1, 1, 2, 2), 3),
            lambda torch: torch.nn.functional.max_pool2d(torch.ones(1, 1, 4, 4), 2, padding=2),
            lambda torch: torch.nn.functional.max_pool2d(torch.ones(4, 4), 2),
            lambda torch: torch.nn.functional.max_pool2d(torch.ones(1, 1, 4, 4), 0),
        ),
    ),
    _functional(
        "avg_pool2d",
        _avg_pool,
        regimes=FINITE,
        errors=(
            lambda torch: torch.nn.functional.avg_pool2d(torch.ones(1, 1, 2, 2), 3),
            lambda torch: torch.nn.functional.avg_pool2d(torch.ones(1, 1, 4, 4), 2, padding=2),
            lambda torch: torch.nn.functional.avg_pool2d(torch.ones(1, 1, 4, 4), 2, divisor_override=0),
        ),
    ),
    _functional(
        "adaptive_avg_pool2d",
        _adaptive,
        regimes=FINITE,
    ),
    _functional(
        "adaptive_max_pool2d",
        _adaptive_max,
        errors=(lambda torch: torch.nn.functional.adaptive_max_pool2d(torch.ones(2, 2), 1),),
    ),
    _functional(
        "batch_norm",
        _batch_norm,
        call=_batch_norm_and_statistics,
        regimes=("ordinary",),
        errors=(
            lambda torch: torch.nn.functional.batch_norm(torch.ones(1, 3), None, None, training=True),
            lambda torch: torch.nn.functional.batch_norm(torch.ones(2, 3), None, None),
            lambda torch: torch.nn.functional.batch_norm(torch.ones(2, 3), torch.ones(2), torch.ones(2)),
        ),
    ),
    _functional(
        "dropout",
        _dropout,
        call=_on_copy("dropout"),
        regimes=FINITE,
        random=True,
        errors=(
            lambda torch: torch.nn.functional.dropout(torch.ones(2), 1.5),
            lambda torch: torch.nn.functional.dropout(torch.ones(2), -0.5),
        ),
    ),
    _functional("dropout1d", _dropout1d, call=_on_copy("dropout1d"), regimes=FINITE, random=True),
    _functional("dropout2d", _dropout2d, call=_on_copy("dropout2d"), regimes=FINITE, random=True),
    _functional("normalize", _normalize, regimes=("ordinary",)),
    _functional(
        "pad",
        _border,
        kernels=False,
        nodes=False,  # circular borders are made of slices in PyTorch
        errors=(
            lambda torch: torch.nn.functional.pad(torch.ones(2, 3), (1, 1, 2)),
            lambda torch: torch.nn.functional.pad(torch.ones(2), (1, 1, 2, 2)),
            lambda torch: torch.nn.functional.pad(torch.ones(2, 3), (3, 1), "reflect"),
            lambda torch: torch.nn.functional.pad(torch.ones(2, 3), (4, 1), "circular"),
            lambda torch: torch.nn.functional.pad(torch.ones(2, 3), (1, 1, 1, 1), "reflect"),
            lambda torch: torch.nn.functional.pad(torch.ones(2, 3), (1, 1), "mirror"),
            lambda torch: torch.nn.functional.pad(torch.ones(2, 3), (1, 1), "reflect", 2),
            lambda torch: torch.nn.functional.pad(torch.ones(2, 3), 1),
            lambda torch: torch.nn.functional.pad(torch.ones(2, 3), (1.0, 1)),
            lambda torch: torch.nn.functional.pad([1], (1, 1)),
            lambda torch: torch.nn.functional.pad(torch.ones(2, 3), (-2, -2)),
        ),
    ),
    _functional(
        "embedding",
        _embedding,
        kernels=False,
        smooth=None,  # the row `padding_idx` has a value, but no gradient
        dtypes=(),
        errors=(
            lambda torch: torch.nn.functional.embedding(torch.tensor([3]), torch.ones(3, 2)),
            lambda torch: torch.nn.functional.embedding(torch.tensor([-1]), torch.ones(3, 2)),
            lambda torch: torch.nn.functional.embedding(torch.tensor([1.0]), torch.ones(3, 2)),
            lambda torch: torch.nn.functional.embedding(torch.tensor([1]), torch.ones(3)),
            lambda torch: torch.nn.functional.embedding(torch.tensor([1]), torch.ones(3, 2), 3),
            lambda torch: torch.nn.functional.embedding(torch.tensor([1]), torch.ones(3, 2), -4),
            lambda torch: torch.nn.functional.embedding([1], torch.ones(3, 2)),
        ),
    ),
]

# Losses ---------------------------------------------------------------------------------------------------

REDUCTIONS = ("sum", "none", "mean")


def _pair(make: Maker, regimes: tuple[str | None, str | None] = (None, None), **options: Any) -> Sample:
    shape = make.shape()
    x, y = make.tensor(shape, regimes[0], gradient=True), make.tensor(shape, regimes[1])
    return make.sample(x, y, **make.some(reduction=REDUCTIONS, **options))


def _binary(make: Maker) -> Sample:
    shape = make.shape()
    x = make.tensor(shape, "unit", gradient=True)
    kwargs = make.some(reduction=REDUCTIONS)
    if make.flag():
        kwargs["weight"] = make.tensor(make.choice(shape, shape[-1:]), "positive", gradient=False)
    return make.sample(x, make.tensor(shape, "unit", gradient=False), **kwargs)


def _binary_logits(make: Maker) -> Sample:
    shape = make.shape()
    x = make.tensor(shape, gradient=True)
    kwargs = make.some(reduction=REDUCTIONS)
    if make.flag():
        kwargs["weight"] = make.tensor(make.choice(shape, shape[-1:]), "positive", gradient=False)
    if make.flag():
        kwargs["pos_weight"] = make.tensor(shape[-1:], "positive", gradient=False)
    return make.sample(x, make.tensor(shape, "unit", gradient=False), **kwargs)


def _classes(make: Maker, smoothing: bool) -> Sample:
    classes = make.choice(3, 2, 5, 1)
    places = make.choice((4,), (1,), (), (2, 3), (0,), (2, 2, 2))
    shape = (places[0], classes, *places[1:]) if places else (classes,)
    x = _contiguous(make.tensor(shape, gradient=True))  # PyTorch refuses some others in backward
    target = make.indices(places, 0, classes)
    kwargs = make.some(reduction=REDUCTIONS)
    if make.flag():
        kwargs["weight"] = make.tensor((classes,), "positive", gradient=False)
    if make.flag() and make.flag():
        kwargs["ignore_index"] = make.choice(0, 1, -100)
    if smoothing:
        kwargs.update(make.some(label_smoothing=(0.1, 0.9, 0.0)))
    return make.sample(x, target, **kwargs)


def _probabilities(make: Maker) -> Sample:
    shape = make.choice((4, 3), (3,), (2, 3, 2), (0, 3))
    kwargs = make.some(reduction=REDUCTIONS, label_smoothing=(0.1, 0.5))
    if make.flag():
        kwargs["weight"] = make.tensor((3,), "positive", gradient=False)
    return make.sample(make.tensor(shape, gradient=True), make.tensor(shape, "unit"), **kwargs)


def _one_hot(make: Maker) -> Sample:
    shape = make.shape(max_ndim=2, min_side=1)
    return make.sample(make.indices(shape, 0, 4), **make.some(num_classes=(4, 6)))


def _misfits(name: str) -> tuple[Failing, ...]:
    return (
        lambda torch: getattr(torch.nn.functional, name)(torch.ones(2, 3), torch.ones(4)),
        lambda torch: getattr(torch.nn.functional, name)(torch.ones(2), torch.ones(2), reduction="average"),
    )


_LOSSES = [
    _functional("mse_loss", _pair, errors=_misfits("mse_loss")),
    _functional("l1_loss", _pair, errors=_misfits("l1_loss")),
    _functional(
        "smooth_l1_loss",
        lambda make: _pair(make, beta=(0.5, 2.0, 0.0)),
        smooth=None,
        errors=_misfits("smooth_l1_loss"),
    ),
    _functional(
        "huber_loss",
        dtypes=(),  # of two dtypes, PyTorch's huber_loss rounds to the input's
        draw=lambda make: _pair(make, delta=(0.5, 2.0)),
        smooth=None,
        errors=(lambda torch: torch.nn.functional.huber_loss(torch.ones(2), torch.ones(2), delta=0.0),),
    ),
    _functional(
        "kl_div",
        dtypes=(),
        draw=lambda make: _pair(make, (None, "unit"), log_target=(True, False)),
        regimes=FINITE,
    ),
    _functional(
        "binary_cross_entropy",
        _binary,
        regimes=("ordinary",),
        smooth="unit",
        errors=(
            lambda torch: torch.nn.functional.binary_cross_entropy(torch.ones(2) * 2, torch.ones(2)),
            lambda torch: torch.nn.functional.binary_cross_entropy(torch.ones(2), torch.ones(3)),
        ),
    ),
    _functional(
        "binary_cross_entropy_with_logits",
        _binary_logits,
        dtypes=(),  # of several dtypes, PyTorch rounds where the engine does not
        regimes=FINITE,
        errors=(
            lambda torch: torch.nn.functional.binary_cross_entropy_with_logits(torch.ones(2), torch.ones(3)),
        ),
    ),
    _functional(
        "nll_loss",
        lambda make: _classes(make, smoothing=False),
        regimes=FINITE,
        errors=(
            lambda torch: torch.nn.functional.nll_loss(torch.ones(2, 3), torch.tensor([0, 3])),
            lambda torch: torch.nn.functional.nll_loss(torch.ones(2, 3), torch.tensor([0, -1])),
            lambda torch: torch.nn.functional.nll_loss(torch.ones(2, 3), torch.tensor([0])),
            lambda torch: torch.nn.functional.nll_loss(torch.ones(2, 3), torch.ones(2)),
            lambda torch: torch.nn.functional.nll_loss(torch.ones(2, 3), torch.tensor([0, 1]), torch.ones(2)),
        ),
    ),
    _functional(
        "cross_entropy",
        lambda make: _classes(make, smoothing=True),
        regimes=FINITE,
        errors=(
            lambda torch: torch.nn.functional.cross_entropy(torch.ones(2, 3), torch.tensor([0, 3])),
            lambda torch: torch.nn.functional.cross_entropy(torch.ones(2, 3), torch.tensor([0, -1])),
            lambda torch: torch.nn.functional.cross_entropy(torch.ones(2, 3), torch.tensor([0])),
            lambda torch: torch.nn.functional.cross_entropy(
                torch.ones(2, 3), torch.tensor([0, 1]), label_smoothing=1.5
            ),
            lambda torch: torch.nn.functional.cross_entropy(
                torch.ones(2, 3), torch.tensor([0, 1]), reduction="average"
            ),
            lambda torch: torch.nn.functional.cross_entropy(torch.ones(2, 3), torch.ones(2, 2)),
        ),
    ),
    _functional(
        "cross_entropy (probabilities)",
        _probabilities,
        nodes=False,  # a division by a number inside PyTorch prints differently
        dtypes=(),
        regimes=FINITE,
        call=lambda torch, *args, **kwargs: torch.nn.functional.cross_entropy(*args, **kwargs),
    ),
    _functional(
        "one_hot",
        _one_hot,
        kernels=False,
        differentiable=False,
        dtypes=(),
        errors=(
            lambda torch: torch.nn.functional.one_hot(torch.tensor([-1])),
            lambda torch: torch.nn.functional.one_hot(torch.tensor([3]), 2),
            lambda torch: torch.nn.functional.one_hot(torch.ones(2)),
        ),
    ),
]

ROWS = [*_ACTIVATIONS, *_LAYERS, *_LOSSES]
