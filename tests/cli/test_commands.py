"""The other subcommands, the help texts, and the command as a process of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import minitorch_cifar
from minitorch_cifar.vision.datasets import Shapes10

from .conftest import Command, start_process

COMMANDS = [
    (),
    ("train",),
    ("eval",),
    ("predict",),
    ("data",),
    ("data", "info"),
    ("info",),
    ("parity",),
    ("warmup",),
]


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_help_explains_every_option_and_gives_an_example(command: Command, names: tuple[str, ...]) -> None:
    result = command(*names, "--help")
    assert result.status == 0
    assert "example" in result.output
    assert "minitorch-cifar" in result.output.partition("example")[2]
    options = result.output.partition("example")[0]
    for entry in re.findall(r"^  (--?\w[\w-]*.*)$", options, re.MULTILINE):
        lines = options[options.index("\n  " + entry) + 1 :].splitlines()
        text = re.split(r"\s{2,}", lines[0].strip(), maxsplit=1)[1:] or [lines[1].strip()]
        assert len(text[0]) > 8, f"{entry} is not explained"


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_help_fits_a_terminal_of_80_columns(
    command: Command, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    too_long = [line for line in command(*names, "--help").output.splitlines() if len(line) > 80]
    assert too_long == []


def test_no_command_prints_the_help(command: Command) -> None:
    result = command()
    assert result.status == 0
    assert "minitorch-cifar train" in result.output


def test_eval_prints_the_accuracy_and_a_line_per_class(command: Command, trained: Path) -> None:
    for path in (trained, trained / "checkpoint.pth"):
        result = command("eval", path, "--limit", "100")
        assert result.status == 0, result.errors
        first, *classes = result.output.splitlines()
        assert re.fullmatch(r"Accuracy of the network on the 100 test images: \d+\.\d %", first)
        assert [line.split()[2] for line in classes] == list(Shapes10.classes)
        labels = Shapes10(train=False).targets[:100]
        mean = sum(float(line.split(":")[1].rstrip(" %")) * labels.count(k) for k, line in enumerate(classes))
        assert mean / 100 == pytest.approx(float(first.split()[-2]), abs=0.1)


def test_predict_names_the_three_likeliest(command: Command, trained: Path, tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 40, 50, 3), dtype=np.uint8)
    for name, pixels in zip(("a.png", "b.jpg"), pictures, strict=True):
        Image.fromarray(pixels).save(tmp_path / name)
    result = command("predict", trained, "a.png", "b.jpg")
    assert result.status == 0, result.errors
    lines = result.output.splitlines()
    assert (lines[0], lines[4], len(lines)) == ("a.png", "b.jpg", 8)
    for block in (lines[1:4], lines[5:8]):
        matches = [re.fullmatch(r"  (\w+) +(\d+\.\d) %", line) for line in block]
        shares = [float(match[2]) for match in matches if match]
        assert shares == sorted(shares, reverse=True)
        assert 30 <= sum(shares) <= 100.1
        assert {match[1] for match in matches if match} <= set(Shapes10.classes)


def test_predict_answers_for_the_good_pictures_among_bad_ones(
    command: Command, trained: Path, tmp_path: Path
) -> None:
    for name in ("first.png", "last.png"):
        Image.new("RGB", (3, 3)).save(tmp_path / name)
    (tmp_path / "bad.png").write_text("hello")
    result = command("predict", trained, "first.png", "bad.png", "gone.png", "last.png")
    assert result.status == 2
    assert [line for line in result.output.splitlines() if line[0] != " "] == ["first.png", "last.png"]
    assert len(result.output.splitlines()) == 8
    assert [re.search(r"\w+\.png", line)[0] for line in result.errors.splitlines()] == ["bad.png", "gone.png"]


def test_data_info_describes_a_folder(command: Command, tmp_path: Path) -> None:
    for kind, count in (("ants", 3), ("bees", 2)):
        (tmp_path / "pictures" / kind).mkdir(parents=True)
        for i in range(count):
            Image.new("RGB", (4, 4)).save(tmp_path / "pictures" / kind / f"{i}.png")
    result = command("data", "info", "pictures")
    assert result.status == 0, result.errors
    assert "5 pictures, 2 classes (ants, bees)" in result.output


def test_data_info_says_what_is_wrong_with_a_damaged_data_set(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    (folder / "data_batch_1.bin").write_bytes(b"short")
    result = command("data", "info", tmp_path)
    assert result.status == 2
    assert "data_batch_1.bin" in result.errors
    assert "CIFAR-10, binary form" in result.output
    assert (result.output + result.errors).count("cannot be used") == 1


def test_data_info_notices_a_batch_that_is_there_twice(command: Command, tmp_path: Path) -> None:
    folder = write_binary_form(tmp_path)
    assert command("data", "info", tmp_path).status == 0
    shutil.copy(folder / "data_batch_1.bin", folder / "data_batch_4.bin")
    result = command("data", "info", tmp_path)
    assert result.status == 2
    assert "data_batch_4.bin is a copy of data_batch_1.bin: pictures are missing" in result.output
    assert "data_batch_4.bin is a copy of data_batch_1.bin" in result.errors


def write_binary_form(root: Path) -> Path:
    """CIFAR-10 of random pixels in the official binary form."""
    folder = root / "cifar-10-batches-bin"
    folder.mkdir()
    (folder / "batches.meta.txt").write_text("\n".join(Shapes10.classes) + "\n")
    draw = np.random.default_rng(0)
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        records = draw.integers(0, 10, (10_000, 3073), dtype=np.uint8)
        (folder / f"{name}.bin").write_bytes(records.tobytes())
    return folder


@pytest.mark.real_data
def test_data_info_of_real_pictures(command: Command, cifar_root: Path) -> None:
    result = command("data", "info", cifar_root / "cifar-10-batches-bin")
    assert result.status == 0, result.errors
    assert "train: 50,000 pictures, 10 classes (airplane, automobile, bird" in result.output
    assert "test: 10,000 pictures" in result.output


def test_the_version(command: Command) -> None:
    result = command("--version")
    assert (result.status, result.output) == (0, f"minitorch-cifar {minitorch_cifar.__version__}\n")


def test_a_file_of_the_data_set_leads_to_its_folder(command: Command, tmp_path: Path) -> None:
    (tmp_path / "data_batch_1.bin").write_bytes(b"")
    (tmp_path / "test_batch").write_bytes(b"")
    for arguments in (
        ("train", "--data", tmp_path / "test_batch"),
        ("data", "info", tmp_path / "data_batch_1.bin"),
    ):
        result = command(*arguments)
        assert result.status == 2
        assert f"give the folder that holds it, {tmp_path}\n" in result.errors
        assert result.errors.count(str(arguments[-1])) == 1


def test_messages_speak_of_commands_not_of_programs(command: Command, trained: Path, tmp_path: Path) -> None:
    """Guards advice that only somebody who calls functions can follow."""
    (tmp_path / "README.md").write_text("# A text\n")
    torch.save({"a": object()}, tmp_path / "foreign.pth")
    for arguments in (
        ("train", "--data", tmp_path),
        ("eval", trained, "--data", tmp_path),
        ("eval", "README.md"),
        ("eval", "foreign.pth"),
        ("data", "info", tmp_path),
    ):
        result = command(*arguments)
        assert result.status == 2, arguments
        for word in ("download=", "weights_only", "torch.load", "Error("):
            assert word not in result.errors, arguments


def test_mistakes_are_one_line_and_status_2(command: Command, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "junk.pth").write_bytes(b"hello")
    torch.save({"weight": torch.ones(1)}, tmp_path / "plain.pth")
    (tmp_path / "folder").mkdir()
    for arguments, named in (
        (["fly"], "fly"),
        (["eval"], "CHECKPOINT"),
        (["eval", "gone.pth"], "gone.pth"),
        (["eval", "junk.pth"], "junk.pth"),
        (["eval", "plain.pth"], "plain.pth"),
        (["eval", "folder"], "checkpoint.pth"),
        (["eval", trained, "--data", "nowhere"], "nowhere"),
        (["eval", trained, "--limit", "0"], "--limit"),
        (["predict", trained], "IMAGE"),
        (["predict", trained, "gone.png"], "gone.png"),
        (["predict", "junk.pth", "gone.png"], "junk.pth"),
        (["data"], "ACTION"),
        (["data", "inof", "x"], "there is no action inof; did you mean info?"),
        (["trian"], "there is no command trian; did you mean train?"),
        (["train", "--epochs", "1.5"], "--epochs takes a whole number, not 1.5"),
        (["train", "--lr", "fast"], "--lr takes a number, not fast"),
        (
            ["train", "--epohcs", "3"],
            "minitorch-cifar train: error: unknown option --epohcs; did you mean --epochs?",
        ),
        (["train", "--model", "resnet"], "--model cannot be resnet; choose from lenet, quick, bn"),
        (["train", "--epochs"], "--epochs: expected one argument"),
        (["train", "more"], "unknown argument more"),
        (["data", "info", "nowhere"], "nowhere"),
        (["data", "info", "folder"], "folder"),
    ):
        result = command(*arguments)
        assert result.status == 2, arguments
        assert result.errors.count("\n") == 1, arguments
        assert named in result.errors, arguments
        assert result.output == "", arguments


def test_pictures_of_other_classes_than_the_trained_are_refused(
    command: Command, trained: Path, cifar_root: Path
) -> None:
    result = command("eval", trained, "--data", cifar_root)
    assert result.status == 2
    assert "circle" in result.errors
    assert "airplane" in result.errors


@pytest.mark.real_data
def test_training_on_real_pictures(tmp_path: Path, cifar_root: Path) -> None:
    small = ("--limit", 2000, "--epochs", 2, "--batch-size", 8, "--lr", 0.004, "--threads", 1)
    process = start_process("train", "--data", cifar_root, *small, folder=tmp_path)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert output.startswith("Training lenet on ")
    accuracy = float(output.rpartition("test images: ")[2].split()[0])
    assert accuracy > 15  # ten classes: guessing gives 10, with a spread of 0.7 over 2,000 test pictures


def test_as_a_process() -> None:
    version = subprocess.run(
        [sys.executable, "-m", "minitorch_cifar", "info"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert version.stdout.split()[:2] == ["Versions", "minitorch_cifar"]
    assert version.stderr == ""


def test_the_installed_command_is_there() -> None:
    script = Path(sys.executable).parent / "minitorch-cifar"
    if not script.exists():
        pytest.skip("the package is not installed in this environment, so there is no command to test")
    shown = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
    assert "minitorch-cifar train" in shown.stdout


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path, trained: Path) -> None:
    shutil.copytree(trained, tmp_path / "run")
    process = start_process("eval", "run", folder=tmp_path)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read()
    process.wait(timeout=60)
    assert "Traceback" not in errors


def test_importing_loads_neither_numba_nor_torch() -> None:
    script = (
        "import sys, minitorch_cifar, minitorch_cifar.cli; "
        "print([name for name in ('numba', 'torch', 'rich') if name in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() == "[]"
