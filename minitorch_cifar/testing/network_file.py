"""One Python file, run under the engine and under PyTorch.

The file is executed once for each side, in a fresh module whose `import` statements are resolved by that
side: `import torch` and `import minitorch_cifar as torch` both give the engine, or both give PyTorch. The
redirection is part of the module's own built-ins, so it also holds for imports within functions that run
later, and no other code sees anything of it. Modules and packages beside the file are loaded in the same way.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.machinery
import importlib.util
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from .sides import Side

__all__ = ["NetworkFileError", "load_function"]

# What stands in for a library's module on the other side; a dotted name goes on below it. Longest first.
UNDER_ENGINE = {"torchvision": "minitorch_cifar.vision", "torch": "minitorch_cifar"}
UNDER_PYTORCH = {
    "minitorch_cifar.models": "reference.networks",
    "minitorch_cifar.vision": "torchvision",
    "minitorch_cifar": "torch",
}


class NetworkFileError(Exception):
    """A file that cannot be run, or has not what was asked for."""


def load_function(path: str | Path, name: str, side: Side) -> Any:
    """The function `name` of the Python file `path`, which sees `side` as both `torch` and `minitorch_cifar`.

    Raises:
        NetworkFileError: there is no such file or function, or executing the file fails.
    """
    path = Path(path)
    if not path.is_file():
        raise NetworkFileError(f"there is no file {path}")
    module = _Importer(path.parent.resolve(), side).load(path.stem, path)
    function = getattr(module, name, None)
    if function is None:
        named = [key for key, value in vars(module).items() if callable(value) and key[0] != "_"]
        own = [key for key in named if getattr(vars(module)[key], "__module__", None) == module.__name__]
        raise NetworkFileError(
            f"{path} has no function {name}" + (f"; it has {', '.join(own)}" if own else "")
        )
    if not callable(function):
        raise NetworkFileError(f"{name} in {path} is not a function but {type(function).__name__}")
    return function


class _Importer:
    """Loads modules of one folder for one side, each once."""

    def __init__(self, folder: Path, side: Side) -> None:
        self.folder = folder
        self.side = side
        self.renamed = UNDER_PYTORCH if side.name == "PyTorch" else UNDER_ENGINE
        self.loaded: dict[str, ModuleType] = {}
        self.builtins = {**vars(builtins), "__import__": self.import_}

    def load(self, name: str, path: Path) -> ModuleType:
        """Execute the file at `path` as the module `name`."""
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise NetworkFileError(f"{path} is not a Python file")
        return self.execute(name, spec)

    def execute(self, name: str, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Execute a module's code with the redirected imports."""
        module = importlib.util.module_from_spec(spec)
        vars(module)["__builtins__"] = self.builtins
        self.loaded[name] = module
        loader: Any = spec.loader
        try:
            code = loader.source_to_code(loader.get_data(spec.origin), spec.origin)
            exec(code, vars(module))
        except NetworkFileError:
            raise
        except Exception as error:
            del self.loaded[name]
            raise NetworkFileError(
                f"{spec.origin} fails under {self.side.name}: {type(error).__name__}: {error}"
                f"{_line_in(str(spec.origin), error)}"
            ) from error
        return module

    def import_(
        self, name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        """What the `import` statements of the file call instead of `builtins.__import__`."""
        if level:
            name = importlib.util.resolve_name("." * level + name, (globals or {}).get("__package__") or "")
        top = name.partition(".")[0]
        if top in ("torch", "torchvision", "minitorch_cifar"):
            return self._import_library(name, fromlist)
        if self._find(top) is None:
            return builtins.__import__(name, globals, locals, fromlist, level=0)
        module = self._import_local(name)
        for item in fromlist or ():
            if not hasattr(module, item) and hasattr(module, "__path__"):
                self._import_local(f"{name}.{item}")
        return module if fromlist else self.loaded[top]

    def _import_library(self, name: str, fromlist: Any) -> Any:
        if not fromlist:
            self._library_module(name)
            return self._library_module(name.partition(".")[0])
        module = self._library_module(name)
        for item in fromlist:
            if item != "*" and not hasattr(module, item):
                try:
                    self._library_module(f"{name}.{item}")
                except ModuleNotFoundError:
                    raise ImportError(f"cannot import name {item!r} from {module.__name__!r}") from None
        return module

    def _library_module(self, name: str) -> Any:
        if name == "minitorch_cifar" and self.side.name == "PyTorch":
            return _EngineNames(self)
        for old, new in self.renamed.items():
            if name == old or name.startswith(old + "."):
                return importlib.import_module(new + name.removeprefix(old))
        return importlib.import_module(name)

    def _import_local(self, name: str) -> ModuleType:
        if name in self.loaded:
            return self.loaded[name]
        parent, _, last = name.rpartition(".")
        package = self._import_local(parent) if parent else None
        if name in self.loaded:  # the package has imported it itself
            return self.loaded[name]
        spec = self._find(name, package)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        module = self.execute(name, spec)
        if package is not None:
            setattr(package, last, module)
        return module

    def _find(self, name: str, package: Any = None) -> importlib.machinery.ModuleSpec | None:
        """A module with source code in the folder, or in a package of it."""
        where = list(package.__path__) if package is not None else [str(self.folder)]
        spec = importlib.machinery.PathFinder.find_spec(name, where)
        return spec if spec is not None and hasattr(spec.loader, "source_to_code") else None


class _EngineNames(ModuleType):
    """`minitorch_cifar` under PyTorch: PyTorch's names, and the engine's `vision` and `models`."""

    def __init__(self, importer: _Importer) -> None:
        super().__init__("torch")
        self._importer = importer

    def __getattr__(self, name: str) -> Any:
        if name in ("vision", "models"):
            return self._importer._library_module(f"minitorch_cifar.{name}")
        return getattr(self._importer.side.library, name)


def _line_in(path: str, error: BaseException) -> str:
    """Where in the file an exception arose, as ` (line 3)`."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return f" (line {lines[-1]})" if lines else ""
