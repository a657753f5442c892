"""`Module`: the base class of layers and networks, seen from what it does.

Calling a module runs its `forward`, between its hooks when it has any (`hooks.py`). The rest goes through the
tree of parameters, buffers and children that `tree.py` builds: saving and loading by name (`state_dict.py`),
training and evaluation mode, conversion, printing. Ready-made layers are in `layers/`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Self, overload

from minitorch_cifar.autograd import RemovableHandle
from minitorch_cifar.device import device as Device
from minitorch_cifar.dtypes import dtype as DType
from minitorch_cifar.nn import hooks as module_hooks
from minitorch_cifar.nn import state_dict as module_state
from minitorch_cifar.nn.hooks import Hook, HookDict
from minitorch_cifar.nn.tree import ModuleTree
from minitorch_cifar.tensor import Tensor

__all__ = ["Module"]

StateHooks = OrderedDict[int, Callable[..., Any]]  # hooks around saving and loading, in calling order


def _indented(text: str) -> str:
    """`text` with all lines but the first indented by two spaces."""
    return text.replace("\n", "\n  ")


class Module(ModuleTree):
    """Base class of all layers and networks: write `__init__` and `forward`, the rest is inherited.

    `__init__` must call `super().__init__()` before it assigns parameters or layers. Calling the module
    (`net(x)`) runs `forward` and the hooks; an exception raised inside says in a note which layer it came
    from.

    >>> import minitorch_cifar as torch
    >>> from minitorch_cifar import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.fc = nn.Linear(4, 2)
    ...     def forward(self, x):
    ...         return self.fc(x).relu()
    >>> net = Net()
    >>> net
    Net(
      (fc): Linear(in_features=4, out_features=2, bias=True)
    )
    >>> net(torch.zeros(3, 4)).shape
    torch.Size([3, 2])
    """

    training: bool
    _version = 1  # format of the state dict; a layer that changes its entries raises it
    _forward_hooks: HookDict
    _forward_pre_hooks: HookDict
    _backward_hooks: HookDict
    _backward_pre_hooks: HookDict
    _state_dict_pre_hooks: StateHooks
    _state_dict_hooks: StateHooks
    _load_state_dict_pre_hooks: StateHooks
    _load_state_dict_post_hooks: StateHooks

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs:
            raise TypeError(
                f"{type(self).__name__}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'"
            )
        if args:
            raise TypeError(
                f"{type(self).__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given"
            )
        super().__init__()
        self.training = True
        self._forward_hooks = OrderedDict()
        self._forward_pre_hooks = OrderedDict()
        self._backward_hooks = OrderedDict()
        self._backward_pre_hooks = OrderedDict()
        self._state_dict_pre_hooks = OrderedDict()
        self._state_dict_hooks = OrderedDict()
        self._load_state_dict_pre_hooks = OrderedDict()
        self._load_state_dict_post_hooks = OrderedDict()

    # ---- calling ----

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes. Every subclass writes its own."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if (
                self._forward_hooks
                or self._forward_pre_hooks
                or self._backward_hooks
                or self._backward_pre_hooks
            ):
                return module_hooks.call_with_hooks(self, args, kwargs)
            return self.forward(*args, **kwargs)
        except Exception as error:
            self._say_which_layer(error)
            raise

    def _say_which_layer(self, error: Exception) -> None:
        """Leaves a note on an exception that passes through: which layer of this module it came from.

        The innermost module is noted first; each one further out replaces the note by one with a longer path.
        """
        failed, note = getattr(error, "_failed_layer", (self, None))
        path = next((name for name, module in self.named_modules() if module is failed), None)
        if path is None:  # a layer that its owner never registered: its own note is the best there is
            return
        what = type(failed).__name__
        if not failed._modules:
            with suppress(Exception):  # of values that cannot be shown; they must not hide `error`
                what = repr(failed)
        new_note = f"in layer {path}: {what}" if path else f"in layer {what}"
        notes = getattr(error, "__notes__", [])
        if note in notes:
            notes.remove(note)
        error.add_note(new_note)
        error._failed_layer = (failed, new_note)  # type: ignore[attr-defined]

    # ---- saving and loading ----

    def state_dict(self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """All parameters and persistent buffers by dotted name, sharing memory with the module.

        Args:
            destination: a dict to add to, instead of a new ordered dict.
            prefix: put before every name.
            keep_vars: give the parameters themselves instead of detached tensors.
        """
        return module_state.save(self, destination, prefix, keep_vars)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> module_state.IncompatibleKeys:
        """Copies the values of `state_dict` into this module's tensors.

        Args:
            state_dict: names and tensors, as `state_dict()` gives them.
            strict: missing and unexpected names are an error; otherwise they are only returned.
            assign: put the given tensors into the module instead of copying their values.

        Raises:
            RuntimeError: names every missing and unexpected key and every shape that differs.

        >>> from minitorch_cifar import nn
        >>> layer = nn.Linear(2, 3)
        >>> layer.load_state_dict(nn.Linear(2, 3).state_dict())
        <All keys matched successfully>
        """
        return module_state.load(self, state_dict, strict, assign)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """The part of `state_dict` that concerns this module alone; layers may extend it."""
        module_state.save_one(self, destination, prefix, keep_vars)

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: Mapping[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """The part of `load_state_dict` that concerns this module alone; layers may extend it."""
        module_state.load_one(
            self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )

    def get_extra_state(self) -> Any:
        """What else than tensors belongs into the state dict, for `set_extra_state`; subclasses define both.

        It stands under the name `_extra_state`, and should be something that `torch.save` can write.
        """
        raise RuntimeError(f"{type(self).__name__} defines no get_extra_state(): it has no extra state")

    def set_extra_state(self, state: Any) -> None:
        """Takes over what `get_extra_state` returned; `load_state_dict` calls it where a class defines it."""
        raise RuntimeError(f"{type(self).__name__} defines no set_extra_state(): it has no extra state")

    def register_state_dict_pre_hook(self, hook: Callable[[Module, str, bool], None]) -> RemovableHandle:
        """`hook(module, prefix, keep_vars)` runs before `state_dict` collects this module's tensors."""
        return module_hooks.add(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(
        self, hook: Callable[[Module, Any, str, dict[str, Any]], None]
    ) -> RemovableHandle:
        """`hook(module, state_dict, prefix, local_metadata)` may change what `state_dict` has collected."""
        return module_hooks.add(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """`hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys,
        error_msgs)` may change a state dict's entries before they are loaded.
        """
        return module_hooks.add(self._load_state_dict_pre_hooks, hook)

    def register_load_state_dict_post_hook(
        self, hook: Callable[[Module, module_state.IncompatibleKeys], None]
    ) -> RemovableHandle:
        """`hook(module, incompatible_keys)` may change the lists of misfits after loading."""
        return module_hooks.add(self._load_state_dict_post_hooks, hook)

    # ---- switches that go through the whole tree ----

    def train(self, mode: bool = True) -> Self:
        """Training mode: dropout drops, batch norm uses the batch's statistics. `eval()` is the opposite."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Evaluation mode: the opposite of `train()`."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freezes (False) or thaws all parameters."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drops the gradients of all parameters, or fills them with zeros when not `set_to_none`."""
        for parameter in self.parameters():
            if parameter.grad is not None:
                if set_to_none:
                    parameter.grad = None
                else:
                    parameter.grad.detach_()
                    parameter.grad.requires_grad_(False)
                    parameter.grad.zero_()

    def apply(self, fn: Callable[[Module], None]) -> Self:
        """Calls `fn` on every module below this one, then on this one; a way to initialise weights."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor]) -> Self:
        """Replaces the values of all parameters, their gradients and all buffers by `fn` of them."""
        for module in self.children():
            module._apply(fn)
        for parameter in self._parameters.values():
            if parameter is not None:
                gradient = parameter.grad
                parameter.data = fn(parameter.data)
                if gradient is not None:
                    parameter.grad = None  # while values and gradient differ in dtype
                    parameter.grad = fn(gradient.detach())
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    @overload
    def to(
        self, device: str | Device | int | None = ..., dtype: DType | None = ..., non_blocking: bool = ...
    ) -> Self: ...
    @overload
    def to(self, dtype: DType, non_blocking: bool = ...) -> Self: ...
    @overload
    def to(self, tensor: Tensor, non_blocking: bool = ...) -> Self: ...
    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Changes device and/or dtype of all parameters and buffers, in place: `to("cpu")`,
        `to(torch.float64)`.

        Only floating-point tensors change their dtype. The only device of the engine is the CPU.
        """
        device, dtype = _parse_to(args, kwargs)
        if dtype is not None and not dtype.is_floating_point:
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )

        def convert(tensor: Tensor) -> Tensor:
            if device is not None:
                tensor = tensor.to(device)
            return tensor.to(dtype) if dtype is not None and tensor.is_floating_point() else tensor

        return self._apply(convert)

    def float(self) -> Self:
        """All floating-point parameters and buffers to float32."""
        return self._apply(lambda tensor: tensor.float() if tensor.is_floating_point() else tensor)

    def double(self) -> Self:
        """All floating-point parameters and buffers to float64."""
        return self._apply(lambda tensor: tensor.double() if tensor.is_floating_point() else tensor)

    def type(self, dst_type: Any) -> Self:
        """All parameters and buffers to `dst_type`."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def cpu(self) -> Self:
        """Everything to the CPU, where it already is."""
        return self._apply(lambda tensor: tensor.cpu())

    def cuda(self, device: int | Device | None = None) -> Self:
        """Raises: the engine computes on the CPU."""
        return self._apply(lambda tensor: tensor.cuda(device))

    def share_memory(self) -> Self:
        """Raises NotImplementedError: tensors of the engine cannot be shared between processes."""
        raise NotImplementedError("share_memory() is not part of minitorch_cifar: it trains in one process")

    # ---- hooks ----

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """`hook(module, args)` runs before `forward` and may return new arguments.

        With `with_kwargs`, it is called as `hook(module, args, kwargs)` and returns None or `(args, kwargs)`.
        """
        return module_hooks.register(self._forward_pre_hooks, Hook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """`hook(module, args, output)` runs after `forward` and may return another output.

        >>> import minitorch_cifar as torch
        >>> layer = torch.nn.Linear(4, 2)
        >>> handle = layer.register_forward_hook(lambda module, args, output: print(tuple(output.shape)))
        >>> _ = layer(torch.zeros(3, 4))
        (3, 2)
        >>> handle.remove()
        """
        return module_hooks.register(self._forward_hooks, Hook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """`hook(module, grad_input, grad_output)` runs in backward and may return another `grad_input`."""
        return module_hooks.register(self._backward_hooks, Hook(hook), prepend)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """`hook(module, grad_output)` runs before the module's backward, may return another `grad_output`."""
        return module_hooks.register(self._backward_pre_hooks, Hook(hook), prepend)

    # ---- printing ----

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands between the parentheses of the module's `repr`; layers print their settings."""
        return ""

    def __repr__(self) -> str:
        extra_lines = self.extra_repr().split("\n") if self.extra_repr() else []
        child_lines = [f"({name}): {_indented(repr(module))}" for name, module in self._modules.items()]
        lines = extra_lines + child_lines
        if len(extra_lines) == 1 and not child_lines:
            return f"{self._get_name()}({extra_lines[0]})"
        if lines:
            return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"
        return f"{self._get_name()}()"


def _parse_to(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, DType | None]:
    """The device and dtype that the arguments of `Module.to` ask for, in any of its three forms."""
    known = {"device", "dtype", "tensor", "non_blocking", "copy", "memory_format"}
    if unknown := sorted(set(kwargs) - known):
        raise TypeError(f"to() got an unexpected keyword argument '{unknown[0]}'")
    if kwargs.get("memory_format") is not None:
        raise NotImplementedError("to(memory_format=...) is not part of minitorch_cifar: tensors are NCHW")
    device, dtype = kwargs.get("device"), kwargs.get("dtype")
    source = kwargs.get("tensor")
    for position, argument in enumerate(args):
        if isinstance(argument, DType):
            dtype = argument
        elif isinstance(argument, Tensor) and position == 0:
            source = argument
        elif isinstance(argument, bool) and position > 0:
            pass  # non_blocking: the CPU never blocks
        elif argument is None or (isinstance(argument, (str, Device, int)) and position == 0):
            device = argument
        else:
            raise TypeError(
                "to() expects a device, a dtype or a tensor, and received an argument of type "
                f"{type(argument).__name__}"
            )
    if source is not None:
        dtype = source.dtype
    return device, dtype
