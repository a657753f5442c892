"""ResNet: blocks that add their input to what their convolutions make of it.

y = relu(f(x) + x), where x passes through a 1x1 convolution when f changes its shape. Names of layers are
torchvision's, so that its files of weights fit. Initial weights are drawn in its order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ... import nn
from ...functions.shape import flatten
from ...tensor import Tensor
from .weights import WeightsEnum, chosen_weights, imagenet_weights

__all__ = [
    "BasicBlock",
    "Bottleneck",
    "ResNet",
    "ResNet18_Weights",
    "ResNet34_Weights",
    "ResNet50_Weights",
    "ResNet101_Weights",
    "ResNet152_Weights",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
]

NormLayer = Callable[..., nn.Module]


def conv3x3(
    in_planes: int, out_planes: int, stride: int = 1, groups: int = 1, dilation: int = 1
) -> nn.Conv2d:
    """A 3x3 convolution without bias that keeps height and width, divided by `stride`."""
    return nn.Conv2d(
        in_planes, out_planes, 3, stride, padding=dilation, dilation=dilation, groups=groups, bias=False
    )


def conv1x1(in_planes: int, out_planes: int, stride: int = 1) -> nn.Conv2d:
    """A 1x1 convolution without bias."""
    return nn.Conv2d(in_planes, out_planes, 1, stride, bias=False)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions of `planes` channels: (N, inplanes, H, W) -> (N, planes, H/stride, W/stride)."""

    expansion = 1

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: NormLayer | None = None,
    ) -> None:
        super().__init__()
        norm = norm_layer or nn.BatchNorm2d
        if groups != 1 or base_width != 64:
            raise ValueError("BasicBlock only supports groups=1 and base_width=64")
        if dilation > 1:
            raise NotImplementedError("Dilation > 1 not supported in BasicBlock")
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = norm(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = norm(planes)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += x if self.downsample is None else self.downsample(x)
        result: Tensor = self.relu(out)
        return result


class Bottleneck(nn.Module):
    """Convolutions 1x1, 3x3, 1x1 that narrow, work and widen to 4 · `planes` channels.

    The 3x3 convolution has the stride, as in torchvision, and not the first one, as in the article.
    """

    expansion = 4

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: NormLayer | None = None,
    ) -> None:
        super().__init__()
        norm = norm_layer or nn.BatchNorm2d
        width = int(planes * (base_width / 64)) * groups
        self.conv1 = conv1x1(inplanes, width)
        self.bn1 = norm(width)
        self.conv2 = conv3x3(width, width, stride, groups, dilation)
        self.bn2 = norm(width)
        self.conv3 = conv1x1(width, planes * self.expansion)
        self.bn3 = norm(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += x if self.downsample is None else self.downsample(x)
        result: Tensor = self.relu(out)
        return result


class ResNet(nn.Module):
    """A 7x7 convolution, four stages of blocks, the mean over the plane, a linear layer.

    Args:
        block: `BasicBlock` or `Bottleneck`.
        layers: how many blocks each of the four stages has; the stages have 64, 128, 256, 512 planes.
        num_classes: scores per picture.
        zero_init_residual: let each block start as the identity, by zeros as the weights of its last
            normalization.
        groups, width_per_group: of the bottlenecks' 3x3 convolutions.
        replace_stride_with_dilation: for each of the last three stages, whether to keep height and width and
            widen the kernels instead of halving them.
        norm_layer: makes a normalization for a number of channels, by default `nn.BatchNorm2d`.

    Shapes: pictures (N, 3, H, W), scores (N, num_classes).
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        layers: Sequence[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
        groups: int = 1,
        width_per_group: int = 64,
        replace_stride_with_dilation: Sequence[bool] | None = None,
        norm_layer: NormLayer | None = None,
    ) -> None:
        super().__init__()
        dilated = replace_stride_with_dilation or (False, False, False)
        if len(dilated) != 3:
            raise ValueError(
                "replace_stride_with_dilation should be None "
                f"or a 3-element tuple, got {replace_stride_with_dilation}"
            )
        self._norm_layer: NormLayer = norm_layer or nn.BatchNorm2d
        self.inplanes = 64
        self.dilation = 1
        self.groups = groups
        self.base_width = width_per_group
        self.conv1 = nn.Conv2d(3, self.inplanes, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = self._norm_layer(self.inplanes)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = self._make_layer(block, 64, layers[0])
        self.layer2 = self._make_layer(block, 128, layers[1], stride=2, dilate=dilated[0])
        self.layer3 = self._make_layer(block, 256, layers[2], stride=2, dilate=dilated[1])
        self.layer4 = self._make_layer(block, 512, layers[3], stride=2, dilate=dilated[2])
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if zero_init_residual:
            for module in self.modules():
                if isinstance(module, (BasicBlock, Bottleneck)):
                    last: Any = module.bn3 if isinstance(module, Bottleneck) else module.bn2
                    if last.weight is not None:
                        nn.init.constant_(last.weight, 0)

    def _make_layer(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        planes: int,
        blocks: int,
        stride: int = 1,
        dilate: bool = False,
    ) -> nn.Sequential:
        norm = self._norm_layer
        first_dilation = self.dilation
        if dilate:
            self.dilation *= stride
            stride = 1
        downsample = None
        if stride != 1 or self.inplanes != planes * block.expansion:
            downsample = nn.Sequential(
                conv1x1(self.inplanes, planes * block.expansion, stride), norm(planes * block.expansion)
            )
        shared = self.groups, self.base_width
        stage = [block(self.inplanes, planes, stride, downsample, *shared, first_dilation, norm)]
        self.inplanes = planes * block.expansion
        for _ in range(1, blocks):
            stage.append(block(self.inplanes, planes, 1, None, *shared, self.dilation, norm))
        return nn.Sequential(*stage)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))  # (N, 3, H, W) -> (N, 64, H/4, W/4)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # -> (N, 512 · expansion, H/32, W/32)
        scores: Tensor = self.fc(flatten(self.avgpool(x), 1))
        return scores


class ResNet18_Weights(WeightsEnum):  # noqa: N801 - torchvision's names, here and below
    IMAGENET1K_V1 = imagenet_weights("resnet18-f37072fd.pth", 11_689_512, 1)
    DEFAULT = IMAGENET1K_V1


class ResNet34_Weights(WeightsEnum):  # noqa: N801
    IMAGENET1K_V1 = imagenet_weights("resnet34-b627a593.pth", 21_797_672, 1)
    DEFAULT = IMAGENET1K_V1


class ResNet50_Weights(WeightsEnum):  # noqa: N801
    IMAGENET1K_V1 = imagenet_weights("resnet50-0676ba61.pth", 25_557_032, 1)
    IMAGENET1K_V2 = imagenet_weights("resnet50-11ad3fa6.pth", 25_557_032, 1, resize_size=232)
    DEFAULT = IMAGENET1K_V2


class ResNet101_Weights(WeightsEnum):  # noqa: N801
    IMAGENET1K_V1 = imagenet_weights("resnet101-63fe2227.pth", 44_549_160, 1)
    IMAGENET1K_V2 = imagenet_weights("resnet101-cd907fc2.pth", 44_549_160, 1, resize_size=232)
    DEFAULT = IMAGENET1K_V2


class ResNet152_Weights(WeightsEnum):  # noqa: N801
    IMAGENET1K_V1 = imagenet_weights("resnet152-394f9c45.pth", 60_192_808, 1)
    IMAGENET1K_V2 = imagenet_weights("resnet152-f82ba261.pth", 60_192_808, 1, resize_size=232)
    DEFAULT = IMAGENET1K_V2


def _resnet(
    block: type[BasicBlock] | type[Bottleneck],
    layers: Sequence[int],
    family: type[WeightsEnum],
    weights: Any,
    progress: bool,
    options: dict[str, Any],
) -> ResNet:
    chosen = chosen_weights(family, weights, options)
    model = ResNet(block, layers, **options)
    if chosen is not None:
        model.load_state_dict(chosen.get_state_dict(progress=progress, check_hash=True))
    return model


def resnet18(weights: Any = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNet of 18 layers, 12 million numbers.

    Args:
        weights: None for new ones, a member of `ResNet18_Weights` or its name ("DEFAULT") for trained ones,
            which are downloaded (45 MB) and checked unless they are there.
        progress: whether to show how far the download is.
        kwargs: `num_classes` and the further arguments of `ResNet`.

    >>> import minitorch_cifar as torch
    >>> model = torch.vision.models.resnet18(num_classes=10)
    >>> model(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """
    return _resnet(BasicBlock, (2, 2, 2, 2), ResNet18_Weights, weights, progress, kwargs)


def resnet34(weights: Any = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNet of 34 layers; arguments as for `resnet18`."""
    return _resnet(BasicBlock, (3, 4, 6, 3), ResNet34_Weights, weights, progress, kwargs)


def resnet50(weights: Any = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNet of 50 layers in bottlenecks; arguments as for `resnet18`."""
    return _resnet(Bottleneck, (3, 4, 6, 3), ResNet50_Weights, weights, progress, kwargs)


def resnet101(weights: Any = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNet of 101 layers in bottlenecks; arguments as for `resnet18`."""
    return _resnet(Bottleneck, (3, 4, 23, 3), ResNet101_Weights, weights, progress, kwargs)


def resnet152(weights: Any = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNet of 152 layers in bottlenecks; arguments as for `resnet18`."""
    return _resnet(Bottleneck, (3, 8, 36, 3), ResNet152_Weights, weights, progress, kwargs)
