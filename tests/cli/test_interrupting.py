"""Ctrl-C while the command is still being imported: one line, status 130, and nobody else is affected."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import hear_ctrl_c

ROOT = Path(__file__).parents[2]

# Stands where NumPy would be imported, and says so: the package is half imported then.
SLOW_NUMPY = """
import sys, time
print("importing", flush=True)
try:
    time.sleep(60)
except BaseException as caught:
    print(type(caught).__name__, flush=True)
    raise
"""


def interrupted_import(tmp_path: Path, *arguments: str) -> tuple[int, str, str]:
    """Status, output and errors of a Python process that gets SIGINT while it imports the package."""
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").write_text(SLOW_NUMPY)
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_ctrl_c,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "importing\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    return process.returncode, output, errors


def test_as_a_module(tmp_path: Path) -> None:
    found = interrupted_import(tmp_path, "-m", "minitorch_cifar", "train")
    assert found == (130, "", "minitorch-cifar: interrupted\n")


def test_as_the_installed_script(tmp_path: Path) -> None:
    script = tmp_path / "minitorch-cifar"
    script.write_text("import sys\nfrom minitorch_cifar.cli import main\nsys.exit(main())\n")
    found = interrupted_import(tmp_path, str(script), "train")
    assert found == (130, "", "minitorch-cifar: interrupted\n")


@pytest.mark.parametrize(
    "code", ["import minitorch_cifar", "import sys; sys.argv = ['x']; import minitorch_cifar"]
)
def test_a_program_that_imports_the_package_gets_its_exception(tmp_path: Path, code: str) -> None:
    status, output, errors = interrupted_import(tmp_path, "-c", code)
    assert output == "KeyboardInterrupt\n"
    assert "Traceback" in errors
    assert status != 130


def test_the_command_takes_over(tmp_path: Path) -> None:
    """Guards a command whose Ctrl-C would still end the process without saying what is saved."""
    code = (
        "import sys, signal; sys.argv = ['minitorch-cifar']; import minitorch_cifar.cli as cli;"
        "before = signal.getsignal(signal.SIGINT); cli.main(['--version']);"
        "print(before.__name__, signal.getsignal(signal.SIGINT).__name__)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=hear_ctrl_c,
    )
    assert shown.stdout.splitlines()[-1] == "leave default_int_handler"
