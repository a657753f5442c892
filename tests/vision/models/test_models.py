"""VGG and ResNet beside torchvision's: printed forms, weights from a seed, numbers, files, downloads."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision

import minitorch_cifar as engine
from minitorch_cifar.vision import models
from minitorch_cifar.vision.datasets import DatasetError
from minitorch_cifar.vision.models import vgg, weights

RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
VGGS = ("vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn")
OPTIONS: list[dict[str, Any]] = [
    {},
    {"zero_init_residual": True, "num_classes": 7},
    {"replace_stride_with_dilation": [False, True, True], "groups": 2, "width_per_group": 32},
]


def same_weights(ours: Any, theirs: Any) -> None:
    """Every entry of both state dicts bit by bit."""
    mine, reference = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(reference)
    for name, value in reference.items():
        assert np.array_equal(mine[name].numpy(), value.numpy()), name


@pytest.mark.parametrize("name", RESNETS)
def test_resnets_print_as_torchvisions(name: str) -> None:
    with torch.device("meta"):
        theirs = getattr(torchvision.models, name)()
    if name in ("resnet101", "resnet152"):
        ours = getattr(models, name)(width_per_group=4)  # the full width only takes time
        with torch.device("meta"):
            theirs = getattr(torchvision.models, name)(width_per_group=4)
    else:
        ours = getattr(models, name)()
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("name", VGGS)
def test_vgg_features_print_as_torchvisions(name: str) -> None:
    with torch.device("meta"):
        theirs = getattr(torchvision.models, name)()
    depth, _, norm = name.removeprefix("vgg").partition("_")
    assert repr(vgg._features(int(depth), bool(norm))) == repr(theirs.features)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_resnet_draws_torchvisions_weights(options: dict[str, Any]) -> None:
    name = "resnet50" if "groups" in options else "resnet18"
    torch.manual_seed(5)
    engine.manual_seed(5)
    same_weights(getattr(models, name)(**options), getattr(torchvision.models, name)(**options))


def test_resnet_computes_what_torchvisions_does() -> None:
    """In training, float64: scores, gradients of all parameters and of the picture, running statistics."""
    torch.manual_seed(1)
    theirs = torchvision.models.resnet18(num_classes=5).double()
    ours = models.resnet18(num_classes=5).double()
    ours.load_state_dict({k: engine.from_numpy(v.numpy().copy()) for k, v in theirs.state_dict().items()})
    rng = np.random.default_rng(0)
    pictures, upstream = rng.normal(size=(3, 3, 40, 33)), rng.normal(size=(3, 5))
    x, y = torch.tensor(pictures, requires_grad=True), engine.tensor(pictures, requires_grad=True)
    theirs(x).backward(torch.from_numpy(upstream))
    ours(y).backward(engine.from_numpy(upstream))
    parts = [("picture", y.grad.numpy(), x.grad.numpy())]
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        parts.append((name, p.grad.numpy(), q.grad.numpy()))
    for (name, p), q in zip(ours.named_buffers(), theirs.buffers(), strict=True):
        parts.append((name, p.numpy(), q.numpy()))
    assert len(parts) > 100
    for name, mine, reference in parts:
        np.testing.assert_allclose(
            mine, reference, rtol=1e-9, atol=1e-10 * max(1, abs(reference).max()), err_msg=name
        )


def test_vgg_computes_and_prints_what_torchvisions_does(tmp_path: Path) -> None:
    """Its own weights, drawn from the seed, and those of torchvision's, read from a file by its path."""
    torch.manual_seed(2)
    theirs = torchvision.models.vgg11(num_classes=10, dropout=0.0)
    engine.manual_seed(2)
    ours = models.vgg11(num_classes=10, dropout=0.0)
    assert repr(ours) == repr(theirs)
    same_weights(ours, theirs)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_(0.001)
    torch.save(theirs.state_dict(), tmp_path / "vgg.pth")
    assert str(ours.load_state_dict(engine.load(tmp_path / "vgg.pth"))) == "<All keys matched successfully>"
    pictures = np.random.default_rng(1).normal(size=(2, 3, 32, 48)).astype(np.float32)
    theirs.eval()
    ours.eval()
    expected = theirs(torch.from_numpy(pictures)).detach().numpy()
    found = ours(engine.from_numpy(pictures)).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * abs(expected).max())


def families() -> list[str]:
    return [name for name in models.__all__ if name.endswith("_Weights")]


@pytest.mark.parametrize("name", families())
def test_weights_are_torchvisions(name: str) -> None:
    ours, theirs = getattr(models, name), getattr(torchvision.models, name)
    assert repr(ours.DEFAULT) == repr(theirs.DEFAULT)
    for member in ours:
        other = theirs[member.name]
        assert (member.url, repr(member)) == (other.url, repr(other))
        for fact in ("categories", "num_params", "min_size"):
            assert member.meta[fact] == other.meta[fact], fact
        assert repr(member.transforms()) == repr(other.transforms())


def test_the_transform_of_weights_is_torchvisions() -> None:
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    ours = models.ResNet50_Weights.DEFAULT.transforms()
    theirs = torchvision.models.ResNet50_Weights.DEFAULT.transforms()
    picture = Image.fromarray(pixels)
    np.testing.assert_allclose(ours(picture).numpy(), theirs(picture).numpy(), rtol=1e-6, atol=1e-6)
    tensor = pixels.transpose(2, 0, 1).copy()
    found, expected = ours(engine.from_numpy(tensor)).numpy(), theirs(torch.from_numpy(tensor)).numpy()
    assert abs(found - expected).max() < 0.02  # one grey level, where resizing rounds a half


def test_wrong_weights_are_refused_alike() -> None:
    for library in (models, torchvision.models):
        with pytest.raises(KeyError):
            library.resnet18(weights="IMAGENET")
        with pytest.raises(TypeError, match="expected ResNet18_Weights but received ResNet34_Weights"):
            library.resnet18(weights=library.ResNet34_Weights.DEFAULT)
        with pytest.raises(ValueError, match="expected value 1000 but got 10 instead"):
            library.resnet18(weights="DEFAULT", num_classes=10)
        with pytest.raises(ValueError, match="3-element tuple"):
            library.resnet50(replace_stride_with_dilation=[True])
        with pytest.raises(NotImplementedError, match="Dilation > 1"):
            library.resnet18(replace_stride_with_dilation=[True, True, True])
        with pytest.raises(ValueError, match="groups=1"):
            library.resnet18(groups=2)
        with pytest.raises(TypeError, match="wide"):
            library.resnet18(wide=2)


def test_the_old_name_pretrained_warns_and_works() -> None:
    for library in (models, torchvision.models):
        with pytest.warns(UserWarning, match="deprecated") as caught:
            library.resnet18(pretrained=False, num_classes=2)
        texts = [str(warning.message) for warning in caught]
        assert texts[0].startswith("The parameter 'pretrained' is deprecated since 0.13")
        assert "equivalent to passing `weights=None`" in texts[1]


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves one file and counts how often it was asked for."""

    def do_HEAD(self) -> None:
        self.send_response(200)
        if self.server.says_size:
            self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()

    def do_GET(self) -> None:
        self.server.asked += 1
        self.do_HEAD()
        self.wfile.write(self.server.content)

    def log_message(self, *_: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    content = b""
    says_size = True
    asked = 0


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def published(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A resnet18 of torchvision's as its published weights, on a server of this machine."""
    theirs = torchvision.models.resnet18()
    torch.save(theirs.state_dict(), tmp_path / "published.pth")
    server.content = (tmp_path / "published.pth").read_bytes()
    checksum = hashlib.sha256(server.content).hexdigest()[:8]
    url = f"http://127.0.0.1:{server.server_port}/resnet18-{checksum}.pth"
    member = models.ResNet18_Weights.DEFAULT
    monkeypatch.setattr(member, "_value_", weights.Weights(url, member.transforms, member.meta))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    return theirs


@pytest.mark.parametrize(
    "how", ["DEFAULT", "ResNet18_Weights.IMAGENET1K_V1", models.ResNet18_Weights.DEFAULT]
)
def test_weights_are_downloaded_once(
    published: Any, server: Server, how: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    same_weights(models.resnet18(weights=how), published)
    assert "Downloading" in capsys.readouterr().err
    same_weights(models.resnet18(weights=how), published)
    assert server.asked == 1
    kept = weights.checkpoint_folder()
    assert [path.name for path in kept.iterdir()] == [Path(models.ResNet18_Weights.DEFAULT.url).name]
    assert capsys.readouterr().err == ""


def test_no_progress_is_shown_when_not_wanted(published: Any, capsys: pytest.CaptureFixture[str]) -> None:
    same_weights(models.resnet18(weights="DEFAULT", progress=False), published)
    assert capsys.readouterr().err == ""


def test_weights_of_another_checksum_are_refused(published: Any, server: Server) -> None:
    server.content = server.content[:-1] + b"!"
    with pytest.raises(DatasetError, match=r"wrong content: SHA256 [0-9a-f]{64}, expected [0-9a-f]{8}"):
        models.resnet18(weights="DEFAULT")
    assert not list(weights.checkpoint_folder().glob("*.pth"))


def test_a_damaged_file_in_the_cache_is_fetched_anew(published: Any, server: Server) -> None:
    path = weights.checkpoint_folder() / Path(models.ResNet18_Weights.DEFAULT.url).name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"damaged")
    same_weights(models.resnet18(weights="DEFAULT"), published)
    assert server.asked == 1


def test_a_server_must_say_the_size_and_a_name_hold_the_checksum(published: Any, server: Server) -> None:
    server.says_size = False
    with pytest.raises(DatasetError, match="does not say how large"):
        models.resnet18(weights="DEFAULT")
    with pytest.raises(ValueError, match="does not hold a checksum"):
        weights.load_state_dict_from_url("https://example.org/resnet18.pth")
