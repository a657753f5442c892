"""Rows of reading and writing at places: indices, masks, gather and scatter."""

from __future__ import annotations

import math
from typing import Any

from minitorch_cifar.testing.arrays import Leaf

from ..drawing import Maker, Sample
from ..registry import Row
from .elementwise import no_tensor


def draw_index(make: Maker, shape: tuple[int, ...], advanced: bool = True) -> tuple[Any, tuple[int, ...]]:
    """An index for a tensor of this shape, and the shape of what it picks when it is basic."""
    items: list[Any] = []
    kinds = ["slice", "int", "full", "none"] + (["tensor", "mask", "list"] if advanced else [])
    common = make.choice((3,), (1,), (2, 2), (0,), ()) if advanced else ()
    d = 0
    while d < len(shape):
        if make.flag() and make.flag():
            break
        n = shape[d]
        kind = make.choice(*kinds)
        if kind in ("int", "tensor", "list") and n == 0:
            kind = "full"
        if kind == "none":
            items.append(None)
            continue
        if kind == "int":
            items.append(make.integer(-n, n - 1))
        elif kind == "full":
            items.append(slice(None))
        elif kind == "slice":
            ends = [make.choice(None, 0, 1, 2, -1, -2, 5), make.choice(None, 2, 3, -1, 1, 0, 7)]
            items.append(slice(*ends, make.choice(None, 1, 2, 3)))
        elif kind == "tensor":
            sizes = common if make.flag() else tuple(1 for _ in common)
            items.append(make.indices(sizes, -n, n, make.choice("int64", "int32")))
        elif kind == "list":
            items.append([make.integer(-n, n - 1) for _ in range(common[-1] if len(common) == 1 else 1)])
        else:
            width = 2 if d + 1 < len(shape) and make.flag() else 1
            if any(isinstance(i, (Leaf, list)) for i in items):  # a mask's count must fit the other indices
                items.append(slice(None))
                d += 1
                continue
            items.append(make.mask(shape[d : d + width]))
            kinds = [k for k in kinds if k not in ("tensor", "mask", "list")]
            d += width - 1
        d += 1
    if make.flag() and make.flag():
        place = make.integer(0, len(items))
        if d == len(shape) or place == len(items):
            items.insert(place, Ellipsis)
    if len(items) == 1 and make.flag():
        return items[0], ()
    return tuple(items), ()


def _getitem(make: Maker) -> Sample:
    shape = make.shape()
    return make.sample(*make.tensors([shape]), draw_index(make, shape)[0])


def _setitem(make: Maker) -> Sample:
    shape = make.shape()
    index = draw_index(make, shape, advanced=make.flag())[0]
    value = make.number() if make.flag() else make.tensor(make.choice((), (1,), (2,), (3,), (2, 1)))
    return make.sample(*make.tensors([shape]), index, value)


def _assign(torch: Any, x: Any, index: Any, value: Any) -> Any:
    z = x.clone()
    z[index] = value
    return z


def _select(make: Maker) -> Sample:
    shape = make.shape(min_ndim=1, min_side=1)
    d = make.dim(len(shape))
    return make.sample(*make.tensors([shape]), d, make.integer(-shape[d], shape[d] - 1))


def _narrow(make: Maker) -> Sample:
    shape = make.shape(min_ndim=1)
    d = make.dim(len(shape))
    start = make.integer(0, shape[d])
    length = make.integer(0, shape[d] - start)
    if start and make.flag():
        start -= shape[d]
        start = start or 0
    return make.sample(*make.tensors([shape]), d, start, length)


def _index_select(make: Maker) -> Sample:
    shape = make.shape(min_side=1)
    d = make.dim(len(shape))
    n = shape[d] if shape else 1
    count = (make.choice(2, 0, 1, 5),) if shape else (1,)
    return make.sample(*make.tensors([shape]), d, make.indices(count, 0, n, make.choice("int64", "int32")))


def _gathering(make: Maker) -> tuple[tuple[int, ...], int, Leaf]:
    shape = make.shape(min_side=1)
    d = make.dim(len(shape))
    sizes = tuple(make.choice(*range(n, 0, -1)) for n in shape)
    if shape:
        place = d % len(shape)
        sizes = (*sizes[:place], make.choice(2, 1, 4, 0), *sizes[place + 1 :])
    return shape, d, make.indices(sizes, 0, shape[d] if shape else 1)


def _gather(make: Maker) -> Sample:
    shape, d, index = _gathering(make)
    return make.sample(*make.tensors([shape]), d, index)


def _unique_along(make: Maker, shape: tuple[int, ...], d: int) -> Leaf:
    """Indices that hit no place twice, so that the order of writing does not matter."""
    import numpy as np

    if not shape:
        return make.indices((), 0, 1)
    place = d % len(shape)
    n = shape[place]
    count = make.integer(1, n)
    sizes = (*shape[:place], count, *shape[place + 1 :])
    order = np.arange(n)[:count].reshape((1,) * place + (count,) + (1,) * (len(shape) - place - 1))
    turn = make.integer(0, n - 1)
    return Leaf(make.laid_out(np.broadcast_to((order + turn) % n, sizes).copy()), False)


def _scatter(make: Maker) -> Sample:
    shape = make.shape(min_side=1)
    d = make.dim(len(shape))
    index = _unique_along(make, shape, d)
    x = make.tensor(shape)
    if make.flag() and make.flag():
        return make.sample(Leaf(x.array, x.array.dtype.kind == "f"), d, index, make.choice(2, 0.5, 0))
    return make.sample(x, d, index, _source(make, index))


def _scatter_add(make: Maker) -> Sample:
    shape, d, index = _gathering(make)
    return make.sample(*make.tensors([shape]), d, index, _source(make, index))


def _source(make: Maker, index: Leaf) -> Leaf:
    """What is scattered: of the index's shape, or larger and then without a gradient: PyTorch refuses it."""
    shape = index.array.shape
    if make.flag():
        return make.tensor(shape)
    return make.tensor(tuple(n + 1 for n in shape), gradient=False)


def _index_add(make: Maker) -> Sample:
    shape = make.shape(min_ndim=1, min_side=1)
    d = make.dim(len(shape))
    count = make.choice(2, 1, 0, 4)
    source = list(shape)
    source[d] = count
    x, y = make.tensors([shape, source])
    return make.sample(
        x, d, make.indices((count,), 0, shape[d]), y, **make.some(alpha=(2, 1) if make.mixed else (2, -0.5))
    )


def _take(make: Maker) -> Sample:
    shape = make.shape(min_side=1)
    n = math.prod(shape)
    return make.sample(*make.tensors([shape]), make.indices(make.shape(max_ndim=2), -n, n))


def _masked_fill(make: Maker) -> Sample:
    shape = make.shape()
    start = make.integer(0, len(shape))
    mask = make.mask(tuple(1 if make.flag() and make.flag() else n for n in shape[start:]))
    value = make.number() if make.flag() else make.tensor(())
    return make.sample(*make.tensors([shape]), mask, value)


def _masked_select(make: Maker) -> Sample:
    shapes = make.broadcastable(2)
    return make.sample(*make.tensors([shapes[0]]), make.mask(shapes[1]))


def _nonzero(make: Maker) -> Sample:
    return make.sample(
        *make.tensors([make.shape()], "ties" if not make.mixed else None), **make.some(as_tuple=(True, False))
    )


def _one(make: Maker) -> Sample:
    return make.sample(*make.tensors([make.shape()], "ties" if not make.mixed else None))


def _square(make: Maker) -> Sample:
    return make.sample(*make.tensors([make.shape(min_ndim=2, max_ndim=2)]), make.number())


def _combinations(make: Maker) -> Sample:
    return make.sample(*make.tensors([(make.choice(3, 2, 1, 4),)]), **make.some(r=(2, 1, 3)))


def _filled(torch: Any, x: Any, value: Any) -> Any:
    return x.clone().fill_diagonal_(value)


def _in_place(name: str) -> Any:
    return lambda torch, x, *args: getattr(x.clone(), name)(*args)


ROWS = [
    Row(
        "getitem",
        _getitem,
        forms=("torch",),
        call=lambda torch, x, index: x[index],
        covers=("__getitem__",),
        errors=(
            lambda torch: torch.ones(2)[2],
            lambda torch: torch.ones(2)[-3],
            lambda torch: torch.ones(2)[0, 0],
            lambda torch: torch.ones(())[0],
            lambda torch: torch.ones(2)["a"],
            lambda torch: torch.ones(2)[1.5],
            lambda torch: torch.ones(2)[torch.tensor([0.5])],
            lambda torch: torch.ones(2)[torch.tensor([2])],
            lambda torch: torch.ones(3)[::-1],
            lambda torch: torch.ones(3)[::0],
            lambda torch: torch.ones(3)[torch.tensor([True, False])],
            lambda torch: torch.ones(3, 3)[torch.tensor([0, 1]), torch.tensor([0, 1, 2])],
            lambda torch: torch.ones(3)[[0, 5]],
            lambda torch: torch.ones(2)[0.5:1],
        ),
    ),
    Row(
        "setitem",
        _setitem,
        forms=("torch",),
        call=_assign,
        covers=("__setitem__",),
        errors=(
            lambda torch: _assign(torch, torch.ones(2), 2, 1.0),
            lambda torch: _assign(torch, torch.ones(2, 2), 0, torch.ones(3)),
            lambda torch: _assign(torch, torch.ones(3), torch.tensor([0, 1]), torch.ones(3)),
            lambda torch: _assign(torch, torch.ones(3), slice(0, 2), torch.ones(3)),
            lambda torch: _assign(torch, torch.ones(3), 0, "a"),
            lambda torch: _assign(torch, torch.ones(3), slice(None), [1.0, 2.0, 3.0]),
            lambda torch: _assign(torch, torch.ones(3), torch.tensor([True, False]), 0.0),
            lambda torch: _assign(
                torch, torch.ones(3), torch.tensor([0, 1]), torch.ones(2, dtype=torch.float64)
            ),
        ),
    ),
    Row(
        "select",
        _select,
        errors=(
            lambda torch: torch.ones(2).select(0, 2),
            lambda torch: torch.ones(2).select(1, 0),
            lambda torch: torch.ones(()).select(0, 0),
        ),
    ),
    Row(
        "narrow",
        _narrow,
        errors=(
            lambda torch: torch.ones(3).narrow(0, 1, 3),
            lambda torch: torch.ones(3).narrow(0, 0, -1),
            lambda torch: torch.ones(3).narrow(1, 0, 1),
            lambda torch: torch.ones(3).narrow(0, 4, 0),
            lambda torch: torch.ones(()).narrow(0, 0, 0),
        ),
    ),
    Row(
        "index_select",
        _index_select,
        errors=(
            lambda torch: torch.ones(3).index_select(0, torch.tensor([3])),
            lambda torch: torch.ones(3).index_select(1, torch.tensor([0])),
            lambda torch: torch.ones(3).index_select(0, torch.tensor([0.0])),
            lambda torch: torch.ones(3).index_select(0, torch.tensor([[0]])),
            lambda torch: torch.ones(3).index_select(0, torch.tensor([-1])),
            lambda torch: torch.ones(3).index_select(0, [0]),
        ),
    ),
    Row(
        "gather",
        _gather,
        errors=(
            lambda torch: torch.ones(3).gather(0, torch.tensor([3])),
            lambda torch: torch.ones(3).gather(0, torch.tensor([[0]])),
            lambda torch: torch.ones(2, 2).gather(0, torch.tensor([[0, 0, 0]])),
            lambda torch: torch.ones(3).gather(0, torch.tensor([0.5])),
            lambda torch: torch.ones(3).gather(0, torch.tensor([-1])),
        ),
    ),
    Row(
        "scatter",
        _scatter,
        inplace=True,
        errors=(
            lambda torch: torch.ones(3).scatter(0, torch.tensor([3]), 1.0),
            lambda torch: torch.ones(3).scatter(0, torch.tensor([0]), torch.ones(1, 1)),
            lambda torch: torch.ones(3).scatter(0, torch.tensor([0, 1]), torch.ones(1)),
            lambda torch: torch.ones(3).scatter(0, torch.tensor([0]), torch.ones(1, dtype=torch.float64)),
            lambda torch: torch.ones(3).scatter(0, torch.tensor([0.0]), 1.0),
        ),
    ),
    Row(
        "scatter (value=)",
        lambda make: Sample((s := _scatter(make)).args[:3], {"value": make.choice(2.0, 0, 1)}, s.grad_layout),
        inplace=True,
        call=lambda torch, *args, **kwargs: torch.scatter(*args, **kwargs),
    ),
    Row(
        "scatter_add",
        _scatter_add,
        inplace=True,
        errors=(
            lambda torch: torch.ones(3).scatter_add(0, torch.tensor([3]), torch.ones(1)),
            lambda torch: torch.ones(3).scatter_add(0, torch.tensor([0, 1]), torch.ones(1)),
            lambda torch: torch.ones(3).scatter_add(0, torch.tensor([0]), 1.0),
        ),
    ),
    Row(
        "index_add",
        _index_add,
        inplace=True,
        errors=(
            lambda torch: torch.ones(3).index_add(0, torch.tensor([3]), torch.ones(1)),
            lambda torch: torch.ones(3).index_add(0, torch.tensor([0, 1]), torch.ones(3)),
            lambda torch: torch.ones(3).index_add(0, torch.tensor([0]), torch.ones(1, dtype=torch.float64)),
        ),
    ),
    Row(
        "take",
        _take,
        errors=(
            lambda torch: torch.ones(3).take(torch.tensor([3])),
            lambda torch: torch.ones(3).take(torch.tensor([0.5])),
        ),
    ),
    Row(
        "masked_fill",
        _masked_fill,
        inplace=True,
        errors=(
            lambda torch: torch.ones(3).masked_fill(torch.tensor([1, 0, 1]), 0.0),
            lambda torch: torch.ones(3).masked_fill(torch.tensor([True, False]), 0.0),
            lambda torch: torch.ones(3).masked_fill(torch.tensor([True, False, True]), torch.ones(3)),
            lambda torch: torch.ones(3).masked_fill([True, False, True], 0.0),
        ),
    ),
    Row(
        "masked_select",
        _masked_select,
        errors=(
            lambda torch: torch.ones(3).masked_select(torch.tensor([True, False])),
            lambda torch: torch.ones(3).masked_select(torch.tensor([1, 0, 1])),
        ),
    ),
    Row("nonzero", _nonzero, differentiable=False, regimes=("ties",), errors=no_tensor("nonzero")),
    Row("argwhere", _one, differentiable=False, regimes=("ties",)),
    Row(
        "fill_diagonal_",
        _square,
        forms=("torch",),
        call=_filled,
        errors=(lambda torch: torch.ones(2).fill_diagonal_(1),),
    ),
    Row(
        "combinations",
        _combinations,
        forms=("torch",),
        errors=(
            lambda torch: torch.combinations(torch.ones(2, 2)),
            lambda torch: torch.combinations(torch.ones(2), -1),
        ),
    ),
    Row(
        "fill_",
        lambda make: make.sample(
            *make.tensors([make.shape()]), make.number() if make.flag() else make.tensor(())
        ),
        forms=("torch",),
        call=_in_place("fill_"),
        errors=(
            lambda torch: torch.ones(2).fill_(torch.ones(2)),
            lambda torch: torch.ones(2).fill_("a"),
            lambda torch: torch.ones(2).fill_(),
        ),
    ),
    Row(
        "zero_",
        lambda make: make.sample(*make.tensors([make.shape()])),
        forms=("torch",),
        call=_in_place("zero_"),
    ),
    Row(
        "copy_",
        lambda make: make.sample(
            *make.tensors(
                [
                    (s := make.shape()),
                    tuple(1 if make.flag() and make.flag() else n for n in s[make.integer(0, len(s)) :]),
                ]
            )
        ),
        forms=("torch",),
        call=_in_place("copy_"),
        errors=(
            lambda torch: torch.ones(2).copy_(torch.ones(3)),
            lambda torch: torch.ones(2).copy_(torch.ones(2, 2)),
            lambda torch: torch.ones(2).copy_("one"),
        ),
    ),
]
