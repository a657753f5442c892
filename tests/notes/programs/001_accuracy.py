"""From scores to the number of right answers; a tensor's number.

Section: 23, item and argmax
Needs: item, argmax along both dimensions, ==, sum
"""

import torch

a = torch.tensor(5)
print(a)
print(a.item())

outputs = torch.tensor([[0.1, 0.2], [0.3, 0.4]])
print(outputs.argmax(1))
print(torch.tensor([[0.1, 0.2], [0.05, 0.4]]).argmax(0))

preds = outputs.argmax(1)
targets = torch.tensor([0, 1])
print(preds == targets)
print((preds == targets).sum())
print((preds == targets).sum() / len(targets))
