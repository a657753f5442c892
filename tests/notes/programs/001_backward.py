"""The loss of each batch and its gradients, without a step: they add up.

Section: 19, backpropagation
Needs: CrossEntropyLoss, backward, weight.grad
Precision: float64
"""

import os

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
print(model.model1[0].weight.grad)
for data in dataloader:
    imgs, targets = data
    outputs = model(imgs)
    result_loss = loss(outputs, targets)
    result_loss.backward()
    print(result_loss, model.model1[0].weight.grad[0, 0, 0])
