"""Same seed, same numbers: whole programs, written once, run under the engine and under PyTorch.

Single draws are compared in `tests/random`, single layers in `tests/nn`, loaders in `tests/utils`. Here one
stream of random numbers goes through all of them, as it does in a learner's program. The last tests train
lenet on real pictures, where there are any: 200 steps, or the full 1,000 with HYPOTHESIS_PROFILE=thorough.
"""

from __future__ import annotations

import os
import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import minitorch_cifar
from minitorch_cifar import models, vision
from minitorch_cifar.learn.data import open_pictures
from minitorch_cifar.testing.deviation import ulp_distances
from reference import data as reference_data
from reference import networks

LIBRARIES = (minitorch_cifar, torch)
VISION = {minitorch_cifar: vision, torch: torchvision}
NETWORKS = {minitorch_cifar: models.NETWORKS, torch: networks.NETWORKS}

# Programs: each draws in its own way and returns what a user would see of it.


def layers(library: Any) -> Any:
    """Default initialisation of every layer that has weights, and the three networks."""
    nn = library.nn
    made = [
        nn.Linear(7, 5),
        nn.Linear(3, 4, bias=False),
        nn.Conv2d(4, 6, 3, groups=2),
        nn.Conv2d(3, 2, (1, 5), bias=False),
        nn.BatchNorm1d(3),
        nn.BatchNorm2d(4),
        *(NETWORKS[library][name]() for name in ("lenet", "quick", "bn")),
    ]
    return [tensor for module in made for tensor in module.state_dict().values()]


def dropout(library: Any) -> Any:
    """Masks of single elements and of channels, as layers, as functions, in the middle of a network."""
    nn = library.nn
    x = library.arange(1.0, 97.0).reshape(2, 3, 4, 4)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Dropout(0.2), nn.Flatten(), nn.Linear(16, 3))
    return [
        nn.Dropout(0.5)(x),
        nn.Dropout2d(0.4)(x),
        nn.functional.dropout(x, 0.9),
        nn.functional.dropout(x, 0.3, training=False),
        nn.functional.dropout1d(x[0], 0.5),
        network(x) != 0,
    ]


def split(library: Any) -> Any:
    """`random_split` by numbers and by fractions, with the default generator and with one of its own."""
    data = library.utils.data
    items = list(range(53))
    own = library.Generator().manual_seed(5)
    return [
        [list(part.indices) for part in data.random_split(items, [40, 13])],
        [list(part.indices) for part in data.random_split(items, [0.5, 0.3, 0.2], generator=own)],
        own.get_state(),
    ]


def loaders(library: Any) -> Any:
    """Shuffled order over two epochs; weighted and random samplers."""
    data = library.utils.data
    items = data.TensorDataset(library.arange(23), library.arange(23) * 2)
    own = library.Generator().manual_seed(9)
    plain = data.DataLoader(items, batch_size=4, shuffle=True)
    seeded = data.DataLoader(items, batch_size=5, shuffle=True, generator=own, drop_last=True)
    weighted = data.WeightedRandomSampler([0.1, 5.0, 2.0, 1.0], 9)
    sampled = data.RandomSampler(range(11), replacement=True, num_samples=40)
    return [
        [batch[1] for _ in range(2) for batch in plain],
        [batch[1] for _ in range(2) for batch in seeded],
        list(weighted),
        list(sampled),
        own.get_state(),
    ]


def transforms(library: Any) -> Any:
    """Augmented pictures, one after the other, and through a loader."""
    kit = VISION[library].transforms
    chain = kit.Compose(
        [
            kit.RandomCrop(32, padding=4),
            kit.RandomHorizontalFlip(),
            kit.RandomRotation(15),
            kit.ColorJitter(0.2, 0.2),
            kit.ToTensor(),
            kit.RandomErasing(0.5),
            kit.Normalize((0.5,) * 3, (0.5,) * 3),
        ]
    )
    pictures = [(chain(picture), i) for i, picture in enumerate(random_pictures())]
    batches = list(library.utils.data.DataLoader(pictures, batch_size=3, shuffle=True))
    return [chain(random_pictures()[0]), *(images for images, _ in batches)]


@cache
def random_pictures() -> list[Image.Image]:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 32, 32, 3), dtype=np.uint8)
    return [Image.fromarray(picture) for picture in pixels]


def noise(library: Any) -> Any:
    """Draws of every kind; the normal ones on both of PyTorch's paths."""
    return [
        library.rand(5),
        library.randint(0, 100, (7,)),
        library.randperm(12),
        library.rand(3, dtype=library.float64),
        library.bernoulli(library.full((9,), 0.3)),
        library.empty(4).uniform_(-2, 3),
    ]


EXACT = {f.__name__: f for f in (layers, dropout, split, loaders, transforms, noise)}


def arrays(value: Any) -> list[Any]:
    """Nested results as a flat list of arrays and plain values."""
    if isinstance(value, (list, tuple)):
        return [item for member in value for item in arrays(member)]
    if isinstance(value, (minitorch_cifar.Tensor, torch.Tensor)):
        return [np.array(value.detach().numpy())]
    return [value]


@settings(max_examples=15)
@given(st.lists(st.sampled_from(sorted(EXACT)), min_size=1, max_size=5), st.integers(0, 2**63))
def test_any_sequence_of_programs_draws_the_same_bit_for_bit(names: list[str], seed: int) -> None:
    results = []
    for library in LIBRARIES:
        library.manual_seed(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            drawn = [arrays(EXACT[name](library)) for name in names]
        results.append((drawn, library.get_rng_state().numpy()))
    (ours, our_state), (theirs, their_state) = results
    for name, mine, other in zip(names, ours, theirs, strict=True):
        assert len(mine) == len(other), name
        for a, b in zip(mine, other, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=name, strict=isinstance(b, np.ndarray))
    np.testing.assert_array_equal(our_state, their_state)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "draw",
    [
        "randn(7)",
        "randn(1000)",
        "normal(torch.zeros(20), torch.ones(20))",
        "nn.init.kaiming_normal_(torch.empty(8, 9))",
        "nn.init.xavier_normal_(torch.empty(2, 3))",
        "nn.init.trunc_normal_(torch.empty(50))",
    ],
)
def test_normal_numbers_agree_to_2_ulp(draw: str, dtype: str) -> None:
    results = []
    for library in LIBRARIES:
        before = library.get_default_dtype()
        library.set_default_dtype(getattr(library, dtype))
        try:
            library.manual_seed(11)
            # The draw, and a uniform one that shows whether the stream went on alike.
            value = eval(f"torch.{draw}", {"torch": library})
            results.append((value.detach().numpy(), library.rand(3).numpy()))
        finally:
            library.set_default_dtype(before)
    (mine, after), (other, expected_after) = results
    assert mine.dtype == other.dtype == dtype
    assert ulp_distances(mine, other).max() <= 2
    np.testing.assert_array_equal(after, expected_after)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_do_not_change_the_order(workers: int) -> None:
    """PyTorch's workers are processes, ours threads: their order and the base seed's draw are the same."""
    results = []
    for library in LIBRARIES:
        data = library.utils.data
        library.manual_seed(3)
        items = data.TensorDataset(library.arange(17))
        loader = data.DataLoader(items, batch_size=4, shuffle=True, num_workers=workers)
        results.append(([batch[0].tolist() for _ in range(2) for batch in loader], library.rand(2).tolist()))
    assert results[0] == results[1]


# A learner's whole program

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
STEPS = 1000 if THOROUGH else 200
WINDOW = 100


@pytest.fixture(scope="module")
def pictures(request: pytest.FixtureRequest) -> dict[Any, Any]:
    """The training pictures, each library reading them by its own code; drawn shapes without CIFAR-10."""
    try:
        source = str(request.getfixturevalue("cifar_root"))
    except pytest.skip.Exception:
        source = "shapes10"
    limit = None if source != "shapes10" else 1000
    return {
        minitorch_cifar: open_pictures(source, True, models.Normalization(), limit).dataset,
        torch: reference_data.open_pictures(source, True, limit)[0],
    }


def train(library: Any, dataset: Any, dtype: str) -> tuple[list[float], dict[str, Any]]:
    """The lenet program at batch 4: its losses and its parameters in the end."""
    library.manual_seed(0)
    network = NETWORKS[library]["lenet"]().to(getattr(library, dtype))
    criterion = library.nn.CrossEntropyLoss()
    optimizer = library.optim.SGD(network.parameters(), lr=0.001, momentum=0.9)
    losses: list[float] = []
    while len(losses) < STEPS:
        for images, labels in library.utils.data.DataLoader(dataset, batch_size=4, shuffle=True):
            optimizer.zero_grad()
            loss = criterion(network(images.to(getattr(library, dtype))), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if len(losses) == STEPS:
                break
    return losses, {name: p.detach().numpy() for name, p in network.named_parameters()}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_program_prints_the_same_losses(dtype: str, pictures: dict[Any, Any]) -> None:
    torch.set_num_threads(torch.get_num_threads())  # the engine's kernels may have changed it
    (mine, ours), (other, theirs) = (train(library, pictures[library], dtype) for library in LIBRARIES)
    windows = [np.reshape(losses, (-1, WINDOW)).mean(1) for losses in (mine, other)]
    running = float(np.abs(windows[0] - windows[1]).max())
    apart = {
        name: float(np.abs(ours[name] - theirs[name]).max() / np.abs(theirs[name]).max()) for name in ours
    }
    worst = max(apart, key=apart.__getitem__)
    print(f"{dtype}, {STEPS} steps: running loss {running:.2g} apart, {worst} {apart[worst]:.2g}")
    assert mine[0] != mine[-1]
    assert running < 5e-4
    assert mine[0] == pytest.approx(other[0], rel=1e-6)
    if dtype == "float64":
        assert apart[worst] < 1e-9
        np.testing.assert_allclose(mine, other, rtol=1e-9)
