"""Dropout in training and in evaluation.

Section: Dropout
Needs: nn.Dropout, train(mode), eval
"""

import torch
import torch.nn as nn

x = torch.ones(2, 10)
dr = nn.Dropout(0.5)
print(dr, dr(x))
dr.eval()
print(dr(x))
dr.train(mode=True)
print(dr(torch.ones(1000)).mean())

net = nn.Sequential(nn.Linear(10, 8), nn.ReLU(), nn.Dropout(p=0.2), nn.Linear(8, 2))
print(net(x).sum(), net(x).sum())
net.eval()
print(net.training, net[2].training)
print(torch.equal(net(x), net(x)))
try:
    nn.Dropout(1.5)
except ValueError as error:
    print(error)
