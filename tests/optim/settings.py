"""Every combination of hyperparameters with which each optimiser is compared with PyTorch."""

from __future__ import annotations

import itertools
from typing import Any

FLAGS = (False, True)


def combinations(**choices: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Each choice of one value for every setting."""
    return [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]


SETTINGS = {
    "SGD": [
        settings
        for settings in combinations(
            lr=(0.1,),
            momentum=(0, 0.9),
            dampening=(0, 0.3),
            weight_decay=(0, 0.05),
            nesterov=FLAGS,
            maximize=FLAGS,
        )
        if not settings["nesterov"] or (settings["momentum"] and not settings["dampening"])
    ],
    "Adam": combinations(
        lr=(0.01,),
        betas=((0.9, 0.999), (0.3, 0.8)),
        eps=(1e-8, 0.1),
        weight_decay=(0, 0.05),
        amsgrad=FLAGS,
        maximize=FLAGS,
        decoupled_weight_decay=FLAGS,
    ),
    "AdamW": combinations(
        lr=(0.01,),
        betas=((0.9, 0.999), (0.3, 0.8)),
        eps=(1e-8, 0.1),
        weight_decay=(0.01, 0.3),
        amsgrad=FLAGS,
        maximize=FLAGS,
    ),
    "RMSprop": combinations(
        lr=(0.02,),
        alpha=(0.99, 0.5),
        eps=(1e-8, 0.1),
        weight_decay=(0, 0.05),
        momentum=(0, 0.9),
        centered=FLAGS,
        maximize=FLAGS,
    ),
    "Adagrad": combinations(
        lr=(0.05,),
        lr_decay=(0, 0.1),
        weight_decay=(0, 0.05),
        initial_accumulator_value=(0, 0.5),
        eps=(1e-10, 0.1),
        maximize=FLAGS,
    ),
    "Adadelta": combinations(
        lr=(0.7,), rho=(0.9, 0.5), eps=(1e-6, 1e-3), weight_decay=(0, 0.05), maximize=FLAGS
    ),
}
