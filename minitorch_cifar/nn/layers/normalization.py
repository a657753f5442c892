"""The batch norms: they hold scale, shift and running statistics, and call `nn.functional.batch_norm`.

In training mode a batch is normalised by its own mean and variance, which also move the running ones; in
evaluation mode the running ones are used, so that a picture's result does not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minitorch_cifar.dtypes import int64
from minitorch_cifar.functions.creation import empty, tensor
from minitorch_cifar.nn import functional as F
from minitorch_cifar.nn import init
from minitorch_cifar.nn.module import Module
from minitorch_cifar.nn.parameter import Parameter
from minitorch_cifar.tensor import Tensor

__all__ = ["BatchNorm1d", "BatchNorm2d"]


class _BatchNorm(Module):
    """What the batch norms share: everything but the number of axes they accept."""

    _version = 2  # 2: `num_batches_tracked` was added

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats

        def values() -> Tensor:
            return empty(num_features, device=device, dtype=dtype)

        self.register_parameter("weight", Parameter(values()) if affine else None)
        self.register_parameter("bias", Parameter(values()) if affine and bias else None)
        self.register_buffer("running_mean", values() if track_running_stats else None)
        self.register_buffer("running_var", values() if track_running_stats else None)
        count = tensor(0, dtype=int64) if track_running_stats else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Back to mean 0, variance 1, no batches seen."""
        if self.running_mean is not None and self.running_var is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Back to running statistics as new, scale 1 and shift 0."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        raise NotImplementedError

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        tracking = self.training and self.track_running_stats
        momentum = 0.0 if self.momentum is None else self.momentum
        count = self.num_batches_tracked if tracking else None
        if count is not None:
            if count._array.dtype.kind == "i" and not count._version_counter.is_inference:
                count._array += 1  # the usual case of `add_`, which takes longer than all the rest here
                count.bump_version()
            else:
                count.add_(1)
            if self.momentum is None:  # the plain mean over all batches
                momentum = 1.0 / float(count)
        # Evaluation mode without running statistics falls back on those of the batch.
        batch_statistics = self.training or (self.running_mean is None and self.running_var is None)
        keep = not self.training or self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if keep else None,
            self.running_var if keep else None,
            self.weight,
            self.bias,
            batch_statistics,
            momentum,
            self.eps,
        )

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Mapping[str, Any], *rest: Any
    ) -> None:
        # Files written before version 2 do not count batches: keep this layer's count.
        key = prefix + "num_batches_tracked"
        if (
            local_metadata.get("version", 1) < 2
            and self.num_batches_tracked is not None
            and key not in state_dict
        ):
            state_dict[key] = self.num_batches_tracked
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Batch norm over (N, C) or (N, C, L): each of the C features gets mean 0 and variance 1 over the batch.

    y = (x − mean) / √(variance + eps) · weight + bias. Arguments as for `BatchNorm2d`.

    >>> import minitorch_cifar as torch
    >>> torch.nn.BatchNorm1d(3)(torch.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))[0]
    tensor([-1.0000,  0.0000,  1.0000], grad_fn=<SelectBackward0>)
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (2, 3):
            raise ValueError(f"expected 2D or 3D input (got {input.dim()}D input)")


class BatchNorm2d(_BatchNorm):
    """Batch norm over (N, C, H, W): each channel gets mean 0 and variance 1 over batch and picture.

    y = (x − mean) / √(variance + eps) · weight + bias. The running variance is the unbiased one.

    Args:
        num_features: C.
        eps: keeps the root away from 0.
        momentum: share of the new batch in the running statistics; None: the plain mean over all batches.
        affine: whether weight and bias are there.
        track_running_stats: whether running statistics are kept; without them evaluation uses the batch's
            own.
        device, dtype: of parameters and buffers.
        bias: False leaves out the bias alone.

    Raises:
        ValueError: not four axes, or a single value per channel in training mode.

    >>> import minitorch_cifar as torch
    >>> layer = torch.nn.BatchNorm2d(6)
    >>> layer(torch.randn(4, 6, 8, 8)).shape, layer.num_batches_tracked
    (torch.Size([4, 6, 8, 8]), tensor(1))
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 4:
            raise ValueError(f"expected 4D input (got {input.dim()}D input)")
