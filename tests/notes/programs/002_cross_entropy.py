"""CrossEntropyLoss is NLLLoss of LogSoftmax; MSELoss by its formula.

Section: loss functions
Needs: CrossEntropyLoss, NLLLoss, LogSoftmax, MSELoss, gather
"""

import torch
import torch.nn as nn

outputs = torch.randn(4, 10, requires_grad=True)
labels = torch.tensor([3, 0, 9, 3])

criterion = nn.CrossEntropyLoss()
loss = criterion(outputs, labels)
log_probabilities = nn.LogSoftmax(dim=1)(outputs)
nll = nn.NLLLoss()(log_probabilities, labels)
by_hand = -log_probabilities.gather(1, labels.unsqueeze(1)).mean()
print(loss, nll, by_hand)
print(torch.allclose(torch.exp(log_probabilities).sum(dim=1), torch.ones(4)))

loss.backward()
print(outputs.grad[0])
one_hot = nn.functional.one_hot(labels, 10)
print(torch.allclose(outputs.grad, (torch.softmax(outputs, dim=1) - one_hot) / 4, atol=1e-6))

for reduction in ("mean", "sum", "none"):
    mse = nn.MSELoss(reduction=reduction)(outputs[:, :2], torch.ones(4, 2))
    print(reduction, mse)
