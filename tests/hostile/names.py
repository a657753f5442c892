"""The public names: every function, class and method that a user can call, found by introspection.

A name is where it is found and how it is called there, such as `torch.add`, `Tensor.add`, `nn.Conv2d` or
`vision.transforms.Resize`. What is left out is listed with its reason.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import minitorch_cifar

ROOMS = {
    "torch": "",
    "nn": ".nn",
    "nn.functional": ".nn.functional",
    "nn.init": ".nn.init",
    "nn.utils": ".nn.utils",
    "optim": ".optim",
    "optim.lr_scheduler": ".optim.lr_scheduler",
    "utils.data": ".utils.data",
    "utils.tensorboard": ".utils.tensorboard",
    "vision.transforms": ".vision.transforms",
    "vision.transforms.functional": ".vision.transforms.functional",
    "vision.datasets": ".vision.datasets",
    "vision.models": ".vision.models",
    "vision.utils": ".vision.utils",
    "autograd": ".autograd",
    "backends": ".backends",
    "cuda": ".cuda",
    "random": ".random",
    "serialization": ".serialization",
    "serialization.safetensors": ".serialization.safetensors",
    "testing": ".testing",
    "models": ".models",
}


def _all(reason: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), reason)


# What is not drawn, and why.
LEFT_OUT = {
    **_all(
        "part of the machinery between the rooms, not called by users",
        "autograd.AccumulateGrad autograd.Node autograd.Operation autograd.TensorBase autograd.apply_inplace "
        "autograd.register_tensor_class autograd.wrap vision.utils.TensorBase vision.utils.wrap",
    ),
    **_all(
        "an exception, an enumeration or a record, with nothing to get wrong",
        "autograd.GradcheckError vision.datasets.DatasetError vision.datasets.DataReport testing.ParityError "
        "vision.transforms.InterpolationMode vision.transforms.functional.InterpolationMode "
        "autograd.RemovableHandle testing.Comparison testing.Difference testing.Rule",
    ),
    **_all(
        "changes the number of threads of the whole process: tests/test_backends.py", "torch.set_num_threads"
    ),
    **_all(
        "runs two libraries side by side itself: tests/testing",
        "testing.assert_matches_torch testing.check_module",
    ),
    **_all(
        "the base class, of which users make their own: the classes made of it are drawn",
        "vision.models.WeightsEnum vision.models.Weights vision.datasets.VisionDataset",
    ),
    **_all(
        "reads files: tests/hostile/test_files.py",
        "serialization.whole_file vision.datasets.describe vision.datasets.MNIST "
        "vision.datasets.FashionMNIST "
        "vision.datasets.CIFAR10 vision.datasets.CIFAR100",
    ),
    **_all(
        "too large to build many times: tests/vision/models; resnet18 is drawn",
        "vision.models.ResNet vision.models.VGG vision.models.resnet34 vision.models.resnet50 "
        "vision.models.resnet101 vision.models.resnet152 vision.models.vgg11 vision.models.vgg11_bn "
        "vision.models.vgg13 vision.models.vgg13_bn vision.models.vgg16 vision.models.vgg16_bn "
        "vision.models.vgg19 vision.models.vgg19_bn",
    ),
    **_all(
        "classes to derive from: tests/autograd, tests/optim, tests/utils/data; what is derived is drawn",
        "autograd.Function optim.lr_scheduler.LRScheduler optim.lr_scheduler._LRScheduler "
        "torch.dtype torch.layout",
    ),
    **_all(
        "says that there is no GPU: tests/test_device.py",
        " ".join(
            f"cuda.{name}"
            for name in (
                "current_device",
                "get_device_capability",
                "get_device_name",
                "get_device_properties",
                "set_device",
                "synchronize",
            )
        ),
    ),
    "Tensor.cuda": "says that there is no GPU: tests/test_device.py",
    **_all("graph machinery: tests/autograd", "Tensor.set_grad_fn Tensor.bump_version"),
    **_all(
        "the interpreter calls it",
        "Tensor.__new__ Tensor.__init__ Tensor.__getattr__ Tensor.__getattribute__ Tensor.__setattr__ "
        "Tensor.__delattr__ Tensor.__dir__ Tensor.__init_subclass__ Tensor.__subclasshook__ Tensor.__class__ "
        "Tensor.__reduce_ex__ Tensor.__sizeof__ Tensor.__getstate__ Tensor.__reduce__ Tensor.__setstate__",
    ),
}


def public(room: str) -> list[str]:
    """The callables of a room."""
    module = importlib.import_module("minitorch_cifar" + ROOMS[room])
    listed = getattr(module, "__all__", None) or [name for name in dir(module) if not name.startswith("_")]

    def is_own(value: Any) -> bool:
        return callable(value) and str(getattr(value, "__module__", "")).startswith("minitorch_cifar")

    return [f"{room}.{name}" for name in sorted(listed) if is_own(getattr(module, name))]


def methods() -> list[str]:
    """The methods of tensors, operators included; properties that act, too."""
    cls = minitorch_cifar.Tensor
    names = [
        name
        for name in dir(cls)
        if (not name.startswith("_") or name.startswith("__"))
        and callable(inspect.getattr_static(cls, name, None))
        and callable(getattr(cls, name, None))
    ]
    return [f"Tensor.{name}" for name in names]


def all_names() -> list[str]:
    """Every name that has to be drawn."""
    found = [name for room in ROOMS for name in public(room)] + methods()
    return [name for name in found if name not in LEFT_OUT]
