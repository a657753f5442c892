"""The page of the experiments holds the kept figures, each in its row and column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import experiments
from benchmarks.experiments_page import NOTE


def kept(path: Path, machine: str, *trainings: tuple[str, str, float, list[float]]) -> Path:
    rows = [
        {"row": row, "engine": engine, "losses": [9.0, loss], "accuracies": accuracies, "seconds": 1.0}
        for row, engine, loss, accuracies in trainings
    ]
    path.write_text(json.dumps({"machine": {"cpu": machine, "threads": 1}, "rows": rows}))
    return path


def cells(text: str) -> dict[str, list[str]]:
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {line[0]: line[1:] for line in lines}


def test_the_page_sets_the_figures_beside_the_note_s(tmp_path: Path) -> None:
    first = kept(
        tmp_path / "a.json",
        "one",
        ("lenet-2", "minitorch", 1.3484, [0.5, 0.526]),
        ("lenet-2", "torch", 1.4, [0.4]),
    )
    second = kept(
        tmp_path / "b.json",
        "other",
        ("lenet-2", "torch", 1.352, [0.55, 0.53]),
        ("bn-50", "minitorch", 0.1, [0.7, 0.75]),
    )
    page = tmp_path / "page.md"
    assert experiments.main(["--page", str(page), "--from", f"{first},{second}"]) == 0
    text = page.read_text()
    table = cells(text)
    assert list(table) == ["training", "---", "LeNet, 2 epochs", "batch norm, 50 epochs"]
    assert table["LeNet, 2 epochs"] == ["1.277", "57 %", "1.348", "52.6%", "52.6%", "1.352", "53.0%", "55.0%"]
    assert table["batch norm, 50 epochs"][2:] == ["0.100", "75.0%", "75.0%", "-", "-", "-"]
    assert "Run on: cpu one, threads 1." in text
    assert "Run on: cpu other, threads 1." in text
    assert "batches of 64, SGD with lr 0.01, momentum 0.9" in text


def test_every_training_has_the_note_s_figures() -> None:
    assert list(NOTE) == list(experiments.ROWS)


@pytest.mark.parametrize(
    "arguments", [[], ["--page", "p.md"], ["data", "--page", "p.md", "--from", "a.json"]]
)
def test_a_page_needs_figures_and_a_training_data(arguments: list[str], capsys: Any) -> None:
    with pytest.raises(SystemExit):
        experiments.main(arguments)
    assert "give either a folder of CIFAR-10, or --page and --from" in capsys.readouterr().err


def test_a_training_that_is_the_beginning_of_another_is_not_run_twice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = []

    def run(engine: str, name: str, *_: object) -> dict[str, object]:
        ran.append((engine, name))
        epochs = range(experiments.ROWS[name].epochs)
        return {
            "losses": [9 - e / 100 for e in epochs],
            "accuracies": [e / 100 for e in epochs],
            "seconds": 100,
        }

    monkeypatch.setattr(experiments, "run", run)
    figures = tmp_path / "figures.json"
    rows = "lenet-2,lenet-0.99,lenet-10,bn-10,bn-dropout-1"
    assert experiments.main(["pictures", "--rows", rows, "--engines", "torch", "--json", str(figures)]) == 0
    assert ran == [("torch", name) for name in ("lenet-10", "lenet-0.99", "bn-10", "bn-dropout-1")]
    by_row = {training["row"]: training for training in json.loads(figures.read_text())["rows"]}
    assert list(by_row) == rows.split(",")
    assert by_row["lenet-2"]["accuracies"] == by_row["lenet-10"]["accuracies"][:2]
    assert len(by_row["lenet-10"]["losses"]) == 10
    assert by_row["lenet-2"]["seconds"] == 20
