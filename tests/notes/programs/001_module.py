"""The smallest module: it adds one.

Section: 12, nn.Module
Needs: nn.Module, call of a module
"""

import torch
from torch import nn


class AddOne(nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self, input):
        return input + 1


add_one = AddOne()
x = torch.tensor(1.0)
output = add_one(x)
print(output)
print(add_one)
print(list(add_one.parameters()))
