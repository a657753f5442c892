"""Modules under test: what a row of them says, and a module built, called and differentiated on either side.

A `ModuleRow` draws the arguments of a constructor and the inputs of a call. Both libraries build the module,
load the same random parameters and buffers, and call it one to three times in training and in evaluation
mode; the last call is differentiated under a random upstream gradient.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

import minitorch_cifar
from minitorch_cifar.testing import Comparison
from minitorch_cifar.testing.arrays import Leaf, as_leaves, map_tree
from minitorch_cifar.testing.comparison import compare_values
from minitorch_cifar.testing.functions import compare_runs, rounded, seeded
from minitorch_cifar.testing.sides import Run, Side, as_array, run

from .drawing import Maker, Sample, show
from .harness import ENGINE, RULE, TORCH, note_largest, strict, upstream_for

MODES = ("train", "eval")


@dataclass(frozen=True)
class Kind:
    """A dtype by its name, since each library has its own."""

    name: str

    def __repr__(self) -> str:
        return self.name


@dataclass
class ModuleSample:
    """One module and its calls: constructor arguments, inputs, seeds; how the upstream gradient lies."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    inputs: tuple[Any, ...]
    calls: int = 1
    grad_layout: str = "contiguous"
    seed: int = 0

    def __repr__(self) -> str:
        made = [show(a) for a in self.args] + [f"{k}={show(v)}" for k, v in self.kwargs.items()]
        times = "" if self.calls == 1 else f", called {self.calls} times"
        note = "" if self.grad_layout == "contiguous" else f", upstream gradient {self.grad_layout}"
        return f"module({', '.join(made)}) on ({', '.join(map(show, self.inputs))}){times}{note}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


@dataclass(frozen=True)
class ModuleRow:
    """A module class under test.

    name: of the class in `nn`.
    draw: makes a sample with a `Maker`.
    build: makes the module, `build(torch, *args, **kwargs)`; None calls the class.
    regimes: the kinds of values of the inputs.
    kernels: whether backends matter.
    random: whether it draws numbers.
    """

    name: str
    draw: Callable[[Maker], ModuleSample]
    build: Callable[..., Any] | None = None
    regimes: tuple[str, ...] = ("ordinary", "ties")
    kernels: bool = True
    random: bool = False

    def make(self, torch: Any, args: Any, kwargs: Any) -> Any:
        """The module of the library `torch`."""
        if self.build is not None:
            return self.build(torch, *args, **kwargs)
        return getattr(torch.nn, self.name)(*args, **kwargs)

    def signature(self) -> inspect.Signature:
        """Of the engine's constructor."""
        return inspect.signature(getattr(minitorch_cifar.nn, self.name))

    def named(self, sample: ModuleSample) -> set[str]:
        """The names of the constructor's parameters that the sample gives."""
        return set(self.signature().bind(*sample.args, **sample.kwargs).arguments)

    def __repr__(self) -> str:
        return f"nn.{self.name}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


@st.composite
def module_samples(draw: Any, row: ModuleRow) -> Any:
    """Samples of a row with values of one of its regimes."""
    return row.draw(Maker(draw, draw(st.sampled_from(row.regimes))))


@dataclass
class ModuleRun:
    """What a module did on one side: its printed form and state as new, and its run in each mode."""

    printed: str
    form: list[str]
    modes: dict[str, tuple[Run, dict[str, Any]]]


def run_module(
    side: Side, row: ModuleRow, sample: ModuleSample, dtype: str, watch: bool = False
) -> ModuleRun:
    """Build, load, call and differentiate the module on one side, in both modes."""
    new = _build(side, row, sample, "")
    form = [f"{name}: {tuple(t.shape)} {t.dtype}" for name, t in new.state_dict().items()]
    modes = {mode: _run_mode(side, row, sample, dtype, mode, watch) for mode in MODES}
    return ModuleRun(repr(new), form, modes)


def _build(side: Side, row: ModuleRow, sample: ModuleSample, dtype: str) -> Any:
    """The module as its constructor leaves it; tensors among the arguments in `dtype`, or as they are."""

    def make(value: Any) -> Any:
        if isinstance(value, Leaf):
            return side.tensor(value, dtype)
        if isinstance(value, Kind):
            return getattr(side.library, value.name)
        return map_tree(value, make)

    with seeded(side, sample.seed):
        return row.make(side.library, make(as_leaves(sample.args)), make(as_leaves(sample.kwargs)))


def _fill(side: Side, module: Any, seed: int) -> None:
    """Load random values, the same on both sides and in both dtypes; buffers (variances, ...) positive."""
    generator = np.random.Generator(np.random.PCG64([seed, 99]))
    state, buffers = {}, {name for name, _ in module.named_buffers()}
    for name, tensor in module.state_dict().items():
        array = as_array(tensor)
        if array.dtype.kind == "f":
            drawn = generator.normal(0.3, 1.0, array.shape)
            values = np.abs(drawn) + 0.1 if name in buffers else drawn
            array = np.asarray(values).astype(np.float32).astype(array.dtype)
        else:
            array = np.asarray(generator.integers(0, 5, array.shape)).astype(array.dtype)
        state[name] = side.tensor(Leaf(array, False), "")
    module.load_state_dict(state)


def _run_mode(
    side: Side, row: ModuleRow, sample: ModuleSample, dtype: str, mode: str, watch: bool
) -> tuple[Run, dict[str, Any]]:
    library = side.library
    # Outside of `run`, which watches how large numbers become: new memory holds anything.
    module = _build(side, row, sample, dtype).to(device=side.device, dtype=getattr(library, dtype))

    def call(*inputs: Any) -> Any:
        _fill(side, module, sample.seed)
        module.train(mode == "train")
        # A layer that works in place must not change a leaf.
        given = [x.clone() if sample.kwargs.get("inplace") else x for x in inputs]
        with seeded(side, sample.seed):
            for _ in range(sample.calls - 1):
                with library.no_grad():
                    module(*[x.clone() for x in inputs])
            return module(*given)

    lying = Sample((), {}, sample.grad_layout, sample.seed)
    leaves = rounded(as_leaves(sample.inputs), dtype)
    result = run(side, call, (leaves, {}), dtype, upstream_for(lying, dtype), watch)
    values: dict[str, Any] = {}
    for name, parameter in module.named_parameters():
        values[f"gradient by {name}"] = None if parameter.grad is None else as_array(parameter.grad)
    for name, tensor in module.state_dict().items():
        values[f"{name} afterwards"] = as_array(tensor)
    return result, values


def module_outcome(
    side: Side, row: ModuleRow, sample: ModuleSample, dtype: str, watch: bool = False
) -> ModuleRun | Exception:
    """What `run_module` gives, or the exception that the side raised."""
    try:
        if side is ENGINE:
            with strict():
                warnings.simplefilter("ignore", UserWarning)
                return run_module(side, row, sample, dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return run_module(side, row, sample, dtype, watch)
    except Exception as error:
        return error


def note_largest_of_modules(reference: Any, watched: Any) -> None:
    """As `note_largest`, in each mode."""
    if isinstance(reference, ModuleRun) and isinstance(watched, ModuleRun):
        for mode in MODES:
            note_largest(reference.modes[mode][0], watched.modes[mode][0])


def compare_modules(
    row: ModuleRow, sample: ModuleSample, dtype: str, ours: ModuleRun, own: ModuleRun, reference: ModuleRun
) -> Comparison:
    """Printed forms, states, outputs, gradients and buffers under the rule; ParityError with a report."""
    comparison = Comparison(f"{row}: {sample}")
    add = comparison.differences.append
    add(compare_values("repr", "text", ours.printed, own.printed, None, 0.0, RULE))
    add(compare_values("state_dict", "text", ours.form, own.form, None, 0.0, RULE))
    for mode in MODES:
        (mine, mine_named), (theirs, theirs_named) = ours.modes[mode], own.modes[mode]
        exact, exact_named = reference.modes[mode]
        found = Comparison("")
        largest = compare_runs(
            found, dtype, mine, theirs, exact, upstream_for(Sample((), {}, seed=sample.seed), dtype), RULE
        )
        names = compare_values(
            "parameters and buffers", dtype, list(mine_named), list(theirs_named), None, largest, RULE
        )
        found.differences.append(names)
        for name in theirs_named if names.problem is None else ():
            found.differences.append(
                compare_values(
                    name, dtype, mine_named[name], theirs_named[name], exact_named[name], largest, RULE
                )
            )
        for difference in found.differences:
            problem = difference.problem and f"  in {mode} mode:\n{difference.problem}"
            add(replace(difference, what=f"{difference.what} in {mode} mode", problem=problem))
    comparison.raise_problems()
    return comparison


def compare_module(
    row: ModuleRow, sample: ModuleSample, dtype: str, torch: Side = TORCH
) -> Comparison | None:
    """The module on both sides under the rule; None when both refuse the sample alike."""
    own = module_outcome(torch, row, sample, dtype)
    ours = module_outcome(ENGINE, row, sample, dtype)
    if isinstance(own, Exception):
        assert isinstance(ours, Exception), f"{row}: PyTorch refuses {sample}: {own!r}"
        if type(ours) is not type(own):
            ours.add_note(f"{row}: PyTorch raises {own!r} for {sample}")
            raise ours
        return None
    if isinstance(ours, Exception):
        ours.add_note(f"{row}: PyTorch computes {sample}")
        raise ours
    reference = own if dtype == "float64" else module_outcome(torch, row, sample, "float64")
    assert isinstance(reference, ModuleRun)
    note_largest_of_modules(reference, module_outcome(torch, row, sample, "float64", watch=True))
    return compare_modules(row, sample, dtype, ours, own, reference)


__all__ = [
    "Kind",
    "ModuleRow",
    "ModuleSample",
    "compare_module",
    "compare_modules",
    "module_outcome",
    "module_samples",
]
