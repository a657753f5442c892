"""Whether operations record a graph: `no_grad`, `enable_grad`, `set_grad_enabled`.

The switch is one flag per thread, so that one thread may evaluate while another trains. Each of the three
works as a context manager and as a decorator.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


class _GradMode(threading.local):
    enabled = True
    inference = False
    anomaly = False


state = _GradMode()


def is_grad_enabled() -> bool:
    """True when operations of this thread record a graph."""
    return state.enabled


def is_inference_mode_enabled() -> bool:
    """True inside `inference_mode`."""
    return state.inference


class _GradSwitch:
    """A context manager and decorator that sets the flag and puts the old value back."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self.previous: list[bool] = []

    def __enter__(self) -> None:
        self.previous.append(state.enabled)
        state.enabled = self.mode

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        state.enabled = self.previous.pop()

    def clone(self) -> _GradSwitch:
        return _GradSwitch(self.mode)

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):
            return cast(F, self._wrap_generator(function))

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return function(*args, **kwargs)

        return cast(F, wrapper)

    def _wrap_generator(self, function: Callable[..., Generator[Any, Any, Any]]) -> Callable[..., Any]:
        # The flag holds while the generator's own body runs, not while its consumer does.
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            generator = function(*args, **kwargs)
            try:
                with self.clone():
                    value = next(generator)
                while True:
                    try:
                        received = yield value
                    except GeneratorExit:
                        with self.clone():
                            generator.close()
                        raise
                    except BaseException as error:
                        with self.clone():
                            value = generator.throw(error)
                    else:
                        with self.clone():
                            value = generator.send(received)
            except StopIteration as stop:
                return stop.value

        return wrapper


class no_grad(_GradSwitch):  # noqa: N801 - PyTorch's name
    """Record nothing: results have `requires_grad=False`.

    >>> import minitorch_cifar as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad():
    ...     print((x * 2).requires_grad)
    False
    """

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        # `@no_grad` without parentheses decorates directly, as PyTorch allows.
        switch = super().__new__(cls)
        if function is None:
            return switch
        _GradSwitch.__init__(switch, False)
        return switch(function)

    def __init__(self) -> None:
        super().__init__(False)


class enable_grad(_GradSwitch):  # noqa: N801 - PyTorch's name
    """Record a graph, also inside `no_grad`."""

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        switch = super().__new__(cls)
        if function is None:
            return switch
        _GradSwitch.__init__(switch, True)
        return switch(function)

    def __init__(self) -> None:
        super().__init__(True)


class set_grad_enabled(_GradSwitch):  # noqa: N801 - PyTorch's name
    """Record a graph or not, by a boolean; takes effect at once, and is undone at the end of a `with`.

    >>> import minitorch_cifar as torch
    >>> with torch.set_grad_enabled(False):
    ...     print(torch.is_grad_enabled())
    False
    """

    def __init__(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            raise TypeError(f"set_grad_enabled expects a bool for mode, got {type(mode).__name__}")
        super().__init__(mode)
        self._before = state.enabled
        state.enabled = mode

    def __enter__(self) -> None:
        self.previous.append(self._before)
        state.enabled = self.mode

    def __call__(self, function: F) -> F:
        state.enabled = self._before  # used as a decorator, it acts only inside the function
        return super().__call__(function)


class inference_mode(no_grad):  # noqa: N801 - PyTorch's name
    """As `no_grad`; and tensors made inside stay out of every graph, also later.

    Outside they are neither changed in place, nor saved for a backward pass, nor made to require grad.

    >>> import minitorch_cifar as torch
    >>> with torch.inference_mode():
    ...     x = torch.ones(2)
    >>> x.is_inference(), x.clone().is_inference()
    (True, False)
    """

    def __new__(cls, mode: Any = True) -> Any:
        switch = object.__new__(cls)
        if callable(mode):
            _GradSwitch.__init__(switch, False)
            return switch(mode)
        return switch

    def __init__(self, mode: bool = True) -> None:
        if not isinstance(mode, bool):
            raise TypeError(f"inference_mode() takes True, False or a function, not {type(mode).__name__}")
        _GradSwitch.__init__(self, not mode)
        self.previous_modes: list[bool] = []

    def __enter__(self) -> None:
        super().__enter__()
        self.previous_modes.append(state.inference)
        state.inference = not self.mode

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        state.inference = self.previous_modes.pop()
        super().__exit__(kind, error, trace)

    def clone(self) -> _GradSwitch:
        return inference_mode(not self.mode)
