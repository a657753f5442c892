"""ReLU on a small tensor, as a new one and in place; Sigmoid beside it.

Section: 16, non-linear activations
Needs: nn.ReLU(inplace), nn.Sigmoid, torch.reshape
"""

import torch
from torch import nn
from torch.nn import ReLU, Sigmoid

input = torch.tensor([[1, -0.5], [-1, 3]])
output = torch.reshape(input, (-1, 1, 2, 2))
print(output.shape)


class Activated(nn.Module):
    def __init__(self):
        super(Activated, self).__init__()
        self.relu1 = ReLU()
        self.sigmoid1 = Sigmoid()

    def forward(self, input):
        return self.relu1(input), self.sigmoid1(input)


model = Activated()
print(model)
print(model(input))

kept = ReLU(inplace=False)(input)
print(input, kept)
changed = ReLU(inplace=True)(input)
print(input, changed is input)
