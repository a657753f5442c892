"""The complete program: training and testing with TensorBoard, the model saved after each epoch.

Section: 23, the whole of training
Needs: CIFAR10, DataLoader, SummaryWriter.add_scalar, no_grad, argmax, train, eval, torch.save of a model
Tolerance: 1e-3
"""

import os

import torch
import torchvision
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter

ROOT = os.environ.get("NOTES_DATA", "../dataset")


class Quick(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(3, 32, 5, 1, 2),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 32, 5, 1, 2),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 5, 1, 2),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(64 * 4 * 4, 64),
            nn.Linear(64, 10),
        )

    def forward(self, x):
        x = self.model(x)
        return x


train_data = torchvision.datasets.CIFAR10(
    root=ROOT, train=True, transform=torchvision.transforms.ToTensor(), download=True
)
test_data = torchvision.datasets.CIFAR10(
    root=ROOT, train=False, transform=torchvision.transforms.ToTensor(), download=True
)
train_data_size = len(train_data)
test_data_size = len(test_data)
print("Train data size: {}".format(train_data_size))
print("Test data size: {}".format(test_data_size))
train_dataloader = DataLoader(train_data, batch_size=64)
test_dataloader = DataLoader(test_data, batch_size=64)

model = Quick()
print(model(torch.ones(64, 3, 32, 32)).shape)
loss_fn = nn.CrossEntropyLoss()
learning_rate = 1e-2
optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)

total_train_step = 0
total_test_step = 0
epoch = 2
writer = SummaryWriter("logs_train")

for i in range(epoch):
    print("-------- {} --------".format(i + 1))

    model.train()
    for data in train_dataloader:
        imgs, targets = data
        outputs = model(imgs)
        loss = loss_fn(outputs, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

        total_train_step += 1
        if total_train_step % 10 == 0:
            print("step: {}, loss: {}".format(total_train_step, loss.item()))
            writer.add_scalar("train_loss", loss.item(), total_train_step)

    model.eval()
    total_test_loss = 0
    total_accuracy = 0
    with torch.no_grad():
        for data in test_dataloader:
            imgs, targets = data
            outputs = model(imgs)
            loss = loss_fn(outputs, targets)
            total_test_loss += loss.item()
            total_accuracy += (outputs.argmax(1) == targets).sum()
    print("total test loss: {}".format(total_test_loss))
    print("accuracy: {}".format(total_accuracy / test_data_size))
    writer.add_scalar("test_loss", total_test_loss, total_test_step)
    writer.add_scalar("test_accuracy", total_accuracy / test_data_size, total_test_step)
    writer.add_scalar("with a time", total_test_loss, total_test_loss, total_test_step)
    total_test_step += 1

    torch.save(model, "model_{}.pth".format(i))

writer.close()
