"""Where the tests find the real CIFAR-10."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

UNPACK = Path(__file__).resolve().parent.parent.parent / "shared" / "cifar10" / "unpack.py"


def cifar10_folder() -> Path | None:
    """A folder with CIFAR-10 in the pickled and the binary form, or None.

    It is named by the variable MINITORCH_CIFAR10, or unpacked once into the system's temporary folder from
    `shared/cifar10` beside the repository.
    """
    named = os.environ.get("MINITORCH_CIFAR10")
    if named:
        return Path(named)
    if not UNPACK.is_file():
        return None
    folder = Path(tempfile.gettempdir()) / "minitorch-cifar-tests" / "cifar10"
    if not all((folder / f"cifar-10-batches-{form}").is_dir() for form in ("py", "bin")):
        subprocess.run([sys.executable, str(UNPACK), str(folder)], check=True)
    return folder
