"""Programs written for PyTorch, unchanged: `import torch` gives the engine.

`install()` puts a finder before Python's own that answers for `torch`, `torchvision` and their submodules
with the engine's modules: no copies, so that `torch.nn is minitorch_cifar.nn`. Nothing on disk changes, and
other processes keep their PyTorch. From a terminal:

    python -m minitorch_cifar.compat program.py its arguments

`torch.__version__` is then the version of PyTorch that the engine follows, with the engine's own behind it,
for programs that ask for at least some version, and `type(x)` of a tensor prints as `<class 'torch.Tensor'>`
(so do shapes, dtypes, devices and parameters; layers print the engine's own class names). Whole modules that
a program saves are pickled under the engine's own names, and load with or without `install()`.
"""

from __future__ import annotations

import importlib
import runpy
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Final

from .class_names import print_as, print_as_themselves
from .missing import explain_missing_in, not_part
from .version import FOLLOWED, __version__

__all__ = ["install", "main", "uninstall"]

ENGINE: Final = "minitorch_cifar"

# The engine's packages by the names they answer to.
PACKAGES: Final = {"torch": ENGINE, "torchvision": f"{ENGINE}.vision"}

# What PyTorch has too. The engine's other rooms (`kernels`, `ops`, ...) are no part of `torch`.
ROOMS: Final = (
    "accelerator", "autograd", "backends", "cuda", "nn", "optim", "random", "serialization", "utils",
    "version",
)  # fmt: skip

# PyTorch's modules whose content lies elsewhere in the engine. Those inside of them need no line of their own
# where they are called alike: `torch.nn.modules.conv` is `nn.layers.conv`.
ELSEWHERE: Final = {
    "torch.nn.modules": "nn.layers",
    "torch.nn.modules.batchnorm": "nn.layers.normalization",
    "torch.nn.modules.container": "nn.containers",
    "torch.nn.modules.flatten": "nn.layers.linear",
    "torch.nn.modules.module": "nn.module",
    "torch.nn.modules.sparse": "nn.layers.linear",
    "torch.nn.utils.clip_grad": "nn.utils",
    "torch.nn.utils.convert_parameters": "nn.utils",
    "torch.optim.adamw": "optim.adam",
}

# Classes that print under PyTorch's names meanwhile.
PRINTED: Final = (
    "torch.Tensor", "torch.Size", "torch.dtype", "torch.device", "torch.nn.parameter.Parameter"
)  # fmt: skip


class _EngineLoader(Loader):
    """Hands out a module that is already there; all it changes is that missing names are explained."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.own_spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.own_spec  # the import system has just set it to that of the alias
        if not hasattr(module, "__getattr__"):
            explain_missing_in(module.__name__, _names(module))


class _EngineFinder(MetaPathFinder):
    """Answers for PyTorch's names; for what the engine lacks, with an error that says so."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, rest = fullname.partition(".")
        if package == ENGINE:
            self.explain_from_import(fullname)
            return None
        if package not in PACKAGES:
            return None
        if package == "torch" and rest and rest.split(".")[0] not in ROOMS:
            raise _no_module(f"torch.{rest.split('.')[0]}", ROOMS)
        module = _engine_module(_engine_name(fullname))
        if module is None:
            raise _no_module(fullname, _modules_in(sys.modules[fullname.rpartition(".")[0]]))
        # A package always: from what is none, `from torch.nn.init import nope` would not ask here for `nope`.
        return ModuleSpec(fullname, _EngineLoader(module), is_package=True)

    def explain_from_import(self, fullname: str) -> None:
        """Raise for `from torch.nn import Conv3d`.

        Python looks whether the package `minitorch_cifar.nn` has such an attribute, then whether it has such
        a submodule; only this second question can be answered with a message that reaches the user.
        """
        parent, _, name = fullname.rpartition(".")
        package = sys.modules.get(parent)
        if package is None or not hasattr(package, "__path__") or _is_submodule(package, name):
            return
        public = _public_name(package)
        # Without `name=`: the import system swallows an error about just the module it asked for.
        raise ModuleNotFoundError(
            f"cannot import name {name!r} from {public!r}: {not_part(name, _names(package))}"
        )


_finder: Final = _EngineFinder()


class _Installed:
    """What `install()` returns: for a `with` block at whose end `uninstall()` is called."""

    def __enter__(self) -> None:
        """`install()` has done its work."""

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        uninstall()


def install() -> _Installed:
    """Let `import torch`, `import torchvision` and their submodules give the engine in this process.

    Call it before the first such import. RuntimeError when PyTorch itself is already loaded: tensors of the
    two must not mix. A second call changes nothing. As a context manager it holds for a block:

        with compat.install():
            import torch            # the engine
            import torchvision      # minitorch_cifar.vision

    Importing a module, or a name from a package, that the engine lacks is a ModuleNotFoundError which says
    that it is not part of minitorch_cifar and names the nearest thing that is.
    """
    for package, engine in PACKAGES.items():
        loaded = sys.modules.get(package)
        if loaded is not None and loaded is not sys.modules.get(engine):
            raise RuntimeError(
                f"compat.install(): {package} is already imported in this process, from "
                f"{getattr(loaded, '__file__', 'somewhere else')}. Call install() before the first import of "
                "torch or torchvision, in a process of its own."
            )
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    for package, engine in PACKAGES.items():
        vars(importlib.import_module(engine))["__version__"] = FOLLOWED[package]
    for name in ELSEWHERE:  # programs name `torch.nn.modules.batchnorm` without importing it, too
        parent, _, child = name.rpartition(".")
        vars(importlib.import_module(_engine_name(parent))).setdefault(
            child, importlib.import_module(_engine_name(name))
        )
    print_as({_engine_class(name): name for name in PRINTED})
    return _Installed()


def uninstall() -> None:
    """Let `import torch` give PyTorch again. What a program has already imported stays what it is."""
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
        if sys.modules[name].__name__.partition(".")[0] == ENGINE:
            del sys.modules[name]
    for engine in PACKAGES.values():
        vars(importlib.import_module(engine))["__version__"] = __version__
    print_as_themselves()


def _engine_name(name: str) -> str:
    """`torch.nn.modules.conv` -> `minitorch_cifar.nn.layers.conv`."""
    if name in PACKAGES:
        return PACKAGES[name]
    if name in ELSEWHERE:
        return f"{ENGINE}.{ELSEWHERE[name]}"
    parent, _, child = name.rpartition(".")
    return f"{_engine_name(parent)}.{child}"


def _engine_class(name: str) -> type:
    """The class `minitorch_cifar.Size` for `torch.Size`."""
    module, _, last = name.rpartition(".")
    engine_class: type = getattr(importlib.import_module(_engine_name(module)), last)
    return engine_class


def _engine_module(name: str) -> ModuleType | None:
    """The module of that name, or None when there is none; errors inside of it are raised."""
    parent, _, child = name.rpartition(".")
    if parent:
        package = _engine_module(parent)
        if package is None or not _is_submodule(package, child):
            return None
    return importlib.import_module(name)


def _is_submodule(package: ModuleType, name: str) -> bool:
    folders = [Path(folder) for folder in getattr(package, "__path__", ())]
    return any(
        (folder / name / "__init__.py").exists() or (folder / f"{name}.py").exists() for folder in folders
    )


def _modules_in(package: ModuleType) -> list[str]:
    return [name for name, value in vars(package).items() if isinstance(value, ModuleType)]


def _public_name(module: ModuleType) -> str:
    """`torchvision.datasets` for the module `minitorch_cifar.vision.datasets`."""
    aliases = (name for name, loaded in list(sys.modules.items()) if loaded is module)
    return next((name for name in aliases if name.partition(".")[0] in PACKAGES), module.__name__)


def _names(module: ModuleType) -> list[str]:
    """What a module offers."""
    listed: list[str] | None = getattr(module, "__all__", None)
    return [name for name in vars(module) if not name.startswith("_")] if listed is None else listed


def _no_module(name: str, present: Sequence[str]) -> ModuleNotFoundError:
    """`present`: the modules beside it."""
    last = name.rpartition(".")[2]
    return ModuleNotFoundError(f"No module named {name!r}: {not_part(last, present)}", name=name)


def main(arguments: Sequence[str]) -> int:
    """Run the program `arguments[0]` with the rest as its arguments, on the engine."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: python -m minitorch_cifar.compat program.py [arguments]", file=sys.stderr)
        return 0 if arguments else 2
    program = Path(arguments[0])
    if not program.is_file():
        print(f"minitorch_cifar.compat: there is no program {program}", file=sys.stderr)
        return 2
    install()
    sys.argv = list(arguments)
    sys.path[0] = str(program.resolve().parent)  # as `python program.py` does
    runpy.run_path(str(program), run_name="__main__")
    return 0


if __name__ == "__main__":
    # Under its own name: `sys.modules["__main__"]` is about to become the program's.
    sys.exit(importlib.import_module(f"{ENGINE}.compat").main(sys.argv[1:]))
