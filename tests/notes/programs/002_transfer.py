"""Freezing a network but for its last layer, which is replaced and trained.

Section: requires_grad_
Needs: requires_grad_, named_parameters, optim.SGD of some parameters, grad is None
Precision: float64
"""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


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
for parameter in net.parameters():
    parameter.requires_grad_(False)
net.fc3 = nn.Linear(84, 2)
print([name for name, p in net.named_parameters() if p.requires_grad])

before = {name: value.clone() for name, value in net.state_dict().items()}
optimizer = optim.SGD(filter(lambda p: p.requires_grad, net.parameters()), lr=0.1, momentum=0.9)
inputs, labels = torch.randn(8, 3, 32, 32), torch.randint(2, (8,))
for _ in range(5):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(inputs), labels)
    loss.backward()
    optimizer.step()
    print(loss.item())
print([name for name, value in net.state_dict().items() if not torch.equal(value, before[name])])
print(net.conv1.weight.grad is None, net.fc3.weight.grad.shape)

x = torch.ones(2)
print(x.requires_grad, x.requires_grad_().requires_grad, x.is_leaf)
