"""`safetensors` files travel both ways, through the library of that name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch as theirs
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors import SafetensorError, safe_open

import minitorch_cifar
from minitorch_cifar import models
from minitorch_cifar.serialization import safetensors as ours
from reference import networks

from ..same_error import error_of

DTYPES = ["float32", "float64", "int64", "int32", "uint8", "bool"]
named_arrays = st.dictionaries(
    st.text(min_size=1, max_size=5).filter(lambda name: name != "__metadata__" and name.isprintable()),
    st.sampled_from(DTYPES).flatmap(
        lambda name: arrays.arrays(name, arrays.array_shapes(min_dims=0, min_side=0, max_side=3))
    ),
    max_size=4,
)


def assert_equal(tensors: dict[str, Any], values: dict[str, Any]) -> None:
    assert set(tensors) == set(values)
    for name, value in values.items():
        found = tensors[name].detach().numpy()
        assert (found.dtype, found.shape) == (value.dtype, value.shape)
        assert found.tobytes() == value.tobytes()


@given(named_arrays)
def test_any_tensors_travel_both_ways(values: dict[str, Any]) -> None:
    mine = {name: minitorch_cifar.from_numpy(value) for name, value in values.items()}
    other = {name: torch.from_numpy(value) for name, value in values.items()}
    assert_equal(theirs.load(ours.save(mine)), values)
    assert_equal(ours.load(theirs.save(other)), values)
    assert_equal(ours.load(ours.save(mine)), values)
    assert ours.save(mine) == theirs.save(other)


@pytest.mark.parametrize("name", ["lenet", "quick", "bn"])
def test_networks_travel_both_ways(name: str, tmp_path: Path) -> None:
    mine, other = models.NETWORKS[name](), networks.NETWORKS[name]()
    ours.save_file(mine.state_dict(), tmp_path / "mine.safetensors", {"made": "here"})
    other.load_state_dict(theirs.load_file(tmp_path / "mine.safetensors"))
    values = {key: tensor.numpy().copy() for key, tensor in mine.state_dict().items()}
    assert_equal(other.state_dict(), values)
    with safe_open(tmp_path / "mine.safetensors", "pt") as file:
        assert file.metadata() == {"made": "here"}
    theirs.save_file(other.state_dict(), tmp_path / "other.safetensors")
    fresh = models.NETWORKS[name]()
    fresh.load_state_dict(ours.load_file(str(tmp_path / "other.safetensors")))
    assert_equal(fresh.state_dict(), values)


def test_what_is_loaded_may_be_changed() -> None:
    weight = minitorch_cifar.nn.Parameter(minitorch_cifar.ones(1))
    loaded = ours.load(ours.save({"a": minitorch_cifar.ones(2), "b": weight}))
    loaded["a"] += 1
    assert loaded["a"].tolist() == [2, 2]
    assert not loaded["b"].requires_grad


@pytest.mark.parametrize(
    "make",
    [
        lambda library, base: {"a": base, "b": base},
        lambda library, base: {"a": base, "b": base[1]},
        lambda library, base: {"a": base.t()},
        lambda library, base: {"a": base[:, 1]},
        lambda library, base: {"a": library.ones(1, 3).expand(2, 3)},
        lambda library, base: {"a": 3},
        lambda library, base: [base],
        lambda library, base: {1: base},
    ],
)
def test_what_the_library_refuses_is_refused_before_a_file_is_there(make: Any, tmp_path: Path) -> None:
    """Without these checks the library writes the memory of a transposed array as if it were contiguous."""
    errors = []
    for library, module in ((minitorch_cifar, ours), (torch, theirs)):
        value = make(library, library.arange(6.0).reshape(2, 3))
        errors.append(error_of(lambda: module.save_file(value, tmp_path / "x")))  # noqa: B023
    assert type(errors[0]) is type(errors[1])
    assert errors[1] is not None
    if isinstance(errors[1], ValueError) and "Key" in str(errors[1]):
        assert str(errors[0]) == str(errors[1])
    assert not list(tmp_path.iterdir())


def test_rows_of_one_matrix_share_nothing() -> None:
    for library, module in ((minitorch_cifar, ours), (torch, theirs)):
        base = library.arange(6.0).reshape(2, 3)
        assert module.load(module.save({"a": base[0], "b": base[1]}))["b"].tolist() == [3, 4, 5]


def test_dtypes_that_do_not_exist_here() -> None:
    for dtype, name in ((torch.float16, "F16"), (torch.bfloat16, "BF16"), (torch.int16, "I16")):
        with pytest.raises(TypeError, match=f"weight has the dtype {name}; the engine has tensors of F32"):
            ours.load(theirs.save({"weight": torch.ones(2, dtype=dtype)}))


def test_files_that_are_not_what_they_should_be(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ours.load_file(tmp_path / "nowhere")
    content = ours.save({"a": minitorch_cifar.ones(5)})
    for damaged in (b"", b"hello world, this is no file", content[:-1], content + b"x", content[:20]):
        with pytest.raises(SafetensorError):
            ours.load(damaged)
    header = "{}".encode("utf-16")
    (tmp_path / "utf-16").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(ValueError, match=r"utf-16: .* its header cannot be read: 'utf-8' codec"):
        ours.load_file(tmp_path / "utf-16")
    with pytest.raises(NotImplementedError, match="cuda"):
        ours.load_file(tmp_path / "nowhere", device="cuda")


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "safetensors"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    for call in (lambda: ours.save({"a": minitorch_cifar.ones(1)}), lambda: ours.load(b"")):
        with pytest.raises(ImportError, match=r"pip install 'minitorch-cifar\[safetensors\]'"):
            call()
