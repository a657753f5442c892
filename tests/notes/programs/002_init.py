"""Weights as layers draw them, and drawn anew by other rules.

Section: nn.init
Needs: init.kaiming_uniform_, kaiming_normal_, uniform_, normal_, constant_, xavier_normal_,
    _calculate_fan_in_and_fan_out, Module.apply
"""

import math

import torch
import torch.nn as nn
from torch.nn import init

conv1, fc1 = nn.Conv2d(3, 6, 5), nn.Linear(400, 120)
print(conv1.weight[0, 0, 0], fc1.bias[:3])


def reset_parameters(layer):
    init.kaiming_uniform_(layer.weight, a=math.sqrt(5))
    if layer.bias is not None:
        fan_in, _ = init._calculate_fan_in_and_fan_out(layer.weight)
        bound = 1 / math.sqrt(fan_in)
        print(fan_in, bound)
        init.uniform_(layer.bias, -bound, bound)


torch.manual_seed(3)
again = nn.Conv2d(3, 6, 5)
torch.manual_seed(3)
reset_parameters(conv1)
print(torch.equal(again.weight, conv1.weight), torch.equal(again.bias, conv1.bias))
reset_parameters(fc1)

nn.init.kaiming_normal_(conv1.weight)
nn.init.kaiming_normal_(fc1.weight, mode="fan_out", nonlinearity="relu")
print(conv1.weight.std(), fc1.weight.std())


def weights_init(module):
    if isinstance(module, nn.Linear):
        nn.init.xavier_normal_(module.weight)
        nn.init.constant_(module.bias, 0.1)
    elif isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, mean=0.0, std=0.02)


net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2))
net.apply(weights_init)
print(net[2].weight, net[2].bias)
