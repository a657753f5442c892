"""Making tensors: uninitialised, random, zeros, from data, like another one.

Section: 1.1, elements of tensors
Needs: empty, rand, zeros with dtype, tensor, new_ones, randn_like, Tensor.size, Size as a tuple
"""

from __future__ import print_function

import torch

x = torch.empty(5, 3)
print(x.shape, x.dtype)

x = torch.rand(5, 3)
print(x)

x = torch.zeros(5, 3, dtype=torch.long)
print(x)

x = torch.tensor([2.5, 3.5])
print(x)

x = x.new_ones(5, 3, dtype=torch.double)
print(x)

y = torch.randn_like(x, dtype=torch.float)
print(y)

print(x.size())
rows, columns = x.size()
print(rows, columns, x.size() + (2,), x.size()[0], len(x.size()), x.size() == (5, 3), 3 in x.size())
