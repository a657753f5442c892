"""Whole batches are the batches of single samples, and PyTorch's and torchvision's, to the last bit and draw.

Both libraries' own dataset classes are used, with the same pictures put into them.
"""

from __future__ import annotations

import threading
import warnings
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils import data as theirs

import minitorch_cifar
from minitorch_cifar.utils import data as ours
from minitorch_cifar.utils.data.whole_batch import BatchReader, reader_of
from minitorch_cifar.vision import datasets, transforms
from minitorch_cifar.vision.datasets import arrays

OUR = (minitorch_cifar, ours, datasets, transforms)
THEIR = (torch, theirs, torchvision.datasets, torchvision.transforms)

generator = np.random.default_rng(0)
COLOUR = generator.integers(0, 256, (40, 3, 12, 10), np.uint8).transpose(0, 2, 3, 1)  # (N, 12, 10, 3)
GREY = generator.integers(0, 256, (40, 12, 10), np.uint8)
LABELS = generator.integers(0, 10, 40).tolist()
ROWS = generator.normal(size=(40, 3)).astype(np.float32)


def made(kind: str, side: Any, transform: Any = None, target_transform: Any = None) -> Any:
    """A dataset of that class without its files."""
    library, _, classes, _ = side
    known = getattr(classes, kind)
    dataset = known.__new__(known)
    if kind.startswith("CIFAR"):
        dataset.data, dataset.targets = COLOUR, list(LABELS)
    else:
        dataset.data, dataset.targets = library.from_numpy(GREY.copy()), library.tensor(LABELS)
    dataset.transform, dataset.target_transform = transform, target_transform
    return dataset


def rows(side: Any) -> Any:
    library, data, *_ = side
    numbers = library.arange(40), library.tensor([[i % 3 == 0] for i in range(40)])
    return data.TensorDataset(library.from_numpy(ROWS.copy()).t().contiguous().t(), *numbers)


MOVERS: dict[str, Any] = {
    "flip": lambda t: t.RandomHorizontalFlip(),
    "rarely": lambda t: t.RandomHorizontalFlip(0.1),
    "always": lambda t: t.RandomVerticalFlip(1),
    "vertical": lambda t: t.RandomVerticalFlip(),
    "crop": lambda t: t.RandomCrop(8),
    "oblong": lambda t: t.RandomCrop((11, 5), padding=(1, 2)),
    "padded": lambda t: t.RandomCrop((12, 10), padding=4),
    "filled": lambda t: t.RandomCrop(9, padding=[1, 2, 3, 0], fill=77),
    "reflected": lambda t: t.RandomCrop((12, 10), padding=3, padding_mode="reflect"),
    "edge": lambda t: t.RandomCrop(10, padding=2, padding_mode="edge"),
    "needed": lambda t: t.RandomCrop((15, 14), pad_if_needed=True),
    "symmetric": lambda t: t.Pad((1, 3), padding_mode="symmetric"),
    "border": lambda t: t.Pad([2], fill=77),
    "middle": lambda t: t.CenterCrop((8, 7)),
    "roomy": lambda t: t.CenterCrop((15, 9)),
    "whole": lambda t: t.RandomCrop((12, 10)),
}
SCALES: dict[str, Any] = {
    "none": lambda t: [],
    "one": lambda t: [t.Normalize((0.5,), (0.25,))],
    "integers": lambda t: [t.Normalize([0], [3], inplace=True)],
}
THREE = {"three": lambda t: [t.Normalize((0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616))]}
KINDS = ("CIFAR10", "CIFAR100", "MNIST", "FashionMNIST")


@st.composite
def chains(draw: st.DrawFn, colour: bool) -> Any:
    """A function from a module of transforms to one of them whose parts are all known."""
    movers = draw(st.lists(st.sampled_from(sorted(MOVERS)), max_size=3))
    fills = {"filled": 77, "border": 77, "oblong": 0, "padded": 0, "needed": 0, "middle": 0, "roomy": 0}
    if len({fills[mover] for mover in movers if mover in fills}) > 1:
        movers = movers[:1]
    scale = draw(st.sampled_from(sorted({**SCALES, **THREE} if colour else SCALES)))

    def build(t: Any) -> Any:
        parts = [*(MOVERS[mover](t) for mover in movers), t.ToTensor(), *{**SCALES, **THREE}[scale](t)]
        return parts[0] if len(parts) == 1 and draw_alone else t.Compose(parts)

    draw_alone = draw(st.booleans())
    return build


@st.composite
def sources(draw: st.DrawFn) -> Any:
    """A function from a side to a dataset that can be read whole."""
    kind = draw(st.sampled_from((*KINDS, "tensors")))
    chain = draw(chains(kind.startswith("CIFAR")))

    def simple(side: Any) -> Any:
        return rows(side) if kind == "tensors" else made(kind, side, chain(side[3]))

    shape = draw(st.sampled_from(("plain", "subset", "array subset", "split", "sum", "part of a sum")))
    chosen = draw(st.lists(st.integers(-40, 39), min_size=1, max_size=30))

    def build(side: Any) -> Any:
        data = side[1]
        if shape == "plain":
            return simple(side)
        if shape == "subset":
            return data.Subset(simple(side), [i % 40 for i in chosen])
        if shape == "array subset":
            return data.Subset(simple(side), np.array(chosen) % 40)
        if shape == "split":
            parts = data.random_split(simple(side), [0.7, 0.3], side[0].Generator().manual_seed(3))
            return parts[1]
        both = data.ConcatDataset([simple(side), data.Subset(simple(side), range(5, 12))])
        return both if shape == "sum" else data.Subset(both, [i % 47 for i in chosen])

    return build


def run(side: Any, source: Any, seed: int, epochs: int = 2, **options: Any) -> Any:
    """Every batch of some epochs, as bytes, and the random state after them."""
    library, data, *_ = side
    library.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about more workers than cores
        loader = data.DataLoader(source(side), **options)
    batches = []
    failure = None
    for _ in range(epochs):
        try:
            for batch in loader:
                assert type(batch) is list
                batches.append(
                    [(str(p.dtype), tuple(p.shape), p.stride(), p.numpy().tobytes()) for p in batch]
                )
        except (RuntimeError, ValueError) as error:
            failure = type(error)
    return batches, failure, library.get_rng_state().numpy().tobytes()


@settings(max_examples=60)
@given(
    source=sources(),
    batch_size=st.integers(1, 9),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
    seed=st.integers(0, 2**40),
)
def test_batches_and_draws_are_torchvisions(source, batch_size, shuffle, drop_last, seed):
    """Crops larger than what is left of a picture are among the examples: errors, and the same."""
    options = {"batch_size": batch_size, "shuffle": shuffle, "drop_last": drop_last}
    mine = run(OUR, source, seed, **options)
    assert mine == run(THEIR, source, seed, **options)
    if mine[1] is None:
        assert isinstance(reader_of(source(OUR)), BatchReader)
    assert mine == run(OUR, source, seed, **options, collate_fn=lambda samples: ours.default_collate(samples))


@settings(max_examples=30)
@given(
    source=sources(),
    batch_size=st.integers(1, 9),
    shuffle=st.booleans(),
    workers=st.integers(1, 3),
    prefetch=st.integers(1, 3),
    persistent=st.booleans(),
    seed=st.integers(0, 2**40),
)
def test_workers_in_place_draw_what_threads_draw(
    source, batch_size, shuffle, workers, prefetch, persistent, seed
):
    options = {"batch_size": batch_size, "shuffle": shuffle, "num_workers": workers}
    options.update(prefetch_factor=prefetch, persistent_workers=persistent)
    threads = run(
        OUR, source, seed, **options, collate_fn=lambda samples: ours.default_collate(samples)
    )  # a collate_fn that may be anything
    assert run(OUR, source, seed, **options) == threads


@settings(max_examples=6)
@given(sources(), st.integers(1, 9), st.integers(1, 3), st.booleans(), st.integers(0, 2**40))
def test_workers_draw_what_pytorchs_processes_draw(source, batch_size, workers, persistent, seed):
    options = {"batch_size": batch_size, "num_workers": workers, "persistent_workers": persistent}
    mine = run(OUR, source, seed, shuffle=True, **options)
    assert mine == run(THEIR, source, seed, shuffle=True, **options)


def augmented(side: Any) -> Any:
    t = side[3]
    parts = [MOVERS["padded"](t), MOVERS["flip"](t), t.ToTensor(), *THREE["three"](t)]
    return made("CIFAR10", side, t.Compose(parts))


@pytest.mark.parametrize("workers", [1, 2])
def test_augmentation_as_learners_write_it(workers):
    """The one example of each with PyTorch's processes that always runs."""
    mine = run(OUR, augmented, 5, batch_size=7, shuffle=True, num_workers=workers)
    assert mine == run(THEIR, augmented, 5, batch_size=7, shuffle=True, num_workers=workers)


@pytest.mark.parametrize("prefetch", [1, 3])
@pytest.mark.parametrize("left_after", [1, 3, 9])
def test_streams_of_persistent_workers_after_an_epoch_left_early(prefetch, left_after):
    """They have drawn for what was asked of them ahead, though nobody saw it."""
    results = []
    for side in (OUR, THEIR):
        library, data, *_ = side
        library.manual_seed(1)
        loader = data.DataLoader(
            augmented(side), 4, True, num_workers=2, persistent_workers=True, prefetch_factor=prefetch
        )
        for _, _ in zip(range(left_after), loader, strict=False):
            pass
        results.append([pictures.numpy().tobytes() for pictures, _ in loader])
    assert results[0] == results[1]


def test_when_a_sampler_is_asked():
    """One of the user's is asked as far ahead as PyTorch asks it, and draws at the same moments."""

    def asking(side: Any) -> Any:
        library, data, *_ = side
        asked: list[int] = []

        class Asked(data.Sampler):
            def __iter__(self):
                for _ in range(11):
                    asked.append(int(library.randint(40, (1,))))
                    yield asked[-1]

            def __len__(self):
                return 11

        library.manual_seed(2)
        loader = data.DataLoader(augmented(side), 2, sampler=Asked(), num_workers=2)
        counts = []
        for _ in loader:
            counts.append((len(asked), library.rand(1).item()))
        return counts, asked

    assert asking(OUR) == asking(THEIR)


def test_batches_read_ahead_in_inference_mode_can_be_trained_on():
    iterator = iter(ours.DataLoader(plain(), 4, num_workers=2))
    with minitorch_cifar.inference_mode():
        next(iterator)
    pictures, _ = next(iterator)
    weight = minitorch_cifar.ones(1, requires_grad=True)
    (pictures * weight).sum().backward()
    assert weight.grad.item() == pytest.approx(float(pictures.sum()), rel=1e-5)


def test_no_sample_is_made_and_no_thread_started(monkeypatch):
    def refuse(*args: Any) -> Any:
        raise AssertionError("a sample of its own")

    monkeypatch.setattr(arrays.ArrayDataset, "__getitem__", refuse)
    monkeypatch.setattr(ours.TensorDataset, "__getitem__", refuse)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    both = ours.ConcatDataset([augmented(OUR), made("CIFAR10", OUR, transforms.ToTensor())])
    # The two give pictures of one size, so that they can be put together.
    for dataset in (augmented(OUR), rows(OUR), ours.Subset(both, range(30, 50))):
        for workers in (0, 2):
            loader = ours.DataLoader(dataset, 4, shuffle=True, num_workers=workers)
            assert sum(len(batch[0]) for batch in loader) == len(dataset)


def test_batches_share_no_memory():
    dataset = made("CIFAR10", OUR, transforms.ToTensor())
    kept = list(ours.DataLoader(dataset, 4))
    before = [pictures.numpy().copy() for pictures, _ in kept]
    for i, (pictures, labels) in enumerate(kept):
        pictures.zero_()
        labels.zero_()
        assert all(np.array_equal(kept[j][0].numpy(), before[j]) for j in range(i + 1, len(kept)))
    assert dataset.targets == LABELS
    again = list(ours.DataLoader(dataset, 4))
    assert all(np.array_equal(a[0].numpy(), b) for a, b in zip(again, before, strict=True))


# What is not known goes sample by sample.


def plain(transform: Any = None, **others: Any) -> Any:
    return made("CIFAR10", OUR, transform or transforms.ToTensor(), **others)


def hooked(which: str) -> Any:
    scale = transforms.Normalize((0.5,), (0.5,))
    getattr(scale, which)(lambda module, *values: None if "pre" in which else values[-1] * 2)
    return transforms.Compose([transforms.ToTensor(), scale])


def own_forward() -> Any:
    flip = transforms.RandomHorizontalFlip(1)
    flip.forward = lambda img: img
    return transforms.Compose([flip, transforms.ToTensor()])


def own_class(base: Any, method: str, result: Any, *arguments: Any) -> Any:
    """An object of a subclass with that method."""
    own = type("Own", (base,), {method: lambda self, *args: result(base, self, *args)})
    return own(*arguments)


class OwnItems(datasets.CIFAR10):
    def __getitem__(self, index):
        picture, label = super().__getitem__(index)
        return 1 - picture, label + 1


class OwnBatches(datasets.CIFAR10):
    def __getitems__(self, indices):
        return [(self[i][0] * 0, -i) for i in indices]


class OwnRows(ours.TensorDataset):
    def __getitem__(self, index):
        return tuple(-tensor for tensor in super().__getitem__(index))


class Wrapper:
    """Hands on every attribute of what it wraps, but makes its own samples."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __getattr__(self, name: str) -> Any:
        return getattr(self.dataset, name)

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> Any:
        return self.dataset[index][0] + 1, index


class OwnSubset(ours.Subset):
    def __getitem__(self, index):
        return super().__getitem__(index)[0] * 3, 7

    def __getitems__(self, indices):
        return [self[i] for i in indices]


class OwnOrder(ours.ConcatDataset):
    def __getitem__(self, index):
        return super().__getitem__(len(self) - 1 - index)


def changed(dataset: Any, **attributes: Any) -> Any:
    for name, value in attributes.items():
        setattr(dataset, name, value)
    return dataset


def as_class(kind: Any) -> Any:
    dataset = plain()
    dataset.__class__ = kind
    return dataset


def learning_rows() -> Any:
    return ours.TensorDataset(minitorch_cifar.ones(5, 2, requires_grad=True))


t = transforms
UNKNOWN: dict[str, Any] = {
    "a dataset's own samples": lambda: as_class(OwnItems),
    "a dataset's own lists of samples": lambda: as_class(OwnBatches),
    "a TensorDataset's own samples": lambda: OwnRows(minitorch_cifar.ones(5, 2)),
    "a wrapper": lambda: Wrapper(plain()),
    "a subset's own samples": lambda: OwnSubset(plain(), range(4)),
    "a sum's own order": lambda: OwnOrder([plain(), plain()]),
    "a sum with a part": lambda: ours.ConcatDataset([plain(), Wrapper(plain())]),
    "a subset of a subclass": lambda: ours.Subset(as_class(OwnItems), range(4)),
    "a function": lambda: plain(lambda picture: t.ToTensor()(picture) + 1),
    "a function in a chain": lambda: plain(t.Compose([np.array, t.ToTensor()])),
    "Lambda": lambda: plain(t.Compose([t.Lambda(lambda p: p.rotate(90)), t.ToTensor()])),
    "another order": lambda: plain(t.Compose([t.ToTensor(), t.RandomHorizontalFlip()])),
    "another transform": lambda: plain(t.Compose([t.Resize(4), t.ToTensor()])),
    "two normalizations": lambda: plain(t.Compose([t.ToTensor(), *[t.Normalize((0.5,), (0.5,))] * 2])),
    "statistics in a tensor": lambda: plain(
        t.Compose([t.ToTensor(), t.Normalize(minitorch_cifar.ones(3), minitorch_cifar.ones(3))])
    ),
    "a subclass of ToTensor": lambda: plain(
        own_class(t.ToTensor, "__call__", lambda base, self, p: base.__call__(self, p) + 1)
    ),
    "a subclass of Normalize": lambda: plain(
        t.Compose(
            [
                t.ToTensor(),
                own_class(t.Normalize, "forward", lambda base, self, x: x * 2, (0.5,), (0.5,)),
            ]
        )
    ),
    "a subclass of Compose": lambda: plain(
        own_class(t.Compose, "__call__", lambda base, self, p: base.__call__(self, p) - 1, [t.ToTensor()])
    ),
    "a forward hook": lambda: plain(hooked("register_forward_hook")),
    "a forward pre-hook": lambda: plain(hooked("register_forward_pre_hook")),
    "a forward of the object's own": lambda: plain(own_forward()),
    "borders of two colours": lambda: plain(t.Compose([t.Pad(1), t.Pad(1, fill=9), t.ToTensor()])),
    "a border of three bytes": lambda: plain(t.Compose([t.Pad(1, fill=(1, 2, 3)), t.ToTensor()])),
    "a negative border": lambda: plain(t.Compose([t.Pad(-1), t.ToTensor()])),
    "target_transform": lambda: plain(target_transform=lambda label: label + 100),
    "labels in a tensor": lambda: changed(plain(), targets=minitorch_cifar.tensor(LABELS)),
    "labels of another kind": lambda: changed(plain(), targets=[label / 2 for label in LABELS]),
    "labels that are bools": lambda: changed(plain(), targets=[label > 4 for label in LABELS]),
    "labels that are words": lambda: changed(plain(), targets=list(map(str, LABELS))),
    "pictures with an alpha channel": lambda: changed(plain(), data=np.ones((5, 4, 4, 4), np.uint8)),
    "grey pictures": lambda: changed(plain(), data=np.ones((5, 4, 4), np.uint8)),
    "rows that learn": learning_rows,
}


@pytest.mark.parametrize("what", UNKNOWN)
@pytest.mark.parametrize("workers", [0, 2])
def test_what_is_not_known_goes_sample_by_sample(what, workers):
    dataset = UNKNOWN[what]()
    indices = [0, 3, 1, 2]
    minitorch_cifar.manual_seed(0)
    loader = ours.DataLoader(dataset, batch_sampler=[indices], num_workers=workers)
    read = next(iter(loader))
    minitorch_cifar.manual_seed(0)
    base_seed = ours.sampler.draw_seed()
    if workers:
        minitorch_cifar.manual_seed(base_seed)
    if hasattr(dataset, "__getitems__"):
        expected = ours.default_collate(dataset.__getitems__(indices))
    else:
        expected = ours.default_collate([dataset[i] for i in indices])
    assert len(read) == len(expected)
    for mine, other in zip(read, expected, strict=True):
        assert type(mine) is type(other)
        if isinstance(mine, minitorch_cifar.Tensor):
            assert (mine.dtype, mine.requires_grad) == (other.dtype, other.requires_grad)
            assert np.array_equal(mine.detach().numpy(), other.detach().numpy())
        else:
            assert mine == other


def test_errors_are_those_of_single_samples():
    cases = {
        "std evaluated to zero": plain(t.Compose([t.ToTensor(), t.Normalize((0.5,), (0.0,))])),
        "larger than": plain(t.Compose([t.RandomCrop(20), t.ToTensor()])),
        "must match": plain(t.Compose([t.ToTensor(), t.Normalize((0.5,) * 2, (0.5,) * 2)])),
    }
    for message, dataset in cases.items():
        assert reader_of(dataset) is None
        with pytest.raises((ValueError, RuntimeError), match=message):
            next(iter(ours.DataLoader(dataset, 4)))
    for indices in ([0, 40], [-41], [3.0], [2**70]):
        for dataset in (plain(), rows(OUR), ours.Subset(plain(), range(40))):
            for workers in (0, 1):
                loader = ours.DataLoader(dataset, batch_sampler=[indices], num_workers=workers)
                with pytest.raises((IndexError, TypeError, OverflowError)):
                    next(iter(loader))
    negative = next(iter(ours.DataLoader(plain(), batch_sampler=[[-1, 2]])))
    assert negative[1].tolist() == [LABELS[-1], LABELS[2]]


def test_parts_of_different_sizes_are_refused_as_pytorch_refuses_them():
    """What the first part of a sum has drawn is put back, and drawn again sample by sample."""

    def unequal(side):
        crop = side[3].Compose([side[3].RandomCrop(8), side[3].ToTensor()])
        return side[1].ConcatDataset([made("CIFAR10", side, c) for c in (crop, side[3].ToTensor())])

    for side in (OUR, THEIR):
        loader = side[1].DataLoader(unequal(side), batch_sampler=[[0, 1, 50]])
        with pytest.raises(RuntimeError, match="stack expects each tensor to be equal size"):
            next(iter(loader))
    assert run(OUR, unequal, 3, batch_size=40, shuffle=True) == run(
        THEIR, unequal, 3, batch_size=40, shuffle=True
    )


def test_what_a_user_would_see_of_workers():
    """With code of the user's, threads run and say which they are; after a change, so does the loop."""
    seen = []

    def asking(label):
        info = ours.get_worker_info()
        seen.append(info and (info.id, threading.current_thread() is threading.main_thread()))
        return label

    list(ours.DataLoader(plain(target_transform=asking), 20, num_workers=2))
    assert set(seen) == {(0, False), (1, False)}
    dataset = plain()
    iterator = iter(ours.DataLoader(dataset, 4, sampler=range(40), num_workers=2))
    next(iterator)
    seen.clear()
    dataset.target_transform = asking
    assert len(list(iterator)) == 9
    assert seen == [(w, True) for w in (0, 1, 0, 1, 0, 1) for _ in range(4)], "four were made ahead"
    assert ours.get_worker_info() is None
    started = []
    list(ours.DataLoader(plain(), 20, num_workers=2, worker_init_fn=started.append))
    assert sorted(started) == [0, 1]


def test_an_exception_after_a_change_tells_its_worker():
    dataset = plain()
    iterator = iter(ours.DataLoader(dataset, 8, sampler=range(40), num_workers=2, prefetch_factor=1))
    next(iterator)
    next(iterator)
    dataset.target_transform = lambda label: 1 // 0
    with pytest.raises(ZeroDivisionError, match="Caught ZeroDivisionError in DataLoader worker thread 0"):
        next(iterator)
    with pytest.raises(ZeroDivisionError, match="Caught ZeroDivisionError in DataLoader worker thread 1"):
        next(iterator)


CHANGES: dict[str, Any] = {
    "the transform": lambda d, t: setattr(d, "transform", t.Compose([t.Resize(6), t.ToTensor()])),
    "a part of it": lambda d, t: d.transform.transforms.insert(0, t.RandomVerticalFlip(1)),
    "the end of it": lambda d, t: d.transform.transforms.pop(),
    "a number in it": lambda d, t: d.transform.transforms[-1].mean.__setitem__(0, 7.0),
    "a probability": lambda d, t: setattr(d.transform.transforms[0], "p", 1.0),
    "a hook": lambda d, t: d.transform.transforms[0].register_forward_hook(lambda m, i, o: i[0].rotate(90)),
    "the labels": lambda d, t: setattr(d, "targets", [label + 1 for label in d.targets]),
    "a label": lambda d, t: d.targets.__setitem__(slice(None), [5] * 40),
    "the pictures": lambda d, t: setattr(d, "data", 255 - d.data),
    "their size": lambda d, t: setattr(d, "data", np.zeros((40, 6, 6, 3), np.uint8)),
    "their order in memory": lambda d, t: setattr(d, "data", d.data[:, ::-1]),
    "whether they can be written": lambda d, t: d.data.setflags(write=False),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changes_in_the_middle_of_an_epoch(change):
    results = []
    for side in (OUR, THEIR):
        library, data, _, module = side
        dataset = made("CIFAR10", side)
        dataset.data = COLOUR.copy()
        parts = [module.RandomHorizontalFlip(), module.ToTensor(), module.Normalize([0.5], [0.5])]
        dataset.transform = module.Compose(parts)
        library.manual_seed(1)
        batches = []
        for i, (pictures, labels) in enumerate(data.DataLoader(dataset, 4)):
            batches.append((tuple(pictures.shape), pictures.numpy().tobytes(), labels.tolist()))
            if i == 3:
                CHANGES[change](dataset, module)
        results.append(batches)
    assert results[0] == results[1]


def test_the_default_dtype_is_obeyed():
    try:
        for side in (OUR, THEIR):
            side[0].set_default_dtype(side[0].float64)
            batch = next(iter(side[1].DataLoader(made("CIFAR10", side, side[3].ToTensor()), 4)))[0]
            assert str(batch.dtype) == "torch.float64"
    finally:
        for side in (OUR, THEIR):
            side[0].set_default_dtype(side[0].float32)


def test_who_reads_whole():
    assert isinstance(reader_of(augmented(OUR)), BatchReader)
    assert reader_of([1, 2, 3]) is None
    assert reader_of(Wrapper(augmented(OUR))) is None

    class OnlyInit(datasets.CIFAR10):
        """A subclass that makes its samples as the class does."""

        def __init__(self):
            self.data, self.targets = COLOUR, LABELS
            self.transform, self.target_transform = transforms.ToTensor(), None

    assert isinstance(reader_of(OnlyInit()), BatchReader)
