"""The benchmarks' own parts: turns, tables, sections of pages, the peers, the ladder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import engines, gpu, kernels, ladder, layers, measuring, memory, parts, scaling, step
from benchmarks.__main__ import BENCHMARKS
from minitorch_cifar.threads import get_num_threads, set_num_threads

ROOT = Path(__file__).parents[2]


def test_turns_alternate_and_an_engine_that_fails_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    order = []

    def in_process(module: str, engine: str, threads: int, **settings: Any) -> dict[str, float]:
        order.append(engine)
        if engine == "torch-compile":
            raise measuring.MeasurementError("RuntimeError: no compiler")
        return {"ms": {"minitorch": 1.0, "torch": 4.0}[engine] * len(order)}

    monkeypatch.setattr(measuring, "in_process", in_process)
    names = ["minitorch", "torch", "torch-compile"]
    turns = measuring.in_turns("step", names, 2, 1)
    assert order == ["minitorch", "torch", "torch-compile", "minitorch", "torch"]
    assert names == ["minitorch", "torch"]
    assert "torch-compile is left out: RuntimeError: no compiler" in capsys.readouterr().out
    assert measuring.median_of(turns["torch"], "ms") == (14.0, 8.0, 20.0)
    assert measuring.ratio_of(turns, "ms") == pytest.approx((0.1625, 0.125, 0.2))


def test_a_failing_process_is_reported_by_its_last_error() -> None:
    with pytest.raises(measuring.MeasurementError, match=r"AttributeError: .*'resnet'"):
        measuring.in_process("step", "torch", 1, model="resnet", batch=1, seconds=0.01)


def test_peers_that_are_not_installed_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measuring, "missing", lambda name: "jax" if name == "jax" else None)
    parser = measuring.parser("step", "x")
    options = parser.parse_args(["--engines", "torch,jax"])
    assert measuring.chosen_engines(options, parser) == ["torch"]
    assert capsys.readouterr().out == "jax is left out: jax is not installed\n"
    with pytest.raises(SystemExit):
        measuring.chosen_engines(parser.parse_args(["--engines", "tensorflow"]), parser)
    assert "unknown engines: tensorflow" in capsys.readouterr().err


def test_a_section_of_a_page_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- x: by -->\nold\n<!-- end of x -->\nb\n<!-- xy: by -->\n<!-- end of xy -->\n")
    measuring.write_section(page, "x", "new \\1")
    text = "a\n<!-- x: by -->\nnew \\1\n<!-- end of x -->\nb\n<!-- xy: by -->\n<!-- end of xy -->\n"
    assert page.read_text() == text
    with pytest.raises(SystemExit, match="0 sections"):
        measuring.write_section(page, "z", "new")


def test_every_table_of_the_pages_has_its_section() -> None:
    performance = (ROOT / "docs" / "performance.md").read_text()
    for name in ("step", "notes", "kernels", "scaling", "memory", "startup", "gpu"):
        assert name in BENCHMARKS
        assert performance.count(f"<!-- {name}: written by python -m benchmarks {name} ") == 1
        assert performance.count(f"<!-- end of {name} -->") == 1


def test_step_writes_json_plot_and_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    times = {"minitorch": 1.0, "torch": 4.0}
    monkeypatch.setattr(measuring, "in_process", lambda m, engine, t, **s: {"ms": times[engine]})
    page = tmp_path / "page.md"
    page.write_text("<!-- step: by -->\n<!-- end of step -->\n")
    arguments = ["--workloads", "lenet:4", "--rounds", "2", "--json", str(tmp_path / "a.json")]
    step.main([*arguments, "--plot", str(tmp_path / "a.png"), "--page", str(page)])
    assert "0.250 (0.250 - 0.250)" in capsys.readouterr().out
    assert "| lenet | 4 | 1.000 | 4.000 | 0.25 | 0.25 - 0.25 |" in page.read_text()
    assert '"cores"' in (tmp_path / "a.json").read_text()
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_a_cliff_is_where_a_picture_costs_more_than_at_the_size_before() -> None:
    assert scaling.cliffs("lenet batch", {1: 1.0, 2: 1.2, 4: 2.0, 8: 6.1, 16: 12.0}) == [8]
    assert scaling.cliffs("convolution channels", {8: 1.0, 16: 4.0, 32: 25.0}) == [32]


def test_both_engines_have_the_same_kernels() -> None:
    before = torch.get_num_threads(), get_num_threads()
    try:
        ours, theirs = (layers.calls(engine, 1) for engine in ("minitorch", "torch"))
    finally:
        torch.set_num_threads(before[0])
        set_num_threads(before[1])
    assert list(ours) == list(theirs)
    assert {name for name in layers.FAMILIES if any(call.startswith(name) for call in ours)} == {
        *layers.FAMILIES
    }
    pixels = [calls["normalise batch 4"]()[0].numpy() for calls in (ours, theirs)]
    np.testing.assert_allclose(*pixels, atol=1e-6)


@pytest.mark.parametrize("rung", [rung for rung in ladder.RUNGS if rung.name != "six_loops"])
def test_every_rung_computes_the_convolution(rung: ladder.Rung) -> None:
    assert ladder.error(rung, images=1) < 2e-6


def test_the_page_of_the_ladder_shows_the_code_as_it_is(tmp_path: Path) -> None:
    page = ROOT / "docs" / "kernels.md"
    copy = tmp_path / "page.md"
    copy.write_text(page.read_text())
    ladder.write_code(copy)
    assert copy.read_text() == page.read_text(), "python -m benchmarks ladder --code docs/kernels.md"
    for rung in ladder.CODE:
        assert f"def {rung}(" in ladder.code(rung)


def test_memory_is_measured_in_this_process_alone() -> None:
    assert memory.most_held() > 20 * memory.MEBIBYTE
    ballast = "x = b'1' * (300 << 20)"
    code = f"from benchmarks.memory import most_held; print(most_held())\n{ballast}\nprint(most_held())"
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    before, after = map(int, output.stdout.split())
    assert after - before > 290 * memory.MEBIBYTE


def test_without_a_gpu_one_line_and_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main([]) == 0
    assert capsys.readouterr().out == "gpu: nothing measured, PyTorch sees no GPU here\n"


def test_a_training_step_gives_the_same_loss_in_both_libraries() -> None:
    losses = [engines.training_step(name, "lenet", 4, 1)() for name in ("minitorch", "torch")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_operations_are_those_of_the_dense_sum() -> None:
    shape = kernels.SHAPES["quick conv2"]
    assert shape.operations == ladder.OPERATIONS == 2 * 64 * 32 * 32 * 16 * 16 * 25


def test_the_parts_of_a_step_add_up_to_it() -> None:
    found = measuring.in_process("parts", "minitorch", 1, model="lenet", batch=2, seconds=0.01)
    names = dict(parts._parts(found))
    assert sum(names.values()) == pytest.approx(found["step"])
    assert 0 < names["conv2d_forward"] < found["step"] > names["everything else"] > 0
    table = parts._table([{"model": "lenet", "batch": 2, **found}])
    shares = [int(line.split("|")[2].strip(" %")) for line in table.splitlines()[2:-1]]
    assert abs(sum(shares) - 100) <= len(shares)  # each is rounded
    assert "other kernels" not in table
