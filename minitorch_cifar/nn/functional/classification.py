"""Losses of classes: `cross_entropy` and `nll_loss`; and `one_hot`.

Scores of C classes stand in dimension 1 of the input (N, C) or (N, C, d1, d2, ...), or make up a single input
(C). Targets are class numbers, of the input's shape without the classes; `cross_entropy` also takes
probabilities, of the input's shape. `cross_entropy` is `log_softmax` and then `nll_loss`, in the graph too.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from ...autograd import wrap
from ...dtypes import float32, float64, int64, uint8
from ...functions.arguments import check_tensor
from ...ops import loss as ops
from ...ops.activation import LogSoftmax
from ...tensor import Tensor
from .loss import reduction_name

if TYPE_CHECKING:
    from ...dtypes import Array

__all__ = ["cross_entropy", "nll_loss", "one_hot"]


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log softmax(input)[target]: how surprised softmax of the scores `input` is by the class `target`.

    Shapes: input (C), (N, C) or (N, C, d1, ...); target of class numbers (int64 or uint8) (), (N) or
    (N, d1, ...), or of class probabilities (floating point) with the input's shape.
    `weight`: (C), a factor for each class. `ignore_index`: targets with this number count for nothing; the
    mean is NaN when there are no others. `label_smoothing`: the share, in [0, 1], of each target that is
    spread evenly over all classes. `reduction`: "mean" (weighted, over targets that count), "sum" or "none".
    IndexError for a target that is no class; RuntimeError or ValueError for shapes or dtypes that do not fit.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.cross_entropy(torch.tensor([[0.1, 0.2, 0.3]]), torch.tensor([1]))
    tensor(1.1019)
    """
    reduction = reduction_name(size_average, reduce, reduction)
    check_tensor(input, "cross_entropy_loss")
    check_tensor(target, "cross_entropy_loss", "target")
    if weight is not None:
        check_tensor(weight, "cross_entropy_loss", "weight")
    ignore_index = _as_index(ignore_index, "cross_entropy_loss")
    if not isinstance(label_smoothing, (int, float)):
        kind = type(label_smoothing).__name__
        raise TypeError(f"cross_entropy_loss(): argument 'label_smoothing' must be float, not {kind}")
    if input._array.shape == target._array.shape:
        return _cross_entropy_of_probabilities(
            input, target, weight, ignore_index, reduction, label_smoothing
        )
    log_probabilities = _log_softmax(input)
    losses = _nll_loss(log_probabilities, target, weight, ignore_index, reduction)
    if label_smoothing <= 0:
        return losses
    _check_smoothing(label_smoothing)
    even = _even_loss(log_probabilities, target, weight, ignore_index, reduction)
    classes = input._array.shape[_class_dim(input)]
    mixed: Tensor = losses * (1 - label_smoothing) + even * (label_smoothing / classes)
    return mixed


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-input[target] for log-probabilities `input`: the negative log-likelihood of the class `target`.

    Shapes, arguments and errors as for `cross_entropy` with class numbers.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.nll_loss(torch.tensor([[-2.0, -1.0, -0.5]]), torch.tensor([2]))
    tensor(0.5000)
    """
    reduction = reduction_name(size_average, reduce, reduction)
    check_tensor(input, "nll_loss_nd")
    check_tensor(target, "nll_loss_nd", "target")
    if weight is not None:
        check_tensor(weight, "nll_loss_nd", "weight")
    return _nll_loss(input, target, weight, _as_index(ignore_index, "nll_loss_nd"), reduction)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Class numbers as vectors with a 1 in the place of the class: int64 (...) -> int64 (..., num_classes).

    -1 takes as many classes as the largest number needs. RuntimeError for a number that is no class.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.one_hot(torch.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    check_tensor(tensor, "one_hot")
    numbers: Array = tensor._array
    if tensor.dtype is not int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if not numbers.size:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
    else:
        if numbers.min() < 0:
            raise RuntimeError("Class values must be non-negative.")
        if num_classes == -1:
            num_classes = int(numbers.max()) + 1
        elif numbers.max() >= num_classes:
            raise RuntimeError("Class values must be smaller than num_classes.")
    return wrap((numbers[..., None] == np.arange(num_classes)).astype(np.int64, order="C"))


def _class_dim(input: Tensor) -> int:
    return 0 if input._array.ndim == 1 else 1


def _log_softmax(input: Tensor) -> Tensor:
    if input._array.dtype.kind != "f":
        name = input.dtype.legacy_name
        raise NotImplementedError(f"\"log_softmax_lastdim_kernel_impl\" not implemented for '{name}'")
    if not input._array.ndim:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    return LogSoftmax.apply(input, dim=_class_dim(input))  # type: ignore[no-any-return]


def _nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str
) -> Tensor:
    x, labels = input._array, target._array
    if not x.ndim:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if x.ndim == 1 and labels.ndim == 1 and labels.size != 1:
        raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {labels.size}")
    if x.ndim > 1 and labels.shape[:1] != x.shape[:1]:
        found = labels.shape[0] if labels.ndim else 0
        raise ValueError(f"Expected input batch_size ({x.shape[0]}) to match target batch_size ({found}).")
    if x.ndim == 3 or x.ndim > 4:
        return _nll_loss_as_pictures(input, target, weight, ignore_index, reduction)
    _check_target_shape(x, labels)
    if target.dtype is not int64 and target.dtype is not uint8:
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {target.dtype.legacy_name}")
    if x.ndim == 4 and target.dtype is uint8:
        raise RuntimeError("expected scalar type Long but found Byte")
    factors = None if weight is None else _class_weights(weight, input)
    if x.dtype.kind != "f":
        raise NotImplementedError(f"\"nll_loss_out_frame\" not implemented for '{input.dtype.legacy_name}'")
    operation = ops.NllLoss2D if x.ndim == 4 else ops.NllLoss
    return operation.apply(  # type: ignore[no-any-return]
        input,
        target=target if labels.dtype == np.int64 else labels.astype(np.int64),
        weight=factors,
        ignore_index=ignore_index,
        reduction=reduction,
    )


def _nll_loss_as_pictures(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str
) -> Tensor:
    """Other numbers of dimensions: (N, C, d1, ...) -> (N, C, 1, d1 · ...), and the target likewise."""
    x, labels = input._array, target._array
    samples, classes = x.shape[:2]
    wanted = (samples, *x.shape[2:])
    if labels.shape != wanted:
        raise RuntimeError(f"Expected target size {list(wanted)}, got {list(labels.shape)}")
    positions = int(np.prod(x.shape[2:]))
    picture = input.reshape(samples, classes, 1, positions)
    losses = _nll_loss(picture, target.reshape(samples, 1, positions), weight, ignore_index, reduction)
    return losses.reshape(wanted) if reduction == "none" else losses


def _check_target_shape(x: Array, labels: Array) -> None:
    if x.ndim <= 2:
        if labels.ndim > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    elif labels.ndim != 3:
        raise RuntimeError(
            "only batches of spatial targets supported (3D tensors) but got targets of dimension: "
            f"{labels.ndim}"
        )
    elif labels.shape[1:] != x.shape[2:]:
        raise RuntimeError(f"size mismatch (got input: {list(x.shape)} , target: {list(labels.shape)}")


def _class_weights(weight: Tensor, input: Tensor) -> Array:
    classes = input._array.shape[_class_dim(input)]
    if weight._array.shape != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight "
            f"tensor of shape: {list(weight._array.shape)}"
        )
    if weight.requires_grad:
        raise RuntimeError(
            "The function 'nll_loss_forward' is not differentiable with respect to argument 'weight'. This "
            "input cannot have requires_grad True."
        )
    if weight.dtype is not input.dtype and input.dtype in (float32, float64):
        raise RuntimeError(
            f"expected scalar type {input.dtype.legacy_name} but found {weight.dtype.legacy_name}"
        )
    return weight._array


def _as_index(value: Any, function: str) -> int:
    try:
        return operator.index(value)
    except TypeError:
        kind = type(value).__name__
        raise TypeError(f"{function}(): argument 'ignore_index' must be int, not {kind}") from None


def _check_smoothing(label_smoothing: float) -> None:
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")


def _along_classes(weight: Tensor, input: Tensor) -> Tensor:
    """(C) -> (1, C, 1, ...), which broadcasts against the input."""
    shape = [1] * input.dim()
    shape[_class_dim(input)] = -1
    return weight.reshape(shape)


def _even_loss(
    log_probabilities: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str
) -> Tensor:
    """The sum of the (weighted) losses of all classes: what label smoothing mixes in."""
    if weight is not None:
        log_probabilities = log_probabilities * _along_classes(weight, log_probabilities)
    ignored = target == ignore_index
    losses = -log_probabilities.sum(_class_dim(log_probabilities)).masked_fill(ignored, 0.0)
    if reduction == "none":
        return losses
    if reduction == "sum":
        return losses.sum()
    kept = target._array[~ignored._array]
    return losses.sum() / (kept.size if weight is None else float(weight._array[kept].sum(dtype=np.float64)))


def _cross_entropy_of_probabilities(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    label_smoothing: float,
) -> Tensor:
    """-sum over the classes of target · log softmax(input), for targets that are distributions."""
    if not target.dtype.is_floating_point:
        name = target.dtype.legacy_name
        raise RuntimeError(f"Expected floating point type for target with class probabilities, got {name}")
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    if not input.dim():
        raise IndexError("Dimension specified as 1 but tensor has no dimensions")
    dim = _class_dim(input)
    classes = input._array.shape[dim]
    terms = _log_softmax(input)
    if label_smoothing > 0:
        _check_smoothing(label_smoothing)
        target = target * (1 - label_smoothing) + label_smoothing / classes
    terms = terms * target
    if weight is not None:
        if weight._array.shape != (classes,):
            raise RuntimeError(
                f"cross_entropy: weight tensor should be defined either for all {classes} classes or no "
                f"classes but got weight tensor of shape: {list(weight._array.shape)}"
            )
        terms = terms * _along_classes(weight, input)
    if reduction == "none":
        return -terms.sum(dim)
    total = -terms.sum()
    # The mean is over the targets, not over the classes; of no targets it is NaN.
    return total / (input.numel() / classes if classes else float("nan")) if reduction == "mean" else total
