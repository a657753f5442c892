"""How weights start: functions that fill a tensor in place and return it, nothing recorded in the graph.

Each draws from the default generator or the one it is given, in PyTorch's order, so that the same seed
gives the same weights. Layers call `kaiming_uniform_` and `uniform_` when they are made; the rest is for
users.

Where a scale depends on the layer's size, fan-in is the number of inputs that one output adds up, fan-out
the number of outputs that one input takes part in. For a weight (out, in, *kernel) these are in *
prod(kernel) and out * prod(kernel).
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import numpy as np

from ..autograd import no_grad, wrap
from ..dtypes import Array
from ..missing import explain_missing_in
from ..random import Generator, default_generator

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "calculate_gain",
    "constant",
    "constant_",
    "dirac",
    "dirac_",
    "eye",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "sparse",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]

_P = ParamSpec("_P")
_R = TypeVar("_R")

_LINEAR = (
    *("linear", "conv1d", "conv2d", "conv3d"),
    *("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much to widen the weights before a nonlinearity, so that the signal keeps its variance.

    1 for linear functions, convolutions and sigmoid, 5/3 for tanh, sqrt(2) for relu, 3/4 for selu, and
    sqrt(2 / (1 + param**2)) for leaky_relu of slope `param` (0.01 when None). ValueError for any other.

    >>> import minitorch_cifar as torch
    >>> torch.nn.init.calculate_gain("tanh")
    1.6666666666666667
    """
    if nonlinearity in _LINEAR or nonlinearity == "sigmoid":
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "selu":
        return 3.0 / 4
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """(fan-in, fan-out) of a weight (out, in, *kernel). ValueError below 2 dimensions."""
    if tensor.dim() < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    out_features, in_features, *kernel = tensor.shape
    receptive_field = math.prod(kernel)
    return in_features * receptive_field, out_features * receptive_field


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    mode = mode.lower()
    valid_modes = ["fan_in", "fan_out"]
    if mode not in valid_modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {valid_modes}")
    return _calculate_fan_in_and_fan_out(tensor)[valid_modes.index(mode)]


@no_grad()
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Numbers uniform over [a, b).

    >>> import minitorch_cifar as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.init.uniform_(torch.empty(3), -1, 1)
    tensor([-0.0075,  0.5364, -0.8230])
    """
    return tensor.uniform_(a, b, generator=generator)


@no_grad()
def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Normal numbers of this mean and standard deviation."""
    return tensor.normal_(mean, std, generator=generator)


@no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    """The number `val` everywhere."""
    tensor.fill_(val)
    return tensor


def ones_(tensor: Tensor) -> Tensor:
    """Ones everywhere."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros everywhere."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix: ones where row equals column, else zeros. ValueError unless it has 2 dimensions.

    >>> import minitorch_cifar as torch
    >>> torch.nn.init.eye_(torch.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    if tensor.ndimension() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    return _store(tensor, np.eye(*tensor.shape))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """The convolution that copies its input: ones in the middle of the kernel where channels match.

    tensor: (out, in, *kernel) with 1 to 3 kernel dimensions. In each of `groups` groups of output channels
    the first `in` ones copy the input channels in turn. ValueError for other shapes.
    """
    if tensor.ndimension() not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    out_channels, in_channels, *kernel = tensor.shape
    if out_channels % groups != 0:
        raise ValueError("dim 0 must be divisible by groups")
    middle = tuple(size // 2 for size in kernel)
    values = np.zeros(tensor.shape)
    per_group = out_channels // groups
    for first in range(0, out_channels, per_group or 1):
        for channel in range(min(per_group, in_channels)):
            values[first + channel, channel, *middle] = 1
    return _store(tensor, values)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform over [-a, a) with a = gain * sqrt(6 / (fan_in + fan_out)).

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    2010.
    """
    bound = math.sqrt(3.0) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with mean 0 and standard deviation gain * sqrt(2 / (fan_in + fan_out)).

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    2010.
    """
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


def _xavier_std(tensor: Tensor, gain: float) -> float:
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return gain * math.sqrt(2.0 / float(fan_in + fan_out))


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform over [-bound, bound) with bound = gain * sqrt(3 / fan).

    Args:
        tensor: a weight (out, in, *kernel).
        a: the slope of the leaky_relu that follows; it sets the gain, and no other nonlinearity uses it.
        mode: "fan_in" keeps the variance of the signal on its way forward, "fan_out" of gradients backward.
        nonlinearity: what follows the layer, a name that `calculate_gain` knows.
        generator: where to draw from.

    Source: He et al., "Delving deep into rectifiers: surpassing human-level performance on ImageNet
    classification", 2015.
    """
    if _is_empty(tensor):
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal with mean 0 and standard deviation gain / sqrt(fan); arguments as for `kaiming_uniform_`."""
    if _is_empty(tensor):
        return tensor
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def _is_empty(tensor: Tensor) -> bool:
    if 0 not in tensor.shape:
        return False
    warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
    return True


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    fan = _calculate_correct_fan(tensor, mode)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Normal with this mean and standard deviation, numbers outside [a, b] being drawn again.

    Where few normal numbers fall into [a, b], uniform ones are drawn and each is accepted with a probability
    that the normal density sets. Warns when the mean lies more than 2 std outside [a, b].
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=2,
        )
    inside = _normal_cdf((b - mean) / std) - _normal_cdf((a - mean) / std)
    if inside > 0.3:
        normals = normal_(tensor, mean, std, generator)._array
        return _store(tensor, _redrawn(normals, mean, std, a, b, generator or default_generator))
    uniforms = uniform_(tensor, a, b, generator)._array
    return _store(tensor, _accepted(uniforms, mean, std, a, b, generator or default_generator))


def _normal_cdf(x: float) -> float:
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _redrawn(normals: Array, mean: float, std: float, a: float, b: float, source: Generator) -> Array:
    """The normals, of which whole arrays are drawn anew until every element has been inside [a, b]."""
    low, high = normals.dtype.type(a), normals.dtype.type(b)
    while (outside := (normals < low) | (normals > high)).any():
        normals = np.where(outside, source.normal_(np.empty_like(normals), mean, std), normals)
    return normals


def _accepted(uniforms: Array, mean: float, std: float, a: float, b: float, source: Generator) -> Array:
    """The uniforms over [a, b), each redrawn until another one lies below its normal density."""
    mode = max(a, min(mean, b))  # where in [a, b] the density is largest
    log_peak = -0.5 * ((mode - mean) / std) ** 2
    # The density falls within about this far of its peak. Where that is next to nothing of [a, b], numbers
    # would be drawn without end.
    falls_within = std * std / max(abs(mode - mean), std)
    if not falls_within > 1e-6 * (b - a):
        raise RuntimeError(f"next to no number of a normal of mean {mean} and std {std} lies in [{a}, {b}]")
    candidates = accepted = uniforms
    pending = np.ones(uniforms.shape, bool)
    while True:
        log_density = ((candidates - mean) / std) ** 2 * -0.5 - log_peak
        with np.errstate(divide="ignore"):
            pending &= np.log(source.uniform_(np.empty_like(uniforms))) > log_density
        if not pending.any():
            return accepted
        candidates = source.uniform_(np.empty_like(uniforms), a, b)
        accepted = np.where(pending, candidates, accepted)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """A matrix (out, prod of the rest) of orthonormal rows, or columns if there are fewer, times gain.

    It is the Q of the QR decomposition of a normal matrix, with signs that make it uniformly distributed.
    ValueError below 2 dimensions.

    Source: Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks", 2013; Mezzadri, "How to generate random matrices from the classical compact groups", 2006,
    for the signs.
    """
    if tensor.ndimension() < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    normals = (generator or default_generator).normal_(np.empty((rows, columns), tensor._array.dtype))
    q, r = np.linalg.qr(normals if rows >= columns else normals.T)
    q = q * np.sign(np.diagonal(r))
    matrix = q if rows >= columns else q.T
    return _store(tensor, (matrix * matrix.dtype.type(gain)).reshape(tensor.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Normal with mean 0, a fraction `sparsity` of each column, rounded up, being set to zero.

    As in PyTorch the rows to be zeroed come from the default generator, whatever `generator` is.
    ValueError unless there are 2 dimensions.

    Source: Martens, "Deep learning via Hessian-free optimization", 2010.
    """
    if tensor.ndimension() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    normal_(tensor, 0.0, std, generator)
    values = tensor._array.copy()
    for column in range(columns):
        values[default_generator.randperm(rows)[:zeros], column] = 0
    return _store(tensor, values)


@no_grad()
def _store(tensor: Tensor, values: Array) -> Tensor:
    """Copy values into the tensor and count the change, so that a graph that saved it notices."""
    tensor.copy_(wrap(values.astype(tensor._array.dtype, copy=False)))
    return tensor


def _deprecated(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function under its old name, without the underscore; it warns."""
    new_name = function.__name__
    old_name = new_name.removesuffix("_")

    @functools.wraps(function)
    def old(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        warnings.warn(
            f"`nn.init.{old_name}` is now deprecated in favor of `nn.init.{new_name}`.",
            FutureWarning,
            stacklevel=2,
        )
        return function(*args, **kwargs)

    old.__name__ = old_name
    old.__doc__ = f"The old name of `{new_name}`; warns."
    return old


uniform = _deprecated(uniform_)
normal = _deprecated(normal_)
constant = _deprecated(constant_)
eye = _deprecated(eye_)
dirac = _deprecated(dirac_)
xavier_uniform = _deprecated(xavier_uniform_)
xavier_normal = _deprecated(xavier_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
kaiming_normal = _deprecated(kaiming_normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_)

explain_missing_in(__name__, __all__)
