"""VGG: blocks of 3x3 convolutions, each closed by pooling, then three linear layers.

Names of layers are torchvision's, so that its files of weights fit. Initial weights are drawn in its order.
"""

from __future__ import annotations

from typing import Any

from ... import nn
from ...functions.shape import flatten
from ...tensor import Tensor
from .weights import WeightsEnum, chosen_weights, imagenet_weights

__all__ = [
    "VGG",
    "VGG11_BN_Weights",
    "VGG11_Weights",
    "VGG13_BN_Weights",
    "VGG13_Weights",
    "VGG16_BN_Weights",
    "VGG16_Weights",
    "VGG19_BN_Weights",
    "VGG19_Weights",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]

# How many convolutions each of the five blocks has. Their channels are 64, 128, 256, 512, 512.
BLOCKS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
CHANNELS = (64, 128, 256, 512, 512)


class VGG(nn.Module):
    """`features`, averaged to 7x7, then `classifier`: pictures (N, 3, H, W) to scores (N, num_classes).

    Args:
        features: layers that give (N, 512, H', W').
        num_classes: scores per picture.
        init_weights: whether to draw the weights anew, convolutions by Kaiming's rule and linear layers from
            N(0, 0.01²), instead of leaving them as the layers made them.
        dropout: of the two hidden linear layers.

    H and W of at least 32; 224 is what the published weights were trained on.
    """

    def __init__(
        self, features: nn.Module, num_classes: int = 1000, init_weights: bool = True, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            for module in self.modules():
                _initialize(module)

    def forward(self, x: Tensor) -> Tensor:
        x = self.avgpool(self.features(x))  # (N, 3, H, W) -> (N, 512, 7, 7)
        scores: Tensor = self.classifier(flatten(x, 1))
        return scores


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.01)
    elif isinstance(module, nn.BatchNorm2d) and module.weight is not None:
        nn.init.constant_(module.weight, 1)
    else:
        return
    if module.bias is not None:
        nn.init.constant_(module.bias, 0)


def _features(depth: int, batch_norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    in_channels = 3
    for count, channels in zip(BLOCKS[depth], CHANNELS, strict=True):
        for _ in range(count):
            layers.append(nn.Conv2d(in_channels, channels, kernel_size=3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(channels))
            layers.append(nn.ReLU(inplace=True))
            in_channels = channels
        layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
    return nn.Sequential(*layers)


class VGG11_Weights(WeightsEnum):  # noqa: N801 - torchvision's names, here and below
    IMAGENET1K_V1 = imagenet_weights("vgg11-8a719046.pth", 132_863_336, 32)
    DEFAULT = IMAGENET1K_V1


class VGG11_BN_Weights(WeightsEnum):  # noqa: N801
    IMAGENET1K_V1 = imagenet_weights("vgg11_bn-6002323d.pth", 132_868_840, 32)
    DEFAULT = IMAGENET1K_V1


class VGG13_Weights(WeightsEnum):  # noqa: N801
    IMAGENET1K_V1 = imagenet_weights("vgg13-19584684.pth", 133_047_848, 32)
    DEFAULT = IMAGENET1K_V1


class VGG13_BN_Weights(WeightsEnum):  # noqa: N801
    IMAGENET1K_V1 = imagenet_weights("vgg13_bn-abd245e5.pth", 133_053_736, 32)
    DEFAULT = IMAGENET1K_V1


class VGG16_Weights(WeightsEnum):  # noqa: N801
    IMAGENET1K_V1 = imagenet_weights("vgg16-397923af.pth", 138_357_544, 32)
    DEFAULT = IMAGENET1K_V1


class VGG16_BN_Weights(WeightsEnum):  # noqa: N801
    IMAGENET1K_V1 = imagenet_weights("vgg16_bn-6c64b313.pth", 138_365_992, 32)
    DEFAULT = IMAGENET1K_V1


class VGG19_Weights(WeightsEnum):  # noqa: N801
    IMAGENET1K_V1 = imagenet_weights("vgg19-dcbb9e9d.pth", 143_667_240, 32)
    DEFAULT = IMAGENET1K_V1


class VGG19_BN_Weights(WeightsEnum):  # noqa: N801
    IMAGENET1K_V1 = imagenet_weights("vgg19_bn-c79401a0.pth", 143_678_248, 32)
    DEFAULT = IMAGENET1K_V1


def _vgg(
    depth: int, batch_norm: bool, family: type[WeightsEnum], weights: Any, progress: bool, options: Any
) -> VGG:
    chosen = chosen_weights(family, weights, options)
    if chosen is not None:
        options["init_weights"] = False
    model = VGG(_features(depth, batch_norm), **options)
    if chosen is not None:
        model.load_state_dict(chosen.get_state_dict(progress=progress, check_hash=True))
    return model


def vgg11(weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """VGG with 8 convolutions; arguments as for `vgg16`."""
    return _vgg(11, False, VGG11_Weights, weights, progress, kwargs)


def vgg11_bn(weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """`vgg11` with batch normalization after each convolution."""
    return _vgg(11, True, VGG11_BN_Weights, weights, progress, kwargs)


def vgg13(weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """VGG with 10 convolutions; arguments as for `vgg16`."""
    return _vgg(13, False, VGG13_Weights, weights, progress, kwargs)


def vgg13_bn(weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """`vgg13` with batch normalization after each convolution."""
    return _vgg(13, True, VGG13_BN_Weights, weights, progress, kwargs)


def vgg16(weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """VGG with 13 convolutions and 3 linear layers, 138 million numbers.

    Args:
        weights: None for new ones, a member of `VGG16_Weights` or its name ("DEFAULT") for trained ones,
            which are downloaded (528 MB) and checked unless they are there.
        progress: whether to show how far the download is.
        kwargs: `num_classes`, `init_weights`, `dropout` of `VGG`.
    """
    return _vgg(16, False, VGG16_Weights, weights, progress, kwargs)


def vgg16_bn(weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """`vgg16` with batch normalization after each convolution."""
    return _vgg(16, True, VGG16_BN_Weights, weights, progress, kwargs)


def vgg19(weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """VGG with 16 convolutions; arguments as for `vgg16`."""
    return _vgg(19, False, VGG19_Weights, weights, progress, kwargs)


def vgg19_bn(weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """`vgg19` with batch normalization after each convolution."""
    return _vgg(19, True, VGG19_BN_Weights, weights, progress, kwargs)
