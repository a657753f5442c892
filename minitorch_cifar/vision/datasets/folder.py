"""`ImageFolder`: one folder per class, with that class's picture files in it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from PIL import Image, UnidentifiedImageError

from .vision import DatasetError, Transform, VisionDataset

IMG_EXTENSIONS: Final = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
FORMATS: Final = ("JPEG", "PNG", "PPM", "BMP", "DIB", "TIFF", "WEBP", "GIF", "MPO")
MAX_PIXELS: Final = 40_000_000  # 160 MB as RGB, in which Pillow takes four bytes for a pixel


def has_file_allowed_extension(filename: str, extensions: str | tuple[str, ...]) -> bool:
    """Whether a name ends in one of the extensions, in any case."""
    return filename.lower().endswith(extensions)


def find_classes(directory: str | Path) -> tuple[list[str], dict[str, int]]:
    """The folders in `directory`, sorted, and their indices."""
    classes = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    if not classes:
        raise FileNotFoundError(f"Couldn't find any class folder in {directory}.")
    return classes, {name: i for i, name in enumerate(classes)}


def make_dataset(
    directory: str | Path,
    class_to_idx: dict[str, int] | None = None,
    extensions: str | tuple[str, ...] | None = None,
    is_valid_file: Callable[[str], bool] | None = None,
    allow_empty: bool = False,
) -> list[tuple[str, int]]:
    """(path, class index) of each valid file below the class folders, sorted by class, then by path."""
    directory = os.path.expanduser(directory)
    if class_to_idx is None:
        _, class_to_idx = find_classes(directory)
    elif not class_to_idx:
        raise ValueError("'class_to_index' must have at least one entry to collect any samples.")
    if (extensions is None) == (is_valid_file is None):
        raise ValueError("Both extensions and is_valid_file cannot be None or not None at the same time")
    samples: list[tuple[str, int]] = []
    empty: list[str] = []
    for name in sorted(class_to_idx):
        before = len(samples)
        for folder, _, files in sorted(os.walk(os.path.join(directory, name), followlinks=True)):
            for file in sorted(files):
                path = os.path.join(folder, file)
                valid = (
                    is_valid_file(path)
                    if is_valid_file
                    else has_file_allowed_extension(path, extensions or ())
                )
                if valid:
                    samples.append((path, class_to_idx[name]))
        if len(samples) == before:
            empty.append(name)
    if empty and not allow_empty:
        message = f"Found no valid file for the classes {', '.join(empty)}. "
        if extensions is not None:
            listed = extensions if isinstance(extensions, str) else ", ".join(extensions)
            message += f"Supported extensions are: {listed}"
        raise FileNotFoundError(message)
    return samples


def default_loader(path: str | Path) -> Image.Image:
    """A picture file as an RGB picture; DatasetError when it is none, or has more than `MAX_PIXELS`."""
    with opened_picture(path) as picture:
        return picture.convert("RGB")


@contextmanager
def opened_picture(path: str | os.PathLike[str]) -> Iterator[Image.Image]:
    """A picture file as Pillow opens it, for the block; DatasetError for whatever goes wrong with it there.

    Only formats of pixels are opened, whatever the file is called: Pillow would hand PostScript to another
    program. The size that the file claims is looked at before memory is asked for.
    """
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise DatasetError(f"{path}: a device or a pipe, not a picture")
    try:
        with warnings.catch_warnings():
            # What Pillow only warns of is past our own limit.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise DatasetError(
                        f"{path}: too large: {picture.width}x{picture.height} pixels; at most "
                        f"{MAX_PIXELS:,} are read"
                    )
                yield picture
    except (FileNotFoundError, IsADirectoryError, DatasetError):
        raise
    except UnidentifiedImageError as error:
        raise DatasetError(f"{path}: not a picture, or of a kind that is not read here") from error
    except Image.DecompressionBombError as error:
        raise DatasetError(f"{path}: too large: {error}") from error
    except Exception as error:  # Pillow's readers raise whatever a damaged file leads them to
        raise DatasetError(f"{path}: not a picture that can be read: {error}") from error


pil_loader = default_loader


class DatasetFolder(VisionDataset):
    """Samples of any kind in one folder per class; `loader` reads a file.

    Attributes: `classes`, sorted; `class_to_idx`; `samples`, a list of (path, class index); `targets`.
    """

    def __init__(
        self,
        root: str | Path,
        loader: Callable[[str], Any],
        extensions: tuple[str, ...] | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.classes, self.class_to_idx = self.find_classes(str(self.root))
        self.samples = make_dataset(str(self.root), self.class_to_idx, extensions, is_valid_file, allow_empty)
        self.targets = [target for _, target in self.samples]
        self.loader = loader
        self.extensions = extensions

    def find_classes(self, directory: str | Path) -> tuple[list[str], dict[str, int]]:
        """The classes and their indices; override it to choose among the folders."""
        return find_classes(directory)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self.samples[index]
        sample = self.loader(path)
        if self.transform is not None:
            sample = self.transform(sample)
        if self.target_transform is not None:
            return sample, self.target_transform(target)
        return sample, target

    def __len__(self) -> int:
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """Pictures arranged as `root/dog/1.png`, `root/cat/2.jpg`, ...: each folder is a class.

    Attributes: those of `DatasetFolder`, and `imgs`, the same list as `samples`.
    """

    def __init__(
        self,
        root: str | Path,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        loader: Callable[[str], Any] = default_loader,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(
            root,
            loader,
            IMG_EXTENSIONS if is_valid_file is None else None,
            transform=transform,
            target_transform=target_transform,
            is_valid_file=is_valid_file,
            allow_empty=allow_empty,
        )
        self.imgs = self.samples
