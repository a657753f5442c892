"""Another shape for the same elements; one element as a Python number.

Section: 1.1, operations on tensors
Needs: randn, view with -1, size, item
"""

import torch

x = torch.randn(4, 4)
y = x.view(16)
z = x.view(-1, 8)
print(x.size(), y.size(), z.size())

x = torch.randn(1)
print(x)
print(x.item())
