"""Shows a network pictures from files of any size and says what it takes them for."""

from __future__ import annotations

import os

from PIL import Image, ImageOps

from ..autograd import no_grad
from ..models import Classifier
from ..nn import functional as F
from ..vision import transforms
from ..vision.datasets import DatasetError
from ..vision.datasets.folder import opened_picture
from .data import scaling
from .errors import UserError

__all__ = ["SIDE", "open_picture", "predict"]

SIDE = 32  # height and width that the networks were made for


def open_picture(path: str | os.PathLike[str]) -> Image.Image:
    """A picture file as RGB, upright, at its own size.

    Raises:
        UserError: no such file, no picture, or a damaged or monstrously large one.
    """
    try:
        with opened_picture(path) as picture:
            return ImageOps.exif_transpose(picture).convert("RGB")
    except FileNotFoundError as error:
        raise UserError(f"there is no picture {path}") from error
    except IsADirectoryError as error:
        raise UserError(f"{path} is a folder, not a picture") from error
    except DatasetError as error:
        raise UserError(str(error)) from error


def predict(network: Classifier, picture: Image.Image) -> list[float]:
    """The probability of each class for one picture, which is resized to what the networks were made for."""
    prepare = transforms.Compose([transforms.Resize((SIDE, SIDE)), scaling(network.normalization)])
    network.eval()
    with no_grad():
        scores = network(prepare(picture).unsqueeze(0))  # (3, 32, 32) -> (1, 3, 32, 32)
        probabilities: list[float] = F.softmax(scores, dim=1)[0].tolist()
    return probabilities
