"""`minitorch-cifar train`: what it prints and writes, resuming, and what it refuses."""

from __future__ import annotations

import io
import json
import re
import signal
import sys
from pathlib import Path

import pytest

import minitorch_cifar
from minitorch_cifar.cli.progress import BarReporter, PlainReporter, make_reporter
from minitorch_cifar.cli.train import resumed_settings
from minitorch_cifar.learn.errors import UserError
from minitorch_cifar.learn.run import train
from minitorch_cifar.learn.run_folder import RunFolder
from minitorch_cifar.learn.settings import make_settings

from .conftest import TINY, Command, start_process

EPOCH_LINE = (
    r"epoch (\d+): train loss \d\.\d{3}, test loss \d\.\d{3}, "
    r"accuracy (\d+\.\d) %, [\d,]+ images/s"
)


def test_plain_lines(command: Command) -> None:
    result = command(*TINY)
    lines = result.output.splitlines()
    assert (result.status, result.errors) == (0, "")
    assert lines[:2] == [
        "Training lenet on shapes10: 30 pictures, 30 to test",
        "batch 12, lr 0.001, momentum 0.9, seed 0",
    ]
    assert [re.fullmatch(EPOCH_LINE, line)[1] for line in lines[2:4]] == ["1", "2"]
    accuracy = re.fullmatch(EPOCH_LINE, lines[3])[2]
    assert lines[4:6] == [
        "Finished Training",
        f"Accuracy of the network on the 30 test images: {accuracy} %",
    ]
    assert "minitorch-cifar eval runs/lenet-shapes10" in lines[6]
    assert max(map(len, lines)) <= 80
    assert sorted(path.name for path in Path("runs/lenet-shapes10").iterdir()) == [
        "checkpoint.pth",
        "config.json",
        "metrics.jsonl",
    ]


def test_a_line_every_8000_pictures_with_the_mean_since_the_last() -> None:
    """Guards the running loss of the notes: reset after each line and at each epoch's end."""
    output = io.StringIO()
    reporter = PlainReporter(output)
    reporter.interval = 2000
    for epoch in (1, 2):
        for step in range(1, 5001):
            reporter.step(epoch, step, loss=epoch * (1.0 if step <= 2000 else 2.0), pictures=4)
        reporter.test(epoch)
    assert output.getvalue().splitlines() == [
        "[1,  2000] loss: 1.000",
        "[1,  4000] loss: 2.000",
        "[2,  2000] loss: 2.000",
        "[2,  4000] loss: 4.000",
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("minitorch_cifar.cli.progress.REDRAW_SECONDS", 0.0)
    output = Terminal()
    reporter = make_reporter(output)
    assert type(reporter) is BarReporter
    assert type(make_reporter(io.StringIO())) is PlainReporter
    with reporter:
        train(make_settings(limit=30, batch_size=12, epochs=2), RunFolder(tmp_path), reporter)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.getvalue())
    assert re.search(r"epoch 1/2 .*\d+ % loss \d\.\d{3} [\d,]+ images/s .*left", shown)
    assert re.search(r"epoch 2/2 ", shown)
    assert len(re.findall(EPOCH_LINE, shown)) == 2
    assert "Finished Training" in shown


def test_the_bar_fits_a_terminal_of_80_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("minitorch_cifar.cli.progress.REDRAW_SECONDS", 0.0)
    output = Terminal()
    with make_reporter(output) as reporter:
        train(make_settings(limit=30, batch_size=12, epochs=10), RunFolder(tmp_path), reporter)
    shown = re.split(r"[\r\n]", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.getvalue()))
    bars = [line for line in shown if "━" in line and "loss" in line]
    assert bars
    assert {len(re.search("━.*━|━", line.replace("╸", "━").replace("╺", "━"))[0]) for line in bars} == {20}
    assert max(map(len, bars)) <= 80


def test_the_same_command_twice_writes_beside_the_first(command: Command) -> None:
    command(*TINY)
    first = Path("runs/lenet-shapes10/checkpoint.pth").read_bytes()
    result = command(*TINY)
    assert result.status == 0
    assert "Saved in runs/lenet-shapes10-2" in result.output
    assert Path("runs/lenet-shapes10/checkpoint.pth").read_bytes() == first


def test_resuming_goes_on_with_the_stored_settings(command: Command) -> None:
    command(*TINY, "--run", "mine", "--lr", "0.02")
    result = command("train", "--run", "mine", "--resume", "--epochs", "3")
    assert result.status == 0, result.errors
    assert "Resuming after epoch 2 of 3" in result.output
    rows = [json.loads(line) for line in Path("mine/metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    config = json.loads(Path("mine/config.json").read_text())
    assert (config["lr"], config["limit"], config["epochs"]) == (0.02, 30, 3)


def test_resuming_what_is_not_there_is_a_mistake(command: Command) -> None:
    result = command(*TINY, "--run", "new", "--resume")
    assert (result.status, result.output) == (2, "")
    assert "nothing to resume: new is no folder" in result.errors
    assert not Path("new").exists()


def test_a_run_that_went_wrong_at_once_can_be_started_again_and_resumed(command: Command) -> None:
    """Guards the dead end: a folder with nothing but config.json took neither another --lr nor --resume."""
    for again in ([], ["--resume"]):
        folder = f"mine{len(again)}"
        wrong = command(*TINY, "--run", folder, "--lr", "1e30")
        assert wrong.status == 2
        assert re.search(
            r"in epoch 1, step \d+ \(first (nan|inf) in .*layer conv\d .* --lr 0\.001\n", wrong.errors
        )
        assert [path.name for path in Path(folder).iterdir()] == ["config.json"]
        right = command(*TINY, "--run", folder, "--lr", "0.001", *again)
        assert right.status == 0, right.errors
        assert (f"{folder} has no checkpoint yet: starting from the beginning" in right.output) == bool(again)
        assert json.loads(Path(folder, "config.json").read_text())["lr"] == 0.001
        assert Path(folder, "checkpoint.pth").exists()


def contents(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@pytest.mark.parametrize("more", [[], ["--epochs", "1"], ["--epochs", "2"]])
def test_resuming_a_finished_run_says_so_and_writes_nothing(command: Command, more: list[str]) -> None:
    command(*TINY, "--run", "mine")
    before = contents("mine")
    result = command("train", "--run", "mine", "--resume", *more)
    assert (result.status, result.errors) == (0, "")
    assert result.output.startswith("The run in mine already has 2 epochs; --epochs")
    assert result.output.count("\n") == 1
    assert contents("mine") == before


def test_a_damaged_checkpoint_is_said_to_be_that(command: Command) -> None:
    """Guards the contradiction of "nothing to resume", followed by an error about what is there."""
    Path("mine").mkdir()
    Path("mine/checkpoint.pth").write_bytes(b"PK damaged")
    result = command("train", "--run", "mine", "--resume")
    assert (result.status, result.output) == (2, "")
    assert "mine/checkpoint.pth is not a checkpoint that can be read" in result.errors


def test_a_run_that_lost_its_config_goes_on_from_its_checkpoint(command: Command) -> None:
    command(*TINY, "--run", "mine", "--lr", "0.02")
    Path("mine/config.json").unlink()
    result = command("train", "--run", "mine", "--resume", "--epochs", "3")
    assert result.status == 0, result.errors
    assert "lr 0.02" in result.output
    assert "Resuming after epoch 2 of 3" in result.output


def test_a_run_goes_on_with_the_engine_it_began_with(command: Command) -> None:
    command(*TINY, "--run", "mine")
    before = contents("mine")
    result = command("train", "--run", "mine", "--resume", "--epochs", "3", "--engine", "torch")
    assert result.status == 2
    assert "was started with --engine minitorch and cannot be resumed with --engine torch" in result.errors
    assert contents("mine") == before
    assert json.loads(before["config.json"])["engine"] == "minitorch"


def test_more_threads_than_there_are(command: Command) -> None:
    before = minitorch_cifar.get_num_threads()
    try:
        result = command(*TINY, "--threads", "9999")
        assert result.status == 0
        assert re.fullmatch(r"minitorch-cifar: --threads 9999: this machine has \d+ .*\n", result.errors)
    finally:
        minitorch_cifar.set_num_threads(before)


def test_one_picture_is_no_plural(command: Command) -> None:
    result = command("train", "--limit", "1", "--epochs", "1")
    assert result.output.startswith("Training lenet on shapes10: 1 picture, 1 to test\n")


def test_only_the_number_of_epochs_may_change_in_a_resumed_run() -> None:
    stored, folder = make_settings("bn", lr=0.5, limit=10), RunFolder("mine")
    assert resumed_settings(stored, {"epochs": 9, "lr": 0.5}, folder).epochs == 9
    for name, value in (("model", "lenet"), ("lr", 0.1), ("seed", 1), ("limit", 20), ("data", "cifar10")):
        with pytest.raises(UserError, match=f"--{name} {value}"):
            resumed_settings(stored, {name: value}, folder)


MISTAKES = {
    "unknown network": (["--model", "resnet"], "resnet"),
    "unknown option": (["--learning-rate", "3"], "--learning-rate"),
    "no number": (["--epochs", "many"], "many"),
    "zero epochs": (["--epochs", "0"], "--epochs"),
    "negative rate": (["--lr", "-1"], "--lr"),
    "negative workers": (["--workers", "-1"], "--workers"),
    "saving never": (["--save-every", "0"], "--save-every"),
    "saving within epochs in PyTorch": (["--save-every", "5", "--engine", "torch"], "--save-every"),
    "unknown schedule": (["--schedule", "steps"], "steps"),
    "zero threads": (["--threads", "0"], "--threads"),
    "missing data": (["--data", "nowhere"], "nowhere"),
    "data of another kind": (["--data", "file.txt"], "file.txt"),
    "empty data folder": (["--data", "empty"], "empty"),
    "truncated data": (["--data", "truncated"], "data_batch_1.bin"),
    "taken folder": (["--run", "taken"], "--resume"),
    "folder that is a file": (["--run", "file.txt"], "file.txt"),
    "damaged run to resume": (["--run", "taken", "--resume"], "checkpoint.pth"),
    "config of something else": (["--run", "other"], "config.json"),
    "exploding loss": (["--lr", "1e6", "--limit", "30"], "--lr 0.001"),
}


@pytest.fixture
def littered(tmp_path: Path) -> Path:
    """A working directory with files that are not what the command looks for."""
    (tmp_path / "file.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "config.json").write_text("{}")
    (tmp_path / "taken" / "checkpoint.pth").write_bytes(b"weights")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text("{}")
    (tmp_path / "truncated" / "cifar-10-batches-bin").mkdir(parents=True)
    (tmp_path / "truncated" / "cifar-10-batches-bin" / "data_batch_1.bin").write_bytes(b"\0" * 3_000_000)
    return tmp_path


@pytest.mark.usefixtures("littered")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_status_2(command: Command, mistake: str) -> None:
    arguments, named = MISTAKES[mistake]
    result = command("train", *arguments)
    assert result.status == 2
    assert result.errors.count("\n") == 1
    assert named in result.errors
    assert "Traceback" not in result.errors


@pytest.mark.parametrize(
    ("number", "status", "word", "workers"),
    [(signal.SIGINT, 130, "interrupted", 2), (signal.SIGTERM, 143, "terminated", 0)],
    ids=["SIGINT", "SIGTERM"],
)
def test_interrupting_a_run_keeps_what_was_saved(
    tmp_path: Path, number: signal.Signals, status: int, word: str, workers: int
) -> None:
    process = start_process(
        "train", "--run", "mine", "--epochs", "10000", "--limit", "200", "--batch-size", "50", "--augment",
        "--workers", workers, folder=tmp_path,
    )  # fmt: skip
    assert process.stdout is not None
    seen: list[str] = []
    for line in process.stdout:
        seen.append(line)
        if line.startswith("epoch 2:"):
            break
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == status, errors
    *before, where, how = errors.strip().splitlines()
    said = re.fullmatch(rf"minitorch-cifar: {word}; the run is saved up to epoch (\d+)(, step [1-4])?", where)
    assert said, where
    assert how == "go on with: minitorch-cifar train --run mine --resume"
    whole = int(said[1]) - 1 if said[2] else int(said[1])
    assert whole == len((tmp_path / "mine" / "metrics.jsonl").read_text().splitlines())
    assert all("compiling kernels" in line for line in before), errors  # with a cold cache only
    assert len((tmp_path / "mine" / "metrics.jsonl").read_text().splitlines()) >= 2
    follow_up = start_process("eval", "mine", folder=tmp_path)
    output, errors = follow_up.communicate(timeout=60)
    assert follow_up.returncode == 0, errors
    assert output.startswith("Accuracy of the network on the 2000 test images")


def test_the_torch_engine_runs_the_reference(command: Command) -> None:
    result = command(*TINY, "--engine", "torch", "--run", "theirs", "--model", "bn")
    assert result.status == 0, result.errors
    assert result.output.splitlines()[0] == "Training bn on shapes10: 30 pictures, 30 to test"
    ours = command("eval", "theirs", "--limit", "30")
    assert ours.status == 0, ours.errors
    assert ours.output.splitlines()[0] in result.output  # the engine measures what PyTorch measured


def test_the_torch_engine_without_torch_says_how_to_get_it(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "reference.train", None)
    monkeypatch.delattr("reference.train", raising=False)
    result = command(*TINY, "--engine", "torch", "--run", "theirs")
    assert result.status == 2
    assert "pip install" in result.errors


def test_a_resumed_run_keeps_to_its_save_every(command: Command) -> None:
    command(*TINY, "--run", "mine", "--save-every", "2")
    assert json.loads(Path("mine/config.json").read_text())["save_every"] == 2
    command("train", "--run", "mine", "--resume", "--epochs", "3")
    assert json.loads(Path("mine/config.json").read_text())["save_every"] == 2
    command("train", "--run", "mine", "--resume", "--epochs", "4", "--save-every", "1")
    config = json.loads(Path("mine/config.json").read_text())
    assert config["save_every"] == 1
    Path("mine/config.json").write_text(json.dumps({**config, "save_every": "often"}))
    result = command("train", "--run", "mine", "--resume", "--epochs", "5")
    assert (result.status, result.errors.count("\n")) == (2, 1)
    assert "mine/config.json is damaged: its save_every is 'often'" in result.errors


def test_a_run_is_said_to_go_on_in_the_middle_of_an_epoch(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = PlainReporter.step

    def interrupted(self: PlainReporter, epoch: int, number: int, loss: float, pictures: int) -> None:
        step(self, epoch, number, loss, pictures)
        if (epoch, number) == (2, 2):
            signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(PlainReporter, "step", interrupted)
        result = command(*TINY, "--run", "mine", "--augment", "--schedule", "cosine")
    assert result.status == 143
    assert result.errors == (
        "minitorch-cifar: terminated; the run is saved up to epoch 2, step 2\n"
        "go on with: minitorch-cifar train --run mine --resume\n"
    )
    result = command("train", "--run", "mine", "--resume")
    assert result.status == 0, result.errors
    assert result.output.splitlines()[1:3] == [
        "batch 12, lr 0.001, momentum 0.9, seed 0, augmented, schedule cosine",
        "Resuming in epoch 2 of 2, after step 2 of 3",
    ]
    assert [json.loads(line)["epoch"] for line in Path("mine/metrics.jsonl").read_text().splitlines()] == [
        1,
        2,
    ]


def test_a_signal_before_the_first_step_is_obeyed_at_once(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from minitorch_cifar.learn import run

    def interrupted(*_: object) -> None:
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(run, "Training", interrupted)
    result = command(*TINY, "--run", "mine")
    assert (result.status, result.output) == (143, "")
    assert result.errors == "minitorch-cifar: terminated; nothing is saved, because no step was finished\n"
    assert not Path("mine").exists()
