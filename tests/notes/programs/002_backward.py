"""backward of a number, and of more than one number with a weight for each.

Section: one iteration, backward
Needs: backward without and with a gradient, RuntimeError for non-scalars, item
"""

import torch

x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = (x**2).sum()
y.backward()
print(y.item(), x.grad)

x.grad = None
z = x**2
try:
    z.backward()
except RuntimeError as error:
    print(error)
z.backward(torch.tensor([1.0, 0.1, 0.01]))
print(x.grad)
try:
    (x * 2).backward(torch.ones(2))
except RuntimeError as error:
    print(str(error).splitlines()[0])
try:
    (x * 2).item()
except RuntimeError as error:
    print(error)
