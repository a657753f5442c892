"""The run folder: what it is called, what is refused, what lies in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from minitorch_cifar.learn.errors import UserError
from minitorch_cifar.learn.run_folder import RunFolder, choose_folder, folder_to_resume

from .conftest import small


def begin_run(path: str) -> RunFolder:
    """A folder as it is before the first epoch is done."""
    folder = RunFolder(path)
    folder.write_config(small())
    return folder


def make_run(path: str) -> RunFolder:
    """A folder with all that makes it a run; its checkpoint is not opened here."""
    folder = begin_run(path)
    folder.checkpoint.write_bytes(b"weights")
    return folder


def test_the_folder_is_called_after_network_and_data(away: Path) -> None:
    assert choose_folder(small(), None).path == Path("runs/lenet-shapes10")


def test_a_taken_name_gets_a_number(away: Path) -> None:
    names = []
    for _ in range(3):
        folder = choose_folder(small(), None)
        names.append(folder.path.name)
        make_run(str(folder))
    assert names == ["lenet-shapes10", "lenet-shapes10-2", "lenet-shapes10-3"]
    assert folder_to_resume(small(), None).path.name == "lenet-shapes10-3"


def test_what_was_begun_and_never_saved_blocks_nothing(away: Path) -> None:
    """Guards the dead end after a first epoch that went wrong: it could not be started anew or resumed."""
    begin_run("runs/lenet-shapes10")
    assert choose_folder(small(lr=0.5), None).path == Path("runs/lenet-shapes10")
    assert choose_folder(small(lr=0.5), "runs/lenet-shapes10").path == Path("runs/lenet-shapes10")
    assert folder_to_resume(small(), None).path == Path("runs/lenet-shapes10")
    make_run("runs/lenet-shapes10")
    begin_run("runs/lenet-shapes10-2")
    assert choose_folder(small(), None).path.name == "lenet-shapes10-2"
    assert folder_to_resume(small(), None).path.name == "lenet-shapes10"


def test_resuming_what_is_not_there_is_refused_by_name(away: Path) -> None:
    Path("empty").mkdir()
    for given, named in (
        (None, "runs/lenet-shapes10"),
        ("gone", "gone is no folder"),
        ("empty", "empty holds"),
    ):
        with pytest.raises(UserError, match=f"nothing to resume: .*{named}"):
            folder_to_resume(small(), given)
    assert sorted(path.name for path in away.iterdir()) == ["empty"]


def test_files_that_are_no_runs_are_not_overwritten(away: Path) -> None:
    for name in ("config.json", "metrics.jsonl"):
        Path(name).write_text('{"learning": true}')
        with pytest.raises(UserError, match=f"{name}.*choose another folder"):
            choose_folder(small(), ".")
        Path(name).unlink()


def test_a_folder_belongs_to_one_live_run(away: Path) -> None:
    folder = RunFolder("runs/lenet-shapes10")
    with folder.held():
        folder.write_config(small())
        with pytest.raises(UserError, match="another run is writing into runs/lenet-shapes10"):
            choose_folder(small(), "runs/lenet-shapes10")
        with pytest.raises(UserError, match="another run"), RunFolder("runs/lenet-shapes10").held():
            pass
        assert choose_folder(small(), None).path.name == "lenet-shapes10-2"
    assert choose_folder(small(), None).path.name == "lenet-shapes10"


def test_a_given_folder_with_a_run_is_not_overwritten(away: Path) -> None:
    make_run("mine")
    before = Path("mine/config.json").read_bytes()
    with pytest.raises(UserError, match="--resume"):
        choose_folder(small(lr=0.5), "mine")
    assert Path("mine/config.json").read_bytes() == before
    assert folder_to_resume(small(), "mine").path == Path("mine")


def test_a_given_folder_with_other_files_is_taken(away: Path) -> None:
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("kept")
    folder = choose_folder(small(), "mine")
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
    with pytest.raises(UserError, match="cannot make the run folder file/below: Not a directory"):
        make_run("file/below")
