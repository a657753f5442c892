"""Files that atheris makes: `python -m tests.hostile.guided LOADER [options of libFuzzer]`.

atheris (`pip install atheris`; no dependency of the project) changes right and hostile files so that they
reach code that none reached before. Each is opened as `files_worker.py` opens its own, and must meet the same
promises, or the process ends with it: an error of the loader's own class that names the file, no code run,
nothing changed outside of its folder, `SECONDS` of processor time and `MEGABYTES`.

`-max_total_time=300` ends it after five minutes. What was found lies in the working directory as `crash-...`;
`python -m tests.hostile.guided LOADER crash-...` tries it again. Where atheris is installed, `test_files.py`
runs each loader for a moment, or for HOSTILE_GUIDED seconds.
"""

from __future__ import annotations

import gzip
import importlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

# Tests import this file for its names only, and without atheris.
atheris: Any = importlib.import_module("atheris") if __name__ == "__main__" else None

# What is imported here tells atheris which lines were reached. Kernels, which Numba has to understand, are
# imported at the first call of one.
with atheris.instrument_imports(["minitorch_cifar", "tarfile", "zipfile"]) if atheris else nullcontext():
    from . import files, files_worker

    for module in (
        "learn.checkpoint",
        "learn.run_folder",
        "serialization.legacy",
        "serialization.unpickling",
    ):
        importlib.import_module(f"minitorch_cifar.{module}")

SECONDS, MEGABYTES = 2.0, 200.0
TRIES = 3  # of a file that took too long: a busy machine takes several times its processor time
LARGEST = 50_000  # bytes of a file to begin with


def unchanged(content: bytes) -> bytes:
    return content


# Check sums and compression would hide what is inside from the fuzzer: it changes what they are made of.
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "pth": unchanged,
    "pickle": files.archive,
    "safetensors": unchanged,
    "cifar batch": unchanged,
    "cifar archive": lambda content: gzip.compress(content, 1),
    "class names": unchanged,
    "mnist": lambda content: gzip.compress(content, 1),
    "mnist labels": lambda content: gzip.compress(content, 1),
    "checkpoint": unchanged,
    "run settings": unchanged,
}


def seeds(name: str) -> list[bytes]:
    """What to begin with: a right file, and hostile pickles where there is one in it."""
    whole = files.whole_files()
    programs = [program for _, program in files.pickles() if len(program) <= LARGEST]
    if name == "pickle":
        return programs
    if name == "pth":
        return [whole[name], *map(files.old_file, programs)]
    if name in ("cifar archive", "mnist", "mnist labels"):
        return [gzip.decompress(whole[name])]
    if name in ("cifar batch", "class names"):
        return [whole[name], *programs]
    return [whole[name]]


class Guided:
    """Opens each file that atheris comes up with."""

    def __init__(self, name: str, around: Path) -> None:
        self.name, self.around = name, around
        self.loader = "pth" if name == "pickle" else name
        folder = around / "target"
        folder.mkdir()
        self.loaders = files_worker.Loaders(folder)
        self.watch = files_worker.Watch()
        self.one_picture_each()
        for loader, whole in files.whole_files().items():  # what is only needed once is loaded once
            files_worker.tried(self.loaders, loader, "whole", whole, around, self.watch)

    @staticmethod
    def one_picture_each() -> None:
        """Batches of one picture, so that a file is a few thousand bytes."""
        from minitorch_cifar.vision.datasets import CIFAR10

        CIFAR10.format = replace(
            CIFAR10.format, train=tuple(replace(batch, pictures=1) for batch in CIFAR10.format.train)
        )

    def __call__(self, content: bytes) -> None:
        entry: dict[str, Any] = {}
        for _ in range(TRIES):
            entry = files_worker.tried(
                self.loaders, self.loader, "guided", PACKED[self.name](content), self.around, self.watch
            )
            if entry["seconds"] <= SECONDS:
                break
        if "problem" in entry or entry["seconds"] > SECONDS or entry["megabytes"] > MEGABYTES:
            raise AssertionError(f"{entry}")


def main() -> None:
    name, options = " ".join(sys.argv[1:2]), sys.argv[2:]
    if name not in PACKED:
        sys.exit(f"{name!r} is none of the loaders: {', '.join(PACKED)}")
    around = Path(tempfile.mkdtemp())
    corpus = around.with_suffix(".seeds")
    corpus.mkdir()
    for number, content in enumerate(seeds(name)):
        (corpus / str(number)).write_bytes(content)
    guided = Guided(name, around)
    folders = [] if any(Path(option).is_file() for option in options) else [str(corpus)]
    atheris.Setup([sys.argv[0], "-rss_limit_mb=2000", f"-max_len={LARGEST}", *options, *folders], guided)
    try:
        atheris.Fuzz()
    finally:
        shutil.rmtree(corpus, ignore_errors=True)
        shutil.rmtree(around, ignore_errors=True)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
