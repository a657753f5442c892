"""`python -m tests.api.table` writes docs/api.md: which of PyTorch's names the engine has.

Names come from the installed PyTorch and torchvision, "here" is what the engine's module of the same name
has, and "different" what `differences.py` says and `test_table.py` proves.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import torchvision

import minitorch_cifar
from minitorch_cifar.compat import ROOMS

from .differences import DIFFERENCES

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "api.md"

MODULES = {
    "torch": "minitorch_cifar",
    "torch.Tensor": "minitorch_cifar.Tensor",
    "torch.nn": "minitorch_cifar.nn",
    "torch.nn.functional": "minitorch_cifar.nn.functional",
    "torch.optim": "minitorch_cifar.optim",
    "torch.utils.data": "minitorch_cifar.utils.data",
    "torchvision.transforms": "minitorch_cifar.vision.transforms",
}

INTRODUCTION = """\
# PyTorch's names in the engine

Written by `python -m tests.api.table`; a test keeps it true. For every public name of PyTorch {torch} and
torchvision {torchvision}: here, different (how), or not here. What is here computes PyTorch's numbers:
[parity.md](parity.md) says how closely. What is not here raises an AttributeError that says so and names the
nearest thing that is, and an argument that is not supported raises NotImplementedError.

Everywhere: six dtypes (bool, uint8, int32, int64, float32, float64), one device (the CPU), strided memory, no
gradients of gradients. Recurrent and attention layers, text, distributed training, compilers, sparse and
quantized tensors are outside of the project's purpose. `import minitorch_cifar as torch` gives `torch`, and
`minitorch_cifar.vision` is `torchvision`.
"""


def find(path: str) -> Any:
    """The module, or the class in it, of that name."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(module), name)


def public(owner: Any) -> list[str]:
    """The names that PyTorch offers in a module or class, submodules included."""
    listed = getattr(owner, "__all__", [])
    if not listed or owner is torch:  # which lists only a part
        listed = [*listed, *(name for name in dir(owner) if belongs(owner, name))]
    folders = getattr(owner, "__path__", ())
    submodules = [module.name for module in pkgutil.iter_modules(folders)]
    names = {name for name in (*listed, *submodules) if not name.startswith("_")}
    return sorted(names, key=lambda name: (name.lower(), name))


def belongs(owner: Any, name: str) -> bool:
    """Whether a name of a module without `__all__` is its own and not something that it imports."""
    if isinstance(owner, type):
        return True
    value = getattr(owner, name)
    if isinstance(value, ModuleType):
        return value.__name__.startswith(owner.__name__)
    home = getattr(value, "__module__", None)
    if home is None or "builtin" in type(value).__name__:  # PyTorch's functions in C
        return callable(value)
    return callable(value) and str(home).startswith(owner.__name__)


def has(owner: Any, name: str) -> bool:
    """Whether the engine has it, as an attribute or as a submodule that is imported by name."""
    if isinstance(getattr(owner, name, None), ModuleType) and owner is minitorch_cifar:
        return name in ROOMS  # others are rooms of the engine that happen to be called alike
    if hasattr(owner, name):
        return True
    folders = getattr(owner, "__path__", ())
    submodules = {module.name for module in pkgutil.iter_modules(folders)}
    return name in (submodules if owner is not minitorch_cifar else submodules & set(ROOMS))


def sections() -> dict[str, dict[str, Any]]:
    """For each module: the names "here", those "different" with the sentence, and those "not here"."""
    result = {}
    for theirs, ours in MODULES.items():
        owner, differences = find(ours), DIFFERENCES.get(theirs, {})
        names = public(find(theirs))
        present = [name for name in names if has(owner, name)]
        result[theirs] = {
            "here": [name for name in present if name not in differences],
            "different": {name: differences[name].how for name in present if name in differences},
            "not here": [name for name in names if name not in present],
        }
    return result


def listed(names: list[str]) -> str:
    text = ", ".join(f"`{name}`" for name in names) or "none"
    return textwrap.fill(text, 108, break_long_words=False, break_on_hyphens=False)


def document() -> str:
    """The whole of docs/api.md."""
    versions = {"torch": release(torch.__version__), "torchvision": release(torchvision.__version__)}
    parts = [INTRODUCTION.format(**versions)]
    for module, names in sections().items():
        count = sum(map(len, names.values()))
        here = len(names["here"]) + len(names["different"])
        parts.append(f"## {module}\n\n{here} of {count} names.\n")
        parts.append(f"**Here:**\n{listed(names['here'])}\n")
        if names["different"]:
            rows = [f"| `{name}` | {how} |" for name, how in names["different"].items()]
            parts.append("\n".join(["**Different:**\n", "| name | how |", "|---|---|", *rows, ""]))
        parts.append(f"**Not here:**\n{listed(names['not here'])}\n")
    return "\n".join(parts)


def release(version: str) -> str:
    """`2.13` for `2.13.1+cpu`."""
    return ".".join(version.partition("+")[0].split(".")[:2])


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    print(f"wrote {DOCUMENT}", file=sys.stderr)
