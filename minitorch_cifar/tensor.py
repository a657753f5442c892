"""`Tensor`: a NumPy array with a dtype, a gradient and a place in the graph, under PyTorch's methods.

The class holds what belongs to the object: its attributes, conversions, gradients and Python's protocols. The
mathematical methods are the functions of `functions`, listed here one by one: `x.exp()` is `torch.exp(x)`.
What the graph needs to know of a tensor is in `autograd/variable.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from . import dtypes
from .autograd import TensorBase, apply_inplace, register_tensor_class, wrap
from .autograd import backward as run_backward
from .class_names import PrintsItsName
from .device import CPU, require_cpu
from .device import device as Device
from .dtypes import FROM_NUMPY, Array, as_dtype, get_default_dtype
from .dtypes import dtype as DType
from .functions import (
    activation,
    comparison,
    creation,
    elementwise,
    indexing,
    inplace,
    reduction,
    sorting,
    subscript,
)
from .functions import matmul as products
from .functions import shape as shapes
from .functions.arguments import as_dim, check_tensor, constant, refuse_memory_format
from .functions.old_style import old_style
from .layouts import layout as Layout
from .layouts import strided
from .missing import not_part
from .ops.indexing import Copy
from .ops.shape import ToCopy
from .random.generator import unfilled_like
from .size import Size

__all__ = ["Tensor"]


@register_tensor_class
class Tensor(TensorBase, metaclass=PrintsItsName):
    """A multi-dimensional array of one dtype that can take part in automatic differentiation.

    Make one with `torch.tensor(data)`; `torch.Tensor(2, 3)` gives uninitialised float32 memory and
    `torch.Tensor([1, 2])` converts to float32, as in PyTorch.

    >>> import minitorch_cifar as torch
    >>> x = torch.tensor([[1.0, 2.0]], requires_grad=True)
    >>> (x + 1)
    tensor([[2., 3.]], grad_fn=<AddBackward0>)
    """

    def __new__(cls, *data: Any, device: Any = None) -> Any:
        require_cpu(device)
        base = old_style(data, get_default_dtype())
        if len(data) == 1 and isinstance(data[0], TensorBase):
            return base
        tensor: Any = object.__new__(cls)
        tensor._array, tensor._version_counter = base._array, base._version_counter
        return tensor

    if not TYPE_CHECKING:  # a type checker shall go on finding misspelt names

        def __getattr__(self, name: str) -> NoReturn:
            message = f"'{type(self).__name__}' object has no attribute {name!r}"
            if not name.startswith("_"):  # Python and NumPy ask for many names with underscores
                message += f": {not_part(name, dir(type(self)))}"
            raise AttributeError(message)

    # What it is ------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """The sizes of the dimensions."""
        return Size(self._array.shape)

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return FROM_NUMPY[self._array.dtype]

    @property
    def device(self) -> Device:
        """Always the CPU."""
        return CPU

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    @property
    def itemsize(self) -> int:
        """Bytes in one element."""
        return self._array.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes in all elements."""
        return self._array.nbytes

    is_cuda = is_sparse = is_quantized = is_mps = is_meta = False

    @property
    def layout(self) -> Layout:
        """Always strided."""
        return strided

    def size(self, dim: Any = None) -> Any:
        """All sizes, or the size of one dimension."""
        if dim is None:
            return Size(self._array.shape)
        if not self._array.ndim:
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
        return self._array.shape[as_dim(dim, self._array.ndim, "size")]

    def dim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    def ndimension(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    def nelement(self) -> int:
        """The number of elements."""
        return self._array.size

    def element_size(self) -> int:
        """Bytes in one element."""
        return self._array.itemsize

    def stride(self, dim: Any = None) -> Any:
        """How many elements lie between neighbours, for all dimensions or one."""
        strides = tuple(s // self._array.itemsize for s in self._array.strides)
        if not self._array.size:  # NumPy's are all 0 then
            sizes = [max(size, 1) for size in self._array.shape]
            strides = tuple(math.prod(sizes[i + 1 :]) for i in range(len(sizes)))
        return strides if dim is None else strides[as_dim(dim, self._array.ndim, "stride")]

    def storage_offset(self) -> int:
        """Where the first element lies in the memory that this tensor shares with its base."""
        owner: Any = self._array
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        start: int = self._array.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
        return start // self._array.itemsize

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self._array.__array_interface__["data"][0]  # type: ignore[no-any-return]

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether the elements lie in row order without gaps."""
        refuse_memory_format(memory_format, "is_contiguous")
        return self._array.flags.c_contiguous

    def is_floating_point(self) -> bool:
        """Whether the elements are floats."""
        return self._array.dtype.kind == "f"

    def is_complex(self) -> bool:
        """False: the engine has no complex numbers."""
        return False

    def is_signed(self) -> bool:
        """Whether the elements may be negative."""
        return self.dtype.is_signed

    def is_pinned(self) -> bool:
        """False: there is no accelerator to pin memory for."""
        return False

    def get_device(self) -> int:
        """-1, the number PyTorch gives the CPU."""
        return -1

    def is_same_size(self, other: Tensor) -> bool:
        """Whether both have the same shape."""
        check_tensor(other, "is_same_size", "other")
        return self._array.shape == other._array.shape

    # Gradients -------------------------------------------------------------------------------------------

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add the gradients of this tensor by the leaves of its graph to their `.grad`.

        `gradient`: where to start from, shaped like this tensor; may be left out for a single number.

        >>> import minitorch_cifar as torch
        >>> x = torch.ones(2, 2, requires_grad=True)
        >>> ((x + 2) * (x + 2) * 3).mean().backward()
        >>> x.grad
        tensor([[4.5000, 4.5000],
                [4.5000, 4.5000]])
        """
        run_backward(self, gradient, retain_graph, create_graph, inputs)

    # Out of the tensor -----------------------------------------------------------------------------------

    def numpy(self, *, force: bool = False) -> Array:
        """The array itself: it shares memory with the tensor."""
        if self.requires_grad and not force:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
            )
        return self._array

    def item(self) -> Any:
        """The only element, as a Python number."""
        if self._array.size != 1:
            raise RuntimeError(f"a Tensor with {self._array.size} elements cannot be converted to Scalar")
        return self._array.item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers, or one number."""
        return self._array.tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        array = self.numpy()
        return np.array(array, dtype, copy=copy)

    __array_priority__ = 1000  # array * tensor asks the tensor

    # Conversions -----------------------------------------------------------------------------------------

    def to(self, *args: Any, **kwargs: Any) -> Tensor:
        """In another dtype, on another device (the CPU is the only one), or like another tensor.

        Returns the tensor itself when nothing changes and `copy` is not asked for.
        """
        kind, copy = _parse_to(args, kwargs)
        if kind is None or kind is self.dtype:
            return self.clone() if copy else self
        return ToCopy.apply(self, numpy_dtype=kind.numpy_dtype)  # type: ignore[no-any-return]

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """The type's name, as `torch.FloatTensor`; or the tensor in another dtype."""
        if dtype is None:
            return f"torch.{self.dtype.legacy_name}Tensor"
        if isinstance(dtype, str):
            for kind in dtypes.ALL:
                if dtype == f"torch.{kind.legacy_name}Tensor":
                    return self.to(kind)
            raise ValueError(f"invalid type: '{dtype}'")
        return self.to(getattr(dtype, "dtype", dtype))

    def type_as(self, other: Tensor) -> Tensor:
        """In the dtype of another tensor."""
        check_tensor(other, "type_as", "other")
        return self.to(other.dtype)

    def float(self) -> Tensor:
        """In float32."""
        return self.to(dtypes.float32)

    def double(self) -> Tensor:
        """In float64."""
        return self.to(dtypes.float64)

    def long(self) -> Tensor:
        """In int64."""
        return self.to(dtypes.int64)

    def int(self) -> Tensor:
        """In int32."""
        return self.to(dtypes.int32)

    def bool(self) -> Tensor:
        """As booleans: False where zero."""
        return self.to(dtypes.bool)

    def byte(self) -> Tensor:
        """In uint8."""
        return self.to(dtypes.uint8)

    def cpu(self) -> Tensor:
        """The tensor itself: it is on the CPU."""
        return self

    def cuda(self, device: Any = None, non_blocking: Any = False) -> Tensor:
        """RuntimeError: the engine runs on the CPU."""
        require_cpu("cuda" if device is None else f"cuda:{device}" if isinstance(device, int) else device)
        raise RuntimeError("Invalid device, must be cuda device")  # the CPU was given

    # New tensors like this one ---------------------------------------------------------------------------

    def new(self, *data: Any, device: Any = None) -> Tensor:
        """Of this tensor's dtype: uninitialised of the sizes given, or with the numbers of one sequence."""
        require_cpu(device)
        return old_style(data, self.dtype)

    def new_tensor(
        self, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: Any = False
    ) -> Tensor:
        """A tensor of this one's dtype, with a copy of the data."""
        return creation.tensor(data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)

    def new_zeros(
        self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: Any = False
    ) -> Tensor:
        """Zeros in this tensor's dtype."""
        return creation.zeros(*size, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)

    def new_ones(
        self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: Any = False
    ) -> Tensor:
        """Ones in this tensor's dtype."""
        return creation.ones(*size, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)

    def new_empty(
        self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: Any = False
    ) -> Tensor:
        """Memory as it is, in this tensor's dtype."""
        return creation.empty(*size, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)

    def new_full(
        self, size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: Any = False
    ) -> Tensor:
        """One number everywhere, in this tensor's dtype."""
        return creation.full(
            size, fill_value, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad
        )

    # Python's protocols ----------------------------------------------------------------------------------

    def __len__(self) -> int:  # type: ignore[valid-type]
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self._array)

    def __bool__(self) -> bool:  # type: ignore[valid-type]
        if self._array.size == 0:
            raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
        if self._array.size > 1:
            raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
        return bool(self._array.item())

    def __float__(self) -> float:  # type: ignore[valid-type]
        return float(self._only_element())

    def __int__(self) -> int:  # type: ignore[valid-type]
        return int(self._only_element())

    def _only_element(self) -> Any:
        if self._array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return self._array.item()

    def __index__(self) -> int:  # type: ignore[valid-type]
        if self._array.size != 1 or self._array.dtype.kind == "f":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self._array.item())

    def __iter__(self) -> Iterator[Tensor]:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter(shapes.unbind(self, 0))

    def __contains__(self, element: Any) -> bool:  # type: ignore[valid-type]
        if not isinstance(element, (Tensor, int, float, bool)):
            raise RuntimeError(
                f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}."
            )
        return bool((self == element).any())

    def __hash__(self) -> int:  # type: ignore[valid-type]
        return id(self)

    def __repr__(self) -> str:
        from .formatting import tensor_repr

        return tensor_repr(self)

    def __format__(self, spec: str) -> str:
        if self._array.ndim == 0:
            return format(self.item(), spec)
        if spec:
            raise TypeError(f"unsupported format string passed to {type(self).__name__}.__format__")
        return repr(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:  # type: ignore[valid-type]
        if self.grad_fn is not None:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at "
                "the moment. If you were attempting to deepcopy a module, this may be because of a "
                "torch.nn.utils.weight_norm usage, see https://github.com/pytorch/pytorch/pull/103001"
            )
        if id(self) in memo:
            return memo[id(self)]  # type: ignore[no-any-return]
        copied: Any = object.__new__(type(self))
        base = wrap(self._array.copy(order="K"), self._requires_grad)
        copied.__dict__.update(base.__dict__)
        if self._grad is not None:
            copied._grad = wrap(self._grad._array.copy())
        memo[id(self)] = copied
        return copied  # type: ignore[no-any-return]

    def __reduce__(self) -> Any:
        if self.grad_fn is not None:
            raise RuntimeError("can't pickle a tensor that is part of a graph; use .detach() first")
        return _rebuild, (type(self), self._array, self._requires_grad)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.startswith("_array_")]

    def __array_wrap__(self, array: Array, context: Any = None, return_scalar: Any = False) -> Tensor:
        return constant(array)

    # Operators -------------------------------------------------------------------------------------------
    # A foreign operand gets its chance: the reflected method of its own class.

    def __add__(self, other: Any) -> Tensor:
        return elementwise.add(self, other) if _known(other) else NotImplemented

    def __sub__(self, other: Any) -> Tensor:
        return elementwise.sub(self, other) if _known(other) else NotImplemented

    def __mul__(self, other: Any) -> Tensor:
        return elementwise.mul(self, other) if _known(other) else NotImplemented

    def __truediv__(self, other: Any) -> Tensor:
        return elementwise.div(self, other) if _known(other) else NotImplemented

    def __floordiv__(self, other: Any) -> Tensor:
        return elementwise.floor_divide(self, other) if _known(other) else NotImplemented

    def __mod__(self, other: Any) -> Tensor:
        return elementwise.remainder(self, other) if _known(other) else NotImplemented

    def __pow__(self, other: Any) -> Tensor:
        return elementwise.pow(self, other) if _known(other) else NotImplemented

    def __matmul__(self, other: Any) -> Tensor:
        return products.matmul(self, other) if isinstance(other, Tensor) else NotImplemented

    def __radd__(self, other: Any) -> Tensor:
        return elementwise.add(self, _operand(other)) if _known(other, arrays=True) else NotImplemented

    def __rsub__(self, other: Any) -> Tensor:
        return elementwise.rsub(self, _operand(other)) if _known(other, arrays=True) else NotImplemented

    def __rmul__(self, other: Any) -> Tensor:
        return elementwise.mul(self, _operand(other)) if _known(other, arrays=True) else NotImplemented

    def __rtruediv__(self, other: Any) -> Tensor:
        if not _known(other, arrays=True):
            return NotImplemented
        return elementwise.mul(elementwise.reciprocal(self), _operand(other))

    def __rfloordiv__(self, other: Any) -> Tensor:
        return elementwise.floor_divide(_filled(other, self), self) if _known(other) else NotImplemented

    def __rmod__(self, other: Any) -> Tensor:
        return elementwise.remainder(other, self) if _known(other) else NotImplemented

    def __rpow__(self, other: Any) -> Tensor:
        return elementwise.pow(other, self) if _known(other) else NotImplemented

    def __iadd__(self, other: Any) -> Tensor:
        return inplace.add_(self, other) if _known(other) else NotImplemented

    def __isub__(self, other: Any) -> Tensor:
        return inplace.sub_(self, other) if _known(other) else NotImplemented

    def __imul__(self, other: Any) -> Tensor:
        return inplace.mul_(self, other) if _known(other) else NotImplemented

    def __itruediv__(self, other: Any) -> Tensor:
        return inplace.div_(self, other) if _known(other) else NotImplemented

    def __ifloordiv__(self, other: Any) -> Tensor:
        return inplace.floor_divide_(self, other) if _known(other) else NotImplemented

    def __imod__(self, other: Any) -> Tensor:
        return inplace.remainder_(self, other) if _known(other) else NotImplemented

    def __ipow__(self, other: Any) -> Tensor:
        return inplace.pow_(self, other) if _known(other) else NotImplemented

    def __eq__(self, other: Any) -> Any:
        return comparison.eq(self, other) if _known(other) else NotImplemented

    def __ne__(self, other: Any) -> Any:
        return comparison.ne(self, other) if _known(other) else NotImplemented

    def __lt__(self, other: Any) -> Tensor:
        return comparison.lt(self, other) if _known(other) else NotImplemented

    def __le__(self, other: Any) -> Tensor:
        return comparison.le(self, other) if _known(other) else NotImplemented

    def __gt__(self, other: Any) -> Tensor:
        return comparison.gt(self, other) if _known(other) else NotImplemented

    def __ge__(self, other: Any) -> Tensor:
        return comparison.ge(self, other) if _known(other) else NotImplemented

    __and__ = __rand__ = comparison.bitwise_and
    __or__ = __ror__ = comparison.bitwise_or
    __xor__ = __rxor__ = comparison.bitwise_xor
    __iand__ = comparison.bitwise_and_
    __ior__ = comparison.bitwise_or_
    __ixor__ = comparison.bitwise_xor_

    def __invert__(self) -> Tensor:
        if self._array.dtype.kind == "f":
            raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
        return comparison.bitwise_not(self)

    __neg__ = elementwise.neg
    __abs__ = elementwise.abs
    __getitem__ = subscript.getitem
    __setitem__ = subscript.setitem

    def __pos__(self) -> Tensor:
        return self

    # Functions as methods: arithmetic --------------------------------------------------------------------

    add, add_ = elementwise.add, inplace.add_
    sub, sub_ = elementwise.sub, inplace.sub_
    subtract, subtract_ = elementwise.sub, inplace.sub_
    mul, mul_ = elementwise.mul, inplace.mul_
    multiply, multiply_ = elementwise.mul, inplace.mul_
    div, div_ = elementwise.div, inplace.div_
    divide, divide_ = elementwise.div, inplace.div_
    true_divide, true_divide_ = elementwise.div, inplace.div_
    floor_divide, floor_divide_ = elementwise.floor_divide, inplace.floor_divide_
    remainder, remainder_ = elementwise.remainder, inplace.remainder_
    fmod, fmod_ = elementwise.fmod, inplace.fmod_
    neg, neg_ = elementwise.neg, inplace.neg_
    negative, negative_ = elementwise.neg, inplace.neg_
    pow, pow_ = elementwise.pow, inplace.pow_
    square, square_ = elementwise.square, inplace.square_
    exp, exp_ = elementwise.exp, inplace.exp_
    expm1, expm1_ = elementwise.expm1, inplace.expm1_
    log, log_ = elementwise.log, inplace.log_
    log2, log2_ = elementwise.log2, inplace.log2_
    log10, log10_ = elementwise.log10, inplace.log10_
    log1p, log1p_ = elementwise.log1p, inplace.log1p_
    sqrt, sqrt_ = elementwise.sqrt, inplace.sqrt_
    rsqrt, rsqrt_ = elementwise.rsqrt, inplace.rsqrt_
    reciprocal, reciprocal_ = elementwise.reciprocal, inplace.reciprocal_
    sin, sin_ = elementwise.sin, inplace.sin_
    cos, cos_ = elementwise.cos, inplace.cos_
    tan, tan_ = elementwise.tan, inplace.tan_
    erf, erf_ = elementwise.erf, inplace.erf_
    abs, abs_ = elementwise.abs, inplace.abs_
    absolute, absolute_ = elementwise.abs, inplace.abs_
    sign, sign_ = elementwise.sign, inplace.sign_
    floor, floor_ = elementwise.floor, inplace.floor_
    ceil, ceil_ = elementwise.ceil, inplace.ceil_
    round, round_ = elementwise.round, inplace.round_
    trunc, trunc_ = elementwise.trunc, inplace.trunc_
    clamp, clamp_ = elementwise.clamp, inplace.clamp_
    clip, clip_ = elementwise.clamp, inplace.clamp_
    clamp_min, clamp_min_ = elementwise.clamp_min, inplace.clamp_min_
    clamp_max, clamp_max_ = elementwise.clamp_max, inplace.clamp_max_
    maximum, minimum = elementwise.maximum, elementwise.minimum
    lerp, lerp_ = elementwise.lerp, inplace.lerp_
    addcmul, addcmul_ = elementwise.addcmul, inplace.addcmul_
    addcdiv, addcdiv_ = elementwise.addcdiv, inplace.addcdiv_
    fill_, zero_, copy_ = inplace.fill_, inplace.zero_, inplace.copy_

    def where(self, condition: Tensor, other: Any) -> Tensor:
        """This tensor where the condition holds, else `other`."""
        return elementwise.where(condition, self, other)  # type: ignore[no-any-return]

    # Comparison ------------------------------------------------------------------------------------------

    eq, ne = comparison.eq, comparison.ne
    lt, le, gt, ge = comparison.lt, comparison.le, comparison.gt, comparison.ge
    less, less_equal, greater, greater_equal = comparison.lt, comparison.le, comparison.gt, comparison.ge
    not_equal = comparison.ne
    logical_and, logical_or = comparison.logical_and, comparison.logical_or
    logical_xor, logical_not = comparison.logical_xor, comparison.logical_not
    bitwise_and, bitwise_or = comparison.bitwise_and, comparison.bitwise_or
    bitwise_xor, bitwise_not = comparison.bitwise_xor, comparison.bitwise_not
    bitwise_and_, bitwise_or_ = comparison.bitwise_and_, comparison.bitwise_or_
    bitwise_xor_ = comparison.bitwise_xor_
    isnan, isinf, isfinite = comparison.isnan, comparison.isinf, comparison.isfinite
    all, any = comparison.all, comparison.any
    equal, isclose, allclose = comparison.equal, comparison.isclose, comparison.allclose

    # Reductions ------------------------------------------------------------------------------------------

    sum, mean, prod = reduction.sum, reduction.mean, reduction.prod
    max, min, amax, amin = reduction.max, reduction.min, reduction.amax, reduction.amin
    argmax, argmin, argsort = reduction.argmax, reduction.argmin, sorting.argsort
    var, std, norm = reduction.var, reduction.std, reduction.norm
    median, sort, topk, unique = reduction.median, sorting.sort, sorting.topk, sorting.unique
    logsumexp, count_nonzero, bincount = reduction.logsumexp, sorting.count_nonzero, sorting.bincount
    cumsum, cumprod = reduction.cumsum, reduction.cumprod
    cumsum_, cumprod_ = inplace.cumsum_, inplace.cumprod_

    # Shapes ----------------------------------------------------------------------------------------------

    view, view_as = shapes.view, shapes.view_as
    reshape, reshape_as = shapes.reshape, shapes.reshape_as
    flatten, unflatten, ravel = shapes.flatten, shapes.unflatten, shapes.ravel
    permute, movedim = shapes.permute, shapes.movedim
    transpose, transpose_ = shapes.transpose, shapes.transpose_
    swapaxes = swapdims = shapes.transpose
    t, t_ = shapes.t, shapes.t_
    squeeze, squeeze_ = shapes.squeeze, shapes.squeeze_
    unsqueeze, unsqueeze_ = shapes.unsqueeze, shapes.unsqueeze_
    expand, expand_as, broadcast_to = shapes.expand, shapes.expand_as, shapes.broadcast_to
    repeat, repeat_interleave = shapes.repeat, shapes.repeat_interleave
    split, chunk, unbind = shapes.split, shapes.chunk, shapes.unbind
    flip = shapes.flip_along
    roll, tril, triu = shapes.roll, shapes.tril, shapes.triu
    diagonal, diag, unfold = shapes.diagonal, shapes.diag, shapes.unfold
    clone, contiguous, numel = shapes.clone, shapes.contiguous, shapes.numel

    def tile(self, *dims: Any) -> Tensor:
        """The tensor laid out like tiles."""
        return shapes.tile(self, dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims)

    @property
    def T(self) -> Tensor:  # noqa: N802 - PyTorch's name
        """The tensor with its dimensions in reverse order; a view."""
        return shapes.permute(self, *range(self._array.ndim - 1, -1, -1))

    @property
    def mT(self) -> Tensor:  # noqa: N802 - PyTorch's name
        """The last two dimensions exchanged; a view."""
        if self._array.ndim < 2:
            raise RuntimeError(
                "tensor.mT is only supported on matrices or batches of matrices. Got "
                f"{self._array.ndim}-D tensor."
            )
        return shapes.transpose(self, -2, -1)

    @property
    def H(self) -> Tensor:  # noqa: N802 - PyTorch's name
        """The transpose of a matrix; a view."""
        if self._array.ndim not in (0, 2):
            raise RuntimeError(
                f"tensor.H is only supported on matrices (2-D tensors). Got {self._array.ndim}-D tensor."
            )
        return shapes.transpose(self, 0, 1) if self._array.ndim else self

    # Places ----------------------------------------------------------------------------------------------

    select, narrow = indexing.select, indexing.narrow
    index_select, gather, take = indexing.index_select, indexing.gather, indexing.take
    scatter, scatter_ = indexing.scatter, indexing.scatter_
    scatter_add, scatter_add_ = indexing.scatter_add, indexing.scatter_add_
    index_add, index_add_ = indexing.index_add, indexing.index_add_
    masked_fill, masked_fill_ = indexing.masked_fill, indexing.masked_fill_
    masked_select, nonzero, argwhere = indexing.masked_select, indexing.nonzero, indexing.argwhere
    fill_diagonal_ = indexing.fill_diagonal_

    # Products --------------------------------------------------------------------------------------------

    matmul, mm, bmm, mv = products.matmul, products.mm, products.bmm, products.mv
    dot, outer, addmm, trace = products.dot, products.outer, products.addmm, reduction.trace

    # At random, in place ---------------------------------------------------------------------------------

    def _draw(self, fill: str, generator: Any, *parameters: Any) -> Tensor:
        memory = unfilled_like(self._array)
        getattr(creation._generator(generator), fill)(memory, *parameters)
        return apply_inplace(self, Copy, self, wrap(memory))  # type: ignore[no-any-return]

    def uniform_(self, from_: Any = 0.0, to: Any = 1.0, *, generator: Any = None, **named: Any) -> Tensor:
        """Numbers drawn evenly from [from, to), stored here."""
        low = named.pop("from", from_)
        if named:
            raise TypeError(f"uniform_() got an unexpected keyword argument '{next(iter(named))}'")
        return self._draw("uniform_", generator, low, to)

    def normal_(self, mean: Any = 0.0, std: Any = 1.0, *, generator: Any = None) -> Tensor:
        """Normal numbers, stored here."""
        return self._draw("normal_", generator, mean, std)

    def random_(self, low: Any = None, high: Any = None, *, generator: Any = None) -> Tensor:
        """Whole numbers drawn evenly from [low, high), [0, low) or the dtype's whole range, stored here."""
        if low is not None and high is None:
            low, high = 0, low
        return self._draw("random_", generator, low, high)

    def bernoulli_(self, p: Any = 0.5, *, generator: Any = None) -> Tensor:
        """1 with probability p (a number or a tensor), else 0, stored here."""
        return self._draw("bernoulli_", generator, p._array if isinstance(p, TensorBase) else p)

    def exponential_(self, lambd: Any = 1.0, *, generator: Any = None) -> Tensor:
        """Exponentially distributed numbers, stored here."""
        return self._draw("exponential_", generator, lambd)

    def bernoulli(self, p: Any = None, *, generator: Any = None) -> Tensor:
        """1 with probability p, or with the probability that each element gives, else 0."""
        if p is None:
            return creation.bernoulli(self, generator=generator)
        return creation.empty_like(self).bernoulli_(p, generator=generator)

    multinomial = creation.multinomial

    # Activations -----------------------------------------------------------------------------------------

    relu, relu_ = activation.relu, activation.relu_
    sigmoid, sigmoid_ = activation.sigmoid, activation.sigmoid_
    tanh, tanh_ = activation.tanh, activation.tanh_
    softmax, log_softmax = activation.softmax, activation.log_softmax


_NUMBERS = (int, float, bool, np.generic)


def _known(other: Any, arrays: bool = False) -> bool:
    return isinstance(other, (TensorBase, *_NUMBERS)) or (arrays and isinstance(other, np.ndarray))


def _operand(other: Any) -> Any:
    return creation.from_numpy(other) if isinstance(other, np.ndarray) else other


def _filled(number: Any, like: Tensor) -> Tensor:
    return creation.full((), number).to(dtypes.common_dtype(like._array, number))


def _parse_to(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[DType | None, bool]:
    """The dtype that `.to(...)` asks for, and whether it asks for a copy."""
    options = dict(kwargs)
    kind, target, copy = options.pop("dtype", None), options.pop("device", None), options.pop("copy", False)
    options.pop("non_blocking", None)  # a hint; there is nothing to wait for
    memory_format = options.pop("memory_format", None)
    if memory_format is not None and str(memory_format) not in (
        "torch.preserve_format",
        "torch.contiguous_format",
    ):
        raise NotImplementedError(f"memory_format {memory_format} is not part of minitorch_cifar")
    if "other" in options:
        args = (options.pop("other"), *args)
    if options:
        raise TypeError(f"to() received an unexpected keyword argument '{next(iter(options))}'")
    flags = []
    for item in args:
        if isinstance(item, TensorBase):
            kind = FROM_NUMPY[item._array.dtype]
        elif isinstance(item, DType) or item in (float, int, bool):
            kind = item
        elif isinstance(item, bool):
            flags.append(item)  # non_blocking, copy
        elif item is None or isinstance(item, (str, int, Device)):
            target = item
        else:
            raise TypeError(f"to() received an invalid argument of type {type(item).__name__}: {item!r}")
    if len(flags) > 1:
        copy = flags[1]
    require_cpu(target)
    return (None if kind is None else as_dtype(kind)), copy


def _rebuild(cls: type[Any], array: Array, requires_grad: bool) -> Any:
    tensor = object.__new__(cls)
    tensor.__dict__.update(wrap(array, requires_grad).__dict__)
    return tensor
