"""The engine and PyTorch train the same network in lockstep, and every layer's numbers are compared.

Four networks start from the engine's weights, copied bit by bit, and see the same batches. The engine's and
one of PyTorch's run freely, each from its own parameters, as in anybody's training: they give the loss
curves. But two trainings part in the end, since a last digit may decide which element of a pooling window is
the largest; where numbers differ late, no layer can be blamed. So the layers are compared by two shadows of
the engine, PyTorch's network in float32 and in float64. Before each step a shadow takes over the engine's
parameters, buffers and momentum; within the step it takes over, at the input and at the output of every
layer, the engine's numbers, forward and backward. So each layer, and the functions between two layers, answer
for themselves: nothing is carried along from layer to layer or from step to step.

How far the engine may be away, `deviation.py` says: 8 times PyTorch's own float32 error (measured between the
shadows; in float64 scaled to its shorter steps), at least 2e-6 (float32) or 1e-12 (float64) of the largest
value. A sum in another order uses up a quarter of that; a wrong rule is off by thousands of times as much.

The free pair, over its first 1,000 steps: in float64 all losses and, in the end, all parameters agree to 1e-9
of the largest value; in float32 the mean of the losses so far agrees to 3 decimals.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import Array
from .deviation import Deviation, broken, deviation
from .functions import seeded
from .runner import NetworkError, Runner, Trace
from .sides import engine_side, largest_magnitude, torch_side
from .taps import GRADIENT, GRADIENT_BY_INPUT, GRADIENT_BY_OUTPUT, Place

__all__ = ["JUDGED_STEPS", "Failure", "Lockstep", "NetworkError", "run_lockstep"]

JUDGED_STEPS = 1000
FREE_RELATIVE = 1e-9
FREE_LOSS = 5e-4

Batch = tuple[Array, Array]


class Failure(NamedTuple):
    """Where, in which step (counted from 1), the engine first left the tolerance."""

    step: int
    place: Place
    problem: str

    def __str__(self) -> str:
        return f"{self.place}, in step {self.step}: {self.problem}"


@dataclass
class Lockstep:
    """What a run in lockstep found.

    `places`: the worst deviation over all steps, by place; `failure`: the first place that left the
    tolerance; `losses`, `torch_losses`: of the free pair, by step; `drift`: how far its parameters are apart
    in the end, relative to the largest value of each; `free_problem`: what the free pair's tolerance was left
    by.
    """

    dtype: str
    places: dict[Place, Deviation] = field(default_factory=dict)
    failure: Failure | None = None
    losses: list[float] = field(default_factory=list)
    torch_losses: list[float] = field(default_factory=list)
    drift: dict[str, float] = field(default_factory=dict)
    free_problem: str | None = None

    @property
    def holds(self) -> bool:
        """Whether everything stayed inside the tolerance."""
        return self.failure is None and self.free_problem is None

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.losses)

    @property
    def tightest(self) -> tuple[Place, Deviation]:
        """Where the largest share of the tolerance was used."""
        return max(self.places.items(), key=lambda item: item[1].share)

    def add(self, step: int, place: Place, found: Deviation) -> None:
        """Take in a deviation."""
        before = self.places.get(place)
        self.places[place] = found if before is None else before.worst(found)
        if found.problem and self.failure is None:
            self.failure = Failure(step, place, found.problem)


def run_lockstep(
    make_network: Callable[[], Any],
    make_torch_network: Callable[[], Any],
    batches: Iterable[Batch],
    *,
    dtype: str = "float32",
    lr: float = 0.001,
    momentum: float = 0.9,
    device: str = "cpu",
    seed: int = 0,
    on_step: Callable[[Lockstep], None] | None = None,
) -> Lockstep:
    """Train a network with both engines on `batches` and compare them, layer by layer.

    Args:
        make_network, make_torch_network: make the network of the engine and of PyTorch; layers and parameters
            must have the same names and shapes on both sides.
        batches: pairs of arrays, pictures and class numbers; each is one step.
        dtype: "float32" or "float64".
        lr, momentum: of SGD.
        device: where PyTorch computes, "cpu" or "cuda"; there without TF32.
        seed: of the initial weights, and of what is drawn in a step, such as dropout.
        on_step: called after each step.

    Raises:
        NetworkError: a side cannot run the network, or the two networks are not the same.
        ImportError: PyTorch is not installed.

    >>> import numpy as np
    >>> from minitorch_cifar.testing.lockstep import run_lockstep
    >>> import minitorch_cifar, torch
    >>> batch = np.random.default_rng(0).normal(size=(8, 3)), np.arange(8) % 2
    >>> networks = [lambda torch=torch: torch.nn.Linear(3, 2) for torch in (minitorch_cifar, torch)]
    >>> found = run_lockstep(*networks, [batch] * 5)
    >>> found.holds, found.steps
    (True, 5)
    """
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype may be 'float32' or 'float64', got {dtype!r}")
    engine, torch = engine_side(), torch_side()
    found = Lockstep(dtype)

    def keep_threads() -> None:
        # The engine's kernels change how many threads OpenMP gives to everybody; PyTorch's small convolutions
        # would then wait for each other most of the time.
        torch.library.set_num_threads(torch.library.get_num_threads())

    with seeded(engine, seed), seeded(torch, seed), _without_tf32(torch.library):
        leader = Runner(engine, make_network, dtype, lr, momentum)
        narrow, wide, free = (
            Runner(torch, make_torch_network, kind, lr, momentum, device, tapped)
            for kind, tapped in (("float32", True), ("float64", True), (dtype, False))
        )
        free.load(leader.snapshot())
        for step, (images, labels) in enumerate(batches, start=1):
            drawn = seed + step
            keep_threads()
            found.torch_losses.append(free.train_step(images, labels, drawn))
            before = leader.snapshot()
            loss, trace = leader.traced_step(images, labels, drawn)
            found.losses.append(loss)
            keep_threads()
            shadows = []
            for shadow in (narrow, wide):
                shadow.load(before)
                shadows.append(shadow.shadow_step(images, labels, drawn, trace))
            _compare(found, step, trace, *shadows)
            if on_step is not None:
                on_step(found)
        found.drift = _drift(leader.state(), free.state())
    found.free_problem = _judge_free_pair(found)
    return found


@contextlib.contextmanager
def _without_tf32(torch: Any) -> Iterator[None]:
    """On a GPU, float32 means float32."""
    switches = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [switch.allow_tf32 for switch in switches]
    for switch in switches:
        switch.allow_tf32 = False
    try:
        yield
    finally:
        for switch, value in zip(switches, before, strict=True):
            switch.allow_tf32 = value


def _compare(found: Lockstep, step: int, engine: Trace, narrow: Trace, wide: Trace) -> None:
    same = narrow if found.dtype == "float32" else wide
    upstream: dict[str, float] = {}
    for place, array in wide.items():
        if place.quantity == GRADIENT_BY_OUTPUT and array is not None:
            upstream[place.layer] = max(upstream.get(place.layer, 0.0), largest_magnitude(array))
    for place in [*engine, *(place for place in same if place not in engine)]:
        if place in engine and place in same:
            measured = deviation(
                engine[place], same[place], narrow[place], wide[place], _source(place, upstream)
            )
        else:
            missing = "PyTorch" if place in engine else "minitorch_cifar"
            measured = broken(f"{missing} has none")
        found.add(step, place, measured)


def _source(place: Place, upstream: dict[str, float]) -> float:
    """The largest gradient that came to the layer whose gradient `place` is."""
    if place.quantity == GRADIENT_BY_INPUT:
        return upstream.get(place.layer, 0.0)
    if place.quantity == GRADIENT:
        return upstream.get(place.layer.rpartition(".")[0] or "network", 0.0)
    return 0.0


def _drift(engine: dict[str, Array], torch: dict[str, Array]) -> dict[str, float]:
    drift = {}
    for name, array in engine.items():
        if array.dtype.kind == "f" and array.size:
            scale = float(np.abs(torch[name]).max()) or 1.0
            drift[name] = float(np.abs(array - torch[name]).max()) / scale
    return drift


def _judge_free_pair(found: Lockstep) -> str | None:
    pairs = list(zip(found.losses, found.torch_losses, strict=True))[:JUDGED_STEPS]
    if found.dtype == "float32":
        sums = zip(*(accumulate(values) for values in zip(*pairs, strict=True)), strict=True)
        for step, (mine, theirs) in enumerate(sums, start=1):
            if not abs(mine - theirs) <= FREE_LOSS * step:
                return (
                    f"the mean loss of the first {step} steps is {mine / step:.6f} with minitorch_cifar, "
                    f"{theirs / step:.6f} with PyTorch; allowed: {FREE_LOSS:g} apart"
                )
        return None
    for step, (mine, theirs) in enumerate(pairs, start=1):
        if not abs(mine - theirs) <= FREE_RELATIVE * max(abs(theirs), 1e-3):
            return (
                f"the loss of step {step} is {mine!r} with minitorch_cifar, {theirs!r} with PyTorch; "
                f"allowed: {FREE_RELATIVE:g} of it"
            )
    name, drift = max(found.drift.items(), key=lambda item: item[1], default=("", 0.0))
    if found.steps <= JUDGED_STEPS and not drift <= FREE_RELATIVE:
        return (
            f"after {found.steps} steps {name} differs by {drift:.3g} of its largest value; allowed: "
            f"{FREE_RELATIVE:g}"
        )
    return None
