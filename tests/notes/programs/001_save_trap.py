"""Loading a whole model where its class is not known fails; with the class it works.

Section: 22, the trap
Needs: torch.save of a class of one's own, torch.load, pickle.UnpicklingError, AttributeError
"""

import pickle

import torch
from torch import nn


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, kernel_size=3)

    def forward(self, x):
        x = self.conv1(x)
        return x


small = Small()
torch.save(small, "small_method1.pth")
Defined = Small
del Small

try:
    torch.load("small_method1.pth")
except pickle.UnpicklingError:
    print("UnpicklingError: the weights alone may be loaded without trust")
try:
    torch.load("small_method1.pth", weights_only=False)
except AttributeError as error:
    print(str(error).split(" on ")[0])

Small = Defined
model = torch.load("small_method1.pth", weights_only=False)
print(model)
print(torch.equal(model.conv1.weight, small.conv1.weight))
