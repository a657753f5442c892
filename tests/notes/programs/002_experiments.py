"""The table at the end in small: momentum 0.9 and 0.99, with batch normalization, with dropout.

Section: training and testing results
Needs: optim.SGD(momentum), BatchNorm2d, Dropout, DataLoader, train and eval
Precision: float64
"""

import os

import torch
import torch.nn as nn
import torch.optim as optim
import torchvision
import torchvision.transforms as transforms

ROOT = os.environ.get("NOTES_DATA", "./data")
transform = transforms.Compose(
    [transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))]
)
trainset = torchvision.datasets.CIFAR10(root=ROOT, train=True, transform=transform)
testset = torchvision.datasets.CIFAR10(root=ROOT, train=False, transform=transform)
trainset = torch.utils.data.Subset(trainset, range(256))
testloader = torch.utils.data.DataLoader(testset, batch_size=100)


def network(batch_norm, dropout):
    layers = []
    channels = [3, 32, 64, 128]
    for before, after in zip(channels, channels[1:]):
        layers.append(nn.Conv2d(before, after, 3, padding=1, bias=not batch_norm))
        if batch_norm:
            layers.append(nn.BatchNorm2d(after))
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Flatten(), nn.Linear(128 * 4 * 4, 64), nn.ReLU()]
    if dropout:
        layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(64, 10))


def result(name, momentum=0.9, batch_norm=False, dropout=0.0, epochs=2):
    torch.manual_seed(0)
    net = network(batch_norm, dropout)
    optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=momentum)
    trainloader = torch.utils.data.DataLoader(trainset, batch_size=32, shuffle=True)
    criterion = nn.CrossEntropyLoss()
    for _ in range(epochs):
        net.train()
        total = 0.0
        for inputs, labels in trainloader:
            optimizer.zero_grad()
            loss = criterion(net(inputs), labels)
            loss.backward()
            optimizer.step()
            total += loss.item()
    net.eval()
    with torch.no_grad():
        correct = sum((net(x).argmax(1) == y).sum().item() for x, y in testloader)
    print("%s: loss %.4f, right %d of %d" % (name, total / len(trainloader), correct, len(testset)))


result("momentum 0.9")
result("momentum 0.99", momentum=0.99)
result("batch normalization", batch_norm=True)
result("batch normalization and dropout", batch_norm=True, dropout=0.5)
