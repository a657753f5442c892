"""`Generator`: PyTorch's CPU random number generator, drawing into NumPy arrays.

After the same seed it gives the numbers that PyTorch gives, whatever the order of draws: integers and
uniforms bit for bit, normals within 2 units in the last place. Each `name_` method fills an array of any
strides in place and returns it; tensors are wrapped round these arrays elsewhere. The words come from
`mersenne_twister.py`, the transform to normals from `box_muller.py`, the checks of arguments from
`bounds.py`.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..device import device as Device
from ..device import require_cpu
from ..dtypes import FROM_NUMPY
from ..missing import ExplainsMissing
from .bounds import check_floating, check_memory, check_uniform, integer_range
from .box_muller import BLOCK, normal_blocks, paired_normals
from .fused import fused_multiply_add
from .mersenne_twister import MersenneTwister

if TYPE_CHECKING:
    from ..tensor import Tensor

Array = npt.NDArray[Any]

DEFAULT_SEED = 67280421310721
_CHUNK = 1024 * BLOCK  # elements made at a time: few enough for the cache, a whole number of blocks
_WIDE_RANGE = 2**28  # from here on a random integer takes 64 bits, so that `%` stays nearly uniform
_LARGEST_PERMUTATION = (2**32 - 1) // 20


class Generator(ExplainsMissing):
    """A stream of random numbers with a state of its own.

    Args:
        device: "cpu" or None. RuntimeError for any other.

    Threads may share a generator: each draw is one uninterrupted piece of the stream.

    >>> import minitorch_cifar as torch
    >>> generator = torch.Generator().manual_seed(0)
    >>> torch.rand(2, generator=generator)
    tensor([0.4963, 0.7682])
    >>> generator.initial_seed()
    0
    """

    def __init__(self, device: Any = None) -> None:
        self._device = require_cpu(device)
        self._twister = MersenneTwister(DEFAULT_SEED)
        self._lock = threading.Lock()

    # Seeds and states.

    @property
    def device(self) -> Device:
        """The CPU."""
        return self._device

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of `seed` and return the generator.

        `seed` lies in [-2**63, 2**64); a negative one stands for 2**64 + seed. RuntimeError unless it is an
        int, ValueError when it lies outside.
        """
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"Overflow when unpacking long long: seed {seed} is outside [-2**63, 2**64)")
        with self._lock:
            self._twister.seed(seed % 2**64)
        return self

    def seed(self) -> int:
        """Start a stream that nobody can foresee, and return its seed."""
        fresh = secrets.randbits(63)
        self.manual_seed(fresh)
        return fresh

    def initial_seed(self) -> int:
        """The seed the present stream started from."""
        return self._twister.initial_seed

    def state_bytes(self) -> bytes:
        """The state in PyTorch's layout, 5056 bytes; `get_state` has them as a tensor."""
        with self._lock:
            return self._twister.state_bytes()

    def set_state_bytes(self, data: bytes) -> Generator:
        """Continue from a state of `state_bytes`, ours or PyTorch's; RuntimeError when it is none."""
        with self._lock:
            self._twister.set_state_bytes(data)
        return self

    def get_state(self) -> Tensor:
        """The state as a uint8 tensor of 5056 elements; PyTorch's `set_state` accepts its bytes too."""
        from ..autograd import wrap

        return wrap(np.frombuffer(self.state_bytes(), np.uint8).copy())

    def set_state(self, new_state: Tensor) -> Generator:
        """Continue from a state that `get_state` returned, and return the generator.

        TypeError unless it is a uint8 tensor, RuntimeError when it is no state of a generator.
        """
        from ..autograd import TensorBase

        if not isinstance(new_state, TensorBase):
            raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
        if new_state._array.dtype != np.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        return self.set_state_bytes(new_state._array.tobytes())

    def clone_state(self) -> Generator:
        """A new generator that continues as this one would."""
        return Generator(self._device).set_state_bytes(self.state_bytes())

    def __reduce__(self) -> tuple[Any, ...]:
        return Generator, (self._device,), self.state_bytes()

    def __setstate__(self, state: bytes) -> None:
        self.set_state_bytes(state)

    # Draws.

    def words(self, count: int) -> Array:
        """The next `count` words, uint32, of which all other draws are made."""
        with self._lock:
            return self._twister.words(count)

    def uniform_(self, array: Array, low: float = 0.0, high: float = 1.0) -> Array:
        """Fill with numbers uniform over [low, high): float32 has 24 random bits, float64 53.

        RuntimeError unless low <= high, NotImplementedError for other dtypes.
        """
        check_uniform(array, low, high)
        kind = array.dtype.type
        start, stop = kind(low), kind(high)

        def draw(count: int) -> Array:
            values = self._twister.uniforms(count, array.dtype)
            if start == 0:
                values *= stop
            else:
                values = fused_multiply_add(values, kind(stop - start), start)
            values[values == stop] = start  # rounding may reach the excluded end
            return values

        return self._fill(array, draw)

    def normal_(self, array: Array, mean: float = 0.0, std: float = 1.0) -> Array:
        """Fill with normal numbers of this mean and standard deviation, float32 or float64.

        RuntimeError for a negative `std`, NotImplementedError for other dtypes.
        """
        if not std >= 0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
        if array.size:
            check_floating(array, "normal_kernel_cpu")
        if array.size < BLOCK or not array.flags.c_contiguous:
            return self._fill(array, lambda count: paired_normals(self._twister, count, mean, std))

        def draw(count: int) -> Array:
            uniforms = self._twister.uniforms(count, array.dtype)
            blocks = normal_blocks(uniforms[: count - count % BLOCK], mean, std)
            return np.append(blocks, uniforms[len(blocks) :])

        with self._lock:
            flat = self._fill_unlocked(array.reshape(-1), draw)
            if array.size % BLOCK:
                # What is left over after the whole blocks is made by drawing the last 16 numbers anew.
                flat[-BLOCK:] = normal_blocks(self._twister.uniforms(BLOCK, array.dtype), mean, std)
        return array

    def log_normal_(self, array: Array, mean: float = 1.0, std: float = 2.0) -> Array:
        """Fill with exp(x) for normal x of this mean and standard deviation. RuntimeError unless std > 0."""
        if not std > 0:
            raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
        check_floating(array, "log_normal_cpu")
        return self._fill(array, lambda count: np.exp(paired_normals(self._twister, count, mean, std)))

    def random_(self, array: Array, low: int | None = None, high: int | None = None) -> Array:
        """Fill with random integers.

        Without bounds: all values of an integer dtype from 0 up, {0, 1} for bool, [0, 2**24] for float32 and
        [0, 2**53] for float64. With `low`: [low, high), or from low to that largest value when `high` is
        None. RuntimeError when the range is empty or leaves the dtype.
        """
        kind = array.dtype
        if low is None:
            if high is not None:
                raise TypeError("random_() got high without low; pass low=0")
            if kind.kind == "f":
                size = 2 ** (np.finfo(kind).nmant + 1) + 1
            else:
                size = 2 if kind.kind == "b" else int(np.iinfo(kind).max) + 1
            return self._fill_integers(array, 0, size, wide=kind.itemsize == 8)
        if high is None and low == -(2**63) and kind == np.int64:
            return self._fill_integers(array, 0, 2**64, wide=True)
        low, high = integer_range(kind, low, high)
        return self._fill_integers(array, low, high - low, wide=high - low >= _WIDE_RANGE)

    def _fill_integers(self, array: Array, low: int, size: int, wide: bool) -> Array:
        """`low` plus a word (or a 64-bit word, `wide`) modulo `size`."""

        def draw(count: int) -> Array:
            words = self._twister.long_words(count) if wide else self._twister.words(count)
            if size != 2**64:
                words %= words.dtype.type(size)
            return words.astype(np.int64) + np.int64(low)

        return self._fill(array, draw)

    def bernoulli_(self, array: Array, p: float | Array = 0.5) -> Array:
        """Fill with ones, with probability `p`, and zeros; any dtype.

        A number is compared with 53-bit uniforms; an array of probabilities (of a shape that broadcasts) with
        uniforms of its own dtype, as PyTorch does. RuntimeError unless 0 <= p <= 1.
        """
        if isinstance(p, np.ndarray):
            check_floating(p, "bernoulli_tensor_cpu_p_")
            if not np.all((p >= 0) & (p <= 1)):
                raise RuntimeError("bernoulli expects all probabilities p to be in [0, 1]")
            chances = in_memory_order(np.broadcast_to(p, array.shape), like=array).reshape(-1)
        else:
            if not 0 <= p <= 1:
                raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
            chances = np.broadcast_to(np.float64(p), array.size)
        used = 0

        def draw(count: int) -> Array:
            nonlocal used
            used += count
            hit: Array = self._twister.uniforms(count, chances.dtype) < chances[used - count : used]
            return hit

        return self._fill(array, draw)

    def exponential_(self, array: Array, lambd: float = 1.0) -> Array:
        """Fill with exponential numbers, density lambd exp(-lambd x). RuntimeError unless lambd > 0."""
        if array.dtype.kind != "f":
            raise RuntimeError(
                "Exponential distribution is a continuous probability distribution. dtype must be a floating "
                f"point but you specified {FROM_NUMPY[array.dtype].legacy_name}"
            )
        if not lambd > 0:
            raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
        return self._fill_from_uniforms(array, lambda u: -1.0 / lambd * np.log1p(-u))

    def geometric_(self, array: Array, p: float) -> Array:
        """Fill with the number of trials up to the first success of probability `p`, in (0, 1)."""
        if not 0 < p < 1:
            raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
        if array.dtype.kind == "b":
            raise NotImplementedError("\"geometric_cpu\" not implemented for 'Bool'")
        return self._fill_from_uniforms(array, lambda u: np.ceil(np.log(u) / np.log1p(-p)))

    def cauchy_(self, array: Array, median: float = 0.0, sigma: float = 1.0) -> Array:
        """Fill with Cauchy numbers of this median and half-width. RuntimeError unless sigma > 0."""
        if not sigma > 0:
            raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
        if array.dtype.kind != "f":
            raise RuntimeError(
                "Cauchy distribution is a continuous probability distribution. dtype must be a floating "
                f"point but you specified {FROM_NUMPY[array.dtype].legacy_name}"
            )
        return self._fill_from_uniforms(array, lambda u: median + sigma * np.tan(np.pi * (u - 0.5)))

    def randperm(self, n: int) -> Array:
        """A random order of 0 ... n-1, int64.

        The shuffle of Fisher and Yates: position i trades places with one chosen among i ... n-1.
        """
        if n < 0:
            raise RuntimeError(f"n must be non-negative, got {n}")
        if n >= _LARGEST_PERMUTATION:
            raise NotImplementedError(f"randperm supports n < {_LARGEST_PERMUTATION} only, got {n}")
        with self._lock:
            words = self._twister.words(max(n - 1, 0))
        choices = words % np.arange(n, 1, -1, dtype=np.uint32) + np.arange(n - 1, dtype=np.uint32)
        order = list(range(n))  # single elements of a list are quicker to reach than those of an array
        for position, choice in enumerate(choices.tolist()):
            order[position], order[choice] = order[choice], order[position]
        return np.array(order, np.int64)

    def multinomial(self, weights: Array, num_samples: int, replacement: bool = False) -> Array:
        """Indices of `num_samples` categories, drawn in proportion to non-negative weights.

        weights: (categories,) or (rows, categories), float32 or float64. Returns int64 (num_samples,) or
        (rows, num_samples). RuntimeError for other shapes, for weights that are negative, not finite or all
        zero, and for more samples than categories without replacement.
        """
        _check_multinomial(weights, num_samples, replacement)
        if replacement and num_samples > 1:
            return self._multinomial_by_bisection(weights, num_samples)
        # The largest of weight / Exp(1) falls on a category with probability in proportion to its weight.
        race = weights / self.exponential_(np.empty_like(weights))
        if num_samples == 1:
            winner: Array = np.argmax(race, axis=-1, keepdims=True)
            return winner
        return np.argsort(-race, axis=-1, kind="stable")[..., :num_samples]

    def _multinomial_by_bisection(self, weights: Array, num_samples: int) -> Array:
        rows = weights.reshape(-1, weights.shape[-1])
        cumulative = np.cumsum(rows, axis=1, dtype=rows.dtype)
        cumulative /= cumulative[:, -1:].copy()
        cumulative[:, -1] = 1
        with self._lock:
            levels = self._twister.uniforms(len(rows) * num_samples, np.float64).reshape(
                len(rows), num_samples
            )
        found = [np.searchsorted(steps, level) for steps, level in zip(cumulative, levels, strict=True)]
        return np.array(found, np.int64).reshape(*weights.shape[:-1], num_samples)

    # How arrays are filled.

    def _fill_from_uniforms(self, array: Array, transform: Callable[[Array], Array]) -> Array:
        """Fill with `transform` of float64 uniforms, one each."""
        with np.errstate(divide="ignore"):
            return self._fill(array, lambda count: transform(self._twister.uniforms(count, np.float64)))

    def _fill(self, array: Array, draw: Callable[[int], Array]) -> Array:
        """Fill with draw(count) values at a time, in the order in which the elements lie in memory."""
        check_memory(array)
        with self._lock:
            self._fill_unlocked(array, draw)
        return array

    def _fill_unlocked(self, array: Array, draw: Callable[[int], Array]) -> Array:
        ordered = in_memory_order(array, like=array)
        flat = ordered.reshape(-1) if ordered.flags.c_contiguous else np.empty(array.size, array.dtype)
        for start in range(0, flat.size, _CHUNK):
            chunk = flat[start : start + _CHUNK]
            chunk[...] = draw(chunk.size)
        if not ordered.flags.c_contiguous:
            ordered[...] = flat.reshape(ordered.shape)
        return array


def unfilled_like(array: Array) -> Array:
    """New memory with the strides of `array`: a draw into it gives what one into `array` would give."""
    span = sum((size - 1) * abs(stride) for size, stride in zip(array.shape, array.strides, strict=True))
    memory = np.empty(span // array.itemsize + 1 if array.size else 0, array.dtype)
    strides = tuple(map(abs, array.strides))
    return np.lib.stride_tricks.as_strided(memory, array.shape, strides)


def in_memory_order(array: Array, like: Array) -> Array:
    """`array` with its axes reordered so that those of `like` go from the longest stride to the shortest.

    PyTorch fills a tensor along its memory: a transposed tensor gets the numbers its base would have got.
    """
    return array.transpose(np.argsort([-abs(stride) for stride in like.strides], kind="stable"))


def _check_multinomial(weights: Array, num_samples: int, replacement: bool) -> None:
    if weights.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if weights.dtype.kind != "f":
        name = FROM_NUMPY[weights.dtype].legacy_name
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {name}")
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > weights.shape[-1]:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    if not np.all(np.isfinite(weights) & (weights >= 0)):
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if not np.all(weights.sum(axis=-1) > 0):
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
