"""Making tensors: from data (`tensor`, `from_numpy`), from a rule (`zeros`, `arange`), at random (`rand`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import TensorBase, wrap
from ..device import require_cpu
from ..dtypes import Array, as_dtype, common_dtype, dtype, from_numpy_dtype, get_default_dtype, int64
from ..layouts import require_strided
from ..ops.shape import empty_in_order, memory_order
from .arguments import (
    as_int,
    as_shape,
    check_fits,
    check_flag,
    check_number,
    check_sizes,
    check_tensor,
    finish,
    refuse_memory_format,
)
from .from_data import as_new_array

if TYPE_CHECKING:
    from ..dtypes import Array
    from ..tensor import Tensor


def _options(
    dtype: Any,
    device: Any,
    requires_grad: bool,
    layout: Any = None,
    pin_memory: bool = False,
    default: Any = None,
    function: str = "tensor",
) -> Any:
    """The dtype to make, after the other options were checked."""
    require_cpu(device)
    if pin_memory:
        raise RuntimeError("Cannot access accelerator device when none is available: pin_memory needs one.")
    require_strided(layout, function)
    kind = as_dtype(dtype) if dtype is not None else default or get_default_dtype()
    check_flag(requires_grad, function or "the function", "requires_grad")
    if requires_grad and not kind.is_floating_point:
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    return kind


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A new tensor with a copy of the data: a number, nested sequences, a NumPy array, another tensor.

    >>> import minitorch_cifar as torch
    >>> torch.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    >>> torch.tensor([2.5, 3.5], dtype=torch.float64)
    tensor([2.5000, 3.5000], dtype=torch.float64)
    """
    if isinstance(data, TensorBase):
        import warnings

        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
    array = as_new_array(data, None if dtype is None else as_dtype(dtype))
    _options(dtype, device, requires_grad, None, pin_memory, from_numpy_dtype(array.dtype))
    return wrap(array, requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """The data as a tensor, without a copy where it is a tensor or array of that dtype already."""
    require_cpu(device)
    if isinstance(data, TensorBase):
        return data if dtype is None else data.to(dtype)  # type: ignore[return-value, attr-defined]
    if isinstance(data, np.ndarray):
        shared = from_numpy(data)
        return shared if dtype is None else shared.to(as_dtype(dtype))
    return tensor(data, dtype=dtype)


asarray = as_tensor


def from_numpy(ndarray: Array) -> Tensor:
    """A tensor that shares the memory of a NumPy array: a change to one is seen in the other.

    >>> import numpy as np, minitorch_cifar as torch
    >>> a = np.ones(2)
    >>> t = torch.from_numpy(a)
    >>> a += 1
    >>> t
    tensor([2., 2.], dtype=torch.float64)
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    from_numpy_dtype(ndarray.dtype)
    if any(stride < 0 for stride in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are "
            "not currently supported. (You can probably work around this by making a copy of your array with "
            "array.copy().)"
        )
    if not ndarray.dtype.isnative:
        raise ValueError("given numpy array has byte order different from the native byte order.")
    if not ndarray.flags.writeable:
        import warnings

        warnings.warn(
            "The given NumPy array is not writable, and PyTorch does not support non-writable tensors. "
            "Writing to this tensor is an error in minitorch_cifar.",
            UserWarning,
            stacklevel=2,
        )
    return wrap(ndarray)


def _shape(sizes: tuple[Any, ...], size: Any, function: str) -> tuple[int, ...]:
    """The shape asked for by `f(2, 3)`, `f((2, 3))` or `f(size=(2, 3))`, of which only one may be used."""
    if size is None and not sizes:
        raise TypeError(f'{function}() missing 1 required positional arguments: "size"')
    if size is not None and sizes:
        raise TypeError(f"{function}() got multiple values for argument 'size'")
    return check_sizes(as_shape(sizes if size is None else (size,), function), function)


def _filled(
    sizes: tuple[Any, ...], size: Any, name: str, make: Any, out: Any, dtype: Any, layout: Any, device: Any,
    pin_memory: bool, requires_grad: bool,
) -> Tensor:  # fmt: skip
    shape = _shape(sizes, size, name)
    kind = _options(dtype, device, requires_grad, layout, pin_memory, function=name)
    if out is not None:
        return finish(wrap(make(shape, out._array.dtype)), out)
    return wrap(make(shape, kind.numpy_dtype), requires_grad)


def zeros(
    *sizes: Any, size: Any = None, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
    pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor of zeros.

    >>> import minitorch_cifar as torch
    >>> torch.zeros(2, 3, dtype=torch.long)
    tensor([[0, 0, 0],
            [0, 0, 0]])
    """
    return _filled(sizes, size, "zeros", np.zeros, out, dtype, layout, device, pin_memory, requires_grad)


def ones(
    *sizes: Any, size: Any = None, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
    pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor of ones."""
    return _filled(sizes, size, "ones", np.ones, out, dtype, layout, device, pin_memory, requires_grad)


def empty(
    *sizes: Any, size: Any = None, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
    pin_memory: bool = False, requires_grad: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """A tensor whose elements are whatever the memory held."""
    refuse_memory_format(memory_format, "empty")
    return _filled(sizes, size, "empty", np.empty, out, dtype, layout, device, pin_memory, requires_grad)


def full(
    size: Any, fill_value: Any, *, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
    pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor with one number everywhere; its dtype is that of the number."""
    value = fill_value._array[()] if isinstance(fill_value, TensorBase) else fill_value
    if not isinstance(value, (bool, int, float, np.generic)):
        raise TypeError(f"full(): argument 'fill_value' must be Number, not {type(fill_value).__name__}")
    default = from_numpy_dtype(as_new_array(value).dtype)
    shape = check_sizes(as_shape((size,), "full"), "full")
    kind = _options(dtype, device, requires_grad, layout, pin_memory, default, "full")
    check_fits(value, kind)
    return finish(wrap(np.full(shape, value).astype(kind.numpy_dtype), requires_grad), out)


def _like(
    input: Tensor, dtype: Any, device: Any, requires_grad: bool, name: str,
    layout: Any = None, memory_format: Any = None,
) -> tuple[tuple[int, ...], Any]:  # fmt: skip
    check_tensor(input, name)
    refuse_memory_format(memory_format, name)
    default = from_numpy_dtype(input._array.dtype)
    return input._array.shape, _options(dtype, device, requires_grad, layout, default=default, function=name)


def zeros_like(
    input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """Zeros, shaped and typed like `input`."""
    _, kind = _like(input, dtype, device, requires_grad, "zeros_like", layout, memory_format)
    return wrap(_filled_like(input, 0, kind), requires_grad)


def ones_like(
    input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """Ones, shaped and typed like `input`."""
    _, kind = _like(input, dtype, device, requires_grad, "ones_like", layout, memory_format)
    return wrap(_filled_like(input, 1, kind), requires_grad)


def empty_like(
    input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """Memory as it is, shaped and typed like `input`."""
    _, kind = _like(input, dtype, device, requires_grad, "empty_like", layout, memory_format)
    return wrap(empty_in_order(input._array, kind.numpy_dtype), requires_grad)


def full_like(
    input: Tensor, fill_value: Any, *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """One number everywhere, shaped and typed like `input`."""
    _, kind = _like(input, dtype, device, requires_grad, "full_like", layout, memory_format)
    check_fits(_number(fill_value), kind)
    return wrap(_filled_like(input, fill_value, kind), requires_grad)


def _filled_like(input: Tensor, value: Any, kind: Any) -> Array:
    """One number everywhere, in memory that lies as the input's."""
    array = empty_in_order(input._array, kind.numpy_dtype)
    array[...] = np.asarray(value).astype(kind.numpy_dtype)
    return array


def _drawn_like(input: Tensor, kind: Any, draw: Callable[[tuple[int, ...]], Tensor]) -> Array:
    """What `draw` gives for a shape, in memory that lies as the input's: numbers are drawn in its order."""
    order = memory_order(input._array)
    array = empty_in_order(input._array, kind.numpy_dtype)
    array.transpose(order)[...] = draw(tuple(input._array.shape[d] for d in order))._array
    return array


def _number(value: Any) -> Any:
    """A number, also out of a tensor with one element."""
    if isinstance(value, TensorBase):
        return value._array.item()
    return value.item() if isinstance(value, np.generic) else value


def arange(
    start: Any, end: Any = None, step: Any = 1, *, out: Any = None, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """start, start + step, ... below end; whole numbers give int64.

    >>> import minitorch_cifar as torch
    >>> torch.arange(1, 2.5, 0.5)
    tensor([1.0000, 1.5000, 2.0000])
    """
    if end is None:
        start, end = 0, start
    start, end, step = (_number(v) for v in (start, end, step))
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    whole = all(isinstance(v, int) for v in (start, end, step))
    kind = _options(dtype, device, requires_grad, layout, pin_memory, default=int64 if whole else None)
    count = math.ceil((end - start) / step) if not whole else -((start - end) // step)
    # start + i * step in float64 (integers in int64), rounded once.
    places = np.arange(count, dtype=np.int64 if whole else np.float64)
    return finish(wrap((start + places * step).astype(kind.numpy_dtype), requires_grad), out)


def linspace(
    start: Any, end: Any, steps: int, *, out: Any = None, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """`steps` numbers at equal distances from start to end, both included."""
    start, end = (_number(v) for v in (start, end))
    steps = _steps(steps, "linspace")
    kind = _options(dtype, device, requires_grad, layout, pin_memory)
    work = kind.numpy_dtype if kind.is_floating_point else np.dtype(np.float64)
    first, last = work.type(start), work.type(end)
    step = (last - first) / work.type(max(steps - 1, 1))
    i = np.arange(steps)
    # Counted from the nearer end, as PyTorch does, so that both ends are exact.
    values = np.where(
        i < (steps // 2 or 1), first + step * i.astype(work), last - step * (steps - 1 - i).astype(work)
    )
    return finish(wrap(values.astype(kind.numpy_dtype), requires_grad), out)


def _steps(steps: Any, function: str) -> int:
    """How many numbers to make, of which an array can be."""
    count = as_int(steps, function, "steps")
    if count < 0:
        raise RuntimeError("number of steps must be non-negative")
    if count >= 2**63:
        raise OverflowError(f"{function}(): argument 'steps' of {count} is too big")
    return count


def logspace(
    start: float, end: float, steps: int, base: float = 10.0, *, out: Any = None, dtype: Any = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """`steps` numbers from base^start to base^end, at equal ratios."""
    start, end, base = (_number(v) for v in (start, end, base))
    for name, value in (("start", start), ("end", end), ("base", base)):
        check_number(value, "logspace", name)
    steps = _steps(steps, "logspace")
    kind = _options(dtype, device, requires_grad, layout, pin_memory, function="logspace")
    powers = np.power(base, np.linspace(start, end, steps)).astype(kind.numpy_dtype)
    return finish(wrap(powers, requires_grad), out)


def eye(
    n: int, m: int | None = None, *, out: Any = None, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """The identity matrix: ones on the diagonal."""
    for name, value in (("n", n), ("m", m)):
        if value is not None and as_int(value, "eye", name) < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {value}")
    kind = _options(dtype, device, requires_grad, layout, pin_memory)
    return finish(wrap(np.eye(n, m, dtype=kind.numpy_dtype), requires_grad), out)


def scalar_tensor(value: Any, *, dtype: Any = None) -> Tensor:
    """A 0-dimensional tensor of the default dtype."""
    check_number(value, "scalar_tensor", "s")
    return tensor(value, dtype=dtype or get_default_dtype())


# At random ------------------------------------------------------------------------------------------------


def _generator(generator: Any) -> Any:
    from .. import random

    if generator is None:
        return random.default_generator
    if not isinstance(generator, random.Generator):
        raise TypeError(f"generator must be a torch.Generator, not {type(generator).__name__}")
    return generator


def _random(
    sizes: tuple[Any, ...], size: Any, name: str, draw: Any, generator: Any, out: Any, dtype: Any,
    layout: Any, device: Any, requires_grad: bool, pin_memory: bool,
) -> Tensor:  # fmt: skip
    shape = _shape(sizes, size, name)
    kind = _options(
        out.dtype if out is not None and dtype is None else dtype, device, requires_grad, layout, pin_memory
    )
    _check_random_dtype(kind, name)
    return finish(wrap(draw(_generator(generator), np.empty(shape, kind.numpy_dtype)), requires_grad), out)


def _check_random_dtype(kind: dtype, name: str) -> None:
    if not kind.is_floating_point:
        what = "normal_kernel_cpu" if name.startswith("randn") else "check_uniform_bounds"
        raise NotImplementedError(f"\"{what}\" not implemented for '{kind.legacy_name}'")


def _uniform(generator: Any, array: Array) -> Array:
    return generator.uniform_(array)  # type: ignore[no-any-return]


def _normal(generator: Any, array: Array) -> Array:
    return generator.normal_(array)  # type: ignore[no-any-return]


def rand(
    *sizes: Any, size: Any = None, generator: Any = None, out: Any = None, dtype: Any = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Numbers drawn evenly from [0, 1); the same as PyTorch's for the same seed.

    >>> import minitorch_cifar as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.rand(3)
    tensor([0.4963, 0.7682, 0.0885])
    """
    return _random(
        sizes, size, "rand", _uniform, generator, out, dtype, layout, device, requires_grad, pin_memory
    )


def randn(
    *sizes: Any, size: Any = None, generator: Any = None, out: Any = None, dtype: Any = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Numbers drawn from the normal distribution with mean 0 and variance 1."""
    return _random(
        sizes, size, "randn", _normal, generator, out, dtype, layout, device, requires_grad, pin_memory
    )


def randint(
    low: Any = None, high: Any = None, size: Any = None, *, generator: Any = None, out: Any = None,
    dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Whole numbers drawn evenly from [low, high); `randint(high, size)` starts at 0."""
    if size is None and isinstance(high, Sequence):  # randint(high, size)
        low, high, size = None, low, high
    elif high is None and size is not None:  # randint(high, size=...)
        low, high = None, low
    if high is None or not isinstance(size, Sequence):
        raise TypeError(
            "randint() takes (high, size) or (low, high, size), the size as a tuple of ints; got "
            f"low={low!r}, high={high!r}, size={size!r}"
        )
    first, last = 0 if low is None else as_int(low, "randint", "low"), as_int(high, "randint", "high")
    if first >= last:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={first} >= to={last}")
    shape = check_sizes(as_shape((size,), "randint"), "randint")
    kind = _options(dtype, device, requires_grad, layout, pin_memory, default=int64)
    return finish(
        wrap(_generator(generator).random_(np.empty(shape, kind.numpy_dtype), first, last), requires_grad),
        out,
    )


def randperm(
    n: int, *, generator: Any = None, out: Any = None, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """0, 1, ..., n - 1 in random order."""
    count = as_int(n, "randperm", "n")
    if count < 0:
        raise RuntimeError(f"n must be non-negative, got {count}")
    kind = _options(dtype, device, requires_grad, layout, pin_memory, default=int64)
    return finish(
        wrap(_generator(generator).randperm(count).astype(kind.numpy_dtype, copy=False), requires_grad), out
    )


def rand_like(
    input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
    memory_format: Any = None, generator: Any = None,
) -> Tensor:  # fmt: skip
    """`rand`, shaped and typed like `input`."""
    _, kind = _like(input, dtype, device, requires_grad, "rand_like", layout, memory_format)
    drawn = _drawn_like(input, kind, lambda shape: rand(size=shape, dtype=kind, generator=generator))
    return wrap(drawn, requires_grad)


def randn_like(
    input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
    memory_format: Any = None, generator: Any = None,
) -> Tensor:  # fmt: skip
    """`randn`, shaped and typed like `input`."""
    _, kind = _like(input, dtype, device, requires_grad, "randn_like", layout, memory_format)
    array = empty_in_order(input._array, kind.numpy_dtype)
    return wrap(_generator(generator).normal_(array), requires_grad)


def randint_like(
    input: Tensor, low: Any = None, high: Any = None, *, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, memory_format: Any = None, generator: Any = None,
) -> Tensor:  # fmt: skip
    """`randint`, shaped and typed like `input`."""
    _, kind = _like(input, dtype, device, requires_grad, "randint_like", layout, memory_format)
    if high is None:
        low, high = None, low
    drawn = _drawn_like(input, kind, lambda shape: randint(low, high, shape, dtype=kind, generator=generator))
    return wrap(drawn, requires_grad)


def normal(
    mean: Any, std: Any = 1.0, size: Any = None, *, generator: Any = None, out: Any = None,
    dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Normal numbers with the given mean and standard deviation: tensors that broadcast, or numbers and a
    size.

    >>> import minitorch_cifar as torch
    >>> torch.normal(0, 0.01, size=(2, 1), requires_grad=True).shape
    torch.Size([2, 1])
    """
    g = _generator(generator)
    if not isinstance(mean, TensorBase) and not isinstance(std, TensorBase):
        if not isinstance(size, Sequence):
            raise TypeError(
                f"normal() needs a size, a tuple of ints, when mean and std are numbers; got size={size!r}"
            )
        kind = _options(dtype, device, requires_grad, layout, pin_memory, function="normal")
        array = np.empty(as_shape((size,), "normal"), kind.numpy_dtype)
        return finish(wrap(g.normal_(array, float(mean), float(std)), requires_grad), out)
    for name, value in (("size", size), ("dtype", dtype), ("layout", layout), ("device", device)):
        if value is not None:
            raise TypeError(f"normal() takes no {name} when mean or std is a tensor, which says it")
    for name, flag in (("requires_grad", requires_grad), ("pin_memory", pin_memory)):
        if flag:
            raise TypeError(f"normal() takes no {name} when mean or std is a tensor")
    arrays = [np.asarray(v._array if isinstance(v, TensorBase) else v) for v in (mean, std)]
    if (arrays[1] < 0).any():
        raise RuntimeError(f"normal expects all elements of std >= 0.0, but found {arrays[1].min():g}")
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    kind = common_dtype(
        *sorted((v._array for v in (mean, std) if isinstance(v, TensorBase)), key=np.ndim)[:1] * 2
    )
    draws = g.normal_(np.empty(shape, kind.numpy_dtype))
    return finish(wrap((draws * arrays[1] + arrays[0]).astype(kind.numpy_dtype)), out)


def bernoulli(input: Tensor, *, generator: Any = None, out: Any = None) -> Tensor:
    """1 with the probability that each element gives, else 0."""
    check_tensor(input, "bernoulli")
    p = input._array
    if p.dtype.kind != "f":
        raise RuntimeError(f"\"bernoulli_tensor_cpu_p_\" not implemented for '{input.dtype.legacy_name}'")
    if p.size and not ((p >= 0) & (p <= 1)).all():
        raise RuntimeError("Expected p_in >= 0 && p_in <= 1 to be true, but got false.")
    return finish(wrap(_generator(generator).bernoulli_(np.empty(p.shape, p.dtype), p)), out)


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None, out: Any = None
) -> Tensor:
    """Indices drawn with the probabilities of each row's weights."""
    check_tensor(input, "multinomial")
    weights = input._array
    if weights.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if weights.dtype.kind != "f":
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {input.dtype}")
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > weights.shape[-1]:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if (weights.sum(axis=-1) <= 0).any():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    return finish(wrap(_generator(generator).multinomial(weights, num_samples, replacement)), out)
