"""Tensors and NumPy arrays that share their memory, both ways.

Section: 1.1, tensors and NumPy arrays
Needs: ones, Tensor.numpy, add_, from_numpy
"""

import numpy as np
import torch

a = torch.ones(5)
print(a)
b = a.numpy()
print(b)
a.add_(1)
print(a)
print(b)

c = np.ones(5)
d = torch.from_numpy(c)
np.add(c, 1, out=c)
print(c)
print(d)
