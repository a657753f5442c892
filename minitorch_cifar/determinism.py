"""`use_deterministic_algorithms`: results that are the same bits on every CPU.

On one machine the same program gives the same bits anyhow, with any number of threads. On another CPU the
fast kernels round a little differently: its vectors hold more or fewer numbers, so sums are split otherwise,
and a product and a sum may be rounded together. The deterministic kernels exclude that, and are slower.

What is covered: the layers, activations, losses and optimizers of `nn`, `nn.functional` and `optim`, and
products of matrices. Not covered: the last bit of functions that NumPy computes element by element
(`torch.exp`, `log`, `sin`, `pow`, ...), and so of `randn` and its like, which are made with them.
"""

from __future__ import annotations

from . import backends

__all__ = [
    "are_deterministic_algorithms_enabled",
    "get_deterministic_debug_mode",
    "is_deterministic_algorithms_warn_only_enabled",
    "use_deterministic_algorithms",
]

_BACKEND = "deterministic"
_warn_only = False
_before = "numba"  # what computed before the deterministic kernels were chosen


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Compute with the kernels that give the same bits on every CPU (True), or with those of before (False).

    No operation refuses, so that nothing is left to warn about: `warn_only` is only remembered. TypeError
    unless both are bools; ImportError where Numba cannot be used.

    >>> import minitorch_cifar as torch
    >>> torch.use_deterministic_algorithms(True)
    >>> torch.are_deterministic_algorithms_enabled(), torch.backends.current()
    (True, 'deterministic')
    >>> torch.use_deterministic_algorithms(False)
    """
    global _before, _warn_only
    for name, value in (("mode", mode), ("warn_only", warn_only)):
        if not isinstance(value, bool):
            raise TypeError(
                f"use_deterministic_algorithms(): argument '{name}' must be bool, not {type(value).__name__}"
            )
    if mode and not are_deterministic_algorithms_enabled():
        _before = backends.current()
        backends.use(_BACKEND)
    elif not mode and are_deterministic_algorithms_enabled():
        backends.use(_before)
    _warn_only = mode and warn_only


def are_deterministic_algorithms_enabled() -> bool:
    """Whether the deterministic kernels compute."""
    return backends.current() == _BACKEND


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether `warn_only` was asked for."""
    return _warn_only and are_deterministic_algorithms_enabled()


def get_deterministic_debug_mode() -> int:
    """0 for any kernels, 1 for deterministic ones with `warn_only`, 2 for deterministic ones."""
    if not are_deterministic_algorithms_enabled():
        return 0
    return 1 if is_deterministic_algorithms_warn_only_enabled() else 2
