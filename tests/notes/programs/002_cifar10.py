"""CIFAR-10, scaled, in loaders with two workers.

Section: the data set and its preparation
Needs: CIFAR10, Compose, ToTensor, Normalize, DataLoader(num_workers=2)
"""

import os

import torch
import torchvision
import torchvision.transforms as transforms

ROOT = os.environ.get("NOTES_DATA", "./data")
transform = transforms.Compose(
    [transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))]
)
trainset = torchvision.datasets.CIFAR10(root=ROOT, train=True, download=True, transform=transform)
testset = torchvision.datasets.CIFAR10(root=ROOT, train=False, download=True, transform=transform)
trainloader = torch.utils.data.DataLoader(trainset, batch_size=4, shuffle=True, num_workers=2)
testloader = torch.utils.data.DataLoader(testset, batch_size=4, shuffle=False, num_workers=2)
classes = ("plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

print(transform)
print(len(trainset), len(testset), len(trainloader), len(testloader))
for i, data in enumerate(trainloader, 0):
    inputs, labels = data
    print(i, inputs.shape, inputs.mean(), [classes[label] for label in labels])
    if i == 3:
        break
inputs, labels = next(iter(testloader))
print(inputs.min(), inputs.max(), labels)
