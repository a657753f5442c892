"""Shows a network pictures from files of any size and says what it takes them for."""

from __future__ import annotations

import os
import warnings

from PIL import Image, ImageOps

from ..autograd import no_grad
from ..models import Classifier
from ..nn import functional as F
from ..vision import transforms
from .data import scaling
from .errors import UserError

__all__ = ["SIDE", "open_picture", "predict"]

SIDE = 32  # height and width that the networks were made for
MAX_PIXELS = 100_000_000  # a picture that claims more is not opened


def open_picture(path: str | os.PathLike[str]) -> Image.Image:
    """A picture file as RGB, upright, at its own size.

    Raises:
        UserError: no such file, no picture, or a damaged or monstrously large one.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise UserError(f"{path} is too large: {picture.width}x{picture.height} pixels")
                upright = ImageOps.exif_transpose(picture)
                return upright.convert("RGB")
    except FileNotFoundError as error:
        raise UserError(f"there is no picture {path}") from error
    except IsADirectoryError as error:
        raise UserError(f"{path} is a folder, not a picture") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"{path} is not a picture that can be read") from error


def predict(network: Classifier, picture: Image.Image) -> list[float]:
    """The probability of each class for one picture, which is resized to what the networks were made for."""
    prepare = transforms.Compose([transforms.Resize((SIDE, SIDE)), scaling(network.normalization)])
    network.eval()
    with no_grad():
        scores = network(prepare(picture).unsqueeze(0))  # (3, 32, 32) -> (1, 3, 32, 32)
        probabilities: list[float] = F.softmax(scores, dim=1)[0].tolist()
    return probabilities
