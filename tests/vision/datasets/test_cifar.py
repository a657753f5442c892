"""CIFAR-10 in its three forms, against torchvision and against files that are not what they claim."""

from __future__ import annotations

import gzip
import hashlib
import os
import pickle
import shutil
import tarfile
import warnings
from dataclasses import replace as changed
from pathlib import Path

import numpy as np
import pytest
import torchvision
from PIL import Image

from minitorch_cifar.vision import transforms
from minitorch_cifar.vision.datasets import CIFAR10, CIFAR100, DatasetError, describe
from minitorch_cifar.vision.datasets.cifar import unpack
from minitorch_cifar.vision.datasets.cifar_files import CIFAR10_FORMAT, Source
from minitorch_cifar.vision.datasets.download import md5_of

from . import cifar_fixtures as files


@pytest.fixture(autouse=True)
def small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets CIFAR10 expect files as small as those made here."""
    if "real_data" not in request.keywords:
        monkeypatch.setattr(CIFAR10, "format", files.SMALL)
        monkeypatch.setattr("minitorch_cifar.vision.datasets.data_report.CIFAR10_FORMAT", files.SMALL)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pickled form, the binary form and an archive of each, of one content."""
    folder = tmp_path_factory.mktemp("cifar")
    for write, archive in ((files.write_python, "python"), (files.write_binary, "binary")):
        files.pack(write(folder / archive), folder / f"cifar-10-{archive}.tar.gz")
    return folder


def torchvision_dataset(monkeypatch: pytest.MonkeyPatch, root: Path, train: bool, **options):
    """torchvision's CIFAR10, told not to compare checksums: the content here is not the official one."""
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "_check_integrity", lambda self: True)
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda path, md5: True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about how the files were pickled
        return torchvision.datasets.CIFAR10(str(root), train, **options)


@pytest.mark.parametrize("train", [True, False])
def test_pickled_form_reads_as_in_torchvision(monkeypatch, home, train):
    root = home / "python"
    ours, theirs = CIFAR10(str(root), train), torchvision_dataset(monkeypatch, root, train)
    assert np.array_equal(ours.data, theirs.data)
    assert ours.data.dtype == theirs.data.dtype
    assert ours.targets == theirs.targets
    assert ours.classes == theirs.classes
    assert ours.class_to_idx == theirs.class_to_idx
    assert repr(ours) == repr(theirs)
    assert len(ours) == len(theirs)
    picture, label = ours[17]
    expected, expected_label = theirs[17]
    assert isinstance(picture, Image.Image)
    assert picture.tobytes() == expected.tobytes()
    assert (type(label), label) == (int, expected_label)


@pytest.mark.real_data
def test_real_pictures_read_as_in_torchvision(monkeypatch, cifar_root):
    ours, theirs = CIFAR10(cifar_root, train=False), torchvision_dataset(monkeypatch, cifar_root, False)
    assert np.array_equal(ours.data, theirs.data)
    assert ours.targets == theirs.targets
    assert [ours.targets.count(label) for label in range(10)] == [1000] * 10
    binary = CIFAR10(cifar_root / "cifar-10-batches-bin", train=False)
    assert np.array_equal(binary.data, ours.data)
    assert (binary.targets, binary.classes) == (ours.targets, ours.classes)


@pytest.mark.parametrize(
    "where",
    [
        "python/cifar-10-batches-py",
        "binary",
        "binary/cifar-10-batches-bin",
        "cifar-10-python.tar.gz",
        "cifar-10-binary.tar.gz",
        ".",
    ],
)
def test_every_form_gives_the_same(home, where):
    expected = CIFAR10(home / "python", train=False)
    found = CIFAR10(home / where, train=False)
    assert np.array_equal(found.data, expected.data)
    assert (found.targets, found.classes) == (expected.targets, expected.classes)


def test_batches_come_in_their_order_whatever_the_order_in_the_archive(home, tmp_path):
    source = home / "binary" / "cifar-10-batches-bin"
    archive = tmp_path / "shuffled.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for path in sorted(source.iterdir(), reverse=True):
            tar.add(path, f"./{source.name}/{path.name}")
    assert np.array_equal(CIFAR10(archive).data, CIFAR10(home / "binary").data)


def test_repr_with_transforms_is_torchvisions(monkeypatch, home):
    from torchvision import transforms as theirs

    def options(module):
        chain = module.Compose([module.ToTensor(), module.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))])
        return {"transform": chain, "target_transform": module.Lambda(lambda label: label)}

    ours = CIFAR10(home / "python", train=True, **options(transforms))
    other = torchvision_dataset(monkeypatch, home / "python", True, **options(theirs))
    assert repr(ours) == repr(other)


def test_transforms_are_applied(home):
    dataset = CIFAR10(home / "binary", False, np.asarray, lambda label: -label)
    picture, label = dataset[3]
    assert np.array_equal(picture, dataset.data[3])
    assert label == -dataset.targets[3]


# Files that are not what they should be


@pytest.fixture
def damaged(home: Path, tmp_path: Path) -> Path:
    """A copy of the pickled form to be spoilt; the large files are links, so that it is made quickly."""
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for path in (home / "python" / "cifar-10-batches-py").iterdir():
        (folder / path.name).symlink_to(path)
    return folder


def replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def refused(root: Path, *words: str, train: bool = False) -> None:
    with pytest.raises(DatasetError) as caught:
        CIFAR10(root, train)
    for word in words:
        assert word in str(caught.value), (word, str(caught.value))


def test_missing_folder_and_missing_files(damaged, tmp_path):
    refused(
        tmp_path / "nowhere", "Dataset not found or corrupted", "download=True", "nowhere", "does not exist"
    )
    (damaged / "data_batch_3").unlink()
    refused(damaged, "data_batch_3", train=True)
    CIFAR10(damaged, train=False)
    (damaged / "batches.meta").unlink()
    refused(damaged, "batches.meta")


def test_truncated_file(damaged):
    content = (damaged / "test_batch").read_bytes()
    replace(damaged / "test_batch", content[:60_000])
    refused(damaged, "test_batch", "truncated", "60,000", "614,400")
    replace(damaged / "test_batch", content[:-40])
    refused(damaged, "test_batch", "truncated")


@pytest.mark.real_data
def test_the_first_3_megabytes_of_a_real_batch(cifar_root, tmp_path):
    """A file that was once published cut off like this."""
    with open(cifar_root / "cifar-10-batches-py" / "test_batch", "rb") as file:
        (tmp_path / "test_batch").write_bytes(file.read(3_000_000))
    shutil.copy(cifar_root / "cifar-10-batches-py" / "batches.meta", tmp_path)
    refused(tmp_path, "test_batch", "truncated", "3,000,000", "30,720,000")


def test_wrong_sizes(damaged, home, tmp_path):
    replace(damaged / "test_batch", b"x" * 800_000)
    refused(damaged, "too large", "at most")
    binary = tmp_path / "cifar-10-batches-bin"
    shutil.copytree(home / "binary" / "cifar-10-batches-bin", binary)
    with open(binary / "test_batch.bin", "ab") as file:
        file.write(b"\0")
    refused(binary, "test_batch.bin", "614,601", "614,600")


def test_labels_outside_the_range(damaged, home, tmp_path):
    pixels, labels = files.batch_content(5)
    title = b"testing batch 1 of 1"
    for wrong in (10, -1, 255):
        spoilt = labels.tolist()
        spoilt[117] = wrong
        replace(damaged / "test_batch", files.pickled(pixels, spoilt, title))
        refused(damaged, "test_batch", f"label {wrong} at picture 117", "0 to 9")
    binary = tmp_path / "cifar-10-batches-bin"
    shutil.copytree(home / "binary" / "cifar-10-batches-bin", binary)
    labels[12] = 10
    (binary / "test_batch.bin").write_bytes(np.concatenate([labels[:, None], pixels], 1).tobytes())
    refused(binary, "test_batch.bin", "label 10 at picture 12")


def test_a_batch_under_another_name(damaged):
    content = (damaged / "data_batch_1").read_bytes()
    replace(damaged / "test_batch", content)
    refused(damaged, "test_batch", "mislabelled", "training batch 1 of 5")


def test_too_few_labels_or_keys_or_pixels(damaged):
    pixels, labels = files.batch_content(5)
    title = b"testing batch 1 of 1"
    replace(damaged / "test_batch", files.pickled(pixels, labels.tolist()[:-1], title))
    refused(damaged, "199 labels for 200")
    padding = b"-" * 620_000
    replace(damaged / "test_batch", pickle.dumps({b"labels": [], b"padding": padding.decode()}, protocol=2))
    refused(damaged, "'data'")
    narrow = pixels.reshape(400, 1536)
    replace(damaged / "test_batch", files.pickled(narrow, labels.tolist(), title))
    refused(damaged, "(400, 1536)", "(200, 3072)")
    replace(damaged / "batches.meta", pickle.dumps({b"label_names": [b"cat"]}, protocol=2))
    refused(damaged, "1 class names, expected 10")


class Evil:
    """Pickles into a call of `os.mkdir`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def test_code_in_a_pickle_is_refused_by_name_and_not_run(damaged, tmp_path):
    victim = tmp_path / "touched"
    replace(damaged / "batches.meta", pickle.dumps({b"label_names": Evil(victim)}, protocol=2))
    refused(damaged, "batches.meta", "refused", "mkdir")
    assert not victim.exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x02}q\x00", b"\x80\x05\x95\x00", b"\x80\x02]."])
def test_rubbish_instead_of_a_pickle(damaged, content):
    replace(damaged / "batches.meta", content)
    refused(damaged, "batches.meta")


def test_damaged_archives(home, tmp_path):
    archive = tmp_path / "cifar-10-python.tar.gz"
    whole = (home / "cifar-10-python.tar.gz").read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    refused(archive, str(archive), "truncated", train=True)
    archive.write_bytes(b"not an archive")
    refused(archive, str(archive), "not a readable")
    archive.write_bytes(gzip.compress(b"not a tar file, but gzip"))
    refused(archive, str(archive))
    files.pack_member("something/else", b"hello", archive)
    refused(archive, "Dataset not found")


def test_an_archive_that_unpacks_without_end(tmp_path):
    archive = files.pack_member("cifar-10-batches-py/huge", b"\0" * 450_000_000, tmp_path / "bomb.tar.gz")
    refused(archive, str(archive), "more than")


def test_a_member_of_wrong_size_is_refused_before_it_is_read(tmp_path):
    name = "cifar-10-batches-bin/test_batch.bin"
    archive = files.pack_member(name, b"\0" * 700_000, tmp_path / "large.tar.gz")
    refused(archive, "test_batch.bin", "700,000")


def test_only_the_wanted_members_of_an_archive_are_unpacked(home, tmp_path):
    archive = tmp_path / "evil.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(home / "python" / "cifar-10-batches-py", "cifar-10-batches-py")
        tar.add(__file__, "../escaped")
        tar.add(__file__, "/tmp/escaped-absolutely")
        link = tarfile.TarInfo("cifar-10-batches-py/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/"
        tar.addfile(link)
    target = tmp_path / "here" / "cifar-10-batches-py"
    target.parent.mkdir()
    unpack(Source(files.SMALL, "python", archive, True), target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.tar.gz", "here"]
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    names = sorted(path.name for path in target.iterdir())
    assert names == sorted(["batches.meta", *(batch.name for batch in files.BATCHES)])
    assert np.array_equal(CIFAR10(target).data, CIFAR10(home / "python").data)


@pytest.mark.parametrize("place", ["../cifar-10-batches-py/", "/cifar-10-batches-py/", "../", "/tmp/", "a/"])
def test_a_batch_elsewhere_in_an_archive_is_no_batch(home, tmp_path, place):
    """Whole and right, but not in the data set's folder: a reader that looked at the last part of names only
    would take it, and one that unpacked by names would write where it says.
    """
    source = home / "python" / "cifar-10-batches-py"
    with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz", compresslevel=1) as tar:
        for path in source.iterdir():
            member = tar.gettarinfo(path)
            member.name = (place if path.name == "data_batch_1" else f"{source.name}/") + path.name
            with open(path, "rb") as file:
                tar.addfile(member, file)
    refused(tmp_path, "lacks data_batch_1 of CIFAR-10", train=True)


# The report


def test_describe_counts_and_compares_sums(home):
    by_form = {report.path.name: report for report in describe(home / "python") + describe(home / "binary")}
    for report in by_form.values():
        assert report.problem is None
        assert sum(report.counts["train"].values()) == 1000
        assert sum(report.counts["test"].values()) == 200
        assert list(report.counts["test"]) == files.CLASSES
    python = by_form["cifar-10-batches-py"]
    assert python.official is False
    assert len(python.files) == 7
    for file in python.files:
        assert file.md5 == hashlib.md5((python.path / file.name).read_bytes()).hexdigest()
        assert file.official is False
    assert by_form["cifar-10-batches-bin"].official is None
    text = str(python)
    assert "1,000 pictures" in text
    assert "official: no" in text
    archives = describe(home)
    assert [report.path.name for report in archives] == ["cifar-10-python.tar.gz", "cifar-10-binary.tar.gz"]
    assert all(report.official is False for report in archives)


def test_describe_knows_the_official_files(monkeypatch, home):
    folder = home / "python" / "cifar-10-batches-py"
    sums = {path.name: md5_of(path) for path in folder.iterdir()}
    official = changed(
        files.SMALL,
        train=tuple(changed(b, md5=sums[b.name]) for b in files.SMALL.train),
        test=tuple(changed(b, md5=sums[b.name]) for b in files.SMALL.test),
        meta=("batches.meta", sums["batches.meta"]),
    )
    monkeypatch.setattr("minitorch_cifar.vision.datasets.data_report.CIFAR10_FORMAT", official)
    (report,) = describe(folder)
    assert report.official is True
    assert "official: yes" in str(report)


def test_describe_says_what_cannot_be_used(damaged, tmp_path):
    replace(damaged / "test_batch", b"short")
    (report,) = describe(damaged)
    assert report.problem is not None
    assert "truncated" in report.problem
    assert "cannot be used" in str(report)
    with pytest.raises(DatasetError, match="no such file or folder"):
        describe(tmp_path / "nowhere")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DatasetError, match="no data set that is known"):
        describe(empty)


def test_official_sums_are_torchvisions():
    theirs, ours = torchvision.datasets.CIFAR10, CIFAR10_FORMAT
    assert [[batch.name, batch.md5] for batch in ours.train] == theirs.train_list
    assert [[batch.name, batch.md5] for batch in ours.test] == theirs.test_list
    assert ours.meta == (theirs.meta["filename"], theirs.meta["md5"])
    assert (CIFAR10.url, CIFAR10.filename, CIFAR10.tgz_md5) == (theirs.url, theirs.filename, theirs.tgz_md5)
    assert CIFAR10.base_folder == theirs.base_folder
    theirs, ours = torchvision.datasets.CIFAR100, CIFAR100.format
    assert [[batch.name, batch.md5] for batch in (*ours.train, *ours.test)] == [
        *theirs.train_list,
        *theirs.test_list,
    ]
    assert ours.meta == (theirs.meta["filename"], theirs.meta["md5"])
    assert ours.meta_key.decode() == theirs.meta["key"]
    assert (CIFAR100.url, CIFAR100.tgz_md5) == (theirs.url, theirs.tgz_md5)
