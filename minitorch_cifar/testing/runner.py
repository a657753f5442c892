"""A network in training on one side: its loss, its optimizer, its dtype and device.

A runner takes the steps of a learner's program (zero_grad, forward, CrossEntropyLoss, backward, SGD) on NumPy
arrays. With taps it notes every layer's numbers in a `Trace`; a shadow does so while the engine's numbers are
put in the place of its own, so that each layer is seen on exactly the engine's inputs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..dtypes import Array
from .sides import Side, as_array
from .taps import AFTER_STEP, GRADIENT, GRADIENT_BY_OUTPUT, OUTPUT, Place, Taps, leaf_modules

__all__ = ["NetworkError", "Runner", "Snapshot", "Trace"]

Trace = dict[Place, Array | None]
"""The numbers of one step, in the order in which they were computed."""

Snapshot = tuple[dict[str, Array], dict[Any, Any]]
"""The state of a network and of its optimizer, as arrays."""


class NetworkError(Exception):
    """A network that cannot be compared: it does not run on a side, or is not the same on both."""


class Runner:
    """A network made by `make_network` with what it takes to train it.

    Args:
        side: the library.
        make_network: makes the network; called without arguments.
        dtype: "float32" or "float64"; the network is converted to it.
        lr, momentum: of SGD.
        device: where it is computed.
        tapped: whether every layer's numbers are seen.
    """

    def __init__(
        self,
        side: Side,
        make_network: Callable[[], Any],
        dtype: str,
        lr: float,
        momentum: float,
        device: str = "cpu",
        tapped: bool = True,
    ) -> None:
        self.side, self.dtype, self.device = side, dtype, device
        library = side.library
        with self._at_work("make"):
            network = make_network()
            if not isinstance(network, library.nn.Module):
                raise TypeError(f"it returned {type(network).__name__}, not a {side.name} nn.Module")
            self.network = network.to(getattr(library, dtype)).to(device).train()
            self.criterion = library.nn.CrossEntropyLoss()
            self.optimizer = library.optim.SGD(self.network.parameters(), lr=lr, momentum=momentum)
        modules = {**leaf_modules(self.network), "loss": self.criterion}
        self.taps = Taps(library, modules) if tapped else None

    @contextlib.contextmanager
    def _at_work(self, verb: str) -> Iterator[None]:
        """The default dtype of this runner; what goes wrong becomes a `NetworkError`."""
        library = self.side.library
        before = library.get_default_dtype()
        library.set_default_dtype(getattr(library, self.dtype))
        try:
            yield
        except NetworkError:
            raise
        except Exception as error:
            message = " ".join(" ".join([str(error), *getattr(error, "__notes__", [])]).split())
            raise NetworkError(
                f"{self.side.name} cannot {verb} the network: {type(error).__name__}: {message}"
            ) from error
        finally:
            library.set_default_dtype(before)

    def tensor(self, array: Array) -> Any:
        """A tensor of this side with memory of its own; floats in the runner's dtype."""
        kind = self.dtype if array.dtype.kind == "f" else array.dtype
        return self.side.library.from_numpy(np.array(array, kind, order="C")).to(self.device)

    def train_step(self, images: Array, labels: Array, seed: int) -> float:
        """One step as a learner's program takes it; returns the loss."""
        with self._at_work("train"):
            loss = self._differentiate(self.tensor(images), labels, seed)
            self.optimizer.step()
        return loss

    def traced_step(self, images: Array, labels: Array, seed: int) -> tuple[float, Trace]:
        """The same, noting all numbers."""
        trace: Trace = {}

        def note(place: Place, tensor: Any) -> Any:
            trace[place] = as_array(tensor).copy()
            return tensor.clone()

        loss = self._tapped_step(images, labels, seed, note)
        for name, parameter in self.network.named_parameters():
            gradient = parameter.grad
            trace[Place(name, GRADIENT)] = None if gradient is None else as_array(gradient).copy()
        with self._at_work("train"):
            self.optimizer.step()
        for name, array in self.state().items():
            trace[Place(name, AFTER_STEP)] = array
        return loss, trace

    def shadow_step(self, images: Array, labels: Array, seed: int, leader: Trace) -> Trace:
        """The same from the numbers of `leader` wherever a layer begins or ends; notes this side's own."""
        trace: Trace = {}

        def replace(place: Place, tensor: Any) -> Any:
            trace[place] = as_array(tensor)
            given = leader.get(place)
            if given is None or given.shape != tuple(tensor.shape):
                return tensor.clone()  # the comparison reports it
            return self.tensor(given)

        self._tapped_step(images, labels, seed, replace)
        for name, parameter in self.network.named_parameters():
            place = Place(name, GRADIENT)
            trace[place] = None if parameter.grad is None else as_array(parameter.grad).copy()
            given = leader.get(place)
            if given is not None and given.shape == tuple(parameter.shape):
                parameter.grad = self.tensor(given)
        with self._at_work("train"):
            self.optimizer.step()
        for name, array in self.state().items():
            trace[Place(name, AFTER_STEP)] = array
        return trace

    def _tapped_step(
        self, images: Array, labels: Array, seed: int, visitor: Callable[[Place, Any], Any]
    ) -> float:
        if self.taps is None:
            raise ValueError("a runner without taps notes no numbers")
        self.taps.restart(visitor)
        with self._at_work("train"):
            # The pictures ask for a gradient too, so that the first layer has a gradient by its input.
            pictures = self.taps.pass_through(
                self.tensor(images).requires_grad_(),
                Place("pictures", OUTPUT),
                Place("pictures", GRADIENT_BY_OUTPUT),
            )
            return self._differentiate(pictures, labels, seed)

    def _differentiate(self, pictures: Any, labels: Array, seed: int) -> float:
        self.side.library.manual_seed(seed)  # dropout draws the same on every side
        self.optimizer.zero_grad()
        loss = self.criterion(self.network(pictures), self.tensor(labels))
        loss.backward()
        return float(loss.item())

    def state(self) -> dict[str, Array]:
        """Parameters and buffers by name, copied."""
        return {name: as_array(tensor).copy() for name, tensor in self.network.state_dict().items()}

    def snapshot(self) -> Snapshot:
        """The state of network and optimizer, copied."""
        library = self.side.library

        def arrays(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: arrays(item) for key, item in value.items()}
            return as_array(value).copy() if library.is_tensor(value) else value

        return self.state(), arrays(self.optimizer.state_dict()["state"])

    def load(self, snapshot: Snapshot) -> None:
        """Go to a state of another runner; NetworkError when its network is not the same."""
        state, memory = snapshot
        mine = {name: tuple(tensor.shape) for name, tensor in self.network.state_dict().items()}
        given = {name: array.shape for name, array in state.items()}
        if mine != given:
            name = next(n for n in [*mine, *given] if mine.get(n) != given.get(n))
            raise NetworkError(
                f"the networks differ: {name} is {_form(given.get(name))} in minitorch_cifar, "
                f"{_form(mine.get(name))} in PyTorch"
            )
        self.network.load_state_dict({name: self.tensor(array) for name, array in state.items()})

        def tensors(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: tensors(item) for key, item in value.items()}
            return self.tensor(value) if isinstance(value, np.ndarray) else value

        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": tensors(memory), "param_groups": groups})


def _form(shape: tuple[int, ...] | None) -> str:
    return "missing" if shape is None else f"of shape {shape}"
