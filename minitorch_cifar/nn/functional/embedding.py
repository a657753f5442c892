"""`embedding`: the table of vectors as a function. The mathematics is in `ops.indexing`."""

from __future__ import annotations

import numpy as np

from ...dtypes import FROM_NUMPY, Array
from ...functions.arguments import check_tensor
from ...ops.indexing import Embedding
from ...tensor import Tensor

__all__ = ["embedding"]


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of `weight` at the indices `input`: y[..., :] = weight[input[...], :].

    Shapes: input (*) of int64 or int32, weight (V, D), the result (*, D).

    Args:
        padding_idx: a row that gets no gradient; negative ones count from the end.
        max_norm: rows that are read and longer than this are shortened to it, in place and for good.
        norm_type: which norm is meant: (sum of |w|^norm_type)^(1/norm_type).
        scale_grad_by_freq: divide each row's gradient by how often it was read.
        sparse: True is NotImplementedError, gradients are dense.

    IndexError for an index that is no row, RuntimeError for indices that are no whole numbers.

    >>> import minitorch_cifar as torch
    >>> table = torch.tensor([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]])
    >>> torch.nn.functional.embedding(torch.tensor([2, 1]), table)
    tensor([[3., 4.],
            [1., 2.]])
    """
    check_tensor(input, "embedding", "indices")
    check_tensor(weight, "embedding", "weight")
    table, indices = weight._array, input._array
    if padding_idx is not None:
        rows = table.shape[0]
        if not -rows <= padding_idx < max(rows, 1):
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= rows
    if table.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if indices.dtype not in (np.int64, np.int32):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; "
            f"but got torch.{FROM_NUMPY[indices.dtype].legacy_name}Tensor instead "
            "(while checking arguments for embedding)"
        )
    if sparse:
        raise NotImplementedError("embedding(sparse=True) is not part of minitorch_cifar; use sparse=False")
    if indices.size and not (indices.min() >= 0 and indices.max() < table.shape[0]):
        raise IndexError("index out of range in self")
    if max_norm is not None:
        shorten_rows(table, np.unique(indices), max_norm, norm_type)
        weight.bump_version()
    return Embedding.apply(  # type: ignore[no-any-return]
        weight,
        indices=input,
        padding_idx=-1 if padding_idx is None else padding_idx,
        by_frequency=bool(scale_grad_by_freq),
    )


def shorten_rows(table: Array, rows: Array, max_norm: float, norm_type: float) -> None:
    """Scale the given rows of a table, in place, to a norm of at most `max_norm`."""
    for row in rows:
        length = float(np.linalg.norm(table[row].astype(np.float64), norm_type))
        if length > max_norm:
            table[row] *= table.dtype.type(max_norm / (length + 1e-7))
