"""Training: the loop takes PyTorch's steps, measures honestly, and goes on after a stop as if there had been
none.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import minitorch_cifar as mt
from minitorch_cifar.learn import run as run_module
from minitorch_cifar.learn.checkpoint import load_checkpoint, save_checkpoint
from minitorch_cifar.learn.data import Pictures, open_pictures
from minitorch_cifar.learn.errors import UserError
from minitorch_cifar.learn.evaluation import evaluate
from minitorch_cifar.learn.run import train
from minitorch_cifar.learn.run_folder import RunFolder, choose_folder
from minitorch_cifar.learn.training import Training
from minitorch_cifar.models import Normalization
from minitorch_cifar.vision.datasets import Shapes10
from reference import networks

from .conftest import Recorder, small

CLASSES = tuple(Shapes10.classes)


def weights(training: Any) -> dict[str, Any]:
    return {name: tensor.numpy().copy() for name, tensor in training.network.state_dict().items()}


def assert_equal_weights(actual: dict[str, Any], expected: dict[str, Any]) -> None:
    assert list(actual) == list(expected)
    for name in expected:
        np.testing.assert_array_equal(actual[name], expected[name], err_msg=name)


def test_the_reporter_is_told_everything_in_order(tmp_path: Path) -> None:
    recorder = Recorder()
    train(small(), RunFolder(tmp_path), recorder)
    steps = [[("step", epoch, 1, 12), ("step", epoch, 2, 12), ("step", epoch, 3, 6)] for epoch in (1, 2)]
    assert recorder.events == [
        ("begin", 0),
        *steps[0],
        ("test", 1),
        ("epoch", 1),
        *steps[1],
        ("test", 2),
        ("epoch", 2),
    ]


def test_the_steps_are_those_that_pytorch_takes() -> None:
    """A whole epoch against a loop in PyTorch on the same batches.

    In float64: in float32 a rounding error may choose another element of a pooling window.
    """
    settings = small(model="bn", epochs=1)
    training = Training(settings)
    training.network.double()
    theirs = networks.bn().double()
    theirs.load_state_dict({name: torch.from_numpy(value) for name, value in weights(training).items()})
    optimizer = torch.optim.SGD(theirs.parameters(), lr=settings.lr, momentum=settings.momentum)
    batches = [(images.double(), labels) for images, labels in training.loader]
    training.loader = batches
    tests = [(x.double(), k) for x, k in training.test_pictures.dataset]
    training.test_pictures = Pictures(tests, CLASSES)
    row = training.run_epoch(Recorder())
    losses = []
    for images, labels in batches:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(
            theirs(torch.from_numpy(images.numpy())), torch.from_numpy(labels.numpy())
        )
        loss.backward()
        optimizer.step()
        losses.append(loss.item() * len(labels))
    assert row["train_loss"] == pytest.approx(sum(losses) / 30, rel=1e-10)
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(
            weights(training)[name], value.numpy(), rtol=1e-8, atol=1e-10, err_msg=name
        )


def test_an_epoch_sees_every_picture_once() -> None:
    training = Training(small(batch_size=7))
    seen = [picture.tobytes() for images, _ in training.loader for picture in images.numpy()]
    expected = [training.train_pictures.dataset[i][0].numpy().tobytes() for i in range(30)]
    assert sorted(seen) == sorted(expected)
    assert seen != expected  # shuffled


def test_the_same_seed_gives_the_same_run_and_another_seed_another(tmp_path: Path) -> None:
    runs = [
        weights(train(small(seed=seed, epochs=1), RunFolder(tmp_path / str(i)), Recorder(), workers=workers))
        for i, (seed, workers) in enumerate([(3, 0), (3, 0), (3, 2), (4, 0)])
    ]
    assert_equal_weights(runs[1], runs[0])
    assert_equal_weights(runs[2], runs[0])
    assert not np.array_equal(runs[3]["conv1.weight"], runs[0]["conv1.weight"])


def test_what_is_written(finished: RunFolder) -> None:
    assert sorted(path.name for path in finished.path.iterdir()) == [
        "checkpoint.pth",
        "config.json",
        "metrics.jsonl",
    ]
    assert json.loads((finished.path / "config.json").read_text()) == {
        **small(model="bn").as_dict(),
        "engine": "minitorch",
    }
    rows = [json.loads(line) for line in (finished.path / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2]
    for row in rows:
        assert list(row) == [
            "epoch",
            "train_loss",
            "test_loss",
            "test_accuracy",
            "seconds",
            "images_per_second",
        ]
        assert 0 <= row["test_accuracy"] <= 1
        assert row["images_per_second"] == pytest.approx(30 / row["seconds"])


def test_the_checkpoint_is_what_was_measured(finished: RunFolder) -> None:
    checkpoint = load_checkpoint(finished.path)
    tested = evaluate(checkpoint.network(), open_pictures("shapes10", False, checkpoint.normalization, 30))
    assert tested.accuracy == checkpoint.metrics[-1]["test_accuracy"]
    assert tested.loss == checkpoint.metrics[-1]["test_loss"]


def test_pytorch_opens_the_checkpoint(finished: RunFolder) -> None:
    content = torch.load(finished.checkpoint, weights_only=True)
    assert content["epoch"] == 2
    assert content["normalization"] == {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
    network = networks.bn()
    network.load_state_dict(content["model"])
    torch.optim.SGD(network.parameters(), lr=0.1).load_state_dict(content["optimizer"])
    pictures = open_pictures("shapes10", False, Normalization(), 30)
    x = np.stack([pictures.dataset[i][0].numpy() for i in range(30)])
    with torch.no_grad():
        theirs = network.eval()(torch.from_numpy(x)).numpy()
    with mt.no_grad():
        ours = load_checkpoint(finished.path).network()(mt.from_numpy(x)).numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_resumed_run_ends_like_one_that_was_never_stopped(tmp_path: Path) -> None:
    whole = train(small(model="bn", epochs=3), RunFolder(tmp_path / "whole"), Recorder())
    stopped = RunFolder(tmp_path / "stopped")
    train(small(model="bn", epochs=1), stopped, Recorder())
    mt.manual_seed(999)
    recorder = Recorder()
    resumed = train(small(model="bn", epochs=3), stopped, recorder, resume=True)
    assert recorder.events[0] == ("begin", 1)
    assert_equal_weights(weights(resumed), weights(whole))
    for row, expected in zip(resumed.metrics, whole.metrics, strict=True):
        assert [row[k] for k in ("epoch", "train_loss", "test_loss", "test_accuracy")] == [
            expected[k] for k in ("epoch", "train_loss", "test_loss", "test_accuracy")
        ]


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    first = train(small(), folder, Recorder())
    recorder = Recorder()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    second = train(small(epochs=1), folder, recorder, resume=True)
    assert recorder.events == [("begin", 2)]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert_equal_weights(weights(second), weights(first))


def test_a_kill_between_metrics_and_checkpoint_leaves_no_epoch_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path)

    def killed(checkpoint: Any, path: Any) -> None:
        if checkpoint.epoch == 2:
            raise KeyboardInterrupt
        save_checkpoint(checkpoint, path)

    monkeypatch.setattr(run_module, "save_checkpoint", killed)
    with pytest.raises(KeyboardInterrupt):
        train(small(epochs=3), folder, Recorder())
    monkeypatch.undo()
    train(small(epochs=3), folder, Recorder(), resume=True)
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3]


@pytest.mark.filterwarnings("error")  # the message is all that is said
@pytest.mark.parametrize(("model", "advice"), [("lenet", "0.001"), ("quick", "0.01"), ("bn", "0.01")])
@pytest.mark.parametrize("lr", [1e6, 1e30])
def test_a_loss_that_is_no_number_stops_with_step_layer_and_advice(
    tmp_path: Path, model: str, lr: float, advice: str
) -> None:
    said = (
        r"the loss became (nan|inf) in epoch 1, step \d+ \(first (nan|inf) in .*layer [\w.]+ \(\w+\).*\): .*"
    )
    with pytest.raises(UserError, match=f"{said}--lr {advice}$"):
        train(small(model=model, lr=lr), RunFolder(tmp_path), Recorder())
    assert not (tmp_path / "checkpoint.pth").exists()
    train(small(epochs=1), choose_folder(small(), str(tmp_path)), Recorder())  # nothing is in the way


def break_weight(training: Training, name: str) -> None:
    dict(training.network.named_parameters())[name].detach().view(-1)[0] = float("nan")


def test_the_layer_where_it_went_wrong_is_named() -> None:
    for name, said in (
        ("conv2.bias", r"layer conv2 \(Conv2d\), whose bias is nan"),
        ("fc3.weight", "layer fc3"),
    ):
        training = Training(small())
        break_weight(training, name)
        with pytest.raises(UserError, match=f"step 1 .*first nan in {said}"):
            training.run_epoch(Recorder())


def test_the_advice_is_a_tenth_when_that_is_less_than_the_default() -> None:
    training = Training(small(lr=0.002))
    break_weight(training, "conv1.weight")
    with pytest.raises(UserError, match=r"--lr 0\.0002$"):
        training.run_epoch(Recorder())


def test_an_epoch_whose_last_step_broke_the_network_is_not_saved(tmp_path: Path) -> None:
    """Guards the last good checkpoint: the loss of a step is that of the weights before it."""
    folder = RunFolder(tmp_path)
    train(small(epochs=1), folder, Recorder())
    before = folder.checkpoint.read_bytes()

    class Breaker(Recorder):
        def begin(self, training: Training, folder: RunFolder) -> None:
            self.training = training

        def test(self, epoch: int) -> None:
            break_weight(self.training, "fc1.weight")

    with pytest.raises(UserError, match="test loss became nan") as caught:
        train(small(epochs=2), folder, Breaker(), resume=True)
    assert f"{folder} keeps the network after epoch 1" in caught.value.__notes__[0]
    assert folder.checkpoint.read_bytes() == before


def test_a_checkpoint_of_other_settings_is_not_resumed(tmp_path: Path) -> None:
    """Guards a run whose config.json was changed by hand: the optimizer's state would win without a word."""
    train(small(epochs=1), RunFolder(tmp_path), Recorder())
    with pytest.raises(UserError, match=r"started with --lr 0\.01 and cannot be resumed with --lr 0\.5"):
        train(small(lr=0.5), RunFolder(tmp_path), Recorder(), resume=True)


def test_a_run_killed_before_its_first_checkpoint_leaves_no_line_behind(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_config(small())
    folder.write_metrics([{"epoch": 1, "left": "over"}])

    class Looker(Recorder):
        def begin(self, training: Training, folder: RunFolder) -> None:
            self.metrics_at_begin = (folder.path / "metrics.jsonl").exists()

    looker = Looker()
    train(small(epochs=1), folder, looker)
    assert looker.metrics_at_begin is False


def test_a_disk_that_fails_is_a_user_error_and_the_last_checkpoint_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path)
    train(small(epochs=1), folder, Recorder())
    before = folder.checkpoint.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_module, "save_checkpoint", full)
    with pytest.raises(UserError, match="No space left"):
        train(small(epochs=2), folder, Recorder(), resume=True)
    assert folder.checkpoint.read_bytes() == before


def test_evaluation_counts_each_class_and_restores_the_mode() -> None:
    pictures = open_pictures("shapes10", False, Normalization(), 40)

    class Constant(mt.nn.Module):
        def forward(self, x: Any) -> Any:
            scores = mt.zeros(len(x), 10)
            scores[:, 3] = 1.0
            return scores

    network = Constant().train()
    result = evaluate(network, pictures)
    labels = [pictures.dataset[i][1] for i in range(40)]
    assert result.counts == tuple(labels.count(k) for k in range(10))
    assert result.correct == tuple(labels.count(3) if k == 3 else 0 for k in range(10))
    assert result.accuracy == labels.count(3) / 40
    log_total = np.log(np.e + 9)
    assert result.loss == pytest.approx((40 * log_total - labels.count(3)) / 40, rel=1e-6)
    assert network.training
