"""Rows of what moves elements: reshapes, transposes, joins, pieces, repeats."""

from __future__ import annotations

import math

from ..drawing import Maker, Sample
from ..registry import Row
from .elementwise import no_tensor


def _one(make: Maker) -> Sample:
    return make.sample(*make.tensors([make.shape()]))


def _new_shape(make: Maker, size: int) -> tuple[int, ...]:
    """A shape for `size` elements, sometimes with a -1."""
    options: list[tuple[int, ...]] = [(size,), (1, size), (size, 1, 1), (-1,)]
    for n in (2, 3, 4):
        if size and size % n == 0:
            options += [(n, size // n), (size // n, n), (n, -1), (-1, 1, n)]
    if size == 1:
        options.append(())
    if size == 0:
        options = [(0,), (0, 3), (2, 0), (0, 1)]
    return make.choice(*options)  # type: ignore[no-any-return]


def _reshape(make: Maker) -> Sample:
    shape = make.shape()
    wanted = _new_shape(make, math.prod(shape))
    return make.sample(*make.tensors([shape]), wanted)


def _view(make: Maker) -> Sample:
    sample = _reshape(make)
    shape = sample.args[1]
    return sample if make.flag() else make.sample(sample.args[0], *shape) if shape else sample


def _flatten(make: Maker) -> Sample:
    shape = make.shape()
    kwargs = {}
    if make.flag():
        first, last = sorted(make.dim(len(shape)) % max(len(shape), 1) for _ in range(2))
        kwargs = {"start_dim": first, "end_dim": last - max(len(shape), 1) if make.flag() else last}
    return make.sample(*make.tensors([shape]), **kwargs)


def _unflatten(make: Maker) -> Sample:
    inner = make.choice((2, 3), (1, 2), (3, 1, 1), (2, 2))
    outer = list(make.shape(max_ndim=2))
    place = make.integer(0, len(outer))
    outer.insert(place, math.prod(inner))
    if make.flag():
        inner = (-1, *inner[1:])
    return make.sample(*make.tensors([outer]), place if make.flag() else place - len(outer), inner)


def _permute(make: Maker) -> Sample:
    shape = make.shape()
    order = make.choice(*_orders(len(shape)))
    order = tuple(d - len(shape) if make.flag() else d for d in order)
    return make.sample(*make.tensors([shape]), order)


def _orders(n: int) -> list[tuple[int, ...]]:
    from itertools import permutations

    return list(permutations(range(n)))


def _two_dims(make: Maker) -> Sample:
    shape = make.shape()
    return make.sample(*make.tensors([shape]), make.dim(len(shape)), make.dim(len(shape)))


def _movedim(make: Maker) -> Sample:
    shape = make.shape(min_ndim=1)
    n = len(shape)
    if make.flag():
        return make.sample(*make.tensors([shape]), make.dim(n), make.dim(n))
    source, target = make.choice(*_orders(n)), make.choice(*_orders(n))
    count = make.integer(1, n)
    return make.sample(*make.tensors([shape]), source[:count], target[:count])


def _squeeze(make: Maker) -> Sample:
    shape = tuple(1 if make.flag() else n for n in make.shape())
    dims = make.dims(len(shape))
    return make.sample(*make.tensors([shape]), *(() if dims is None else (dims,)))


def _unsqueeze(make: Maker) -> Sample:
    shape = make.shape()
    return make.sample(*make.tensors([shape]), make.dim(len(shape) + 1))


def _expand(make: Maker) -> Sample:
    whole = make.shape()
    start = make.integer(0, len(whole))
    small = tuple(1 if make.flag() else n for n in whole[start:])
    wanted = tuple(
        -1 if i >= start and small[i - start] == n and make.flag() else n for i, n in enumerate(whole)
    )
    return make.sample(*make.tensors([small]), wanted)


def _broadcast_to(make: Maker) -> Sample:
    sample = _expand(make)
    small, wanted = sample.args[0].array.shape, list(sample.args[1])
    extra = len(wanted) - len(small)
    return make.sample(
        sample.args[0], tuple(small[i - extra] if n == -1 else n for i, n in enumerate(wanted))
    )


def _like_other(make: Maker) -> Sample:
    shape = make.shape()
    other = make.choice((math.prod(shape),), shape)
    return make.sample(make.tensors([shape])[0], make.tensor(other, gradient=False))


def _expand_as(make: Maker) -> Sample:
    sample = _broadcast_to(make)
    return make.sample(sample.args[0], make.tensor(sample.args[1], gradient=False))


def _repeat(make: Maker) -> Sample:
    shape = make.shape(max_ndim=2)
    repeats = tuple(make.choice(2, 1, 3, 0) for _ in range(len(shape) + make.integer(0, 1)))
    return make.sample(*make.tensors([shape]), repeats)


def _tile(make: Maker) -> Sample:
    shape = make.shape(max_ndim=2)
    return make.sample(
        *make.tensors([shape]), tuple(make.choice(2, 1, 3, 0) for _ in range(make.integer(1, 3)))
    )


def _repeat_interleave(make: Maker) -> Sample:
    shape = make.shape(min_ndim=1)
    x = make.tensors([shape])
    d = make.dim(len(shape))
    form = make.choice("flat", "dim", "counts")
    if form == "flat":
        return make.sample(*x, make.choice(2, 0, 1))
    if form == "dim":
        return make.sample(*x, make.choice(2, 0, 1), d)
    return make.sample(*x, make.indices((shape[d],), 0, 3), d)


def _joined(make: Maker) -> Sample:
    shape = list(make.shape(min_ndim=1))
    d = make.dim(len(shape))
    shapes = []
    for _ in range(make.integer(1, 3)):
        shape[d] = make.choice(2, 1, 0, 3)
        shapes.append(tuple(shape))
    if make.flag() and make.flag():
        shapes.insert(make.integer(0, len(shapes)), (0,))
    parts = make.tensors(shapes)
    return make.sample(parts if make.flag() else tuple(parts), *((d,) if d or make.flag() else ()))


def _stacked(make: Maker) -> Sample:
    shape = make.shape(max_ndim=2)
    parts = make.tensors([shape] * make.integer(1, 3))
    return make.sample(parts, make.dim(len(shape) + 1))


def _side_by_side(make: Maker) -> Sample:
    shape = list(make.shape(max_ndim=3))
    shapes = []
    for _ in range(make.integer(1, 3)):
        if shape:
            shape[min(1, len(shape) - 1)] = make.choice(2, 1, 0, 3)
        shapes.append(tuple(shape))
    return make.sample(make.tensors(shapes))


def _below_each_other(make: Maker) -> Sample:
    shape = list(make.shape(max_ndim=3))
    shapes = []
    for _ in range(make.integer(1, 3)):
        if len(shape) > 1:
            shape[0] = make.choice(2, 1, 0, 3)
        shapes.append(tuple(shape))
    return make.sample(make.tensors(shapes))


def _split(make: Maker) -> Sample:
    shape = make.shape(min_ndim=1)
    d = make.dim(len(shape))
    n = shape[d]
    if make.flag():
        first = make.integer(0, n)
        return make.sample(*make.tensors([shape]), [first, n - first], d)
    return make.sample(*make.tensors([shape]), make.integer(1, max(n, 1) + 1), d)


def _chunk(make: Maker) -> Sample:
    shape = make.shape(min_ndim=1)
    return make.sample(*make.tensors([shape]), make.integer(1, 5), make.dim(len(shape)))


def _unbind(make: Maker) -> Sample:
    shape = make.shape(min_ndim=1)
    return make.sample(*make.tensors([shape]), *((make.dim(len(shape)),) if make.flag() else ()))


def _diagonal(make: Maker) -> Sample:
    shape = make.shape(min_ndim=2)
    d1 = make.dim(len(shape))
    d2 = make.choice(*(d for d in range(len(shape)) if d != d1 % len(shape)))
    return make.sample(*make.tensors([shape]), **make.some(offset=(1, -1, 0, 4)), dim1=d1, dim2=d2)


def _unfold(make: Maker) -> Sample:
    shape = make.shape()
    dim = make.dim(len(shape))
    size = make.integer(0, min(shape[dim] if shape else 1, 3))
    return make.sample(*make.tensors([shape]), dim, size, make.choice(1, 2, 3))


def _flip(make: Maker) -> Sample:
    shape = make.shape()
    dims = make.dims(len(shape))
    dims = () if dims is None else dims if isinstance(dims, tuple) else (dims,)
    return make.sample(*make.tensors([shape]), dims)


def _roll(make: Maker) -> Sample:
    shape = make.shape(min_ndim=1)
    n = len(shape)
    form = make.choice("flat", "one", "several")
    shift = make.integer(-4, 4)
    if form == "flat":
        return make.sample(*make.tensors([shape]), shift)
    if form == "one":
        return make.sample(*make.tensors([shape]), shift, make.dim(n))
    dims = tuple(d for d in range(n) if make.flag()) or (0,)
    return make.sample(*make.tensors([shape]), tuple(make.integer(-4, 4) for _ in dims), dims)


def _triangle(make: Maker) -> Sample:
    return make.sample(*make.tensors([make.shape(min_ndim=2)]), **make.some(diagonal=(1, -1, 0, 3)))


def _diag(make: Maker) -> Sample:
    return make.sample(*make.tensors([make.shape(min_ndim=1, max_ndim=2)]), **make.some(diagonal=(1, -1, 0)))


def _several(make: Maker) -> Sample:
    return make.sample(*make.tensors(make.broadcastable(make.integer(1, 3))))


def _vectors(make: Maker) -> Sample:
    vectors = make.tensors([(make.choice(2, 1, 3, 0),) for _ in range(make.integer(1, 3))])
    return make.sample(*vectors, indexing=make.choice("ij", "xy"))


def _clone_then_contiguous(make: Maker) -> Sample:
    return _one(make)


ROWS = [
    Row(
        "view",
        _view,
        forms=("method",),
        aliases=(),
        errors=(
            lambda torch: torch.ones(6).view(4, 2),
            lambda torch: torch.ones(6).view(-1, -1),
            lambda torch: torch.ones(6).view(-2, 3),
            lambda torch: torch.ones(0).view(-1, 0),
            lambda torch: torch.ones(2, 3).t().view(6),
            lambda torch: torch.ones(6).view("a"),
            lambda torch: torch.ones(6).view(2.0, 3),
            lambda torch: torch.ones(6).view(-1, 4),
        ),
    ),
    Row("view_as", _like_other, forms=("method",)),
    Row(
        "reshape",
        _reshape,
        ways={"x.reshape(2, 3)": lambda x, sizes: x.reshape(*sizes) if sizes else x.reshape(())},
        errors=(
            lambda torch: torch.ones(6).reshape(4, 2),
            lambda torch: torch.ones(6).reshape(-1, -1),
            lambda torch: torch.ones(6).reshape(-1, 4),
            lambda torch: torch.reshape(torch.ones(6)),
            lambda torch: torch.reshape(torch.ones(6), 2.5),
            lambda torch: torch.ones(6).reshape(-2, 3),
        ),
    ),
    Row("reshape_as", _like_other, forms=("method",)),
    Row(
        "flatten",
        _flatten,
        errors=(
            lambda torch: torch.flatten(torch.ones(2, 3), 1, 0),
            lambda torch: torch.flatten(torch.ones(2), 2),
            *no_tensor("flatten"),
        ),
    ),
    Row(
        "unflatten",
        _unflatten,
        errors=(
            lambda torch: torch.unflatten(torch.ones(4), 0, (3, 2)),
            lambda torch: torch.unflatten(torch.ones(4), 1, (2, 2)),
        ),
    ),
    Row("ravel", _one),
    Row(
        "permute",
        _permute,
        ways={"x.permute(1, 0)": lambda x, dims: x.permute(*dims) if dims else x.permute(())},
        errors=(
            lambda torch: torch.permute(torch.ones(2, 3), (0,)),
            lambda torch: torch.permute(torch.ones(2, 3), (0, 0)),
            lambda torch: torch.permute(torch.ones(2, 3), (0, 2)),
            lambda torch: torch.ones(2, 3).permute("a"),
        ),
    ),
    Row(
        "transpose",
        _two_dims,
        inplace=True,
        aliases=("swapaxes", "swapdims"),
        errors=(
            lambda torch: torch.transpose(torch.ones(2, 3), 0, 2),
            lambda torch: torch.transpose(torch.ones(2, 3), 0),
            lambda torch: torch.ones(2).transpose(0.5, 0),
        ),
    ),
    Row(
        "t",
        lambda make: make.sample(*make.tensors([make.shape(max_ndim=2)])),
        inplace=True,
        errors=(lambda torch: torch.ones(2, 3, 4).t(),),
    ),
    Row(
        "T",
        lambda make: make.sample(*make.tensors([make.shape(min_ndim=2, max_ndim=2)])),
        forms=(),
        ways={"x.T": lambda x: x.T, "x.H": lambda x: x.H},
        covers=("H",),
    ),
    Row(
        "mT",
        lambda make: make.sample(*make.tensors([make.shape(min_ndim=2)])),
        forms=(),
        ways={"x.mT": lambda x: x.mT},
    ),
    Row(
        "movedim",
        _movedim,
        errors=(
            lambda torch: torch.movedim(torch.ones(2, 3), (0, 1), (0,)),
            lambda torch: torch.movedim(torch.ones(2, 3), 0, 2),
            lambda torch: torch.movedim(torch.ones(2, 3), (0, 0), (0, 1)),
        ),
    ),
    Row(
        "squeeze",
        _squeeze,
        inplace=True,
        errors=(
            lambda torch: torch.ones(1).squeeze(1),
            lambda torch: torch.ones(1, 1).squeeze((0, 0)),
            *no_tensor("squeeze"),
        ),
    ),
    Row(
        "unsqueeze",
        _unsqueeze,
        inplace=True,
        errors=(
            lambda torch: torch.ones(1).unsqueeze(2),
            lambda torch: torch.ones(1).unsqueeze(-3),
            lambda torch: torch.ones(1).unsqueeze(),
        ),
    ),
    Row(
        "expand",
        _expand,
        forms=("method",),
        ways={"x.expand(2, 3)": lambda x, sizes: x.expand(*sizes) if sizes else x.expand(())},
        errors=(
            lambda torch: torch.ones(2).expand(3),
            lambda torch: torch.ones(2, 3).expand(3),
            lambda torch: torch.ones(2).expand(-1, 2),
            lambda torch: torch.ones(2).expand(2, -2),
        ),
    ),
    Row("expand_as", _expand_as, forms=("method",)),
    Row("broadcast_to", _broadcast_to, errors=(lambda torch: torch.broadcast_to(torch.ones(2), (3,)),)),
    Row(
        "broadcast_tensors",
        _several,
        forms=("torch",),
        errors=(lambda torch: torch.broadcast_tensors(torch.ones(2), torch.ones(3)),),
    ),
    Row(
        "repeat",
        _repeat,
        forms=("method",),
        ways={"x.repeat(2, 3)": lambda x, sizes: x.repeat(*sizes) if sizes else x.repeat(())},
        errors=(lambda torch: torch.ones(2, 2).repeat(2), lambda torch: torch.ones(2).repeat(-1)),
    ),
    Row("tile", _tile),
    Row(
        "repeat_interleave",
        _repeat_interleave,
        errors=(
            lambda torch: torch.repeat_interleave(torch.ones(3), torch.tensor([1, 2])),
            lambda torch: torch.repeat_interleave(torch.ones(3), 2, dim=1),
            lambda torch: torch.repeat_interleave(torch.ones(3), -1),
        ),
    ),
    Row(
        "cat",
        _joined,
        forms=("torch",),
        out=True,
        out_dtypes=("same",),
        aliases=("concat", "concatenate"),
        errors=(
            lambda torch: torch.cat([]),
            lambda torch: torch.cat(torch.ones(2)),
            lambda torch: torch.cat([torch.ones(2), 1]),
            lambda torch: torch.cat([torch.ones(2, 2), torch.ones(3, 3)]),
            lambda torch: torch.cat([torch.ones(2), torch.ones(2, 2)]),
            lambda torch: torch.cat([torch.ones(()), torch.ones(())]),
            lambda torch: torch.cat([torch.ones(2)], 1),
            lambda torch: torch.cat(3),
        ),
    ),
    Row(
        "stack",
        _stacked,
        forms=("torch",),
        out=True,
        out_dtypes=("same",),
        errors=(
            lambda torch: torch.stack([]),
            lambda torch: torch.stack([torch.ones(2), torch.ones(3)]),
            lambda torch: torch.stack([torch.ones(2)], 2),
            lambda torch: torch.stack(5),
        ),
    ),
    Row(
        "hstack",
        _side_by_side,
        forms=("torch",),
        errors=(
            lambda torch: torch.hstack([]),
            lambda torch: torch.hstack([torch.ones(2, 2), torch.ones(3, 2)]),
        ),
    ),
    Row(
        "vstack",
        _below_each_other,
        forms=("torch",),
        errors=(
            lambda torch: torch.vstack([]),
            lambda torch: torch.vstack([torch.ones(2, 2), torch.ones(2, 3)]),
        ),
    ),
    Row(
        "split",
        _split,
        errors=(
            lambda torch: torch.ones(3).split(-1),
            lambda torch: torch.ones(3).split(0),
            lambda torch: torch.ones(3).split([1, 1]),
            lambda torch: torch.ones(3).split(1, 1),
        ),
    ),
    Row(
        "chunk",
        _chunk,
        errors=(lambda torch: torch.ones(3).chunk(0), lambda torch: torch.ones(3).chunk(2, 1)),
    ),
    Row(
        "unbind",
        _unbind,
        errors=(lambda torch: torch.ones(()).unbind(), lambda torch: torch.ones(2).unbind(1)),
    ),
    Row(
        "diagonal",
        _diagonal,
        errors=(
            lambda torch: torch.ones(2).diagonal(),
            lambda torch: torch.ones(2, 2).diagonal(0, 0, 0),
            lambda torch: torch.ones(2, 2).diagonal(0, 0, 2),
        ),
    ),
    Row(
        "unfold",
        _unfold,
        forms=("method",),
        errors=(
            lambda torch: torch.ones(3).unfold(0, 4, 1),
            lambda torch: torch.ones(3).unfold(0, -1, 1),
            lambda torch: torch.ones(3).unfold(0, 2, 0),
            lambda torch: torch.ones(3).unfold(1, 2, 1),
            lambda torch: torch.ones(3).unfold(0, 2, 1.5),
        ),
    ),
    Row(
        "diag", _diag, errors=(lambda torch: torch.ones(2, 2, 2).diag(), lambda torch: torch.ones(()).diag())
    ),
    Row(
        "flip",
        _flip,
        ways={"x.flip(0, 1)": lambda x, dims: x.flip(*dims) if dims else x.flip(())},
        errors=(lambda torch: torch.ones(2).flip(1), lambda torch: torch.ones(2).flip((0, 0))),
    ),
    Row(
        "roll",
        _roll,
        errors=(
            lambda torch: torch.ones(2).roll(1, 1),
            lambda torch: torch.ones(2, 2).roll((1, 1), 0),
            lambda torch: torch.ones(2, 2).roll((1, 1)),
        ),
    ),
    Row("tril", _triangle, errors=(lambda torch: torch.ones(2).tril(),)),
    Row("triu", _triangle, errors=(lambda torch: torch.ones(()).triu(),)),
    Row(
        "meshgrid",
        _vectors,
        forms=("torch",),
        errors=(
            lambda torch: torch.meshgrid(torch.ones(2), indexing="yx"),
            lambda torch: torch.meshgrid(torch.ones(2, 2), indexing="ij"),
        ),
    ),
    Row("clone", _one, errors=no_tensor("clone")),
    Row("contiguous", _one, forms=("method",)),
    Row(
        "to (dtype)",
        lambda make: make.sample(
            *make.tensors([make.shape()]),
            make.choice("float32", "float64", "int64", "bool", "int32", "uint8"),
        ),
        forms=("torch",),
        call=lambda torch, x, kind: x.to(getattr(torch, kind)),
        regimes=("ordinary", "ties"),
        smooth=None,
    ),
]
