"""The kernels on the matrix unit: what its tiles compute, which convolutions go there, what they leave to the
vectors. That they agree with PyTorch, `test_conv.py` tests along with those of every CPU.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from minitorch_cifar.kernels.numba_kernels import conv, conv_matrix, conv_weight_matrix
from minitorch_cifar.kernels.numba_kernels.matrix_tiles import (
    HAS_MATRIX_UNIT,
    PARTS,
    TILES,
    configure,
    copy_row,
    matrix_tile,
    release,
    split_words,
)

from ..reliability.watched import run_program
from .comparing import as_in, kernels
from .test_conv import Case, arrays, ours, theirs

needs_unit = pytest.mark.skipif(not HAS_MATRIX_UNIT, reason="this CPU or system lends no matrix unit")
LARGEST = np.finfo(np.float32).max
ALONE = "numba without the matrix unit"


def halves(words: np.ndarray) -> list[np.ndarray]:
    """The two numbers of 16 bits, lower and upper, of each word, as float32."""
    bits = words.view(np.uint32)
    return [(bits << 16).view(np.float32), (bits & 0xFFFF0000).view(np.float32)]


@njit(error_model="numpy")  # type: ignore[untyped-decorator]
def _split(lower: np.ndarray, upper: np.ndarray, words: np.ndarray) -> None:
    split_words(lower, 0, upper, 0, words, 0, 16)


@needs_unit
@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-90, 120))
def test_the_three_parts_of_a_number_add_up_to_it(seed: int, exponent: int) -> None:
    generator = np.random.default_rng(seed)
    lower, upper = (
        (generator.normal(size=16) * 2.0**exponent).clip(-LARGEST, LARGEST).astype(np.float32)
        for _ in range(2)
    )
    lower[3], upper[5], upper[6] = LARGEST, -LARGEST, np.nextafter(np.float32(2), np.float32(0))
    words = np.empty((PARTS, 16), np.float32)
    _split(lower, upper, words.reshape(-1))
    for number, parts in zip((lower, upper), halves(words), strict=True):
        np.testing.assert_array_equal(parts.astype(np.float64).sum(axis=0), number)


@njit(error_model="numpy")  # type: ignore[untyped-decorator]
def _multiply(memory: np.ndarray, steps: np.ndarray, last: int, before_row: int) -> None:
    """32 x 32 sums at 40,000 of the words at 0 and 20,000, added to what is at 30,000."""
    configure(TILES)
    matrix_tile(
        memory, 0, 256, 16, 512, steps, 20_000, 20_256, 16, 512, steps, 0, last,
        30_000, before_row, 16 * before_row, 40_000, 32, 512, 45_000,
    )  # fmt: skip
    release()


@njit(error_model="numpy")  # type: ignore[untyped-decorator]
def _lay_out(a: np.ndarray, b: np.ndarray, memory: np.ndarray) -> None:
    """a (32, K) and b (K, 32) as words: a step is 32 terms, term t with term t + 16."""
    for s in range(a.shape[1] // 32):
        for row in range(32):
            flat = a[row]
            split_words(flat, 32 * s, flat, 32 * s + 16, memory, s * 1536 + row * 16, 512)
        for k in range(16):
            for tile in range(2):
                lower, upper = b[32 * s + k], b[32 * s + k + 16]
                place = 20_000 + s * 1536 + tile * 256 + k * 16
                split_words(lower, 16 * tile, upper, 16 * tile, memory, place, 512)


@needs_unit
@pytest.mark.parametrize("before_row", [0, 32])
def test_a_product_of_tiles_is_as_exact_as_one_in_float32(before_row: int) -> None:
    generator = np.random.default_rng(0)
    a, b = (generator.normal(size=shape).astype(np.float32) for shape in ((32, 320), (320, 32)))
    memory = np.zeros(50_000, np.float32)
    start = memory[30_000:31_024].reshape(32, 32)
    start[...] = generator.normal(size=(32, 32))
    _lay_out(a, b, memory)
    _multiply(memory, np.arange(10) * 1536, 10, before_row)
    exact = a.astype(np.float64) @ b + (start if before_row else start[0])
    result = memory[40_000:41_024].reshape(32, 32)
    one_after_the_other = np.zeros((32, 32), np.float32)
    for k in range(320):
        one_after_the_other += a[:, k : k + 1] * b[k]
    one_after_the_other += start if before_row else start[0]
    error, allowed = (np.sqrt(np.mean((c - exact) ** 2)) for c in (result, one_after_the_other))
    assert 0 < error < allowed


@njit(error_model="numpy")  # type: ignore[untyped-decorator]
def _copy(source: np.ndarray, count: int, target: np.ndarray) -> None:
    copy_row(source, 3, count, target, 5)


@needs_unit
@pytest.mark.parametrize("count", [0, 1, 7, 16])
def test_copying_a_row_touches_nothing_beyond_it(count: int) -> None:
    source, target = np.arange(40, dtype=np.float32), np.full(40, -1, np.float32)
    _copy(source, count, target)
    np.testing.assert_array_equal(target[5 : 5 + count], source[3 : 3 + count])
    assert (np.delete(target, np.s_[5 : 5 + count]) == -1).all()


def goes_to_the_unit(case: Case) -> tuple[bool, bool]:
    """Forward, and the gradient by the input."""
    x, weight, _, out = case.shapes
    forward, backward = (
        planned(*shapes[:2], *case.parameters, shapes[2], 4, True)
        for planned, shapes in (
            (conv._forward_plan, (x, weight, out)),
            (conv._backward_plan, (out, weight, x)),
        )
    )
    return isinstance(forward, conv_matrix.Plan), isinstance(backward, conv_matrix.Plan)


BN_3 = Case(4, 1, 64, 128, (8, 8), (3, 3), padding=(1, 1))


@needs_unit
@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (Case(1, 1, 32, 32, (16, 16), (5, 5), padding=(2, 2)), (True, True)),
        (Case(1, 1, 32, 64, (8, 8), (5, 5), padding=(2, 2)), (False, False)),  # two pictures make a tile
        (BN_3, (True, True)),
        (Case(4, 1, 3, 32, (32, 32), (5, 5), padding=(2, 2)), (False, False)),
        (Case(4, 2, 32, 32, (16, 16), (3, 3)), (False, False)),  # in groups
        (Case(4, 1, 64, 64, (33, 33), (3, 3), stride=(2, 2)), (True, True)),
    ],
)
def test_which_convolutions_go_to_the_unit(case: Case, expected: tuple[bool, bool]) -> None:
    assert goes_to_the_unit(case) == expected


@needs_unit
@pytest.mark.parametrize("case", [BN_3, Case(8, 1, 32, 32, (16, 16), (5, 5), padding=(2, 2))])
def test_sums_of_numbers_above_zero_round_no_worse_than_twice_torch(case: Case) -> None:
    """What the six products leave out has the sign of the product: here it does not average out."""
    torch = pytest.importorskip("torch")
    values = [np.abs(array) for array in arrays(case, np.float32, 3)]
    peer, exact = theirs(case, values, torch.float32), theirs(case, values, torch.float64)
    for result, their, true in zip(ours("numba", case, values), peer, exact, strict=True):
        error, allowed = (np.sqrt(np.mean((a.astype(np.float64) - true) ** 2)) for a in (result, their))
        assert error <= 2 * allowed


@needs_unit
def test_the_units_results_are_others_than_the_vectors() -> None:
    """Otherwise the tests of `test_conv.py` would compare the vectors with themselves."""
    values = arrays(BN_3, np.float32, 0)
    for unit, vectors in zip(ours("numba", BN_3, values)[:3], ours(ALONE, BN_3, values)[:3], strict=True):
        assert (unit != vectors).any()
        np.testing.assert_allclose(unit, vectors, rtol=1e-3, atol=1e-4)


@needs_unit
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("position", [0, 1, 3])
def test_what_is_not_finite_is_left_to_the_vectors(value: float, position: int) -> None:
    values = arrays(BN_3, np.float32, 1)
    values[position][1, 2, 0, 1] = value
    for unit, vectors in zip(ours("numba", BN_3, values), ours(ALONE, BN_3, values), strict=True):
        assert np.isfinite(unit).all() == np.isfinite(vectors).all()
        np.testing.assert_array_equal(np.isnan(unit), np.isnan(vectors))
        np.testing.assert_array_equal(np.isinf(unit), np.isinf(vectors))


@needs_unit
@pytest.mark.parametrize("exponent", [-70, -30, 30])
def test_small_and_large_numbers(exponent: int) -> None:
    """Results of any size are right to a few units in the last place of the largest."""
    values = arrays(BN_3, np.float32, 2)
    for position in (0, 3):
        values[position] = (values[position] * 2.0**exponent).astype(np.float32)
    exact = theirs(BN_3, values, __import__("torch").float64)
    for result, true in zip(ours("numba", BN_3, values)[:2], exact[:2], strict=True):
        shifted = true - (values[2][:, None, None] if result.shape == BN_3.shapes[3] else 0)
        if result.shape == BN_3.shapes[3]:
            result = result - values[2][:, None, None]
        scale = max(np.abs(shifted).max(), np.abs(true).max())
        assert np.abs(result - shifted).max() <= 4e-6 * scale


@needs_unit
@pytest.mark.parametrize("images", [2, 3, 9, 16])
def test_odd_numbers_of_pictures_and_parts_of_the_window_for_each_thread(images: int) -> None:
    """The weight gradient takes pictures in pairs; each of `splits` works on a part of the window."""
    case = Case(images, 1, 48, 40, (9, 11), (3, 2), padding=(1, 1))
    x, _, _, upstream = arrays(case, np.float32, images)
    expected = np.empty(case.shapes[1])
    kernels("numpy", "conv").conv2d_grad_weight(
        upstream.astype(np.float64), x.astype(np.float64), *case.parameters, expected
    )
    loop = conv_weight_matrix._loop
    splits = loop.splits
    for parts in (1, 2, 5):
        result, bias = np.empty(case.shapes[1], np.float32), np.empty(40, np.float32)
        loop.splits = lambda *_, parts=parts: parts  # type: ignore[method-assign, misc]
        try:
            assert conv_weight_matrix.matrix_grad_parameters(
                upstream, x, case.stride, case.padding, case.dilation, result, bias
            )
        finally:
            loop.splits = splits  # type: ignore[method-assign]
        np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(bias, upstream.sum(axis=(0, 2, 3), dtype=np.float64), rtol=1e-5, atol=1e-5)


TRAINS = """
import sys
import numpy as np
import minitorch_cifar as torch
from minitorch_cifar.kernels.machine_code import target

x = torch.tensor(np.random.default_rng(0).normal(size=(4, 32, 8, 8)).astype("f4"))
layer = torch.nn.Conv2d(32, 32, 3)
print("matrix unit" in target().tiles, bool(torch.isfinite(layer(x)).all().item()))
"""


@needs_unit
def test_the_environment_can_switch_the_unit_off() -> None:
    assert run_program(TRAINS).split() == ["True", "True"]
    assert run_program(TRAINS, MINITORCH_CIFAR_AMX="0").split() == ["False", "True"]


def test_another_value_of_that_variable_is_an_error_that_names_it() -> None:
    program = """
    import warnings
    import minitorch_cifar as torch
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.relu(torch.zeros(1))
    print(caught[0].message)
    """
    assert "MINITORCH_CIFAR_AMX must be 0" in run_program(program, MINITORCH_CIFAR_AMX="yes")


def test_without_the_unit_the_vectors_compute() -> None:
    with as_in(ALONE):
        assert conv._UNITS == (False,)
        result: Any = ours("numba", BN_3, arrays(BN_3, np.float32, 0))
    assert all(np.isfinite(array).all() for array in result)
