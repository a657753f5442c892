"""The loader: PyTorch's batches in PyTorch's order, with workers and without, fast path or not."""

from __future__ import annotations

import gc
import threading
import time
import warnings
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.utils import data as theirs

import minitorch_cifar
from minitorch_cifar.utils import data as ours
from minitorch_cifar.vision import transforms
from minitorch_cifar.vision.datasets import Shapes10

from ...same_error import assert_same_error


class Items:
    """A map-style dataset of tuples (float array, int), for either library."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return np.full(3, index, np.float32), index * 10


def lists(loader: Any) -> list[Any]:
    return [[part.tolist() for part in batch] for batch in loader]


@settings(max_examples=30)
@given(
    st.integers(1, 20),
    st.integers(1, 7),
    st.booleans(),
    st.booleans(),
    st.integers(0, 3),
    st.booleans(),
    st.integers(0, 2**32),
)
def test_batches_and_order_are_pytorchs(count, batch_size, shuffle, drop_last, workers, own, seed):
    results = []
    for library, data in ((minitorch_cifar, ours), (torch, theirs)):
        library.manual_seed(seed)
        generator = library.Generator().manual_seed(seed + 1) if own else None
        loader = data.DataLoader(
            Items(count),
            batch_size,
            shuffle,
            drop_last=drop_last,
            generator=generator,
            num_workers=workers if data is ours else 0,
        )
        epochs = [lists(loader) for _ in range(2)]
        results.append((epochs, len(loader), library.randint(0, 2**31, (2,), generator=generator).tolist()))
    assert results[0] == results[1]


def test_options_of_pytorch(monkeypatch):
    def loaders(data):
        yield data.DataLoader(Items(5), batch_size=None)
        yield data.DataLoader(Items(5), sampler=[3, 1, 1])
        yield data.DataLoader(Items(5), batch_sampler=[[0], [2, 4]])
        yield data.DataLoader(Items(5), batch_size=2, collate_fn=lambda samples: [s[1] for s in samples])
        yield data.DataLoader(Items(5), batch_size=2, sampler=data.SubsetRandomSampler([2, 3, 4]))

    def plain(item):
        return item.tolist() if hasattr(item, "tolist") else item

    minitorch_cifar.manual_seed(1)
    torch.manual_seed(1)
    for mine, other in zip(loaders(ours), loaders(theirs), strict=True):
        assert len(mine) == len(other)
        assert [list(map(plain, b)) for b in mine] == [list(map(plain, b)) for b in other]
    batch = next(iter(ours.DataLoader(Items(5), batch_size=2)))
    assert isinstance(batch, list)


ARGUMENTS = [
    {"num_workers": -1},
    {"timeout": -1},
    {"prefetch_factor": 2},
    {"num_workers": 1, "prefetch_factor": -1},
    {"persistent_workers": True},
    {"sampler": [0], "shuffle": True},
    {"batch_sampler": [[0]], "batch_size": 2},
    {"batch_sampler": [[0]], "drop_last": True},
    {"batch_size": None, "drop_last": True},
    {"batch_size": 0},
    {"multiprocessing_context": "fork"},
]


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_errors_are_pytorchs(arguments):
    assert_same_error(
        lambda: ours.DataLoader(Items(5), **arguments), lambda: theirs.DataLoader(Items(5), **arguments)
    )


@pytest.mark.parametrize("name", ["batch_size", "sampler", "dataset", "drop_last", "batch_sampler"])
def test_what_must_not_be_changed_later(name):
    for data in (theirs, ours):
        loader = data.DataLoader(Items(5))
        with pytest.raises(ValueError, match=f"{name} attribute should not be set after DataLoader"):
            setattr(loader, name, 1)


def test_what_is_not_supported_says_so():
    with pytest.raises(NotImplementedError, match="in_order"):
        ours.DataLoader(Items(5), in_order=False)
    with pytest.raises(NotImplementedError, match="workers are threads"):
        ours.DataLoader(Items(5), num_workers=1, multiprocessing_context="fork")
    with pytest.warns(UserWarning, match="no accelerator is found"):
        list(ours.DataLoader(Items(5), pin_memory=True))


# Iterable datasets


def counting(data: Any, count: int) -> Any:
    class Counting(data.IterableDataset):
        def __init__(self):
            self.first, self.last = 0, count

        def __iter__(self):
            info = data.get_worker_info()
            if info is None:
                return iter(range(self.first, self.last))
            return iter(range(self.first + info.id, self.last, info.num_workers))

        def __len__(self):
            return count

    return Counting()


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
@pytest.mark.parametrize("drop_last", [False, True])
def test_iterable_datasets(workers, drop_last):
    results = []
    for data in (ours, theirs):
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # PyTorch's about more workers than cores, or more items than promised
            loader = data.DataLoader(
                counting(data, 11), batch_size=2, num_workers=workers, drop_last=drop_last
            )
            results.append(([batch.tolist() for batch in loader], len(loader)))
    assert results[0] == results[1]


class Uneven(ours.IterableDataset):
    """Worker w yields the pairs (w, 0), (w, 1), ..., as many as `lengths[w]`."""

    def __init__(self, lengths: list[int]) -> None:
        self.lengths = lengths

    def __iter__(self):
        number = ours.get_worker_info().id
        return iter([(number, i) for i in range(self.lengths[number])])


@given(st.lists(st.integers(0, 6), min_size=1, max_size=4), st.integers(1, 3))
def test_workers_take_turns_until_each_is_exhausted(lengths, prefetch):
    loader = ours.DataLoader(
        Uneven(lengths), batch_size=None, num_workers=len(lengths), prefetch_factor=prefetch
    )
    turns = [(w, i) for i in range(max(lengths)) for w in range(len(lengths)) if i < lengths[w]]
    assert [tuple(pair) for pair in loader] == turns


def test_iterable_dataset_arguments():
    for name, value in (("shuffle", True), ("sampler", [0]), ("batch_sampler", [[0]])):
        arguments = {name: value}
        assert_same_error(
            partial(ours.DataLoader, counting(ours, 3), **arguments),
            partial(theirs.DataLoader, counting(theirs, 3), **arguments),
        )


def test_worker_init_may_give_each_worker_its_part():
    def init(number):
        info = ours.get_worker_info()
        assert info.id == number
        info.dataset.first, info.dataset.last = 10 * number, 10 * number + 4

    dataset = counting(ours, 4)
    type(dataset).__iter__ = lambda self: iter(range(self.first, self.last))
    loader = ours.DataLoader(dataset, batch_size=2, num_workers=2, worker_init_fn=init)
    assert [batch.tolist() for batch in loader] == [[0, 1], [10, 11], [2, 3], [12, 13]]
    assert (dataset.first, dataset.last) == (0, 4), "each worker has changed a copy of its own"


# Workers


class Slow(Items):
    """Early samples take longest, so that workers finish out of order."""

    def __getitem__(self, index: int) -> tuple[Any, int]:
        time.sleep(0.002 * (self.count - index) % 0.01)
        return super().__getitem__(index)


@pytest.mark.parametrize("prefetch", [1, 2, 5])
def test_order_does_not_depend_on_who_is_quick(prefetch):
    loader = ours.DataLoader(Slow(40), batch_size=3, num_workers=4, prefetch_factor=prefetch)
    assert [batch[1].tolist() for batch in loader] == [
        [i * 10 for i in range(start, min(start + 3, 40))] for start in range(0, 40, 3)
    ]


class Failing(Items):
    def __getitem__(self, index: int) -> tuple[Any, int]:
        if index == 5:
            raise KeyError("sample five is broken")
        if index == 9:
            raise OddError("needs", "two arguments")
        return super().__getitem__(index)


class OddError(Exception):
    def __init__(self, first: str, second: str) -> None:
        super().__init__(first, second)


def test_an_exception_in_a_worker_is_raised_in_the_loop():
    loader = iter(ours.DataLoader(Failing(12), batch_size=2, num_workers=2))
    assert next(loader)[1].tolist() == [0, 10]
    assert next(loader)[1].tolist() == [20, 30]
    with pytest.raises(KeyError) as caught:
        next(loader)
    message = str(caught.value)
    assert "Caught KeyError in DataLoader worker thread 0" in message
    assert "in __getitem__" in message
    assert "sample five is broken" in message
    assert isinstance(caught.value.__cause__, KeyError)
    assert next(loader)[1].tolist() == [60, 70], "the loop may go on after it"
    with pytest.raises(RuntimeError, match="Caught OddError in DataLoader worker thread 0"):
        next(loader)
    assert [batch[1].tolist() for batch in loader] == [[100, 110]]


def test_an_exception_without_workers_is_itself():
    with pytest.raises(KeyError, match=r"^'sample five is broken'$"):
        list(ours.DataLoader(Failing(12)))


def test_an_exception_while_a_worker_starts():
    def init(number):
        raise OSError(f"worker {number} cannot start")

    loader = iter(ours.DataLoader(Items(4), num_workers=2, worker_init_fn=init))
    with pytest.raises(OSError, match="worker 0 cannot start"):
        next(loader)


def workers_running() -> int:
    return sum(thread.name.startswith("DataLoader worker") for thread in threading.enumerate())


def wait_until_no_worker_runs() -> None:
    gc.collect()
    deadline = time.monotonic() + 10
    while workers_running() and time.monotonic() < deadline:
        time.sleep(0.01)


def test_threads_end_with_the_epoch_and_with_the_iterator():
    wait_until_no_worker_runs()
    list(ours.DataLoader(Items(10), num_workers=3))
    wait_until_no_worker_runs()
    assert workers_running() == 0
    iterator = iter(ours.DataLoader(Items(1000), num_workers=3))
    next(iterator)
    assert workers_running() == 3
    del iterator
    wait_until_no_worker_runs()
    assert workers_running() == 0
    loader = ours.DataLoader(Items(10), num_workers=3, persistent_workers=True)
    list(loader)
    assert workers_running() == 3
    del loader
    wait_until_no_worker_runs()
    assert workers_running() == 0


def test_workers_do_not_run_ahead_without_end():
    seen = []

    class Seen(Items):
        def __getitem__(self, index):
            seen.append(index)
            return index

    iterator = iter(ours.DataLoader(Seen(1000), num_workers=2, prefetch_factor=3))
    next(iterator)
    time.sleep(0.2)
    assert len(seen) <= 2 * 3 + 1


def test_timeout():
    class Stuck(Items):
        def __getitem__(self, index):
            time.sleep(1)

    with pytest.raises(RuntimeError, match=r"timed out after 0.05 seconds"):
        next(iter(ours.DataLoader(Stuck(1), num_workers=1, timeout=0.05)))


def test_worker_info():
    assert ours.get_worker_info() is None

    class Asking(Items):
        def __getitem__(self, index):
            info = ours.get_worker_info()
            return (info.id, info.num_workers, info.seed, info.dataset is self)

    minitorch_cifar.manual_seed(0)
    torch.manual_seed(0)
    base_seed = int(torch.empty((), dtype=torch.int64).random_())
    loader = ours.DataLoader(Asking(4), batch_size=None, num_workers=2)
    assert list(map(tuple, loader)) == [(w, 2, base_seed + w, True) for w in (0, 1, 0, 1)]


class Drawing(Items):
    """Draws from the default generator for each sample."""

    def __init__(self, count: int, library: Any) -> None:
        super().__init__(count)
        self.library = library

    def __getitem__(self, index: int) -> Any:
        return self.library.rand(2)


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
def test_what_workers_draw_is_what_pytorchs_draw(workers):
    results = []
    for library, data in ((minitorch_cifar, ours), (torch, theirs)):
        library.manual_seed(7)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about more workers than cores
            loader = data.DataLoader(Drawing(13, library), 2, shuffle=True, num_workers=workers)
        epochs = [[batch.tolist() for batch in loader] for _ in range(2)]
        results.append((epochs, library.rand(2).tolist()))
    assert results[0] == results[1]


def test_persistent_workers_keep_their_threads_and_their_streams():
    results = []
    for library, data in ((minitorch_cifar, ours), (torch, theirs)):
        library.manual_seed(7)
        loader = data.DataLoader(Drawing(6, library), 2, num_workers=2, persistent_workers=True)
        results.append([[batch.tolist() for batch in loader] for _ in range(3)])
    assert results[0] == results[1]

    seen = set()

    class Threads(Items):
        def __getitem__(self, index):
            seen.add(threading.get_ident())
            return index

    loader = ours.DataLoader(Threads(6), num_workers=2, persistent_workers=True)
    next(iter(loader))  # an epoch that is left early
    assert [[int(batch) for batch in loader] for _ in range(2)] == [[0, 1, 2, 3, 4, 5]] * 2
    assert len(seen) == 2


# The fast path for arrays of pictures


class TheirShapes(theirs.Dataset):
    """Shapes10 for PyTorch, sample by sample."""

    def __init__(self, source: Shapes10, transform: Any) -> None:
        self.source, self.transform = source, transform

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.transform(Image.fromarray(self.source.data[index])), self.source.targets[index]


CHAINS = {
    "to tensor": lambda t: t.ToTensor(),
    "composed": lambda t: t.Compose([t.ToTensor()]),
    "normalize": lambda t: t.Compose([t.ToTensor(), t.Normalize((0.5, 0.4, 0.3), (0.2, 0.25, 0.3))]),
    "grey": lambda t: t.Compose([t.ToTensor(), t.Normalize([0.5], [0.5])]),
    "flip": lambda t: t.Compose([t.RandomHorizontalFlip(0.3), t.ToTensor()]),
    "augmented": lambda t: t.Compose(
        [t.RandomCrop(32, 4), t.RandomHorizontalFlip(), t.ToTensor(), t.Normalize((0.5,) * 3, (0.2,) * 3)]
    ),
    "small": lambda t: t.Compose([t.RandomCrop((20, 24), fill=7, padding=2), t.ToTensor()]),
    "reflected": lambda t: t.Compose([t.RandomCrop(32, 4, padding_mode="reflect"), t.ToTensor()]),
    # not on the fast path
    "resized": lambda t: t.Compose([t.Resize(16), t.ToTensor()]),
    "twice": lambda t: t.Compose([t.ToTensor(), *[t.Normalize((0.5,) * 3, (0.5,) * 3)] * 2]),
}
FAST = {"to tensor", "composed", "normalize", "grey", "flip", "augmented", "small", "reflected"}


@pytest.fixture(scope="module")
def shapes() -> Shapes10:
    return Shapes10(train=False)


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("workers", [0, 2])
def test_pictures_are_torchvisions_bit_for_bit(backend, shapes, chain, workers):
    shapes.transform = CHAINS[chain](transforms)
    assert (shapes.batch_reader() is not None) == (chain in FAST)
    other = TheirShapes(shapes, CHAINS[chain](torchvision.transforms))
    chosen = list(range(0, 2000, 17))
    minitorch_cifar.manual_seed(11)
    torch.manual_seed(11)
    mine = ours.DataLoader(ours.Subset(shapes, chosen), 16, shuffle=True, num_workers=workers)
    expected = theirs.DataLoader(theirs.Subset(other, chosen), 16, shuffle=True, num_workers=workers)
    count = 0
    for (pictures, labels), (their_pictures, their_labels) in zip(mine, expected, strict=True):
        assert str(pictures.dtype) == str(their_pictures.dtype)
        assert np.array_equal(pictures.numpy(), their_pictures.numpy())
        assert labels.tolist() == their_labels.tolist()
        assert str(labels.dtype) == str(their_labels.dtype)
        count += len(labels)
    assert count == len(chosen)


def test_the_fast_path_equals_sample_by_sample(shapes):
    shapes.transform = CHAINS["augmented"](transforms)
    batches = []
    for collate in (None, lambda samples: ours.default_collate(samples)):
        minitorch_cifar.manual_seed(5)
        loader = ours.DataLoader(shapes, 50, shuffle=True, collate_fn=collate)
        batches.append(next(iter(loader)))
    (fast, fast_labels), (slow, slow_labels) = batches
    assert np.array_equal(fast.numpy(), slow.numpy())
    assert fast_labels.tolist() == slow_labels.tolist()


def test_the_fast_path_is_left_when_something_is_changed(shapes):
    class Inverted(Shapes10):
        def __getitem__(self, index):
            picture, label = super().__getitem__(index)
            return 1 - picture, label

    shapes.transform = transforms.ToTensor()
    inverted = Inverted(train=False, transform=transforms.ToTensor())
    normal_batch = next(iter(ours.DataLoader(shapes, 4)))[0]
    inverted_batch = next(iter(ours.DataLoader(inverted, 4)))[0]
    assert np.allclose(normal_batch.numpy() + inverted_batch.numpy(), 1)

    class Bright(transforms.ToTensor):
        def __call__(self, pic):
            return super().__call__(pic) + 1

    shapes.transform = Bright()
    assert float(next(iter(ours.DataLoader(shapes, 4)))[0].min()) >= 1
    shapes.transform, shapes.target_transform = transforms.ToTensor(), lambda label: label + 100
    assert min(next(iter(ours.DataLoader(shapes, 4)))[1].tolist()) >= 100
    shapes.target_transform = None
    shapes.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.0,))])
    with pytest.raises(ValueError, match="std evaluated to zero"):
        next(iter(ours.DataLoader(shapes, 4)))


def test_tensor_dataset_in_batches():
    x, y = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32), np.arange(10)
    mine = ours.DataLoader(ours.TensorDataset(*map(minitorch_cifar.from_numpy, (x, y))), 4)
    other = theirs.DataLoader(theirs.TensorDataset(*map(torch.from_numpy, (x, y))), 4)
    for batch, expected in zip(mine, other, strict=True):
        assert type(batch) is type(expected)
        assert [part.tolist() for part in batch] == [part.tolist() for part in expected]
        batch[0].zero_()
    assert x.any(), "batches are copies"
