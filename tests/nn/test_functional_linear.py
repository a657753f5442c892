"""`linear` against PyTorch: values, gradients and graph for all forms of input, and its errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minitorch_cifar

from ..kernels.comparing import DTYPES, numbers
from .both import assert_same_error
from .functional_comparison import LAYOUTS, compare


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    leading=st.sampled_from([(), (1,), (4,), (0,), (2, 3), (2, 0, 4), (2, 2, 3)]),
    features=st.integers(1, 5),
    outputs=st.integers(1, 5),
    bias=st.sampled_from([None, "vector", "one", "number", "matrix"]),
    dtype=st.sampled_from(DTYPES),
    layout=st.sampled_from(LAYOUTS),
    data=st.data(),
)
def test_matches_torch(backend: str, leading, features, outputs, bias, dtype, layout, data) -> None:
    x = data.draw(numbers((*leading, features), special=False))
    weight = data.draw(numbers((outputs, features), special=False))
    shapes = {"vector": (outputs,), "one": (1,), "number": (), "matrix": (1, outputs)}
    inputs = [x, weight] + ([] if bias is None else [data.draw(numbers(shapes[bias], special=False))])
    # For inputs of 1 and of 3 dimensions, PyTorch takes other nodes to the same place.
    plain = len(leading) == 1 and bias in (None, "vector") and layout == "contiguous"
    compare(
        lambda lib, *tensors: lib.nn.functional.linear(*tensors),
        *map(np.asarray, inputs),
        dtype=dtype,
        layout=layout,
        scale=10.0 * max(1, x.size) * max(1.0, np.abs(weight).max()),
        check_graph=plain,
    )


def test_weight_of_one_dimension(backend: str) -> None:
    rng = np.random.default_rng(0)
    for shape in ((3,), (4, 3), (2, 4, 3)):
        x, weight = rng.normal(size=shape), rng.normal(size=3)
        compare(lambda lib, x, w: lib.nn.functional.linear(x, w), x, weight, scale=10, check_graph=False)


def test_gradcheck(backend: str) -> None:
    rng = np.random.default_rng(1)
    inputs = tuple(
        minitorch_cifar.from_numpy(rng.normal(size=shape)).requires_grad_()
        for shape in ((2, 3, 4), (5, 4), (5,))
    )
    assert minitorch_cifar.autograd.gradcheck(minitorch_cifar.nn.functional.linear, inputs, eps=1.0)


def test_gradients_own_their_memory() -> None:
    """An optimiser that changes a gradient in place must change nothing else."""
    x, weight, bias = (minitorch_cifar.ones(*shape, requires_grad=True) for shape in ((2, 3), (4, 3), (4,)))
    upstream = minitorch_cifar.ones(2, 4)
    minitorch_cifar.nn.functional.linear(x, weight, bias).backward(upstream)
    arrays = [t.numpy() for t in (x.grad, weight.grad, bias.grad, upstream)]
    for i, a in enumerate(arrays):
        for b in arrays[:i]:
            assert not np.shares_memory(a, b)


def linear(library, *arguments):
    return library.nn.functional.linear(*arguments)


ERRORS = {
    "features": lambda m: linear(m, m.ones(4, 2), m.ones(5, 3), m.ones(5)),
    "features without bias": lambda m: linear(m, m.ones(4, 2), m.ones(5, 3)),
    "features of one row": lambda m: linear(m, m.ones(2), m.ones(5, 3), m.ones(5)),
    "features of three dimensions": lambda m: linear(m, m.ones(2, 4, 2), m.ones(5, 3), m.ones(5)),
    "bias": lambda m: linear(m, m.ones(4, 3), m.ones(5, 3), m.ones(4)),
    "bias of three dimensions": lambda m: linear(m, m.ones(2, 4, 3), m.ones(5, 3), m.ones(4)),
    "dtypes": lambda m: linear(m, m.ones(4, 3, dtype=m.float64), m.ones(5, 3), m.ones(5)),
    "dtypes without bias": lambda m: linear(m, m.ones(4, 3, dtype=m.float64), m.ones(5, 3)),
    "dtype of the bias": lambda m: linear(m, m.ones(4, 3), m.ones(5, 3), m.ones(5, dtype=m.float64)),
    "integers": lambda m: linear(m, m.ones(4, 3, dtype=m.int64), m.ones(5, 3), m.ones(5)),
    "a number": lambda m: linear(m, m.tensor(1.0), m.ones(5, 3)),
    "a number as weight": lambda m: linear(m, m.ones(4, 3), m.tensor(1.0)),
    "weight of three dimensions": lambda m: linear(m, m.ones(4, 3), m.ones(2, 5, 3)),
    "weight of one dimension with bias": lambda m: linear(m, m.ones(4, 3), m.ones(3), m.tensor(1.0)),
}


@pytest.mark.parametrize("mistake", ERRORS)
def test_errors_are_pytorchs(mistake: str) -> None:
    assert_same_error(ERRORS[mistake])


@pytest.mark.parametrize("arguments", [([1.0], None, None), (None, [1.0], None), (None, None, [1.0])])
def test_what_is_no_tensor(arguments) -> None:
    defaults = (minitorch_cifar.ones(2, 3), minitorch_cifar.ones(4, 3), minitorch_cifar.ones(4))
    given_arguments = [default if a is None else a for a, default in zip(arguments, defaults, strict=True)]
    with pytest.raises(TypeError, match="must be Tensor, not list"):
        minitorch_cifar.nn.functional.linear(*given_arguments)
