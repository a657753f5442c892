"""`check_module`: a module of the engine and the same module of PyTorch, compared in all that can be seen.

Both are made by one factory and given PyTorch's initial weights; then printed form, state, outputs, gradients
and buffers are held against each other, in training and in evaluation mode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..dtypes import Array
from .arrays import as_leaves
from .comparison import Comparison, Rule, compare_values
from .functions import Upstream, compare_runs, rounded, seeded, upstream_gradients
from .sides import Run, Side, as_array, engine_side, run, torch_side


def check_module(
    module_factory: Callable[[Any], Any],
    inputs: Any,
    *,
    dtypes: Sequence[str] = ("float64", "float32"),
    modes: Sequence[str] = ("train", "eval"),
    steps: int = 1,
    seed: int = 0,
    rule: Rule | None = None,
) -> Comparison:
    """Make a module for the engine and for PyTorch and compare them; AssertionError with a report.

    Compared are `repr` letter by letter; keys, order, shapes and dtypes of the `state_dict`; the outputs, the
    gradients by inputs and by all parameters under a random upstream gradient; the buffers afterwards.

    Args:
        module_factory: called as `module_factory(torch)` with `minitorch_cifar` and with PyTorch.
        inputs: what the module is called with: one array or tensor, or a tuple of them. Arrays of floats ask
            for a gradient. Other values are handed through.
        dtypes: module and inputs are converted to each of these in turn.
        modes: "train" and "eval", one after the other, each with a new module.
        steps: how often the module is called; buffers such as running means change with each call. The last
            call is differentiated.
        seed: of both generators before the calls, so that dropout drops the same, and of the upstream
        gradient. rule: the tolerance, as for `assert_matches_torch`.

    Returns a `Comparison`. ImportError without PyTorch.

    >>> import numpy as np
    >>> from minitorch_cifar.testing import check_module
    >>> pictures = np.random.default_rng(0).normal(size=(2, 3, 8, 8))
    >>> check_module(lambda torch: torch.nn.Conv2d(3, 6, 5), pictures).worst("float64") < 1e-10
    True
    """
    torch = torch_side()
    state, ours, theirs = _initial(module_factory, torch, seed)
    comparison = Comparison(f"the module {theirs.partition(chr(10))[0]}")
    limits = rule or Rule()
    comparison.differences.append(compare_values("repr", "text", ours, theirs, theirs, 0.0, limits))
    leaves = as_leaves(inputs if isinstance(inputs, tuple) else (inputs,))
    for mode in modes:
        if mode not in ("train", "eval"):
            raise ValueError(f"modes may hold 'train' and 'eval', got {mode!r}")
        for dtype in dtypes:
            upstream = upstream_gradients(None, seed, dtype)
            call = _Call(module_factory, state, rounded(leaves, dtype), mode, steps, seed, upstream)
            found = _compare_call(call, dtype, engine_side(), torch, limits)
            comparison.differences.extend(_in_mode(difference, mode) for difference in found.differences)
    comparison.raise_problems()
    return comparison


def _initial(
    module_factory: Callable[[Any], Any], torch: Side, seed: int
) -> tuple[dict[str, Array], str, str]:
    """PyTorch's initial state, and both printed forms; ParityError when the states differ in form."""
    engine = engine_side()
    with seeded(torch, seed), seeded(engine, seed):
        theirs, ours = module_factory(torch.library), module_factory(engine.library)
    state = {name: as_array(tensor).copy() for name, tensor in theirs.state_dict().items()}
    forms = [
        [f"{name}: {tuple(tensor.shape)} {tensor.dtype}" for name, tensor in module.state_dict().items()]
        for module in (ours, theirs)
    ]
    comparison = Comparison(f"the module {theirs!r}")
    comparison.differences.append(compare_values("state_dict", "text", forms[0], forms[1], None, 0.0, Rule()))
    comparison.raise_problems()
    return state, repr(ours), repr(theirs)


@dataclass(frozen=True)
class _Call:
    """A module made, loaded, called and differentiated in one way, on either side."""

    module_factory: Callable[[Any], Any]
    state: dict[str, Array]
    inputs: Any
    mode: str
    steps: int
    seed: int
    upstream: Upstream

    def on(self, side: Side, float_dtype: str, watch: bool = False) -> tuple[Run, dict[str, Any]]:
        """What the run gives, and the parameters' gradients and the buffers by name."""
        library = side.library
        module = self.module_factory(library).to(getattr(library, float_dtype))
        kinds = {name: float_dtype if a.dtype.kind == "f" else a.dtype for name, a in self.state.items()}
        module.load_state_dict(
            {name: library.from_numpy(np.array(a, kinds[name])) for name, a in self.state.items()}
        )
        module.train(self.mode == "train")

        def call(*inputs: Any) -> Any:
            with seeded(side, self.seed):
                for _ in range(self.steps - 1):
                    with library.no_grad():
                        module(*inputs)
                return module(*inputs)

        result = run(side, call, (self.inputs, {}), float_dtype, self.upstream, watch)
        values: dict[str, Any] = {}
        for name, parameter in module.named_parameters():
            values[f"gradient by {name}"] = None if parameter.grad is None else as_array(parameter.grad)
        for name, buffer in module.named_buffers():
            values[f"buffer {name}"] = as_array(buffer)
        return result, values


def _compare_call(call: _Call, dtype: str, engine: Side, torch: Side, rule: Rule) -> Comparison:
    found = Comparison("")
    reference, expected = call.on(torch, "float64")
    # Apart, because PyTorch takes other formulas while it is watched.
    reference.largest = call.on(torch, "float64", watch=True)[0].largest
    own, own_values = (reference, expected) if dtype == "float64" else call.on(torch, dtype)
    ours, values = call.on(engine, dtype)
    largest = compare_runs(found, dtype, ours, own, reference, call.upstream, rule)
    names = compare_values(
        "names of parameters and buffers", dtype, list(values), list(own_values), None, largest, rule
    )
    found.differences.append(names)
    for name in own_values if names.problem is None else ():
        found.differences.append(
            compare_values(name, dtype, values[name], own_values[name], expected[name], largest, rule)
        )
    return found


def _in_mode(difference: Any, mode: str) -> Any:
    what = f"{difference.what} in {mode} mode"
    problem = difference.problem and difference.problem.replace(difference.what, what, 1)
    return replace(difference, what=what, problem=problem)
