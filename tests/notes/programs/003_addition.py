"""Four ways to add, and slices.

Section: 1.1, operations on tensors
Needs: rand, operators, torch.add with out, add_, copy_, indexing with slices
"""

import torch

x = torch.ones(5, 3, dtype=torch.double)
y = torch.rand(5, 3)
print(x + y)
print(torch.add(x, y))

x = torch.randn(5, 3)
print(x + y)
print(torch.add(x, y))

result = torch.empty(5, 3)
torch.add(x, y, out=result)
print(result)

y.add_(x)
print(y)

z = torch.zeros(5, 3)
z.copy_(y)
print(torch.equal(z, y))

print(x[:, 1])
