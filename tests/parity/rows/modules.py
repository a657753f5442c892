"""Rows of layers and containers: every class of `nn` that is a `Module`, except the losses.

Each draws all arguments of its constructor, by position or by name, and inputs that mostly fit.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from ..drawing import Maker
from ..modules import Kind, ModuleRow, ModuleSample


def _sample(make: Maker, args: Any, inputs: Any, calls: int = 1, **kwargs: Any) -> ModuleSample:
    """The sample with a drawn upstream gradient."""
    lying = make.sample()
    return ModuleSample(tuple(args), kwargs, tuple(inputs), calls, lying.grad_layout, lying.seed)


def _where(make: Maker) -> dict[str, Any]:
    """The arguments that say where and of what dtype parameters are made."""
    return make.some(dtype=(Kind("float64"), Kind("float32"), None), device=("cpu", None))


def _activation(**options: Any) -> Any:
    """A layer of any shape, with each option given or left out."""

    def draw(make: Maker) -> ModuleSample:
        return _sample(make, (), [make.tensor(make.shape(), gradient=True)], **make.some(**options))

    return draw


def _softmax(make: Maker) -> ModuleSample:
    shape = make.shape()
    kwargs = {"dim": make.choice(make.dim(len(shape)), None)} if make.flag() else {}
    return _sample(make, (), [make.tensor(shape, gradient=True)], **kwargs)


def _dropout(lead: int) -> Any:
    def draw(make: Maker) -> ModuleSample:
        shape = make.shape(min_ndim=lead, max_ndim=lead or 3, max_side=3)
        kwargs = make.some(p=(0.3, 0.0, 1.0, 0.8), inplace=(True, False))
        return _sample(make, (), [make.tensor(shape, gradient=True)], make.integer(1, 2), **kwargs)

    return draw


_ACTIVATIONS = [
    ModuleRow("ReLU", _activation(inplace=(True, False))),
    ModuleRow("LeakyReLU", _activation(negative_slope=(0.2, 1.5), inplace=(True, False))),
    ModuleRow("ELU", _activation(alpha=(0.5, 2.0), inplace=(True, False))),
    ModuleRow("GELU", _activation(approximate=("tanh", "none"))),
    ModuleRow("SiLU", _activation(inplace=(True, False))),
    ModuleRow("Softplus", _activation(beta=(2, 0.5), threshold=(1, 20.0))),
    ModuleRow("Sigmoid", _activation()),
    ModuleRow("Tanh", _activation()),
    ModuleRow("Softmax", _softmax),
    ModuleRow("LogSoftmax", _softmax),
    ModuleRow("Dropout", _dropout(0), random=True),
    ModuleRow("Dropout2d", _dropout(4), random=True),
]

# Layers with parameters -----------------------------------------------------------------------------------


def _linear(make: Maker) -> ModuleSample:
    n, k, m = make.choice(3, 1, 4), make.choice(2, 3, 1), make.choice(2, 1, 5)
    lead = make.choice((n,), (), (2, n), (0,), (2, 1, n))
    x = make.tensor((*lead, k))
    return _sample(make, (k, m), [x], **make.some(bias=(False, True)), **_where(make))


def _embedding(make: Maker) -> ModuleSample:
    rows, columns = make.choice(4, 2, 5), make.choice(3, 1)
    indices = make.indices(make.choice((2, 3), (5,), (), (0,)), 0, rows, make.choice("int64", "int32"))
    kwargs = make.some(
        padding_idx=(1, 0, -1, None),
        max_norm=(1.5, None),
        norm_type=(1.0, 2.0, 3.0),
        scale_grad_by_freq=(True, False),
        sparse=(False,),
        _weight=(None,),
        _freeze=(False,),
    )
    return _sample(make, (rows, columns), [indices], **kwargs, **_where(make))


def _conv2d(make: Maker) -> ModuleSample:
    groups = make.choice(1, 1, 2, 3)
    channels, outside = groups * make.choice(1, 2), groups * make.choice(1, 2, 3)
    kernel = make.choice(2, 1, (1, 3), (3, 2))
    kwargs = make.some(
        stride=(2, 1, (1, 2), 3),
        padding=(1, (0, 2), 0, "same", "valid"),
        dilation=(2, (1, 2), 1),
        bias=(False, True),
        padding_mode=("reflect", "replicate", "circular", "zeros"),
    )
    if groups > 1 or make.flag():
        kwargs["groups"] = groups
    shape = (*make.choice((2,), (1,), (0,), ()), channels, make.choice(5, 4, 6, 3), make.choice(5, 4, 7))
    x = make.tensor(shape)
    return _sample(make, (channels, outside, kernel), [x], **kwargs, **_where(make))


def _batch_norm(*shapes: tuple[int, ...]) -> Any:
    """Inputs of these shapes, -1 standing for the channels."""

    def draw(make: Maker) -> ModuleSample:
        channels = make.choice(2, 1, 3)
        shape = tuple(channels if n < 0 else n for n in make.choice(*shapes))
        kwargs = make.some(
            eps=(1e-3, 1e-5),
            momentum=(0.5, None, 0.1, 0.0),
            affine=(False, True),
            track_running_stats=(False, True),
            bias=(False, True),
        )
        x = make.tensor(shape, gradient=True)
        return _sample(make, (channels,), [x], make.integer(1, 3), **kwargs, **_where(make))

    return draw


_LEARNED = [
    ModuleRow("Linear", _linear),
    ModuleRow("Conv2d", _conv2d),
    ModuleRow("Embedding", _embedding),
    ModuleRow("BatchNorm1d", _batch_norm((3, -1), (4, -1, 2), (2, -1, 3), (1, -1, 5)), regimes=("ordinary",)),
    ModuleRow("BatchNorm2d", _batch_norm((2, -1, 3, 2), (1, -1, 2, 2), (3, -1, 1, 4)), regimes=("ordinary",)),
]

# Layers without parameters --------------------------------------------------------------------------------


def _picture(make: Maker) -> Any:
    lead = make.choice((2,), (1,), (0,), ())
    shape = (*lead, make.choice(1, 2, 3), make.choice(4, 3, 5, 7), make.choice(3, 4, 6, 2))
    return make.tensor(shape, gradient=True)


def _max_pool(make: Maker) -> ModuleSample:
    kernel = make.choice(2, 3, (2, 1), (2, 3))
    kwargs = make.some(
        stride=(1, 2, (2, 1), 3),
        padding=(1, 0, (1, 0)),
        ceil_mode=(True, False),
        dilation=(2, 1, (1, 2)),
        return_indices=(True, False),
    )
    return _sample(make, (kernel,), [_picture(make)], **kwargs)


def _avg_pool(make: Maker) -> ModuleSample:
    kernel = make.choice(2, 3, (2, 1), (2, 3))
    kwargs = make.some(
        stride=(1, 2, (2, 1), 3),
        padding=(1, 0, (1, 0)),
        ceil_mode=(True, False),
        count_include_pad=(False, True),
        divisor_override=(3, 7, None),
    )
    return _sample(make, (kernel,), [_picture(make)], **kwargs)


def _border(with_value: bool) -> Any:
    def draw(make: Maker) -> ModuleSample:
        padding = make.choice(1, (1, 0, 2, 1), 0, (0, 3, 0, 0))
        args = (padding, make.choice(0.5, 0, -2)) if with_value else (padding,)
        return _sample(make, args, [_picture(make)])

    return draw


def _adaptive(make: Maker) -> ModuleSample:
    return _sample(make, (make.choice(1, 2, (3, 2), (None, 2), (2, None), 4),), [_picture(make)])


def _flatten(make: Maker) -> ModuleSample:
    shape = make.shape(min_ndim=1, max_ndim=4)
    kwargs = {name: make.dim(len(shape)) for name in ("start_dim", "end_dim") if make.flag()}
    return _sample(make, (), [make.tensor(shape, gradient=True)], **kwargs)


def _unflatten(make: Maker) -> ModuleSample:
    sizes = make.choice((2, 2), (4,), (1, 3, 2), (0, 2), (-1, 2), [2, 2], (3, -1))
    length = 1
    for n in sizes:
        length *= 2 if n < 0 else n
    shape = list(make.shape(min_ndim=1, max_ndim=3))
    dim = make.dim(len(shape))
    shape[dim] = length
    return _sample(make, (dim, sizes), [make.tensor(shape, gradient=True)])


def _identity(make: Maker) -> ModuleSample:
    args = make.choice((), (54,), (1, "two"))
    return _sample(make, args, [make.tensor(make.shape(), gradient=True)], **make.some(unused=(True,)))


_SHAPES = [
    ModuleRow("MaxPool2d", _max_pool, regimes=("ordinary", "ties", "special")),
    *(
        ModuleRow(name, _border(name == "ConstantPad2d"))
        for name in ("ZeroPad2d", "ConstantPad2d", "ReflectionPad2d", "ReplicationPad2d", "CircularPad2d")
    ),
    ModuleRow("AvgPool2d", _avg_pool),
    ModuleRow("AdaptiveAvgPool2d", _adaptive),
    ModuleRow("Flatten", _flatten, kernels=False, regimes=("ordinary", "special")),
    ModuleRow("Unflatten", _unflatten, kernels=False, regimes=("ordinary", "special")),
    ModuleRow("Identity", _identity, kernels=False, regimes=("ordinary", "special")),
]

# Containers -----------------------------------------------------------------------------------------------

LAYERS = {
    "linear": lambda torch: torch.nn.Linear(3, 3),
    "norm": lambda torch: torch.nn.BatchNorm1d(3),
    "tanh": lambda torch: torch.nn.Tanh(),
    "slope": lambda torch: torch.nn.LeakyReLU(0.2),
    "inner": lambda torch: torch.nn.Sequential(torch.nn.Linear(3, 3, bias=False), torch.nn.Sigmoid()),
}


def _held(make: Maker) -> ModuleSample:
    """Some layers in a container; the shape of the input suits them all."""
    names = tuple(make.choice(*LAYERS) for _ in range(make.integer(0, 4)))
    x = make.tensor((make.choice(4, 2, 5), 3), gradient=True)
    return _sample(make, (make.choice("one", "many"), names), [x], make.integer(1, 2))


def _sequential(torch: Any, way: str, names: Any) -> Any:
    layers = [LAYERS[name](torch) for name in names]
    if way == "one":
        return torch.nn.Sequential(*layers)
    ordered = {f"{name}{i}": layer for i, (name, layer) in enumerate(zip(names, layers, strict=True))}
    return torch.nn.Sequential(OrderedDict(ordered))


def _network(torch: Any, held: Any, forward: Any) -> Any:
    """A module that holds `held` and computes `forward(held, x)`."""

    class Network(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.held = held

        def forward(self, x: Any) -> Any:
            return forward(self.held, x)

    return Network()


def _through(layers: Any, x: Any) -> Any:
    for layer in layers:
        x = layer(x)
    return x * 2


def _module_list(torch: Any, way: str, names: Any) -> Any:
    layers = [LAYERS[name](torch) for name in names]
    held = torch.nn.ModuleList(layers if way == "one" else None)
    if way == "many":
        held.extend(layers)
    return _network(torch, held, _through)


def _module_dict(torch: Any, way: str, names: Any) -> Any:
    layers = {f"{name}{i}": LAYERS[name](torch) for i, name in enumerate(names)}
    held = torch.nn.ModuleDict(layers if way == "one" else None)
    if way == "many":
        held.update(layers.items())
    return _network(torch, held, lambda held, x: _through(held.values(), x))


def _vectors(make: Maker) -> ModuleSample:
    """Numbers of elements of the parameters held; they are multiplied with the input one after the other."""
    sizes = tuple(make.choice(3, 1) for _ in range(make.integer(0, 4)))
    return _sample(make, (make.choice("one", "many"), sizes), [make.tensor((2, 3), gradient=True)])


def _times(vectors: Any, x: Any) -> Any:
    for vector in vectors:
        x = x * vector + 1
    return x * 2


def _parameter_list(torch: Any, way: str, sizes: Any) -> Any:
    vectors = [torch.nn.Parameter(torch.ones(n)) for n in sizes]
    held = torch.nn.ParameterList(vectors if way == "one" else None)
    if way == "many":
        held.extend(vectors)
    return _network(torch, held, _times)


def _parameter_dict(torch: Any, way: str, sizes: Any) -> Any:
    vectors = {f"p{i}": torch.nn.Parameter(torch.ones(n)) for i, n in enumerate(sizes)}
    held = torch.nn.ParameterDict(vectors if way == "one" else None)
    if way == "many":
        held.update(vectors)
    return _network(torch, held, lambda held, x: _times(held.values(), x))


_CONTAINERS = [
    ModuleRow("Sequential", _held, build=_sequential),
    ModuleRow("ModuleList", _held, build=_module_list),
    ModuleRow("ModuleDict", _held, build=_module_dict),
    ModuleRow("ParameterList", _vectors, build=_parameter_list, kernels=False),
    ModuleRow("ParameterDict", _vectors, build=_parameter_dict, kernels=False),
]

ROWS = [*_ACTIVATIONS, *_LEARNED, *_SHAPES, *_CONTAINERS]
