"""Names of PyTorch's that the engine lacks: the error says so, in every public module."""

from __future__ import annotations

import copy
import importlib
import re

import pytest
import torch
import torchvision.transforms.v2

import minitorch_cifar
from minitorch_cifar.missing import not_part
from minitorch_cifar.nearest import NEAREST
from minitorch_cifar.nn.tree import NOT_HERE

MISSING = {
    "": ("einsum", "compile"),
    "autograd": ("gradgradcheck", "functional"),
    "backends": ("mkldnn",),
    "backends.cudnn": ("conv",),
    "accelerator": ("synchronize",),
    "cuda": ("amp", "stream"),
    "nn": ("Conv3d", "LSTM"),
    "nn.utils": ("rnn", "weight_norm"),
    "nn.functional": ("conv3d", "ctc_loss"),
    "nn.init": ("truncated_normal_",),
    "optim": ("LBFGS", "Adamax"),
    "optim.lr_scheduler": ("CyclicLR",),
    "random": ("Philox",),
    "serialization": ("add_safe_globals", "register_package"),
    "utils": ("checkpoint",),
    "utils.data": ("DistributedSampler",),
    "vision": ("ops", "io"),
    "version": ("git_version",),
    "vision.datasets": ("ImageNet",),
    "vision.models": ("alexnet",),
    "vision.transforms": ("ElasticTransform", "v2"),
    "vision.transforms.functional": ("elastic_transform",),
    "vision.utils": ("draw_bounding_boxes",),
}


@pytest.mark.parametrize("module", MISSING)
def test_a_missing_name_says_that_it_is_not_part_of_the_engine(module: str) -> None:
    path = ".".join(filter(None, (minitorch_cifar.__name__, module)))
    found = importlib.import_module(path)
    for name in MISSING[module]:
        with pytest.raises(
            AttributeError, match=f"module '{path}' has no attribute '{name}': it is not part of"
        ):
            getattr(found, name)
        assert not hasattr(found, name)


def test_the_nearest_name_is_named() -> None:
    with pytest.raises(AttributeError, match="Did you mean: 'Conv2d'"):
        _ = minitorch_cifar.nn.Conv3d


def test_a_missing_method_of_a_tensor_says_so_too() -> None:
    x = minitorch_cifar.ones(2)
    with pytest.raises(AttributeError, match="'Tensor' object has no attribute 'half': it is not part of"):
        x.half()
    with pytest.raises(AttributeError, match=r"'view_ass'.*Did you mean: 'view_as'"):
        _ = x.view_ass
    assert not hasattr(x, "to_sparse")
    assert not hasattr(x, "__cuda_array_interface__")


def test_a_missing_method_of_a_module_says_so_too() -> None:
    ours, theirs = minitorch_cifar.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    lacking = {name for name in dir(theirs) if not name.startswith("_")} - set(dir(ours))
    assert lacking <= NOT_HERE  # another PyTorch may have fewer
    for name in NOT_HERE:
        with pytest.raises(
            AttributeError, match=f"'Linear' object has no attribute '{name}': it is not part of minitorch"
        ):
            getattr(ours, name)
    with pytest.raises(AttributeError, match=r"^'Linear' object has no attribute 'weigth'$"):
        _ = ours.weigth


OBJECTS = {
    "Adam": (lambda lib: lib.optim.Adam([lib.ones(1, requires_grad=True)]), "OptimizerPreHook"),
    "StepLess": (
        lambda lib: type("StepLess", (lib.optim.Optimizer,), {})([lib.ones(1)], {}),
        "profile_hook_step",
    ),
    "DataLoader": (lambda lib: lib.utils.data.DataLoader([1, 2]), "check_worker_number_rationality"),
    "Generator": (lambda lib: lib.Generator(), "graphsafe_get_state"),
    "dtype": (lambda lib: lib.float32, "to_complex"),
    "device": (lambda lib: lib.device("cpu"), "indexx"),
    "Size": (lambda lib: lib.Size([2]), "numelm"),
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_a_missing_attribute_of_an_object_says_so_too(kind: str) -> None:
    make, missing = OBJECTS[kind]
    ours, theirs = make(minitorch_cifar), make(torch)
    lacking = {name for name in dir(theirs) if not name.startswith("_")} - set(dir(ours))
    for name in {*lacking, missing}:
        with pytest.raises(
            AttributeError,
            match=f"^'{kind}' object has no attribute '{name}': it is not part of minitorch_cifar.",
        ):
            getattr(ours, name)
    with pytest.raises(AttributeError, match=f"^'{kind}' object has no attribute '__array_interface__'$"):
        _ = ours.__array_interface__
    copied = copy.deepcopy(ours)  # asks for many names
    assert type(copied) is type(ours)


def test_resize_of_a_tensor_is_refused() -> None:
    """PyTorch's `resize_` lets memory grow under all its views, which an array of NumPy's does not."""
    with pytest.raises(AttributeError, match="no attribute 'resize_': it is not part of minitorch_cifar"):
        minitorch_cifar.ones(2).resize_(3)


def _found(dotted: str) -> bool:
    """Whether `torch.nn.Linear` or `torchvision.models` is there, in PyTorch's names, on the engine."""
    value = minitorch_cifar.vision if dotted.startswith("torchvision") else minitorch_cifar
    for name in dotted.split(".")[1:]:
        value = getattr(value, name, None)
    return value is not None


TORCH_PATHS = ("", "Tensor", "nn", "nn.functional", "optim", "optim.lr_scheduler", "utils.data", "amp")
TORCHVISION_PATHS = ("", "io", "models", "transforms", "utils")


@pytest.mark.parametrize("name", NEAREST)
def test_what_the_message_offers_is_there_and_what_it_is_for_is_not(name: str) -> None:
    """A name that has come meanwhile needs no counsel; counsel must not lead to another error."""
    offered = re.findall(r"\btorch(?:vision)?(?:\.\w+)+", NEAREST[name])
    assert all(_found(dotted) for dotted in offered), offered
    assert NEAREST[name] in not_part(name, ["add"])
    assert any(
        _has(theirs, path, name) and not _has(ours, path, name)
        for theirs, ours, paths in (
            (torch, minitorch_cifar, TORCH_PATHS),
            (torchvision, minitorch_cifar.vision, TORCHVISION_PATHS),
        )
        for path in paths
    )


def _has(package: object, path: str, name: str) -> bool:
    holder = package
    for step in filter(None, path.split(".")):
        holder = getattr(holder, step, None)
    return hasattr(holder, name)


def test_the_nearest_in_meaning_comes_before_the_nearest_in_spelling() -> None:
    """`jit` is not a slip of the pen for `int`."""
    for module, name, words in (
        (minitorch_cifar, "jit", "Leave the call out"),
        (minitorch_cifar.nn, "LSTM", r"torch\.nn\.Linear and torch\.tanh"),
        (minitorch_cifar.nn.functional, "interpolate", r"torch\.repeat_interleave"),
    ):
        with pytest.raises(AttributeError, match=f"it is not part of minitorch_cifar. .*{words}"):
            getattr(module, name)
