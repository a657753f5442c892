"""The choice of kernels: switching, restoring, life without Numba, and the notice of a compilation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import minitorch_cifar
from minitorch_cifar import backends
from minitorch_cifar.kernels import BACKENDS, active, load


def in_a_new_process(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(minitorch_cifar.__file__).parent.parent,
    )


def test_numba_is_the_default_and_not_imported_before_a_kernel_runs() -> None:
    program = (
        "import sys; import minitorch_cifar as torch;"
        "print(torch.backends.current(), 'numba' in sys.modules);"
        "torch.nn.functional.relu(torch.ones(2)); print(torch.backends.current(), 'numba' in sys.modules)"
    )
    assert in_a_new_process(program).stdout.split() == ["numba", "False", "numba", "True"]


def test_use_switches_at_once_and_restores_at_the_end_of_the_block() -> None:
    before = backends.current()
    with backends.use("numpy"):
        assert backends.current() == "numpy"
        assert active.conv2d_forward.__module__.endswith("numpy_kernels.conv")
        with backends.use("numba"):
            assert backends.current() == "numba"
            assert active.conv2d_forward.__module__.endswith("numba_kernels.conv")
        assert backends.current() == "numpy"
        assert active.conv2d_forward.__module__.endswith("numpy_kernels.conv")
    assert backends.current() == before


def test_use_restores_after_an_exception() -> None:
    before = backends.current()
    with pytest.raises(KeyError), backends.use("numpy"):
        raise KeyError
    assert backends.current() == before


def test_use_as_a_plain_call_lasts() -> None:
    program = (
        "import sys; import minitorch_cifar as torch; torch.backends.use('numpy');"
        "torch.nn.functional.relu(torch.ones(2)); print(torch.backends.current(), 'numba' in sys.modules)"
    )
    assert in_a_new_process(program).stdout.split() == ["numpy", "False"]


def test_an_unknown_backend_is_refused() -> None:
    before = backends.current()
    with pytest.raises(ValueError, match=r"'cuda': expected one of 'numpy', 'numba', 'deterministic'"):
        backends.use("cuda")
    assert backends.current() == before


def test_all_backends_have_the_same_kernels_with_the_same_parameters() -> None:
    import inspect

    read, *others = (load(backend) for backend in BACKENDS)
    assert len(read) > 50
    for other in others:
        assert set(read) == set(other)
        for name in read:
            # A decorated loop hides its parameters behind *arguments; `inspect` looks through the decorators.
            assert list(inspect.signature(read[name]).parameters) == list(
                inspect.signature(other[name]).parameters
            )


def test_an_unknown_kernel_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no kernel named 'conv3d_forward'"):
        _ = active.conv3d_forward


WITHOUT_NUMBA = """
import sys, warnings
sys.modules["numba"] = None  # makes `import numba` fail
import minitorch_cifar as torch
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print(torch.nn.functional.relu(torch.tensor([-1.0, 2.0])), torch.backends.current())
print([(w.category.__name__, str(w.message)) for w in caught if "Numba" in str(w.message)])
try:
    torch.backends.use("numba")
except ImportError as error:
    print("ImportError:", error)
"""


def test_without_numba_the_numpy_kernels_compute_and_a_warning_says_so() -> None:
    values, warning, error = in_a_new_process(WITHOUT_NUMBA).stdout.splitlines()
    assert values == "tensor([0., 2.]) numpy"
    assert warning.startswith("[('RuntimeWarning', 'Numba cannot be used here")
    assert error.startswith("ImportError: the numba backend cannot be used here")


def test_with_compilation_switched_off_the_numpy_kernels_compute() -> None:
    program = (
        "import minitorch_cifar as torch;"
        "print(torch.nn.functional.relu(torch.ones(2)), torch.backends.current())"
    )
    result = in_a_new_process(program, NUMBA_DISABLE_JIT="1")
    assert result.stdout.strip() == "tensor([1., 1.]) numpy"
    assert "NUMBA_DISABLE_JIT" in result.stderr


def test_the_notice_comes_once_when_kernels_are_compiled_and_not_when_they_are_loaded(tmp_path: Path) -> None:
    program = (
        "import minitorch_cifar as torch; x = torch.ones(2, requires_grad=True);"
        "torch.nn.functional.relu(x).sum().backward(); print(x.grad)"
    )
    first, second = (in_a_new_process(program, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2))
    assert first.stdout == second.stdout == "tensor([1., 1.])\n"
    assert first.stderr.splitlines() == [
        "minitorch_cifar: compiling kernels for this machine (once for each; kept for later runs) ..."
    ]
    assert second.stderr == ""


def test_a_program_that_compiles_its_own_functions_sees_no_notice() -> None:
    program = (
        "import minitorch_cifar as torch; torch.nn.functional.relu(torch.ones(2));"
        "import sys; from numba import njit; print(file=sys.stderr); print(njit(lambda x: x + 1)(1))"
    )
    result = in_a_new_process(program)
    assert result.stdout == "2\n"
    assert result.stderr.splitlines()[-1] == ""


def test_kernels_compiled_for_another_cpu_agree(tmp_path: Path) -> None:
    """Vectors and tiles are smaller there; sums come out in another order, hence the tolerance."""
    file = tmp_path / "results.npz"
    program = (
        "import numpy as np; import minitorch_cifar as torch;"
        "rng = np.random.default_rng(0);"
        "x, w, b = (torch.from_numpy(rng.normal(size=s).astype('float32')).requires_grad_()"
        "           for s in ((3, 5, 9, 20), (11, 5, 3, 3), (11,)));"
        "y = torch.nn.functional.conv2d(x, w, b, padding=1); (y * y.detach().sin()).sum().backward();"
        f"np.savez({str(file)!r}, *(t.detach().numpy() for t in (y, x.grad, w.grad, b.grad)))"
    )
    in_a_new_process(program, NUMBA_CPU_NAME="generic", NUMBA_CACHE_DIR=str(tmp_path))
    generator = np.random.default_rng(0)
    x, w, b = (
        torch.from_numpy(generator.normal(size=s).astype("float32")).requires_grad_()
        for s in ((3, 5, 9, 20), (11, 5, 3, 3), (11,))
    )
    y = torch.nn.functional.conv2d(x, w, b, padding=1)
    (y * y.detach().sin()).sum().backward()
    with np.load(file) as results:
        for name, expected in zip(sorted(results), (y, x.grad, w.grad, b.grad), strict=True):
            assert expected is not None
            np.testing.assert_allclose(results[name], expected.detach().numpy(), rtol=1e-4, atol=1e-4)


def test_flags_that_programs_set() -> None:
    ours, theirs = minitorch_cifar.backends, torch.backends
    for flag in ("enabled", "benchmark", "deterministic", "benchmark_limit"):
        assert getattr(ours.cudnn, flag) == getattr(theirs.cudnn, flag)
    assert ours.cudnn.allow_tf32 is True  # PyTorch's default; the reference's tests may have changed theirs
    before = ours.cudnn.benchmark
    ours.cudnn.benchmark = True
    assert ours.cudnn.benchmark
    ours.cudnn.benchmark = before
    assert ours.cudnn.is_available() is False
    assert ours.cudnn.version() is None
    assert ours.mps.is_available() is False
    assert ours.mps.is_built() is False
