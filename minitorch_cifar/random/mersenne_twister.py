"""The Mersenne Twister MT19937 as PyTorch's CPU generator runs it: from seeds to words to uniforms.

NumPy's `MT19937` bit generator turns the state into words; this file seeds it the way PyTorch does, joins
words into 64-bit numbers and uniforms, keeps the spare value of the paired normals, and reads and writes
PyTorch's 5056-byte state. It takes no lock (`Generator` does) and knows nothing of distributions or
tensors.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["STATE_SIZE", "MersenneTwister"]

_WORDS = 624  # the size of the twister's state, and how many words one turn of it yields

# The memory layout of PyTorch's CPU generator state. It draws no float32 spare any more and never used
# `normal_x` and `normal_rho` as such, but states keep their place for them.
_STATE = np.dtype(
    [
        ("seed", "<u8"),
        ("left", "<i4"),  # words left before the next turn, plus one
        ("seeded", "<i4"),
        ("next", "<u8"),  # position of the next word
        ("key", "<u8", _WORDS),
        ("normal_x", "<f8"),
        ("normal_y", "<f8"),  # the spare normal
        ("normal_rho", "<f8"),
        ("normal_is_valid", "<i4"),
        ("padding_0", "<i4"),
        ("float_normal", "<f4"),
        ("float_normal_is_valid", "u1"),
        ("padding_1", "V3"),
    ]
)
STATE_SIZE: Final = _STATE.itemsize


def initial_key(seed: int) -> npt.NDArray[np.uint32]:
    """The 624 words of state that the low 32 bits of a seed are spread into.

    Source: Matsumoto and Nishimura, initialisation of 2002/1/26.
    """
    word = seed & 0xFFFFFFFF
    key = [word]
    for position in range(1, _WORDS):
        word = (1812433253 * (word ^ (word >> 30)) + position) & 0xFFFFFFFF
        key.append(word)
    return np.array(key, np.uint32)


class MersenneTwister:
    """A stream of random words, and what is left over between two draws.

    Attributes:
        initial_seed: the seed the stream started from, in [0, 2**64).
        spare_normal: the second value of the last pair of normals, if nobody has taken it yet.
    """

    def __init__(self, seed: int) -> None:
        self._bits = np.random.MT19937(0)
        self.seed(seed)

    def seed(self, seed: int) -> None:
        """Start the stream of `seed`, in [0, 2**64); seeds with the same low 32 bits have the same stream."""
        self.initial_seed = seed
        self.spare_normal: float | None = None
        self._spare_float_normal: float | None = None
        self._set(initial_key(seed), _WORDS)
        self._untouched = True  # PyTorch writes position 0 until the first draw, then 1 to 624

    def _set(self, key: npt.NDArray[np.uint32], position: int) -> None:
        self._bits.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": position}}

    def _raw(self, count: int) -> npt.NDArray[np.uint64]:
        """The next words, each in the low half of a 64-bit number."""
        if count:
            self._untouched = False
        return self._bits.random_raw(count)

    def words(self, count: int) -> npt.NDArray[np.uint32]:
        """The next `count` words, each uniform over [0, 2**32)."""
        return self._raw(count).astype(np.uint32)

    def long_words(self, count: int) -> npt.NDArray[np.uint64]:
        """The next `count` 64-bit words, each made of two words, the high half first."""
        halves = self._raw(2 * count)
        joined: npt.NDArray[np.uint64] = (halves[0::2] << np.uint64(32)) | halves[1::2]
        return joined

    def uniforms(self, count: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """`count` numbers uniform over [0, 1): the low 24 bits of a word (float32) or 53 bits of a long word
        (float64), so that every value is a multiple of 2**-24 or 2**-53."""
        if dtype == np.float32:
            short = self.words(count)
            short &= np.uint32(0xFFFFFF)
            return short.astype(np.float32) * np.float32(2.0**-24)
        long = self.long_words(count)
        long &= np.uint64(2**53 - 1)
        return long.astype(np.float64) * 2.0**-53

    def state_bytes(self) -> bytes:
        """The state in PyTorch's memory layout, 5056 bytes."""
        inner: Any = self._bits.state["state"]
        state = np.zeros((), _STATE)
        state["seed"] = self.initial_seed
        state["left"] = 1 if self._untouched else _WORDS + 1 - inner["pos"]
        state["seeded"] = 1
        state["next"] = 0 if self._untouched else inner["pos"]
        state["key"] = inner["key"]
        if self.spare_normal is not None:
            state["normal_y"], state["normal_is_valid"] = self.spare_normal, 1
        if self._spare_float_normal is not None:
            state["float_normal"], state["float_normal_is_valid"] = self._spare_float_normal, 1
        return state.tobytes()

    def set_state_bytes(self, data: bytes) -> None:
        """Continue from a state that `state_bytes` or PyTorch wrote; RuntimeError for anything else."""
        if len(data) != STATE_SIZE:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {STATE_SIZE} but found the input RNG state size "
                f"to be {len(data)}"
            )
        state = np.frombuffer(data, _STATE)[0]
        left, position = int(state["left"]), int(state["next"])
        untouched = left == 1 and position == 0
        if int(state["seeded"]) != 1 or not (untouched or (left >= 1 and left + position == _WORDS + 1)):
            raise RuntimeError(
                f"Invalid mt19937 state: seeded={int(state['seeded'])}, left={left}, next={position}; "
                f"left and next must add up to {_WORDS + 1}"
            )
        self.initial_seed = int(state["seed"])
        self.spare_normal = float(state["normal_y"]) if state["normal_is_valid"] else None
        self._spare_float_normal = float(state["float_normal"]) if state["float_normal_is_valid"] else None
        self._set(state["key"].astype(np.uint32), _WORDS if untouched else position)
        self._untouched = untouched
