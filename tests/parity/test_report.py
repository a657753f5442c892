"""docs/parity.md lists exactly the rows of the registry; its figures are those of the run that wrote it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from . import report
from .measuring import Measured
from .table import all_rows


def test_the_page_lists_the_rows_of_the_registry() -> None:
    problems = report.differences(report.PAGE.read_text(encoding="utf-8"))
    assert not problems, f"run `{report.COMMAND}`:\n" + "\n".join(problems)


def test_every_row_has_its_section() -> None:
    assert [row for rows in report.SECTIONS.values() for row in rows] == all_rows()


def test_figures_of_the_page_are_inside_the_tolerance() -> None:
    lines = [line for line in report.PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert len(lines) > 200
    for line in lines:
        figures = re.split(r"\s*\|\s*", line.strip("| "))[-4:]
        assert len(figures) == 4, line
        narrow, wide = figures[2:], figures[:2]
        assert all(f == "-" or float(f) <= 1e-10 for f in wide), line
        assert all(f == "-" or float(f) <= 2 for f in narrow), line


@pytest.fixture
def three_rows(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    rows = [row for row in all_rows() if repr(row) in ("nn.Linear", "exp", "optim.lr_scheduler.StepLR")]
    monkeypatch.setattr(report, "all_rows", lambda: rows)
    monkeypatch.setattr(report, "SECTIONS", {"Some": rows})
    return rows


def test_the_command_writes_measured_figures_and_checks_them(
    three_rows: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "page.md"
    assert report.main(["--output", str(output)]) == 0
    text = output.read_text(encoding="utf-8")
    assert list(report.listed(text)) == ["exp", "nn.Linear", "optim.lr_scheduler.StepLR"]
    assert re.search(r"^\| `nn.Linear` \| `in_features`, `out_features`, `bias`.* \| [0-9.]+ \|$", text, re.M)
    assert report.main(["--output", str(output), "--check"]) == 0
    output.write_text(text.replace("`bias`", "`bios`").replace("| `exp`", "| `exq`"), encoding="utf-8")
    capsys.readouterr()
    assert report.main(["--output", str(output), "--check"]) == 1
    said = capsys.readouterr().out
    assert "exp is missing" in said
    assert "exq has no row any more" in said
    assert "nn.Linear has the parameters" in said


def test_a_row_outside_the_tolerance_writes_no_page(
    three_rows: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(row: Any) -> Measured:
        raise AssertionError("too far away")

    monkeypatch.setattr(report, "measure", measure)
    assert report.main(["--output", str(tmp_path / "page.md")]) == 1
    assert not (tmp_path / "page.md").exists()
    assert "nn.Linear: AssertionError: too far away" in capsys.readouterr().err
