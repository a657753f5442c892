"""A convolutional layer on CIFAR-10, pictures before and after it for TensorBoard.

Section: 14, convolutional layers
Needs: nn.Conv2d, DataLoader, torch.reshape, SummaryWriter.add_images
Precision: float64
"""

import os

import torch
import torchvision
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter

test_set = torchvision.datasets.CIFAR10(
    os.environ.get("NOTES_DATA", "../dataset"), train=False, transform=torchvision.transforms.ToTensor()
)
dataloader = DataLoader(test_set, batch_size=64)


class Convolved(nn.Module):
    def __init__(self):
        super(Convolved, self).__init__()
        self.conv1 = nn.Conv2d(3, 6, kernel_size=3, stride=1, padding=0)

    def forward(self, x):
        x = self.conv1(x)
        return x


model = Convolved()
print(model)

writer = SummaryWriter("logs")
step = 0
for data in dataloader:
    imgs, targets = data
    output = model(imgs)
    print(imgs.shape, output.shape)
    writer.add_images("input", imgs, step)
    output = torch.reshape(output, (-1, 3, 30, 30))
    writer.add_images("output", output, step)
    step += 1
writer.close()
