"""A data set in two parts without overlap, drawn at random.

Section: random_split
Needs: utils.data.random_split, Subset, TensorDataset, torch.Generator
"""

import torch
from torch.utils.data import TensorDataset, random_split

dataset = TensorDataset(torch.arange(25), torch.arange(25) % 3)
train_size = int(0.8 * len(dataset))
test_size = len(dataset) - train_size
trainset, testset = torch.utils.data.random_split(dataset, [train_size, test_size])
print(len(trainset), len(testset), type(trainset).__name__)
print(trainset.indices, testset.indices)
print(testset[0])
print(set(trainset.indices) & set(testset.indices))

parts = random_split(dataset, [0.5, 0.3, 0.2], generator=torch.Generator().manual_seed(42))
print([part.indices for part in parts])
try:
    random_split(dataset, [20, 20])
except ValueError as error:
    print(error)
