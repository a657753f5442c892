"""The comparison itself: what counts as the same, and that what is not is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .catalogue import PROGRAMS
from .comparing import Run, differences, same_float
from .running import run_programs, write_data

PROGRAM = replace(PROGRAMS[0], precision="float32", tolerance=1e-5)


def a_run(folder: Path, **changes: object) -> Run:
    arrays = {"net.weight": np.array([1.0, -2.0], np.float32), "net.weight.grad": np.array([0.5], np.float32)}
    return replace(Run(["loss: 2.3026", "done"], ["net.pth"], arrays, None, folder), **changes)


@pytest.mark.parametrize(
    ("mine", "other", "same"),
    [
        ("2.3026", "2.3027", True),  # one in the last printed place
        ("2.302", "2.304", False),
        ("2.302585", "2.302590", True),  # four digits
        ("2.3026", "2.3126", False),
        ("-4.1317e-05", "-4.1328e-05", True),
        ("4.1e-03", "4.2e-03", False),
        ("nan", "nan", True),
        ("nan", "0.1", False),
        ("inf", "inf", True),
    ],
)
def test_floats_are_compared_to_four_digits(mine: str, other: str, same: bool) -> None:
    assert same_float(mine, other) is same


def test_equal_runs_have_no_differences(tmp_path: Path) -> None:
    assert differences(a_run(tmp_path), a_run(tmp_path), PROGRAM) == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"printed": ["loss: 2.4026", "done"]}, "line 1"),
        ({"printed": ["loss: 2.3026"]}, "line 2"),
        ({"printed": ["Loss: 2.3026", "done"]}, "line 1"),
        ({"files": []}, "files"),
        ({"arrays": {"net.weight": np.array([1.0, -2.0], np.float32)}}, "only in PyTorch"),
        ({"arrays": {"net.weight": np.array([1.0, -2.1], np.float32)}}, "apart"),
        ({"arrays": {"net.weight": np.array([1.0, np.nan], np.float32)}}, "apart"),
        ({"arrays": {"net.weight": np.array([1.0, -2.0])}}, "float64"),
        ({"arrays": {"net.weight": np.array([[1.0, -2.0]], np.float32)}}, "(1, 2)"),
        ({"error": "NameError"}, "on the engine"),
    ],
)
def test_each_kind_of_difference_is_found(tmp_path: Path, changes: dict[str, object], found: str) -> None:
    theirs = a_run(tmp_path)
    if "arrays" in changes:
        changes = {"arrays": {**theirs.arrays, **changes["arrays"]}}
        if found == "only in PyTorch":
            changes["arrays"].pop("net.weight.grad")
    ours = a_run(tmp_path, **changes)
    assert any(found in difference for difference in differences(ours, theirs, PROGRAM))


def test_whole_numbers_must_be_equal(tmp_path: Path) -> None:
    ours, theirs = a_run(tmp_path, printed=["10001 right"]), a_run(tmp_path, printed=["10002 right"])
    assert differences(ours, theirs, PROGRAM)
    arrays = {"labels": np.array([100000])}
    assert differences(
        a_run(tmp_path, arrays={"labels": np.array([100001])}), a_run(tmp_path, arrays=arrays), PROGRAM
    )


def test_gradients_are_left_out_where_a_tolerance_is_stated(tmp_path: Path) -> None:
    theirs = a_run(tmp_path)
    ours = a_run(tmp_path, arrays={**theirs.arrays, "net.weight.grad": np.array([0.6], np.float32)})
    assert differences(ours, theirs, PROGRAM)
    assert not differences(ours, theirs, replace(PROGRAM, tolerance=1e-3))


def test_pictures_are_compared_by_their_pixels(tmp_path: Path) -> None:
    for side, grey in (("ours", 100), ("theirs", 110)):
        (tmp_path / side).mkdir()
        Image.new("RGB", (2, 2), (grey,) * 3).save(tmp_path / side / "grid.png")
    assert differences(a_run(tmp_path / "ours"), a_run(tmp_path / "theirs"), PROGRAM)
    assert not differences(a_run(tmp_path / "ours"), a_run(tmp_path / "ours"), PROGRAM)


def test_drawn_pictures_stand_in_where_there_is_no_cifar10(tmp_path: Path) -> None:
    """Both sides open a data folder made of Shapes10."""
    write_data(tmp_path / "data", None)
    program = next(program for program in PROGRAMS if program.name == "003_classifier_data")
    runs = [run_programs([program], side, tmp_path / "data", tmp_path / side) for side in ("engine", "torch")]
    assert differences(*(run[program.name] for run in runs), program) == []
    assert "GroundTruth" in runs[0][program.name].printed[-1]
