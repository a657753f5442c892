"""`compat.install()`: a process in which `import torch` is the engine; each test brings its own process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from minitorch_cifar.version import FOLLOWED, __version__

INSTALL = "from minitorch_cifar import compat\ncompat.install()\n"
COMPAT = ("-m", "minitorch_cifar.compat")


def run(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Python with these arguments, in a process that finds the engine."""
    here = str(Path(__file__).resolve().parent.parent)
    environment = {**os.environ, "PYTHONPATH": here}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment, cwd=folder, check=False
    )


def output_of(program: str) -> str:
    """What the program prints; it must end well."""
    done = run("-c", program)
    assert done.returncode == 0, done.stderr
    return done.stdout


def last_line_of_error(program: str) -> str:
    done = run("-c", program)
    assert done.returncode == 1, done.stdout
    return done.stderr.strip().splitlines()[-1]


def test_the_modules_are_the_engine_s_own_and_stay_as_they_were() -> None:
    """Guards against copies of modules under two names, whose classes would not be the same."""
    output_of(
        INSTALL
        + """
import torch, torchvision
import torch.nn as nn, torch.nn.functional as F, torch.optim.lr_scheduler, torch.utils.data, torch.autograd
import torch.nn.init, torch.backends.cudnn, torch.cuda, torch.utils.data.sampler, torch.optim.sgd
import torch.random
import torchvision.transforms as transforms, torchvision.datasets, torchvision.utils
import torchvision.transforms.functional
from torch.utils.data import DataLoader
from torchvision import datasets
import sys
import minitorch_cifar as engine
assert torch is engine and torchvision is engine.vision
packages = engine.compat.PACKAGES
aliases = {name: module for name, module in sys.modules.items() if name.split(".")[0] in packages}
assert len(aliases) >= 18
for name, module in aliases.items():
    own = packages[name.split(".")[0]] + name.removeprefix(name.split(".")[0])
    assert module is sys.modules[own] and module.__name__ == module.__spec__.name == own, name
assert DataLoader is engine.utils.data.DataLoader and datasets is engine.vision.datasets
"""
    )


def test_all_public_packages_of_the_engine_are_reachable_as_torch() -> None:
    from types import ModuleType

    import minitorch_cifar
    from minitorch_cifar.compat import ROOMS

    listed = {
        name for name in minitorch_cifar.__all__ if isinstance(getattr(minitorch_cifar, name), ModuleType)
    }
    assert listed - {"vision"} <= set(ROOMS)


def test_uninstall_gives_pytorch_back() -> None:
    out = output_of(
        """
from minitorch_cifar import compat
with compat.install():
    import torch
    print(torch.__name__)
import torch
print(torch.__name__)
compat.uninstall()
print(torch.ones(1).__class__.__module__)
"""
    )
    assert out.split() == ["minitorch_cifar", "torch", "torch"]


@pytest.mark.parametrize("package", ["torch", "torchvision"])
def test_install_after_the_import_of_pytorch_is_an_error(package: str) -> None:
    stand_in = f"import sys, types\nsys.modules[{package!r}] = types.ModuleType({package!r})\n"
    error = last_line_of_error(stand_in + INSTALL)
    assert error.startswith(f"RuntimeError: compat.install(): {package} is already imported in this process")


def test_installing_twice_changes_nothing() -> None:
    assert output_of(INSTALL + INSTALL + "import sys; print(sys.meta_path.count(compat._finder))") == "1\n"


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        (
            "import torch.nn.quantised",
            "No module named 'torch.nn.quantised': it is not part of minitorch_cifar.",
        ),
        ("import torch.kernels", "No module named 'torch.kernels': it is not part of minitorch_cifar."),
        (
            "import torch.util.data",
            "No module named 'torch.util': it is not part of minitorch_cifar. Did you mean",
        ),
        ("from torch.nn import Conv4d", "Did you mean: 'Conv2d'?"),
        ("from torch.nn.functional import conv4d", "from 'torch.nn.functional': it is not part of"),
        ("from torchvision.datasets import CIFAR11", "from 'torchvision.datasets': it is not part of"),
        (
            "from torch.nn.init import ones",
            "from 'torch.nn.init': it is not part of minitorch_cifar. Did",
        ),
        ("from torch.nn.modules.conv import Conv4d", "from 'torch.nn.modules.conv': it is not part of"),
        ("from torch.nn.parallel import DataParallel", "No module named 'torch.nn.parallel': it is not part"),
        ("from torch.cuda.amp import autocast", "No module named 'torch.cuda.amp': it is not part of"),
        ("from torchvision.utils import draw_boxes", "from 'torchvision.utils': it is not part of"),
    ],
)
def test_importing_what_the_engine_lacks_names_the_nearest_thing(statement: str, error: str) -> None:
    last = last_line_of_error(INSTALL + "import torch, torchvision\n" + statement)
    assert last.startswith("ModuleNotFoundError: ")
    assert error in last


SUBMODULES = """
import torch, torchvision
assert isinstance(torch.nn.Conv2d(1, 1, 1), torch.nn.modules.conv.Conv2d)
assert isinstance(torch.nn.BatchNorm2d(1), torch.nn.modules.batchnorm._BatchNorm)
from torch.autograd.function import Function
from torch.autograd.gradcheck import gradcheck
from torch.autograd.variable import Variable
from torch.nn.modules import Linear, Module
from torch.nn.modules.activation import ReLU
from torch.nn.modules.batchnorm import BatchNorm2d
from torch.nn.modules.container import Sequential
from torch.nn.modules.conv import Conv2d
from torch.nn.modules.dropout import Dropout
from torch.nn.modules.flatten import Flatten
from torch.nn.modules.linear import Linear as FromItsFile
from torch.nn.modules.loss import CrossEntropyLoss, _Loss
from torch.nn.modules.module import Module as Base
from torch.nn.modules.padding import ZeroPad2d
from torch.nn.modules.pooling import MaxPool2d
from torch.nn.modules.sparse import Embedding
from torch.nn.parameter import Parameter
from torch.nn.utils.clip_grad import clip_grad_norm_
from torch.nn.utils.convert_parameters import parameters_to_vector
from torch.optim.adam import Adam
from torch.optim.adamw import AdamW
from torch.optim.optimizer import Optimizer
from torch.optim.sgd import SGD
from torch.utils.data.dataloader import DataLoader
from torch.utils.data.dataset import Dataset, random_split
from torch.utils.data.sampler import SubsetRandomSampler
from torchvision.datasets.cifar import CIFAR10
from torchvision.datasets.folder import ImageFolder
from torchvision.datasets.mnist import MNIST, FashionMNIST
from torchvision.datasets.vision import VisionDataset
from torchvision.models.resnet import BasicBlock, resnet18
from torchvision.models.vgg import vgg16
from torchvision.transforms.functional import InterpolationMode
from torchvision.transforms.transforms import Compose
nn, optim = torch.nn, torch.optim
assert Linear is FromItsFile is nn.Linear and Module is Base is nn.Module and Conv2d is nn.Conv2d
assert issubclass(CrossEntropyLoss, _Loss) and AdamW is optim.AdamW and Embedding is nn.Embedding
assert parameters_to_vector is nn.utils.parameters_to_vector and nn.utils.__name__.endswith("utils")
"""


@pytest.mark.parametrize("install", [INSTALL, ""], ids=["engine", "PyTorch"])
def test_submodules_are_where_pytorch_has_them(install: str) -> None:
    output_of(install + SUBMODULES)


VERSIONS = """
import torch, torchvision
version = torch.__version__
print(version.split("+")[0].split("."), version >= "1.0", version >= "2.2", version < "2.9", version > (1, 8))
print(version == version.split("+")[0], version <= "2.15.0", torchvision.__version__ >= "0.9", version[:2])
"""


def test_the_version_is_that_of_the_pytorch_that_is_followed() -> None:
    """Programs ask for at least some version; "2.15" is more than "2.2", though not as a string."""
    ours = output_of(INSTALL + VERSIONS)
    assert ours.splitlines() == [
        "['2', '15', '0'] True True False True",
        "False True True 2.",
    ]
    document = (Path(__file__).resolve().parent.parent / "docs" / "api.md").read_text()
    for package, followed in FOLLOWED.items():
        name = {"torch": "PyTorch"}.get(package, package)
        assert f"{name} {'.'.join(followed.split('.')[:2])}" in document
        assert followed.endswith(f".{__version__}")
    with pytest.raises(ValueError, match="starts with numbers"):
        _ = FOLLOWED["torch"] > "new"


def test_uninstall_gives_the_engine_its_own_version_back() -> None:
    assert output_of(INSTALL + "compat.uninstall(); import minitorch_cifar as m; print(m.__version__)") == (
        f"{__version__}\n"
    )


CLASSES = """
import torch
x = torch.nn.Linear(1, 1).bias
for value in (x, x.data, x.shape, x.dtype, x.device):
    print(type(value), f"{type(value)}")
"""


def test_classes_of_tensors_print_as_pytorchs_until_uninstall() -> None:
    """Learners print types; `<class 'minitorch_cifar.tensor.Tensor'>` is not what their book shows."""
    assert output_of(INSTALL + CLASSES) == output_of(CLASSES)
    after = output_of(INSTALL + "import torch\ncompat.uninstall()\nprint(torch.Tensor, torch.nn.Parameter)")
    assert after == (
        "<class 'minitorch_cifar.tensor.Tensor'> <class 'minitorch_cifar.nn.parameter.Parameter'>\n"
    )


def test_optional_imports_can_be_caught() -> None:
    program = "try:\n    from torch.distributed import nothing\nexcept ImportError:\n    print('without')\n"
    assert output_of(INSTALL + program) == "without\n"


PROGRAM = """
import sys
import torch
import helper
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def forward(self, x):
        return self.layer(x)

if __name__ == "__main__":
    torch.manual_seed(0)
    net = Net()
    if sys.argv[1] == "save":
        torch.save(net, sys.argv[2])
    else:
        net = torch.load(sys.argv[2], weights_only=False)
    print(helper.NAME, torch.__name__, isinstance(net, nn.Module), net(torch.ones(2)).item())
"""


def test_a_program_runs_from_the_command_line_and_its_whole_modules_load(tmp_path: Path) -> None:
    """The helper beside the program is found from another folder; the class is the program's own."""
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "helper.py").write_text("NAME = 'helper'\n")
    (tmp_path / "programs" / "net.py").write_text(PROGRAM)
    saved, loaded = (
        run(*COMPAT, "programs/net.py", task, "net.pth", folder=tmp_path) for task in ("save", "load")
    )
    assert saved.stdout.startswith("helper minitorch_cifar True "), saved.stderr
    assert loaded.stdout == saved.stdout, loaded.stderr
    import_only = PROGRAM.replace("import torch\n", "import minitorch_cifar as torch\n").replace(
        "from torch import", "from minitorch_cifar import"
    )
    (tmp_path / "programs" / "net.py").write_text(import_only)
    plain = run("programs/net.py", "load", "net.pth", folder=tmp_path)
    assert plain.stdout == saved.stdout, plain.stderr


def test_the_command_line_reports_mistakes_in_one_line(tmp_path: Path) -> None:
    assert run(*COMPAT).returncode == 2
    assert run(*COMPAT).stderr.startswith("usage: python -m minitorch_cifar.compat program.py")
    missing = run(*COMPAT, "nowhere.py", folder=tmp_path)
    assert (missing.returncode, missing.stderr) == (
        2,
        "minitorch_cifar.compat: there is no program nowhere.py\n",
    )
    (tmp_path / "leaves.py").write_text("import sys, torch\nsys.exit(len(sys.argv))\n")
    assert run(*COMPAT, "leaves.py", "--help", folder=tmp_path).returncode == 2


WHOLE_MODEL = """
import sys
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 2)
        )

    def forward(self, x):
        return self.body(x)

torch.manual_seed(0)
x = torch.ones(2, 3, 8, 8)
if sys.argv[1] == "save":
    torch.save(Net().eval(), "net.pth")
net = torch.load("net.pth", weights_only=False)
print(net, net(x).detach(), net.training)
"""


def test_a_whole_model_that_pytorch_saved_loads_on_the_engine(tmp_path: Path) -> None:
    """Its pickle names `torch.nn.modules.conv.Conv2d` and the like, which the engine keeps elsewhere."""
    (tmp_path / "net.py").write_text(WHOLE_MODEL)
    pytorch = run("net.py", "save", folder=tmp_path)
    engine = run(*COMPAT, "net.py", "load", folder=tmp_path)
    assert pytorch.returncode == 0, pytorch.stderr
    assert engine.stdout == pytorch.stdout, engine.stderr
    assert "Linear(in_features=36, out_features=2, bias=True)" in engine.stdout
