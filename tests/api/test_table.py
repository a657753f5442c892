"""docs/api.md is what the installed PyTorch and the engine say, and the differences it names are real."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from types import ModuleType

import pytest
import torch
import torchvision

import minitorch_cifar as engine

from .differences import DIFFERENCES
from .table import DOCUMENT, MODULES, document, find, has, release, sections

CASES = [(module, name) for module, names in DIFFERENCES.items() for name in names]


def written() -> dict[str, dict[str, str]]:
    """What the document says: for each module, from name to "here", "different" or "not here"."""
    found: dict[str, dict[str, str]] = {}
    module = kind = ""
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("## "):
            module, kind = line[3:], ""
            found[module] = {}
        elif line.startswith("**"):
            kind = line.strip("*:").lower()
        elif kind == "different" and line.startswith("| `"):
            found[module][line.split("`")[1]] = kind
        elif kind in ("here", "not here"):
            found[module].update(dict.fromkeys(re.findall(r"`([^`]+)`", line), kind))
    return found


def test_the_document_is_true() -> None:
    text = DOCUMENT.read_text()
    versions = f"PyTorch {release(torch.__version__)} and\ntorchvision {release(torchvision.__version__)}"
    if versions in text:
        assert text == document(), "run: python -m tests.api.table"
    # Under any other version, names come and go, but those that are in both must be told right.
    said = written()
    assert list(said) == list(MODULES)
    for module, names in sections().items():
        for kind in ("here", "different", "not here"):
            wrong = {n: said[module][n] for n in names[kind] if said[module].get(n, kind) != kind}
            assert not wrong, f"{module}: {wrong} should be {kind}"


def test_the_document_names_hundreds() -> None:
    said = written()
    assert sum(map(len, said.values())) > 1800
    assert sum(kind != "not here" for names in said.values() for kind in names.values()) > 600
    assert said["torch"]["matmul"] == said["torch"]["unique"] == said["torch"]["nn"] == "here"
    assert said["torch.nn"]["LSTM"] == said["torch"]["distributed"] == "not here"
    assert said["torch.nn"]["Embedding"] == "different"
    assert "math" not in said["torch.nn.functional"]


@pytest.mark.parametrize("module", MODULES)
def test_what_is_here_can_be_used_and_what_is_not_says_so(module: str) -> None:
    ours = find(MODULES[module])
    for name, kind in written()[module].items():
        assert has(ours, name) is (kind != "not here"), name
        if kind == "not here" and not isinstance(getattr(ours, name, None), ModuleType):
            with pytest.raises(AttributeError, match=r"not part of minitorch_cifar|has no attribute"):
                getattr(ours, name)


@pytest.mark.parametrize(("module", "name"), CASES)
def test_differences_are_real(module: str, name: str, tmp_path: Path) -> None:
    difference = DIFFERENCES[module][name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        difference.call(torch, tmp_path)
    with pytest.raises(NotImplementedError):
        difference.call(engine, tmp_path)
