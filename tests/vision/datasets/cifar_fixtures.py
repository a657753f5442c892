"""CIFAR-10 folders and archives made on the spot, in the official byte formats, with random content.

They are small, 200 pictures per file instead of 10,000; `SMALL` describes them to `CIFAR10`.
"""

from __future__ import annotations

import io
import struct
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from minitorch_cifar.vision.datasets.cifar_files import CIFAR10_FORMAT

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
COUNT = 200  # pictures per file
SMALL = replace(
    CIFAR10_FORMAT,
    train=tuple(replace(batch, pictures=COUNT) for batch in CIFAR10_FORMAT.train),
    test=tuple(replace(batch, pictures=COUNT) for batch in CIFAR10_FORMAT.test),
)
BATCHES = [*SMALL.train, *SMALL.test]


def batch_content(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (COUNT, 3072) and labels (COUNT,) of one batch."""
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (COUNT, 3072), dtype=np.uint8)
    return pixels, random.integers(0, 10, COUNT, dtype=np.uint8)


def python2(text: bytes) -> bytes:
    return b"U" + bytes([len(text)]) + text


def pickled(pixels: np.ndarray, labels: list[int], title: bytes) -> bytes:
    """A batch as Python 2 pickled it."""
    out = [b"\x80\x02}(", python2(b"batch_label"), python2(title), python2(b"labels"), b"]("]
    out += [
        b"K" + bytes([label]) if 0 <= label < 256 else b"J" + struct.pack("<i", label) for label in labels
    ]
    out += [b"e", python2(b"data"), b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"]
    out += [b"K\x00\x85U\x01b\x87R(K\x01M", struct.pack("<H", pixels.shape[0])]
    out += [b"M", struct.pack("<H", pixels.shape[1]), b"\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"]
    out += [b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T", struct.pack("<I", pixels.size)]
    return b"".join([*out, pixels.tobytes(), b"tbu."])


def meta() -> bytes:
    names = b"".join(python2(name.encode()) for name in CLASSES)
    return b"\x80\x02}(" + python2(b"label_names") + b"](" + names + b"eu."


def write_python(folder: Path) -> Path:
    """`folder/cifar-10-batches-py`, complete."""
    target = folder / "cifar-10-batches-py"
    target.mkdir(parents=True)
    for seed, batch in enumerate(BATCHES):
        pixels, labels = batch_content(seed)
        (target / batch.name).write_bytes(pickled(pixels, labels.tolist(), batch.title))
    (target / "batches.meta").write_bytes(meta())
    return target


def write_binary(folder: Path) -> Path:
    """`folder/cifar-10-batches-bin`, complete, of the same content."""
    target = folder / "cifar-10-batches-bin"
    target.mkdir(parents=True)
    for seed, batch in enumerate(BATCHES):
        pixels, labels = batch_content(seed)
        (target / f"{batch.name}.bin").write_bytes(np.concatenate([labels[:, None], pixels], 1).tobytes())
    (target / "batches.meta.txt").write_text("\n".join(CLASSES) + "\n\n")
    return target


def pack(source: Path, archive: Path) -> Path:
    """`source` as a .tar.gz."""
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(source, source.name)
    return archive


def pack_member(name: str, content: bytes, archive: Path) -> Path:
    """A .tar.gz of one file."""
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return archive
