"""Batches put together by a function of one's own: rows of different lengths, padded.

Section: DataLoader
Needs: DataLoader(collate_fn, drop_last), default_collate
"""

import torch
from torch.utils.data import DataLoader, Dataset


class Rows(Dataset):
    def __getitem__(self, index):
        if index >= 10:
            raise IndexError
        return torch.ones(index % 4 + 1) * index, index

    def __len__(self):
        return 10


def padded(batch):
    rows, labels = zip(*batch)
    longest = max(len(row) for row in rows)
    result = torch.zeros(len(rows), longest)
    for i, row in enumerate(rows):
        result[i, : len(row)] = row
    return result, torch.tensor(labels)


for shuffle in (False, True):
    loader = DataLoader(Rows(), batch_size=4, shuffle=shuffle, collate_fn=padded, drop_last=shuffle)
    print(len(loader))
    for rows, labels in loader:
        print(rows, labels)
try:
    next(iter(DataLoader(Rows(), batch_size=4)))
except RuntimeError as error:
    print(str(error).partition(",")[0])
