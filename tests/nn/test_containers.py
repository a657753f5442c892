"""`Sequential`, `ModuleList`, `ModuleDict`, `ParameterList`, `ParameterDict`: their uses and misuses, as in
PyTorch.
"""

from __future__ import annotations

import operator
from collections import OrderedDict
from typing import Any

import pytest

from .both import assert_same, assert_same_error


def seq(t: Any) -> Any:
    return t.nn.Sequential(t.nn.Linear(1, 1), t.nn.Linear(2, 2), t.nn.Linear(3, 3))


def modules(t: Any) -> Any:
    return t.nn.ModuleList([t.nn.Linear(1, 1), t.nn.Linear(1, 1), t.nn.ReLU(), t.nn.Linear(2, 2)])


def named(t: Any) -> Any:
    return t.nn.ModuleDict({"a": t.nn.Linear(1, 1), "b": t.nn.ReLU()})


def parameters(t: Any) -> Any:
    return t.nn.ParameterList([t.nn.Parameter(t.ones(2)), t.ones(3, 4), 5])


def scales(t: Any) -> Any:
    return t.nn.ParameterDict({"a": t.ones(1), "b": t.nn.Parameter(t.ones(2))})


def changed(make: Any, change: Any) -> Any:
    """A scenario: the container after a change, with what the change returned and the names inside."""

    def scenario(t: Any) -> Any:
        container = make(t)
        result = change(container, t)
        return container, result, list(container.state_dict())

    return scenario


USES = {
    "sequential": seq,
    "sequential, empty": lambda t: (t.nn.Sequential(), t.nn.Sequential()(3)),
    "sequential, named": lambda t: t.nn.Sequential(OrderedDict(first=t.nn.ReLU(), second=t.nn.Tanh())),
    "sequential, nested": lambda t: t.nn.Sequential(seq(t), t.nn.Sequential(seq(t), t.nn.ReLU())),
    "sequential, item": lambda t: (seq(t)[1], seq(t)[-1], len(seq(t))),
    "sequential, slices": lambda t: (seq(t)[0:2], seq(t)[::2], seq(t)[1:], list(seq(t)[1:].state_dict())),
    "sequential, slice shares": lambda t: (lambda s: s[:1][0] is s[0])(seq(t)),
    "sequential, from children": lambda t: t.nn.Sequential(*list(seq(t).children())[1:]),
    "sequential, plus": lambda t: seq(t) + t.nn.Sequential(t.nn.ReLU()),
    "sequential, times": lambda t: (seq(t) * 2, 2 * t.nn.Sequential(t.nn.ReLU())),
    "sequential, append": changed(seq, lambda s, t: s.append(t.nn.ReLU()) is s),
    "sequential, insert": changed(seq, lambda s, t: s.insert(1, t.nn.ReLU()) is s),
    "sequential, insert before last": changed(seq, lambda s, t: s.insert(-1, t.nn.ReLU()) is s),
    "sequential, insert at end": changed(seq, lambda s, t: s.insert(3, t.nn.ReLU()) is s),
    "sequential, extend": changed(seq, lambda s, t: s.extend([t.nn.ReLU(), t.nn.Tanh()]) is s),
    "sequential, pop": changed(seq, lambda s, t: s.pop(0)),
    "sequential, iadd": changed(seq, lambda s, t: operator.iadd(s, t.nn.Sequential(t.nn.ReLU())) is s),
    "sequential, imul": changed(seq, lambda s, t: operator.imul(s, 2) is s),
    "sequential, set": changed(seq, lambda s, t: operator.setitem(s, 1, t.nn.ReLU())),
    "sequential, delete": changed(seq, lambda s, t: operator.delitem(s, 0)),
    "sequential, delete slice": changed(seq, lambda s, t: operator.delitem(s, slice(0, 2))),
    "sequential, forward": lambda t: t.nn.Sequential(t.nn.Flatten(), t.nn.ReLU())(t.ones(2, 3, 1)),
    "list": modules,
    "list, empty": lambda t: (t.nn.ModuleList(), len(t.nn.ModuleList())),
    "list, item": lambda t: (modules(t)[2], modules(t)[-1], modules(t)[1:3]),
    "list, iteration": lambda t: [type(m).__name__ for m in modules(t)],
    "list, plus": lambda t: modules(t) + [t.nn.ReLU()],  # noqa: RUF005
    "list, iadd": changed(modules, lambda m, t: operator.iadd(m, [t.nn.ReLU()]) is m),
    "list, append": changed(modules, lambda m, t: m.append(t.nn.ReLU()) is m),
    "list, insert": changed(modules, lambda m, t: m.insert(0, t.nn.Tanh())),
    "list, insert far out": changed(modules, lambda m, t: m.insert(99, t.nn.Tanh())),
    "list, pop": changed(modules, lambda m, t: m.pop(0)),
    "list, set": changed(modules, lambda m, t: operator.setitem(m, -1, t.nn.Tanh())),
    "list, delete": changed(modules, lambda m, t: operator.delitem(m, 0)),
    "list, delete slice": changed(modules, lambda m, t: operator.delitem(m, slice(0, 2))),
    "list, of blocks": lambda t: t.nn.ModuleList([seq(t), seq(t)]),
    "dict": named,
    "dict, reading": lambda t: (
        named(t)["b"],
        list(named(t)),
        list(named(t).keys()),
        list(named(t).items()),
        list(named(t).values()),
        "a" in named(t),
        "z" in named(t),
        len(named(t)),
    ),
    "dict, update": changed(named, lambda d, t: d.update([("c", t.nn.Tanh()), ("a", t.nn.ReLU())])),
    "dict, update from a dict": changed(named, lambda d, t: d.update(t.nn.ModuleDict({"c": t.nn.Tanh()}))),
    "dict, pop": changed(named, lambda d, t: d.pop("a")),
    "dict, delete": changed(named, lambda d, t: operator.delitem(d, "a")),
    "dict, clear": changed(named, lambda d, t: d.clear()),
    "parameter list": parameters,
    "parameter list, reading": lambda t: (
        parameters(t)[2],
        parameters(t)[-2],
        len(parameters(t)),
        list(parameters(t)),
    ),
    "parameter list, slice": lambda t: parameters(t)[0:2],
    "parameter list, append": changed(parameters, lambda p, t: p.append(t.zeros(1)) is p),
    "parameter list, set": changed(parameters, lambda p, t: operator.setitem(p, 1, t.zeros(2))),
    "parameter dict": scales,
    "parameter dict, reading": lambda t: (
        scales(t)["b"],
        list(scales(t)),
        list(scales(t).items()),
        scales(t).get("z"),
        "a" in scales(t),
        len(scales(t)),
    ),
    "parameter dict, set": changed(scales, lambda p, t: operator.setitem(p, "z", t.ones(1))),
    "parameter dict, pop": changed(scales, lambda p, t: p.pop("a")),
    "parameter dict, update": changed(scales, lambda p, t: p.update({"c": t.ones(2, 2)})),
    "parameter dict, clear": changed(scales, lambda p, t: p.clear()),
}


@pytest.mark.parametrize("use", USES)
def test_containers_work_as_in_pytorch(use: str) -> None:
    assert_same(USES[use])


MISUSES = {
    "sequential of a number": lambda t: t.nn.Sequential(3),
    "sequential of a list": lambda t: t.nn.Sequential([t.nn.ReLU()]),
    "sequential, index": lambda t: seq(t)[5],
    "sequential, negative index": lambda t: seq(t)[-4],
    "sequential, string index": lambda t: seq(t)["0"],
    "sequential, append a number": lambda t: seq(t).append(3),
    "sequential, insert far out": lambda t: seq(t).insert(9, t.nn.ReLU()),
    "sequential, insert a number": lambda t: seq(t).insert(1, 3),
    "sequential, extend by a number": lambda t: seq(t).extend([3]),
    "sequential, plus a number": lambda t: seq(t) + 3,
    "sequential, iadd a number": lambda t: operator.iadd(seq(t), 3),
    "sequential, times zero": lambda t: seq(t) * 0,
    "sequential, times a float": lambda t: seq(t) * 1.5,
    "sequential, set a number": lambda t: operator.setitem(seq(t), 0, 3),
    "sequential, set far out": lambda t: operator.setitem(seq(t), 9, t.nn.ReLU()),
    "sequential, two inputs": lambda t: seq(t)(3, 4),
    "list of a number": lambda t: t.nn.ModuleList(3),
    "list, index": lambda t: modules(t)[9],
    "list, append a number": lambda t: modules(t).append(3),
    "list, extend by a number": lambda t: modules(t).extend(3),
    "list, called": lambda t: modules(t)(3),
    "list, set a number": lambda t: operator.setitem(modules(t), 0, 3),
    "list, set far out": lambda t: operator.setitem(modules(t), 77, t.nn.ReLU()),
    "dict of a number": lambda t: t.nn.ModuleDict(3),
    "dict, unknown key": lambda t: named(t)["z"],
    "dict, pop unknown": lambda t: named(t).pop("z"),
    "dict, update by triples": lambda t: named(t).update([(1, 2, 3)]),
    "dict, update by numbers": lambda t: named(t).update([3]),
    "dict, set a number": lambda t: operator.setitem(named(t), "x", 3),
    "dict, dotted key": lambda t: operator.setitem(named(t), "a.b", t.nn.ReLU()),
    "dict, number as key": lambda t: operator.setitem(named(t), 3, t.nn.ReLU()),
    "parameter list, index": lambda t: parameters(t)[9],
    "parameter list, extend by a number": lambda t: parameters(t).extend(3),
    "parameter list, called": lambda t: parameters(t)(3),
    "parameter dict, unknown key": lambda t: scales(t)["z"],
    "parameter dict, update by a number": lambda t: scales(t).update(3),
    "parameter dict, called": lambda t: scales(t)(3),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_misused_containers_raise_what_pytorch_raises(misuse: str) -> None:
    assert_same_error(MISUSES[misuse])
