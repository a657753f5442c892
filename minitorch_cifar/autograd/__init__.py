"""Reverse-mode automatic differentiation over a graph that is built while the program runs.

The way through: `variable.py` says what a tensor knows of the graph and `node.py` what a node is.
`operation.py` (built-in operations, on arrays) and `function.py` (a user's operations, on tensors) run
forward and make nodes; `engine.py` walks them backward and `accumulate.py` is where the walk ends.
`saved.py`, `views.py` and `inplace.py` keep gradients right when memory is shared and overwritten.
`differentiate.py`, `grad_mode.py`, `hooks.py`, `anomaly.py` and `gradcheck.py` are what users call. This
package knows tensors only as `TensorBase`: an array and its place in the graph.
"""

from __future__ import annotations

from ..missing import explain_missing_in
from .accumulate import AccumulateGrad
from .anomaly import detect_anomaly, is_anomaly_check_nan_enabled, is_anomaly_enabled, set_detect_anomaly
from .differentiate import backward, grad
from .function import Function
from .grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from .gradcheck import GradcheckError, gradcheck
from .hooks import RemovableHandle
from .inplace import apply_inplace
from .node import Node
from .operation import Operation
from .variable import TensorBase, Variable, register_tensor_class, wrap

__all__ = [
    "AccumulateGrad",
    "Function",
    "GradcheckError",
    "Node",
    "Operation",
    "RemovableHandle",
    "TensorBase",
    "Variable",
    "apply_inplace",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "gradcheck",
    "inference_mode",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "register_tensor_class",
    "set_detect_anomaly",
    "set_grad_enabled",
    "wrap",
]

explain_missing_in(__name__, __all__)
