"""The quick network, one picture at a time: the loss of each, gradients adding up.

Section: Loss, losses of a network
Needs: Sequential, Conv2d and MaxPool2d by keyword, Flatten, CrossEntropyLoss(input=, target=), DataLoader
Precision: float64
"""

import os

import torchvision
from torch import nn
from torch.nn import Conv2d, CrossEntropyLoss, Flatten, Linear, MaxPool2d, Sequential
from torch.utils.data import DataLoader

ROOT = os.environ.get("NOTES_DATA", "../data")
dataset = torchvision.datasets.CIFAR10(
    ROOT, train=False, transform=torchvision.transforms.ToTensor(), download=True
)
dataloader = DataLoader(dataset=dataset, batch_size=1)


class SwaggerCifar(nn.Module):
    def __init__(self):
        super(SwaggerCifar, self).__init__()
        self.model1 = Sequential(
            Conv2d(in_channels=3, out_channels=32, kernel_size=5, stride=1, padding=2),
            MaxPool2d(kernel_size=2),
            Conv2d(in_channels=32, out_channels=32, kernel_size=5, stride=1, padding=2),
            MaxPool2d(kernel_size=2),
            Conv2d(in_channels=32, out_channels=64, kernel_size=5, stride=1, padding=2),
            MaxPool2d(kernel_size=2),
            Flatten(),
            Linear(in_features=1024, out_features=64),
            Linear(in_features=64, out_features=10),
        )

    def forward(self, x):
        x = self.model1(x)
        return x


swagger = SwaggerCifar()
print(swagger)
loss = CrossEntropyLoss()

for data in dataloader:
    imgs, targets = data
    outputs = swagger(imgs)
    loss_result = loss(input=outputs, target=targets)
    loss_result.backward()
    print(loss_result)
