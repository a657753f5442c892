"""The measures of a deviation, and what counts as too far."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from minitorch_cifar.testing.comparison import ulps_between
from minitorch_cifar.testing.deviation import deviation, ulp_distances


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_ulp_distances_count_as_one_by_one(dtype: type, data: st.DataObject) -> None:
    values = arrays.arrays(dtype, 6, elements=arrays.from_dtype(np.dtype(dtype)))
    x, y = data.draw(values), data.draw(values)
    near = data.draw(st.sampled_from([0, 1, -1]))
    if near:  # numbers next to each other, which independent draws hardly are
        with np.errstate(over="ignore"):
            y = np.nextafter(x, dtype(near * np.inf))
    for first, second, found in zip(x, y, ulp_distances(x, y), strict=True):
        expected = ulps_between(first, second)
        # The largest float and infinity are neighbours here.
        if math.isfinite(expected):
            assert found == pytest.approx(float(expected), rel=1e-15)
        else:
            assert found >= 1


def test_the_engine_may_be_a_few_times_as_wrong_as_pytorch() -> None:
    rng = np.random.default_rng(0)
    wide = rng.normal(size=100)
    own_error = 1e-5
    narrow = (wide + own_error * rng.uniform(-1, 1, 100)).astype(np.float32)
    scale = float(np.abs(wide).max())
    for times, inside in ((4, True), (7, True), (9, False), (100, False)):
        engine = narrow.copy()
        engine[17] = wide[17] + times * np.abs(narrow - wide).max()
        found = deviation(engine, narrow, narrow, wide)
        assert (found.problem is None) == inside
        assert found.share == pytest.approx(times / 8, rel=0.01)
        assert found.absolute == pytest.approx(float(np.abs(engine - narrow).max()))
        assert found.relative == pytest.approx(found.absolute / scale)
        if found.problem:
            assert str(engine[17]) in found.problem
            assert "(17,)" in found.problem


def test_float64_is_measured_by_pytorchs_float32_error_scaled_down() -> None:
    wide = np.array([1.0, 1e-6])
    narrow = np.array([1.0 + 1e-2, 1e-6], np.float32)  # a sum that cancels
    for error, inside in ((1e-11, True), (1.4e-10, True), (1.7e-10, False)):
        engine = wide + np.array([error, 0])
        assert (deviation(engine, wide, narrow, wide).problem is None) == inside
    assert deviation(wide, wide, narrow, wide).cancels
    exact = wide.astype(np.float32)
    assert deviation(wide + np.array([5e-13, 0]), wide, exact, wide).problem is None
    assert deviation(wide + np.array([2e-12, 0]), wide, exact, wide).problem is not None
    assert not deviation(wide, wide, exact, wide).cancels


def test_a_sum_that_cancels_by_luck_is_judged_by_what_was_summed() -> None:
    """A gradient of 1e-17, summed from gradients of 0.1, may be off by some 1e-17."""
    wide = np.array([3e-17])
    narrow = wide.astype(np.float32)
    engine = wide + 2e-17
    assert deviation(engine, wide, narrow, wide).problem is not None
    assert deviation(engine, wide, narrow, wide, source=0.1).problem is None
    assert deviation(engine + 1e-15, wide, narrow, wide, source=0.1).problem is not None


def test_what_is_no_number_must_be_none_on_both_sides() -> None:
    values = np.array([1, np.inf, -np.inf, np.nan], np.float32)
    wide = values.astype(np.float64)
    assert deviation(values, values, values, wide).share == 0
    for place, other in ((0, np.nan), (1, -np.inf), (1, 3e38), (3, 1.0)):
        engine = values.copy()
        engine[place] = other
        found = deviation(engine, values, values, wide)
        assert found.problem is not None
        assert f"({place},)" in found.problem


def test_forms_must_agree() -> None:
    x = np.ones((2, 3), np.float32)
    wide = x.astype(np.float64)
    assert "(3, 2)" in str(deviation(np.ones((3, 2), np.float32), x, x, wide).problem)
    assert "float64" in str(deviation(wide, x, x, wide).problem)
    assert "minitorch_cifar has none" in str(deviation(None, x, x, wide).problem)
    assert "PyTorch has none" in str(deviation(x, None, None, None).problem)
    assert deviation(None, None, None, None).problem is None
    whole = np.array([3, 4])
    assert deviation(whole, whole, whole, whole).problem is None
    assert "(1,)" in str(deviation(np.array([3, 5]), whole, whole, whole).problem)
    empty = np.zeros((0, 3))
    assert deviation(empty, empty, empty.astype(np.float32), empty).share == 0


def test_the_worst_of_two_keeps_the_first_problem() -> None:
    x = np.ones(1, np.float32)
    wide = x.astype(np.float64)
    fine, bad = deviation(x, x, x, wide), deviation(x + np.float32(0.5), x, x, wide)
    worse = deviation(x + np.float32(1), x, x, wide)
    assert fine.worst(bad) == bad.worst(fine) == bad
    assert bad.worst(worse).problem == bad.problem
    assert bad.worst(worse).absolute == 1
