"""Two runs of a program side by side: what was printed, the files left, the tensors in the end."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
from PIL import Image

from .catalogue import Program

ADDRESS = re.compile(r"0x[0-9a-f]+")
FLOAT = re.compile(r"(-?\d+\.\d*(?:e[+-]?\d+)?|-?\d+e[+-]?\d+)")
EVENTS = re.compile(r"events\.out\.tfevents\.[\w.-]+")
PICTURES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Run:
    """What came of a program on one side. Addresses and the names of event files are made the same."""

    printed: list[str]
    files: list[str]
    arrays: dict[str, np.ndarray]
    error: str | None
    folder: Path
    seconds: float = 0.0


def read_run(results: Path, name: str) -> Run:
    """What the driver wrote down."""
    report = json.loads((results / f"{name}.json").read_text())
    with np.load(results / f"{name}.npz") as stored:
        names, *arrays = (stored[key] for key in stored.files)
    return Run(
        printed=ADDRESS.sub("0x", report["printed"]).splitlines(),
        files=[EVENTS.sub("events.out.tfevents", file) for file in report["files"]],
        arrays=dict(zip(names.tolist(), arrays, strict=True)),
        error=report["error"],
        folder=results / name,
        seconds=report["seconds"],
    )


def same_float(a: str, b: str) -> bool:
    """Printed floats agree in four digits or, where fewer were printed, but for one in the last place.

    Differences under 1e-7 are none: so much float32 loses where larger numbers cancel.
    """
    x, y = float(a), float(b)
    if x == y or (x != x and y != y) or abs(x - y) <= max(1e-4 * max(abs(x), abs(y)), 1e-7):
        return True
    if "e" in a + b:
        return False
    places = min(len(text.partition(".")[2]) for text in (a, b))
    return abs(x - y) < 1.01 * 10.0**-places


def differences_in_print(ours: list[str], theirs: list[str]) -> Iterator[str]:
    """Lines that differ, numbers with a decimal point read as `same_float` does."""
    for number, (mine, other) in enumerate(zip_longest(ours, theirs), start=1):
        if mine == other:
            continue
        if mine is not None and other is not None:
            mine_parts, other_parts = FLOAT.split(mine), FLOAT.split(other)
            texts_agree = [re.sub(r"\s+", " ", text) for text in mine_parts[::2]] == [
                re.sub(r"\s+", " ", text) for text in other_parts[::2]
            ]
            if texts_agree and all(map(same_float, mine_parts[1::2], other_parts[1::2])):
                continue
        yield f"line {number}: {mine!r}, PyTorch: {other!r}"


def differences_in_arrays(
    ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray], tolerance: float
) -> Iterator[str]:
    """Arrays that are not on both sides, or further apart than `tolerance` times the largest element."""
    for name in sorted(ours.keys() ^ theirs.keys()):
        yield f"{name}: only {'here' if name in ours else 'in PyTorch'}"
    for name in ours.keys() & theirs.keys():
        mine, other = ours[name], theirs[name]
        if mine.shape != other.shape or mine.dtype != other.dtype:
            yield f"{name}: {mine.dtype} {mine.shape}, PyTorch: {other.dtype} {other.shape}"
        elif other.dtype.kind != "f":
            if not np.array_equal(mine, other):
                yield f"{name}: {np.count_nonzero(mine != other)} of {other.size} elements differ"
        elif other.size:
            scale = np.abs(other[np.isfinite(other)]).max(initial=0.0)
            if not np.allclose(mine, other, rtol=0, atol=tolerance * scale, equal_nan=True):
                worst = np.abs(mine - other).max() / scale if scale else np.inf
                yield f"{name}: {worst:.2g} apart, relative to the largest element; allowed {tolerance:g}"


def pixels(picture: bytes | Path) -> np.ndarray:
    source = io.BytesIO(picture) if isinstance(picture, bytes) else picture
    with Image.open(source) as image:
        return np.asarray(image).astype(np.float32)


def events(folder: Path) -> dict[str, np.ndarray]:
    """The content of all event files under a folder, as TensorBoard reads them."""
    found: dict[str, np.ndarray] = {}
    files = sorted(folder.rglob("events.out.tfevents.*"))
    if not files:
        return found
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    for file in files:
        place = file.parent.relative_to(folder)
        for event in LegacyEventFileLoader(str(file)).Load():
            if event.HasField("graph_def"):
                found[f"{place}: graph"] = np.array(True)  # its nodes are each library's own
            for value in event.summary.value:
                name = f"{place}: {value.tag} at {event.step}"
                if value.HasField("simple_value"):
                    found[name] = np.array(value.simple_value, np.float32)
                elif value.HasField("image"):
                    found[name] = pixels(value.image.encoded_image_string)
                elif value.HasField("histo"):
                    histo = value.histo
                    found[name] = np.array([histo.min, histo.max, histo.num, histo.sum, histo.sum_squares])
                else:
                    found[name] = np.frombuffer(value.SerializeToString(), np.uint8)
    return found


def pictures(folder: Path) -> dict[str, np.ndarray]:
    """The pixels of all picture files under a folder."""
    files = [file for file in sorted(folder.rglob("*")) if file.suffix in PICTURES]
    return {str(file.relative_to(folder)): pixels(file) for file in files}


def without_gradients(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: array for name, array in arrays.items() if not name.endswith(".grad")}


def differences(ours: Run, theirs: Run, program: Program) -> list[str]:
    """All that differs between a run on the engine and one on PyTorch; empty when they are the same."""
    errors = [(side, run.error) for side, run in (("the engine", ours), ("PyTorch", theirs)) if run.error]
    if errors:
        return [f"on {side}:\n{error}" for side, error in errors]
    tolerance = program.tolerance
    keep = dict if program.compares_gradients else without_gradients
    found = list(differences_in_print(ours.printed, theirs.printed))
    if ours.files != theirs.files:
        found.append(f"files: {ours.files}, PyTorch: {theirs.files}")
    found += differences_in_arrays(keep(ours.arrays), keep(theirs.arrays), tolerance)
    found += differences_in_arrays(events(ours.folder), events(theirs.folder), max(tolerance, 1e-4))
    found += differences_in_arrays(pictures(ours.folder), pictures(theirs.folder), 1 / 255)
    return found
