"""What pooling does to pictures, for TensorBoard.

Section: 15, pooling of pictures
Needs: nn.MaxPool2d, SummaryWriter.add_images
"""

import os

import torchvision
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter

dataset = torchvision.datasets.CIFAR10(
    root=os.environ.get("NOTES_DATA", "../dataset"),
    train=False,
    download=False,
    transform=torchvision.transforms.ToTensor(),
)
dataloader = DataLoader(dataset, batch_size=64)


class Pooled(nn.Module):
    def __init__(self):
        super(Pooled, self).__init__()
        self.maxpool1 = nn.MaxPool2d(kernel_size=3, ceil_mode=False)

    def forward(self, input):
        output = self.maxpool1(input)
        return output


model = Pooled()
writer = SummaryWriter("logs_maxpool")
for step, (imgs, targets) in enumerate(dataloader):
    output = model(imgs)
    writer.add_images("input", imgs, step)
    writer.add_images("output", output, step)
writer.close()
print(step, output.shape)
