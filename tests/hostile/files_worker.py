# ruff: noqa: E501 - tables
"""The process in which hostile files are opened: `python -m tests.hostile.files_worker FOLDER SEED MUTATIONS`.

Each file is put where its loader looks for it; then the loader runs, watched: how much processor time and
memory it takes, what it raises, whether code ran or a file outside of its folder changed. A line of JSON per
file goes to standard output.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from . import files

PIECES = (
    b"\xff" * 4,
    b"\x00" * 4,
    b"\xff\xff\xff\x7f",
    b"PK\x01\x02",
    b"cos\nsystem\n",
    b"(",
    b".",
    b"q\x00",
    b"]" * 50,
)


def mutated(whole: bytes, chooser: random.Random) -> bytes:
    """The file with some bytes changed, cut out, repeated or put in."""
    content = bytearray(whole)
    for _ in range(chooser.choice((1, 1, 2, 5, 20))):
        at = chooser.randrange(len(content)) if content else 0
        kind = chooser.randrange(6)
        if kind == 0 and content:
            content[at] ^= 1 << chooser.randrange(8)
        elif kind == 1 and content:
            content[at] = chooser.choice((0, 1, 0x7F, 0x80, 0xFF, ord("."), ord("R")))
        elif kind == 2:
            del content[at : at + chooser.choice((1, 4, 100))]
        elif kind == 3:
            content[at:at] = chooser.choice(PIECES)
        elif kind == 4:
            end = at + chooser.choice((4, 30, 300))
            content[at:at] = content[at:end]
        else:
            del content[at + chooser.randrange(len(content) - at + 1) :]
    return bytes(content)


class Loaders:
    """Where each loader finds its file, and how it is called; `kinds` are the errors it may raise."""

    def __init__(self, folder: Path) -> None:
        import minitorch_cifar
        from minitorch_cifar.learn.checkpoint import load_checkpoint
        from minitorch_cifar.learn.errors import UserError
        from minitorch_cifar.learn.prediction import open_picture
        from minitorch_cifar.learn.run_folder import RunFolder
        from minitorch_cifar.serialization import safetensors
        from minitorch_cifar.vision.datasets import CIFAR10, MNIST, DatasetError, ImageFolder, cifar_files
        from minitorch_cifar.vision.models.weights import load_state_dict_from_url

        from ..vision.datasets.cifar_fixtures import SMALL, meta

        self.folder = folder
        raw, labelled = folder / "MNIST" / "raw", folder / "labels" / "MNIST" / "raw"
        named = folder / "names" / "cifar-10-batches-py"
        for place in (
            raw,
            labelled,
            named,
            folder / "pictures" / "a",
            folder / "run",
            folder / "cifar-10-batches-py",
        ):
            place.mkdir(parents=True, exist_ok=True)
        labels = b"\0\0\x08\x01" + (4).to_bytes(4, "big") + bytes(4)
        (raw / "train-labels-idx1-ubyte").write_bytes(labels)
        four = b"\0\0\x08\x03" + (4).to_bytes(4, "big") + (1).to_bytes(4, "big") * 2 + bytes(4)
        (labelled / "train-images-idx3-ubyte").write_bytes(four)
        (named / "data_batch_1").touch()
        (folder / "cifar-10-batches-py" / "batches.meta").write_bytes(meta())
        CIFAR10.format = SMALL
        loading = ("UnpicklingError", "RuntimeError", "EOFError")
        address = "https://nowhere.invalid/weights-0123abcd.pth"
        self.all: dict[str, tuple[str, Callable[[Path], Any], tuple[str, ...]]] = {
            "pth": ("file.pth", minitorch_cifar.load, loading),
            "pth with trust": (
                "trusted.pth", lambda path: minitorch_cifar.load(path, weights_only=False), (*loading, "AttributeError", "ModuleNotFoundError", "ImportError"),
            ),
            "weights": ("weights-0123abcd.pth", lambda path: load_state_dict_from_url(address, folder), loading),
            "checkpoint": ("checkpoint.pth", lambda path: load_checkpoint(path).network(), ("UserError",)),
            "safetensors": ("file.safetensors", safetensors.load_file, ("ValueError", "SafetensorError", "TypeError")),
            "cifar archive": ("cifar-10-python.tar.gz", lambda path: CIFAR10(path), ("DatasetError",)),
            "cifar batch": ("cifar-10-batches-py/data_batch_1", lambda path: CIFAR10(folder), ("DatasetError",)),
            "mnist": ("MNIST/raw/train-images-idx3-ubyte.gz", lambda path: MNIST(folder), ("DatasetError",)),
            "mnist labels": ("labels/MNIST/raw/train-labels-idx1-ubyte.gz", lambda path: MNIST(folder / "labels"), ("DatasetError",)),
            "class names": ("names/cifar-10-batches-py/batches.meta", lambda path: CIFAR10(folder / "names"), ("DatasetError",)),
            "picture to predict": ("picture.png", open_picture, ("UserError",)),
            "picture in a folder": ("pictures/a/1.png", lambda path: ImageFolder(folder / "pictures")[0], ("DatasetError",)),
            "run settings": ("run/config.json", lambda path: RunFolder(folder / "run").read_config(), ("UserError",)),
        }  # fmt: skip
        assert UserError
        assert DatasetError
        assert cifar_files


FORBIDDEN = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "subprocess.Popen", "socket.connect", "os.remove",
             "os.rename", "os.mkdir", "os.symlink", "os.link", "ctypes.dlopen", "pickle.find_class", "exec", "compile")  # fmt: skip


class Watch:
    """Notes what Python reports while `on`: code that runs, names looked up by `pickle`, files written."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self.note)

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        writing = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
        if writing or event in FORBIDDEN:
            self.seen.append(f"{event} {str(arguments)[:100]}")


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Name, size and time of change of everything below a folder."""
    found = {}
    for place, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = Path(place, name)
            status = path.lstat()
            found[str(path)] = (
                status.st_size if path.is_file() else 0,
                status.st_mtime_ns if path.is_file() else 0,
            )
    return found


def peak() -> int:
    """The most memory the process has used since `forget_peak`, in bytes."""
    with open("/proc/self/status", encoding="ascii") as file:
        (line,) = (line for line in file if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def forget_peak() -> None:
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def tried(
    loaders: Loaders, loader: str, what: str, content: bytes, around: Path, watch: Watch
) -> dict[str, Any]:
    """Put one file where it belongs, load it, and say what happened."""
    name, load, kinds = loaders.all[loader]
    path = loaders.folder / name
    path.write_bytes(content)
    before = snapshot(around)
    del content
    forget_peak()
    memory, began = peak(), time.process_time()
    entry: dict[str, Any] = {"loader": loader, "what": what}
    watch.seen.clear()
    watch.on = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = load(path)
        entry["opened"] = type(value).__name__
        del value
    except Exception as error:
        message = f"{error}"
        entry["error"], entry["message"] = type(error).__name__, message[:300]
        if type(error).__name__ not in kinds:
            entry["problem"] = f"an error of another class, {type(error).__name__}: {message[:200]}"
        elif path.name not in message and path.parent.name not in message:
            entry["problem"] = f"the message does not name the file: {message[:200]}"
        elif len(message) > 2_000:
            entry["problem"] = f"a message of {len(message):,} characters"
    finally:
        watch.on = False
    if watch.seen and "trust" not in loader:
        entry["problem"] = f"it did what no reader does: {watch.seen[:3]}"
    entry["seconds"] = round(time.process_time() - began, 3)
    entry["megabytes"] = round((peak() - memory) / 1e6, 1)
    if snapshot(around) != before:
        entry["problem"] = f"files changed: {set(snapshot(around)) ^ set(before)}"
    path.unlink()
    return entry


SECONDS, TRIES = 2.0, 5


def best_of_tries(
    loaders: Loaders, loader: str, what: str, content: bytes, around: Path, watch: Watch
) -> dict[str, Any]:
    """`tried`, again if it took more than `SECONDS`: on a busy machine processor time is several times what
    it is on a quiet one, for moments. The least counts, with the load of that moment.
    """
    best: dict[str, Any] = {}
    for tries in range(1, TRIES + 1):
        entry = tried(loaders, loader, what, content, around, watch)
        if not best or "problem" in entry or entry["seconds"] < best["seconds"]:
            best = entry
        best["tries"] = tries
        if "problem" in best or best["seconds"] <= SECONDS:
            break
    best["load"] = round(os.getloadavg()[0] / (os.cpu_count() or 1), 1)
    return best


def drawn(seed: int, mutations: int) -> Iterator[tuple[str, str, bytes]]:
    """Every case, and mutations of a right file of each format."""
    yield from files.cases()
    for loader, whole in files.whole_files().items():
        for number in range(mutations):
            chooser = random.Random(f"{seed} {loader} {number}")
            yield loader, f"mutation {number}", mutated(whole, chooser)


def main() -> None:
    around, seed, mutations = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    folder = around / "target"
    folder.mkdir()
    os.chdir(folder)
    loaders = Loaders(folder)
    watch = Watch()
    Image.init()  # imports Pillow's readers
    for loader, whole in files.whole_files().items():  # what is only needed once is loaded once
        tried(loaders, loader, "whole", whole, around, watch)
    resource.setrlimit(resource.RLIMIT_AS, (6_000_000_000, 6_000_000_000))
    np.seterr(all="ignore")
    for loader, what, content in drawn(seed, mutations):
        entry = best_of_tries(loaders, loader, what, content, around, watch)
        print(json.dumps(entry), flush=True)
    print(json.dumps({"done": True}))


if __name__ == "__main__":
    main()
