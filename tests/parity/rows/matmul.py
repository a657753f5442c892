"""Rows of products of vectors and matrices."""

from __future__ import annotations

import operator

from ..drawing import Maker, Sample
from ..registry import Row

FLOATS = ("float32", "float64")


def _n(make: Maker) -> int:
    # Of nothing, PyTorch multiplies dtypes that do not match; the engine refuses it always.
    return int(make.choice(2, 3, 1, 4) if make.mixed else make.choice(2, 3, 1, 0, 4, 9))


def _matmul(make: Maker) -> Sample:
    n, k, m = _n(make), _n(make), _n(make)
    left = make.choice((n, k), (k,))
    right = make.choice((k, m), (k,))
    if make.flag():
        batches = make.broadcastable(2, max_ndim=2, max_side=3)
        left = (*batches[0], *left) if len(left) == 2 else left
        right = (*batches[1], *right) if len(right) == 2 else right
    return make.sample(*make.tensors([left, right]))


def _mm(make: Maker) -> Sample:
    n, k, m = _n(make), _n(make), _n(make)
    return make.sample(*make.tensors([(n, k), (k, m)]))


def _mv(make: Maker) -> Sample:
    n, k = _n(make), _n(make)
    return make.sample(*make.tensors([(n, k), (k,)]))


def _bmm(make: Maker) -> Sample:
    b = make.choice(2, 1, 3) if make.mixed else make.choice(2, 1, 0, 3)
    n, k, m = _n(make), _n(make), _n(make)
    return make.sample(*make.tensors([(b, n, k), (b, k, m)]))


def _addmm(make: Maker) -> Sample:
    n, k, m = _n(make), _n(make), _n(make)
    bias = make.choice((m,), (n, m), (1, m), (n, 1), (1,), ())
    return make.sample(
        *make.tensors([bias, (n, k), (k, m)]), **make.some(alpha=(2, 0.5, 0), beta=(2, 0.5, 0))
    )


ROWS = [
    Row(
        "matmul",
        _matmul,
        out=True,
        out_dtypes=("same",),
        dtypes=FLOATS,
        ways={"x @ y": operator.matmul},
        covers=("__matmul__",),
        errors=(
            lambda torch: torch.matmul(torch.ones(2, 3), torch.ones(2, 3)),
            lambda torch: torch.matmul(torch.ones(()), torch.ones(3)),
            lambda torch: torch.matmul(torch.ones(2, 3), torch.ones(2)),
            lambda torch: torch.matmul(torch.ones(3), torch.ones(2)),
            lambda torch: torch.matmul(torch.ones(4, 2, 3), torch.ones(2, 3)),
            lambda torch: torch.matmul(torch.ones(4, 2, 3), torch.ones(4, 2, 3)),
            lambda torch: torch.matmul(torch.ones(2, 2, 3), torch.ones(3, 3, 2)),
            lambda torch: torch.matmul(torch.ones(2, 3), torch.ones(3, 2, dtype=torch.float64)),
            lambda torch: torch.ones(2, 3) @ 2,
            lambda torch: torch.ones(2, 3) @ [1.0, 2.0, 3.0],
        ),
    ),
    Row(
        "mm",
        _mm,
        out=True,
        out_dtypes=("same",),
        dtypes=FLOATS,
        errors=(
            lambda torch: torch.mm(torch.ones(2, 3), torch.ones(2, 3)),
            lambda torch: torch.mm(torch.ones(2), torch.ones(2, 3)),
            lambda torch: torch.mm(torch.ones(2, 2), torch.ones(2)),
            lambda torch: torch.mm(torch.ones(2, 2), torch.ones(2, 2, dtype=torch.int64)),
        ),
    ),
    Row(
        "bmm",
        _bmm,
        out=True,
        out_dtypes=("same",),
        dtypes=FLOATS,
        errors=(
            lambda torch: torch.bmm(torch.ones(2, 3, 4), torch.ones(2, 3, 4)),
            lambda torch: torch.bmm(torch.ones(3, 4), torch.ones(2, 4, 4)),
            lambda torch: torch.bmm(torch.ones(1, 3, 4), torch.ones(2, 4, 4)),
        ),
    ),
    Row(
        "mv",
        _mv,
        out=True,
        out_dtypes=("same",),
        dtypes=FLOATS,
        errors=(
            lambda torch: torch.mv(torch.ones(2, 3), torch.ones(2)),
            lambda torch: torch.mv(torch.ones(2), torch.ones(2)),
        ),
    ),
    Row(
        "dot",
        lambda make: make.sample(*make.tensors([(_n(make),)] * 2)),
        out=True,
        out_dtypes=("same",),
        dtypes=FLOATS,
        errors=(
            lambda torch: torch.dot(torch.ones(2), torch.ones(3)),
            lambda torch: torch.dot(torch.ones(2, 2), torch.ones(2)),
            lambda torch: torch.dot(torch.ones(2), torch.ones(2, dtype=torch.float64)),
        ),
    ),
    Row(
        "outer",
        lambda make: make.sample(*make.tensors([(_n(make),), (_n(make),)])),
        out=True,
        out_dtypes=("same",),
        errors=(
            lambda torch: torch.outer(torch.ones(2, 2), torch.ones(2)),
            lambda torch: torch.outer(torch.ones(2), torch.ones(())),
        ),
    ),
    Row(
        "addmm",
        _addmm,
        out=True,
        out_dtypes=("same",),
        dtypes=FLOATS,
        errors=(
            lambda torch: torch.addmm(torch.ones(3), torch.ones(2, 2), torch.ones(2, 2)),
            lambda torch: torch.addmm(torch.ones(2), torch.ones(2, 2), torch.ones(3, 2)),
            lambda torch: torch.addmm(torch.ones(2), torch.ones(2), torch.ones(2, 2)),
            lambda torch: torch.addmm(torch.ones(2), torch.ones(2, 2), torch.ones(2)),
        ),
    ),
    Row(
        "trace",
        lambda make: make.sample(*make.tensors([make.shape(min_ndim=2, max_ndim=2)])),
        errors=(
            lambda torch: torch.trace(torch.ones(2)),
            lambda torch: torch.ones(2, 2, 2).trace(),
        ),
    ),
]
