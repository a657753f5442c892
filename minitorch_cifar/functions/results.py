"""The named pairs that `max`, `sort` and others return: (values, indices), printed as PyTorch prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..tensor import Tensor


class _Pair(NamedTuple):
    values: Tensor
    indices: Tensor


def _named(name: str) -> Any:
    def __repr__(self: Any) -> str:  # noqa: N807
        return f"torch.return_types.{name}(\nvalues={self.values!r},\nindices={self.indices!r})"

    return type(name, (_Pair,), {"__repr__": __repr__, "__slots__": (), "__module__": "torch.return_types"})


max_result, min_result, median_result = _named("max"), _named("min"), _named("median")
sort_result, topk_result = _named("sort"), _named("topk")
