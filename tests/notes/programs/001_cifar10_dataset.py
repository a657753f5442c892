"""CIFAR-10 with a transform; the first pictures for TensorBoard.

Section: 10, the data sets of torchvision
Needs: datasets.CIFAR10, Compose, SummaryWriter.add_image
"""

import os

import torchvision
from torch.utils.tensorboard import SummaryWriter

ROOT = os.environ.get("NOTES_DATA", "./dataset")
dataset_transform = torchvision.transforms.Compose([torchvision.transforms.ToTensor()])

plain_set = torchvision.datasets.CIFAR10(root=ROOT, train=False, download=True)
img, target = plain_set[0]
print(img.size, img.mode, target, plain_set.classes[target])

train_set = torchvision.datasets.CIFAR10(root=ROOT, train=True, transform=dataset_transform, download=True)
test_set = torchvision.datasets.CIFAR10(root=ROOT, train=False, transform=dataset_transform, download=True)
print(len(train_set), len(test_set), test_set.classes)

writer = SummaryWriter("p10")
for i in range(10):
    img, target = test_set[i]
    writer.add_image("test_set", img, i)
writer.close()
print(img.shape, target)
