"""The pickle reader that runs no code: what plain data needs works, all else is refused."""

from __future__ import annotations

import pickle
import pickletools
import re
import struct
from collections import Counter, OrderedDict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minitorch_cifar.serialization.restricted_pickle import MAX_ODD_KEYS, PLAIN_NAMES, RestrictedUnpickler

KEYS = st.one_of(
    st.text(max_size=5),
    st.integers(-(2**70), 2**70),
    st.booleans(),
    st.floats(allow_nan=False),
    st.binary(max_size=5),
    st.tuples(st.integers(), st.text(max_size=3)),
)
LEAVES = st.one_of(st.none(), KEYS, st.floats(allow_nan=False), st.complex_numbers(allow_nan=False))
DATA = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.tuples(inner),
        st.tuples(inner, inner, inner, inner),
        st.dictionaries(KEYS, inner, max_size=5),
        st.dictionaries(KEYS, inner, max_size=5).map(OrderedDict),
        st.sets(KEYS, max_size=4),
        st.frozensets(KEYS, max_size=4),
        st.binary(max_size=6).map(bytearray),
    ),
    max_leaves=30,
)


def load(content: bytes):
    return RestrictedUnpickler(content, PLAIN_NAMES).load()


@given(DATA)
@example([1] * 1000)
@example({i: str(i) for i in range(1000)})
@example(Counter("abracadabra"))
@example("x" * 70_000)
def test_plain_data_comes_back(data):
    loaded = load(pickle.dumps(data, protocol=2))
    assert loaded == data
    assert type(loaded) is type(data)


def test_sharing_and_cycles_are_kept():
    inner: list[object] = [1]
    inner.append(inner)
    first, second = load(pickle.dumps([inner, inner], protocol=2))
    assert first is second
    assert first[1] is first


def test_attributes_of_an_ordered_dict_are_kept():
    state = OrderedDict(a=1)
    state._metadata = {"": {"version": 1}}
    loaded = load(pickle.dumps(state, protocol=2))
    assert loaded._metadata == {"": {"version": 1}}


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"cos\nsystem\n(S'true'\ntR.", "os.system"),
        (b"cbuiltins\neval\n(U\x011tR.", "builtins.eval"),
        (b"c__builtin__\ngetattr\n.", "__builtin__.getattr"),
        (b"cposix\nsystem\nq\x00.", "posix.system"),
        (b"ccollections\nOrderedDict.__init__\n.", "OrderedDict.__init__"),
        (pickle.dumps(len, protocol=2), "builtin"),
        (pickle.dumps(ValueError("x"), protocol=2), "exceptions"),
        (pickle.dumps(range(3), protocol=2), "range"),
    ],
)
def test_other_names_are_refused_by_name(content, named):
    with pytest.raises(pickle.UnpicklingError, match=rf"it names \S*{re.escape(named)}"):
        load(content)


# Every opcode that can name, build or reach something beyond plain data.
FORBIDDEN = (
    pickle.INST,
    pickle.OBJ,
    pickle.NEWOBJ,
    pickle.NEWOBJ_EX,
    pickle.STACK_GLOBAL,
    pickle.EXT1,
    pickle.EXT2,
    pickle.EXT4,
    pickle.PERSID,
    pickle.NEXT_BUFFER,
    pickle.READONLY_BUFFER,
    pickle.STRING,
    pickle.INT,
    pickle.LONG,
    pickle.LONG4,
    pickle.BINBYTES8,
    pickle.FRAME,
)


@pytest.mark.parametrize("opcode", FORBIDDEN)
def test_opcodes_that_plain_data_does_not_need_are_refused(opcode):
    with pytest.raises(pickle.UnpicklingError, match="opcode"):
        load(b"\x80\x02" + opcode + b"\x00" * 20 + b".")


def test_every_opcode_is_either_known_or_refused():
    """Guards against an opcode added by a newer Python being let through."""
    from minitorch_cifar.serialization.restricted_pickle import HANDLERS, STOP

    known = {op.code.encode("latin1")[0] for op in pickletools.opcodes}
    assert set(HANDLERS) | {STOP} <= known
    assert len(HANDLERS) == 32


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80",
        b"\x80\x02",
        b"\x80\x02.",
        b"\x80\x05N.",
        b"N",
        b"a.",
        b"]a.",
        b"(.",
        b"N(.",  # what is below a mark is not to be had
        b"N(\x85.",
        b"}(K\x01u.",
        b"}(K\x01]u0.",
        b"t.",
        b"h\x00.",
        b"q\x00.",
        b"R.",
        b"NNR.",
        b"ccollections\nOrderedDict\nNR.",
        b"}}b.",
        b"NNb.",
        b"Q.",
        b"NQ.",
        b"X\xff\xff\xff\xffab.",
        b"T\xff\xff\xff\xffab.",
        b"T\x00\x00\x00\x7fab.",
        b"X\x01\x00\x00\x00\xff.",
        b"\x8a\xffab.",
        b"c" + b"x" * 1000,
        b"c\xff\n\xff\n.",
        b"}(]K\x01u.",  # a list as a key
        b"c__builtin__\nbytearray\n(J\xff\xff\xff\x7ftR.",  # 2 GB asked for by number
        b"c__builtin__\nset\n(](]etR.",
    ],
)
def test_malformed_pickles_are_refused(content):
    with pytest.raises(pickle.UnpicklingError):
        load(content)


@pytest.mark.parametrize("called", [b"N", b"]", b"K\x01", b"ccollections\nOrderedDict\n)R"])
def test_only_constructors_are_called(called):
    with pytest.raises(pickle.UnpicklingError, match="it calls what is not a constructor"):
        load(called + b")R.")


def test_a_string_of_negative_length_is_refused():
    with pytest.raises(pickle.UnpicklingError, match="a string of negative length"):
        load(b"T\xfc\xff\xff\xffabcd.")


@pytest.mark.parametrize(
    "filled", [b"}(%su.", b"c__builtin__\nset\n](%se\x85R."], ids=["keys of a dict", "members of a set"]
)
def test_many_numbers_whose_hashes_may_collide_are_refused(filled):
    """Each then costs as many comparisons as there are: hours, for a file of a megabyte."""

    def content(count):
        values = b"N" if b"}" in filled else b""
        return filled % b"".join(b"\x8a\x08" + struct.pack("<q", 2**40 + n) + values for n in range(count))

    load(content(MAX_ODD_KEYS))
    with pytest.raises(pickle.UnpicklingError, match="more than 5,000 large numbers"):
        load(content(MAX_ODD_KEYS + 1))


def test_deeply_nested_keys_are_refused_before_they_are_hashed():
    """A tuple nested 200,000 times crashes the interpreter when it is hashed."""
    content = b"})" + b"\x85" * 200_000 + b"K\x01s."
    with pytest.raises(pickle.UnpicklingError, match="as a dict key"):
        load(content)


def test_huge_memo_numbers_cost_nothing():
    """The C unpickler would allocate 32 GB for this."""
    assert load(b"Nr\xff\xff\xff\xff.") is None


@given(DATA, st.data())
def test_mutated_pickles_load_or_are_refused(data, draw):
    content = bytearray(pickle.dumps(data, protocol=2))
    for _ in range(draw.draw(st.integers(1, 4))):
        content[draw.draw(st.integers(0, len(content) - 1))] = draw.draw(st.integers(0, 255))
    content = content[: draw.draw(st.integers(0, len(content)))] if draw.draw(st.booleans()) else content
    try:
        result = load(bytes(content))
    except pickle.UnpicklingError:
        pass  # refused, and that is all it may raise
    else:
        assert not callable(result) or type(result).__name__ == "Constructor"
