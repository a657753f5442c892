"""`out=` of the functions that move, choose or sort elements: the result lies in it, as in PyTorch."""

from __future__ import annotations

import pytest
import torch as peer

import minitorch_cifar as torch

# name: the call, on x (4, 3), its dtype and that of the results
CALLS = {
    "diag": "diag(x, 1, out=out)",
    "gather": "gather(x, 1, torch.tensor([[0, 2], [1, 1]]), out=out)",
    "hstack": "hstack([x, x], out=out)",
    "index_select": "index_select(x, 0, torch.tensor([2, 0]), out=out)",
    "masked_select": "masked_select(x, x > 0, out=out)",
    "nonzero": "nonzero(x > 0, out=whole)",
    "tril": "tril(x, out=out)",
    "triu": "triu(x, 1, out=out)",
    "vstack": "vstack([x, x], out=out)",
    "sort": "sort(x, 0, descending=True, out=(out, whole))",
    "topk": "topk(x, 2, out=(out, whole))",
}


def run(library, call: str, **settings: object):
    library.manual_seed(3)
    x = library.randn(4, 3, **settings)
    out, whole = library.empty(0), library.empty(0, dtype=library.int64)
    names = {"torch": library, "x": x, "out": out, "whole": whole}
    return eval(f"torch.{call}", names), out, whole


@pytest.mark.parametrize("name", CALLS)
def test_the_result_is_written_into_it(name: str) -> None:
    result, out, whole = run(torch, CALLS[name])
    _, peer_out, peer_whole = run(peer, CALLS[name])
    assert out.tolist() == peer_out.tolist()
    assert whole.tolist() == peer_whole.tolist()
    assert out.shape + whole.shape != (0, 0)  # something was written
    written = [out, whole] if isinstance(result, tuple) else [out if "out=out" in CALLS[name] else whole]
    for part, target in zip(result if isinstance(result, tuple) else [result], written, strict=True):
        assert part is target


def test_multinomial_writes_into_it() -> None:
    for library in (torch, peer):
        library.manual_seed(1)
        out = library.empty(0, dtype=library.int64)
        library.multinomial(library.tensor([0.2, 0.5, 0.3]), 6, replacement=True, out=out)
        if library is torch:
            ours = out.tolist()
    assert ours == out.tolist()


@pytest.mark.parametrize("name", [name for name in CALLS if name not in ("nonzero", "diag")])
def test_gradients_are_refused(name: str) -> None:
    # PyTorch's diag is the one that forgets to ask; the engine's refuses too.
    for library in (torch, peer):
        with pytest.raises(RuntimeError, match="don't support automatic differentiation"):
            run(library, CALLS[name], requires_grad=True)


@pytest.mark.parametrize("call", ["sort(x, out=out)", "topk(x, 1, out=(out,))", "hstack([x], out=3)"])
def test_what_cannot_be_written_into_is_refused(call: str) -> None:
    for library in (torch, peer):
        with pytest.raises(TypeError):
            run(library, call)


def test_nonzero_takes_it_or_gives_a_tuple() -> None:
    for library in (torch, peer):
        with pytest.raises(RuntimeError, match="does not support the out kwarg"):
            run(library, "nonzero(x, out=whole, as_tuple=True)")
