"""Blocks put together by Sequential; a prediction head of such blocks.

Section: Sequential
Needs: nn.Sequential, Module inside of Module, reshape, permute
"""

from collections import OrderedDict

import torch
import torch.nn as nn


class CNNBlock(nn.Module):
    def __init__(self, in_channels, out_channels, bn_act=True, **kwargs):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, bias=not bn_act, **kwargs)
        self.bn = nn.BatchNorm2d(out_channels)
        self.leaky = nn.LeakyReLU(0.1)
        self.use_bn_act = bn_act

    def forward(self, x):
        return self.leaky(self.bn(self.conv(x))) if self.use_bn_act else self.conv(x)


class ScalePrediction(nn.Module):
    def __init__(self, in_channels, num_classes):
        super().__init__()
        self.num_classes = num_classes
        self.pred = nn.Sequential(
            CNNBlock(in_channels, 2 * in_channels, kernel_size=3, padding=1),
            CNNBlock(2 * in_channels, 3 * (num_classes + 5), bn_act=False, kernel_size=1),
        )

    def forward(self, x):
        y = self.pred(x).reshape(x.shape[0], 3, self.num_classes + 5, x.shape[2], x.shape[3])
        return y.permute(0, 1, 3, 4, 2)


model = ScalePrediction(4, 2)
print(model)
print(model(torch.randn(2, 4, 5, 5)).shape)

stack = nn.Sequential(*[nn.Linear(4, 4) for _ in range(3)], nn.ReLU())
print(stack, len(stack), stack[1:3])
named = nn.Sequential(OrderedDict([("conv", nn.Conv2d(1, 2, 3)), ("relu", nn.ReLU())]))
print(named, named.conv.weight.shape)
try:
    nn.Sequential(nn.Linear(3, 4), nn.Linear(5, 2))(torch.ones(1, 3))
except RuntimeError as error:
    print(error)
