"""Small programs about the graph, each run in the engine and in PyTorch: views, in-place changes, hooks,
`Function`, and wrong use. Each returns what is to be compared; where PyTorch raises, so must the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .both import assert_same

PROGRAMS: list[Callable[[Any], Any]] = []


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Adds a program to those that are run in both libraries."""
    PROGRAMS.append(function)
    return function


@pytest.mark.parametrize("function", PROGRAMS, ids=lambda function: function.__name__)
def test_program(function: Callable[[Any], Any]) -> None:
    assert_same(function)


def ramp(t: Any, n: int = 4) -> Any:
    """A leaf with distinct values."""
    return t.linspace(0.5, 2.0, n, dtype=t.float64).requires_grad_()


def custom(t: Any, forward: Callable[..., Any], backward: Callable[..., Any]) -> Any:
    """A `Function` class of two plain functions."""
    members = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type("F", (t.autograd.Function,), members)


# The walk -----------------------------------------------------------------------------------------------


@program
def diamond(t):
    x = ramp(t)
    y = x * 2
    (y + y.exp()).backward(t.arange(4.0, dtype=t.float64))
    return x.grad


@program
def accumulates_over_two_backwards(t):
    x = ramp(t)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    first = x.grad
    y.backward()
    return x.grad, first is x.grad


INDEX_READERS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "x[index]": lambda t, x, index: x[index],
    "x[:, index]": lambda t, x, index: x.view(2, 2)[:, index[:2] % 2],
    "gather": lambda t, x, index: x.gather(0, index),
    "index_select": lambda t, x, index: x.index_select(0, index),
    "take": lambda t, x, index: x.take(index),
    "scatter": lambda t, x, index: t.zeros(4, dtype=t.float64).scatter(0, index, x),
    "scatter_add": lambda t, x, index: x.exp().scatter_add(0, index, x),
    "index_add": lambda t, x, index: x.exp().index_add(0, index, x),
    "x[index] = y": lambda t, x, index: _written(x.exp(), index, x),
    "nll_loss": lambda t, x, index: t.nn.functional.nll_loss(x.view(2, 2), index[:2] // 2, reduction="none"),
    "cross_entropy": lambda t, x, index: t.nn.functional.cross_entropy(x.view(1, 4), index[:1]).view(1),
}

# Programs with a condition, a mask or weights that their backward needs.
MASK_READERS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "where": lambda t, x, mask: t.where(mask, x, x * 2),
    "masked_fill": lambda t, x, mask: x.masked_fill(mask, 0.0),
    "masked_select": lambda t, x, mask: x.masked_select(mask),
    "x[mask]": lambda t, x, mask: x[mask],
    "x[mask] = y": lambda t, x, mask: _written(x.exp(), mask, x[:2]),
}
WEIGHT_READERS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "binary_cross_entropy": lambda t, x, w: t.nn.functional.binary_cross_entropy(
        x / 4, x.detach() / 5, w, reduction="none"
    ),
    "binary_cross_entropy_with_logits": lambda t, x, w: t.nn.functional.binary_cross_entropy_with_logits(
        x, x.detach() / 5, w, reduction="none"
    ),
    "pos_weight": lambda t, x, w: t.nn.functional.binary_cross_entropy_with_logits(
        x, x.detach() / 5, pos_weight=w, reduction="none"
    ),
}


def _written(x: Any, index: Any, values: Any) -> Any:
    x[index] = values
    return x


READERS = INDEX_READERS | MASK_READERS | WEIGHT_READERS


def _read(t: Any, name: str) -> tuple[Any, Any, Any]:
    """The leaf, the index, mask or weights, and what the program makes of them."""
    x = ramp(t)
    if name in INDEX_READERS:
        by = t.tensor([2, 0, 3, 1])
    elif name in MASK_READERS:
        by = t.tensor([True, False, True, False])
    else:
        by = t.tensor([0.5, 2.0, 3.0, 4.0], dtype=t.float64)
    return x, by, READERS[name](t, x, by)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("is_changed", [False, True], ids=["kept", "changed"])
def test_index_changed_between_forward_and_backward(name: str, is_changed: bool) -> None:
    """A change is an error, or the value was copied: never the gradient of other places."""

    def run(t: Any) -> Any:
        x, by, y = _read(t, name)
        if is_changed:
            by.zero_()
        (y * t.arange(1.0, 1 + len(y), dtype=t.float64).view(-1, *[1] * (y.dim() - 1))).sum().backward()
        return [round(value, 12) for value in x.grad.tolist()]

    assert_same(run)


@pytest.mark.parametrize("name", READERS)
def test_second_backward_through_an_index(name: str) -> None:
    def run(t: Any) -> Any:
        x, _, y = _read(t, name)
        total = y.sum()
        total.backward()
        total.backward()
        return [round(value, 12) for value in x.grad.tolist()]

    assert_same(run)


@program
def second_backward(t):
    y = ramp(t).exp().sum()
    y.backward()
    y.backward()


@program
def second_backward_where_nothing_was_saved(t):
    x = ramp(t)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    return x.grad


@program
def gradients_for_some_inputs(t):
    x, w = ramp(t), ramp(t)
    y = x.exp()
    (y * w).sum().backward(inputs=[y, x])
    return y.grad, x.grad, w.grad, y.retains_grad


@program
def grad_of_inner_and_leaf(t):
    x = ramp(t)
    y = x * 3
    return t.autograd.grad((y * y).sum(), [y, x])


@program
def grad_of_unused(t):
    return t.autograd.grad(ramp(t).sum(), ramp(t))


@program
def grad_of_unused_materialized(t):
    x = ramp(t)
    return t.autograd.grad(x.sum(), [x, ramp(t)], materialize_grads=True)


@program
def gradient_of_a_wrong_shape(t):
    (ramp(t) * 2).backward(t.ones(2, dtype=t.float64))


@program
def backward_of_several_numbers(t):
    (ramp(t) * 2).backward()


@program
def backward_without_a_graph(t):
    t.ones(()).backward()


@program
def gradient_is_laid_out_like_the_leaf(t):
    x = t.ones(2, 3, requires_grad=True)
    x.t().exp().sum().backward()
    return list(x.grad.stride())


# In place, and views ------------------------------------------------------------------------------------


@program
def write_to_leaf(t):
    ramp(t).mul_(2)


@program
def write_to_view_of_leaf(t):
    ramp(t)[1:].mul_(2)


@program
def write_to_leaf_unrecorded(t):
    x = ramp(t)
    with t.no_grad():
        x.sub_(x * 0.5)
    return x, x._version, x.is_leaf


@program
def write_through_view_then_read_base_and_other_view(t):
    x = ramp(t)
    base = x * 1
    one, other = base[:2], base.view(2, 2)
    one.mul_(x[2:])
    (other.exp().sum() + base.sum()).backward()
    return x.grad, base, other, one.requires_grad


@program
def write_to_view_of_view(t):
    x, w = ramp(t), ramp(t, 2)
    base = t.zeros(2, 2, dtype=t.float64)
    base.t()[0].copy_(w)
    (base * x.view(2, 2)).sum().backward()
    return base, w.grad, x.grad


@program
def assignment_of_a_tensor_that_needs_grad(t):
    x = ramp(t)
    y = t.ones(4, dtype=t.float64)
    y[1:3] = x[:2] * 3
    y[t.tensor([0])] = x[3]
    (y * y).sum().backward()
    return x.grad, y


@program
def saved_output_changed(t):
    y = ramp(t).exp()
    y.add_(1)
    y.sum().backward()


@program
def saved_input_changed_through_view(t):
    x = ramp(t) * 1
    y = x.pow(2)
    x[0].zero_()
    y.sum().backward()


@program
def saved_input_changed_through_detach(t):
    x = ramp(t) * 1
    y = x.pow(2)
    x.detach().add_(1)
    y.sum().backward()


@program
def data_is_not_guarded(t):
    x = ramp(t) * 1
    x.data.add_(1)
    return x._version


@program
def multiplied_by_itself_in_place(t):
    x = ramp(t) * 1
    x.mul_(x)
    x.sum().backward()


@program
def multiplied_in_place_keeps_the_old_value(t):
    x, w = ramp(t), ramp(t)
    y = x * 1
    y.mul_(w)
    y.sum().backward()
    return x.grad, w.grad


@program
def write_to_one_of_several_views(t):
    (ramp(t) * 1).unbind()[0].add_(1)


@program
def write_to_unrecorded_view(t):
    x = ramp(t) * 1
    with t.no_grad():
        y = x.view(2, 2)
    y.add_(1)


@program
def base_of_unrecorded_view_changed(t):
    x = ramp(t) * 1
    with t.no_grad():
        y = x.view(2, 2)
    x.add_(1)
    return y.requires_grad, (y * 1).requires_grad


@program
def unrecorded_view_leads_nowhere(t):
    x = ramp(t)
    with t.no_grad():
        y = x.view(2, 2)
    z = y * 2
    z.sum().backward()
    return y.requires_grad, y.is_leaf, z.requires_grad, x.grad


@program
def write_to_expanded(t):
    t.ones(1).expand(3).add_(1)


@program
def write_to_what_is_read(t):
    x = t.arange(4.0)
    x[1:].add_(x[:-1])


# Hooks --------------------------------------------------------------------------------------------------


@program
def order_of_hooks(t):
    x = ramp(t)
    y = x * 2
    calls = []
    y.register_hook(lambda grad: grad * 3)
    y.register_hook(lambda grad: calls.append(("y", plain_sum(grad))))
    y.retain_grad()
    y.grad_fn.register_prehook(lambda grads: calls.append(("pre", plain_sum(grads[0]))))
    y.grad_fn.register_hook(lambda inputs, outputs: calls.append(("post", plain_sum(inputs[0]))))
    x.register_hook(lambda grad: calls.append(("x", plain_sum(grad))))
    x.register_post_accumulate_grad_hook(lambda leaf: calls.append(("leaf", plain_sum(leaf.grad))))
    y.sum().backward()
    return calls, y.grad, x.grad


@program
def step_in_a_hook(t):
    """The hook returns the leaf, as `p.add_(...)` in a lambda does."""
    x = ramp(t)
    x.register_post_accumulate_grad_hook(lambda p: p.add_(p.grad, alpha=-0.1))
    (x * x).sum().backward()
    return x.detach(), x.grad


def plain_sum(grad: Any) -> float:
    """The sum of a gradient, as a number."""
    return float(grad.sum())


@program
def removed_hook(t):
    x = ramp(t)
    handle = x.register_hook(lambda grad: grad * 5)
    x.sum().backward()
    handle.remove()
    x.sum().backward()
    return x.grad


@program
def what_a_hook_kept_does_not_change(t):
    x = ramp(t)
    kept = []
    x.register_hook(kept.append)
    for _ in range(2):
        (x * 2).sum().backward()
    return kept, x.grad


@program
def retained_gradient_follows_in_place_changes(t):
    x = ramp(t)
    y = x * 2
    view = y.view(2, 2)
    y.retain_grad()
    view.retain_grad()
    view.mul_(3)
    (y.sum() + view.sum()).backward()
    return y.grad, view.grad


@program
def hook_changes_the_size(t):
    x = ramp(t)
    x.register_hook(lambda grad: grad[:1])
    x.sum().backward()


# Function -----------------------------------------------------------------------------------------------


@program
def custom_function_with_a_number(t):
    scaled = custom(t, lambda ctx, x, k: x * k, lambda ctx, grad: (grad * 5, None))
    x = ramp(t)
    y = scaled.apply(x, 2)
    y.sum().backward()
    return x.grad, type(y.grad_fn).__name__, list(y.grad_fn.needs_input_grad)


@pytest.mark.parametrize(
    "returned",
    [lambda g: (g, g), lambda g: (), lambda g: 3.0, lambda g: g[:2], lambda g: [g], lambda g: None],
    ids=["too many", "none", "number", "wrong shape", "list", "None"],
)
def test_what_backward_may_return(returned: Callable[[Any], Any]) -> None:
    def program(t: Any) -> Any:
        x = ramp(t)
        custom(t, lambda ctx, x: x * 1, lambda ctx, grad: returned(grad)).apply(x).sum().backward()
        return x.grad

    assert_same(program)


@program
def custom_in_place(t):
    def double(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2)

    x = ramp(t)
    y = x * 1
    z = custom(t, double, lambda ctx, grad: grad * 2).apply(y)
    view = y[:2]
    custom(t, double, lambda ctx, grad: grad * 7).apply(view)
    y.sum().backward()
    return x.grad, y, z is y


@program
def custom_returns_its_input(t):
    x = ramp(t)
    y = custom(t, lambda ctx, x: x, lambda ctx, grad: grad * 3).apply(x)
    y.sum().backward()
    return x.grad, y is x, y._is_view()


@program
def custom_view_cannot_be_rewritten(t):
    custom(t, lambda ctx, x: x.view(2, 2), lambda ctx, g: g.view(4)).apply(ramp(t) * 1).add_(1)


@program
def custom_saved_tensor_changed(t):
    def keep(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    x = ramp(t) * 1
    y = custom(t, keep, lambda ctx, grad: grad * 2 * ctx.saved_tensors[0]).apply(x)
    x.add_(1)
    y.sum().backward()


@program
def another_view_of_the_saved_memory_changes(t):
    w = ramp(t)
    view = w.data[:]  # counts its changes apart from those of w
    product = (w * view).sum()
    view.zero_()
    product.backward()


@program
def what_only_shares_memory_with_the_saved_changes(t):
    w = ramp(t)
    product = (w * w.data[:]).sum() + (w * 2).sum()
    with t.no_grad():
        w.add_(1)
    product.backward()
    return w.grad


@program
def the_gradient_of_a_number_can_be_written_to(t):
    a = t.tensor(1.0, requires_grad=True)
    b = t.tensor(2.0, requires_grad=True)
    s, m = a.sum(), b.mean()
    (s + s * 2).backward()
    (m * m + m).backward()
    for number in (a, b):
        number.grad.mul_(2)
        number.sum().backward()
    return [a.grad, b.grad]


@program
def weights_of_classes_that_add_up_to_nothing(t):
    x = t.arange(6.0).view(2, 3).requires_grad_()
    losses = []
    for weight in ([1.0, -1.0, 0.0], [0.0, 0.0, 0.0]):
        loss = t.nn.functional.nll_loss(x * 1, t.tensor([0, 1]), weight=t.tensor(weight))
        loss.backward()
        losses += [str(loss.item()), str(x.grad.tolist())]  # NaN is like no other NaN
    return losses


@program
def no_gradient_still_reaches_what_is_behind(t):
    square = custom(t, lambda ctx, x: x * x, lambda ctx, grad: grad + 1)
    stop = custom(t, lambda ctx, x: x * 1, lambda ctx, grad: None)
    x = ramp(t)
    stop.apply(square.apply(x)).sum().backward()
    return x.grad


# Shapes changed in place -----------------------------------------------------------------------------------

RESHAPES: dict[str, Callable[[Any], Any]] = {
    "unsqueeze_": lambda y: y.unsqueeze_(0),
    "unsqueeze_ and squeeze_": lambda y: y.unsqueeze_(0).squeeze_(),
    "t_": lambda y: y.unsqueeze_(1).t_(),
    "transpose_": lambda y: y.unsqueeze_(1).transpose_(0, 1),
}


@pytest.mark.parametrize("name", RESHAPES)
@pytest.mark.parametrize("is_recorded", [False, True])
@pytest.mark.parametrize("is_written", [False, True])
def test_view_reshaped_in_place_stays_a_view(name: str, is_recorded: bool, is_written: bool) -> None:
    def run(t: Any) -> Any:
        leaf = t.arange(6.0).view(2, 3).clone().requires_grad_(is_recorded)
        base = leaf * 1
        view = base[0]
        other = base[:, 1]
        RESHAPES[name](view)
        found = [tuple(view.shape), view._base is base, view._version]
        if is_recorded:
            found.append(view.grad_fn.name())
        if is_written:
            view.mul_(2)
        found += [base, other, view]
        if is_recorded:
            ((base * t.arange(6.0).view(2, 3)).sum() + (view * view).sum()).backward()
            found.append(leaf.grad)
        return found

    assert_same(run)


# Nodes -----------------------------------------------------------------------------------------------------

NODES: dict[str, Callable[[Any, Any], Any]] = {
    "*": lambda t, x: x * 2,
    "a power of a number": lambda t, x: x**2,
    "a power of a tensor": lambda t, x: x**x,
    "sum of all": lambda t, x: x.sum(),
    "sum along": lambda t, x: x.sum(1),
    "view": lambda t, x: x.view(6),
    "reshape": lambda t, x: x.reshape(6),
    "subscript": lambda t, x: x[0],
    "max along": lambda t, x: x.max(1).values,
    "linear": lambda t, x: t.nn.functional.linear(x, t.ones(2, 3), t.ones(2)),
    "loss": lambda t, x: t.nn.functional.mse_loss(x, t.ones(2, 3)),
    "in place": lambda t, x: (x * 1).add_(1),
}


@pytest.mark.parametrize("name", NODES)
def test_the_class_of_a_node_has_pytorch_s_name(name: str) -> None:
    """Learners print `type(y.grad_fn).__name__`; some operations have a name for each form of a call."""

    def run(t: Any) -> Any:
        node = NODES[name](t, t.ones(2, 3, requires_grad=True)).grad_fn
        return type(node).__name__, node.name(), [type(before).__name__ for before, _ in node.next_functions]

    assert_same(run)
