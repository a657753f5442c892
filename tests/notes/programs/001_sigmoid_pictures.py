"""What Sigmoid does to pictures, for TensorBoard.

Section: 16, non-linear activations on pictures
Needs: nn.Sigmoid, SummaryWriter.add_images with global_step by name
"""

import os

import torchvision
from torch import nn
from torch.nn import ReLU, Sigmoid
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter

dataset = torchvision.datasets.CIFAR10(
    root=os.environ.get("NOTES_DATA", "../dataset"),
    download=False,
    train=False,
    transform=torchvision.transforms.ToTensor(),
)
dataloader = DataLoader(dataset, batch_size=64)


class Activated(nn.Module):
    def __init__(self):
        super(Activated, self).__init__()
        self.relu1 = ReLU()
        self.sigmoid1 = Sigmoid()

    def forward(self, input):
        output = self.sigmoid1(input)
        return output


model = Activated()
writer = SummaryWriter("logs_relu")
step = 0
for data in dataloader:
    imgs, targets = data
    writer.add_images("input", imgs, global_step=step)
    output = model(imgs)
    writer.add_images("output", output, global_step=step)
    step += 1
writer.close()
print(output.mean())
