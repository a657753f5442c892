"""The process in which hostile calls are made: `python -m tests.hostile.worker CALLS START LOG`.

Calls come from a file, a JSON list of [name, expression]. For each, what the engine and PyTorch did goes as a
line of JSON into the log; before each, its number, so that a crash or a hang can be told. A limit on memory
keeps the machine alive, and the CPU time of one call is limited too.
"""

from __future__ import annotations

import contextlib
import decimal
import fractions
import importlib
import io
import itertools
import json
import math
import os
import random
import resource
import signal
import sys
import warnings
from typing import Any

import numpy as np

from . import guard_pages

SECONDS = 60.0  # of CPU time for one call; the first use of a kernel compiles it
MEMORY = 1_500_000_000  # bytes beyond what both libraries take
ENGINE_ONLY = ("backends.", "models.", "serialization.", "cuda.", "vision.datasets.Shapes10", "autograd.is_",
               "random.Generator", "utils.tensorboard")  # fmt: skip


class NaughtyIndex:
    def __index__(self) -> int:
        raise ValueError("no index")

    def __float__(self) -> float:
        raise ValueError("no float")


class NaughtySequence:
    def __len__(self) -> int:
        return 2**40

    def __getitem__(self, index: Any) -> Any:
        raise IndexError("nothing here")


def nested(depth: int) -> list[Any]:
    """A list in a list in a list."""
    inner: list[Any] = []
    for _ in range(depth):
        inner = [inner]
    return inner


def namespace(torch: Any, vision: Any) -> dict[str, Any]:
    """The names that calls are written with."""
    from PIL import Image

    def values(shape: tuple[int, ...]) -> np.ndarray:
        count = math.prod(shape)
        return (np.cos(np.arange(1, count + 1) * 1.7) * 1.5).astype(np.float32).reshape(shape)

    def f(*shape: int) -> Any:
        return torch.tensor(values(shape).tolist()).reshape(shape)

    def g(*shape: int) -> Any:
        return f(*shape).requires_grad_()

    def n(*shape: int) -> Any:
        return torch.from_numpy((np.arange(math.prod(shape)) * 5 // 2 % 3).reshape(shape))

    def m(*shape: int) -> Any:
        return n(*shape) > 0

    def u(*shape: int) -> Any:
        return torch.from_numpy((np.arange(math.prod(shape)) * 37 % 256).astype(np.uint8).reshape(shape))

    def pic(mode: str, width: int, height: int) -> Any:
        picture = Image.new("RGB", (width, height))
        picture.putdata([(x * 37 % 256, x * 91 % 256, x * 11 % 256) for x in range(width * height)])
        return picture.convert(mode) if mode != "I;16" else Image.new("I;16", (width, height), 300)

    def params() -> list[Any]:
        return [torch.nn.Parameter(f(2, 3)), torch.nn.Parameter(f(2))]

    def with_gradients() -> list[Any]:
        made = params()
        for p in made:
            p.grad = f(*p.shape)
        return made

    def opt() -> Any:
        return torch.optim.SGD(params(), lr=0.1, momentum=0.9)

    def saved() -> Any:
        file = io.BytesIO()
        torch.save([f(2), {"a": 1}], file)
        file.seek(0)
        return file

    def assign(tensor: Any, index: Any, value: Any) -> Any:
        tensor[index] = value
        return tensor

    def stepped(optimizer: Any, size: int) -> Any:
        tensor = torch.nn.Parameter(f(size))
        made = optimizer([tensor], lr=0.1)
        for _ in range(2):
            tensor.grad = f(size)
            made.step()
        return tensor

    def pairs() -> Any:
        return torch.utils.data.TensorDataset(f(5, 2), n(5))

    names = {
        **locals(),
        "nn": torch.nn,
        "F": torch.nn.functional,
        "T": vision.transforms,
        "nan": math.nan,
        "inf": math.inf,
    }
    helpers = {"NaughtyIndex": NaughtyIndex, "NaughtySequence": NaughtySequence, "nested": nested}
    return {**names, **helpers, "np": np, "io": io, "fractions": fractions, "decimal": decimal}


def flat(value: Any, depth: int = 0) -> list[Any]:
    """What is compared of an answer: tensors as arrays, plain values; of other objects the class's name."""
    if hasattr(value, "detach") and hasattr(value, "numpy"):
        array = value.detach().numpy()
        if array.size > 10**6:
            return [f"large tensor {array.shape}"]
        return [("tensor", str(array.dtype), array.shape, array, bool(value.requires_grad))]
    if isinstance(value, (np.ndarray, np.generic)):
        return [("array", str(value.dtype), value.shape, np.asarray(value), False)]
    if isinstance(value, (list, tuple)) and depth < 4:
        kind = "sequence" if type(value).__name__ in ("list", "tuple", "Size") else type(value).__name__
        members = [part for item in value[:50] for part in flat(item, depth + 1)]
        return [kind.removesuffix("_return_types").replace("torch.return_types.", ""), len(value), *members]
    if isinstance(value, dict) and depth < 4:
        return ["dict", *(p for k, v in value.items() for p in [str(k), *flat(v, depth + 1)])]
    if isinstance(value, (bool, int, float, complex, str, bytes)) or value is None:
        return [value]
    if type(value).__name__ in ("dtype", "device"):
        return [str(value)]
    if type(value).__module__.startswith("PIL."):
        return ["picture", value.mode, value.size, *list(value.tobytes())[:400]]
    return [f"object {type(value).__name__}"]


def difference(ours: list[Any], theirs: list[Any]) -> str | None:
    """Where two answers differ, in words; None where they agree."""
    if len(ours) != len(theirs):
        return f"{short(ours)} is not {short(theirs)}"
    for mine, its in zip(ours, theirs, strict=True):
        if isinstance(its, tuple) and its and its[0] in ("tensor", "array"):
            if not isinstance(mine, tuple) or mine[:3] != its[:3] or mine[4] != its[4]:
                return f"{short(mine)} is not {short(its)}"
            if not close(mine[3], its[3]):
                return f"{short(mine)} is not {short(its)}"
        elif isinstance(its, float) and isinstance(mine, float):
            if not close(np.float64(mine), np.float64(its)):
                return f"{mine} is not {its}"
        elif mine != its or type(mine) is not type(its):
            if (isinstance(mine, str) and mine.startswith(("object", "torch.", "minitorch"))) or (
                isinstance(its, str) and "tensor(" in its
            ):
                continue
            return f"{short(mine)} is not {short(its)}"
    return None


def close(mine: np.ndarray, its: np.ndarray) -> bool:
    if its.dtype.kind not in "fc":
        return bool(np.array_equal(mine, its))
    with np.errstate(all="ignore"):
        scale = np.abs(its[np.isfinite(its)]).max(initial=0.0)
        return bool(np.allclose(mine, its, rtol=2e-4, atol=1e-6 * max(scale, 0.1), equal_nan=True))


def short(value: Any) -> str:
    return repr(value)[:300].replace("\n", "")


def make(expression: str, names: dict[str, Any], torch: Any) -> tuple[str, Any, Any]:
    """("answer", value, gradients?) or ("error", class, message)."""
    torch.manual_seed(5)
    random.seed(5)
    np.random.seed(5)
    try:
        value = eval(expression, dict(names))
        if value is NotImplemented:
            raise TypeError("unsupported operand types")
        backwards(value, torch)
        return "answer", value, None
    except Exception as error:
        kinds = [cls.__name__ for cls in type(error).__mro__]
        return "error", kinds, str(error) or (" ".join(map(str, getattr(error, "__notes__", []))))


def backwards(value: Any, torch: Any) -> None:
    """Differentiate an answer, so that the kernels of backward passes are called too."""
    for item in itertools.islice(value, 3) if isinstance(value, (list, tuple)) else (value,):
        if torch.is_tensor(item) and item.requires_grad and item.grad_fn is not None and item.numel() < 10**6:
            with contextlib.suppress(RuntimeError):
                item.sum().backward()


def reset(torch: Any) -> None:
    """Put back what calls change for the whole process."""
    torch.set_default_dtype(torch.float32)
    torch.set_grad_enabled(True)
    torch.autograd.set_detect_anomaly(False)
    torch.set_printoptions(profile="default")
    if hasattr(torch, "use_deterministic_algorithms"):
        torch.use_deterministic_algorithms(False)


def engine() -> tuple[Any, Any]:
    """The engine and its `torchvision`, which reaches no network."""
    for name in ("models", "serialization.safetensors", "utils.tensorboard", "vision"):
        importlib.import_module(f"minitorch_cifar.{name}")
    mini = importlib.import_module("minitorch_cifar")
    importlib.import_module("minitorch_cifar.vision.models.weights").fetch = no_network  # type: ignore[attr-defined]
    return mini, importlib.import_module("minitorch_cifar.vision")


def pytorch() -> tuple[Any, Any]:
    """PyTorch and torchvision."""
    import torch
    import torchvision
    import torchvision.transforms.functional

    torch.hub.load_state_dict_from_url = no_network
    torch.set_num_threads(1)
    return torch, torchvision


def no_network(*args: Any, **kwargs: Any) -> Any:
    raise OSError("no network here")


def prepare_folder() -> None:
    """Files that calls may name, in the working folder."""
    from PIL import Image

    os.makedirs("pictures/a", exist_ok=True)
    Image.new("RGB", (4, 3), (1, 2, 3)).save("pictures/a/1.png")
    with open("weights.safetensors", "wb") as file:
        file.write(b"\x02" + bytes(7) + b"{}")


def main() -> None:
    calls_path, start, log_path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with open(calls_path, encoding="utf-8") as file:
        calls = json.load(file)
    alone, backend = os.environ.get("HOSTILE_ALONE") == "1", os.environ.get("HOSTILE_BACKEND")
    log = open(log_path, "a", encoding="utf-8", buffering=1)  # noqa: SIM115
    prepare_folder()
    warnings.simplefilter("ignore")
    mini, vision = engine()
    torch, torchvision = (None, None) if alone else pytorch()
    np.seterr(all="ignore")
    if side := os.environ.get("HOSTILE_GUARD"):
        guard_pages.install(at_end=side == "end")
    ours = namespace(mini, vision)
    ours["torch"], ours["vision"] = mini, vision
    theirs = {} if alone else {**namespace(torch, torchvision), "torch": torch, "vision": torchvision}
    with open("/proc/self/statm", encoding="ascii") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # ends the process, also in the middle of a kernel
    sys.stdout = sys.stderr = io.StringIO()
    for number in range(start, len(calls)):
        name, expression = calls[number]
        log.write(json.dumps({"begin": number}) + "\n")
        if backend:
            mini.backends.use(backend)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        before = resource.getrusage(resource.RUSAGE_SELF)
        kind, value, message = make(expression, ours, mini)
        after = resource.getrusage(resource.RUSAGE_SELF)
        entry: dict[str, Any] = {
            "number": number,
            "ours": kind,
            "seconds": round(after.ru_utime - before.ru_utime, 2),
        }
        found = None
        if kind == "answer":
            found = flat(value)
            entry["value"] = short(found)
        else:
            entry["error"], entry["message"] = value, message[:400]
        value = None
        reset(mini)
        if not alone and not name.startswith(ENGINE_ONLY):
            log.write(json.dumps({"peer": number}) + "\n")
            kind, value, message = make(expression, theirs, torch)
            entry["theirs"] = kind
            if kind == "answer":
                its = flat(value)
                entry["peer_value"] = short(its)
                if found is not None:
                    entry["difference"] = difference(found, its)
            else:
                entry["peer_error"], entry["peer_message"] = value, message[:300]
            value = None
            reset(torch)
        sys.stdout.seek(0)
        sys.stdout.truncate()
        log.write(json.dumps(entry) + "\n")
    log.write(json.dumps({"done": True}) + "\n")


if __name__ == "__main__":
    main()
