"""Neural networks: `Module` and its containers, layers and losses, and `functional`, `init`, `utils`."""

from __future__ import annotations

from minitorch_cifar.missing import explain_missing_in
from minitorch_cifar.nn import functional, init, utils
from minitorch_cifar.nn.containers import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from minitorch_cifar.nn.layers.activation import (
    ELU,
    GELU,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from minitorch_cifar.nn.layers.conv import Conv2d
from minitorch_cifar.nn.layers.dropout import Dropout, Dropout2d
from minitorch_cifar.nn.layers.linear import Embedding, Flatten, Identity, Linear, Unflatten
from minitorch_cifar.nn.layers.loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from minitorch_cifar.nn.layers.normalization import BatchNorm1d, BatchNorm2d
from minitorch_cifar.nn.layers.padding import (
    CircularPad2d,
    ConstantPad2d,
    ReflectionPad2d,
    ReplicationPad2d,
    ZeroPad2d,
)
from minitorch_cifar.nn.layers.pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d
from minitorch_cifar.nn.module import Module
from minitorch_cifar.nn.parameter import Buffer, Parameter

__all__ = [
    "ELU",
    "GELU",
    "AdaptiveAvgPool2d",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Buffer",
    "CircularPad2d",
    "ConstantPad2d",
    "Conv2d",
    "CrossEntropyLoss",
    "Dropout",
    "Dropout2d",
    "Embedding",
    "Flatten",
    "HuberLoss",
    "Identity",
    "L1Loss",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "ModuleDict",
    "ModuleList",
    "NLLLoss",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "ReLU",
    "ReflectionPad2d",
    "ReplicationPad2d",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "Tanh",
    "Unflatten",
    "ZeroPad2d",
    "functional",
    "init",
    "utils",
]

explain_missing_in(__name__, __all__)
