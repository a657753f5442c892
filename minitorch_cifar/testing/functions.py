"""`assert_matches_torch`: a function run by the engine and by PyTorch on the same numbers, and compared."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..dtypes import Array
from .arrays import Leaf, as_leaves, copy_with_strides, map_tree
from .comparison import Comparison, Rule, compare_values
from .sides import Run, Side, engine_side, largest_magnitude, run, torch_side

Upstream = Callable[[int, Any], Array]


def assert_matches_torch(
    function: Callable[..., Any],
    *inputs: Any,
    kwargs: dict[str, Any] | None = None,
    namespace: bool = False,
    dtypes: Sequence[str] = ("float64", "float32"),
    gradients: bool = True,
    grad_outputs: Sequence[Any] | None = None,
    seed: int = 0,
    rule: Rule | None = None,
    name: str | None = None,
) -> Comparison:
    """Run `function` on the engine and on PyTorch; AssertionError with a report when results differ.

    Args:
        function: called as `function(*inputs, **kwargs)` with tensors of either side; it may use their
            methods and operators. With `namespace=True` it is called as `function(torch, *inputs, **kwargs)`,
            where `torch` is `minitorch_cifar` or PyTorch. It returns a tensor, or nested tuples, lists and
            dicts of tensors and plain values.
        inputs: NumPy arrays, tensors, plain values (sizes, flags), or lists, tuples and dicts of these. Both
            sides get copies with the same strides. Arrays of floats ask for a gradient; tensors as they say
            themselves.
        kwargs: keyword arguments of `function`, treated like `inputs`.
        dtypes: floats are converted to each of these in turn.
        gradients: compare the gradients by all inputs under a random upstream gradient.
        grad_outputs: the upstream gradients, one per output tensor, instead of random ones.
        seed: of the random upstream gradients, and of both libraries' generators before each call, so that a
            function that draws (dropout) draws the same.
        rule: the tolerance, by default relative error 1e-10 in float64; in float32, against PyTorch's float64
            result, twice PyTorch's own float32 error; a floor of 4 ulp of the largest intermediate value.
        name: what to call the function in the report.

    Returns a `Comparison`; its `worst("float64")` is the largest relative error, its `worst("float32")` the
    largest error in units of PyTorch's own. Exceptions of `function` pass through. ImportError without
    PyTorch.

    >>> import numpy as np
    >>> from minitorch_cifar.testing import assert_matches_torch
    >>> x, w = np.linspace(-1, 1, 12).reshape(4, 3), np.linspace(0, 1, 6).reshape(3, 2)
    >>> assert_matches_torch(lambda x, w: (x @ w).relu().sum(0), x, w).worst("float64") < 1e-10
    True
    >>> _ = assert_matches_torch(lambda torch, x: torch.softmax(x, dim=1), x, namespace=True)
    """
    engine, torch = engine_side(), torch_side()
    limits = rule or Rule()
    comparison = Comparison(name or str(getattr(function, "__name__", function)))
    positional, named = as_leaves(tuple(inputs)), as_leaves(kwargs or {})

    def call_on(side: Side) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            with seeded(side, seed):
                if namespace:
                    return function(side.library, *arguments, **keywords)
                return function(*arguments, **keywords)

        return call

    for dtype in dtypes:
        if dtype not in ("float32", "float64"):
            raise ValueError(f"dtypes may hold 'float32' and 'float64', got {dtype!r}")
        given = rounded(positional, dtype), rounded(named, dtype)
        upstream = upstream_gradients(grad_outputs, seed, dtype) if gradients else None
        reference = run(torch, call_on(torch), given, "float64", upstream)
        # Apart, because PyTorch takes other formulas while it is watched.
        reference.largest = run(torch, call_on(torch), given, "float64", upstream, watch=True).largest
        own = reference if dtype == "float64" else run(torch, call_on(torch), given, dtype, upstream)
        try:
            ours = run(engine, call_on(engine), given, dtype, upstream)
        except Exception as error:
            error.add_note(f"PyTorch computed {comparison.function} in {dtype} without an error.")
            raise
        compare_runs(comparison, dtype, ours, own, reference, upstream, limits)
    comparison.raise_problems()
    return comparison


@contextlib.contextmanager
def seeded(side: Side, seed: int) -> Iterator[None]:
    """Seed a side's default generator for the length of the block; afterwards it is as it was."""
    state = side.library.get_rng_state()
    side.library.manual_seed(seed)
    try:
        yield
    finally:
        side.library.set_rng_state(state)


def rounded(value: Any, dtype: str) -> Any:
    """`value` with the floats of its leaves rounded to `dtype`: both precisions start from equal numbers."""
    if isinstance(value, Leaf):
        if dtype == "float32" and value.array.dtype == np.float64:
            with np.errstate(all="ignore"):
                return Leaf(copy_with_strides(value.array, np.float32), value.requires_grad)
        return value
    return map_tree(value, lambda item: rounded(item, dtype))


def upstream_gradients(given: Sequence[Any] | None, seed: int, dtype: str) -> Upstream:
    """The gradient to start from at each output: the same numbers on both sides and in both precisions."""
    if given is not None:
        arrays = [np.asarray(getattr(g, "_array", g)) for g in given]
        if dtype == "float32":
            arrays = [copy_with_strides(array, np.float32) for array in arrays]
        return lambda i, _: copy_with_strides(arrays[i])

    def draw(i: int, array: Array) -> Array:
        generator = np.random.Generator(np.random.PCG64([seed, i]))
        values = generator.uniform(0.5, 1.5, array.shape) * generator.choice([-1, 1], array.shape)
        return np.asarray(values).astype(np.float32).astype(np.float64)

    return draw


def compare_runs(
    comparison: Comparison, dtype: str, ours: Run, own: Run, reference: Run, upstream: Any, rule: Rule
) -> float:
    """Add the differences of all outputs and gradients; returns the largest magnitude that occurred."""
    largest = reference.largest
    if upstream is not None:
        starts = [upstream(i, a) for i, (_, a) in enumerate(reference.outputs) if reference.recorded[i]]
        largest = max([largest, *(largest_magnitude(start) for start in starts)])
    add = comparison.differences.append
    names = [name for name, _ in own.outputs]
    if [name for name, _ in ours.outputs] != names:
        given = [name for name, _ in ours.outputs]
        add(compare_values("names of outputs", dtype, given, names, names, largest, rule))
        return largest
    for i, (what, array) in enumerate(ours.outputs):
        add(compare_values(what, dtype, array, own.outputs[i][1], reference.outputs[i][1], largest, rule))
        flags = ours.recorded[i], own.recorded[i], reference.recorded[i]
        add(compare_values(f"{what}.requires_grad", dtype, *flags, largest, rule))
    for i, (what, gradient) in enumerate(ours.gradients):
        others = own.gradients[i][1], reference.gradients[i][1]
        add(compare_values(f"gradient by {what}", dtype, gradient, *others, largest, rule))
    return largest
