"""SGD for twenty epochs, the losses of an epoch added up.

Section: 20, optimizers, epochs
Needs: optim.SGD, Subset, DataLoader, sum of losses as tensors
Tolerance: 1e-3
"""

import os

import torch
import torchvision
from torch import nn
from torch.nn import Conv2d, Flatten, Linear, MaxPool2d, Sequential
from torch.utils.data import DataLoader

dataset = torchvision.datasets.CIFAR10(
    root=os.environ.get("NOTES_DATA", "../dataset"),
    download=False,
    train=False,
    transform=torchvision.transforms.ToTensor(),
)
dataset = torch.utils.data.Subset(dataset, range(150))
dataloader = DataLoader(dataset, batch_size=64, drop_last=True)


class Quick(nn.Module):
    def __init__(self):
        super(Quick, self).__init__()
        self.model1 = Sequential(
            Conv2d(3, 32, 5, padding=2),
            MaxPool2d(2),
            Conv2d(32, 32, 5, padding=2),
            MaxPool2d(2),
            Conv2d(32, 64, 5, padding=2),
            MaxPool2d(2),
            Flatten(),
            Linear(1024, 64),
            Linear(64, 10),
        )

    def forward(self, x):
        x = self.model1(x)
        return x


model = Quick()
loss = nn.CrossEntropyLoss()
optim = torch.optim.SGD(model.parameters(), lr=0.01)
for epoch in range(20):
    running_loss = 0.0
    for data in dataloader:
        imgs, targets = data
        outputs = model(imgs)
        result_loss = loss(outputs, targets)
        optim.zero_grad()
        result_loss.backward()
        optim.step()
        running_loss += result_loss
    print(running_loss)
