"""A pickle reader that runs no code.

A pickle is a small program for a stack machine, and Python's own machine calls whatever that program names.
This one knows only the opcodes that plain containers, numbers, strings and a fixed list of named constructors
need; anything else is refused by name before it is looked up. CIFAR batches and `.pth` files both pass
through here, each with its own short list of names. Lengths are checked against the bytes that are there, and
a budget of steps bounds what a file can build out of few bytes, so it cannot ask for more memory or time than
its own size calls for.
"""

from __future__ import annotations

import codecs
import pickle
import struct
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

import numpy as np

from ..dtypes import Array

# One step is an opcode, or about 64 bytes that a constructor makes. CIFAR-100 takes 250,000, weights of the
# largest networks a few thousand.
MAX_STEPS: Final = 1_000_000
# Numbers whose hashes collide can be chosen; one more then costs as many comparisons as there are.
MAX_ODD_KEYS: Final = 5_000


class Buildable:
    """An object that a pickle first makes and then fills (opcode BUILD); `build` says with what."""

    def build(self, state: Any) -> None:
        """Take the pickled state; raise ValueError when it is not what the format prescribes."""
        raise NotImplementedError


class Constructor:
    """A function that a pickle may call (opcode REDUCE), under the name by which the pickle knows it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function


class RestrictedUnpickler:
    """Runs one pickle of protocol 2 (or Python 2's) held in `data`.

    Args:
        data: the pickle's bytes.
        names: what the pickle may name, as `"module.name"`: a `Constructor` or a constant.
        persistent_load: called with each persistent id; without it, they are refused.
        byte_strings: True to give Python 2's `str` as `bytes`, False to decode it as Latin-1.

    `load()` raises `pickle.UnpicklingError` that says what was refused, or at which byte the pickle is
    broken.
    """

    def __init__(
        self,
        data: bytes | memoryview,
        names: Mapping[str, Any],
        persistent_load: Callable[[Any], Any] | None = None,
        byte_strings: bool = False,
    ) -> None:
        self.data = memoryview(data)
        self.names = names
        self.persistent_load = persistent_load
        self.byte_strings = byte_strings
        self.position = 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.steps = 0
        self.odd_keys = 0

    def load(self) -> Any:
        """Run the program and return what it leaves on the stack."""
        try:
            while True:
                opcode = self._take(1)[0]
                self._charge(1)
                if opcode == STOP:
                    return self._pop()
                handler = HANDLERS.get(opcode)
                if handler is None:
                    self._fail(
                        f"opcode {bytes([opcode])!r} is not one that tensors and plain containers need"
                    )
                handler(self)
        except (pickle.UnpicklingError, MemoryError):
            raise
        except (ValueError, TypeError, KeyError, IndexError, UnicodeError, OverflowError) as error:
            raise pickle.UnpicklingError(
                f"malformed pickle at byte {self.position}: {type(error).__name__}: {error}"
            ) from error

    def _charge(self, steps: int) -> None:
        self.steps += steps
        if self.steps > MAX_STEPS:
            self._fail(f"it takes more than {MAX_STEPS:,} steps; no file of this format does")

    # Reading

    def _fail(self, why: str) -> NoReturn:
        raise pickle.UnpicklingError(f"refused at byte {self.position} of the pickle: {why}")

    def _take(self, count: int) -> memoryview:
        end = self.position + count
        if end > len(self.data):
            raise pickle.UnpicklingError(
                f"the pickle is truncated: {count} bytes wanted at byte {self.position}, "
                f"but it ends at byte {len(self.data)}"
            )
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def _number(self, layout: str) -> Any:
        return struct.unpack(layout, self._take(struct.calcsize(layout)))[0]

    def _line(self) -> str:
        """Text up to the next newline; names are short, so the search stops after 256 bytes."""
        window = bytes(self.data[self.position : self.position + 256])
        length = window.find(b"\n")
        if length < 0:
            self._fail("a name without an end")
        self.position += length + 1
        return window[:length].decode("ascii")

    # The stack

    def _pop(self) -> Any:
        if not self.stack or (self.marks and len(self.stack) <= self.marks[-1]):
            self._fail("it takes from an empty stack")
        return self.stack.pop()

    def _top(self, kind: type[Any]) -> Any:
        if not self.stack or not isinstance(self.stack[-1], kind):
            self._fail(f"it fills what is not a {kind.__name__}")
        return self.stack[-1]

    def _pop_mark(self) -> list[Any]:
        if not self.marks:
            self._fail("it closes what it did not open")
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    # Opcodes

    def _proto(self) -> None:
        protocol = self._number("<B")
        if protocol > 2:
            self._fail(f"pickle protocol {protocol}; this format uses protocol 2")

    def _mark(self) -> None:
        self.marks.append(len(self.stack))

    def _push_constant(self, value: Any) -> None:
        self.stack.append(value)

    def _long1(self) -> None:
        count = self._number("<B")
        self.stack.append(int.from_bytes(self._take(count), "little", signed=True))

    def _python2_string(self, length: int) -> None:
        if length < 0:
            self._fail("a string of negative length")
        text = bytes(self._take(length))
        self.stack.append(text if self.byte_strings else text.decode("latin1"))

    def _unicode(self) -> None:
        length = self._number("<I")
        self.stack.append(str(self._take(length), "utf-8", "surrogatepass"))

    def _tuple(self, count: int) -> None:
        items = [self._pop() for _ in range(count)]
        self.stack.append(tuple(reversed(items)))

    def _append(self) -> None:
        item = self._pop()
        self._top(list).append(item)

    def _appends(self) -> None:
        items = self._pop_mark()
        self._top(list).extend(items)

    def _set_items(self, items: list[Any]) -> None:
        target = self._top(dict)
        if len(items) % 2:
            self._fail("a dict with a key that has no value")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[self._key(key)] = value

    def _key(self, key: Any) -> Any:
        """A key of a dict, if its hash is harmless, and if not too many have hashes that can be chosen."""
        checked_key(key)
        chosen = isinstance(key, (float, tuple)) or (isinstance(key, int) and not -(2**32) < key < 2**32)
        self.odd_keys += chosen
        if self.odd_keys > MAX_ODD_KEYS:
            self._fail(f"more than {MAX_ODD_KEYS:,} large numbers or tuples as keys or members of sets")
        return key

    def _set_item(self) -> None:
        value = self._pop()
        key = self._pop()
        self._set_items([key, value])

    def _put(self, index: int) -> None:
        if not self.stack:
            self._fail("it remembers the top of an empty stack")
        self.memo[index] = self.stack[-1]

    def _get(self, index: int) -> None:
        if index not in self.memo:
            self._fail(f"it recalls number {index}, which was never remembered")
        self.stack.append(self.memo[index])

    def _global(self) -> None:
        name = f"{self._line()}.{self._line()}"
        if name not in self.names:
            self._fail(f"it names {name}, which is not a tensor or a plain container")
        self.stack.append(self.names[name])

    def _reduce(self) -> None:
        arguments = self._pop()
        constructor = self._pop()
        if not isinstance(constructor, Constructor) or not isinstance(arguments, tuple):
            self._fail("it calls what is not a constructor")
        for argument in arguments:
            self._charge_argument(argument)
        try:
            self.stack.append(constructor.function(*arguments))
        except pickle.UnpicklingError:
            raise
        except (AttributeError, RuntimeError, NotImplementedError, RecursionError) as error:
            self._fail(f"{error}")

    def _charge_argument(self, argument: Any) -> None:
        """A copy costs as many steps as it has members, or a 64th of its bytes."""
        if isinstance(argument, (str, bytes, bytearray)):
            self._charge(len(argument) // 64)
        elif isinstance(argument, (list, dict, set, frozenset, tuple)):
            self._charge(2 * len(argument) + 2)
            for member in argument if isinstance(argument, (list, set, frozenset)) else ():
                # the pairs of an ordered dict bring their key in front
                key = member[0] if isinstance(member, tuple) and len(member) == 2 else member
                if isinstance(key, (float, int, tuple)):
                    self._key(key)

    def _build(self) -> None:
        state = self._pop()
        target = self._top(object)
        if isinstance(target, Buildable):
            target.build(state)
        elif (
            type(target) is OrderedDict
            and isinstance(state, dict)
            and all(isinstance(k, str) and not hasattr(OrderedDict, k) for k in state)
        ):
            self._charge_argument(state)
            vars(target).update(state)  # a state dict's `_metadata`
        else:
            self._fail(f"it changes the attributes of a {type(target).__name__}")

    def _persistent_id(self) -> None:
        if self.persistent_load is None:
            self._fail("it refers to data outside of itself")
        self.stack.append(self.persistent_load(self._pop()))


def described(value: Any) -> str:
    """A value out of a file for a message. Containers by their type: to print one may take for ever, because
    a few bytes make a list that holds the next one twice, and so on, a hundred deep.
    """
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        text = repr(value[:80] if isinstance(value, (str, bytes)) else value)
        return text if len(text) <= 100 else f"{text[:100]}..."
    if isinstance(value, tuple) and len(value) <= 8 and all(isinstance(v, (int, str)) for v in value):
        return f"({', '.join(map(described, value))})"
    return f"a {type(value).__name__}"


def checked_key(key: Any) -> Any:
    """A dict key or set element, if it is of a kind whose hash is harmless: numbers, strings, flat tuples."""
    plain = (str, bytes, int, float, type(None))
    if isinstance(key, plain) or (isinstance(key, tuple) and all(isinstance(k, plain) for k in key)):
        return key
    raise pickle.UnpicklingError(f"refused: a {type(key).__name__} as a dict key or set element")


def _make_set(items: list[Any]) -> set[Any]:
    return {checked_key(item) for item in items}


def _make_ordered_dict(pairs: list[Any] | None = None) -> OrderedDict[Any, Any]:
    return OrderedDict((checked_key(key), value) for key, value in pairs or [])


def _make_counter(counts: dict[Any, Any]) -> Counter[Any]:
    if not isinstance(counts, dict):
        raise TypeError("a Counter is made from a dict")
    return Counter(counts)


def _encode(text: str, encoding: str) -> bytes:
    """`bytes`, as protocol 2 has to write them."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise TypeError("bytes are written as Latin-1 text")
    return codecs.encode(text, "latin1")


def _make_empty_bytes() -> bytes:
    """`b""`, which protocol 2 writes as a call without arguments."""
    return b""


def _make_bytearray(content: bytes = b"", encoding: str = "latin-1") -> bytearray:
    if isinstance(content, str):
        return bytearray(_encode(content, encoding))
    if not isinstance(content, bytes):  # bytearray(10**12) would be a request for memory
        raise TypeError("a bytearray is made from bytes")
    return bytearray(content)


PLAIN_NAMES: Final[dict[str, Any]] = {
    "collections.OrderedDict": Constructor(_make_ordered_dict),
    "collections.Counter": Constructor(_make_counter),
    "_codecs.encode": Constructor(_encode),
}
for _builtins in ("builtins", "__builtin__"):
    PLAIN_NAMES[f"{_builtins}.set"] = Constructor(_make_set)
    PLAIN_NAMES[f"{_builtins}.frozenset"] = Constructor(lambda items: frozenset(_make_set(items)))
    PLAIN_NAMES[f"{_builtins}.bytearray"] = Constructor(_make_bytearray)
    PLAIN_NAMES[f"{_builtins}.complex"] = Constructor(complex)
    PLAIN_NAMES[f"{_builtins}.bytes"] = Constructor(_make_empty_bytes)


class PickledDtype(Buildable):
    """A NumPy dtype in a pickle; only unsigned bytes (`u1`) are part of the CIFAR format."""

    def __init__(self, name: Any, *_: Any) -> None:
        if name not in ("u1", b"u1"):
            raise ValueError(f"arrays of dtype {described(name)}; the format has unsigned bytes, 'u1'")

    def build(self, state: Any) -> None:
        """Byte order and alignment, which one-byte elements do not have."""


class PickledArray(Buildable):
    """A NumPy array in a pickle: `array` is there once BUILD has run."""

    def __init__(self, *_: Any) -> None:
        self.array: Array | None = None

    def build(self, state: Any) -> None:
        """State: (version, shape, dtype, whether in Fortran order, the bytes)."""
        _, shape, dtype, fortran, content = state
        if not isinstance(dtype, PickledDtype) or not isinstance(content, bytes):
            raise ValueError("an array whose content is not plain bytes")
        self.array = np.frombuffer(content, np.uint8).reshape(shape, order="F" if fortran else "C")


NUMPY_NAMES: Final[dict[str, Any]] = {
    "numpy.core.multiarray._reconstruct": Constructor(PickledArray),
    "numpy._core.multiarray._reconstruct": Constructor(PickledArray),
    "numpy.ndarray": None,  # an argument of _reconstruct
    "numpy.dtype": Constructor(PickledDtype),
    "_codecs.encode": PLAIN_NAMES["_codecs.encode"],
}

STOP: Final = pickle.STOP[0]
Handler = Callable[[RestrictedUnpickler], None]
HANDLERS: Final[dict[int, Handler]] = {
    opcode[0]: handler
    for opcode, handler in (
        (pickle.PROTO, RestrictedUnpickler._proto),
        (pickle.MARK, RestrictedUnpickler._mark),
        (pickle.NONE, lambda u: u._push_constant(None)),
        (pickle.NEWTRUE, lambda u: u._push_constant(True)),
        (pickle.NEWFALSE, lambda u: u._push_constant(False)),
        (pickle.EMPTY_LIST, lambda u: u._push_constant([])),
        (pickle.EMPTY_DICT, lambda u: u._push_constant({})),
        (pickle.EMPTY_TUPLE, lambda u: u._push_constant(())),
        (pickle.BININT, lambda u: u._push_constant(u._number("<i"))),
        (pickle.BININT1, lambda u: u._push_constant(u._number("<B"))),
        (pickle.BININT2, lambda u: u._push_constant(u._number("<H"))),
        (pickle.LONG1, RestrictedUnpickler._long1),
        (pickle.BINFLOAT, lambda u: u._push_constant(u._number(">d"))),
        (pickle.BINUNICODE, RestrictedUnpickler._unicode),
        (pickle.SHORT_BINSTRING, lambda u: u._python2_string(u._number("<B"))),
        (pickle.BINSTRING, lambda u: u._python2_string(u._number("<i"))),
        (pickle.TUPLE, lambda u: u._push_constant(tuple(u._pop_mark()))),
        (pickle.TUPLE1, lambda u: u._tuple(1)),
        (pickle.TUPLE2, lambda u: u._tuple(2)),
        (pickle.TUPLE3, lambda u: u._tuple(3)),
        (pickle.APPEND, RestrictedUnpickler._append),
        (pickle.APPENDS, RestrictedUnpickler._appends),
        (pickle.SETITEM, RestrictedUnpickler._set_item),
        (pickle.SETITEMS, lambda u: u._set_items(u._pop_mark())),
        (pickle.BINPUT, lambda u: u._put(u._number("<B"))),
        (pickle.LONG_BINPUT, lambda u: u._put(u._number("<I"))),
        (pickle.BINGET, lambda u: u._get(u._number("<B"))),
        (pickle.LONG_BINGET, lambda u: u._get(u._number("<I"))),
        (pickle.GLOBAL, RestrictedUnpickler._global),
        (pickle.REDUCE, RestrictedUnpickler._reduce),
        (pickle.BUILD, RestrictedUnpickler._build),
        (pickle.BINPERSID, RestrictedUnpickler._persistent_id),
    )
}
