"""Saving a model whole and saving its parameters.

Section: 22, saving and loading, on a small model
Needs: torch.save, torch.load, load_state_dict, print of a state dict
"""

import torch
from torch import nn

model = nn.Sequential(nn.Conv2d(3, 4, kernel_size=3), nn.ReLU(), nn.BatchNorm2d(4))
torch.save(model, "model_method1.pth")
print(torch.load("model_method1.pth", weights_only=False))

torch.save(model.state_dict(), "model_method2.pth")
loaded = torch.load("model_method2.pth")
print(loaded)
other = nn.Sequential(nn.Conv2d(3, 4, kernel_size=3), nn.ReLU(), nn.BatchNorm2d(4))
other.load_state_dict(loaded)
for ours, theirs in zip(model.parameters(), other.parameters()):
    print(torch.equal(ours, theirs))
