# ruff: noqa: E501 - tables
"""Spoils right calls: one to three arguments become what they should not be.

A call is text, and so is a spoiled one: what a failure prints can be run again as it stands.
"""

from __future__ import annotations

import ast
import random

from .recipes import calls

MAKERS = {"f", "g", "n", "m", "u"}  # helpers whose arguments are shapes

# Values that a call does not expect; the ones of the first group occur most often.
ODD = (
    "None",
    "True",
    "0",
    "-1",
    "-2",
    "1",
    "2",
    "3",
    "7",
    "100",
    "0.5",
    "-0.5",
    "1.0",
    "nan",
    "inf",
    "-inf",
    "'x'",
    "''",
    "b'x'",
    "()",
    "[]",
    "{}",
    "(1,)",
    "(2, 3)",
    "[1, -1]",
    "(0, 0)",
    "[[1], [2, 3]]",
    "(1, 2, 3, 4, 5)",
    "f()",
    "f(0)",
    "f(2, 0)",
    "f(3)",
    "f(2, 3)",
    "f(1, 1, 1, 1, 1)",
    "f(2, 3) * nan",
    "f(2, 3) / 0",
    "n(2, 3)",
    "n()",
    "n(3) - 5",
    "n(2) + 100",
    "n(2) * 2**40",
    "m(2, 3)",
    "m(3)",
    "u(2, 3)",
    "f(3, 2).t()",
    "f(4, 6)[::2, ::2]",
    "f(1, 3).expand(2, 3)",
    "f(2, 3).double()",
    "n(2).int()",
    "g(2, 3)",
    "torch.float64",
    "torch.int64",
    "torch.bool",
    "'mean'",
    "'none'",
    "'sum'",
    "'same'",
)
HUGE = ("2**31", "-2**31", "2**31 - 1", "2**32", "2**40", "2**62", "2**63 - 1", "-2**63", "2**63", "2**64", "10**30", "1e30", "1e300",
        "(2**31, 2**31)", "(2**62,)", "(2**62, 4)", "[2**31, 0]", "(-2**62, 1)", "[10**30]")  # fmt: skip
FOREIGN = (
    "object()", "object", "print", "lambda *args: 1", "np.float32(1.5)", "np.int64(2)", "np.bool_(True)", "np.ones(2)", "np.ones((2, 3))", "np.arange(6).reshape(2, 3)",
    "np.array('x')", "np.array([None, 1], object)", "np.ones((2, 3), np.float16)", "np.ones(2, complex)", "1j", "range(3)", "slice(1, None)", "...", "set()", "{1: 2}", "float", "Exception()", "fractions.Fraction(1, 2)",
    "iter([1, 2])", "bytearray(2)", "memoryview(b'ab')", "nn.Linear(3, 2)", "nn.ReLU()", "opt()", "params()", "pic('RGB', 3, 2)", "pic('L', 1, 1)", "pic('P', 4, 4)", "pic('I;16', 3, 3)", "pairs()", "NaughtyIndex()", "NaughtySequence()",
    "torch", "np.datetime64('2020-01-01')", "'cuda'", "'cpu'", "torch.device('cpu')", "torch.Size([2, 3])", "[f(2), f(3)]", "[f(2), None]", "(m(2), n(2))", "decimal.Decimal('1.5')", "nested(1000)",
)  # fmt: skip
NAMES = (
    "dim",
    "keepdim",
    "out",
    "dtype",
    "size",
    "input",
    "reduction",
    "device",
    "requires_grad",
    "generator",
    "nonsense",
    "alpha",
    "other",
    "p",
)


class Spoiler(ast.NodeTransformer):
    """Replaces the argument number `chosen`, in the order of the walk."""

    def __init__(self, chooser: random.Random, chosen: int) -> None:
        self.chooser, self.chosen, self.seen = chooser, chosen, -1

    def visit_Call(self, node: ast.Call) -> ast.AST:
        maker = isinstance(node.func, ast.Name) and node.func.id in MAKERS
        node.func = self.visit(node.func)
        node.args = [x for a in node.args for x in self.place(a, maker)]
        for keyword in node.keywords:
            (keyword.value,) = self.place(keyword.value, maker) or [ast.Constant(None)]
        if not maker:
            self.seen += 1
            if self.seen == self.chosen:
                self.add(node)
        return node

    def place(self, node: ast.expr, maker: bool) -> list[ast.expr]:
        """What stands at an argument's place afterwards."""
        self.seen += 1
        if self.seen != self.chosen:
            if isinstance(node, (ast.List, ast.Tuple)) and not maker:
                node.elts = [x for e in node.elts for x in self.place(e, maker)]
                return [node]
            return [self.visit(node)]
        if maker:
            size = ast.Constant(self.chooser.choice((0, 1, 2, 3, 4, 5, 9)))
            return self.chooser.choice(([size], [size, node], [], [size]))
        if self.chooser.random() < 0.06:
            return []
        group = self.chooser.choices((ODD, HUGE, FOREIGN), (5, 2, 3))[0]
        return [ast.parse(self.chooser.choice(group), mode="eval").body]

    def add(self, node: ast.Call) -> None:
        value = ast.parse(self.chooser.choice(self.chooser.choice((ODD, HUGE, FOREIGN))), mode="eval").body
        names = {keyword.arg for keyword in node.keywords}
        name = self.chooser.choice(NAMES)
        if self.chooser.random() < 0.4 or name in names:
            node.args.append(value)
        else:
            node.keywords.append(ast.keyword(name, value))


def places(expression: str) -> int:
    """How many places there are at which a call can be spoiled."""
    counter = Spoiler(random.Random(0), -2)
    counter.visit(ast.parse(expression, mode="eval"))
    return counter.seen + 1


def spoiled(expression: str, chooser: random.Random) -> str:
    """The call with one to three places spoiled."""
    tree = ast.parse(expression, mode="eval")
    for _ in range(chooser.choices((1, 2, 3), (6, 2, 1))[0]):
        count = places(ast.unparse(tree))
        if count:
            spoiler = Spoiler(chooser, chooser.randrange(count))
            tree = ast.fix_missing_locations(ast.parse(ast.unparse(spoiler.visit(tree)), mode="eval"))
    return ast.unparse(tree)


def draw(seed: int, count: int) -> list[tuple[str, str]]:
    """(name, call): every right call, then `count` spoiled ones for each name, in an order of their own."""
    every = calls()
    drawn = [(name, call) for name, right in every.items() for call in right]
    for turn in range(count):
        for name, right in every.items():
            chooser = random.Random(f"{seed} {turn} {name}")
            drawn.append((name, spoiled(chooser.choice(right), chooser)))
    return drawn
