"""The three networks for JAX and MyGrad, each as such programs are written for it.

Both get the networks as a list of layers. In JAX a whole step, forward, backward and SGD with momentum, is
one compiled function; MyGrad records a graph as PyTorch does, and the optimizer is two lines of NumPy.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from .engines import LEARNING_RATE, MOMENTUM, PICTURES

Layer = tuple[Any, ...]

POOL, RELU, FLAT = ("pool",), ("relu",), ("flat",)


def _conv(channels: int, outputs: int, kernel: int, padding: int) -> Layer:
    return ("conv", channels, outputs, kernel, padding)


def _block(channels: int, outputs: int) -> list[Layer]:
    return [_conv(channels, outputs, 3, 1), ("norm", outputs), RELU, POOL]


def _head(*sizes: int) -> list[Layer]:
    layers: list[Layer] = [FLAT]
    for before, after in itertools.pairwise(sizes):
        layers += [("linear", before, after), RELU]
    return layers[:-1]


NETWORKS: dict[str, list[Layer]] = {
    "lenet": [_conv(3, 6, 5, 0), RELU, POOL, _conv(6, 16, 5, 0), RELU, POOL, *_head(400, 120, 84, 10)],
    "quick": [
        *(_conv(3, 32, 5, 2), POOL, _conv(32, 32, 5, 2), POOL, _conv(32, 64, 5, 2), POOL),
        *(FLAT, ("linear", 1024, 64), ("linear", 64, 10)),
    ],
    "bn": [*_block(3, 32), *_block(32, 64), *_block(64, 128), *_head(2048, 120, 84, 10)],
}


def parameters(layers: list[Layer], generator: np.random.Generator) -> list[list[np.ndarray]]:
    """Weights and biases of each layer, drawn as PyTorch's layers draw them."""
    made = []
    for kind, *sizes in layers:
        if kind == "conv":
            channels, outputs, kernel, _ = sizes
            shapes, fan = [(outputs, channels, kernel, kernel), (outputs,)], channels * kernel**2
        elif kind == "linear":
            shapes, fan = [(sizes[1], sizes[0]), (sizes[1],)], sizes[0]
        elif kind == "norm":
            made.append([np.ones(sizes[0], np.float32), np.zeros(sizes[0], np.float32)])
            continue
        else:
            made.append([])
            continue
        bound = fan**-0.5
        made.append([generator.uniform(-bound, bound, shape).astype(np.float32) for shape in shapes])
    return made


def _batches(batch: int, generator: np.random.Generator) -> Any:
    count = min(max(PICTURES // batch, 8), 200)
    return [
        (generator.normal(size=(batch, 3, 32, 32)).astype(np.float32), generator.integers(0, 10, batch))
        for _ in range(count)
    ]


def training_step(engine: str, model: str, batch: int) -> Callable[[], float]:
    """A function that trains for one step and returns the loss."""
    return (_jax_step if engine == "jax" else _mygrad_step)(NETWORKS[model], batch)


def _jax_step(layers: list[Layer], batch: int) -> Callable[[], float]:
    import jax
    import jax.numpy as jnp
    from jax import lax

    generator = np.random.default_rng(0)

    def network(weights: Any, x: Any) -> Any:
        for (kind, *sizes), values in zip(layers, weights, strict=True):
            if kind == "conv":
                padding = [(sizes[3], sizes[3])] * 2
                x = lax.conv_general_dilated(x, values[0], (1, 1), padding)
                x = x + values[1][:, None, None]
            elif kind == "norm":
                mean = x.mean((0, 2, 3), keepdims=True)
                variance = x.var((0, 2, 3), keepdims=True)
                x = (x - mean) * lax.rsqrt(variance + 1e-5)
                x = x * values[0][:, None, None] + values[1][:, None, None]
            elif kind == "relu":
                x = jnp.maximum(x, 0)
            elif kind == "pool":
                x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
            elif kind == "flat":
                x = x.reshape(len(x), -1)
            else:
                x = x @ values[0].T + values[1]
        return x

    def loss_of(weights: Any, images: Any, labels: Any) -> Any:
        scores = jax.nn.log_softmax(network(weights, images))
        return -jnp.take_along_axis(scores, labels[:, None], 1).mean()

    def update(weights: Any, momenta: Any, images: Any, labels: Any) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(weights, images, labels)
        momenta = jax.tree.map(lambda m, g: MOMENTUM * m + g, momenta, gradients)
        weights = jax.tree.map(lambda w, m: w - LEARNING_RATE * m, weights, momenta)
        return weights, momenta, loss

    compiled = jax.jit(update, donate_argnums=(0, 1))
    state = [jax.tree.map(jnp.asarray, parameters(layers, generator))]
    state.append(jax.tree.map(jnp.zeros_like, state[0]))
    turn = itertools.cycle([(jnp.asarray(x), jnp.asarray(y)) for x, y in _batches(batch, generator)])

    def step() -> float:
        state[0], state[1], loss = compiled(*state, *next(turn))
        return float(loss)

    return step


def _mygrad_step(layers: list[Layer], batch: int) -> Callable[[], float]:
    import mygrad
    from mygrad.nnet import batchnorm, conv_nd, max_pool, relu, softmax_crossentropy

    generator = np.random.default_rng(0)
    weights = [[mygrad.tensor(v) for v in values] for values in parameters(layers, generator)]
    flat = [tensor for values in weights for tensor in values]
    momenta = [np.zeros_like(tensor.data) for tensor in flat]
    turn = itertools.cycle(_batches(batch, generator))

    def network(x: Any) -> Any:
        for (kind, *sizes), values in zip(layers, weights, strict=True):
            if kind == "conv":
                x = conv_nd(x, values[0], stride=1, padding=sizes[3]) + values[1].reshape(1, -1, 1, 1)
            elif kind == "norm":
                x = batchnorm(x, gamma=values[0], beta=values[1], eps=1e-5)
            elif kind == "relu":
                x = relu(x)
            elif kind == "pool":
                x = max_pool(x, (2, 2), 2)
            elif kind == "flat":
                x = x.reshape(len(x), -1)
            else:
                x = x @ values[0].T + values[1]
        return x

    def step() -> float:
        images, labels = next(turn)
        loss = softmax_crossentropy(network(images), labels)
        loss.backward()
        for tensor, momentum in zip(flat, momenta, strict=True):
            momentum *= MOMENTUM
            momentum += tensor.grad
            tensor.data[...] -= LEARNING_RATE * momentum
        return float(loss.item())

    return step
