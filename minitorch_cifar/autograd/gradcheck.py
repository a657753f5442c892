"""`gradcheck`: compare the gradients of a function with central differences.

For an input element x_i, (y(x_i + eps) - y(x_i - eps)) / (2 eps) is held against the gradient that backward
computes. A random direction is pushed through the outputs: a backward rule that is wrong may still be right
for a direction of ones.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import Array
from .arrays import overlaps_itself
from .differentiate import grad
from .grad_mode import enable_grad, no_grad
from .variable import TensorBase, wrap


class GradcheckError(RuntimeError):
    """Raised by `gradcheck` when a gradient differs from the numerical one."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
) -> bool:
    """True when the gradients of `func(*inputs)` agree with central differences.

    Checks every input that requires a gradient; these should be float64. The outputs are multiplied with
    fixed random directions, so that it is one number that each element changes. `nondet_tol`: how far two
    runs of backward may differ. Raises GradcheckError that names the input, the element and both values, or
    returns False when `raise_exception=False`.

    >>> import minitorch_cifar as torch
    >>> x = torch.tensor([0.5, -2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(lambda t: t.exp(), x)
    True
    """
    arguments = (inputs,) if isinstance(inputs, TensorBase) else tuple(inputs)
    checked = _differentiable_inputs(arguments)
    try:
        with enable_grad():
            outputs = _differentiable_outputs(func(*arguments))
        directions = _directions(outputs)
        analytical = _analytical(outputs, directions, [arguments[i] for i in checked], nondet_tol)
        for i, expected in zip(checked, analytical, strict=True):
            numerical = _numerical(func, arguments, arguments[i]._array, directions, eps)
            _compare(i, expected, numerical, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _differentiable_inputs(arguments: tuple[Any, ...]) -> list[int]:
    checked = [i for i, x in enumerate(arguments) if isinstance(x, TensorBase) and x.requires_grad]
    if not checked:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have "
            "requires_grad=True."
        )
    for i in checked:
        array = arguments[i]._array
        if array.dtype != np.float64:
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point. This check will "
                "likely fail if all the inputs are not of double precision floating point.",
                stacklevel=3,
            )
        if overlaps_itself(array):
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs that are "
                "non-overlapping to be able to compute the numerical gradients correctly. You should call "
                ".contiguous on the input before passing it to gradcheck."
            )
    return checked


def _differentiable_outputs(result: Any) -> list[TensorBase]:
    results = result if isinstance(result, (tuple, list)) else [result]
    return [r for r in results if isinstance(r, TensorBase) and r._array.dtype.kind == "f"]


def _directions(outputs: Sequence[TensorBase]) -> list[Array]:
    # Away from zero, so that no output goes unseen.
    generator = np.random.Generator(np.random.PCG64(2013))
    return [
        generator.uniform(0.5, 1.5, output._array.shape) * generator.choice([-1.0, 1.0], output._array.shape)
        for output in outputs
    ]


def _analytical(
    outputs: Sequence[TensorBase], directions: list[Array], inputs: list[Any], nondet_tol: float
) -> list[Array]:
    live = [pair for pair in zip(outputs, directions, strict=True) if pair[0].requires_grad]
    if not live:
        return [np.zeros_like(x._array) for x in inputs]
    sources = [output for output, _ in live]
    upstream = [wrap(np.asarray(direction, output._array.dtype)) for output, direction in live]

    def run() -> list[Array]:
        gradients = grad(sources, inputs, upstream, retain_graph=True, materialize_grads=True)
        return [gradient._array for gradient in gradients]

    first, second = run(), run()
    for x, a, b in zip(inputs, first, second, strict=True):
        if not np.allclose(a, b, rtol=0, atol=nondet_tol, equal_nan=True):
            raise GradcheckError(
                f"Backward is not reentrant, i.e., running backward with same input and grad_output multiple "
                f"times gives different values, although analytical gradient matches numerical gradient. The "
                f"tolerance for nondeterminism was {nondet_tol}. The input's shape is {list(x._array.shape)}."
            )
    return first


def _numerical(
    func: Callable[..., Any], arguments: tuple[Any, ...], array: Array, directions: list[Array], eps: float
) -> Array:
    def value() -> list[Array]:
        with no_grad():
            return [o._array.astype(np.float64) for o in _differentiable_outputs(func(*arguments))]

    slopes = np.empty(array.shape)
    for index in np.ndindex(array.shape):
        old = array[index]
        array[index] = old + eps
        above = value()
        array[index] = old - eps
        below = value()
        array[index] = old
        slopes[index] = sum(
            float(np.sum((a - b) / (2 * eps) * d)) for a, b, d in zip(above, below, directions, strict=True)
        )
    return slopes


def _compare(i: int, analytical: Array, numerical: Array, atol: float, rtol: float) -> None:
    wrong = ~np.isclose(analytical, numerical, rtol=rtol, atol=atol, equal_nan=True)
    if wrong.any():
        where = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise GradcheckError(
            f"Jacobian mismatch for input {i}, element {where}: backward gives {analytical[where]:.10g}, "
            f"central differences give {numerical[where]:.10g} ({int(wrong.sum())} of {wrong.size} elements "
            f"differ by more than atol={atol}, rtol={rtol})"
        )
