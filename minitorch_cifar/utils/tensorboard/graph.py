"""A model as the drawing that TensorBoard's "Graphs" page shows.

The model runs once, in evaluation mode and with gradients recorded. The nodes of the graph that this leaves
are what is drawn; each stands in the box of the module in whose `forward` it was made, which their ages tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tensorboard.compat.proto.attr_value_pb2 import AttrValue
from tensorboard.compat.proto.config_pb2 import RunMetadata
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.node_def_pb2 import NodeDef
from tensorboard.compat.proto.step_stats_pb2 import DeviceStepStats, StepStats
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.versions_pb2 import VersionDef

from ...autograd import TensorBase, enable_grad
from ...autograd.accumulate import AccumulateGrad, edge_of
from ...autograd.engine import topological_order
from ...autograd.node import Node, ages
from ...nn import Module

Span = tuple[int, int, str]  # the ages of the nodes a module made, and its box


def drawing(
    model: Module, inputs: Any, verbose: bool = False, use_strict_trace: bool = True
) -> tuple[Any, Any]:
    """The graph of `model(*inputs)` and the statistics that TensorBoard wants beside it.

    Args:
        model: a module.
        inputs: a tensor, or a tuple or list of them for several arguments.
        verbose: print the nodes.
        use_strict_trace: refuse outputs in lists and dicts, as PyTorch does.

    Boxes are named as in PyTorch: `Net/Sequential[model]/Conv2d[0]`.
    """
    arguments = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    for position, argument in enumerate(arguments):
        if not isinstance(argument, TensorBase):
            raise TypeError(
                f"add_graph: input_to_model must hold tensors, got {type(argument).__name__} at {position}"
            )
    traced: list[Any] = [argument.detach() for argument in arguments]
    for argument in traced:
        if argument.is_floating_point():
            argument.requires_grad_()
    with _evaluating(model), _spans(model) as spans, enable_grad():
        output = model(*traced)
    results = list(_tensors(output, use_strict_trace))
    nodes = [
        *(_node(f"input/input{k}", "IO Node", [], x._array.shape) for k, x in enumerate(traced)),
        *_draw(model, traced, results, spans),
    ]
    if verbose:
        print(*nodes, sep="\n")
    stats = RunMetadata(step_stats=StepStats(dev_stats=[DeviceStepStats(device="/device:CPU:0")]))
    return GraphDef(node=nodes, versions=VersionDef(producer=22)), stats


def _tensors(output: Any, strict: bool) -> Iterator[TensorBase]:
    """The tensors a model gave back."""
    if isinstance(output, TensorBase):
        yield output
    elif isinstance(output, tuple) or (isinstance(output, list) and not strict):
        for item in output:
            yield from _tensors(item, strict)
    elif isinstance(output, dict) and not strict:
        yield from _tensors(tuple(output.values()), strict)
    else:
        hint = "; use_strict_trace=False allows it" if isinstance(output, (list, dict)) else ""
        raise RuntimeError(
            "Only tensors or tuples of tensors can be output from traced functions, "
            f"got {type(output).__name__}{hint}"
        )


@contextmanager
def _evaluating(model: Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def _spans(model: Module) -> Iterator[list[Span]]:
    """Notes, while the model runs, between which ages of nodes each module was running."""
    spans: list[Span] = []
    started: list[int] = []
    handles = []

    def begin(module: Module, args: Any) -> None:
        started.append(next(ages))

    def end_in(box: str) -> Callable[..., None]:
        def end(module: Module, args: Any, output: Any) -> None:
            spans.append((started.pop(), next(ages), box))

        return end

    for name, module in model.named_modules():
        handles.append(module.register_forward_pre_hook(begin))
        handles.append(module.register_forward_hook(end_in(_box(model, name))))
    try:
        yield spans
    finally:
        for handle in handles:
            handle.remove()


def _box(model: Module, path: str) -> str:
    """`Net/Sequential[model]/Conv2d[0]` for the module at `model.0`."""
    parts = [type(model).__name__]
    module = model
    for name in path.split(".") if path else ():
        module = module.get_submodule(name)
        parts.append(f"{type(module).__name__}[{name}]")
    return "/".join(parts)


def _draw(model: Module, inputs: list[Any], outputs: list[TensorBase], spans: list[Span]) -> list[Any]:
    """The nodes from the inputs and parameters to the outputs, oldest first."""
    ends = [edge_of(output)[0] for output in outputs]
    # Leaves have no age: they come first here, then each node after those it builds on.
    nodes = sorted(
        topological_order(end for end in ends if end is not None),
        key=lambda node: -1 if isinstance(node, AccumulateGrad) else node.age,
    )
    owners = {id(parameter): path for path, parameter in model.named_parameters()}
    inputs_by_id = {id(x): k for k, x in enumerate(inputs)}
    inner_first = sorted(spans, key=lambda span: span[1] - span[0])
    names: dict[Node, str] = {}
    drawn = []
    for position, node in enumerate(nodes):
        shape = node.output_metadata[0][0] if node.output_metadata else ()
        if isinstance(node, AccumulateGrad):
            number = inputs_by_id.get(id(node.variable))
            if number is not None:
                names[node] = f"input/input{number}"
                continue  # drawn by the caller, as those without a gradient are
            path, _, short = owners.get(id(node.variable), f"tensor{position}").rpartition(".")
            names[node] = f"{_box(model, path)}/{short}"
            drawn.append(_node(names[node], "Parameter", [], shape))
            continue
        operation = node.name().partition("Backward")[0]
        outside = type(model).__name__
        box = next((box for first, last, box in inner_first if first < node.age < last), outside)
        names[node] = f"{box}/{operation}_{position}"
        before = [names[earlier] for earlier, _ in node.next_functions if earlier is not None]
        drawn.append(_node(names[node], operation, before, shape))
    for k, (output, end) in enumerate(zip(outputs, ends, strict=True)):
        source = [] if end is None else [names[end]]
        drawn.append(_node(f"output/output.{k + 1}", "IO Node", source, output._array.shape))
    return drawn


def _node(name: str, operation: str, inputs: list[str], shape: tuple[int, ...]) -> Any:
    sizes = TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in shape])
    attributes = {"_output_shapes": AttrValue(list=AttrValue.ListValue(shape=[sizes]))}
    return NodeDef(name=name, op=operation, input=inputs, attr=attributes)
