"""The CIFAR10-quick model as a Sequential, and its graph for TensorBoard.

Section: 18, the model as a Sequential
Needs: nn.Sequential, SummaryWriter.add_graph, add_histogram
"""

import torch
from torch import nn
from torch.nn import Conv2d, Flatten, Linear, MaxPool2d, Sequential
from torch.utils.tensorboard import SummaryWriter


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
print(model)
input = torch.ones(64, 3, 32, 32)
output = model(input)
print(output.shape)
print(model.model1[0], len(model.model1))

writer = SummaryWriter("logs_seq")
writer.add_graph(model, input)
for name, parameter in model.named_parameters():
    writer.add_histogram(name, parameter, 0)
writer.close()
