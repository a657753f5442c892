"""The largest of each window, with the incomplete windows and without.

Section: 15, pooling
Needs: nn.MaxPool2d with ceil_mode
"""

import torch
from torch import nn

input = torch.tensor(
    [
        [1, 2, 0, 3, 1],
        [0, 1, 2, 3, 1],
        [1, 2, 1, 0, 0],
        [5, 2, 3, 1, 1],
        [2, 1, 0, 1, 1],
    ],
    dtype=torch.float32,
)
input = torch.reshape(input, (-1, 1, 5, 5))
print(input.shape)


class Pooled(nn.Module):
    def __init__(self, ceil_mode):
        super(Pooled, self).__init__()
        self.maxpool1 = nn.MaxPool2d(kernel_size=3, ceil_mode=ceil_mode)

    def forward(self, input):
        return self.maxpool1(input)


for ceil_mode in (True, False):
    model = Pooled(ceil_mode)
    print(model)
    print(model(input))
