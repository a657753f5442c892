"""Rows of the losses as modules: every reduction in its present and its older spelling, weights, labels."""

from __future__ import annotations

from typing import Any

from minitorch_cifar.testing.arrays import Leaf

from ..drawing import Maker
from ..modules import ModuleRow, ModuleSample

REDUCTIONS = ("sum", "none", "mean")


def _reduction(make: Maker) -> dict[str, Any]:
    """The reduction, or the two older arguments that stand for it, or nothing."""
    if make.choice("present", "older", "older") == "older":
        return make.some(size_average=(False, True, None), reduce=(False, True, None))
    return make.some(reduction=REDUCTIONS)


def _sample(make: Maker, inputs: Any, **kwargs: Any) -> ModuleSample:
    lying = make.sample()
    return ModuleSample((), kwargs, tuple(inputs), 1, lying.grad_layout, lying.seed)


def _pair(older: bool = True, **options: Any) -> Any:
    """Prediction and target of one shape."""

    def draw(make: Maker) -> ModuleSample:
        shape = make.shape()
        x, y = make.tensor(shape, gradient=True), make.tensor(shape)
        kwargs = _reduction(make) if older else make.some(reduction=REDUCTIONS)
        return _sample(make, [x, y], **kwargs, **make.some(**options))

    return draw


def _binary(logits: bool) -> Any:
    def draw(make: Maker) -> ModuleSample:
        shape = make.shape()
        x = make.tensor(shape, None if logits else "unit", gradient=True)
        kwargs = _reduction(make)
        if make.flag():
            kwargs["weight"] = make.tensor(make.choice(shape, shape[-1:]), "positive", gradient=False)
        if logits and make.flag():
            kwargs["pos_weight"] = make.tensor(shape[-1:], "positive", gradient=False)
        return _sample(make, [x, make.tensor(shape, "unit", gradient=False)], **kwargs)

    return draw


def _classes(smoothing: bool) -> Any:
    """Scores and class numbers, or, for the loss with smoothing, sometimes probabilities."""

    def draw(make: Maker) -> ModuleSample:
        classes = make.choice(3, 2, 5, 1)
        places = make.choice((4,), (1,), (), (2, 3), (0,), (2, 2, 2))
        shape = (places[0], classes, *places[1:]) if places else (classes,)
        drawn = make.tensor(shape, gradient=True)
        x = Leaf(drawn.array.copy(), True)  # PyTorch refuses some layouts in backward
        kwargs = _reduction(make)
        if make.flag():
            kwargs["weight"] = make.tensor((classes,), "positive", gradient=False)
        if smoothing:
            kwargs.update(make.some(label_smoothing=(0.1, 0.9, 0.0)))
            if make.flag() and make.flag():
                return _sample(make, [x, make.tensor(shape, "unit", gradient=False)], **kwargs)
        kwargs.update(make.some(ignore_index=(0, 1, -100)))
        return _sample(make, [x, make.indices(places, 0, classes)], **kwargs)

    return draw


ROWS = [
    ModuleRow("L1Loss", _pair()),
    ModuleRow("MSELoss", _pair()),
    ModuleRow("SmoothL1Loss", _pair(beta=(0.5, 2.0, 0.0))),
    ModuleRow("HuberLoss", _pair(older=False, delta=(0.5, 2.0))),
    ModuleRow("NLLLoss", _classes(smoothing=False)),
    ModuleRow("CrossEntropyLoss", _classes(smoothing=True)),
    ModuleRow("BCELoss", _binary(logits=False), regimes=("ordinary",)),
    ModuleRow("BCEWithLogitsLoss", _binary(logits=True)),
]
