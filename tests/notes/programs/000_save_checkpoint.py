"""A checkpoint of epoch, network, optimizer and loss, and training that goes on from it.

Section: 3, saving, the first way in practice
Needs: torch.save of a dict, Optimizer.state_dict and load_state_dict, eval, train
"""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = x.view(-1, 16 * 5 * 5)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        x = self.fc3(x)
        return x


def train_step(model, optimizer):
    optimizer.zero_grad()
    loss = criterion(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss


PATH = "./checkpoint.pth"
criterion = nn.CrossEntropyLoss()
images, labels = torch.randn(4, 3, 32, 32), torch.tensor([3, 8, 8, 0])

model = Net()
optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
for epoch in range(3):
    loss = train_step(model, optimizer)
torch.save(
    {
        "epoch": epoch,
        "model_state_dict": model.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "loss": loss,
    },
    PATH,
)
print(train_step(model, optimizer))

resumed = Net()
resumed_optimizer = optim.SGD(resumed.parameters(), lr=0.5)
checkpoint = torch.load(PATH)
resumed.load_state_dict(checkpoint["model_state_dict"])
resumed_optimizer.load_state_dict(checkpoint["optimizer_state_dict"])
epoch = checkpoint["epoch"]
loss = checkpoint["loss"]
resumed.eval()
print(epoch, loss, resumed.training)
resumed.train()
print(train_step(resumed, resumed_optimizer), resumed.training)
print(resumed_optimizer)
