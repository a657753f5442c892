"""Moving a tensor to a device and changing its type on the way.

Section: 1.1, tensors on a GPU
Needs: cuda.is_available, device, ones_like with device, Tensor.to
"""

import torch

x = torch.randn(1)
if torch.cuda.is_available():
    device = torch.device("cuda")
else:
    device = torch.device("cpu")
y = torch.ones_like(x, device=device)
x = x.to(device)
z = x + y
print(z)
print(z.to("cpu", torch.double))
