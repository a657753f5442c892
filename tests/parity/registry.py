"""One row per operation: what it is called, how its inputs are drawn, what is promised of it.

`test_operations.py` crosses every row with its test templates. The rows themselves are in `rows/`, one file
per room. To
add an operation, add a row:

    Row("add", lambda make: make.sample(*make.tensors(make.broadcastable(2)), **make.some(alpha=(2, -0.5))),
        inplace=True, out=True, ways={"x + y": operator.add})
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .drawing import DTYPES, Maker, Sample

Failing = Callable[[Any], Any]  # called with a namespace; raises


@dataclass(frozen=True)
class Row:
    """An operation under test.

    name: as in `torch.NAME`; with a dot (`nn.functional.relu`) its whole path.
    draw: makes a sample with a `Maker`.
    forms: "torch" (a function of the namespace), "method" (of the first tensor).
    ways: further spellings by name, such as operators; used for samples without keyword arguments.
    covers: dunder methods that the ways go through.
    aliases: other names of the very same function.
    inplace: whether a method `NAME_` stores the result in its tensor.
    out: whether the function takes `out=`; out_dtypes: of which dtypes it may be.
    differentiable: whether results carry gradients.
    regimes: the kinds of values that are drawn.
    smooth: the regime for gradcheck, None where differences make no sense.
    dtypes: what the mixed-dtype template draws; () leaves that template out.
    kernels: whether backends matter.
    nodes: whether the printed names of nodes are PyTorch's.
    random: whether it draws; both generators are then seeded alike before each call.
    errors: calls that PyTorch refuses.
    call: replaces `torch.NAME` where a plain call will not do.
    """

    name: str
    draw: Callable[[Maker], Sample]
    forms: tuple[str, ...] = ("torch", "method")
    ways: dict[str, Callable[..., Any]] = field(default_factory=dict)
    covers: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    inplace: bool = False
    out: bool = False
    out_dtypes: tuple[str, ...] = ("same", "float64", "float32", "int64", "bool")
    differentiable: bool = True
    regimes: tuple[str, ...] = ("ordinary", "ties", "special", "extreme")
    smooth: str | None = "distinct"
    dtypes: tuple[str, ...] = DTYPES
    kernels: bool = False
    random: bool = False
    nodes: bool = True
    errors: tuple[Failing, ...] = ()
    call: Callable[..., Any] | None = None

    def spellings(self) -> tuple[str, ...]:
        """All ways to write the call."""
        return (*self.forms, *(["inplace"] if self.inplace else []), *self.ways)

    def invoke(self, spelling: str, torch: Any, sample_args: Any, sample_kwargs: Any) -> Any:
        """Run the operation in one spelling with tensors of the namespace `torch`."""
        if self.random:
            torch.manual_seed(2013)
        args, kwargs = list(sample_args), dict(sample_kwargs)
        first_is_tensor = bool(args) and torch.is_tensor(args[0])
        if spelling in self.ways and not kwargs:
            return self.ways[spelling](*args)
        if spelling == "inplace" and first_is_tensor:
            return getattr(args[0].clone(), f"{self.short_name}_")(*args[1:], **kwargs)
        if "method" in self.forms and first_is_tensor and (spelling == "method" or "torch" not in self.forms):
            return getattr(args[0], self.short_name)(*args[1:], **kwargs)
        if self.call is not None:
            return self.call(torch, *args, **kwargs)
        return self.function(torch)(*args, **kwargs)

    def function(self, torch: Any) -> Any:
        """The function itself, found by its path in a namespace."""
        found = torch
        for part in self.name.split("."):
            found = getattr(found, part)
        return found

    @property
    def short_name(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2].partition(" ")[0]

    def __repr__(self) -> str:
        return self.name

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


def all_rows() -> list[Row]:
    """Every row, in the order of the rooms."""
    from .rows import elementwise, functional, indexing, matmul, reduction, shape

    modules = (elementwise, reduction, shape, indexing, matmul, functional)
    rows = [row for module in modules for row in module.ROWS]
    names = [row.name for row in rows]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise ValueError(f"rows of the same name: {sorted(doubled)}")
    return rows


ROWS = all_rows()
