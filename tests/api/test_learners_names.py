"""The names that learners' programs call most, each in an expression that both libraries evaluate alike.

An expression is evaluated with `torch` and `torchvision` being PyTorch, then the engine, after the same seed.
Results are compared as types, shapes, dtypes and numbers; modules, optimizers and transforms are called or
printed. What trains or reads files has tests of its own: here it is enough that the names do their work.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

import minitorch_cifar as engine

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8))

X = "torch.linspace(-2, 3, 12).reshape(3, 4)"

# name: expression; X stands for a tensor (3, 4), P for a picture
FUNCTIONS = {
    "no_grad": "torch.no_grad()(lambda: (torch.ones(2, requires_grad=True) * 2).requires_grad)()",
    "randn": "torch.randn(3, 20)",
    "manual_seed": "(torch.manual_seed(5), torch.rand(3))[1]",
    "device": "torch.device('cuda', 1).type, str(torch.ones(1, device='cpu').device)",
    "tensor": "torch.tensor([[1, 2.5]], requires_grad=True), torch.tensor([1, 2]), torch.tensor(True)",
    "max": "torch.max(X), torch.max(X, 1), torch.max(X, dim=0).values, torch.max(X, -X)",
    "cat": "torch.cat([X, X], dim=1), torch.cat((X, X))",
    "from_numpy": "torch.from_numpy(np.arange(6.0).reshape(2, 3))",
    "ones": "torch.ones(2, 3), torch.ones((2,), dtype=torch.int64), torch.ones(1, requires_grad=True)",
    "zeros": "torch.zeros(2, 3), torch.zeros(2, dtype=torch.long)",
    "rand": "torch.rand(5, 5), torch.rand(2, requires_grad=True)",
    "arange": "torch.arange(5), torch.arange(1, 2, 0.25), torch.arange(3.0)",
    "FloatTensor": "torch.FloatTensor([1, 2]), torch.FloatTensor([[1, 2]]).type()",
    "argmax": "torch.argmax(X), torch.argmax(X, dim=1), torch.argmax(X, 0, keepdim=True)",
    "linspace": "torch.linspace(-1, 1, steps=7), torch.linspace(0, 1, 3, dtype=torch.float64)",
    "float": "torch.zeros(2, dtype=torch.float).dtype is torch.float32",
    "exp": "torch.exp(X)",
    "flatten": "torch.flatten(X), torch.flatten(torch.ones(2, 3, 4), 1)",
    "ones_like": "torch.ones_like(X)",
    "sigmoid": "torch.sigmoid(X)",
    "sum": "torch.sum(X), torch.sum(X, dim=1), torch.sum(X, 0, keepdim=True)",
    "Tensor": "torch.Tensor([1, 2]), torch.Tensor(2, 3).shape, isinstance(X, torch.Tensor)",
    "eq": "torch.eq(X, X.round())",
    "matmul": "torch.matmul(X, X.t()), torch.matmul(X, torch.ones(4))",
    "mean": "torch.mean(X), torch.mean(X, 1)",
    "empty": "torch.empty(2, 3).shape, torch.empty(2, dtype=torch.int64).dtype == torch.int64",
    "mm": "torch.mm(X, X.t())",
    "mul": "torch.mul(X, 2), torch.mul(X, X)",
    "LongTensor": "torch.LongTensor([1, 2])",
    "add": "torch.add(X, X), torch.add(X, X, alpha=2), torch.add(X, 1)",
    "eye": "torch.eye(3), torch.eye(2, 3)",
    "long": "torch.zeros(1, dtype=torch.long)",
    "randint": "torch.randint(10, (4,)), torch.randint(3, 9, (2, 2)), torch.randint(0, 5, size=(3,))",
    "tanh": "torch.tanh(X)",
    "randn_like": "torch.randn_like(X)",
    "save, load": "(torch.save({'x': X}, 'x.pth'), torch.load('x.pth')['x'])[1]",
    "sin": "torch.sin(X)",
    "reshape": "torch.reshape(X, (2, -1))",
    "rand_like": "torch.rand_like(X), torch.rand_like(X, dtype=torch.float64)",
    "abs": "torch.abs(X)",
    "clamp": "torch.clamp(X, min=0), torch.clamp(X, -1, 1)",
    "randperm": "torch.randperm(10)",
    "div": "torch.div(X, 2), torch.div(X, 2, rounding_mode='floor')",
    "int32, int64": "torch.arange(3, dtype=torch.int32), torch.arange(3, dtype=torch.int64)",
    "relu": "torch.relu(X)",
    "set_grad_enabled": "(torch.set_grad_enabled(True), torch.is_grad_enabled())[1]",
    "sqrt": "torch.sqrt(X.abs())",
    "stack": "torch.stack([X, X], dim=1)",
    "where": "torch.where(X > 0, X, torch.zeros(1))",
    "zeros_like": "torch.zeros_like(X)",
    "softmax": "torch.softmax(X, dim=1)",
    "unsqueeze": "torch.unsqueeze(X, dim=1)",
    "full": "torch.full((2, 3), 7), torch.full((2,), 0.5, dtype=torch.float64, requires_grad=True)",
    "cuda": "torch.cuda.is_available(), torch.cuda.device_count(), torch.cuda.manual_seed_all(1)",
    "accelerator": (
        "torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else 'cpu', "
        "torch.accelerator.device_count(), torch.accelerator.current_accelerator(check_available=True)"
    ),
    "backends": "torch.backends.cudnn.benchmark, torch.backends.mps.is_available()",
    "Variable": "torch.autograd.Variable(X, requires_grad=True).requires_grad",
}

METHODS = {
    "size": "X.size(), X.size(0), X.size()[1]",
    "item": "X.sum().item()",
    "view": "X.view(2, 6), X.view(-1), X.view(4, -1)",
    "to": "X.to('cpu'), X.to(torch.float64), X.to(torch.device('cpu'), torch.int64)",
    "shape": "X.shape, X.shape[-1]",
    "numpy": "X.numpy().tolist()",
    "data": "X.data",
    "cpu, detach": "X.cpu(), X.detach()",
    "squeeze": "X[:, :1].squeeze(), X[None].squeeze(0)",
    "float, double, int, long": "X.double(), X.int(), X.long(), X.long().float()",
    "transpose, t, T": "X.transpose(0, 1), X.t(), X.T",
    "unsqueeze": "X.unsqueeze(0), X.unsqueeze(-1)",
    "max, min": "X.max(), X.max(1), X.min(), X.min(dim=0)",
    "reshape": "X.reshape(6, 2)",
    "type": "X.type(), X.type(torch.int64)",
    "split": "X.split(2), X.split([1, 3], dim=1)",
    "pow": "X.pow(2), X ** 3",
    "zero_, fill_": "X.zero_(), X.fill_(3)",
    "requires_grad_": "X.requires_grad_().requires_grad",
    "relu, sigmoid, softmax, tanh": "X.relu(), X.sigmoid(), X.softmax(1), X.tanh()",
    "argmax": "X.argmax(), X.argmax(1), X.argmax(dim=1, keepdim=True)",
    "eq": "X.eq(X), X.eq(1).sum()",
    "sqrt, abs": "[getattr(X.abs(), f)() for f in ('sqrt', 'exp', 'log', 'sin', 'cos', 'floor')]",
    "scatter, scatter_": "torch.zeros(3, 4).scatter(1, torch.tensor([[0], [2], [1]]), 1.0)",
    "scatter_": "torch.zeros(3, 4).scatter_(1, torch.tensor([[0], [2], [1]]), torch.ones(3, 1))",
    "dtype, device": "str(X.dtype), str(X.device)",
    "add, mul, sub, add_, mul_": "X.add(1), X.mul(2), X.sub(3), X.add_(1), X.mul_(2)",
    "flatten": "X.flatten(), X[None].flatten(1)",
    "clone, contiguous": "X.clone(), X.t().contiguous()",
    "numel": "X.numel()",
    "permute": "X.permute(1, 0)",
    "std": "X.std(), X.std(dim=0), X.std(0, unbiased=False)",
    "grad_fn": "(X.requires_grad_() * 2).sum().grad_fn.name()",
    "view_as, expand, expand_as": "X.view_as(X), X[:1].expand(3, 4), X[:1].expand_as(X), X[:1].expand(-1, 4)",
    "tolist": "X.tolist()",
    "topk": "X.topk(2), X.topk(1, dim=0)",
    "clamp, clip, clamp_": "X.clamp(min=0), X.clip(-1, 1), X.clamp_(0, 1)",
    "norm": "X.norm(), X.norm(dim=1), X.norm(1)",
    "stride": "X.stride(), X.t().stride(0)",
    "normal_, uniform_": "X.normal_(), X.uniform_(-1, 1)",
    "sort": "X.sort(), X.sort(dim=0, descending=True)",
    "repeat": "X.repeat(2, 1)",
    "matmul, mm, dot": "X.matmul(X.t()), X.mm(X.t()), X[0].dot(X[1])",
    "copy_": "torch.zeros(3, 4).copy_(X)",
    "unique": "torch.tensor([3, 1, 3]).unique()",
    "dim": "X.dim()",
    "gather": "X.gather(1, torch.tensor([[0], [3], [1]]))",
    "maximum": "X.maximum(-X)",
    "type_as": "torch.ones(2, dtype=torch.int64).type_as(X)",
    "backward, grad": "(lambda p: ((p * X).sum().backward(), p.grad)[1])(nn.Parameter(torch.ones(3, 4)))",
    "median, prod, all, any": "X.median(), X.prod(), (X > 0).all(), (X > 0).any(dim=1)",
    "ravel, chunk, flip, cumsum": "X.ravel(), X.chunk(2), X.flip(0), X.cumsum(1)",
    "masked_fill, masked_select, nonzero": "X.masked_fill(X > 0, 9.0), X.masked_select(X > 0), X.nonzero()",
    "bmm, trace": "X[None].bmm(X.t()[None]), X.trace()",
    "allclose, equal": "X.allclose(X), X.equal(X)",
    "div, div_, neg, round, ceil, sign": "X.div(2), X.div_(2), X.neg(), X.round(), X.ceil(), X.sign()",
    "new_zeros, new_ones": "X.new_zeros(2), X.new_ones(2, dtype=torch.int64)",
    "new": "X.new([1, 2]), X.new(2, 3).fill_(1), X.long().new((4,)), X.new(X.size()).shape, X.new()",
    "new of tensors": "X.new(X).data_ptr() == X.data_ptr(), torch.FloatTensor(X.size()).shape",
    "unfold": "X.unfold(1, 2, 2), X.unfold(0, 3, 1), X.unfold(1, 2, 1).unfold(0, 2, 1)",
    "H": "X.H",
    "is_leaf, is_cuda, is_contiguous": "X.is_leaf, X.is_cuda, X.t().is_contiguous()",
    "erf, take, select, argwhere": "X.erf(), X.take(torch.tensor([5])), X.select(0, 1), (X > 0).argwhere()",
    "index_add_": "torch.zeros(3, 4).index_add_(0, torch.tensor([0, 2]), X[:2])",
    "squeeze_, random_": "torch.ones(1, 3).squeeze_().unsqueeze_(1), torch.zeros(4).random_(0, 9)",
    "multiply, nelement, element": "X.multiply(2), X.nelement()",
}

PICTURES = "torch.linspace(-1, 1, 2 * 3 * 8 * 8).reshape(2, 3, 8, 8)"
MODULES = {
    "Linear": f"nn.Linear(4, 2)({X})",
    "Linear without bias": f"nn.Linear(in_features=4, out_features=2, bias=False)({X})",
    "Conv2d": f"nn.Conv2d(3, 6, kernel_size=3, stride=2, padding=1, bias=False, groups=3)({PICTURES})",
    "Sequential": f"nn.Sequential(nn.Flatten(), nn.Linear(192, 3), nn.ReLU(inplace=True))({PICTURES})",
    "CrossEntropyLoss": f"nn.CrossEntropyLoss()({X}, torch.tensor([0, 3, 1]))",
    "MaxPool2d": f"nn.MaxPool2d(kernel_size=3, stride=2, padding=1)({PICTURES})",
    "BatchNorm2d": f"nn.BatchNorm2d(3)({PICTURES})",
    "MSELoss": f"nn.MSELoss(reduction='sum')({X}, torch.ones(3, 4))",
    "Dropout": f"nn.Dropout(p=0.3)({X})",
    "Dropout2d": f"nn.Dropout2d()({PICTURES})",
    "AvgPool2d": f"nn.AvgPool2d(kernel_size=2, stride=2, padding=1)({PICTURES})",
    "BatchNorm1d": f"nn.BatchNorm1d(4)({X})",
    "Sigmoid, Tanh": f"nn.Sigmoid()({X}), nn.Tanh()({X})",
    "BCELoss": f"nn.BCELoss()(torch.sigmoid({X}), torch.ones(3, 4))",
    "Parameter": "nn.Parameter(torch.ones(2)).requires_grad",
    "AdaptiveAvgPool2d": f"nn.AdaptiveAvgPool2d((1, 1))({PICTURES})",
    "NLLLoss": f"nn.NLLLoss()({X}, torch.tensor([0, 3, 1]))",
    "LeakyReLU, Softmax": f"nn.LeakyReLU(0.1, inplace=True)({X}), nn.Softmax(dim=1)({X})",
    "ModuleList": "nn.ModuleList([nn.Linear(1, 2), nn.ReLU()])",
    "Embedding": "nn.Embedding(5, 3)(torch.tensor([1, 4]))",
    "L1Loss": f"nn.L1Loss()({X}, torch.ones(3, 4))",
    "relu, sigmoid": f"F.relu({X}), F.sigmoid({X})",
    "cross_entropy, nll_loss": f"[f({X}, torch.tensor([0, 3, 1])) for f in (F.cross_entropy, F.nll_loss)]",
    "avg_pool2d, max_pool2d": f"F.avg_pool2d({PICTURES}, 4), F.max_pool2d({PICTURES}, 2)",
    "log_softmax, softmax": f"F.log_softmax({X}, dim=1), F.softmax({X}, dim=-1)",
    "conv2d": f"F.conv2d({PICTURES}, torch.ones(2, 3, 3, 3), bias=torch.ones(2), stride=2, padding=1)",
    "adaptive_avg_pool2d": f"F.adaptive_avg_pool2d({PICTURES}, 1)",
    "batch_norm": f"F.batch_norm({PICTURES}, None, None, training=True, momentum=0.1, eps=1e-5)",
    "linear, leaky_relu": f"F.linear({X}, torch.ones(2, 4)), F.leaky_relu({X}, 0.2)",
    "dropout": f"F.dropout({X}, p=0.5)",
    "binary_cross_entropy": f"F.binary_cross_entropy(torch.sigmoid({X}), torch.ones(3, 4), reduction='mean')",
    "binary_cross_entropy_with_logits": f"F.binary_cross_entropy_with_logits({X}, torch.ones(3, 4))",
    "normal": "[getattr(nn.init, f + 'normal_')(torch.empty(3, 4)) for f in ('kaiming_', 'xavier_', '')]",
    "init, uniform": "[getattr(nn.init, f + 'uniform_')(torch.empty(3, 4)) for f in ('kaiming_', 'xavier_')]",
    "constant_": "nn.init.constant_(torch.empty(2), 0.5)",
    "resnet18": "repr(torchvision.models.resnet18(weights=None, num_classes=4))",
    "ResNet18_Weights": "repr(torchvision.models.ResNet18_Weights.DEFAULT)",
}

TRANSFORMS = {
    "ToTensor": "T.ToTensor()(P)",
    "Compose, Normalize": "T.Compose([T.ToTensor(), T.Normalize(mean=(0.5,) * 3, std=(0.5,) * 3)])(P)",
    "RandomCrop": "T.ToTensor()(T.RandomCrop(8, padding=4)(P))",
    "Resize": "T.ToTensor()(T.Resize(5)(P)), T.ToTensor()(T.Resize((7, 3))(P))",
    "RandomHorizontalFlip": "T.ToTensor()(T.RandomHorizontalFlip()(P))",
    "RandomRotation": "T.ToTensor()(T.RandomRotation(20, fill=1)(P))",
    "CenterCrop": "T.ToTensor()(T.CenterCrop(4)(P))",
    "Lambda": "T.Lambda(lambda x: x * 2)(torch.ones(2))",
    "make_grid": f"torchvision.utils.make_grid({PICTURES}, nrow=1, normalize=True)",
    "save_image": f"torchvision.utils.save_image({PICTURES}, 'grid.png') or Image.open('grid.png')",
}

OPTIMIZERS = {
    "SGD": "SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)",
    "Adam": "Adam(p, lr=0.01, betas=(0.8, 0.9), eps=1e-7, weight_decay=0.1)",
    "RMSprop": "RMSprop(p, lr=0.01, alpha=0.9, eps=1e-7)",
    "Adadelta": "Adadelta(p, lr=0.5)",
}
SCHEDULERS = {
    "StepLR": "StepLR(o, step_size=2, gamma=0.5)",
    "MultiStepLR": "MultiStepLR(o, milestones=[1, 3], gamma=0.1)",
    "ReduceLROnPlateau": "ReduceLROnPlateau(o, mode='max', factor=0.5, patience=0)",
}


def names(library: Any, vision: Any) -> dict[str, Any]:
    return {
        "torch": library,
        "torchvision": vision,
        "nn": library.nn,
        "F": library.nn.functional,
        "T": vision.transforms,
        "X": library.linspace(-2, 3, 12).reshape(3, 4),
        "P": PICTURE,
        "np": np,
        "Image": Image,
    }


SIDES = {"engine": (engine, engine.vision), "PyTorch": (torch, torchvision)}


def plain(value: Any) -> Any:
    """A result as what can be compared: tensors as shape, dtype and numbers, named tuples as tuples."""
    if isinstance(value, (torch.Tensor, engine.Tensor)):
        array = value.detach().numpy()
        return ("tensor", array.shape, str(array.dtype), bool(value.requires_grad), array.tolist())
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, Image.Image):
        return ("picture", value.size, np.asarray(value).tolist())
    if isinstance(value, (torch.nn.Module, engine.nn.Module)):
        return repr(value), [plain(parameter) for parameter in value.parameters()]
    return value


def same(ours: Any, theirs: Any, where: str) -> None:
    """Equal but for the last digits of floats."""
    if isinstance(theirs, float):
        assert ours == pytest.approx(theirs, rel=2e-5, abs=2e-6, nan_ok=True), where
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs), where
        for i, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            same(mine, other, f"{where}[{i}]")
    else:
        assert ours == theirs, where


def evaluated(expression: str, side: str) -> Any:
    library, vision = SIDES[side]
    library.manual_seed(11)
    namespace = names(library, vision)
    library.manual_seed(11)
    return plain(eval(expression, namespace))


EXPRESSIONS = [
    pytest.param(expression, id=f"{room} {name}")
    for room, table in (
        ("torch", FUNCTIONS),
        ("Tensor", METHODS),
        ("nn", MODULES),
        ("torchvision", TRANSFORMS),
    )
    for name, expression in table.items()
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions_agree(expression: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    same(evaluated(expression, "engine"), evaluated(expression, "PyTorch"), expression)


@pytest.mark.parametrize("scheduler", SCHEDULERS.values(), ids=list(SCHEDULERS))
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
def test_optimizers_and_schedulers_agree(optimizer: str, scheduler: str) -> None:
    ends = []
    for library, _ in SIDES.values():
        p = [library.nn.Parameter(library.tensor([1.0, -2.0, 3.0]))]
        o = eval(f"optim.{optimizer}", {"optim": library.optim, "p": p})
        s = eval(f"lr.{scheduler}", {"lr": library.optim.lr_scheduler, "o": o})
        rates = []
        for step in range(5):
            o.zero_grad()
            (p[0] ** 2).sum().backward()
            o.step()
            s.step(*([-step] if "Plateau" in scheduler else []))
            rates.append(o.param_groups[0]["lr"])
        ends.append([plain(p[0]), rates])
    same(ends[0], ends[1], f"{optimizer}, {scheduler}")


def test_data_loaders_and_samplers_agree() -> None:
    ends = []
    for library, _ in SIDES.values():
        data = library.utils.data
        library.manual_seed(3)
        dataset = data.TensorDataset(library.arange(10.0), library.arange(10))
        batches = list(data.DataLoader(dataset, batch_size=3, shuffle=True, drop_last=True))
        sampler = data.sampler.SubsetRandomSampler([1, 3, 5, 7])
        batches += list(data.DataLoader(dataset=dataset, batch_size=2, sampler=sampler))
        ends.append(plain(batches))
    same(ends[0], ends[1], "batches")
    assert len(ends[0]) == 5


def test_mnist_and_fashion_mnist_are_read_alike(tmp_path: Path) -> None:
    for name in ("MNIST", "FashionMNIST"):
        folder = tmp_path / name / "raw"
        folder.mkdir(parents=True)
        for split, count in (("train", 6), ("t10k", 4)):
            pixels = np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)
            header = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in pixels.shape)
            (folder / f"{split}-images-idx3-ubyte").write_bytes(header + pixels.tobytes())
            labels = bytes([0, 0, 8, 1]) + count.to_bytes(4, "big") + bytes(range(count))
            (folder / f"{split}-labels-idx1-ubyte").write_bytes(labels)
        for train in (True, False):
            sides = []
            for _, vision in SIDES.values():
                data = getattr(vision.datasets, name)(
                    root=str(tmp_path), train=train, transform=vision.transforms.ToTensor(), download=False
                )
                sides.append(plain([data[i] for i in range(len(data))] + [data.data, data.targets]))
                sides[-1].append(data.classes)
            same(sides[0], sides[1], name)


def test_a_function_of_ones_own_agrees() -> None:
    ends = []
    for library, _ in SIDES.values():

        class Cube(library.autograd.Function):  # type: ignore[name-defined,misc]
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                ctx.save_for_backward(x)
                return x**3

            @staticmethod
            def backward(ctx: Any, grad: Any) -> Any:
                (x,) = ctx.saved_tensors
                return 3 * x**2 * grad

        x = library.tensor([1.0, -2.0], requires_grad=True)
        Cube.apply(x).backward(library.tensor([0.5, 2.0]))
        ends.append(plain([x.grad]))
    same(ends[0], ends[1], "Cube")


def test_a_module_and_its_file_agree() -> None:
    ends = []
    for library, _ in SIDES.values():
        library.manual_seed(2)
        net = library.nn.Sequential(library.nn.Linear(3, 2), library.nn.Tanh())
        file = io.BytesIO()
        library.save(net.state_dict(), file)
        file.seek(0)
        state = library.load(file, weights_only=True, map_location="cpu")
        ends.append(plain([list(state), *state.values(), net]))
    same(ends[0], ends[1], "state")
