"""Optimisers, which change parameters by their gradients, and `lr_scheduler`, which changes learning rates.

Each optimiser is a subclass of `Optimizer` in a file of its own; the arithmetic of its step is a kernel.
"""

from ..missing import explain_missing_in
from . import lr_scheduler
from .adadelta import Adadelta
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .optimizer import Optimizer
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler"]

explain_missing_in(__name__, __all__)
