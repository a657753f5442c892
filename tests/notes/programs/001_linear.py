"""A whole batch as one long row through a linear layer.

Section: 17, linear layers
Needs: nn.Linear(196608, 10), torch.flatten, DataLoader(drop_last=True)
"""

import os

import torch
import torchvision
from torch import nn
from torch.nn import Linear
from torch.utils.data import DataLoader

dataset = torchvision.datasets.CIFAR10(
    root=os.environ.get("NOTES_DATA", "../dataset"),
    download=False,
    train=False,
    transform=torchvision.transforms.ToTensor(),
)
dataloader = DataLoader(dataset, batch_size=64, drop_last=True)


class OneLayer(nn.Module):
    def __init__(self):
        super(OneLayer, self).__init__()
        self.linear1 = Linear(196608, 10)

    def forward(self, input):
        output = self.linear1(input)
        return output


model = OneLayer()
for data in dataloader:
    imgs, targets = data
    print(imgs.shape)
    print(torch.reshape(imgs, (1, 1, 1, -1)).shape)
    output = torch.flatten(imgs)
    print(output.shape)
    output = model(output)
    print(output.shape)
print(output)
