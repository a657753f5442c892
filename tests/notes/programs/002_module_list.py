"""A residual block over a ModuleList, in its corrected form.

Section: ModuleList
Needs: nn.ModuleList, +=, BatchNorm2d, LeakyReLU, backward
"""

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
        if self.use_bn_act:
            return self.leaky(self.bn(self.conv(x)))
        return self.conv(x)


class ResidualBlock(nn.Module):
    def __init__(self, channels, use_residual=True, num_repeats=1):
        super().__init__()
        self.layers = nn.ModuleList()
        for _ in range(num_repeats):
            self.layers += [
                nn.Sequential(
                    CNNBlock(channels, channels // 2, kernel_size=1),
                    CNNBlock(channels // 2, channels, kernel_size=3, padding=1),
                )
            ]
        self.use_residual = use_residual
        self.num_repeats = num_repeats

    def forward(self, x):
        for layer in self.layers:
            x = layer(x) + x if self.use_residual else layer(x)
        return x


for use_residual in (True, False):
    block = ResidualBlock(8, use_residual, num_repeats=2)
    print(block)
    print(len(list(block.parameters())), len(block.layers), block.layers[1][0].conv)
    y = block(torch.randn(2, 8, 6, 6))
    y.sum().backward()
    print(y.shape, y.mean(), block.layers[0][0].conv.weight.grad[0, :, 0, 0])

plain = nn.ModuleList([nn.Linear(2, 3)])
plain.append(nn.ReLU())
plain.extend([nn.Linear(3, 1)])
plain.insert(1, nn.BatchNorm1d(3))
print(plain, plain[-1].out_features)
try:
    plain(torch.ones(1, 2))
except NotImplementedError as error:
    print(type(error).__name__)
