"""Three losses on small float64 tensors.

Section: Loss, trying the losses
Needs: tensor with dtype=float, reshape to (1, 1, 1, 3), L1Loss, MSELoss, CrossEntropyLoss, reduction
"""

import torch
from torch import nn

input = torch.tensor([1, 2, 3], dtype=float)
target = torch.tensor([1, 2, 5], dtype=float)

input = torch.reshape(input, (1, 1, 1, 3))
target = torch.reshape(target, (1, 1, 1, 3))

loss_mae = nn.L1Loss()
loss_sum = nn.L1Loss(reduction="sum")
loss_mse = nn.MSELoss()

output_mae = loss_mae(input, target)
output_sum = loss_sum(input, target)
output_mse = loss_mse(input, target)

print(output_mae)
print(output_sum)
print(output_mse)

x = torch.tensor([0.2, 0.3, 0.1]).reshape(1, 3)
print(nn.CrossEntropyLoss()(x, torch.tensor([0])))
