"""The network with batch normalization, its layers by name, its forward pass step by step.

Section: defining the network
Needs: nn.Module, BatchNorm2d, view, named_parameters
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
print(net)
for name, parameters in net.named_parameters():
    print(name, ":", parameters.size())
print([name for name, _ in net.named_buffers()])

x = torch.randn(4, 3, 32, 32)
print(net.conv1(x).shape, net.pool(F.relu(net.bn1(net.conv1(x)))).shape)
outputs = net(x)
print(outputs.shape, torch.equal(net.eval()(x), net.forward(x)))
print(net.bn1.running_mean, net.bn1.num_batches_tracked)
