"""Model, loss and batches on the device that is there.

Section: 24, training on a GPU, in both ways
Needs: cuda.is_available, cuda, torch.device, to, Tensor.device
"""

import torch
from torch import nn

model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 30 * 30, 10))
loss_fn = nn.CrossEntropyLoss()
imgs, targets = torch.randn(2, 3, 32, 32), torch.tensor([1, 7])

use_cuda = torch.cuda.is_available()
if use_cuda:
    model = model.cuda()
    loss_fn = loss_fn.cuda()
    imgs = imgs.cuda()
    targets = targets.cuda()
print(loss_fn(model(imgs), targets))

device = torch.device("cpu")
print(device, device.type, repr(device), torch.device("cuda:0"), torch.device("cuda", 1).index)
model = model.to(device)
loss_fn = loss_fn.to(device)
imgs, targets = imgs.to(device), targets.to(device)
print(imgs.device, next(model.parameters()).device)
print(loss_fn(model(imgs), targets))
