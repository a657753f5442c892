"""The run folder: what it is called, what is refused, what lies in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from minitorch_cifar.learn.errors import UserError
from minitorch_cifar.learn.run_folder import RunFolder, choose_folder

from .conftest import small


def make_run(path: str) -> RunFolder:
    folder = RunFolder(path)
    folder.write_config(small())
    return folder


def test_the_folder_is_called_after_network_and_data(away: Path) -> None:
    assert choose_folder(small(), None, False).path == Path("runs/lenet-shapes10")


def test_a_taken_name_gets_a_number(away: Path) -> None:
    names = []
    for _ in range(3):
        folder = choose_folder(small(), None, False)
        names.append(folder.path.name)
        folder.write_config(small())
    assert names == ["lenet-shapes10", "lenet-shapes10-2", "lenet-shapes10-3"]
    assert choose_folder(small(), None, True).path.name == "lenet-shapes10-3"


def test_resuming_without_any_run_takes_the_plain_name(away: Path) -> None:
    assert choose_folder(small(), None, True).path == Path("runs/lenet-shapes10")


def test_a_given_folder_with_a_run_is_not_overwritten(away: Path) -> None:
    make_run("mine")
    before = Path("mine/config.json").read_bytes()
    with pytest.raises(UserError, match="--resume"):
        choose_folder(small(lr=0.5), "mine", False)
    assert Path("mine/config.json").read_bytes() == before
    assert choose_folder(small(), "mine", True).path == Path("mine")


def test_a_given_folder_with_other_files_is_taken(away: Path) -> None:
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("kept")
    folder = choose_folder(small(), "mine", False)
    folder.write_config(small())
    assert sorted(p.name for p in Path("mine").iterdir()) == ["config.json", "notes.txt"]


def test_config_and_metrics_are_plain_json(away: Path) -> None:
    folder = make_run("mine")
    assert json.loads(Path("mine/config.json").read_text())["lr"] == 0.01
    assert folder.read_config() == small()
    folder.write_metrics([{"epoch": 1}, {"epoch": 2}])
    assert [json.loads(line) for line in Path("mine/metrics.jsonl").read_text().splitlines()] == [
        {"epoch": 1},
        {"epoch": 2},
    ]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"model": "lenet"}', '{"model": "no"}'])
def test_a_damaged_config_is_refused_by_name(away: Path, text: str) -> None:
    Path("mine").mkdir()
    Path("mine/config.json").write_text(text)
    with pytest.raises(UserError, match=r"config\.json"):
        RunFolder("mine").read_config()


def test_a_file_in_the_folders_place_is_refused(away: Path) -> None:
    Path("mine").write_text("not a folder")
    with pytest.raises(UserError, match="is a file"):
        make_run("mine")
    assert Path("mine").read_text() == "not a folder"


def test_an_impossible_folder_is_refused(away: Path) -> None:
    Path("file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        make_run("file/below")
