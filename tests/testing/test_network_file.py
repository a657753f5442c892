"""One file under both: whichever library it imports, each side's run sees only that side."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision

import minitorch_cifar
from minitorch_cifar import models as engine_models
from minitorch_cifar.testing.network_file import NetworkFileError, load_function
from minitorch_cifar.testing.sides import Side, engine_side, torch_side
from reference import networks

SIDES = [engine_side(), torch_side()]
IDS = ["engine", "PyTorch"]
VISION = {"minitorch_cifar": minitorch_cifar.vision, "PyTorch": torchvision}
MODELS = {"minitorch_cifar": engine_models, "PyTorch": networks}

each_side = pytest.mark.parametrize("side", SIDES, ids=IDS)


def write(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@each_side
@pytest.mark.parametrize("library", ["torch", "minitorch_cifar"])
def test_every_form_of_import_gives_the_side(library: str, side: Side, tmp_path: Path) -> None:
    text = f"""
from __future__ import annotations
import math, {library}
import {library} as t
import {library}.nn as nn
import {library}.nn.functional as F
import {library}.utils.data
from {library} import nn as nn2, Tensor, optim
from {library}.nn import *
from {library}.nn import functional as F2, Linear as L
from {library}.utils.data import DataLoader
def make():
    import {library}.optim.lr_scheduler as schedules
    from {library} import no_grad
    found = {library}, t, nn, F, {library}.utils.data, nn2, Tensor, optim, Conv2d
    return *found, F2, L, DataLoader, schedules, no_grad
"""
    found = load_function(write(tmp_path, text), "make", side)()
    top = side.library
    expected = (
        *(top.nn, top.nn.functional, top.utils.data, top.nn, top.Tensor, top.optim, top.nn.Conv2d),
        *(top.nn.functional, top.nn.Linear, top.utils.data.DataLoader, top.optim.lr_scheduler, top.no_grad),
    )
    for a, b in zip(found[2:], expected, strict=True):
        assert a is b
    for name in ("tensor", "float64", "Generator"):
        assert getattr(found[0], name) is getattr(found[1], name) is getattr(top, name)


@each_side
def test_pictures_and_models_have_their_counterparts(side: Side, tmp_path: Path) -> None:
    text = """
import torchvision, torchvision.transforms as T
from torchvision.transforms import Compose
import minitorch_cifar.vision.transforms as T2
from minitorch_cifar import vision, models
from minitorch_cifar.vision import datasets
from minitorch_cifar.models import lenet
def make():
    import minitorch_cifar
    return torchvision, vision, T, T2, Compose, datasets, models, lenet, minitorch_cifar.vision
"""
    vision, models = VISION[side.name], MODELS[side.name]
    found = load_function(write(tmp_path, text), "make", side)()
    expected = (
        *(vision, vision, vision.transforms, vision.transforms, vision.transforms.Compose),
        *(vision.datasets, models, models.lenet, vision),
    )
    for a, b in zip(found, expected, strict=True):
        assert a is b


@each_side
def test_files_beside_it_see_the_same_side(side: Side, tmp_path: Path) -> None:
    write(tmp_path, "import torch\nfrom parts import block\nimport parts.deep.er, single, json", "mine.py")
    path = write(
        tmp_path,
        "import parts.deep.er, single, json\nfrom parts import block, helper\n"
        "def make():\n    return parts.deep.er.torch, block.nn, single.torch, helper(), json",
    )
    write(tmp_path, "from .inner import helper", "parts/__init__.py")
    write(tmp_path, "from torch import nn", "parts/block.py")
    write(tmp_path, "from . import block\ndef helper():\n    return block.nn", "parts/inner.py")
    write(tmp_path, "", "parts/deep/__init__.py")
    write(tmp_path, "from ..block import nn\nimport torch", "parts/deep/er.py")
    write(tmp_path, "import minitorch_cifar as torch", "single.py")
    before = set(sys.modules)
    deep, nn, single, helped, json = load_function(path, "make", side)()
    assert deep.tensor is single.tensor is side.library.tensor
    assert nn is helped is side.library.nn
    assert json is sys.modules["json"]
    assert not {"parts", "single", "mine", "parts.block"} & (set(sys.modules) - before)


@each_side
@pytest.mark.parametrize("text", ["import torch\nmake = torch.nn.ReLU", "import torch\nraise KeyError('x')"])
def test_nothing_else_is_redirected(side: Side, text: str, tmp_path: Path) -> None:
    real = builtins.__import__
    try:
        load_function(write(tmp_path, text), "make", side)
    except NetworkFileError:
        assert "raise" in text
    assert builtins.__import__ is real
    assert sys.modules["torch"] is torch
    assert __import__("minitorch_cifar") is minitorch_cifar
    scope: dict[str, Any] = {}
    exec("import torch, minitorch_cifar.nn as nn", scope)
    assert (scope["torch"], scope["nn"]) == (torch, minitorch_cifar.nn)


@each_side
def test_the_file_is_no_main_program_and_knows_where_it_is(side: Side, tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "from dataclasses import dataclass\n@dataclass\nclass Size:\n    width: int = 3\n"
        "if __name__ == '__main__':\n    raise SystemExit\ndef make():\n    return __file__, Size().width",
    )
    assert load_function(path, "make", side)() == (str(path), 3)


@each_side
@pytest.mark.parametrize(
    ("text", "function", "message"),
    [
        (
            "def other(): pass\nimport torch\nfrom math import pi",
            "make",
            "has no function make; it has other",
        ),
        ("x = 1", "make", "has no function make"),
        ("make = 3", "make", "make in .* is not a function but int"),
        ("\n\nx = 1 / 0", "make", r"fails under .*: ZeroDivisionError: .* \(line 3\)"),
        ("def f(:", "make", "fails under .*: SyntaxError"),
        ("import torch.nowhere", "make", r"ModuleNotFoundError: .*nowhere.* \(line 1\)"),
        ("from torch import nowhere", "make", r"ImportError: cannot import name 'nowhere' .*\(line 1\)"),
        ("import nowhere_at_all", "make", "No module named 'nowhere_at_all'"),
        ("from minitorch_cifar.learn import nothing", "make", r"(Module|Import)\w*Error.* \(line 1\)"),
    ],
)
def test_what_is_wrong_is_said(text: str, function: str, message: str, side: Side, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    with pytest.raises(NetworkFileError, match=message) as raised:
        load_function(path, function, side)
    assert str(path) in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NetworkFileError, match=r"there is no file .*gone\.py"):
        load_function(tmp_path / "gone.py", "make", SIDES[0])
    write(tmp_path, "raise OSError", "notes.txt")
    with pytest.raises(NetworkFileError, match=r"notes\.txt is not a Python file"):
        load_function(tmp_path / "notes.txt", "make", SIDES[0])
