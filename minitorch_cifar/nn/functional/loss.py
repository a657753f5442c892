"""Losses of numbers: `mse_loss`, `l1_loss`, `binary_cross_entropy`, `kl_div`, ...

Input (the prediction) and target have one shape; `reduction` is "mean" (the default), "sum", or "none" for
one loss per element. `size_average` and `reduce` are PyTorch's older spelling of `reduction`. Losses of
classes are in `classification.py`.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from ...dtypes import FROM_NUMPY, promote
from ...functions.arguments import cast_operand, check_broadcast, check_flag, check_tensor, to_dtype
from ...functions.elementwise import check_subtraction
from ...functions.shape import broadcast_tensors
from ...ops import loss as ops
from ...tensor import Tensor

if TYPE_CHECKING:
    pass

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "mse_loss",
    "smooth_l1_loss",
]


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """(input - target)^2. With `weight`, a factor for each element, "mean" divides by the sum of the weights.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.mse_loss(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 2.0, 5.0]))
    tensor(1.3333)
    """
    _warn_of_broadcasting(input, target)
    reduction = reduction_name(size_average, reduce, reduction)
    x, y = _same_shape_and_dtype(input, target)
    if weight is not None:
        check_subtraction(input, target)
        return _weighted((x - y).pow(2), weight, input, reduction)
    _check_floating(x, "mse_cpu")
    return ops.MseLoss.apply(x, y, reduction=reduction)  # type: ignore[no-any-return]


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """|input - target|. With `weight`, a factor for each element, "mean" divides by the sum of the weights.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.l1_loss(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 2.0, 5.0]))
    tensor(0.6667)
    """
    _warn_of_broadcasting(input, target)
    reduction = reduction_name(size_average, reduce, reduction)
    check_subtraction(input, target)
    x, y = _same_shape_and_dtype(input, target)
    losses = (x - y).abs()
    return _reduced(losses, reduction) if weight is None else _weighted(losses, weight, input, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """d^2 / (2 beta) where |d| < beta, |d| - beta / 2 elsewhere, d = input - target.

    RuntimeError for a negative `beta`; 0 gives `l1_loss`.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.smooth_l1_loss(torch.tensor([0.0, 3.0]), torch.zeros(2), reduction="none")
    tensor([0.0000, 2.5000])
    """
    _warn_of_broadcasting(input, target)
    reduction = reduction_name(size_average, reduce, reduction)
    x, y = _same_shape_and_dtype(input, target)
    if beta == 0:
        check_subtraction(input, target)
        return _reduced((x - y).abs(), reduction)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    _check_floating(x, "smooth_l1_cpu")
    return ops.SmoothL1Loss.apply(x, y, beta=float(beta), reduction=reduction)  # type: ignore[no-any-return]


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """d^2 / 2 where |d| <= delta, delta (|d| - delta / 2) elsewhere, d = input - target; the input's dtype.

    `weight`: a factor for each element. RuntimeError unless `delta` is positive.

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.huber_loss(torch.tensor([0.0, 3.0]), torch.zeros(2), reduction="none", delta=2.0)
    tensor([0., 4.])
    """
    _warn_of_broadcasting(input, target)
    reduction = reduction_name(None, None, reduction)
    x, y = _same_shape_and_dtype(input, target)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    if x.dtype.category > input.dtype.category:
        found, wanted = x.dtype.legacy_name, input.dtype.legacy_name
        raise RuntimeError(f"result type {found} can't be cast to the desired output type {wanted}")
    _check_floating(x, "huber_cpu")
    if weight is None and x.dtype is input.dtype:
        return ops.HuberLoss.apply(x, y, delta=float(delta), reduction=reduction)  # type: ignore[no-any-return]
    losses = to_dtype(ops.HuberLoss.apply(x, y, delta=float(delta), reduction="none"), input.dtype)
    if weight is not None:
        _check_weight_shape(weight, input)
        losses = losses * weight
    return _reduced(losses, reduction)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(target log(input) + (1 - target) log(1 - input)) for probabilities; log(0) counts as -100.

    `weight`: a factor for each element, which broadcasts. RuntimeError when a number is outside [0, 1].

    >>> import minitorch_cifar as torch
    >>> torch.nn.functional.binary_cross_entropy(torch.tensor([0.5, 0.9]), torch.tensor([1.0, 0.0]))
    tensor(1.4979)
    """
    reduction = reduction_name(size_average, reduce, reduction)
    if target.size() != input.size():
        raise ValueError(
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()}) is "
            "deprecated. Please ensure they have the same size."
        )
    if target.dtype is not input.dtype:
        found, expected = target.dtype.legacy_name, input.dtype.legacy_name
        raise RuntimeError(f"Found dtype {found} but expected {expected}")
    _check_floating(input, "binary_cross_entropy")
    for name, value in (("input", input), ("target", target)):
        if not np.all((value._array >= 0) & (value._array <= 1)):
            raise RuntimeError(f"all elements of {name} should be between 0 and 1")
    factors = _constant(weight, "binary_cross_entropy", "weight", input)
    return ops.BinaryCrossEntropy.apply(  # type: ignore[no-any-return]
        input, target, weight=factors, reduction=reduction
    )


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """`binary_cross_entropy` of sigmoid(input), exact for inputs of any size; in the target's dtype.

    `weight`: a factor for each element; `pos_weight`: one for the loss of positive targets. Both broadcast.

    >>> import minitorch_cifar as torch
    >>> logits, target = torch.tensor([0.0, 200.0]), torch.tensor([1.0, 0.0])
    >>> torch.nn.functional.binary_cross_entropy_with_logits(logits, target)
    tensor(100.3466)
    """
    reduction = reduction_name(size_average, reduce, reduction)
    if target.size() != input.size():
        raise ValueError(f"Target size ({target.size()}) must be the same as input size ({input.size()})")
    _check_floating(input, "log_sigmoid_cpu")
    if target._array.dtype.kind == "b":  # PyTorch starts with 1 - target
        check_subtraction(target, target)
    if not target.dtype.is_floating_point:
        found, wanted = input.dtype.legacy_name, target.dtype.legacy_name
        raise RuntimeError(f"result type {found} can't be cast to the desired output type {wanted}")
    function = "binary_cross_entropy_with_logits"
    factors = _constant(weight, function, "weight", input)
    positive = _constant(pos_weight, function, "pos_weight", input)
    x, y = _same_shape_and_dtype(input, target)
    if x.dtype is target.dtype:
        return ops.BinaryCrossEntropyWithLogits.apply(  # type: ignore[no-any-return]
            x, y, weight=factors, pos_weight=positive, reduction=reduction
        )
    losses = ops.BinaryCrossEntropyWithLogits.apply(
        x, y, weight=factors, pos_weight=positive, reduction="none"
    )
    return _reduced(to_dtype(losses, target.dtype), reduction)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """target (log(target) - input): the Kullback-Leibler divergence of exp(input) from target.

    `log_target`: the target is given as logarithms too. `reduction="batchmean"` divides the sum by the first
    dimension's size, which is the divergence as it is usually defined.

    >>> import minitorch_cifar as torch
    >>> p, q = torch.tensor([[0.5, 0.5]]), torch.tensor([[0.9, 0.1]])
    >>> torch.nn.functional.kl_div(q.log(), p, reduction="batchmean")
    tensor(0.5108)
    """
    if size_average is None and reduce is None and reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            stacklevel=2,
        )
    by_batch = reduction == "batchmean"
    name = reduction_name(size_average, reduce, "sum" if by_batch else reduction)
    check_tensor(input, "kl_div")
    check_tensor(target, "kl_div", "target")
    if not (input.dtype.is_floating_point and target.dtype.is_floating_point):
        raise RuntimeError("kl_div: Integral inputs not supported.")
    if log_target:
        losses = target.exp() * (target - input)
    else:
        losses = ops.Xlogy.apply(target, target) - target * input
    result = _reduced(losses, name)
    return result / input.shape[0] if by_batch and input.dim() else result


def reduction_name(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction meant: "none", "mean" or "sum". ValueError for another one.

    The older arguments win when given, with a warning that names their replacement.
    """
    if size_average is not None or reduce is not None:
        for flag in (size_average, reduce):
            if flag is not None:
                check_flag(flag, "the loss", "size_average or reduce")
        if reduce is False:
            reduction = "none"
        else:
            reduction = "sum" if size_average is False else "mean"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            stacklevel=3,
        )
    if reduction == "elementwise_mean":
        warnings.warn(
            "reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.", stacklevel=3
        )
        return "mean"
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def _warn_of_broadcasting(input: Tensor, target: Tensor) -> None:
    if target.size() != input.size():
        warnings.warn(
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()}). "
            "This will likely lead to incorrect results due to broadcasting. Please ensure they have the "
            "same size.",
            stacklevel=3,
        )


def _same_shape_and_dtype(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    if input._array.shape != target._array.shape:
        check_broadcast(input._array, target._array)
        input, target = broadcast_tensors(input, target)
    if input._array.dtype != target._array.dtype:
        common = promote(input.dtype, target.dtype)
        input, target = to_dtype(input, common), to_dtype(target, common)
    return input, target


def _reduced(losses: Tensor, reduction: str) -> Tensor:
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()


def _check_weight_shape(weight: Tensor, input: Tensor) -> None:
    if weight.size() != input.size():
        raise ValueError("Weights and input must have the same size.")


def _weighted(losses: Tensor, weight: Tensor, input: Tensor, reduction: str) -> Tensor:
    _check_weight_shape(weight, input)
    losses = losses * weight
    if reduction == "none":
        return losses
    return losses.sum() / weight.sum() if reduction == "mean" else losses.sum()


def _check_floating(input: Tensor, kernel: str) -> None:
    kind = FROM_NUMPY[input._array.dtype]
    if not kind.is_floating_point:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind.legacy_name}'")


def _constant(factor: Tensor | None, function: str, argument: str, input: Tensor) -> Tensor | None:
    """A weight, to which no gradient goes, in the input's dtype; it broadcasts to the input."""
    if factor is None:
        return None
    check_tensor(factor, function, argument)
    if factor.requires_grad:
        raise RuntimeError(
            f"The function '{function}' is not differentiable with respect to argument '{argument}'. This "
            "input cannot have requires_grad True."
        )
    shape = input._array.shape
    check_broadcast(factor._array, input._array)
    if np.broadcast_shapes(factor._array.shape, shape) != shape:
        raise RuntimeError(
            f"output with shape {list(shape)} doesn't match the broadcast shape "
            f"{list(np.broadcast_shapes(factor._array.shape, shape))}"
        )
    return cast_operand(factor.detach(), input.dtype)  # type: ignore[no-any-return]
