# ruff: noqa: E501 - tables
"""Calls of every kernel, forward and backward, at sizes that leave a rest behind each vector and each block."""

from __future__ import annotations

import itertools

SIZES = (1, 2, 3, 7, 8, 9, 15, 17, 31, 33, 63, 65, 127, 129, 1001)
# channels in, channels out, height, width, kernel, stride, padding, dilation, groups, pictures
CONVOLUTIONS = (
    (1, 1, 1, 1, "1, 1", "1", "0", "1", 1, 1), (3, 6, 9, 11, "5, 5", "1", "0", "1", 1, 3), (3, 7, 33, 31, "3, 3", "1", "1", "1", 1, 2),
    (16, 33, 7, 9, "3, 3", "1", "1", "1", 1, 2), (17, 16, 8, 8, "3, 3", "2", "1", "1", 1, 3), (64, 17, 5, 7, "3, 3", "1", "1", "1", 1, 1),
    (65, 64, 6, 5, "3, 3", "1", "1", "1", 1, 2), (5, 10, 12, 13, "3, 2", "2, 3", "1, 0", "1", 5, 2), (8, 8, 9, 9, "3, 3", "1", "2", "2", 1, 2),
    (6, 9, 10, 9, "2, 3", "3, 1", "0, 2", "1, 2", 3, 2), (32, 65, 1, 1, "1, 1", "1", "0", "1", 1, 5), (31, 2, 17, 1, "3, 1", "1", "1, 0", "1", 1, 2),
    (3, 4, 4, 40, "4, 4", "1", "0", "1", 1, 2), (12, 24, 5, 5, "5, 5", "1", "2", "1", 12, 3), (2, 3, 7, 7, "7, 7", "1", "3", "1", 1, 9),
    (128, 16, 3, 3, "3, 3", "1", "1", "1", 1, 2), (4, 129, 5, 5, "1, 1", "2", "0", "1", 1, 3), (7, 5, 20, 20, "3, 3", "3", "0", "3", 1, 1),
    (32, 48, 17, 19, "3, 3", "1", "1", "1", 1, 3), (64, 32, 8, 8, "5, 3", "1", "2, 1", "1", 1, 5), (30, 31, 21, 18, "3, 2", "1", "0", "2, 1", 1, 2),
    (96, 16, 4, 4, "3, 3", "1", "1", "1", 1, 7), (32, 32, 33, 34, "3, 3", "2", "1", "1", 1, 3),
)  # fmt: skip
ACTIVATIONS = ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "sigmoid", "tanh")
POOLS = (("2", "2", "0"), ("3", "2", "1"), ("3", "1", "1"), ("(2, 3)", "(1, 2)", "(1, 1)"), ("5", "3", "2"))


def calls() -> list[tuple[str, str]]:
    """(name, call) of each."""
    made: list[str] = []
    for c, o, h, w, kernel, stride, padding, dilation, groups, n in CONVOLUTIONS:
        x, weight = f"g({n}, {c}, {h}, {w})", f"(g({o}, {c // groups}, {kernel}) * 0.1)"
        shape = f"({stride}), ({padding}), ({dilation}), {groups}"
        for cast in ("", ".double()"):
            made.append(f"F.conv2d({x}{cast}, {weight}{cast}, g({o}){cast}, {shape})")
        made.append(f"F.conv2d({x}.transpose(2, 3).contiguous().transpose(2, 3), {weight}, None, {shape})")
        if groups == 1 and min(h, w) > 2 and kernel == "3, 3" and stride == dilation == "1":
            made.append(f"F.max_pool2d(F.relu(F.conv2d({x}, {weight}, g({o}), 1, 1)), 2, ceil_mode=False)")
            block = f"F.batch_norm(F.conv2d({x}, {weight}, None, 1, 1), None, None, g({o}), g({o}), True)"
            made.append(f"F.max_pool2d(F.relu({block}), 2)")
    for size in SIZES:
        made += [f"F.{name}(g({size}))" for name in ACTIVATIONS]
        made += [f"F.{name}(g(3, {size}), 1)" for name in ("softmax", "log_softmax")]
        made += [f"F.linear(g({size}, 5), g(3, 5), g(3))", f"F.linear(g(2, {size}), g(7, {size}), g(7))"]
        made.append(f"F.batch_norm(g(2, {size}, 3, 5), None, None, g({size}), g({size}), True)")
        made.append(
            f"F.batch_norm(g(2, {size}), f({size}), f({size}).abs() + 1, g({size}), g({size}), False)"
        )
        made.append(f"F.cross_entropy(g({size}, 3), n({size}), label_smoothing=0.1)")
        made.append(f"F.nll_loss(g(2, 3, {size}), n(2, {size}), f(3).abs())")
        made += [
            f"F.{loss}(g({size}) * 2, f({size}))"
            for loss in ("mse_loss", "smooth_l1_loss", "huber_loss", "l1_loss")
        ]
        made.append(
            f"F.binary_cross_entropy_with_logits(g({size}), f({size}).sigmoid(), pos_weight=f({size}).abs())"
        )
        made.append(f"F.binary_cross_entropy(g({size}).sigmoid(), f({size}).sigmoid())")
        for optimizer in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta"):
            made.append(f"stepped(torch.optim.{optimizer}, {size})")
    for (kernel, stride, padding), (h, w) in itertools.product(POOLS, ((7, 9), (16, 5), (33, 31))):
        for function in ("max_pool2d", "avg_pool2d"):
            made.append(f"F.{function}(g(2, 3, {h}, {w}), {kernel}, {stride}, {padding})")
            made.append(f"F.{function}(g(1, 17, {h}, {w}), {kernel}, {stride}, {padding}, ceil_mode=True)")
        made.append(f"F.adaptive_avg_pool2d(g(2, 5, {h}, {w}), (3, 4))")
        made.append(f"F.adaptive_max_pool2d(g(2, 5, {h}, {w}), (4, 3))")
    return [(call.partition("(")[0], call) for call in dict.fromkeys(made)]
