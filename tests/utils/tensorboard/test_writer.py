"""`SummaryWriter` beside PyTorch's: the same calls leave the same messages, and TensorBoard reads them."""

from __future__ import annotations

import builtins
import importlib
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.util.tensor_util import make_ndarray
from torch.utils.tensorboard import SummaryWriter as TorchWriter

import minitorch_cifar as engine
from minitorch_cifar import nn
from minitorch_cifar.utils.tensorboard import SummaryWriter


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def pixels(*shape: int) -> np.ndarray:
    return rng().integers(0, 256, shape, dtype=np.uint8)


def floats(*shape: int) -> np.ndarray:
    return rng().normal(0.5, 0.5, shape).astype(np.float32)


CALLS: dict[str, Callable[[Any, Any], None]] = {
    "scalar": lambda w, lib: w.add_scalar("y = x", 3, 5),
    "scalar of a tensor": lambda w, lib: w.add_scalar("loss", lib.tensor([[2.5]]), global_step=1),
    "scalar of an array": lambda w, lib: w.add_scalar("loss", np.float64(0.1), 2, walltime=12.0),
    "scalar with the time last": lambda w, lib: w.add_scalar("test_loss", 7.25, 7.25, 0),
    "scalar of the new style": lambda w, lib: w.add_scalar("a", 1.5, 0, new_style=True),
    "scalar in float64": lambda w, lib: w.add_scalar("a", 0.1, 0, new_style=True, double_precision=True),
    "scalar without a step": lambda w, lib: w.add_scalar("a", 1.5),
    "scalars": lambda w, lib: w.add_scalars("run/14", {"sin": 0.5, "cos": lib.tensor(0.25)}, 3),
    "image": lambda w, lib: w.add_image("i", lib.from_numpy(floats(3, 5, 4)), 1),
    "image of one channel": lambda w, lib: w.add_image("i", lib.from_numpy(floats(1, 5, 4)), 1),
    "image of four channels": lambda w, lib: w.add_image("i", pixels(4, 5, 4), 1),
    "image HWC": lambda w, lib: w.add_image("i", pixels(6, 5, 3), 1, dataformats="HWC"),
    "image hwc of bytes": lambda w, lib: w.add_image("i", lib.from_numpy(pixels(6, 5, 3)), 1, None, "hwc"),
    "image HW": lambda w, lib: w.add_image("i", floats(6, 5), 1, dataformats="HW"),
    "image WH": lambda w, lib: w.add_image("i", floats(6, 5), 1, dataformats="WH"),
    "images": lambda w, lib: w.add_images("i", lib.from_numpy(floats(11, 3, 4, 5)), 2),
    "images grey": lambda w, lib: w.add_images("i", lib.from_numpy(floats(3, 1, 4, 5)), 2),
    "images NHWC": lambda w, lib: w.add_images("i", pixels(3, 4, 5, 3), 2, dataformats="NHWC"),
    "images of one": lambda w, lib: w.add_images("i", pixels(4, 5), 2, dataformats="HW"),
    "histogram": lambda w, lib: w.add_histogram("h", lib.from_numpy(floats(20, 30)), 4),
    "histogram of whole numbers": lambda w, lib: w.add_histogram("h", lib.arange(10), 4),
    "histogram with joined bins": lambda w, lib: w.add_histogram("h", floats(100), 4, max_bins=7),
    "histogram of automatic bins": lambda w, lib: w.add_histogram("h", floats(100), 4, "auto", max_bins=3),
    "histogram of equal values": lambda w, lib: w.add_histogram("h", np.zeros(3), 4),
    "raw histogram": lambda w, lib: w.add_histogram_raw("h", 0, 1, 3, 1.5, 0.75, [0.5, 1.0], [2, 1], 4),
    "precision and recall": lambda w, lib: w.add_pr_curve("pr", *judged(lib, 200), 4),
    "precision and recall, few": lambda w, lib: w.add_pr_curve("pr", *judged(lib, 50), 4, num_thresholds=10),
    "precision and recall, many": lambda w, lib: w.add_pr_curve("pr", *judged(lib, 50), num_thresholds=500),
    "precision and recall of arrays": lambda w, lib: w.add_pr_curve(
        "pr", pixels(9) > 100, np.linspace(0, 1, 9), 4, weights=np.arange(9.0)
    ),
    "raw precision and recall": lambda w, lib: w.add_pr_curve_raw("pr", *floats(6, 5), 4, num_thresholds=5),
    "text": lambda w, lib: w.add_text("notes", "**größer**", 9),
    "figure": lambda w, lib: w.add_figure("f", figure(), 3),
    "hparams": lambda w, lib: w.add_hparams(settings(lib), {"acc": 0.5}, {"lr": [0.1, 0.5]}, "first", 3),
    "figures": lambda w, lib: w.add_figure("f", [figure(), figure()], 3, close=True),
}


def judged(lib: Any, count: int) -> tuple[Any, Any]:
    """True labels and predicted probabilities, 0 and 1 among them."""
    confidence = rng().random(count).astype(np.float32)
    confidence[:2] = 0, 1
    return lib.from_numpy(pixels(count) % 2), lib.from_numpy(confidence)


def settings(lib: Any) -> dict[str, Any]:
    return {"lr": 0.1, "bn": True, "net": "quick", "size": lib.tensor(4.0).reshape(1), "none": None}


def figure() -> Any:
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(1, 1))
    drawn.subplots().plot([1, 3, 2])
    return drawn


def events(folder: Path) -> dict[str, list[Any]]:
    """Everything in the event files below a folder, by the file's folder."""
    found: dict[str, list[Any]] = {}
    for path in sorted(folder.rglob("events*")):
        loaded = [Event.FromString(raw) for raw in RawEventFileLoader(str(path)).Load()]
        found.setdefault(str(path.parent.relative_to(folder)), []).extend(loaded)
    return found


def messages(folder: Path) -> dict[str, list[Any]]:
    """What was written, without the times at which it was."""
    return {
        place: [(event.step, event.summary) for event in loaded if event.HasField("summary")]
        for place, loaded in events(folder).items()
    }


@pytest.mark.parametrize("name", CALLS)
def test_messages_are_pytorchs(name: str, tmp_path: Path) -> None:
    for writer_class, library, folder in ((SummaryWriter, engine, "ours"), (TorchWriter, torch, "theirs")):
        with writer_class(str(tmp_path / folder)) as writer:
            CALLS[name](writer, library)
    ours, theirs = messages(tmp_path / "ours"), messages(tmp_path / "theirs")
    assert sum(map(len, theirs.values())) >= 1
    assert ours == theirs


@pytest.mark.parametrize(
    "call",
    [
        lambda w, lib: w.add_scalar("s", lib.ones(2)),
        lambda w, lib: w.add_scalar("s", [1]),
        lambda w, lib: w.add_image("i", lib.ones(3, 4, 4, 4)),
        lambda w, lib: w.add_image("i", lib.ones(3, 4, 4), dataformats="CHH"),
        lambda w, lib: w.add_images("i", lib.ones(2, 6, 4, 4)),
        lambda w, lib: w.add_histogram("h", lib.ones(0)),
        lambda w, lib: w.add_histogram_raw("h", 0, 1, 1, 1, 1, [1.0], [1, 2]),
        lambda w, lib: w.add_hparams([], {}),
        lambda w, lib: w.add_hparams({"lr": 1}, {}, {"size": [1]}),
        lambda w, lib: w.add_hparams({"lr": object()}, {}),
    ],
)
def test_refusals_are_pytorchs(call: Callable[[Any, Any], None], tmp_path: Path) -> None:
    raised = []
    for writer_class, library in ((SummaryWriter, engine), (TorchWriter, torch)):
        with writer_class(str(tmp_path)) as writer, pytest.raises(Exception, match=r"\w") as caught:
            call(writer, library)
        raised.append(caught.type)
    assert raised[0] is raised[1]


def test_axes_that_are_none_are_refused(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer, pytest.raises(ValueError, match="dataformats='CHX'"):
        writer.add_image("i", np.ones((3, 4, 4)), dataformats="CHX")


def test_tensorboard_reads_it(tmp_path: Path) -> None:
    picture = pixels(4, 5, 3)
    writer = SummaryWriter(log_dir=tmp_path)
    for step in range(3):
        writer.add_scalar("loss", 1 / (step + 1), step)
    writer.add_image("picture", picture, 1, dataformats="HWC")
    writer.add_histogram("weights", floats(50), 2)
    writer.add_text("notes", "text")
    writer.add_pr_curve("curve", engine.tensor([1, 0, 1]), engine.tensor([1.0, 0.25, 0.0]), 3, 5)
    writer.flush()
    loaded = EventAccumulator(str(tmp_path))
    loaded.Reload()
    assert [(e.step, e.value) for e in loaded.Scalars("loss")] == [
        (step, pytest.approx(1 / (step + 1))) for step in range(3)
    ]
    (image,) = loaded.Images("picture")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(image.encoded_image_string))), picture)
    (histogram,) = loaded.Histograms("weights")
    assert (histogram.step, histogram.histogram_value.num) == (2, 50)
    assert loaded.Tags()["tensors"] == ["notes/text_summary", "curve"]
    assert list(loaded.PluginTagToContent("pr_curves")) == ["curve"]
    (curve,) = loaded.Tensors("curve")
    true_positives, false_positives, *_, precision, recall = make_ndarray(curve.tensor_proto)
    assert true_positives.tolist() == [2, 1, 1, 1, 1]  # of thresholds 0, 0.25, ..., 1
    assert false_positives.tolist() == [1, 1, 0, 0, 0]
    assert np.allclose(precision, [2 / 3, 1 / 2, 1, 1, 1])
    assert np.allclose(recall, [1, 1 / 2, 1 / 2, 1 / 2, 1 / 2])
    writer.close()


def test_a_closed_writer_opens_a_new_file(tmp_path: Path) -> None:
    writer = SummaryWriter(tmp_path, filename_suffix=".run")
    writer.add_scalar("a", 1.0, 0)
    writer.close()
    writer.close()
    writer.flush()
    assert len(list(tmp_path.glob("events*.run"))) == 1
    writer.add_scalar("a", 2.0, 1)
    writer.close()
    assert [step for step, _ in messages(tmp_path)["."]] == [0, 1]


def test_purge_step_is_noted_as_pytorch_does(tmp_path: Path) -> None:
    for writer_class, folder in ((SummaryWriter, "ours"), (TorchWriter, "theirs")):
        writer_class(str(tmp_path / folder), purge_step=5).close()
    kinds = {
        folder: [(e.step, e.WhichOneof("what"), e.session_log) for e in events(tmp_path / folder)["."]]
        for folder in ("ours", "theirs")
    }
    assert len(kinds["ours"]) == 3
    assert kinds["ours"] == kinds["theirs"]


def test_the_default_folder_is_pytorchs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with SummaryWriter(comment="_lr") as writer:
        assert writer.get_logdir() == writer.log_dir
        assert Path(writer.log_dir).is_dir()
    (folder,) = (tmp_path / "runs").iterdir()
    with TorchWriter(comment="_lr") as writer:
        assert folder.name.split("_")[2:] == Path(writer.log_dir).name.split("_")[2:]


def test_counts_of_a_curve_take_no_weights(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer, pytest.raises(ValueError, match="takes no weights"):
        writer.add_pr_curve_raw("pr", *floats(6, 5), 4, 5, weights=[1.0])


def test_what_is_missing_says_so(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        with pytest.raises(AttributeError, match=r"'add_imagee'.*not part of .*'add_image'"):
            writer.add_imagee("i")
        with pytest.raises(AttributeError, match="'add_video': it is not part of minitorch_cifar"):
            writer.add_video("v")


def test_without_tensorboard_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("minitorch_cifar.utils.tensorboard")]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def missing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == "tensorboard":
            raise ImportError(f"No module named {name!r}")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match=r"pip install 'minitorch-cifar\[tensorboard\]'"):
        importlib.import_module("minitorch_cifar.utils.tensorboard")


# Graphs ---------------------------------------------------------------------------------------------------


class Residual(nn.Module):
    """Two paths, a parameter used outside of layers, a function without a module."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Dropout(0.5))
        self.scale = nn.Parameter(engine.ones(4))
        self.head = nn.Linear(4, 2)

    def forward(self, x: Any) -> Any:
        return self.head(self.body(x) * self.scale + x)


def graph_of(folder: Path) -> dict[str, Any]:
    """The nodes TensorBoard finds, by name."""
    loaded = EventAccumulator(str(folder))
    loaded.Reload()
    drawn = GraphDef.FromString(loaded.Graph().SerializeToString())
    assert len({node.name for node in drawn.node}) == len(drawn.node)
    return {node.name: node for node in drawn.node}


def sizes(node: Any) -> list[int]:
    return [dim.size for dim in node.attr["_output_shapes"].list.shape[0].dim]


def test_add_graph_draws_modules_as_boxes(tmp_path: Path) -> None:
    model = Residual()
    model.body[1].eval()
    generator_before = engine.get_rng_state()
    with SummaryWriter(tmp_path) as writer:
        writer.add_graph(model, engine.ones(3, 4))
    nodes = graph_of(tmp_path)
    boxes = {name.rpartition("/")[0] for name in nodes}
    assert boxes >= {
        "Residual",
        "Residual/Sequential[body]/Linear[0]",
        "Residual/Sequential[body]/ReLU[1]",
        "Residual/Linear[head]",
        "input",
        "output",
    }
    places = {node.op: name.rpartition("/")[0] for name, node in nodes.items()}
    assert places["Relu"] == "Residual/Sequential[body]/ReLU[1]"
    assert places["Mul"] == places["Add"] == "Residual"
    assert {"Residual/scale", "Residual/Linear[head]/weight", "Residual/Linear[head]/bias"} <= set(nodes)
    assert sizes(nodes["Residual/Linear[head]/weight"]) == [2, 4]
    assert sizes(nodes["input/input0"]) == [3, 4]
    assert sizes(nodes["output/output.1"]) == [3, 2]
    for node in nodes.values():
        assert set(node.input) <= set(nodes), f"{node.name} hangs in the air"
    # Every path back from the output ends at the input or at a parameter, and all parameters are on one.
    seen, todo = set(), ["output/output.1"]
    while todo:
        name = todo.pop()
        seen.add(name)
        todo.extend(nodes[name].input)
    assert seen == set(nodes)
    assert {node.op for node in nodes.values() if not node.input} == {"IO Node", "Parameter"}
    assert len([node for node in nodes.values() if "input/input0" in node.input]) == 2  # the diamond
    # The model is as it was before.
    assert model.training
    assert model.body[0].training
    assert not model.body[1].training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not model.head._forward_hooks
    assert bool((engine.get_rng_state() == generator_before).all())


def test_add_graph_takes_several_inputs_and_whole_numbers(tmp_path: Path) -> None:
    class Two(nn.Module):
        def forward(self, x: Any, y: Any) -> Any:
            return x + y, x[y]

    with SummaryWriter(tmp_path) as writer, engine.no_grad():
        writer.add_graph(Two(), (engine.ones(3), engine.tensor([0, 1, 2])))
    nodes = graph_of(tmp_path)
    assert {"input/input0", "input/input1", "output/output.1", "output/output.2"} <= set(nodes)


def test_add_graph_refuses_what_is_no_tensor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Named(nn.Module):
        def forward(self, x: Any) -> Any:
            return {"y": x * 2}

    with SummaryWriter(tmp_path) as writer:
        with pytest.raises(TypeError, match="input_to_model must hold tensors, got NoneType"):
            writer.add_graph(Named())
        with pytest.raises(RuntimeError, match="use_strict_trace=False allows it"):
            writer.add_graph(Named(), engine.ones(2))
        writer.add_graph(Named(), engine.ones(2), verbose=True, use_strict_trace=False)
    assert 'name: "Named/Mul_' in capsys.readouterr().out
    assert "output/output.1" in graph_of(tmp_path)
