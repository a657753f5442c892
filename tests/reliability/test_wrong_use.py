"""Wrong use of autograd: an error of PyTorch's class that says what is wrong and what to do.

Each program runs in both libraries. The classes must be equal, and both messages must contain the words that
carry the sense; ours must contain the advice as well, where PyTorch gives none.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch

import minitorch_cifar


class Case(NamedTuple):
    """A program that must fail: `sense` in both messages, `advice` in ours."""

    program: Callable[[Any], Any]
    sense: str
    advice: str = ""


CASES: dict[str, Case] = {}


def case(sense: str, advice: str = "") -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Adds a program to the table, under its own name."""

    def add(program: Callable[[Any], Any]) -> Callable[[Any], Any]:
        CASES[program.__name__] = Case(program, sense, advice)
        return program

    return add


def ramp(t: Any, n: int = 4) -> Any:
    """A leaf with distinct values."""
    return t.linspace(0.5, 2.0, n, dtype=t.float64).requires_grad_()


def custom(t: Any, forward: Callable[..., Any], backward: Callable[..., Any]) -> Any:
    """A `Function` class of two plain functions."""
    members = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type("F", (t.autograd.Function,), members)


def failure(case: Case, library: Any) -> Exception:
    """What the program raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            case.program(library)
        except Exception as error:
            return error
    raise AssertionError(f"{library.__name__} raises nothing")


@pytest.mark.parametrize("name", CASES)
def test_pytorchs_class_and_sense_and_our_advice(name: str) -> None:
    theirs, ours = failure(CASES[name], torch), failure(CASES[name], minitorch_cifar)
    assert type(ours) is type(theirs), f"{ours!r}, PyTorch: {theirs!r}"
    for words in CASES[name].sense.split("|"):
        assert re.search(words, str(theirs)), f"PyTorch says: {theirs}"
        assert re.search(words, str(ours)), f"{ours}\nPyTorch says: {theirs}"
    for words in CASES[name].advice.split("|"):
        assert re.search(words, str(ours)), str(ours)


def test_the_table_is_not_empty() -> None:
    assert len(CASES) >= 45


# Overwritten before it was needed ------------------------------------------------------------------------

MODIFIED = "modified by an inplace operation|is at version \\d; expected version \\d"
# ruff: noqa: F841 - the names in these lambdas are read by what follows in them
OVERWRITTEN: dict[str, Callable[[Any, Any], Any]] = {
    "exp_result": lambda t, x: (y := x.exp(), y.add_(1))[0],
    "sigmoid_result": lambda t, x: (y := x.sigmoid(), y.mul_(2))[0],
    "tanh_result": lambda t, x: (y := x.tanh(), y.zero_())[0],
    "sqrt_result": lambda t, x: (y := x.sqrt(), y.neg_())[0],
    "relu_result_by_out": lambda t, x: (y := t.relu(x), t.mul(y.detach(), 2, out=y.detach()))[0],
    "softmax_result_by_index": lambda t, x: (y := t.softmax(x, 0), y.__setitem__(0, 1.0))[0],
    "pow_input": lambda t, x: (z := x * 1, y := z.pow(3), z.add_(1))[1],
    "mul_other": lambda t, x: (z := x * 1, y := z * x.detach().clone().requires_grad_(), z.sub_(1))[1],
    "matmul_input": lambda t, x: (z := x * 1, y := ramp(t) @ z, z.fill_(1))[1],
    "view_of_saved": lambda t, x: (z := x * 1, y := z * z, z.view(2, 2).mul_(2))[1],
    "augmented_assignment": lambda t, x: _augmented(x),
    "input_by_detach": lambda t, x: (z := x * 1, y := z.log(), z.detach().add_(1))[1],
    "conv_weight": lambda t, x: _convolved(t, x, "weight"),
    "conv_input": lambda t, x: _convolved(t, x, "input"),
    "batch_norm_input": lambda t, x: _normalised(t, x),
    "linear_weight_by_step": lambda t, x: _stepped(t, x),
}


def _augmented(x: Any) -> Any:
    z = x * 1
    y = z.square()
    z += 1
    return y


def _convolved(t: Any, x: Any, changed: str) -> Any:
    picture = x.view(1, 1, 2, 2) * 1
    weight = t.ones(1, 1, 1, 1, dtype=t.float64, requires_grad=True) * 2
    y = t.nn.functional.conv2d(picture, weight)
    (weight if changed == "weight" else picture).add_(1)
    return y


def _normalised(t: Any, x: Any) -> Any:
    z = x.view(4, 1) * 1
    y = t.nn.functional.batch_norm(z, None, None, training=True)
    z.add_(1)
    return y


def _stepped(t: Any, x: Any) -> Any:
    layers = [t.nn.Linear(4, 4).to(t.float64) for _ in range(2)]
    y = layers[1](layers[0](x).relu())
    with t.no_grad():
        layers[1].weight.add_(1)
    return y


def _add_overwritten(name: str, compute: Callable[[Any, Any], Any]) -> None:
    def program(t: Any) -> None:
        compute(t, ramp(t)).sum().backward()

    program.__name__ = f"overwritten_{name}"
    case(MODIFIED, "needs the old value|out-of-place form|clone")(program)


for _name, _compute in OVERWRITTEN.items():
    _add_overwritten(_name, _compute)


# Backward where there is nothing to go back through ------------------------------------------------------


@case("backward through the graph a second time|retain_graph=True")
def second_backward(t):
    y = ramp(t).exp().sum()
    y.backward()
    y.backward()


@case("backward through the graph a second time|retain_graph=True")
def second_backward_through_a_shared_part(t):
    shared = ramp(t).exp()
    shared.sum().backward()
    (shared * 2).sum().backward()


@case("backward through the graph a second time|retain_graph=True")
def second_grad(t):
    x = ramp(t)
    y = (x * x).sum()
    t.autograd.grad(y, x)
    t.autograd.grad(y, x)


@case("backward through the graph a second time|retain_graph=True")
def second_backward_of_a_module(t):
    network = t.nn.Sequential(t.nn.Linear(4, 3), t.nn.ReLU(), t.nn.Linear(3, 1))
    y = network(t.ones(2, 4)).sum()
    y.backward()
    y.backward()


@case("backward through the graph a second time|retain_graph=True")
def second_backward_of_a_function(t):
    def keep(ctx, x):
        ctx.save_for_backward(x)
        return x * 2

    y = custom(t, keep, lambda ctx, g: g * ctx.saved_tensors[0]).apply(ramp(t)).sum()
    y.backward()
    y.backward()


@case("does not require grad and does not have a grad_fn")
def backward_without_a_graph(t):
    t.ones(()).backward()


@case("does not require grad and does not have a grad_fn")
def backward_of_what_no_grad_computed(t):
    with t.no_grad():
        y = ramp(t).sum()
    y.backward()


@case("does not require grad and does not have a grad_fn")
def backward_of_what_was_detached(t):
    (ramp(t) * 2).detach().sum().backward()


@case("grad can be implicitly created only for scalar outputs")
def backward_of_several_numbers(t):
    (ramp(t) * 2).backward()


@case("Mismatch in shape|\\[2\\]|\\[4\\]")
def gradient_of_a_wrong_shape(t):
    (ramp(t) * 2).backward(t.ones(2, dtype=t.float64))


@case("")
def gradient_that_is_no_tensor(t):
    (ramp(t) * 2).backward([1.0, 1.0, 1.0, 1.0])


@case("appears to not have been used in the graph|allow_unused=True")
def grad_of_what_was_not_used(t):
    t.autograd.grad(ramp(t).sum(), ramp(t))


@case("One of the differentiated Tensors does not require grad")
def grad_of_what_needs_none(t):
    t.autograd.grad(ramp(t).sum(), t.ones(4))


@case("inputs.* cannot be empty")
def backward_to_no_inputs(t):
    ramp(t).sum().backward(inputs=[])


# Leaves and flags ----------------------------------------------------------------------------------------

LEAF = "a leaf Variable that requires grad|used in an in-place operation"


@case(LEAF)
def write_to_a_leaf(t):
    ramp(t).mul_(2)


@case(LEAF)
def assign_to_an_index_of_a_leaf(t):
    ramp(t)[0] = 1.0


@case("a view of a leaf Variable that requires grad is being used in an in-place operation")
def write_to_a_view_of_a_leaf(t):
    ramp(t)[1:].add_(1)


@case(LEAF)
def write_to_a_parameter(t):
    t.nn.Linear(2, 2).weight.zero_()


@case("only Tensors of floating point")
def gradient_of_whole_numbers(t):
    t.arange(3).requires_grad_()


@case("you can only change requires_grad flags of leaf variables|detach")
def requires_grad_of_an_inner_tensor(t):
    (ramp(t) * 2).requires_grad_(False)


@case("can't retain_grad on Tensor that has requires_grad=False")
def retain_grad_without_a_graph(t):
    t.ones(2).retain_grad()


@case("cannot register a hook on a tensor that doesn't require gradient")
def hook_without_a_graph(t):
    t.ones(2).register_hook(lambda g: g)


@case("Can't call numpy\\(\\) on Tensor that requires grad|detach\\(\\)")
def numpy_of_what_requires_grad(t):
    ramp(t).numpy()


@case("deepcopy protocol|created explicitly by the user")
def deepcopy_of_an_inner_tensor(t):
    import copy

    copy.deepcopy(ramp(t) * 2)


@case("size|same")
def grad_of_a_wrong_shape_assigned(t):
    ramp(t).grad = t.ones(3, dtype=t.float64)


@case("Inference tensors cannot be saved for backward|clone")
def inference_tensor_saved_for_backward(t):
    with t.inference_mode():
        y = t.ones(4)
    (ramp(t).float() * y).sum().backward()


# Function ------------------------------------------------------------------------------------------------


def _returned(t: Any, returned: Callable[[Any], Any]) -> None:
    custom(t, lambda ctx, x: x * 1, lambda ctx, grad: returned(grad)).apply(ramp(t)).sum().backward()


@case("returned an incorrect number of gradients \\(expected 1, got 2\\)")
def function_returns_too_many_gradients(t):
    _returned(t, lambda g: (g, g))


@case("returned an incorrect number of gradients \\(expected 2, got 1\\)")
def function_returns_too_few_gradients(t):
    custom(t, lambda ctx, x, y: x * y, lambda ctx, g: g).apply(ramp(t), ramp(t)).sum().backward()


@case("returned an invalid gradient at index 0 - got \\[2\\] but expected shape compatible with \\[4\\]")
def function_returns_a_wrong_shape(t):
    _returned(t, lambda g: g[:2])


@case("expected Variable or None \\(got float\\)")
def function_returns_a_number(t):
    _returned(t, lambda g: 3.0)


@case("expected Variable or None \\(got list\\)")
def function_returns_a_list(t):
    _returned(t, lambda g: [g])


@case("a gradient different than None at position 2|not a Variable")
def function_returns_a_gradient_of_a_number(t):
    custom(t, lambda ctx, x, k: x * k, lambda ctx, g: (g, g)).apply(ramp(t), 2).sum().backward()


@case("backward")
def function_without_backward(t):
    members = {"forward": staticmethod(lambda ctx, x: x * 1)}
    type("F", (t.autograd.Function,), members).apply(ramp(t)).sum().backward()


@case("(?i)static|deprecated")
def function_called_instead_of_applied(t):
    custom(t, lambda ctx, x: x * 1, lambda ctx, g: g)()(ramp(t))


@case("save_for_backward can only save variables")
def function_saves_a_number(t):
    def keep(ctx, x):
        ctx.save_for_backward(x, 3)
        return x * 1

    custom(t, keep, lambda ctx, g: g).apply(ramp(t))


@case(MODIFIED)
def function_saved_tensor_changed(t):
    def keep(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    x = ramp(t) * 1
    y = custom(t, keep, lambda ctx, grad: grad * 2 * ctx.saved_tensors[0]).apply(x)
    x.add_(1)
    y.sum().backward()


@case("dirty|returned")
def function_does_not_return_what_it_changed(t):
    def double(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x.clone()

    custom(t, double, lambda ctx, g: g).apply(ramp(t) * 1)


@case(LEAF)
def function_changes_a_leaf(t):
    def double(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2)

    custom(t, double, lambda ctx, g: g).apply(ramp(t))


# Hooks ---------------------------------------------------------------------------------------------------


@case("has changed the size of value")
def hook_changes_the_size(t):
    x = ramp(t)
    x.register_hook(lambda g: g[:1])
    x.sum().backward()


@case("")
def hook_returns_no_tensor(t):
    x = ramp(t)
    x.register_hook(lambda g: 3)
    x.sum().backward()


# Anomaly detection ---------------------------------------------------------------------------------------


class Root:
    """Modules, in either library, with a line that makes NaN of its gradient."""

    @staticmethod
    def make(t: Any) -> Any:
        class Inner(t.nn.Module):  # type: ignore[misc]
            def forward(self, x: Any) -> Any:
                return (x - x).sqrt()  # MARK in a module

        class Outer(t.nn.Module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.linear = t.nn.Linear(3, 3)
                self.inner = Inner()

            def forward(self, x: Any) -> Any:
                return self.inner(self.linear(x).relu()) * 0

        return Outer()


def _in_place(t: Any) -> Any:
    x = t.zeros(3, requires_grad=True) * 1
    x.sqrt_()  # MARK in place
    return (x * 0).sum()


def _through_a_view(t: Any) -> Any:
    x = t.zeros(4, requires_grad=True) * 1
    x[1:3].sqrt_()  # MARK through a view
    return (x * 0).sum()


def _function(t: Any) -> Any:
    spoil = custom(t, lambda ctx, x: x * 1, lambda ctx, g: g * float("nan"))
    return spoil.apply(t.ones(2, requires_grad=True)).sum()  # MARK in a Function


def _division(t: Any) -> Any:
    x = t.zeros(3, requires_grad=True)
    y = x / x  # MARK of a division
    return t.where(t.isnan(y), t.zeros(3), y * 0).sum() + (y * 0).sum()


PROGRAMS: dict[str, tuple[str, str, Callable[[Any], Any]]] = {
    "module": ("SqrtBackward0", "MARK in a module", lambda t: Root.make(t)(t.ones(2, 3)).sum()),
    "in place": ("SqrtBackward0", "MARK in place", _in_place),
    "view": ("CopySlices", "MARK through a view", _through_a_view),
    "Function": ("FBackward", "MARK in a Function", _function),
    "division": ("DivBackward0", "MARK of a division", _division),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_anomaly_detection_names_the_forward_line(name: str) -> None:
    """Both libraries refuse, with the same node; ours shows the line in the error, PyTorch's in a warning."""
    node, mark, program = PROGRAMS[name]
    found = []
    for t in (torch, minitorch_cifar):
        with warnings.catch_warnings(record=True) as caught, t.autograd.set_detect_anomaly(True):
            warnings.simplefilter("always")
            loss = program(t)
            with pytest.raises(RuntimeError, match=rf"{node}' returned nan values") as error:
                loss.backward()
        told = str(error.value) + "".join(str(w.message) for w in caught)
        assert told.count(mark) >= 1, f"{t.__name__}: {told}"
        found.append(re.search(r"(\w+)' returned nan values in its (\d)th", str(error.value)))
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].groups() == found[1].groups()
    assert mark in str(error.value)
