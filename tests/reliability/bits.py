"""`python -m tests.reliability.bits FILE [--deterministic] [--products] [--networks[=NAME,...]] [--kernels]`:
computes, and writes a digest and some elements of each result into a file of JSON, to be compared with those
of the same command in another environment.

`--networks` trains each of the three networks for a few steps; `--kernels` runs every kernel on enough
numbers that it starts threads; `--products` multiplies matrices of odd sizes, before any kernel is loaded.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import minitorch_cifar as torch
from minitorch_cifar.kernels import active
from minitorch_cifar.learn.data import open_pictures
from minitorch_cifar.models import NETWORKS, Normalization

F = torch.nn.functional
STEPS = 3
ELEMENTS = 500  # of each result that are kept
SIZES = ((3, 5, 7), (64, 1600, 10), (63, 65, 67), (257, 129, 511), (1, 999, 33), (500, 1, 300))


def networks(*only: str) -> dict[str, np.ndarray]:
    """The parameters and buffers of each network after a few steps."""
    results = {}
    for name in only or NETWORKS:
        build = NETWORKS[name]
        torch.manual_seed(0)
        network = build(num_classes=10)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.9)
        for _ in range(STEPS):
            images, labels = torch.rand(32, 3, 32, 32), torch.randint(0, 10, (32,))
            optimizer.zero_grad()
            F.cross_entropy(network(images), labels).backward()
            optimizer.step()
        for key, value in network.state_dict().items():
            results[f"{name}.{key}"] = value.numpy()
        results[f"{name}.eval"] = network.eval()(images).detach().numpy()
    return results


def products() -> dict[str, np.ndarray]:
    """Matrix products and their gradients; the sizes are no multiples of what a BLAS works on at once."""
    results = {}
    torch.manual_seed(1)
    for m, k, n in SIZES:
        x = (torch.rand(m, k) - 0.5).requires_grad_()
        y = (torch.rand(k, n) - 0.5).requires_grad_()
        z = x @ y
        z.backward(torch.rand(m, n))
        for name, value in (("xy", z.detach()), ("by x", x.grad), ("by y", y.grad), ("xv", x @ y[:, 0])):
            results[f"{m}x{k}x{n}.{name}"] = value.detach().numpy()
    stack = torch.bmm(torch.rand(3, 37, 41), torch.rand(3, 41, 43))
    return results | {"bmm": stack.numpy(), "dot": torch.dot(torch.rand(5001), torch.rand(5001)).numpy()}


def _with_moved_averages(x: Any, y: Any) -> Any:
    mean, var = y[2, :, 0, 0].detach().clone(), y[3, :, 0, 0].detach().clone()
    F.batch_norm(x.detach(), mean, var, training=True)
    return F.batch_norm(x, mean, var)


# Calls that together run every kernel: a picture `x` (32, 16, 32, 32), the same again `y` in (0, 1).
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "relu": lambda x, y: F.relu(x) + F.relu(x.detach()),
    "leaky_relu": lambda x, y: F.leaky_relu(x),
    "elu": lambda x, y: F.elu(x),
    "gelu": lambda x, y: F.gelu(x),
    "gelu_tanh": lambda x, y: F.gelu(x, approximate="tanh"),
    "sigmoid": lambda x, y: torch.sigmoid(x),
    "silu": lambda x, y: F.silu(x),
    "softplus": lambda x, y: F.softplus(x),
    "tanh": lambda x, y: torch.tanh(x),
    "softmax": lambda x, y: F.softmax(x, 1),
    "log_softmax": lambda x, y: F.log_softmax(x.flatten(1), 1),
    "conv2d": lambda x, y: F.conv2d(x, y[:24, :, :5, :5], y[0, 0, 0, :24], padding=2),
    "conv2d groups": lambda x, y: F.conv2d(x, y[:24, :4, :3, :3], None, 2, 1, 2, 4),
    "conv2d pool": lambda x, y: F.max_pool2d(F.conv2d(x, y[:19, :, :5, :5], y[0, 0, 0, :19], padding=2), 2),
    "conv2d of many channels": lambda x, y: F.conv2d(
        x.view(16, 32, 32, 32), y.view(64, 32, 16, 16)[:48, :, :3, :3], y[0, :, 0, :3].reshape(48), padding=1
    ),
    "conv2d of small pictures": lambda x, y: F.conv2d(
        x.view(64, 32, 16, 16)[:61, :, :8, :8], y.view(64, 32, 16, 16)[:32, :, :5, :5], padding=2
    ),
    "batch_norm": lambda x, y: F.batch_norm(x, None, None, y[0, :, 0, 0], y[1, :, 0, 0], training=True),
    "batch_norm pool": lambda x, y: F.max_pool2d(
        F.batch_norm(x, None, None, y[0, :, 0, 0], y[1, :, 0, 0], training=True), 2
    ),
    "batch_norm relu pool": lambda x, y: F.max_pool2d(F.relu(F.batch_norm(x, None, None, training=True)), 2),
    "batch_norm eval": lambda x, y: F.batch_norm(x, y[2, :, 0, 0].detach(), y[3, :, 0, 0].detach()),
    "batch_norm averages": _with_moved_averages,
    "relu adaptive pool": lambda x, y: F.adaptive_max_pool2d(F.relu(x), (5, 7)),
    "linear, few rows": lambda x, y: F.linear(
        x.view(512, 1024)[:5], y[0].view(16, 1024)[:13], y[0, 0, 0, :13]
    ),
    "linear": lambda x, y: F.linear(x.view(512, 1024), y[0].view(16, 1024)[:13], y[0, 0, 0, :13]),
    "max_pool2d": lambda x, y: F.max_pool2d(x, 3, 2, 1),
    "avg_pool2d": lambda x, y: F.avg_pool2d(x, 3, 2, 1),
    "adaptive_max_pool2d": lambda x, y: F.adaptive_max_pool2d(x, (5, 7)),
    "adaptive_avg_pool2d": lambda x, y: F.adaptive_avg_pool2d(x, (5, 7)),
    "nll": lambda x, y: F.cross_entropy(x.view(512, 1024), torch.arange(512)),
    "mse": lambda x, y: F.mse_loss(x, y),
    "smooth_l1": lambda x, y: F.smooth_l1_loss(x, y),
    "huber": lambda x, y: F.huber_loss(x, y),
    "bce": lambda x, y: F.binary_cross_entropy(y, torch.sigmoid(x).detach()),
    "bce_with_logits": lambda x, y: F.binary_cross_entropy_with_logits(x, y.detach()),
}
OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "sgd": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=1e-3),
    "adam": lambda p: torch.optim.Adam(p, 0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 0.1, centered=True, momentum=0.5),
    "adagrad": lambda p: torch.optim.Adagrad(p, 0.1),
    "adadelta": lambda p: torch.optim.Adadelta(p, 0.1),
}


def kernels() -> dict[str, np.ndarray]:
    """The outputs and gradients of all kernels. RuntimeError when one was not run."""
    torch.relu(torch.zeros(1))  # loads them
    names = {name for name in active.__dict__ if not name.startswith("_")}
    missed = set(names)

    def watched(name: str, kernel: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            missed.discard(name)
            return kernel(*arguments)

        return run

    for name in names:
        setattr(active, name, watched(name, getattr(active, name)))
    torch.manual_seed(2)
    x, y = torch.rand(32, 16, 32, 32) * 6 - 3, torch.rand(32, 16, 32, 32)
    results = {}
    for name, call in CALLS.items():
        a, b = x.clone().requires_grad_(), y.clone().requires_grad_()
        inner = (a * 1, b * 1)
        out = call(*inner)
        out.backward(torch.rand(out.shape) - 0.5)
        results[f"{name}: out"] = out.detach().numpy()
        for input, leaf in (("x", a), ("y", b)):
            if leaf.grad is not None:
                results[f"{name}: gradient by {input}"] = leaf.grad.numpy()
    for name, make in OPTIMIZERS.items():
        parameter = torch.nn.Parameter(x.clone())
        optimizer = make([parameter])
        for _ in range(3):
            parameter.grad = torch.rand(x.shape)
            optimizer.step()
        results[name] = parameter.detach().numpy()
    pictures = open_pictures("shapes10", True, Normalization(), 64).dataset
    images, _ = next(iter(torch.utils.data.DataLoader(pictures, batch_size=64)))
    results["uint8_to_float"] = images.numpy()
    if missed:
        raise RuntimeError(f"these kernels were not run: {', '.join(sorted(missed))}")
    return results


def main(arguments: list[str]) -> None:
    """Computes what the options name and writes it."""
    file, *options = arguments
    if "--deterministic" in options:
        torch.use_deterministic_algorithms(True)
    results: dict[str, np.ndarray] = {}
    parts: dict[str, Callable[..., dict[str, np.ndarray]]] = {
        "--products": products,
        "--networks": networks,
        "--kernels": kernels,
    }
    for option in options:
        part, _, only = option.partition("=")
        if part in parts:
            results |= parts[part](*only.split(",") if only else ())
    records = {}
    for name, array in results.items():
        digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
        elements = array.reshape(-1)[:: max(1, array.size // ELEMENTS)].tolist()
        records[name] = {"digest": digest, "largest": float(np.abs(array).max()), "elements": elements}
    Path(file).write_text(json.dumps(records))


if __name__ == "__main__":
    main(sys.argv[1:])
