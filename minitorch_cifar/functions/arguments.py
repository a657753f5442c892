"""What many functions do to their arguments: check tensors, count dimensions, settle dtypes, serve `out=`."""

from __future__ import annotations

import functools
import inspect
import math
import operator
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np

from ..autograd import apply_inplace
from ..autograd.grad_mode import state
from ..autograd.variable import TensorBase, wrap
from ..dtypes import FROM_NUMPY, Array, as_dtype, common_dtype, dtype, get_default_dtype
from ..ops.indexing import Copy
from ..ops.shape import ToCopy

if TYPE_CHECKING:
    from ..tensor import Tensor


Function = TypeVar("Function", bound=Callable[..., Any])


_FLAGS = ("keepdim", "descending", "stable", "largest", "sorted")


def check_flag(value: Any, function: str, argument: str) -> None:
    """TypeError unless `value` is True or False; `stable` may be None."""
    if value is True or value is False or isinstance(value, np.bool_):
        return
    if value is None and argument == "stable":
        return
    raise TypeError(f"{function}(): argument '{argument}' must be bool, not {type(value).__name__}")


def numpy_names(function: Function) -> Function:
    """Let NumPy's argument names `axis` and `keepdims` stand for `dim` and `keepdim`, as PyTorch does.

    Arguments that are flags, such as `keepdim`, are checked on the way.
    """

    name = function.__name__
    flags = [(i, n) for i, n in enumerate(inspect.signature(function).parameters) if n in _FLAGS]

    @functools.wraps(function)
    def renamed(*args: Any, **kwargs: Any) -> Any:
        if "axis" in kwargs:
            kwargs["dim"] = kwargs.pop("axis")
        if "keepdims" in kwargs:
            kwargs["keepdim"] = kwargs.pop("keepdims")
        if len(args) > 1 or kwargs:
            for i, flag in flags:
                if i < len(args):
                    check_flag(args[i], name, flag)
                elif flag in kwargs:
                    check_flag(kwargs[flag], name, flag)
        return function(*args, **kwargs)

    return renamed  # type: ignore[return-value]


def check_tensor(value: Any, function: str, argument: str = "input") -> None:
    """TypeError unless `value` is a tensor."""
    if not isinstance(value, TensorBase):
        raise not_a_tensor(value, function, argument)


# Which argument this is in most functions; in a method (`add_`) one less, because the tensor is not counted.
_POSITIONS = {"input": 1, "bias": 3, "index": 3, "tensor2": 3, "value": 3, "src": 4} | dict.fromkeys(
    ("other", "mat2", "weight", "target", "mask", "tensor", "tensor1", "end", "vec", "vec2"), 2
)


def not_a_tensor(value: Any, function: str, argument: str) -> TypeError:
    """The error that says which argument is no tensor, in PyTorch's words.

    The position is that of the call as a function, `torch.dot(x, y)`.
    """
    position = 2 if (function, argument) == ("take", "index") else _POSITIONS.get(argument)
    if function.endswith("_") or function in ("view_as", "expand_as", "type_as"):
        position = None if position is None else position - 1
    place = f" (position {position})" if position else ""
    return TypeError(f"{function}(): argument '{argument}'{place} must be Tensor, not {type(value).__name__}")


def as_int(value: Any, function: str, argument: str) -> int:
    """An integer argument: an int, a NumPy integer, or a tensor with one integer element."""
    if isinstance(value, TensorBase) and value._array.dtype.kind in "iu" and value._array.size == 1:
        return int(value._array.reshape(()))
    if isinstance(value, bool):
        raise TypeError(f"{function}(): argument '{argument}' must be int, not bool")
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(
            f"{function}(): argument '{argument}' must be int, not {type(value).__name__}"
        ) from None


def as_dim(dim: Any, ndim: int, function: str = "dim") -> int:
    """A dimension counted from the front; IndexError when there is no such dimension."""
    d = as_int(dim, function, "dim")
    low = max(ndim, 1)  # a 0-dimensional tensor accepts -1 and 0
    if not -low <= d < low:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-low}, {low - 1}], but got {d})"
        )
    return d % low


def as_dims(dim: Any, ndim: int, function: str) -> tuple[int, ...]:
    """Dimensions to reduce: one, several, or all when `dim` is None or empty."""
    if dim is None or (isinstance(dim, (list, tuple)) and not len(dim)):
        return tuple(range(ndim))
    given = dim if isinstance(dim, (list, tuple)) else (dim,)
    dims = tuple(as_dim(d, ndim, function) for d in given)
    for d in dims:
        if dims.count(d) > 1:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return dims if ndim else ()


def as_shape(sizes: tuple[Any, ...], function: str) -> tuple[int, ...]:
    """Sizes given as `f(2, 3)`, `f((2, 3))` or `f(torch.Size([2, 3]))`."""
    if len(sizes) == 1 and isinstance(sizes[0], (list, tuple)):
        sizes = tuple(sizes[0])
    for n in sizes:
        if type(n) is not int:
            return tuple([as_int(n, function, "size") for n in sizes])
    return sizes


def check_sizes(shape: tuple[int, ...], function: str) -> tuple[int, ...]:
    """RuntimeError for a negative size."""
    if any(n < 0 for n in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    return shape


def refuse_memory_format(memory_format: Any, function: str) -> None:
    """NotImplementedError for a memory format: the engine leaves the order in memory to each operation."""
    if memory_format is not None:
        raise NotImplementedError(
            f"{function}(memory_format={memory_format}) is not part of minitorch_cifar: leave it out"
        )


def to_dtype(input: Tensor, wanted: dtype) -> Tensor:
    """`input`, or a differentiable copy of it in the wanted dtype."""
    if input._array.dtype == wanted.numpy_dtype:
        return input
    return ToCopy.apply(input, numpy_dtype=wanted.numpy_dtype)  # type: ignore[no-any-return]


def cast_operand(value: Any, wanted: dtype) -> Any:
    """An operand in the dtype of the computation: a tensor stays in the graph, a number becomes a
    constant.
    """
    if isinstance(value, TensorBase):
        return to_dtype(value, wanted)  # type: ignore[arg-type]
    return as_constant(value, wanted.numpy_dtype)


def as_constant(number: Any, numpy_dtype: Any) -> Any:
    """A Python number as a NumPy one; a whole number that does not fit wraps, a float becomes inf."""
    if isinstance(number, int) and not -(2**63) <= number < 2**63:
        raise OverflowError("int too big to convert")
    with np.errstate(all="ignore"):
        return np.asarray(number).astype(numpy_dtype)[()]


_NUMBERS = (int, float, bool, np.generic)


def operands(input: Any, other: Any, function: str, floating: bool = False) -> tuple[Any, Any]:
    """Both operands of a two-argument operation in their common dtype.

    `floating`: whole numbers become floats, as for true division. Shapes that do not broadcast are an error.
    """
    if not isinstance(input, TensorBase):
        if not isinstance(input, _NUMBERS) or not isinstance(other, TensorBase):
            raise not_a_tensor(input, function, "input")
        second, first = operands(other, input, function, floating)
        return first, second
    x = input._array
    if isinstance(other, TensorBase):
        y = other._array
        if x.dtype == y.dtype and (x.dtype.kind == "f" or not floating):
            if x.shape != y.shape:
                check_broadcast(x, y)
            return input, other
        check_broadcast(x, y)
        common = common_dtype(x, y)
    elif isinstance(other, _NUMBERS):
        number = other.item() if isinstance(other, np.generic) else other
        if type(number) is float and x.dtype.kind == "f" and -1e38 < number < 1e38:
            return input, x.dtype.type(number)  # the usual case, at once
        common = common_dtype(x, number)
        other = number
    else:
        if isinstance(other, complex):
            raise NotImplementedError("complex numbers are not part of minitorch_cifar")
        raise not_a_tensor(other, function, "other")
    if floating and not common.is_floating_point:
        common = as_default()
    return cast_operand(input, common), cast_operand(other, common)


def check_number(value: Any, function: str, argument: str) -> None:
    """TypeError unless `value` is a Python or NumPy number."""
    if not isinstance(value, _NUMBERS):
        raise TypeError(f"{function}(): argument '{argument}' must be Number, not {type(value).__name__}")


def check_scalar(value: Any, function: str, argument: str) -> None:
    """TypeError unless `value` is a number or a tensor that holds one and nothing else."""
    if not (isinstance(value, TensorBase) and value._array.ndim == 0):
        check_number(value, function, argument)


def check_fits(number: Any, kind: dtype) -> None:
    """RuntimeError when a number that is to be stored as it is lies outside the range of a dtype.

    NaN and inf fit into floats only; a fraction may be cut off.
    """
    value = number.item() if isinstance(number, np.generic) else number
    if kind.category == 0:
        return
    if kind.category == 2:
        fits = not math.isfinite(value) or abs(value) <= float(np.finfo(kind.numpy_dtype).max)
    else:
        bounds = np.iinfo(kind.numpy_dtype)
        low = -bounds.max if kind.name == "uint8" and isinstance(value, int) else bounds.min  # -1 wraps
        fits = math.isfinite(value) and low <= value <= bounds.max
    if not fits:
        raise RuntimeError(f"value cannot be converted to type {kind.c_name} without overflow")


def refuse(kernel: str, kind: dtype) -> NoReturn:
    """NotImplementedError for a dtype, worded as PyTorch does, by kernel."""
    raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind.legacy_name}'")


def as_default() -> dtype:
    """The default floating point dtype."""
    return get_default_dtype()


def check_broadcast(x: Array, y: Array) -> None:
    """RuntimeError naming sizes and dimension when two shapes do not broadcast."""
    a, b = x.shape, y.shape
    for back in range(1, min(len(a), len(b)) + 1):
        if a[-back] != b[-back] and a[-back] != 1 and b[-back] != 1:
            raise RuntimeError(
                f"The size of tensor a ({a[-back]}) must match the size of tensor b ({b[-back]}) at "
                f"non-singleton dimension {max(len(a), len(b)) - back}"
            )


def floating(input: Tensor) -> Tensor:
    """Whole numbers as floats of the default dtype; floats as they are."""
    return input if input._array.dtype.kind == "f" else to_dtype(input, as_default())


def check_storable(target: Tensor, shape: tuple[int, ...], kind: dtype) -> None:
    """RuntimeError when a result of this shape and dtype cannot be stored in `target`."""
    have, wanted = target._array.shape, FROM_NUMPY[target._array.dtype]
    if have != shape:
        raise RuntimeError(f"output with shape {list(have)} doesn't match the broadcast shape {list(shape)}")
    if kind.category > wanted.category:
        raise RuntimeError(
            f"result type {kind.legacy_name} can't be cast to the desired output type {wanted.legacy_name}"
        )


def finish(result: Tensor, out: Any) -> Tensor:
    """`result`, or `out` after the result was written into it.

    RuntimeError when autograd would be involved, or when the result's category of dtype is higher than that
    of `out`. An `out` of another shape is resized, with PyTorch's warning when it had elements.
    """
    if out is None:
        return result
    if not isinstance(out, TensorBase):
        raise TypeError(f"argument 'out' must be Tensor, not {type(out).__name__}")
    if state.enabled and (result.requires_grad or out.requires_grad):
        raise RuntimeError(
            "functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )
    kind, wanted = FROM_NUMPY[result._array.dtype], FROM_NUMPY[out._array.dtype]
    if kind.category > wanted.category:
        raise RuntimeError(
            f"result type {kind.legacy_name} can't be cast to the desired output type {wanted.legacy_name}"
        )
    if out._array.shape != result._array.shape:
        if out._array.size:
            warnings.warn(
                "An output with one or more elements was resized since it had shape "
                f"{list(out._array.shape)}, which does not match the required output shape "
                f"{list(result._array.shape)}.",
                UserWarning,
                stacklevel=3,
            )
        out._array = np.empty(result._array.shape, out._array.dtype)
    apply_inplace(out, Copy, out, result)
    return out  # type: ignore[return-value]


def finish_pair(kind: Any, pair: tuple[Tensor, Tensor], out: Any) -> Any:
    """`kind(values, indices)`, or the two tensors `out` after these were written into them."""
    if out is None:
        return kind(*pair)
    if not isinstance(out, (tuple, list)) or len(out) != 2:
        raise TypeError(f"argument 'out' must be tuple of Tensors, a pair, not {type(out).__name__}")
    return kind(finish(pair[0], out[0]), finish(pair[1], out[1]))


def reduced_dtype(input: Tensor, wanted: Any) -> Tensor:
    """The tensor to add up: in the dtype asked for, else whole numbers and booleans as int64."""
    if wanted is not None:
        return to_dtype(input, as_dtype(wanted))
    return input if input._array.dtype.kind == "f" else to_dtype(input, as_dtype(int))


def constant(array: Any) -> Tensor:
    """A result without gradient."""
    return wrap(array if isinstance(array, np.ndarray) else np.asarray(array))
