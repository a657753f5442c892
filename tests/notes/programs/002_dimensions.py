"""Dimensions of size one, put in and taken out.

Section: operations on tensors
Needs: unsqueeze, squeeze, ndimension, also with out-of-range dimensions
"""

import torch

x = torch.arange(6).reshape(2, 3)
for dim in (0, 1, 2, -1, -3):
    print(dim, torch.unsqueeze(x, dim).shape)

y = torch.zeros(2, 1, 3, 1, 4, 1)
print(torch.squeeze(y).size())
print(torch.squeeze(y, 0).size())
print(torch.squeeze(y, 1).size())
print(y.squeeze(dim=-1).unsqueeze(dim=0).size())
print(x.ndimension(), y.ndimension(), torch.tensor(1).ndimension())
try:
    x.unsqueeze(4)
except IndexError as error:
    print(error)

z = torch.ones(1, 3)
z.squeeze_().add_(1)
print(z, z.unsqueeze_(1).shape)
