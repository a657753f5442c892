"""Convolution kernels: NumPy, Numba and PyTorch agree, values and all three gradients."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from minitorch_cifar import get_num_threads, set_num_threads

from .comparing import (
    BACKENDS,
    DTYPES,
    LAYOUTS,
    as_in,
    assert_accurate,
    convolution_backends,
    empty_in,
    kernels,
    laid_out,
)

Pair = tuple[int, int]


class Case(NamedTuple):
    """The sizes and parameters of a convolution; `channels` and `outputs` are per group."""

    images: int
    groups: int
    channels: int
    outputs: int
    size: Pair
    kernel: Pair
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)

    @property
    def parameters(self) -> tuple[Pair, Pair, Pair, int]:
        return self.stride, self.padding, self.dilation, self.groups

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Of input, weight, bias and output."""
        out = [
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(
                self.size, self.kernel, self.stride, self.padding, self.dilation, strict=True
            )
        ]
        return [
            (self.images, self.groups * self.channels, *self.size),
            (self.groups * self.outputs, self.channels, *self.kernel),
            (self.groups * self.outputs,),
            (self.images, self.groups * self.outputs, *out),
        ]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Strides beyond the kernel, padding up to the kernel and more, sizes down to the smallest that fits.

    Half of them have many channels, as the kernels for these are others. The numbers of outputs are few: the
    loops are compiled anew for each shape of a tile.
    """
    many = draw(st.booleans())
    kernel = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    dilation = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    padding = draw(st.tuples(st.integers(0, kernel[0] + 1), st.integers(0, kernel[1] + 1)))
    smallest = [max(1, d * (k - 1) + 1 - 2 * p) for k, p, d in zip(kernel, padding, dilation, strict=True)]
    return Case(
        images=draw(st.integers(0, 3)),
        groups=draw(st.integers(1, 3)),
        channels=draw(st.sampled_from([16, 22, 64, 70]) if many else st.integers(1, 4)),
        outputs=draw(st.sampled_from([16, 19, 37, 48] if many else [1, 2, 6, 10])),
        size=(smallest[0] + draw(st.integers(0, 8)), smallest[1] + draw(st.integers(0, 20))),
        kernel=kernel,
        stride=draw(st.tuples(st.integers(1, 4), st.integers(1, 4))),
        padding=padding,
        dilation=dilation,
    )


def arrays(case: Case, dtype: Any, seed: int) -> list[np.ndarray]:
    """Random input, weight, bias and upstream gradient."""
    generator = np.random.default_rng(seed)
    return [generator.normal(size=shape).astype(dtype) for shape in case.shapes]


def ours(backend: str, case: Case, values: list[np.ndarray], layout: str = "contiguous") -> list[np.ndarray]:
    """Output and gradients by input, weight and bias."""
    module = kernels(backend, "conv")
    x, weight, bias, upstream = (laid_out(a, layout) for a in values)
    results = [
        empty_in(shape, x.dtype, layout) for shape in (upstream.shape, x.shape, weight.shape, bias.shape)
    ]
    together = [empty_in(array.shape, x.dtype, layout) for array in results[2:]]
    with as_in(backend):
        module.conv2d_forward(x, weight, bias, *case.parameters, results[0])
        module.conv2d_grad_input(upstream, weight, *case.parameters, results[1])
        module.conv2d_grad_weight(upstream, x, *case.parameters, results[2])
        module.conv2d_grad_bias(upstream, results[3])
        module.conv2d_grad_parameters(upstream, x, *case.parameters, *together)
    np.testing.assert_array_equal(together[0], results[2])
    scale = np.abs(upstream[np.isfinite(upstream)]).sum(initial=0.0)  # the sums run in another order
    np.testing.assert_allclose(together[1], results[3], rtol=1e-6, atol=1e-14 * scale)
    for array, before in zip((x, weight, bias, upstream), values, strict=True):
        np.testing.assert_array_equal(array, before)  # inputs are only read
    return results


def theirs(case: Case, values: list[np.ndarray], dtype: torch.dtype) -> list[np.ndarray]:
    x, weight, bias = (torch.from_numpy(a).to(dtype).requires_grad_() for a in values[:3])
    stride, padding, dilation, groups = case.parameters
    y = torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups)
    y.backward(torch.from_numpy(values[3]).to(dtype))
    return [t.detach().numpy() for t in (y, x.grad, weight.grad, bias.grad)]


@pytest.mark.parametrize("dtype", DTYPES)
@given(case=cases(), layout=st.sampled_from(LAYOUTS), seed=st.integers(0, 2**32 - 1))
@example(case=Case(4, 1, 3, 6, (32, 32), (5, 5)), layout="contiguous", seed=0)
@example(case=Case(9, 1, 1, 17, (10, 7), (5, 3), stride=(2, 1), padding=(2, 1)), layout="contiguous", seed=0)
@example(case=Case(1, 1, 32, 48, (16, 16), (5, 5), padding=(2, 2)), layout="contiguous", seed=0)
@example(case=Case(9, 1, 70, 19, (9, 8), (3, 5), padding=(2, 2)), layout="contiguous", seed=1)
@example(case=Case(2, 2, 64, 37, (9, 11), (3, 3), stride=(2, 3)), layout="contiguous", seed=1)
@example(
    case=Case(3, 1, 64, 16, (9, 11), (3, 2), padding=(1, 0), dilation=(2, 3)), layout="contiguous", seed=1
)
@example(case=Case(2, 1, 211, 16, (4, 4), (1, 1)), layout="contiguous", seed=1)
@example(case=Case(9, 1, 12, 17, (9, 8), (5, 5), padding=(2, 2)), layout="contiguous", seed=1)
@example(case=Case(2, 8, 1, 1, (6, 7), (3, 3), padding=(1, 1)), layout="contiguous", seed=2)
@example(case=Case(2, 3, 1, 2, (5, 6), (2, 4), stride=(2, 3)), layout="transposed", seed=3)
@example(case=Case(1, 1, 2, 2, (1, 1), (1, 1), padding=(3, 3)), layout="contiguous", seed=4)
@example(case=Case(3, 1, 64, 48, (8, 8), (3, 3), padding=(1, 1)), layout="contiguous", seed=5)
@example(case=Case(4, 1, 32, 32, (7, 7), (3, 1), padding=(1, 0)), layout="contiguous", seed=7)
@example(case=Case(2, 1, 32, 32, (14, 14), (1, 1)), layout="contiguous", seed=8)
@example(case=Case(3, 1, 32, 32, (21, 18), (3, 2), stride=(2, 1), dilation=(1, 2)), layout="strided", seed=6)
def test_matches_torch(dtype: Any, case: Case, layout: str, seed: int) -> None:
    values = arrays(case, dtype, seed)
    peer = theirs(case, values, torch.float32 if dtype is np.float32 else torch.float64)
    exact = theirs(case, values, torch.float64)
    for backend in convolution_backends():
        for result, their, true in zip(ours(backend, case, values, layout), peer, exact, strict=True):
            assert_accurate(result, their, true)


@pytest.mark.parametrize("backend", convolution_backends())
@pytest.mark.parametrize(
    "case",
    [
        Case(16, 1, 1, 16, (28, 28), (5, 5), padding=(2, 2)),
        Case(16, 1, 3, 32, (32, 32), (5, 5), padding=(2, 2)),
        Case(32, 1, 32, 64, (8, 8), (5, 5), padding=(2, 2)),
        Case(8, 1, 64, 96, (8, 8), (3, 3), padding=(1, 1)),
    ],
)
def test_rounds_no_worse_than_twice_torch(backend: str, case: Case) -> None:
    """On sums as long as those of the networks; root mean square, without other tests' small allowance."""
    values = arrays(case, np.float32, 5)
    peer, exact = theirs(case, values, torch.float32), theirs(case, values, torch.float64)
    for result, their, true in zip(ours(backend, case, values), peer, exact, strict=True):
        error, allowed = (np.sqrt(np.mean((a.astype(np.float64) - true) ** 2)) for a in (result, their))
        assert error <= 2 * allowed


@pytest.mark.parametrize("dtype", DTYPES)
@given(case=cases(), seed=st.integers(0, 2**32 - 1), share=st.sampled_from([0.02, 0.3]))
def test_infinity_and_nan_spread_as_in_the_specification(
    dtype: Any, case: Case, seed: int, share: float
) -> None:
    """The zeros with which the Numba kernels fill gaps must not turn an infinity into NaN, nor the parts into
    which the matrix unit's kernels cut a number.
    """
    values = arrays(case, dtype, seed)
    generator = np.random.default_rng(seed)
    for array in values:
        chosen = generator.random(array.shape) < share
        array[chosen] = generator.choice([np.inf, -np.inf, np.nan], size=int(chosen.sum()))
    for read, fast in zip(ours("numpy", case, values), ours("numba", case, values), strict=True):
        np.testing.assert_array_equal(np.isnan(read), np.isnan(fast))
        close = 1e-10 if dtype is np.float64 else 1e-3
        np.testing.assert_allclose(read, fast, rtol=close, atol=close)


@pytest.mark.parametrize("padding", [0, 2])
def test_an_infinite_pixel_makes_the_gradients_that_torch_finds_infinite(padding: int) -> None:
    case = Case(2, 1, 3, 5, (9, 7), (3, 3), padding=(padding, padding))
    values = arrays(case, np.float32, 0)
    values[0][1, 2, 4, 3] = np.inf
    values[0][0, 1, 2, 5] = np.nan
    for backend in BACKENDS:
        for result, their in zip(
            ours(backend, case, values), theirs(case, values, torch.float32), strict=True
        ):
            np.testing.assert_allclose(result, their, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "case",  # enough work to start threads at all
    [
        Case(41, 1, 2, 9, (40, 40), (5, 5), padding=(2, 2)),
        Case(1, 1, 32, 64, (30, 34), (3, 3), padding=(1, 1)),
        Case(13, 1, 64, 40, (8, 8), (3, 3), padding=(1, 1)),
    ],
)
def test_the_number_of_threads_changes_no_bit(case: Case) -> None:
    values = arrays(case, np.float32, 0)
    before = get_num_threads()
    set_num_threads(1)
    alone = ours("numba", case, values)
    set_num_threads(before)
    together = ours("numba", case, values)
    for first, second in zip(alone, together, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("backend", BACKENDS)
def test_read_only_and_broadcast_arrays(backend: str) -> None:
    case = Case(3, 1, 2, 4, (6, 6), (3, 3))
    values = arrays(case, np.float32, 0)
    values[3] = np.broadcast_to(
        values[3][:, :, :1, :1], values[3].shape
    )  # the gradient of a mean is such a view
    for array in values:
        array.flags.writeable = False
    module = kernels(backend, "conv")
    out = np.empty(case.shapes[3], np.float32)
    grad_x, grad_weight = np.empty_like(values[0]), np.empty_like(values[1])
    module.conv2d_forward(*values[:3], *case.parameters, out)
    module.conv2d_grad_input(values[3], values[1], *case.parameters, grad_x)
    module.conv2d_grad_weight(values[3], values[0], *case.parameters, grad_weight)
    writable = [array.copy() for array in values]
    for result, their in zip((out, grad_x, grad_weight), theirs(case, writable, torch.float32), strict=False):
        np.testing.assert_allclose(result, their, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8])
def test_whole_numbers(backend: str, dtype: Any) -> None:
    generator = np.random.default_rng(0)
    x = generator.integers(0, 50, (2, 4, 7, 6)).astype(dtype)
    weight = generator.integers(0, 50, (6, 2, 3, 2)).astype(dtype)
    bias = generator.integers(0, 50, 6).astype(dtype)
    their = torch.nn.functional.conv2d(*map(torch.from_numpy, (x, weight, bias)), 2, 1, 1, 2).numpy()
    out = np.empty(their.shape, dtype)
    kernels(backend, "conv").conv2d_forward(x, weight, bias, (2, 2), (1, 1), (1, 1), 2, out)
    np.testing.assert_array_equal(out, their)


@pytest.mark.parametrize("backend", BACKENDS)
def test_without_bias(backend: str) -> None:
    case = Case(2, 1, 3, 4, (6, 6), (3, 3))
    x, weight, bias, _ = arrays(case, np.float64, 0)
    module = kernels(backend, "conv")
    plain, shifted = np.empty((2, *case.shapes[3]))
    module.conv2d_forward(x, weight, None, *case.parameters, plain)
    module.conv2d_forward(x, weight, bias, *case.parameters, shifted)
    np.testing.assert_allclose(plain + bias[:, None, None], shifted, rtol=1e-12)
