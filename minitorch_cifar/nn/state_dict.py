"""Saving and loading a module's tensors by name: what `Module.state_dict` and `Module.load_state_dict` do.

A state dict is an ordered dict from dotted names (`features.3.weight`) to tensors; its attribute `_metadata`
holds the format version of each module. Loading goes through the whole tree and gathers every misfit before
it raises, so that one message names all of them, in PyTorch's words.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from minitorch_cifar.autograd import no_grad
from minitorch_cifar.nn.parameter import Parameter
from minitorch_cifar.tensor import Tensor

if TYPE_CHECKING:
    from minitorch_cifar.nn.module import Module

__all__ = ["IncompatibleKeys", "StateDict", "load", "load_one", "save", "save_one"]

StateDict = OrderedDict[str, Any]
EXTRA_STATE = "_extra_state"  # what `get_extra_state` returned stands under this name


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` returns: the keys that did not match, both lists empty after a strict load."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


def save(module: Module, destination: Any, prefix: str, keep_vars: bool) -> Any:
    """Adds the tensors of `module` and of its children to `destination` (a new ordered dict when None)."""
    if destination is None:
        destination = OrderedDict()
        destination._metadata = OrderedDict()
    local_metadata = {"version": module._version}
    if hasattr(destination, "_metadata"):
        destination._metadata[prefix[:-1]] = local_metadata
    for hook in list(_hooks(module, "_state_dict_pre_hooks")):
        hook(module, prefix, keep_vars)
    module._save_to_state_dict(destination, prefix, keep_vars)
    for name, child in module._modules.items():
        if child is not None:
            child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
    for hook in list(_hooks(module, "_state_dict_hooks")):
        if hook(module, destination, prefix, local_metadata) is not None:
            raise RuntimeError("state_dict post-hook must return None")
    return destination


def _hooks(module: Module, kind: str) -> Iterable[Any]:
    """The hooks of one kind, in calling order; modules that were pickled before there were any have none."""
    return module.__dict__.get(kind, {}).values()


def save_one(module: Module, destination: Any, prefix: str, keep_vars: bool) -> None:
    """Adds the parameters and persistent buffers of `module` itself."""
    for name, tensor in _own_tensors(module).items():
        destination[prefix + name] = tensor if keep_vars else tensor.detach()
    if _defines(module, "get_extra_state"):
        destination[prefix + EXTRA_STATE] = module.get_extra_state()


def _defines(module: Module, method: str) -> bool:
    """Whether the module's class has a `method` of its own."""
    from minitorch_cifar.nn.module import Module

    return getattr(type(module), method) is not getattr(Module, method)


def _own_tensors(module: Module) -> dict[str, Tensor]:
    """The module's own tensors that belong into a state dict: parameters, then persistent buffers."""
    own: dict[str, Tensor] = {name: p for name, p in module._parameters.items() if p is not None}
    for name, buffer in module._buffers.items():
        if buffer is not None and name not in module._non_persistent_buffers_set:
            own[name] = buffer
    return own


def load(module: Module, state_dict: Mapping[str, Any], strict: bool, assign: bool) -> IncompatibleKeys:
    """Copies the tensors of `state_dict` into the tree of `module`; RuntimeError names every misfit."""
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
    missing_keys: list[str] = []
    unexpected_keys: list[str] = []
    errors: list[str] = []
    metadata = getattr(state_dict, "_metadata", None)
    known: StateDict = OrderedDict(state_dict)

    def load_tree(part: Module, entries: StateDict, prefix: str) -> None:
        local_metadata = {} if metadata is None else dict(metadata.get(prefix[:-1], {}))
        if assign:
            local_metadata["assign_to_params_buffers"] = True
        part._load_from_state_dict(
            entries, prefix, local_metadata, True, missing_keys, unexpected_keys, errors
        )
        for name, child in part._modules.items():
            if child is not None:
                child_prefix = f"{prefix}{name}."
                inside = OrderedDict((key, v) for key, v in entries.items() if key.startswith(child_prefix))
                load_tree(child, inside, child_prefix)
        for hook in list(_hooks(part, "_load_state_dict_post_hooks")):
            if hook(part, IncompatibleKeys(missing_keys, unexpected_keys)) is not None:
                raise AssertionError(
                    "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return "
                    "new values, if incompatible_keys need to be modified, it should be done inplace."
                )

    load_tree(module, known, "")
    if strict:
        if missing_keys:
            errors.insert(0, f"Missing key(s) in state_dict: {_quoted(missing_keys)}. ")
        if unexpected_keys:
            errors.insert(
                bool(missing_keys), f"Unexpected key(s) in state_dict: {_quoted(unexpected_keys)}. "
            )
    if errors:
        listed = "\n\t".join(errors)
        raise RuntimeError(f"Error(s) in loading state_dict for {type(module).__name__}:\n\t{listed}")
    return IncompatibleKeys(missing_keys, unexpected_keys)


def _quoted(keys: list[str]) -> str:
    return ", ".join(f'"{key}"' for key in keys)


def load_one(
    module: Module,
    state_dict: Mapping[str, Any],
    prefix: str,
    local_metadata: Mapping[str, Any],
    strict: bool,
    missing_keys: list[str],
    unexpected_keys: list[str],
    error_msgs: list[str],
) -> None:
    """Copies the entries of `module` itself, and adds what does not fit to the three lists."""
    for hook in list(_hooks(module, "_load_state_dict_pre_hooks")):
        hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
    own = _own_tensors(module)
    for name, tensor in own.items():
        key = prefix + name
        if key not in state_dict:
            if strict:
                missing_keys.append(key)
            continue
        problem = _load_tensor(module, name, tensor, key, state_dict[key], local_metadata)
        if problem is not None:
            error_msgs.append(problem)
    extra_key = prefix + EXTRA_STATE
    if _defines(module, "set_extra_state"):
        if extra_key in state_dict:
            module.set_extra_state(state_dict[extra_key])
        elif strict:
            missing_keys.append(extra_key)
    elif strict and extra_key in state_dict:
        unexpected_keys.append(extra_key)
    if strict:
        for key in state_dict:
            if key.startswith(prefix) and key != extra_key:
                first, *rest = key[len(prefix) :].split(".", 1)
                if first not in (module._modules if rest else own):
                    unexpected_keys.append(key)


def _load_tensor(
    module: Module, name: str, tensor: Tensor, key: str, value: Any, local_metadata: Mapping[str, Any]
) -> str | None:
    """Copies one value, or says why it cannot be copied."""
    if not isinstance(value, Tensor):
        return (
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object '
            f"from checkpoint but received {type(value)}"
        )
    if tensor.dim() == 0 and value.shape == (1,):  # scalars were stored as one-element vectors once
        value = value[0]
    if value.shape != tensor.shape:
        return (
            f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, "
            f"the shape in current model is {tensor.shape}."
        )
    if local_metadata.get("assign_to_params_buffers", False):
        if isinstance(tensor, Parameter):
            if isinstance(value, Parameter):
                value.requires_grad_(tensor.requires_grad)
            else:
                value = Parameter(value, requires_grad=tensor.requires_grad)
        setattr(module, name, value)
        return None
    with no_grad():
        tensor.copy_(value)
    return None
