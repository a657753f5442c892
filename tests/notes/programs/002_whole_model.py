"""The learnt parameters, and the whole network, saved and loaded.

Section: saving and loading models
Needs: torch.save and torch.load in both ways, load_state_dict with strict and its errors
"""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.bn1 = nn.BatchNorm2d(6)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.bn2 = nn.BatchNorm2d(16)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.bn1(self.conv1(x))))
        x = self.pool(F.relu(self.bn2(self.conv2(x))))
        x = x.view(-1, 16 * 5 * 5)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        x = self.fc3(x)
        return x


net = Net()
torch.save(net.state_dict(), "./cifar_net.pth")
torch.save(net, "./cifar_whole.pth")

other = Net()
print(other.load_state_dict(torch.load("./cifar_net.pth")))
whole = torch.load("./cifar_whole.pth", weights_only=False)
x = torch.randn(2, 3, 32, 32)
print(torch.equal(net(x), other(x)), torch.equal(net.eval()(x), whole.eval()(x)))

smaller = nn.Sequential(nn.Linear(2, 3))
try:
    smaller.load_state_dict(torch.load("./cifar_net.pth"))
except RuntimeError as error:
    print(str(error).splitlines()[1])
print(smaller.load_state_dict({"0.weight": torch.ones(3, 2), "1.bias": torch.ones(1)}, strict=False))
