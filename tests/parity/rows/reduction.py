"""Rows of reductions, running sums, sorting and counting."""

from __future__ import annotations

from typing import Any

from ..drawing import Maker, Sample
from ..registry import Failing, Row
from .elementwise import no_tensor


def _reduced(make: Maker, **extra: Any) -> Sample:
    """A tensor, dimensions in one of the spellings, keepdim."""
    shape = make.shape()
    x = make.tensors([shape])
    dims = make.dims(len(shape))
    kwargs: dict[str, Any] = {}
    args: list[Any] = []
    if dims is not None:
        if make.flag():
            args.append(dims)
        else:
            kwargs["dim"] = dims
        kwargs.update(make.some(keepdim=(True, False)))
    kwargs.update(extra)
    return make.sample(*x, *args, **kwargs)


def _sum(make: Maker) -> Sample:
    plain = make.mixed or make.regime == "distinct"  # finite differences need float64
    return _reduced(make, **({} if plain else make.some(dtype=("float64", "float32"))))


def _one_dim(make: Maker) -> Sample:
    """A tensor and perhaps one dimension."""
    shape = make.shape(min_side=0 if make.flag() else 1)
    x = make.tensors([shape])
    if make.flag() and make.flag():
        return make.sample(*x)
    return make.sample(*x, make.dim(len(shape)), **make.some(keepdim=(True, False)))


def _dim(make: Maker, **extra: Any) -> Sample:
    """A tensor and one dimension."""
    shape = make.shape()
    return make.sample(*make.tensors([shape]), make.dim(len(shape)), **extra)


def _extreme(make: Maker) -> Sample:
    if make.flag() and make.flag():
        return make.sample(*make.tensors(make.broadcastable(2)))
    return _one_dim(make)


def _dims_keyword(make: Maker) -> Sample:
    """A tensor, dimensions (never absent), keepdim."""
    shape = make.shape(min_side=0 if make.flag() else 1)
    dims = make.dims(len(shape))
    return make.sample(
        *make.tensors([shape]), *(() if dims is None else (dims,)), **make.some(keepdim=(True, False))
    )


def _spread(make: Maker) -> Sample:
    shape = make.shape()
    x = make.tensors([shape])
    form = make.choice("none", "dim", "unbiased", "dim and unbiased", "correction")
    dims = make.dims(len(shape))
    keep = make.some(keepdim=(True, False))
    if form == "none":
        return make.sample(*x)
    if form == "unbiased":
        return make.sample(*x, make.flag())
    if form == "dim":
        return make.sample(*x, dims, **keep) if dims is not None else make.sample(*x)
    if form == "dim and unbiased":
        return make.sample(*x, dims if dims is not None else 0, make.flag(), **keep)
    return make.sample(*x, dim=dims, correction=make.choice(1, 0, 2, 0.5), **keep)


def _norm(make: Maker) -> Sample:
    shape = make.shape(min_side=1)
    kwargs = make.some(p=(2, 1, "fro", float("inf"), 3, 0, -1, 0.5, float("-inf")))
    dims = make.dims(len(shape))
    if dims is not None:
        kwargs.update(dim=dims, **make.some(keepdim=(True, False)))
        if kwargs.get("p") == "fro" and isinstance(dims, tuple) and len(dims) > 2:
            kwargs["p"] = 2
    return make.sample(*make.tensors([shape]), **kwargs)


def _sort(make: Maker) -> Sample:
    shape = make.shape()
    kwargs = make.some(descending=(True, False))
    if make.flag():
        kwargs["dim"] = make.dim(len(shape))
    return make.sample(*make.tensors([shape]), stable=True, **kwargs)


def _topk(make: Maker) -> Sample:
    shape = make.shape(min_ndim=0)
    d = make.dim(len(shape))
    n = shape[d] if shape else 1
    return make.sample(
        *make.tensors([shape], "distinct"),
        make.integer(0, n),
        **({"dim": d} if (shape and d not in (-1, len(shape) - 1)) or make.flag() else {}),
        **make.some(largest=(False, True)),
    )


def _unique(make: Maker) -> Sample:
    shape = make.shape()
    return make.sample(*make.tensors([shape]), **make.some(return_inverse=(True,), return_counts=(True,)))


def _bincount(make: Maker) -> Sample:
    n = make.choice(4, 0, 1, 7)
    sample = make.sample(make.indices((n,), 0, 6, make.choice("int64", "int32", "uint8")))
    if make.flag():
        sample.kwargs["weights"] = make.tensor((n,), gradient=False)
    sample.kwargs.update(make.some(minlength=(8, 0, 3)))
    return sample


def _count(make: Maker) -> Sample:
    shape = make.shape()
    dims = make.dims(len(shape))
    return make.sample(*make.tensors([shape]), *(() if dims is None else (dims,)))


def _median(make: Maker) -> Sample:
    # PyTorch picks any of several equal medians; only their value is defined then.
    shape = make.shape(min_side=1)
    x = make.tensors([shape], "distinct")
    if make.flag():
        return make.sample(*x)
    return make.sample(*x, make.dim(len(shape)), **make.some(keepdim=(True, False)))


def bad_dims(name: str, several: bool = True) -> tuple[Failing, ...]:
    """Dimensions that do not exist, or occur twice."""
    return (
        lambda torch: getattr(torch, name)(torch.ones(2, 3), 2),
        lambda torch: getattr(torch, name)(torch.ones(2, 3), -3),
        lambda torch: getattr(torch, name)(torch.ones(()), 1),
        lambda torch: getattr(torch, name)(torch.ones(2, 3), "rows"),
        lambda torch: getattr(torch, name)(torch.ones(2, 3), 0.5),
        *((lambda torch: getattr(torch, name)(torch.ones(2, 3), (0, 0)),) if several else ()),
        *((lambda torch: getattr(torch, name)(torch.ones(2, 3), (0, 5)),) if several else ()),
    )


def _with_dtype(name: str) -> Any:
    """The dtype of a sample, a name there, as the namespace's dtype."""

    def call(torch: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(kwargs.get("dtype"), str):
            kwargs["dtype"] = getattr(torch, kwargs["dtype"])
        return getattr(torch, name)(*args, **kwargs)

    return call


ROWS = [
    Row(
        "sum",
        _sum,
        forms=("torch",),
        call=_with_dtype("sum"),
        ways={"x.sum()": lambda x, *a: x.sum(*a)},
        out=True,
        out_dtypes=("same",),
        errors=(*bad_dims("sum"), *no_tensor("sum")),
    ),
    Row(
        "mean",
        _sum,
        forms=("torch",),
        call=_with_dtype("mean"),
        ways={"x.mean()": lambda x, *a: x.mean(*a)},
        out=True,
        out_dtypes=("same",),
        errors=(
            *bad_dims("mean"),
            lambda torch: torch.tensor([1, 2]).mean(),
            lambda torch: torch.tensor([True]).mean(),
        ),
    ),
    Row("prod", _one_dim, out=False, errors=bad_dims("prod", several=False)),
    Row("var", _spread, errors=(*bad_dims("var"), lambda torch: torch.var(torch.tensor([1, 2])))),
    Row("std", _spread, errors=(*bad_dims("std"), lambda torch: torch.std(torch.tensor([1, 2])))),
    Row(
        "max",
        _extreme,
        errors=(
            *bad_dims("max", several=False),
            lambda torch: torch.max(torch.ones(0)),
            lambda torch: torch.max(torch.ones(2, 0), 1),
        ),
    ),
    Row(
        "min",
        _extreme,
        errors=(
            *bad_dims("min", several=False),
            lambda torch: torch.min(torch.ones(0)),
            lambda torch: torch.min(torch.ones(2, 0), 1),
        ),
    ),
    Row(
        "amax",
        _dims_keyword,
        out=True,
        out_dtypes=("same",),
        errors=(
            *bad_dims("amax"),
            lambda torch: torch.amax(torch.ones(0)),
            lambda torch: torch.amax(torch.ones(2, 0), 1),
        ),
    ),
    Row(
        "amin",
        _dims_keyword,
        out=True,
        out_dtypes=("same",),
        errors=(*bad_dims("amin"), lambda torch: torch.amin(torch.ones(0))),
    ),
    Row(
        "argmax",
        _one_dim,
        differentiable=False,
        errors=(
            *bad_dims("argmax", several=False),
            lambda torch: torch.argmax(torch.ones(0)),
            lambda torch: torch.argmax(torch.ones(2, 0), 1),
        ),
    ),
    Row(
        "argmin",
        _one_dim,
        differentiable=False,
        errors=(*bad_dims("argmin", several=False), lambda torch: torch.argmin(torch.ones(0))),
    ),
    Row(
        "median",
        _median,
        regimes=("ordinary",),
        dtypes=("float32", "float64", "bool"),
        errors=bad_dims("median", several=False),
    ),
    Row(
        "logsumexp",
        lambda make: _dims_keyword(make) if make.flag() else _dim(make),
        out=True,
        out_dtypes=("same",),
        errors=(*bad_dims("logsumexp"), lambda torch: torch.logsumexp(torch.ones(2))),
    ),
    Row(
        "norm",
        _norm,
        dtypes=("float32", "float64"),
        errors=(
            lambda torch: torch.norm(torch.tensor([1, 2])),
            lambda torch: torch.norm(torch.ones(2), dim=3),
            lambda torch: torch.norm(torch.ones(2), p="max"),
        ),
    ),
    Row(
        "cumsum",
        _dim,
        inplace=True,
        out=True,
        out_dtypes=("same",),
        errors=(*bad_dims("cumsum", several=False), lambda torch: torch.ones(2).cumsum()),
    ),
    Row(
        "cumprod",
        _dim,
        inplace=True,
        out=True,
        out_dtypes=("same",),
        errors=bad_dims("cumprod", several=False),
    ),
    Row("all", _reduced, differentiable=False, out=True, out_dtypes=("same",), errors=bad_dims("all")),
    Row("any", _reduced, differentiable=False, out=True, out_dtypes=("same",), errors=bad_dims("any")),
    Row("count_nonzero", _count, differentiable=False, errors=bad_dims("count_nonzero")),
    Row("sort", _sort, errors=bad_dims("sort", several=False)),
    Row("argsort", _sort, differentiable=False, errors=bad_dims("argsort", several=False)),
    Row(
        "topk",
        _topk,
        regimes=("ordinary",),
        dtypes=("float32", "float64"),
        errors=(
            lambda torch: torch.topk(torch.ones(3), 4),
            lambda torch: torch.topk(torch.ones(3), -1),
            lambda torch: torch.topk(torch.ones(3), 1, dim=1),
        ),
    ),
    Row(
        "unique",
        _unique,
        differentiable=False,
        regimes=("ordinary", "ties"),
        dtypes=("float32", "float64", "int64", "bool"),
    ),
    Row(
        "bincount",
        _bincount,
        differentiable=False,
        dtypes=(),
        errors=(
            lambda torch: torch.bincount(torch.tensor([-1])),
            lambda torch: torch.bincount(torch.ones(2)),
            lambda torch: torch.bincount(torch.tensor([[1]])),
        ),
    ),
]
