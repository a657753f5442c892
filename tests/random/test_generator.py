"""`Generator` against PyTorch's CPU generator: every draw, in any order, and the state after it.

The engine's draws are made on NumPy arrays, PyTorch's on tensors of the same shape and strides. Integers and
uniforms must be equal bit for bit, normals to 2 units in the last place, and the 5056 bytes of state always.
"""

from __future__ import annotations

import copy
import pickle
import threading
import warnings
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minitorch_cifar import random as engine_random
from minitorch_cifar.random import Generator, fork_rng
from minitorch_cifar.random.fused import fused_multiply_add
from minitorch_cifar.random.generator import unfilled_like

Array = npt.NDArray[Any]
DTYPES = {name: getattr(torch, name) for name in ("float32", "float64", "int64", "int32", "uint8", "bool")}
FLOATS = ("float32", "float64")


def pair(seed: int) -> tuple[Generator, torch.Generator]:
    return Generator().manual_seed(seed), torch.Generator().manual_seed(seed)


def same_state(ours: Generator, theirs: torch.Generator) -> bool:
    return ours.state_bytes() == theirs.get_state().numpy().tobytes()


def ulps(ours: Array, theirs: Array, scale: float = 0.0) -> float:
    """The largest distance in units in the last place of the value, or of `scale` where that is larger."""
    if not ours.size:
        return 0.0
    unit = np.spacing(np.maximum(np.abs(theirs), theirs.dtype.type(abs(scale))))
    return float(np.max(np.abs(ours.astype(np.float64) - theirs) / unit.astype(np.float64)))


# Views of fresh memory, from which the generators get an array and a tensor of the same strides.
LAYOUTS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "contiguous": lambda base: base,
    "transposed": lambda base: base.transpose(0, -1) if base.ndim else base,
    "turned": lambda base: base.movedim(0, -1) if base.ndim else base,
    "every second column": lambda base: base[..., ::2] if base.ndim else base,
    "from the second row": lambda base: base[1:] if base.ndim else base,
}
shapes = st.one_of(
    st.lists(st.integers(0, 9), max_size=3).map(tuple),
    st.sampled_from([(15,), (16,), (17,), (31,), (32,), (33,), (400,), (1000,), (40, 21)]),
)


METHODS = (
    *("uniform_", "normal_", "random_", "bernoulli_", "exponential_", "log_normal_", "cauchy_", "geometric_"),
    *("bernoulli_tensor", "randperm", "multinomial"),
)


@st.composite
def draws(draw: st.DrawFn) -> tuple[str, str, tuple[int, ...], str, tuple[Any, ...]]:
    """One draw: the method's name, dtype, shape, layout and arguments."""
    method = draw(st.sampled_from(METHODS))
    of_any_dtype = ("random_", "bernoulli_", "bernoulli_tensor")
    dtype = draw(st.sampled_from(list(DTYPES) if method in of_any_dtype else FLOATS))
    arguments: tuple[Any, ...] = ()
    if method == "uniform_":
        ends = st.floats(-1e3, 1e3).map(lambda end: end if abs(end) > 1e-200 else 0.0)
        low, high = sorted(draw(st.tuples(ends, ends)))
        arguments = draw(st.sampled_from([(), (low, high), (-high, high) if high >= 0 else (high, -high)]))
    elif method == "normal_":
        arguments = draw(st.sampled_from([(), (0.0, 0.02), (1.5, 0.25)]))
    elif method == "random_":
        top = {"bool": 2, "uint8": 256, "int32": 2**31, "float32": 2**24}.get(dtype, 2**40)
        if draw(st.booleans()):
            near = (
                st.integers(0, top - 1)
                | st.integers(max(0, top - 3), top - 1)
                | st.integers(2**28 - 2, 2**28 + 2)
            )
            low = draw(near) % top
            span = draw(st.integers(1, top - low) | st.just(min(2**28, top - low)))
            arguments = (low, low + span)
            if top > 256 and draw(st.booleans()):
                arguments = (-low, -low + span)
    elif method in ("bernoulli_", "geometric_"):
        arguments = (draw(st.floats(0.0 if method == "bernoulli_" else 0.05, 0.97)),)
    elif method == "bernoulli_tensor":
        arguments = (draw(st.sampled_from(FLOATS)), draw(st.integers(0, 1000)))
    elif method == "exponential_":
        arguments = draw(st.sampled_from([(), (0.3,), (7.0,)]))
    elif method == "randperm":
        arguments = (draw(st.integers(0, 700)),)
    elif method == "multinomial":
        arguments = (draw(st.integers(1, 6)), draw(st.booleans()), draw(st.integers(0, 1000)))
    return method, dtype, draw(shapes), draw(st.sampled_from(list(LAYOUTS))), arguments


def perform(
    ours: Generator, theirs: torch.Generator, method: str, dtype: str, shape: Any, layout: str, arguments: Any
) -> tuple[Array, Array]:
    """The same draw by both."""
    if method == "randperm":
        return ours.randperm(*arguments), torch.randperm(*arguments, generator=theirs).numpy()
    if method == "multinomial":
        count, replacement, seed = arguments
        rows = () if len(shape) != 2 else (shape[0],)
        weights = np.random.default_rng(seed).random((*rows, 7)).astype(dtype)
        expected = torch.multinomial(torch.from_numpy(weights), count, replacement, generator=theirs)
        return ours.multinomial(weights, count, replacement), expected.numpy()
    fresh, tensor = (LAYOUTS[layout](torch.zeros(shape, dtype=DTYPES[dtype])) for _ in range(2))
    array = fresh.numpy()
    if method == "bernoulli_tensor":
        kind, seed = arguments
        chances = np.random.default_rng(seed).random(array.shape[1:]).astype(kind)
        ours.bernoulli_(array, chances)
        tensor.bernoulli_(torch.from_numpy(chances), generator=theirs)
    else:
        assert getattr(ours, method)(array, *arguments) is array
        getattr(tensor, method)(*arguments, generator=theirs)
    return array, tensor.numpy()


# How far a draw may be from PyTorch's; all that is not named here must be equal.
ULPS = {"normal_": 2, "log_normal_": 4, "exponential_": 2, "cauchy_": 8}


@given(st.integers(0, 2**64 - 1), st.lists(draws(), min_size=1, max_size=12))
@settings(max_examples=10 * settings.default.max_examples)
def test_any_program_of_draws_gives_pytorchs_numbers(seed: int, program: list[Any]) -> None:
    ours, theirs = pair(seed)
    for step in program:
        method, dtype, arguments = step[0], step[1], step[4]
        mine, expected = perform(ours, theirs, *step)
        assert mine.dtype == expected.dtype
        assert mine.shape == expected.shape
        if method in ULPS:
            scale = arguments[0] if method == "normal_" and arguments else 0.0
            assert ulps(mine, expected, scale) <= ULPS[method], (method, dtype)
        else:
            np.testing.assert_array_equal(mine, expected)
        assert same_state(ours, theirs), step


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("bounds", [(0, 1), (-0.3, 0.7), (-5.123, 1e3), (1e-3, 0.1), (3, 3.0001), (0, 0.37)])
def test_uniforms_are_equal_to_the_last_bit(dtype: str, bounds: tuple[float, float]) -> None:
    # Two roundings instead of the fused one would differ in a quarter of these.
    ours, theirs = pair(7)
    mine = ours.uniform_(np.empty(300_001, dtype), *bounds)
    expected = torch.empty(300_001, dtype=DTYPES[dtype]).uniform_(*bounds, generator=theirs)
    np.testing.assert_array_equal(mine, expected.numpy())


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("size", [200_000, 131_077, 65_536, 65_537])
def test_many_normals(dtype: str, size: int) -> None:
    ours, theirs = pair(11)
    mine = ours.normal_(np.empty(size, dtype))
    expected = torch.empty(size, dtype=DTYPES[dtype]).normal_(generator=theirs)
    assert ulps(mine, expected.numpy()) <= 2
    assert same_state(ours, theirs)


@pytest.mark.parametrize("n", [10, 50_000, 300_000])
def test_long_permutations(n: int) -> None:
    ours, theirs = pair(0)
    order = ours.randperm(n)
    np.testing.assert_array_equal(order, torch.randperm(n, generator=theirs).numpy())
    assert same_state(ours, theirs)


def test_integer_ranges_at_the_limits_of_their_dtypes() -> None:
    cases: list[tuple[str, tuple[int, ...]]] = [
        ("int64", (-(2**63), 2**63 - 1)),
        ("int64", (0, 2**63 - 1)),
        ("int32", (-(2**31), 2**31)),
        ("uint8", (250, 256)),
        ("float32", (0, 2**24 + 1)),
        ("float64", (-(2**53), 2**53)),
    ]
    for dtype, bounds in cases:
        ours, theirs = pair(3)
        mine = ours.random_(np.empty(99, dtype), *bounds)
        expected = torch.empty(99, dtype=DTYPES[dtype]).random_(*bounds, generator=theirs)
        np.testing.assert_array_equal(mine, expected.numpy())
        assert same_state(ours, theirs)


@pytest.mark.parametrize("dtype", list(DTYPES))
def test_open_ended_integer_ranges(dtype: str) -> None:
    lows = [1] if dtype == "bool" else [3, 200]
    for low in [*lows, -(2**63)] if dtype == "int64" else lows:
        ours, theirs = pair(4)
        mine = ours.random_(np.empty(50, dtype), low)
        expected = torch.empty(50, dtype=DTYPES[dtype]).random_(low, None, generator=theirs)
        np.testing.assert_array_equal(mine, expected.numpy())


NARROWED = [
    *((0, 2**24 + 10), (0, 2**24 + 4), (2**24 + 1, 2**24 + 6), (2**25 + 1, 2**25 + 40), (0, 2**25 + 3)),
    *((-(2**25) - 3, 5), (-(2**25) - 2, 5), (-(2**25) - 1, 5), (0, 2**30 + 1), (-(2**30), -(2**29) - 31)),
]


@pytest.mark.parametrize("bounds", NARROWED)
def test_float_ranges_are_narrowed_and_warned_about_as_in_pytorch(bounds: tuple[int, int]) -> None:
    ours, theirs = pair(5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns once per process only
        expected = torch.empty(200).random_(*bounds, generator=theirs)
    with pytest.warns(UserWarning, match="is out of bounds"):
        mine = ours.random_(np.empty(200, np.float32), *bounds)
    np.testing.assert_array_equal(mine, expected.numpy())


@given(
    st.lists(
        st.tuples(*[st.floats(-1e100, 1e100) | st.sampled_from([0.0, 1.0, -1.0, 0.1, 3.0])] * 3),
        min_size=1,
        max_size=50,
    )
)
def test_fused_multiply_add_rounds_once(triples: list[tuple[float, float, float]]) -> None:
    x, y, z = (np.array(column) for column in zip(*triples, strict=True))
    exact = [Fraction(a) * Fraction(b) + Fraction(c) for a, b, c in triples]
    rounded = np.array([float(value) for value in exact])
    tiny = (np.abs(rounded) < 1e-250) | (np.abs(x * y) < 1e-250)  # the error terms themselves underflow there
    np.testing.assert_array_equal(fused_multiply_add(x, y, z)[~tiny], rounded[~tiny])


def test_fused_multiply_add_in_float32_does_not_round_twice() -> None:
    # The product lies 2**-64 below half a unit of z; float64 would drop that and make it a tie, rounded up.
    x, y = np.float32(2**-12 * (1 + 2**-20)), np.float32(2**-12 * (1 - 2**-20))
    z = np.float32(1 + 2**-23)
    assert np.float32(np.float64(x) * np.float64(y) + np.float64(z)) != z
    assert fused_multiply_add(np.array([x]), y, z)[0] == z


def test_states_travel_in_both_directions() -> None:
    ours, theirs = pair(9)
    ours.normal_(np.empty(3))  # leaves a spare normal behind
    received = torch.Generator()
    received.set_state(torch.frombuffer(bytearray(ours.state_bytes()), dtype=torch.uint8))
    assert received.initial_seed() == 9
    np.testing.assert_array_equal(
        torch.randn(5, generator=received).numpy(), ours.normal_(np.empty(5, np.float32))
    )
    torch.randn(3, generator=theirs)
    torch.randn(40, generator=theirs)
    torch.randn(1, generator=theirs)
    continued = Generator().set_state_bytes(theirs.get_state().numpy().tobytes())
    assert continued.initial_seed() == 9
    for size in (3, 16, 700):
        mine = continued.uniform_(np.empty(size))
        np.testing.assert_array_equal(mine, torch.rand(size, dtype=torch.float64, generator=theirs).numpy())
        assert same_state(continued, theirs)


@pytest.mark.parametrize("draws_before", [0, 1, 623, 624, 625, 1248])
def test_states_at_the_edges_of_the_twister(draws_before: int) -> None:
    ours, theirs = pair(2)
    ours.uniform_(np.empty(draws_before, np.float32))
    torch.rand(draws_before, generator=theirs)
    assert same_state(ours, theirs)
    twin = Generator().set_state_bytes(ours.state_bytes())
    assert twin.state_bytes() == ours.state_bytes()
    np.testing.assert_array_equal(twin.randperm(9), torch.randperm(9, generator=theirs).numpy())


def test_states_as_tensors() -> None:
    generator = Generator().manual_seed(9)
    generator.normal_(np.empty(3))
    state = generator.get_state()
    assert str(state.dtype) == "torch.uint8"
    assert state.numpy().tobytes() == generator.state_bytes()
    expected = generator.randperm(30)
    assert generator.set_state(state) is generator
    np.testing.assert_array_equal(generator.randperm(30), expected)
    for bad in (b"abc", np.zeros(5056, np.uint8), torch.zeros(5056)):
        with pytest.raises(TypeError, match=r"expected a torch\.ByteTensor, but got"):
            generator.set_state(bad)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"RNG state must be a torch\.ByteTensor"):
        generator.set_state(state.float())
    with fork_rng():
        engine_random.set_rng_state(state)
        assert engine_random.get_rng_state().tolist() == state.tolist()
        np.testing.assert_array_equal(engine_random.default_generator.randperm(30), expected)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_memory_of_the_same_layout_gets_the_same_numbers(layout: str) -> None:
    for shape in ((), (0, 3), (20, 4), (5, 8, 6)):
        theirs = LAYOUTS[layout](torch.zeros(shape))
        memory = unfilled_like(theirs.numpy())
        assert memory.shape == theirs.shape
        Generator().manual_seed(1).normal_(memory)
        theirs.normal_(generator=torch.Generator().manual_seed(1))
        assert ulps(memory, theirs.numpy()) <= 2


def test_bad_states_are_refused() -> None:
    good = bytearray(Generator().manual_seed(1).state_bytes())
    for data in (b"", bytes(good[:-1]), bytes(5056)):
        with pytest.raises(RuntimeError) as theirs:
            torch.Generator().set_state(torch.tensor(list(data), dtype=torch.uint8))
        generator = Generator().manual_seed(8)
        before = generator.state_bytes()
        with pytest.raises(RuntimeError) as ours:
            generator.set_state_bytes(data)
        assert str(ours.value).startswith(str(theirs.value))
        assert generator.state_bytes() == before
    unseeded = bytearray(good)
    unseeded[12:16] = (0).to_bytes(4, "little")
    with pytest.raises(RuntimeError, match="Invalid mt19937 state"):
        torch.Generator().set_state(torch.frombuffer(unseeded, dtype=torch.uint8))
    with pytest.raises(RuntimeError, match="Invalid mt19937 state: seeded=0"):
        Generator().set_state_bytes(bytes(unseeded))
    good[8:12] = (700).to_bytes(4, "little")
    with pytest.raises(RuntimeError, match="Invalid mt19937 state: seeded=1, left=700"):
        Generator().set_state_bytes(bytes(good))


@pytest.mark.parametrize(
    "seed", [0, 1, -1, -5, 2**32, 2**32 + 7, 2**63, 2**64 - 1, -(2**63), 123456789012345]
)
def test_seeds(seed: int) -> None:
    ours, theirs = pair(seed)
    assert ours.initial_seed() == theirs.initial_seed()
    assert same_state(ours, theirs)
    np.testing.assert_array_equal(ours.randperm(20), torch.randperm(20, generator=theirs).numpy())


def test_bad_seeds() -> None:
    bad: list[tuple[Any, type[Exception]]] = [
        (2**64, ValueError),
        (-(2**63) - 1, ValueError),
        (1.5, RuntimeError),
        ("a", RuntimeError),
        (True, RuntimeError),
        (None, RuntimeError),
    ]
    for seed, error in bad:
        with pytest.raises(error) as theirs:
            torch.Generator().manual_seed(seed)
        with pytest.raises(error) as ours:
            Generator().manual_seed(seed)
        assert str(ours.value).startswith(str(theirs.value))


def test_a_new_generator_starts_where_pytorchs_does() -> None:
    assert Generator().initial_seed() == torch.Generator().initial_seed()
    assert same_state(Generator(), torch.Generator())
    assert repr(Generator().device) == repr(torch.Generator().device)
    with pytest.raises(RuntimeError, match="computes on the CPU"):
        Generator("cuda")


def test_seed_draws_a_fresh_seed() -> None:
    generator = Generator()
    seeds = {generator.seed() for _ in range(5)}
    assert len(seeds) == 5
    assert generator.initial_seed() in seeds
    again = Generator().manual_seed(generator.initial_seed())
    assert again.state_bytes() == generator.state_bytes()


def test_copies_continue_the_stream_on_their_own() -> None:
    generator = Generator().manual_seed(6)
    generator.normal_(np.empty(3))
    expected = generator.clone_state().normal_(np.empty(9))
    for twin in (copy.deepcopy(generator), copy.copy(generator), pickle.loads(pickle.dumps(generator))):
        assert isinstance(twin, Generator)
        np.testing.assert_array_equal(twin.normal_(np.empty(9)), expected)
    np.testing.assert_array_equal(generator.normal_(np.empty(9)), expected)


REFUSED: list[tuple[str, str, tuple[Any, ...]]] = [
    ("uniform_", "float32", (2, 1)),
    ("uniform_", "float32", (0, 1e39)),
    ("uniform_", "float32", (-3e38, 3e38)),
    ("uniform_", "float32", (float("nan"), 1)),
    ("uniform_", "int64", (0, 1)),
    ("normal_", "float32", (0, -1)),
    ("normal_", "int64", ()),
    ("bernoulli_", "float32", (1.5,)),
    ("bernoulli_", "float32", (float("nan"),)),
    ("random_", "float32", (5, 5)),
    ("random_", "uint8", (0, 300)),
    ("random_", "uint8", (-1, 3)),
    ("random_", "bool", (0, 3)),
    ("random_", "int32", (0, 2**40)),
    ("random_", "float32", (2**24, None)),
    ("exponential_", "float32", (0,)),
    ("exponential_", "int64", ()),
    ("log_normal_", "float32", (0, 0)),
    ("geometric_", "float32", (0,)),
    ("geometric_", "float32", (1,)),
    ("geometric_", "bool", (0.5,)),
    ("cauchy_", "float32", (0, 0)),
    ("cauchy_", "int64", ()),
]


@pytest.mark.parametrize(("method", "dtype", "arguments"), REFUSED)
def test_arguments_that_pytorch_refuses(method: str, dtype: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises((RuntimeError, NotImplementedError)) as theirs:
        getattr(torch.empty(3, dtype=DTYPES[dtype]), method)(*arguments)
    generator = Generator().manual_seed(0)
    before = generator.state_bytes()
    with pytest.raises(theirs.type) as ours:
        getattr(generator, method)(np.empty(3, dtype), *arguments)
    assert str(ours.value) == str(theirs.value).replace("specified long int", "specified Long")
    assert generator.state_bytes() == before


def test_probabilities_in_an_array_are_checked() -> None:
    for bad in (np.array([0.5, 1.5]), np.array([0.5, np.nan]), np.array([-0.1, 0.5])):
        with pytest.raises(RuntimeError, match=r"probabilities p to be in \[0, 1\]"):
            Generator().bernoulli_(np.empty(2), bad)
    with pytest.raises(NotImplementedError, match="bernoulli_tensor_cpu_p_"):
        Generator().bernoulli_(np.empty(2), np.array([0, 1]))


@pytest.mark.parametrize("method", ["uniform_", "normal_", "bernoulli_", "random_", "exponential_"])
def test_expanded_memory_is_refused(method: str) -> None:
    with pytest.raises(RuntimeError) as theirs:
        getattr(torch.zeros(1, 3).expand(4, 3), method)()
    expanded = np.lib.stride_tricks.as_strided(np.zeros((1, 3), np.float32), (4, 3), (0, 4))
    with pytest.raises(RuntimeError) as ours:
        getattr(Generator(), method)(expanded)
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize(
    ("weights", "count", "replacement"),
    [
        ([0.5, -0.5], 1, False),
        ([0.5, 0.5], 3, False),
        ([0.0, 0.0], 1, False),
        ([1.0, float("inf")], 1, False),
        ([1.0, float("nan")], 3, True),
        ([0.0, 0.0], 2, True),
        ([[[1.0]]], 1, False),
        (1.0, 1, False),
        ([1.0], 0, False),
        ([1, 2], 1, False),
    ],
)
def test_multinomial_refuses_what_pytorch_refuses(weights: Any, count: int, replacement: bool) -> None:
    tensor = torch.tensor(weights)
    with pytest.raises(RuntimeError):
        torch.multinomial(tensor, count, replacement)
    with pytest.raises(RuntimeError):
        Generator().multinomial(tensor.numpy(), count, replacement)


def test_multinomial_never_draws_a_category_of_weight_zero() -> None:
    weights = np.array([0.0, 1.0, 0.0, 2.0, 0.0], np.float32)
    generator = Generator().manual_seed(0)
    assert set(generator.multinomial(weights, 500, replacement=True).tolist()) == {1, 3}
    assert set(generator.multinomial(weights, 2).tolist()) == {1, 3}


def test_randperm_refuses_lengths_it_does_not_know() -> None:
    with pytest.raises(RuntimeError, match="non-negative"):
        Generator().randperm(-1)
    with pytest.raises(NotImplementedError, match="supports n <"):
        Generator().randperm(2**28)


def test_threads_share_a_stream_without_spoiling_it() -> None:
    # A draw that another thread interrupts would mix two pieces of the stream, or lose one.
    generator = Generator().manual_seed(0)
    results: list[Array] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        for _ in range(25):
            results.append(generator.uniform_(np.empty(100_003, np.float32)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone = Generator().manual_seed(0)
    expected = {alone.uniform_(np.empty(100_003, np.float32)).tobytes() for _ in range(100)}
    assert {piece.tobytes() for piece in results} == expected
    assert generator.state_bytes() == alone.state_bytes()


def test_the_default_generator_and_its_functions() -> None:
    default = engine_random.default_generator
    before = default.state_bytes()
    try:
        assert engine_random.manual_seed(3.0) is default
        assert engine_random.initial_seed() == 3
        with torch.random.fork_rng():
            torch.manual_seed(3)
            np.testing.assert_array_equal(default.randperm(5), torch.randperm(5).numpy())
        fresh = engine_random.seed()
        assert engine_random.initial_seed() == fresh
        with pytest.raises(ValueError, match="invalid literal"):
            engine_random.manual_seed("a")
    finally:
        default.set_state_bytes(before)


def test_fork_rng_puts_the_state_back_even_after_an_error() -> None:
    default = engine_random.default_generator
    before = default.state_bytes()
    with pytest.raises(RuntimeError), fork_rng():
        default.randperm(-default.randperm(5).size)
    assert default.state_bytes() == before
    with fork_rng(enabled=False):
        default.randperm(5)
    assert default.state_bytes() != before
    default.set_state_bytes(before)
    with pytest.raises(RuntimeError, match="only the CPU"), fork_rng(devices=[0]):
        pytest.fail("no device can be forked")
