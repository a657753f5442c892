"""The complete program: training, testing, TensorBoard, timing, a file per epoch, a GPU by number.

Section: The complete training and test program
Needs: SummaryWriter.add_scalar, cuda.is_available, Module.train and eval, no_grad, argmax, torch.save of
    a Module
Tolerance: 1e-3
"""

import os
import time

import torch
import torchvision
from torch import nn, optim
from torch.nn import Conv2d, CrossEntropyLoss, Flatten, Linear, MaxPool2d, Sequential
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter

gpu_device = 7
ROOT = os.environ.get("NOTES_DATA", "../data_cifar10")

train_data = torchvision.datasets.CIFAR10(
    ROOT, train=True, transform=torchvision.transforms.ToTensor(), download=True
)
test_data = torchvision.datasets.CIFAR10(
    ROOT, train=False, transform=torchvision.transforms.ToTensor(), download=True
)
train_data_size = train_data.__len__()
test_data_size = test_data.__len__()
print("train dataset length: {}".format(train_data_size))
print("test dataset length: {}".format(test_data_size))

batchsize = 64
train_dataloader = DataLoader(train_data, batch_size=batchsize)
test_dataloader = DataLoader(test_data, batch_size=batchsize)


class SwaggerCifar(nn.Module):
    def __init__(self):
        super(SwaggerCifar, self).__init__()
        self.module1 = Sequential(
            Conv2d(in_channels=3, out_channels=32, kernel_size=5, stride=1, padding=2),
            MaxPool2d(kernel_size=2),
            Conv2d(in_channels=32, out_channels=32, kernel_size=5, stride=1, padding=2),
            MaxPool2d(kernel_size=2),
            Conv2d(in_channels=32, out_channels=64, kernel_size=5, stride=1, padding=2),
            MaxPool2d(kernel_size=2),
            Flatten(),
            Linear(in_features=1024, out_features=64),
            Linear(in_features=64, out_features=10),
        )

    def forward(self, x):
        x = self.module1(x)
        return x


swagger = SwaggerCifar()
if torch.cuda.is_available():
    swagger = swagger.cuda(gpu_device)

loss = CrossEntropyLoss()
if torch.cuda.is_available():
    loss = loss.cuda(gpu_device)

learning_rate = 0.01
optimizer = optim.SGD(swagger.parameters(), learning_rate)

writer = SummaryWriter("logs_cifar")
os.makedirs("models", exist_ok=True)
total_train_step = 0
total_test_step = 0
epoch = 2
start = time.time()

for i in range(epoch):
    print("------the {}th epoch------".format(i + 1))
    total_train_loss = 0.0

    swagger.train()
    for data in train_dataloader:
        imgs, targets = data
        if torch.cuda.is_available():
            imgs = imgs.cuda(gpu_device)
            targets = targets.cuda(gpu_device)

        outputs = swagger(imgs)
        loss_result = loss(input=outputs, target=targets)
        optimizer.zero_grad()
        loss_result.backward()
        optimizer.step()

        total_train_step = total_train_step + 1
        total_train_loss = total_train_loss + loss_result
        if total_train_step % 10 == 0:
            print("train step: {}, loss: {}".format(total_train_step, loss_result.item()))
            writer.add_scalar("train_loss", loss_result.item(), total_train_step)

    swagger.eval()
    total_test_loss = 0.0
    total_accuracy = 0.0
    with torch.no_grad():
        for data in test_dataloader:
            imgs, targets = data
            if torch.cuda.is_available():
                imgs = imgs.cuda(gpu_device)
                targets = targets.cuda(gpu_device)
            outputs = swagger(imgs)
            loss_result = loss(input=outputs, target=targets)
            total_test_loss = total_test_loss + loss_result.item()
            preds = outputs.argmax(1)
            accuracy = (preds == targets).sum()
            total_accuracy = total_accuracy + accuracy.item()

    print("total test loss: {}".format(total_test_loss))
    print("total accuracy: {}".format(total_accuracy / test_data_size))
    print("time is measured: {}".format(time.time() - start > 0))
    writer.add_scalar("test_loss", total_test_loss, total_test_step)
    writer.add_scalar("test_accuracy", total_accuracy / test_data_size, total_test_step)
    total_test_step = total_test_step + 1

    torch.save(swagger, "models/swagger_cifar_{}.pth".format(i))
    print("The model has been saved")

writer.close()
