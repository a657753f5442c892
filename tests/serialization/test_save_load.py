"""`.pth` files travel both ways: PyTorch opens what we save, without trust, and we open what it saves."""

from __future__ import annotations

import contextlib
import io
import pickle
import pickletools
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch_cifar
from minitorch_cifar import nn

from ..same_error import assert_same_error

DTYPES = ["float32", "float64", "int64", "int32", "uint8", "bool"]
TENSORS = (torch.Tensor, minitorch_cifar.Tensor)


def array_of(tensor: Any) -> np.ndarray:
    return tensor.detach().numpy()


def assert_equal(mine: Any, other: Any) -> None:
    """Two structures are equal, tensor by tensor, whichever library made them."""
    if isinstance(other, TENSORS):
        assert isinstance(mine, TENSORS)
        assert str(mine.dtype) == str(other.dtype)
        assert tuple(mine.shape) == tuple(other.shape)
        if other.numel():
            assert tuple(mine.stride()) == tuple(other.stride())
        assert mine.requires_grad == other.requires_grad
        assert ("Parameter" in type(mine).__name__) == ("Parameter" in type(other).__name__)
        assert array_of(mine).tobytes() == array_of(other).tobytes()
    elif isinstance(other, dict):
        assert type(mine) is type(other)
        assert list(mine) == list(other)
        for key in other:
            assert_equal(mine[key], other[key])
        if hasattr(other, "_metadata"):
            assert mine._metadata == other._metadata
    elif isinstance(other, (list, tuple)):
        assert type(mine).__name__ == type(other).__name__
        assert len(mine) == len(other)
        for a, b in zip(mine, other, strict=True):
            assert_equal(a, b)
    else:
        assert mine == other or repr(mine) == repr(other)


def ours_to_theirs(value: Any, weights_only: bool = True) -> Any:
    file = io.BytesIO()
    minitorch_cifar.save(value, file)
    file.seek(0)
    return torch.load(file, weights_only=weights_only)


def theirs_to_ours(value: Any, **options: Any) -> Any:
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    return minitorch_cifar.load(file, **options)


def ours_to_ours(value: Any, **options: Any) -> Any:
    file = io.BytesIO()
    minitorch_cifar.save(value, file)
    file.seek(0)
    return minitorch_cifar.load(file, **options)


def checkpoint(library: Any) -> dict[str, Any]:
    """Nearly everything a checkpoint may hold, made with either library."""
    base = library.arange(24, dtype=library.float32).reshape(4, 6)
    values = {name: library.tensor([0, 1, 2], dtype=getattr(library, name)) for name in DTYPES}
    return {
        "tensors": values,
        "views": [base, base[1], base[:, 2:5], base.t(), base[::2, ::3], base[3:3], base[2, 3]],
        "expanded": library.ones(1, 3).expand(4, 3),
        "scalar": library.tensor(2.5, dtype=library.float64),
        "empty": library.empty(0),
        "empty matrix": library.zeros(0, 3, dtype=library.int64),
        "requires grad": library.ones(2, requires_grad=True),
        "parameter": library.nn.Parameter(library.ones(2, 2)),
        "frozen": library.nn.Parameter(library.zeros(2), requires_grad=False),
        "plain": [1, -(2**40), 2**70, 1.5, float("inf"), True, None, "text\u00e9", (1, (2, [3]))],
        "bytes": [b"", b"\x00\xff", bytearray(b"ab")],
        "sets": [{1, 2}, frozenset({"a"})] if library is minitorch_cifar else [{1, 2}],
        "ordered": OrderedDict(b=1, a=base),
        "counter": Counter("abca"),
        "library": [library.float32, library.int64, library.bool, library.device("cpu")],
        "size": base.shape,
        3: {"nested": {"deep": [library.ones(1)]}},
        (1, "key"): 1j,
    }


def test_our_file_opens_in_pytorch_without_trust():
    value = checkpoint(minitorch_cifar)
    value["sets"] = value["sets"][:1]  # PyTorch refuses frozensets
    value["bytes"] = value["bytes"][1:]  # and empty bytes
    expected = checkpoint(torch)
    expected["bytes"] = expected["bytes"][1:]
    assert_equal(ours_to_theirs(value), expected)


def test_pytorchs_file_opens_here_without_trust():
    assert_equal(theirs_to_ours(checkpoint(torch)), checkpoint(minitorch_cifar) | {"sets": [{1, 2}]})


@pytest.mark.parametrize("weights_only", [True, False])
def test_round_trip(weights_only):
    value = checkpoint(minitorch_cifar)
    assert_equal(ours_to_ours(value, weights_only=weights_only), value)


def test_pytorchs_file_opens_here_with_trust():
    expected = checkpoint(minitorch_cifar) | {"sets": [{1, 2}]}
    assert_equal(theirs_to_ours(checkpoint(torch), weights_only=False), expected)


def test_the_pickle_is_pytorchs_byte_for_byte():
    """The strictest statement of compatibility: same opcodes, same names, same order."""

    def structure(library):
        base = library.arange(6, dtype=library.float32).reshape(2, 3)
        return OrderedDict(a=base, b=base[:, 1], p=library.nn.Parameter(library.ones(2)), n=[1, 2.5, "x"])

    pickles = []
    for library in (minitorch_cifar, torch):
        file = io.BytesIO()
        library.save(structure(library), file)
        pickles.append(zipfile.ZipFile(file).read("archive/data.pkl"))
    shown = [[(op.name, argument) for op, argument, _ in pickletools.genops(p)] for p in pickles]
    assert shown[0] == shown[1]
    assert pickles[0] == pickles[1]


@given(st.data())
def test_arbitrary_views_travel(data):
    name = data.draw(st.sampled_from(DTYPES))
    shape = data.draw(st.lists(st.integers(0, 4), max_size=4).map(tuple))
    numbers = np.arange(int(np.prod(shape)) or 1)[: int(np.prod(shape))] % 200
    array = numbers.astype(name).reshape(shape)
    index = tuple(
        data.draw(st.one_of(st.slices(size).filter(lambda s: (s.step or 1) > 0), st.integers(0, size - 1)))
        if size
        else slice(None)
        for size in shape
    )
    order = None
    tensors = []
    for library in (minitorch_cifar, torch):
        tensor = library.from_numpy(array.copy())[index]
        order = data.draw(st.permutations(range(tensor.dim()))) if order is None else order
        tensors.append(tensor.permute(*order) if order else tensor)
    mine, other = tensors
    assert_equal(ours_to_theirs({"x": mine}), {"x": other})
    assert_equal(theirs_to_ours({"x": other}), {"x": mine})
    assert_equal(ours_to_ours([mine]), [mine])


@pytest.mark.parametrize("move", [ours_to_ours, ours_to_theirs, theirs_to_ours])
def test_shared_memory_stays_shared(move):
    library = torch if move is theirs_to_ours else minitorch_cifar
    base = library.zeros(3, 4)
    tied = library.nn.Parameter(library.zeros(2))
    first, row, column, one, two = move([base, base[1], base[:, 2], tied, tied])
    with (torch if move is ours_to_theirs else minitorch_cifar).no_grad():
        first[1, 2] = 7
        one[0] = 5
    assert row.tolist() == [0, 0, 7, 0]
    assert column.tolist() == [0, 7, 0]
    assert one is two
    assert two.tolist() == [5, 0]


def test_shared_memory_is_saved_once():
    base = minitorch_cifar.zeros(100_000)
    file = io.BytesIO()
    minitorch_cifar.save([base, base[1:], base.reshape(100, 1000)], file)
    assert file.tell() < 450_000


def test_one_memory_as_two_types_is_refused_as_in_pytorch():
    array = np.zeros(4, np.int32)
    mine = [minitorch_cifar.from_numpy(array), minitorch_cifar.from_numpy(array.view(np.float32))]
    other = torch.from_numpy(array)
    assert_same_error(
        lambda: ours_to_ours(mine), lambda: torch.save([other, other.view(torch.float32)], io.BytesIO())
    )


def test_arrays_that_are_no_plain_memory():
    """Negative strides, read-only bytes, a strided window of foreign memory."""
    from minitorch_cifar.autograd import wrap

    window = np.lib.stride_tricks.sliding_window_view(np.arange(6, dtype=np.float32), 3)
    for array in (
        np.arange(5, dtype=np.float32)[::-1],
        np.frombuffer(b"abcdefgh", np.uint8)[1::2],
        np.frombuffer(b"abcdefghijkl", np.float32)[::2],
        window,
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(12, dtype=np.uint8)[1:9].view(np.int32),
    ):
        for loaded in (ours_to_ours(wrap(array)), ours_to_theirs(wrap(array))):
            assert np.array_equal(array_of(loaded), array)


# Modules and optimizers


def network(library: Any) -> Any:
    layers = library.nn
    return layers.Sequential(
        layers.Conv2d(3, 4, 3), layers.BatchNorm2d(4), layers.ReLU(), layers.Flatten(), layers.Linear(16, 2)
    )


def test_state_dicts_travel_bit_for_bit():
    minitorch_cifar.manual_seed(0)
    mine, other = network(minitorch_cifar), network(torch)
    other.load_state_dict(ours_to_theirs(mine.state_dict()))
    assert_equal(mine.state_dict(), other.state_dict())
    fresh = network(minitorch_cifar)
    fresh.load_state_dict(theirs_to_ours(other.state_dict()))
    assert_equal(fresh.state_dict(), other.state_dict())


def test_optimizer_state_travels():
    states = []
    for library in (minitorch_cifar, torch):
        library.manual_seed(0)
        model = network(library)
        optimizer = library.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        model(library.ones(2, 3, 4, 4)).sum().backward()
        optimizer.step()
        states.append((model, optimizer))
    (_, mine), (_, other) = states
    moved = ours_to_theirs({"optimizer": mine.state_dict(), "epoch": 3})
    other.load_state_dict(moved["optimizer"])
    assert list(moved["optimizer"]["state"]) == list(other.state_dict()["state"])
    mine.load_state_dict(theirs_to_ours(other.state_dict()))


class Doubler(nn.Module):
    """A module whose class is found by import when it is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(2, 2)
        self.note = {"made": "here"}

    def forward(self, x: Any) -> Any:
        return self.inner(x) * 2


def test_a_whole_module_needs_trust():
    model = Doubler()
    file = io.BytesIO()
    minitorch_cifar.save(model, file)
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match=r"test_save_load\.Doubler"):
        minitorch_cifar.load(file)
    file.seek(0)
    loaded = minitorch_cifar.load(file, weights_only=False)
    x = minitorch_cifar.tensor([[1.0, 2.0]])
    assert loaded(x).tolist() == model(x).tolist()
    assert loaded.note == model.note
    assert [name for name, _ in loaded.named_parameters()] == ["inner.weight", "inner.bias"]
    assert all(p.requires_grad for p in loaded.parameters())


# Files


def test_paths_and_file_objects(tmp_path):
    value = {"a": minitorch_cifar.arange(3)}
    for target in (tmp_path / "a.pth", str(tmp_path / "b.pth")):
        minitorch_cifar.save(value, target)
        assert_equal(minitorch_cifar.load(target), value)
        assert torch.load(target, weights_only=True)["a"].tolist() == [0, 1, 2]
    with open(tmp_path / "c.pth", "wb") as file:
        minitorch_cifar.save(value, file)
    with open(tmp_path / "c.pth", "rb") as file:
        assert_equal(minitorch_cifar.load(file), value)
    names = zipfile.ZipFile(tmp_path / "a.pth").namelist()
    assert names[0] == "a/data.pkl"
    assert {"a/version", "a/byteorder", "a/data/0", "a/.format_version"} <= set(names)


def test_records_are_aligned(tmp_path):
    path = tmp_path / "x.pth"
    minitorch_cifar.save([minitorch_cifar.ones(n) for n in (1, 3, 100, 0)], path)
    content = path.read_bytes()
    for info in zipfile.ZipFile(path).infolist():
        name, extra = (
            int.from_bytes(content[info.header_offset + at : info.header_offset + at + 2], "little")
            for at in (26, 28)
        )
        assert (info.header_offset + 30 + name + extra) % 64 == 0


class WriteOnly(io.RawIOBase):
    """A stream that cannot seek, such as a pipe."""

    def __init__(self) -> None:
        self.content = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.content += bytes(data)
        return len(data)


def test_streams_that_cannot_seek():
    stream = WriteOnly()
    minitorch_cifar.save([1, 2], stream)
    assert minitorch_cifar.load(io.BytesIO(stream.content)) == [1, 2]
    with pytest.raises(AttributeError, match="seekable"):
        minitorch_cifar.load(object())
    with pytest.raises(AttributeError, match="'write' attribute"):
        minitorch_cifar.save([1], object())


def test_several_objects_in_one_file():
    file = io.BytesIO(b"")
    file.write(b"prefix")
    minitorch_cifar.save([1, 2], file)
    file.seek(6)
    assert minitorch_cifar.load(file) == [1, 2]


def test_errors_of_paths(tmp_path):
    with pytest.raises(FileNotFoundError):
        minitorch_cifar.load(tmp_path / "nowhere.pth")
    with pytest.raises(RuntimeError, match=r"Parent directory .* does not exist"):
        minitorch_cifar.save([1], tmp_path / "no" / "x.pth")
    path = tmp_path / "old.pth"
    minitorch_cifar.save([1], path)
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        minitorch_cifar.save(lambda: None, path)
    assert minitorch_cifar.load(path) == [1], "what was there is still there"
    assert [p.name for p in tmp_path.iterdir()] == ["old.pth"]


def test_unsupported_options(tmp_path):
    path = tmp_path / "x.pth"
    minitorch_cifar.save([1], path)
    for options in ({"mmap": True}, {"pickle_module": pickle}, {"encoding": "utf-8"}):
        with pytest.raises(NotImplementedError):
            minitorch_cifar.load(path, **options)


def saved_on(location: str) -> io.BytesIO:
    """A file whose storage says it was on another device."""
    made = io.BytesIO()
    torch.save({"x": torch.ones(2)}, made)
    source, target = zipfile.ZipFile(made), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for info in source.infolist():
            content = source.read(info)
            if info.filename.endswith("data.pkl"):
                before = b"X\x03\x00\x00\x00cpu"
                assert content.count(before) == 1
                content = content.replace(before, b"X" + bytes([len(location), 0, 0, 0]) + location.encode())
            archive.writestr(info.filename, content)
    target.seek(0)
    return target


@pytest.mark.parametrize(
    "map_location",
    [
        "cpu",
        minitorch_cifar.device("cpu"),
        {"cuda:0": "cpu"},
        lambda storage, location: storage,
        lambda storage, location: "cpu",
    ],
)
def test_map_location_brings_tensors_to_the_cpu(map_location):
    assert minitorch_cifar.load(saved_on("cuda:0"), map_location)["x"].tolist() == [1, 1]
    assert minitorch_cifar.load(saved_on("cpu"), map_location)["x"].tolist() == [1, 1]


def test_map_location_errors():
    with pytest.raises(
        RuntimeError, match=r"^the file: .* CUDA device .* map_location=torch.device\('cpu'\)"
    ):
        minitorch_cifar.load(saved_on("cuda:0"))
    for elsewhere in ("cuda", {"cuda:0": "cuda:1"}, {"cuda:1": "cpu"}):
        with pytest.raises(RuntimeError, match=r"^the file: don't know how to restore data location"):
            minitorch_cifar.load(saved_on("cuda:0"), elsewhere)


# Files of PyTorch before 1.6


@pytest.mark.parametrize("weights_only", [True, False])
def test_old_format(tmp_path, weights_only):
    path = tmp_path / "old.pth"
    base = torch.arange(6.0).reshape(2, 3)
    value = OrderedDict(a=base, b=base[:, 1], c=torch.nn.Parameter(torch.ones(2)), n=[1, "x"])
    torch.save(value, path, _use_new_zipfile_serialization=False)
    loaded = minitorch_cifar.load(path, weights_only=weights_only)
    assert_equal(loaded, value)
    loaded["a"][0, 1] = 9
    assert loaded["b"].tolist() == [9, 4]
    content = path.read_bytes()
    for length in range(0, len(content) - 1, 7):
        path.write_bytes(content[:length])
        with pytest.raises((RuntimeError, pickle.UnpicklingError, EOFError), match=r"old\.pth"):
            minitorch_cifar.load(path)


# Files that are not what they should be


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("old_format", [False, True])
def test_code_is_refused_and_not_run(tmp_path, old_format):
    victim = tmp_path / "victim"
    path = tmp_path / "evil.pth"
    torch.save({"x": Evil(victim)}, path, _use_new_zipfile_serialization=not old_format)
    with pytest.raises(pickle.UnpicklingError, match=r"evil\.pth.*refused.*getattr.*weights_only=False"):
        minitorch_cifar.load(path)
    assert not victim.exists()


@pytest.mark.parametrize("value", [torch.ones(2).half(), torch.ones(2, dtype=torch.complex64)])
def test_dtypes_that_do_not_exist_here(value):
    with pytest.raises(pickle.UnpicklingError, match="not part of the engine: it has bool, uint8"):
        theirs_to_ours({"x": value})


@pytest.mark.parametrize(
    "content", [b"", b"hello world", b"PK\x03\x04", b"PK\x03\x04" + b"\0" * 500, b"\x80\x02}."]
)
def test_rubbish(tmp_path, content):
    path = tmp_path / "rubbish.pth"
    path.write_bytes(content)
    with pytest.raises((RuntimeError, pickle.UnpicklingError, EOFError), match=r"rubbish\.pth"):
        minitorch_cifar.load(path)


@pytest.fixture(scope="module")
def whole() -> bytes:
    file = io.BytesIO()
    minitorch_cifar.save({"w": minitorch_cifar.arange(40.0), "n": [1, 2, 3]}, file)
    return file.getvalue()


def test_truncated_files(tmp_path, whole):
    path = tmp_path / "cut.pth"
    for length in range(0, len(whole) - 1, 13):
        path.write_bytes(whole[:length])
        with pytest.raises((RuntimeError, pickle.UnpicklingError, EOFError), match=r"cut\.pth"):
            minitorch_cifar.load(path)


def test_a_flipped_bit_in_the_weights_is_noticed(tmp_path, whole):
    path = tmp_path / "flipped.pth"
    spoilt = bytearray(whole)
    place = whole.index(np.float32(7).tobytes() + np.float32(8).tobytes())
    spoilt[place] ^= 1
    path.write_bytes(spoilt)
    with pytest.raises(RuntimeError, match=r"flipped\.pth: damaged: record 'data/0': Bad CRC-32"):
        minitorch_cifar.load(path)


@given(st.data())
def test_mutated_files_load_or_are_refused(whole, data):
    spoilt = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    # Nothing else may come out of it, neither another exception nor a crash.
    with contextlib.suppress(RuntimeError, pickle.UnpicklingError, EOFError):
        minitorch_cifar.load(io.BytesIO(bytes(spoilt)))


def rewritten(whole: bytes, compression: int = zipfile.ZIP_STORED, **replaced: bytes | None) -> io.BytesIO:
    """The archive with records replaced (or left out: None); dots stand for slashes in names."""
    source, target = zipfile.ZipFile(io.BytesIO(whole)), io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for info in source.infolist():
            key = info.filename.removeprefix("archive/").replace("/", "_").replace(".", "_")
            content = replaced.get(key, source.read(info))
            if content is not None:
                archive.writestr(info.filename, content)
    target.seek(0)
    return target


def test_archives_that_claim_too_much(whole):
    good = rewritten(whole)
    assert minitorch_cifar.load(good)["n"] == [1, 2, 3]
    for file, message in (
        (rewritten(whole, zipfile.ZIP_DEFLATED), "is compressed"),
        (rewritten(whole, data_pkl=None), "no data.pkl"),
        (rewritten(whole, data_0=None), "no record 'data/0'"),
        (rewritten(whole, data_0=b"\0" * 159), "159 bytes, expected 40 elements of 4"),
        (rewritten(whole, byteorder=b"middle"), "unknown byte order"),
    ):
        with pytest.raises(RuntimeError, match=message):
            minitorch_cifar.load(file)


def test_big_endian_files_are_turned(whole):
    swapped = np.arange(40, dtype=">f4").tobytes()
    loaded = minitorch_cifar.load(rewritten(whole, byteorder=b"big", data_0=swapped))
    assert loaded["w"].tolist() == list(range(40))


def window_pickle(offset: int, shape: tuple[int, ...], strides: tuple[int, ...], numel: int = 40) -> bytes:
    """A pickle of one tensor, described by numbers that may be wrong."""

    def number(value: int) -> bytes:
        content = value.to_bytes(16, "little", signed=True)
        return b"\x8a\x10" + content

    def numbers(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(map(number, values)) + b"t"

    storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
    return (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n("
        + (storage + number(numel) + b"tQ")
        + (number(offset) + numbers(shape) + numbers(strides))
        + b"\x89ccollections\nOrderedDict\n)RtR."
    )


def test_windows_must_lie_inside_of_their_storage(whole):
    assert minitorch_cifar.load(rewritten(whole, data_pkl=window_pickle(2, (3,), (5,)))).tolist() == [
        2,
        7,
        12,
    ]
    for window in (
        (0, (41,), (1,)),
        (40, (1,), (1,)),
        (-1, (1,), (1,)),
        (0, (2,), (40,)),
        (0, (2,), (-1,)),
        (0, (-2,), (1,)),
        (0, (2, 2), (1,)),
        (0, (2**62,), (2**62,)),
        (2**63, (1,), (1,)),
        (0, (1,) * 70, (1,) * 70),
    ):
        with pytest.raises((pickle.UnpicklingError, RuntimeError)):
            minitorch_cifar.load(rewritten(whole, data_pkl=window_pickle(*window)))
    for numel in (41, 39, -1, 2**60):
        with pytest.raises((pickle.UnpicklingError, RuntimeError)):
            minitorch_cifar.load(rewritten(whole, data_pkl=window_pickle(0, (1,), (1,), numel)))


def test_huge_files_use_the_long_form_of_the_header():
    """Records over 2 GB have a longer header; the padding must count it. Written without their content."""
    from minitorch_cifar.serialization import archive

    file = io.BytesIO()
    before = archive.ZIP64_FROM
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "ZIP64_FROM", 10)
        patch.setattr(zipfile, "ZIP64_LIMIT", 10)
        with archive.ArchiveWriter(file, "archive") as writer:
            writer.write("data.pkl", b"N." + b" " * 50)
            writer.write("data/0", b"x" * 100)
    assert before > 2**30
    content = file.getvalue()
    for record in (b"N.", b"x" * 100):
        assert content.index(record) % 64 == 0
