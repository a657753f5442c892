"""Products of vectors and matrices: `matmul` and its special cases."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import FROM_NUMPY
from ..ops import matmul as ops
from ..ops.shape import Squeeze, UnsafeView
from .arguments import check_broadcast, check_scalar, check_tensor, finish, refuse

if TYPE_CHECKING:
    from ..tensor import Tensor


def _check_dtypes(x: Tensor, y: Tensor) -> None:
    a, b = FROM_NUMPY[x._array.dtype], FROM_NUMPY[y._array.dtype]
    if a is not b:
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {_c_name(a)} != {_c_name(b)}"
        )


def _c_name(kind: Any) -> str:
    names = {
        "float32": "float",
        "float64": "double",
        "int64": "long",
        "int32": "int",
        "uint8": "unsigned char",
    }
    return names.get(kind.name, str(kind.name))


def _refuse_bool(kernel: str, *factors: Tensor) -> None:
    # Products of nothing never reach the kernel.
    if factors[0]._array.dtype.kind == "b" and all(factor._array.size for factor in factors):
        refuse(kernel, FROM_NUMPY[factors[0]._array.dtype])


def mm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The product of two matrices, (n, m) x (m, p) -> (n, p)."""
    check_tensor(input, "mm")
    check_tensor(mat2, "mm", "mat2")
    a, b = input._array.shape, mat2._array.shape
    if len(a) != 2:
        raise RuntimeError(f"mm: self must be a matrix, got {len(a)}-D tensor")
    if len(b) != 2:
        raise RuntimeError(f"mm: mat2 must be a matrix, got {len(b)}-D tensor")
    if a[1] != b[0]:
        raise RuntimeError(f"mm: mat1 and mat2 shapes cannot be multiplied ({a[0]}x{a[1]} and {b[0]}x{b[1]})")
    _check_dtypes(input, mat2)
    _refuse_bool("addmm_impl_cpu_", input, mat2)
    return finish(ops.Mm.apply(input, mat2), out)


def bmm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Products of matrices in batches, (b, n, m) x (b, m, p) -> (b, n, p)."""
    check_tensor(input, "bmm")
    check_tensor(mat2, "bmm", "mat2")
    a, b = input._array.shape, mat2._array.shape
    if len(a) != 3 or len(b) != 3:
        raise RuntimeError(f"batch1 and batch2 must be 3D tensors, got {len(a)}D and {len(b)}D")
    if a[0] != b[0] or a[2] != b[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{a[0]}, {a[2]}] but got: "
            f"[{b[0]}, {b[1]}]."
        )
    _check_dtypes(input, mat2)
    _refuse_bool("bmm", input, mat2)
    return finish(ops.Bmm.apply(input, mat2), out)


def mv(input: Tensor, vec: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A matrix times a vector, (n, m) x (m) -> (n)."""
    check_tensor(input, "mv")
    check_tensor(vec, "mv", "vec")
    a, b = input._array.shape, vec._array.shape
    if len(a) != 2 or len(b) != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {len(b)}, {len(a)}, {len(b)}")
    if a[1] != b[0]:
        raise RuntimeError(f"size mismatch, got input ({a[0]}), mat ({a[0]}x{a[1]}), vec ({b[0]})")
    _check_dtypes(input, vec)
    _refuse_bool("addmv_impl_cpu", input, vec)
    return finish(ops.Mv.apply(input, vec), out)


def dot(input: Tensor, tensor: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The sum of products of two vectors of one length."""
    check_tensor(input, "dot")
    check_tensor(tensor, "dot", "tensor")
    a, b = input._array.shape, tensor._array.shape
    if len(a) != 1 or len(b) != 1:
        raise RuntimeError(f"1D tensors expected, but got {len(a)}D and {len(b)}D tensors")
    if a != b:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{a[0]}] and src [{b[0]}] to have the same number of "
            f"elements, but got {a[0]} and {b[0]} elements respectively"
        )
    if input._array.dtype != tensor._array.dtype:
        first, second = FROM_NUMPY[input._array.dtype], FROM_NUMPY[tensor._array.dtype]
        raise RuntimeError(
            f"dot : expected both vectors to have same dtype, but found {first.legacy_name} and "
            f"{second.legacy_name}"
        )
    _refuse_bool("dot", input, tensor)
    return finish(ops.Dot.apply(input, tensor), out)


def matmul(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The product of vectors, matrices, or batches of matrices whose leading dimensions broadcast.

    >>> import minitorch_cifar as torch
    >>> (torch.ones(2, 3) @ torch.ones(3)).tolist()
    [3.0, 3.0]
    """
    check_tensor(input, "matmul")
    check_tensor(other, "matmul", "other")
    x, y = input, other
    n, m = x._array.ndim, y._array.ndim
    if n == 0 or m == 0:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {n}D and {m}D")
    if n == 1 and m == 1:
        return finish(dot(x, y), out)
    if n == 2 and m == 1:
        return finish(mv(x, y), out)
    if n == 1 and m == 2:
        return finish(_row_times(x, y), out)
    if n == 2 and m == 2:
        return finish(mm(x, y), out)
    if m <= 2 and n >= 3:  # fold the batch into rows: one large product instead of many small ones
        matrix = y if m == 2 else y.unsqueeze(1)
        a = x._array.shape
        if a[-1] != matrix._array.shape[0]:
            raise RuntimeError(
                f"mm: mat1 and mat2 shapes cannot be multiplied ({math.prod(a[:-1])}x{a[-1]} and "
                f"{matrix._array.shape[0]}x{matrix._array.shape[1]})"
            )
        rows = x.reshape(math.prod(a[:-1]), a[-1])
        shape = (*a[:-1], matrix._array.shape[1]) if m == 2 else a[:-1]
        return finish(UnsafeView.apply(mm(rows, matrix), shape=shape), out)
    return finish(_batched(x, y), out)


def _batched(x: Tensor, y: Tensor) -> Tensor:
    vector = x._array.ndim == 1
    if vector:
        x = x.unsqueeze(0)
    a, b = x._array.shape, y._array.shape
    if a[-1] != b[-2]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{math.prod(b[:-2])}, {a[-1]}] "
            f"but got: [{math.prod(b[:-2])}, {b[-2]}]."
        )
    check_broadcast(np.broadcast_to(np.empty(()), a[:-2]), np.broadcast_to(np.empty(()), b[:-2]))
    batch = np.broadcast_shapes(a[:-2], b[:-2])
    size = math.prod(batch)
    left = x.expand(*batch, *a[-2:]).reshape(size, *a[-2:])
    right = y.expand(*batch, *b[-2:]).reshape(size, *b[-2:])
    shape = (*batch, b[-1]) if vector else (*batch, a[-2], b[-1])
    return UnsafeView.apply(bmm(left, right), shape=shape)  # type: ignore[no-any-return]


def _row_times(x: Tensor, y: Tensor) -> Tensor:
    product = mm(x.unsqueeze(0), y)
    return Squeeze.apply(product, dims=(0,), node_name="SqueezeBackward4")  # type: ignore[no-any-return]


def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: Tensor | None = None
) -> Tensor:
    """beta * input + alpha * (mat1 @ mat2), with `input` broadcast to the product."""
    for name, value in (("input", input), ("mat1", mat1), ("mat2", mat2)):
        check_tensor(value, "addmm", name)
    a, b = mat1._array.shape, mat2._array.shape
    if len(a) != 2 or len(b) != 2:
        raise RuntimeError(
            f"mat1 must be a matrix, got {len(a)}-D tensor"
            if len(a) != 2
            else f"mat2 must be a matrix, got {len(b)}-D tensor"
        )
    if a[1] != b[0]:
        raise RuntimeError(
            f"addmm: mat1 and mat2 shapes cannot be multiplied ({a[0]}x{a[1]} and {b[0]}x{b[1]})"
        )
    _check_dtypes(mat1, mat2)
    _check_dtypes(input, mat1)
    shape = (a[0], b[1])
    try:
        fits = np.broadcast_shapes(input._array.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise RuntimeError(
            f"The expanded size of the tensor ({shape[-1]}) must match the existing size "
            f"({(1, *input._array.shape)[-1]}) at non-singleton dimension 1.  Target sizes: {list(shape)}.  "
            f"Tensor sizes: {list(input._array.shape)}"
        )
    _refuse_bool("addmm_impl_cpu_", mat1, mat2)
    check_scalar(beta, "addmm", "beta")
    check_scalar(alpha, "addmm", "alpha")
    return finish(ops.Addmm.apply(input, mat1, mat2, beta=beta, alpha=alpha), out)


def outer(input: Tensor, vec2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The product of a column and a row, (n) x (m) -> (n, m)."""
    check_tensor(input, "outer")
    check_tensor(vec2, "outer", "vec2")
    for name, value in (("self", input), ("vec2", vec2)):
        if value._array.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {value._array.ndim}-D")
    return finish(input.unsqueeze(1) * vec2, out)
