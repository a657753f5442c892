# ruff: noqa: E501 - tables
"""Hostile files, one function per kind of harm: each gives the bytes of a file for a loader.

`CASES` lists (loader, what is wrong, bytes). Whole files of each format, to be mutated, are in `WHOLE`.
"""

from __future__ import annotations

import functools
import gzip
import io
import json
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image

import minitorch_cifar
from minitorch_cifar.serialization import safetensors

from ..vision.datasets import cifar_fixtures

Case = tuple[str, str, Callable[[], bytes]]
MEGABYTE = 1 << 20
PROTO = b"\x80\x02"


# Pickles ------------------------------------------------------------------------------------------------------


class Canary:
    """Runs code when it is unpickled by a reader that allows it."""

    def __reduce__(self) -> Any:
        return exec, ("open('canary', 'w').close()",)


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def doubling(levels: int) -> bytes:
    """A tuple of the next one twice, that of the next one twice, ...: 2 ** levels members to print."""
    return b"K\x01" + b"q\x00h\x00\x86" * levels


def storage(
    numel: bytes = b"K\x04",
    key: bytes = text("0"),
    kind: bytes = b"ctorch\nFloatStorage\n",
    place: bytes = text("cpu"),
) -> bytes:
    """A storage's description, on the stack as the pickle's reader takes it."""
    return b"(" + text("storage") + kind + key + place + numel + b"tQ"


def tensor(
    offset: bytes = b"K\x00",
    shape: bytes = b"K\x02K\x02\x86",
    strides: bytes = b"K\x02K\x01\x86",
    **described: bytes,
) -> bytes:
    """A tensor: `_rebuild_tensor_v2(storage, offset, shape, strides, False, OrderedDict())`."""
    head = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage(**described) + offset + shape + strides
    return head + b"\x89ccollections\nOrderedDict\n)RtR"


def long_int(value: int) -> bytes:
    return b"\x8a\x10" + value.to_bytes(16, "little", signed=True)


def pickles() -> Iterator[tuple[str, bytes]]:
    """Programs that no file of weights has, ending in a dot."""
    yield "code by a class", pickle.dumps(Canary(), 2)
    yield "code by a class, protocol 4", pickle.dumps(Canary(), 4)
    yield "code as text", PROTO + b"cposix\nsystem\n(" + text("touch canary") + b"tR."
    yield "code by INST", b"(S'touch canary'\niposix\nsystem\n."
    yield "code by OBJ", b"(cposix\nsystem\nS'touch canary'\no."
    yield "code by STACK_GLOBAL", b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x0ctouch canary\x85R."
    yield "code by NEWOBJ", PROTO + b"csubprocess\nPopen\n(" + text("touch canary") + b"t\x81."
    yield "a name within a name", PROTO + b"ctorch\nload.__globals__\n."
    yield "a name of the engine", PROTO + b"cminitorch_cifar\nload\n(" + text("x") + b"tR."
    yield "an extension code", PROTO + b"\x82\x01."
    yield "nested a million deep", PROTO + b"]" * 1_100_000 + b"a" * 1_099_999 + b"."
    yield "nested 100,000 deep behind rubbish", PROTO + b"]" * 100_000 + b"a" * 99_999 + b"Q."
    yield "marks without end", PROTO + b"(" * 5_000_000 + b"."
    yield "lists without end", PROTO + b"]" * 20_000_000 + b"."
    yield (
        "dicts remembered without end",
        PROTO + b"".join(b"}r" + struct.pack("<I", i) + b"0" for i in range(50)) * 60_000 + b".",
    )
    yield (
        "ordered dicts without end",
        PROTO + b"ccollections\nOrderedDict\nq\x00" + b"h\x00)R" * 4_000_000 + b".",
    )
    yield "a long of 4 GB", PROTO + b"\x8b\xff\xff\xff\x7f" + b"1" * 100 + b"."
    yield "a text of 4 GB", PROTO + b"X\xff\xff\xff\xff" + b"a" * 100 + b"."
    yield "a text of 2**63 bytes", b"\x80\x04\x8d" + struct.pack("<Q", 2**63 - 1) + b"a."
    yield "a string of negative length", PROTO + b"T\xff\xff\xff\xff."
    yield "bytes of 2**62", b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"a."
    yield (
        "memo number 2**32",
        PROTO + b"Nr\xff\xff\xff\xffj\xff\xff\xff\xff" + b"Nr\xfe\xff\xff\xff" * 1000 + b"cos\nx\n.",
    )
    yield "a list copied 100,000 times", (
        PROTO + b"](" + b"K\x01" * 20_000 + b"eq\x00c__builtin__\nset\nq\x010"
        + b"h\x01h\x00\x85R" * 200_000 + b"."
    )  # fmt: skip
    yield "bytes copied 100,000 times", (
        PROTO + text("a" * 100_000) + b"q\x000c_codecs\nencode\nq\x01" + text("latin1") + b"q\x02"
        + b"h\x01h\x00h\x02\x86R" * 100_000 + b"."
    )  # fmt: skip
    yield (
        "pairs copied 100,000 times",
        (
            PROTO
            + b"]("
            + b"K\x01K\x02\x86" * 5_000
            + b"eq\x00ccollections\nOrderedDict\nq\x01"
            + b"h\x01h\x00\x85R" * 100_000
            + b"."
        ),
    )
    collisions = b"".join(long_int((2**61 - 1) * k) + b"N" for k in range(1, 60_000))
    yield "keys of one hash", PROTO + b"}(" + collisions + b"u."
    yield "members of one hash", PROTO + b"c__builtin__\nset\n](" + collisions.replace(b"N", b"") + b"e\x85R."
    for levels in (30, 200):
        yield f"a doubled tuple as a storage, {levels}", PROTO + doubling(levels) + b"Q."
        yield f"a doubled tuple as a size, {levels}", PROTO + tensor(shape=doubling(levels)) + b"."
        yield (
            f"a doubled tuple as a number of elements, {levels}",
            PROTO + tensor(numel=doubling(levels)) + b".",
        )
        yield f"a doubled tuple as a name, {levels}", PROTO + tensor(key=doubling(levels)) + b"."
        yield f"a doubled tuple as a key, {levels}", PROTO + b"}" + doubling(levels) + b"Ns."
    yield "a bytearray of 10**12", PROTO + b"c__builtin__\nbytearray\n" + long_int(10**12) + b"\x85R."
    yield (
        "attributes in the place of methods",
        (
            PROTO
            + b"ccollections\nOrderedDict\n)R}"
            + text("items")
            + b"K\x01s"
            + b"b"
            + b"}"
            + text("keys")
            + b"Nsb."
        ),
    )
    numbers = {
        "negative": b"J\xff\xff\xff\xff",
        "huge": long_int(2**62),
        "2**40": long_int(2**40),
        "nan": b"G" + struct.pack(">d", float("nan")),
        "a float": b"G" + struct.pack(">d", 2.0),
        "true": b"\x88",
        "none": b"N",
        "text": text("4"),
    }
    for name, number in numbers.items():
        yield f"offset {name}", PROTO + tensor(offset=number) + b"."
        yield f"shape {name}", PROTO + tensor(shape=number + b"K\x02\x86") + b"."
        yield f"strides {name}", PROTO + tensor(strides=number + b"K\x01\x86") + b"."
        yield f"elements {name}", PROTO + tensor(numel=number) + b"."
        yield f"shape is no tuple, {name}", PROTO + tensor(shape=number) + b"."
    yield (
        "shape whose product overflows",
        PROTO + tensor(shape=long_int(2**40) + long_int(2**40) + b"\x86") + b".",
    )
    yield "more strides than sizes", PROTO + tensor(strides=b"K\x01K\x01K\x01\x87") + b"."
    yield "a window past the end", PROTO + tensor(offset=b"K\x01") + b"."
    yield "another storage", PROTO + tensor(key=text("1")) + b"."
    yield "a storage above the folder", PROTO + tensor(key=text("../data.pkl")) + b"."
    yield "a storage of a long name", PROTO + tensor(key=text("0" * 5_000)) + b"."
    yield "a storage of another device", PROTO + tensor(place=text("cuda:0")) + b"."
    yield "a storage of a device of a long name", PROTO + tensor(place=text("x" * 5_000)) + b"."
    yield "a storage of another type", PROTO + tensor(kind=b"ctorch\nLongStorage\n") + b"."
    yield "a storage of no type", PROTO + tensor(kind=text("FloatStorage")) + b"."
    yield "empty", b""
    yield "no end", PROTO + tensor()


def archive(program: bytes, **more: Any) -> bytes:
    """A `.pth` file of a pickle and one storage of four floats."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as packed:
        packed.writestr("archive/data.pkl", program)
        packed.writestr("archive/byteorder", more.get("byteorder", "little"))
        packed.writestr("archive/data/0", np.arange(4, dtype=np.float32).tobytes())
        packed.writestr("archive/version", "3\n")
    return file.getvalue()


def old_file(
    program: bytes, keys: Any = ("0",), content: bytes = struct.pack("<q4f", 4, 0, 1, 2, 3)
) -> bytes:
    """A file as PyTorch wrote it before 1.6."""
    head = [0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}]
    return b"".join(pickle.dumps(part, 2) for part in head) + program + pickle.dumps(list(keys), 2) + content


def zips() -> Iterator[tuple[str, bytes]]:
    """Archives that are no `.pth` files, or damaged, or claim too much."""
    whole = archive(PROTO + tensor() + b".")
    yield "truncated", whole[:-30]
    yield "compressed", _zipped({"archive/data.pkl": b"a" * 10**6}, zipfile.ZIP_DEFLATED)
    yield "a bomb of zeros", _zipped({"archive/data.pkl": bytes(300 * MEGABYTE)}, zipfile.ZIP_DEFLATED)
    yield "a record twice", _zipped([("archive/data.pkl", b"N."), ("archive/data.pkl", b"N.")])
    yield "two pickles", _zipped({"archive/data.pkl": b"N.", "other/data.pkl": b"N."})
    yield "no pickle", _zipped({"archive/data": b"N."})
    yield "names above the folder", _zipped({"../data.pkl": b"N."})
    yield "an absolute name", _zipped({"/data.pkl/data.pkl": b"N."})
    yield "a long name, compressed", _zipped({"a" * 60_000 + "/data.pkl": b"N."}, zipfile.ZIP_DEFLATED)
    long = _zipped({"a" * 60_000 + "/data.pkl": b"N."})
    yield "a long name that is another in the list of records", b"b".join(long.rsplit(b"a", 1))
    yield "unknown byte order", archive(PROTO + tensor() + b".", byteorder="middle")
    yield "a wrong check sum", whole.replace(b"\x00\x00\x80?\x00\x00\x00@", b"\x00\x00\x80?\x01\x00\x00@", 1)
    encrypted = bytearray(whole)
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for start in _all_places(whole, signature):
            encrypted[start + place] |= 1
    yield "encrypted", bytes(encrypted)
    larger = bytearray(whole)
    directory = _all_places(whole, b"PK\x01\x02")[2]
    larger[directory + 20 : directory + 28] = struct.pack("<II", 2**31, 2**31)
    yield "a record larger than the file", bytes(larger)
    yield "a million records", _many_records(1_000_000)
    yield "a directory that claims 4 GB", whole[:-10] + struct.pack("<I", 0xFFFFFFFE) + whole[-6:]
    yield "only its start", b"PK\x03\x04"


def _zipped(records: Any, method: int = zipfile.ZIP_STORED) -> bytes:
    import warnings

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as packed, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in records.items() if isinstance(records, dict) else records:
            packed.writestr(name, content)
    return file.getvalue()


def _all_places(content: bytes, signature: bytes) -> list[int]:
    found, at = [], content.find(signature)
    while at >= 0:
        found.append(at)
        at = content.find(signature, at + 1)
    return found


def _many_records(count: int) -> bytes:
    entry = b"PK\x01\x02" + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0)
    directory = b"".join(entry + b"%08d" % i for i in range(count))
    start = b"PK\x03\x04" + bytes(26)
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count % 65536, count % 65536, len(directory), 30, 0)
    return start + directory + end


# Other formats ------------------------------------------------------------------------------------------------


def tensors_file(header: Any, content: bytes = b"", length: int | None = None) -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + content


def safetensors_files() -> Iterator[tuple[str, bytes]]:
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    yield "empty", b""
    yield "a header of 2**63 bytes", tensors_file({}, length=2**63)
    yield "a header longer than the file", tensors_file({}, length=100)
    yield "a header of 60 MB", tensors_file(b" " * (60 * MEGABYTE) + b"{}")
    yield "no json", tensors_file(b"hello")
    yield "a list", tensors_file([1])
    yield "nested 100,000 deep", tensors_file(b"[" * 100_000)
    yield "an entry that is none", tensors_file({"a": 1})
    yield "truncated", tensors_file({"a": entry}, bytes(4))
    yield "content behind the end", tensors_file({"a": entry}, bytes(12))
    yield "sizes and offsets that differ", tensors_file({"a": {**entry, "shape": [3]}}, bytes(8))
    yield "a negative size", tensors_file({"a": {**entry, "shape": [-2]}}, bytes(8))
    yield "sizes whose product overflows", tensors_file({"a": {**entry, "shape": [2**62, 8]}}, bytes(8))
    yield (
        "2**62 elements of nothing",
        tensors_file({"a": {**entry, "shape": [2**62, 2**62, 0], "data_offsets": [0, 0]}}),
    )
    yield "overlapping", tensors_file({"a": entry, "b": entry}, bytes(8))
    yield "offsets backwards", tensors_file({"a": {**entry, "data_offsets": [8, 0]}}, bytes(8))
    yield "another dtype", tensors_file({"a": {**entry, "dtype": "F16", "shape": [4]}}, bytes(8))
    yield "an unknown dtype", tensors_file({"a": {**entry, "dtype": "F31"}}, bytes(8))
    yield (
        "names without end",
        tensors_file(
            {f"{i:06}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(200_000)}
        ),
    )


def tars() -> Iterator[tuple[str, bytes]]:
    """Archives in the place of CIFAR-10's; the name of the first batch is in most of them."""
    name = "cifar-10-batches-py/data_batch_1"
    size = cifar_fixtures.COUNT * 3072 + 2000
    yield "not packed", b"hello"
    yield "packed rubbish", gzip.compress(b"hello" * 1000)
    yield "empty", gzip.compress(bytes(1024))
    yield "truncated", tar([(name, {}, bytes(size))])[:700]
    yield "zeros without end", _endless(tar_raw([("zeros", {}, b"")], end=False), 3_000)
    yield "a member of 8 GB", _endless(tar_raw([(name, {"size": 8 << 30}, b"")], end=False), 1)
    yield "a member of another size", tar([(name, {}, bytes(size * 5))])
    yield "a negative size", tar([(name, {"size": -1}, b"")])
    yield "a batch outside of the folder", tar([(f"../{name}", {}, bytes(size))])
    yield "an absolute name", tar([(f"/tmp/{name}", {}, bytes(size))])
    yield "another case", tar([(name.upper(), {}, bytes(size))])
    for kind, flag in (("symlink", tarfile.SYMTYPE), ("hard link", tarfile.LNKTYPE), ("device", tarfile.CHRTYPE),
                       ("pipe", tarfile.FIFOTYPE), ("folder", tarfile.DIRTYPE)):  # fmt: skip
        yield f"a {kind}", tar([(name, {"type": flag, "linkname": "/etc/passwd"}, b"")])
    yield "100,000 members", tar([(f"m{i}", {}, b"") for i in range(100_000)])
    remark = tar_raw(
        [("././@LongLink", {"type": tarfile.GNUTYPE_LONGNAME, "size": 350 * MEGABYTE}, b"")], end=False
    )
    yield "a name of 350 MB", _endless(remark, 400)
    remark = tar_raw([("x", {"type": tarfile.XHDTYPE, "size": 350 * MEGABYTE}, b"")], end=False)
    yield "remarks of 350 MB", _endless(remark, 400)
    for what, program in pickles():
        if len(program) < 3_000:
            yield (
                f"pickle: {what}",
                tar([(name, {}, program[:-1] + bytes(0) + program[-1:] + bytes(size - len(program)))]),
            )
    for what, number in (("nan", "nan"), ("a huge size", "9" * 400)):
        yield f"a remark that says {what}", tar([(name, {"pax_headers": {"size": number}}, bytes(size))])


def tar_raw(members: list[tuple[str, dict[str, Any], bytes]], end: bool = True) -> bytes:
    file = io.BytesIO()
    for name, fields, content in members:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        for field, value in fields.items():
            setattr(info, field, value)
        made = info.tobuf(tarfile.PAX_FORMAT if info.pax_headers else tarfile.GNU_FORMAT)
        file.write(made + content + bytes(-len(content) % 512))
    return file.getvalue() + bytes(1024 * end)


def tar(members: list[tuple[str, dict[str, Any], bytes]]) -> bytes:
    return gzip.compress(tar_raw(members), 1)


def _endless(start: bytes, megabytes: int) -> bytes:
    """`start` and zeros, packed: a thousandth of their size."""
    return gzip.compress(start) + _packed_zeros() * (megabytes // 50 or 1)


@functools.cache
def _packed_zeros() -> bytes:
    """50 MB."""
    return gzip.compress(bytes(50 * MEGABYTE), 1)


def idx_files() -> Iterator[tuple[str, bytes]]:
    def idx(*sizes: int, content: bytes = b"", kind: bytes = b"\0\0\x08\x03") -> bytes:
        return gzip.compress(kind + struct.pack(f">{len(sizes)}I", *sizes) + content, 1)

    yield "not packed", b"hello"
    yield "empty", gzip.compress(b"")
    yield "truncated header", idx(2, 2)
    yield "truncated", idx(100, 28, 28)[:-10]
    yield "too few pixels", idx(100, 28, 28, content=bytes(1000))
    yield "too many pixels", idx(1, 2, 2, content=bytes(1000))
    yield (
        "zeros without end behind three pixels",
        _endless(b"\0\0\x08\x03" + struct.pack(">3I", 1, 1, 3), 3_000),
    )
    yield "zeros without end", _endless(b"\0\0\x08\x03" + struct.pack(">3I", 100_000, 28, 28), 3_000)
    yield "sizes of 4 GB", idx(2**32 - 1, 2**32 - 1, 2**32 - 1)
    yield "255 dimensions", gzip.compress(b"\0\0\x08\xff" + b"\xff" * 1020)
    yield "floats", idx(1, 1, 1, content=bytes(8), kind=b"\0\0\x0d\x03")
    yield "no pictures of 2**64 pixels", idx(0, 2**32 - 1, 2**32 - 1)


def label_files() -> Iterator[tuple[str, bytes]]:
    """Labels for four pictures."""
    head = b"\0\0\x08\x01"
    yield "not packed", b"hello"
    yield "empty", gzip.compress(b"")
    yield "truncated", gzip.compress(head + struct.pack(">I", 4) + bytes(4))[:-9]
    yield "five labels", gzip.compress(head + struct.pack(">I", 5) + bytes(5))
    yield "no labels", gzip.compress(head + struct.pack(">I", 0))
    yield "a label too large", gzip.compress(head + struct.pack(">I", 4) + b"\0\1\2\x0a")
    yield "pictures", gzip.compress(b"\0\0\x08\x03" + struct.pack(">3I", 4, 1, 1) + bytes(4))
    yield "4 GB", gzip.compress(head + b"\xff" * 4 + bytes(100))
    yield "zeros without end", _endless(head + struct.pack(">I", 4), 3_000)


def class_files() -> Iterator[tuple[str, bytes]]:
    """Names of classes in CIFAR-10's form."""
    whole = cifar_fixtures.meta()
    yield "empty", b""
    yield "truncated", whole[:-10]
    yield "no dict", PROTO + b"]."
    yield "one name", PROTO + b"}" + text("label_names") + b"](" + text("cat") + b"es."
    yield "numbers", PROTO + b"}" + text("label_names") + b"](" + b"K\x01" * 10 + b"es."
    yield "large", whole + bytes(MEGABYTE)
    yield "code", pickle.dumps(Canary(), 2)


def picture_files() -> Iterator[tuple[str, bytes]]:
    from PIL.PngImagePlugin import PngInfo

    def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
        file = io.BytesIO()
        picture.save(file, kind, **options)
        return file.getvalue()

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    def png(width: int, height: int, *chunks: bytes) -> bytes:
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND", b"")

    rough = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8))
    yield "empty", b""
    yield "text", b"hello"
    for kind in ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "PPM"):
        whole = saved(rough, kind)
        yield f"truncated {kind}", whole[: len(whole) // 2]
        yield f"the start of {kind}", whole[:30]
    yield "a png that claims 65,535 x 65,535", png(65535, 65535, chunk(b"IDAT", zlib.compress(bytes(100))))
    yield "a png of 12,000 x 12,000 zeros", png(12_000, 12_000, chunk(b"IDAT", _deflated(36_012)))
    yield "a png of 2**31 - 1 pixels", png(2**31 - 1, 1, chunk(b"IDAT", zlib.compress(bytes(100))))
    yield "a png of no pixels", png(0, 5, chunk(b"IDAT", zlib.compress(b"")))
    yield (
        "a remark of 300 MB",
        png(1, 1, chunk(b"zTXt", b"a\0\0" + _deflated(300_000)), chunk(b"IDAT", zlib.compress(bytes(4)))),
    )
    yield (
        "a profile of 300 MB",
        png(1, 1, chunk(b"iCCP", b"a\0\0" + _deflated(300_000)), chunk(b"IDAT", zlib.compress(bytes(4)))),
    )
    yield "a wrong check sum", saved(rough, "PNG").replace(b"IDAT", b"IDAX", 1)
    yield (
        "postscript",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(canary) (w) file closefile\n",
    )
    yield (
        "a gif that claims 65,535 x 65,535",
        b"GIF89a"
        + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0)
        + b","
        + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0)
        + b"\x08\x00;",
    )
    yield "a tiff of a million entries", b"II*\x00\x08\x00\x00\x00\xff\xff" + bytes(12) * 65_000
    information = PngInfo()
    information.add_text("a", "b" * 100)
    yield "a ppm without its pixels", b"P6 6000 6000 255\n"


def _deflated(kilobytes: int) -> bytes:
    packer = zlib.compressobj(1)
    return b"".join([*(packer.compress(bytes(1000)) for _ in range(kilobytes)), packer.flush()])


def configs() -> Iterator[tuple[str, bytes]]:
    right = {"model": "lenet", "data": "shapes10", "epochs": 1, "batch_size": 4, "lr": 0.1, "momentum": 0.9,
             "seed": 0, "limit": None}  # fmt: skip
    yield "empty", b""
    yield "no json", b"{"
    yield "a network of a long name", json.dumps({**right, "model": "x" * 9_000}).encode()
    yield "a schedule of a long name", json.dumps({**right, "schedule": "x" * 9_000}).encode()
    yield "not text", b"\xff\xfe"
    yield "a list", b"[]"
    yield "nested 90,000 deep", b"[" * 90_000
    yield "large", b" " * 10**7
    yield "a number of 5,000 digits", b'{"seed": ' + b"9" * 5_000 + b"}"
    for name in right:
        for value in ([], {}, "\0", -1, 1e400, True, 10**400, float("nan"), [[]]):
            if (name, value) not in (("limit", -2),):
                yield f"{name} is {str(value)[:20]}", json.dumps({**right, name: value}).encode()
        yield f"no {name}", json.dumps({k: v for k, v in right.items() if k != name}).encode()


def checkpoints() -> Iterator[tuple[str, bytes]]:
    values = whole_checkpoint()
    nested: list[Any] = [1]
    for _ in range(60):
        nested = [nested, nested]
    for name in values:
        for bad in (
            None,
            -1,
            2**70,
            "x",
            [],
            {},
            [1, 2],
            nested,
            {"a": nested},
            minitorch_cifar.ones(2),
            float("nan"),
        ):
            if isinstance(bad, type(values[name])) and name in (
                "random_state",
                "optimizer",
                "epoch",
                "metrics",
                "engine",
            ):
                continue  # looked at when a training goes on
            if name in ("random_state",):
                continue
            yield f"{name} is a {type(bad).__name__}", saved({**values, name: bad})
        if name not in ("engine", "running", "scheduler", "other_random_states"):
            yield f"no {name}", saved({k: v for k, v in values.items() if k != name})
    yield "a million classes", saved({**values, "classes": ["x"] * 300_000})
    other = {**values["model"]}
    first = next(iter(other))
    for what, bad in (
        ("shape", minitorch_cifar.ones(1)),
        ("text", "x"),
        ("None", None),
        ("dtype", minitorch_cifar.ones(2).bool()),
    ):
        yield f"weights: {what}", saved({**values, "model": OrderedDict({**other, first: bad})})
    yield "weights by number", saved({**values, "model": {1: 2}})
    for setting in ("model", "epochs", "lr", "data", "seed", "batch_size"):
        for bad in (None, [], "\0", nested, -1, 2**70):
            if (setting, bad) != ("epochs", 2**70) and not (
                bad is not None and setting == "batch_size" and bad == 2**70
            ):
                yield (
                    f"setting {setting} is a {type(bad).__name__}",
                    saved({**values, "settings": {**values["settings"], setting: bad}}),
                )


def whole_checkpoint() -> dict[str, Any]:
    from minitorch_cifar.models import NETWORKS

    return {
        "format": "minitorch_cifar checkpoint", "version": 1, "classes": ["a", "b"],
        "settings": {"model": "lenet", "data": "shapes10", "epochs": 1, "batch_size": 4, "lr": 0.1, "momentum": 0.9, "seed": 0, "limit": None},
        "normalization": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
        "model": NETWORKS["lenet"](num_classes=2).state_dict(), "optimizer": {}, "epoch": 1,
        "random_state": minitorch_cifar.get_rng_state(), "metrics": [], "engine": "minitorch",
    }  # fmt: skip


def saved(value: Any) -> bytes:
    file = io.BytesIO()
    minitorch_cifar.save(value, file)
    return file.getvalue()


# All together -------------------------------------------------------------------------------------------------


def cases() -> Iterator[tuple[str, str, bytes]]:
    """(loader, what is wrong, the file) of each file that has to be refused."""
    for what, program in pickles():
        yield "pth", f"pickle in a zip: {what}", archive(program)
        yield "pth", f"pickle of the old format: {what}", old_file(program)
        yield "pth", f"a bare pickle: {what}", program
        # Python's own reader hashes keys and remembers numbers as it is told to.
        if (
            "code" not in what
            and len(program) < 10_000
            and not {"memo", "key", "methods"} & set(what.replace(",", "").split())
        ):
            yield "pth with trust", f"pickle in a zip: {what}", archive(program)
    for what, content in zips():
        yield "pth", f"zip: {what}", content
        yield "weights", f"zip: {what}", content
    for what, keys, content in (
        ("a storage that is not there", ("1",), b""), ("a storage twice", ("0", "0"), struct.pack("<q4f", 4, 0, 1, 2, 3) * 2),
        ("no storage", (), b""), ("half a storage", ("0",), struct.pack("<q2f", 4, 0, 1)), ("another count", ("0",), struct.pack("<q4f", 5, 0, 1, 2, 3)),
        ("a number as a name", (3,), b""), ("a list as a name", ([],), b""), ("a count of 2**63", ("0",), struct.pack("<Q4f", 2**63, 0, 1, 2, 3)),
    ):  # fmt: skip
        yield "pth", f"old format: {what}", old_file(PROTO + tensor() + b".", keys, content)
    yield (
        "pth",
        "old format: keys are a number",
        old_file(PROTO + tensor() + b".")[: -len(pickle.dumps(["0"], 2)) - 24] + b"\x80\x02K\x01.",
    )
    for what, content in safetensors_files():
        yield "safetensors", what, content
    for what, content in tars():
        yield "cifar archive", what, content
    for what, content in idx_files():
        yield "mnist", what, content
    for what, content in label_files():
        yield "mnist labels", what, content
    for what, content in class_files():
        yield "class names", what, content
    for what, content in picture_files():
        yield "picture to predict", what, content
        yield "picture in a folder", what, content
    for what, content in configs():
        if what not in ("limit is True", "no limit") and not what.startswith("limit is -1"):
            yield "run settings", what, content
    for what, content in checkpoints():
        yield "checkpoint", what, content
    for what, program in pickles():
        if len(program) < 10_000:
            yield (
                "cifar batch",
                f"pickle: {what}",
                program + bytes(cifar_fixtures.COUNT * 3072 - len(program) + 2000),
            )
            yield "checkpoint", f"pickle: {what}", archive(program)


def whole_files() -> dict[str, bytes]:
    """A right file for each loader, small; mutations of them are tried."""
    state = OrderedDict(weight=minitorch_cifar.ones(2, 3), bias=minitorch_cifar.arange(3))
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)).save(file, "PNG")
    jpeg = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)).save(jpeg, "JPEG")
    pixels, labels = cifar_fixtures.batch_content(0)
    batch = cifar_fixtures.pickled(pixels, labels.tolist(), cifar_fixtures.SMALL.train[0].title)
    return {
        "pth": saved(state),
        "pth with trust": saved(state),
        "weights": saved(state),
        "checkpoint": saved(whole_checkpoint()),
        "safetensors": safetensors.save({"weight": minitorch_cifar.ones(2, 3)}),
        "cifar archive": tar([("cifar-10-batches-py/data_batch_1", {}, batch)]),
        "cifar batch": batch,
        "mnist": gzip.compress(b"\0\0\x08\x03" + struct.pack(">3I", 4, 28, 28) + bytes(4 * 784)),
        "mnist labels": gzip.compress(b"\0\0\x08\x01" + struct.pack(">I", 4) + bytes(4)),
        "class names": cifar_fixtures.meta(),
        "picture to predict": file.getvalue(),
        "picture in a folder": jpeg.getvalue(),
        "run settings": next(c for w, c in configs() if w == "limit is -1"),
    }
